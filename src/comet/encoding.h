/* How a light block's parts are written, in what travels and in what is hashed or signed. Threads: pure. */
#ifndef COMET_ENCODING_H
#define COMET_ENCODING_H

#include "codec/protobuf.h"
#include "comet/light_block.h"

/* google.protobuf.Timestamp, as a field that is always there. */
void comet_put_time(struct buf *out, uint32_t number, const struct comet_time *time);
/* BlockID, and CanonicalBlockID, which is the same. */
void comet_put_block_id(struct buf *out, uint32_t number, const struct comet_block_id *id);

#endif
