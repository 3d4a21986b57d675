/* What makes one value right: its type, its range, and the file that it names. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/settings/settings.h"

struct checking {
	const struct setting *row;
	const char *text, *where;
	struct problems *problems;
};

#define refuse(checking, ...) (problems_add((checking)->problems, (checking)->where, __VA_ARGS__), false)

static bool check_number(const struct checking *checking, uint64_t *number, uint64_t min, uint64_t max) {
	const char *text = checking->text;
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno || *end || end == text || text[0] < '0' || text[0] > '9')
		return refuse(checking, "%s takes a whole number, not \"%s\"", checking->row->name, text);
	if (value < min || value > max)
		return refuse(checking, "%s takes %llu to %llu, not %s", checking->row->name, (unsigned long long)min,
		    (unsigned long long)max, text);
	*number = value;
	return true;
}

static bool check_switch(const struct checking *checking, uint64_t *number) {
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(checking->text, words[i]) != 0) continue;
		*number = i & 1;
		return true;
	}
	return refuse(checking, "%s takes yes or no, not \"%s\"", checking->row->name, checking->text);
}

static bool check_choice(const struct checking *checking) {
	size_t len = strlen(checking->text);
	for (const char *at = checking->row->choices; *at;) {
		size_t word = strcspn(at, "|");
		if (word == len && memcmp(at, checking->text, len) == 0) return true;
		at += word + (at[word] == '|');
	}
	return refuse(
	    checking, "%s takes one of %s, not \"%s\"", checking->row->name, checking->row->choices, checking->text);
}

static bool check_address(const struct checking *checking) {
	struct in6_addr six;
	struct in_addr four;
	if (inet_pton(AF_INET, checking->text, &four) == 1 || inet_pton(AF_INET6, checking->text, &six) == 1)
		return true;
	return refuse(checking, "%s takes a numeric address such as 127.0.0.1 or ::1, not \"%s\"", checking->row->name,
	    checking->text);
}

/* The length of a URL's host: a name, an IPv4 address, or an IPv6 address in brackets. 0: it has none. */
static size_t host_length(const char *url) {
	char address[INET6_ADDRSTRLEN];
	struct in6_addr six;
	if (*url != '[') return strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
	size_t len = strcspn(url, "]");
	if (url[len] != ']' || len > sizeof address) return 0;
	snprintf(address, sizeof address, "%.*s", (int)len - 1, url + 1);
	return inet_pton(AF_INET6, address, &six) == 1 ? len + 1 : 0;
}

/* ":8545", of a port from 1 on. 0: it is none. */
static size_t port_length(const char *url) {
	size_t digits = strspn(url + 1, "0123456789");
	unsigned long port = digits && digits <= 5 ? strtoul(url + 1, NULL, 10) : 0;
	return port >= 1 && port <= UINT16_MAX ? digits + 1 : 0;
}

/* What a path is joined to: so it has no query and no fragment. */
static bool is_url(const char *url, size_t len) {
	size_t at = strncmp(url, "http://", 7) == 0 ? 7 : strncmp(url, "https://", 8) == 0 ? 8 : 0;
	size_t host = at ? host_length(url + at) : 0;
	if (host == 0) return false;
	at += host;
	if (at < len && url[at] == ':') {
		size_t port = port_length(url + at);
		if (port == 0) return false;
		at += port;
	}
	if (at < len && url[at] != '/') return false;
	for (; at < len; at++)
		if (url[at] <= ' ' || url[at] >= 127 || strchr("@#?", url[at])) return false;
	return true;
}

static bool check_urls(const struct checking *checking) {
	size_t count = 0;
	for (const char *at = checking->text; *(at += strspn(at, ", \t"));) {
		size_t len = strcspn(at, ", \t");
		if (!is_url(at, len) && memchr(at, '@', len)) /* a password may stand there, so it is not repeated */
			return refuse(checking, "%s takes URLs without a name or a password", checking->row->name);
		if (!is_url(at, len))
			return refuse(checking,
			    "%s takes URLs such as http://127.0.0.1:8545 or https://[::1]:8545, with a port from 1 to "
			    "65535 and without a query, not \"%.*s\"",
			    checking->row->name, (int)len, at);
		at += len;
		count++;
	}
	return count > 0 || refuse(checking, "%s takes at least one URL", checking->row->name);
}

static bool check_file(const struct checking *checking) {
	struct stat info;
	if (stat(checking->text, &info) != 0 || access(checking->text, R_OK) != 0)
		return refuse(
		    checking, "%s: %s cannot be read: %s", checking->row->name, checking->text, strerror(errno));
	if (S_ISDIR(info.st_mode)) return refuse(checking, "%s: %s is a folder", checking->row->name, checking->text);
	if (checking->row->type == SETTING_SECRET && (info.st_mode & 077) != 0)
		return refuse(checking, "%s: %s can be read by others than its owner (mode %03o): chmod 600 it",
		    checking->row->name, checking->text, (unsigned)(info.st_mode & 0777));
	return true;
}

bool setting_check(
    const struct setting *row, const char *text, uint64_t *number, const char *where, struct problems *problems) {
	const struct checking checking = {row, text, where, problems};
	uint64_t ignored;
	if (!number) number = &ignored;
	if (!*text && row->type != SETTING_LIST) return refuse(&checking, "%s has no value", row->name);
	switch (row->type) {
	case SETTING_NUMBER: return check_number(&checking, number, row->min, row->max);
	case SETTING_PORT: return check_number(&checking, number, 0, UINT16_MAX);
	case SETTING_ADDRESS: return check_address(&checking);
	case SETTING_URLS: return check_urls(&checking);
	case SETTING_SWITCH: return check_switch(&checking, number);
	case SETTING_CHOICE: return check_choice(&checking);
	case SETTING_FILE:
	case SETTING_SECRET: return check_file(&checking);
	case SETTING_TEXT:
	case SETTING_LIST:
	case SETTING_FOLDER: return true;
	}
	return false;
}
