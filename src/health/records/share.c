#include "health/records/share.h"

#include "health/records/text_header.h"

#define HEADER_MAX 1024u

/* The members point into `place` and `numbers`. */
static struct text_header header_of(const struct share_place *place, uint32_t *index) {
	*index = place->index;
	struct text_header header = {.cty = "application/octet-stream",
	    .typ = "xinglin-share",
	    .gen = place->genesis,
	    .fld = place->folder,
	    .epo = &place->epoch,
	    .idx = index};
	if (!place->release) return header;
	header.typ = "xinglin-release";
	header.ver = &place->release->key_version;
	header.rev = &place->release->review;
	header.exp = &place->release->expiry_s;
	return header;
}

enum status share_seal(struct buf *out, const struct share_place *place, const struct p256_public *recipient,
    const struct vss_share *share, const struct random_source *random, struct err *err) {
	uint32_t index;
	uint8_t bytes[VSS_SHARE_BYTES];
	struct buf members;
	const struct text_header header = header_of(place, &index);
	buf_init(&members, HEADER_MAX);
	text_header_write(&members, &header);
	vss_share_write(bytes, share);
	enum status status =
	    jwe_ecdh_seal(out, recipient, buf_view(&members), bytes_make(bytes, sizeof bytes), random, err);
	mem_wipe(bytes, sizeof bytes);
	buf_fini(&members);
	return status;
}

enum status share_open(struct vss_share *share, const struct share_place *place, const struct p256_secret *recipient,
    struct bytes sealed, struct err *err) {
	uint32_t index;
	struct arena arena;
	struct jwe_header found;
	struct buf plaintext;
	const struct text_header wanted = header_of(place, &index);
	arena_init(&arena);
	buf_init(&plaintext, VSS_SHARE_BYTES);
	enum status status = jwe_ecdh_open(&plaintext, &found, &arena, sealed, recipient, err);
	if (status == STATUS_OK && !text_header_matches(&found, &wanted))
		status = err_set(err, STATUS_INVALID,
		    "the share is of another chain, folder, epoch, trustee, emergency, key or time");
	else if (status != STATUS_OK && status != STATUS_DENIED)
		status = err_set(err, STATUS_INVALID, "no share is sealed here");
	if (status == STATUS_OK &&
	    (vss_share_read(share, buf_view(&plaintext)) != STATUS_OK || share->index != place->index))
		status = err_set(err, STATUS_INVALID, "what is sealed here is not this trustee's share");
	if (status != STATUS_OK) mem_wipe(share, sizeof *share);
	buf_wipe(&plaintext);
	arena_fini(&arena);
	return status;
}

enum status share_commitments(struct vss_commitments *out, const struct statement_epoch *epoch, struct err *err) {
	const struct folders_glass *glass = &epoch->glass;
	const struct bytes rest = bytes_make(glass->commitments, glass->commitments_count * sizeof *glass->commitments);
	if (vss_commitments_read(out, glass->threshold, &epoch->key, rest) == STATUS_OK) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "the commitments of epoch %u make no sense", epoch->epoch);
}

uint8_t share_index_of(const struct statement_epoch *epoch, const addr20 *account) {
	for (size_t i = 0; i < epoch->glass.trustees_count; i++)
		if (addr20_equal(&epoch->glass.trustees[i], account)) return (uint8_t)(i + 1);
	return 0;
}
