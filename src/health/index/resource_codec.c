/* Content as it is stored: compressed with zstd under a dictionary of words that resources share. */
#include <malloc.h>

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "health/index/resources_private.h"

#define LEVEL 3

/* What resources say often, the most frequent last. It is part of the format of the file. */
static const char dictionary[] =
#include "health/index/resource_dictionary.h"
    ;

struct resource_codec {
	ZSTD_CCtx *pack;
	ZSTD_DCtx *unpack;
	ZSTD_CDict *pack_words;
	ZSTD_DDict *unpack_words;
};

static void *take(void *opaque, size_t size) {
	(void)opaque;
	return mem_alloc(size);
}

/* zstd works in memory that holds plain resources. */
static void wipe_and_free(void *opaque, void *memory) {
	(void)opaque;
	if (memory) mem_wipe(memory, malloc_usable_size(memory));
	mem_free(memory);
}

struct resource_codec *resource_codec_new(void) {
	static const ZSTD_customMem memory = {take, wipe_and_free, NULL};
	struct resource_codec *codec = mem_zalloc(1, sizeof *codec);
	codec->pack = ZSTD_createCCtx_advanced(memory);
	codec->unpack = ZSTD_createDCtx_advanced(memory);
	codec->pack_words = ZSTD_createCDict_byReference(dictionary, sizeof dictionary - 1, LEVEL);
	codec->unpack_words = ZSTD_createDDict_byReference(dictionary, sizeof dictionary - 1);
	BUG_ON(!codec->pack || !codec->unpack || !codec->pack_words || !codec->unpack_words);
	ZSTD_CCtx_setParameter(codec->pack, ZSTD_c_contentSizeFlag, 1);
	ZSTD_CCtx_setParameter(codec->pack, ZSTD_c_dictIDFlag, 0);
	ZSTD_CCtx_setParameter(codec->pack, ZSTD_c_format, ZSTD_f_zstd1_magicless);
	ZSTD_DCtx_setParameter(codec->unpack, ZSTD_d_format, ZSTD_f_zstd1_magicless);
	BUG_ON(ZSTD_isError(ZSTD_CCtx_refCDict(codec->pack, codec->pack_words)));
	BUG_ON(ZSTD_isError(ZSTD_DCtx_refDDict(codec->unpack, codec->unpack_words)));
	return codec;
}

void resource_codec_free(struct resource_codec *codec) {
	if (!codec) return;
	ZSTD_freeCCtx(codec->pack);
	ZSTD_freeDCtx(codec->unpack);
	ZSTD_freeCDict(codec->pack_words);
	ZSTD_freeDDict(codec->unpack_words);
	mem_free(codec);
}

/* The length stands before it, so that whoever reads knows what it will take. */
struct bytes resource_pack(struct resource_codec *codec, struct arena *arena, struct bytes content) {
	size_t bound = ZSTD_compressBound(content.len);
	uint8_t *out = arena_alloc(arena, 4 + bound);
	BUG_ON(content.len > RESOURCE_CONTENT_MAX);
	store_be32(out, (uint32_t)content.len);
	size_t len = ZSTD_compress2(codec->pack, out + 4, bound, content.data, content.len);
	BUG_ON(ZSTD_isError(len));
	return bytes_make(out, 4 + len);
}

enum status resource_unpack(
    struct resource_codec *codec, struct bytes *out, struct arena *arena, struct bytes packed, struct err *err) {
	uint32_t len = packed.len < 4 ? UINT32_MAX : load_be32(packed.data);
	if (len > RESOURCE_CONTENT_MAX) return err_set(err, STATUS_CORRUPT, "a resource in the index is damaged");
	uint8_t *content = arena_alloc(arena, len);
	size_t got = ZSTD_decompressDCtx(codec->unpack, content, len, packed.data + 4, packed.len - 4);
	if (ZSTD_isError(got) || got != len) return err_set(err, STATUS_CORRUPT, "a resource in the index is damaged");
	*out = bytes_make(content, len);
	return STATUS_OK;
}
