#include "net/http_reach.h"

#include <arpa/inet.h>

#include "tests/unit.h"

static bool admits(enum http_reach reach, const char *text) {
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return http_reach_admits(reach, (const struct sockaddr *)(const void *)&v4);
	assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return http_reach_admits(reach, (const struct sockaddr *)(const void *)&v6);
}

static void addresses_inside_are_not_reached(void **state) {
	(void)state;
	static const char *const inside[] = {"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255",
	    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.168.1.1", "198.18.0.1", "198.19.9.9",
	    "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "fe80::1", "febf::1", "fc00::1", "fdff::1", "ff02::1",
	    "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:a00:1::1",
	    "2001:db8::1", "2001::1", "3fff::1", "::10.0.0.1", "100::1", "5f00::1"};
	for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
		if (admits(HTTP_REACH_OUTSIDE, inside[i]) || admits(HTTP_REACH_LOOPBACK, inside[i]))
			fail_msg("%s", inside[i]);
		assert_true(admits(HTTP_REACH_ANY, inside[i]));
	}
}

static void this_machine_is_reached_if_it_is_allowed(void **state) {
	(void)state;
	static const char *const loopback[] = {
	    "127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1"};
	for (size_t i = 0; i < sizeof loopback / sizeof *loopback; i++) {
		assert_false(admits(HTTP_REACH_OUTSIDE, loopback[i]));
		assert_true(admits(HTTP_REACH_LOOPBACK, loopback[i]));
	}
}

static void addresses_outside_are_reached(void **state) {
	(void)state;
	static const char *const outside[] = {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
	    "172.15.255.255", "172.32.0.0", "192.167.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111",
	    "2a00::1", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"};
	for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
		if (!admits(HTTP_REACH_OUTSIDE, outside[i])) fail_msg("%s", outside[i]);
	const struct sockaddr other = {.sa_family = AF_UNIX};
	assert_false(http_reach_admits(HTTP_REACH_ANY, &other));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_inside_are_not_reached),
	    cmocka_unit_test(this_machine_is_reached_if_it_is_allowed),
	    cmocka_unit_test(addresses_outside_are_reached),
	};
	return cmocka_run_group_tests_name("http_reach", tests, NULL, NULL);
}
