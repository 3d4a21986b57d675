/* Reverts in words: Error(string), Panic(uint256), and the custom errors that the contracts declare. */
#include <stdio.h>

#include "codec/hex.h"
#include "eth/abi.h"
#include "health/chain/client_private.h"

/* The error's name, and its arguments where they are plain numbers: "StaleEpoch(3)". */
static bool name_custom(char *out, size_t size, const char *signature, struct bytes data) {
	if (!abi_selects(data, signature)) return false;
	const char *open = strchr(signature, '(');
	size_t name_len = (size_t)(open - signature), words = (data.len - 4) / 32;
	int used = snprintf(out, size, "%.*s(", (int)name_len, signature);
	struct abi_reader reader = abi_reader(bytes_slice(data, 4, data.len));
	for (size_t i = 0; i < words && i < 4 && open[1] != ')' && used > 0 && (size_t)used < size; i++) {
		u256 word = abi_u256(&reader);
		const char *comma = i ? ", " : "";
		if (u256_fits_u64(&word))
			used +=
			    snprintf(out + used, size - (size_t)used, "%s%llu", comma, (unsigned long long)word.w[0]);
		else
			used += snprintf(out + used, size - (size_t)used, "%s…", comma);
	}
	if (used > 0 && (size_t)used < size) snprintf(out + used, size - (size_t)used, ")");
	return true;
}

void verdict_of_revert(struct client_verdict *verdict, const struct client *client, struct bytes data) {
	*verdict = (struct client_verdict){.revert_data = data};
	struct abi_reader reader = abi_reader(bytes_slice(data, 4, data.len));
	if (data.len < 4) {
		snprintf(verdict->reason, sizeof verdict->reason, "reverted without a reason");
		return;
	}
	if (abi_selects(data, "Error(string)")) {
		struct bytes text = abi_bytes(&reader);
		snprintf(verdict->reason, sizeof verdict->reason, "%.*s", (int)text.len, (const char *)text.data);
		return;
	}
	if (abi_selects(data, "Panic(uint256)")) {
		snprintf(verdict->reason, sizeof verdict->reason, "Panic(0x%02x)", (unsigned)abi_u64(&reader));
		return;
	}
	for (size_t i = 0; i < client->error_set_count; i++)
		for (const char *const *signature = client->errors[i]; *signature; signature++)
			if (name_custom(verdict->reason, sizeof verdict->reason, *signature, data)) return;
	snprintf(verdict->reason, sizeof verdict->reason, "reverted with error 0x%08x", load_be32(data.data));
}

void verdict_of_error(struct client_verdict *verdict, const struct client *client, const struct client_error *error) {
	if (error->data.len >= 4) {
		verdict_of_revert(verdict, client, error->data);
		return;
	}
	*verdict = (struct client_verdict){0};
	snprintf(verdict->reason, sizeof verdict->reason, "%.159s", error->message);
}
