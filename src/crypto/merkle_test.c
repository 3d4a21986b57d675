#include "crypto/merkle.h"

#include "tests/unit.h"

#include "tests/hexbytes.h"

#define LEAVES 70u

static void fill(hash32 leaves[LEAVES]) {
	for (uint8_t i = 0; i < LEAVES; i++) leaves[i] = merkle_leaf(bytes_make(&i, 1));
}

/* The test data of the Certificate Transparency log's reference (RFC 6962): eight leaves. */
static void known_roots(void **state) {
	(void)state;
	static const struct bytes data[] = {BYTES_LITERAL(""), BYTES_LITERAL("\x00"), BYTES_LITERAL("\x10"),
	    BYTES_LITERAL("\x20\x21"), BYTES_LITERAL("\x30\x31"), BYTES_LITERAL("\x40\x41\x42\x43"),
	    BYTES_LITERAL("\x50\x51\x52\x53\x54\x55\x56\x57"),
	    BYTES_LITERAL("\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f")};
	static const char *const roots[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
	hash32 leaves[8];
	for (size_t i = 0; i < 8; i++) {
		leaves[i] = merkle_leaf(data[i]);
		hash32 root = merkle_root(leaves, i + 1);
		assert_hex(root.b, 32, roots[i]);
	}
}

/* Every leaf of every size has a path that verifies there and nowhere else. */
static void paths_verify_where_they_belong(void **state) {
	(void)state;
	hash32 leaves[LEAVES], path[MERKLE_DEPTH_MAX];
	fill(leaves);
	for (size_t count = 1; count <= LEAVES; count++) {
		hash32 root = merkle_root(leaves, count);
		for (size_t index = 0; index < count; index++) {
			size_t len = merkle_path(path, leaves, count, index);
			assert_true(merkle_verify(&root, &leaves[index], index, count, path, len));
			for (size_t other = 0; other < count; other++)
				if (other != index)
					assert_false(merkle_verify(&root, &leaves[index], other, count, path, len));
			assert_false(merkle_verify(&root, &leaves[index], index + count, count, path, len));
			assert_false(merkle_verify(&root, &leaves[(index + 1) % LEAVES], index, count, path, len));
			if (len == 0) continue;
			assert_false(merkle_verify(&root, &leaves[index], index, count, path, len - 1));
			path[len] = leaves[0];
			assert_false(merkle_verify(&root, &leaves[index], index, count, path, len + 1));
			path[len / 2].b[7] ^= 4;
			assert_false(merkle_verify(&root, &leaves[index], index, count, path, len));
		}
	}
}

static void leaf_and_node_differ(void **state) {
	(void)state;
	hash32 a = {{1}}, b = {{2}};
	uint8_t both[64];
	memcpy(both, a.b, 32);
	memcpy(both + 32, b.b, 32);
	hash32 node = merkle_node(&a, &b), leaf = merkle_leaf(bytes_make(both, 64));
	assert_false(hash32_equal(&node, &leaf));
}

/* Every third subset or so of small trees: the proof gives the root, and each member its own path. */
static void members_and_a_proof_give_the_root_and_their_paths(void **state) {
	(void)state;
	uint32_t random = 12345;
	hash32 leaves[LEAVES], proof[LEAVES], root, found;
	hash32 paths[LEAVES][MERKLE_DEPTH_MAX];
	for (size_t i = 0; i < LEAVES; i++) leaves[i] = merkle_leaf(bytes_make(&i, sizeof i));
	for (size_t count = 1; count <= LEAVES; count++) {
		struct merkle_member members[LEAVES];
		size_t n = 0;
		root = merkle_root(leaves, count);
		for (size_t i = 0; i < count; i++) {
			random = random * 1664525 + 1013904223;
			if (random >> 30 && (n || i + 1 < count)) continue;
			members[n] = (struct merkle_member){i, leaves[i], paths[n], 0};
			members[n].path_len = merkle_path(paths[n], leaves, count, i);
			assert_true(members[n].path_len <= merkle_depth(count));
			n++;
		}
		size_t len = merkle_set_proof(proof, LEAVES, members, n, count);
		assert_int_equal(len, merkle_set_proof(NULL, 0, members, n, count));
		assert_true(merkle_set_root(&found, members, n, count, proof, len));
		assert_true(hash32_equal(&root, &found));
		for (size_t i = 0; i < n; i++)
			assert_true(merkle_verify(&root, &leaves[members[i].place], members[i].place, count,
			    members[i].path, members[i].path_len));
		proof[len] = leaves[0];
		assert_false(merkle_set_root(&found, members, n, count, proof, len + 1));
		if (len) assert_false(merkle_set_root(&found, members, n, count, proof, len - 1));
		members[n / 2].leaf.b[3] ^= 1;
		assert_true(merkle_set_root(&found, members, n, count, proof, len));
		assert_false(hash32_equal(&root, &found));
		members[n - 1].place = count;
		assert_false(merkle_set_root(&found, members, n, count, proof, len));
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_roots),
	    cmocka_unit_test(paths_verify_where_they_belong),
	    cmocka_unit_test(leaf_and_node_differ),
	    cmocka_unit_test(members_and_a_proof_give_the_root_and_their_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
