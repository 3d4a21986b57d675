/*
 * A whole state, taken row by row into a store whose state tables are empty: accounts by rising keccak(address), each
 * followed by its slots by rising keccak(slot). Branch records are made on the way, and the root at the end says
 * whether it was the right state. Memory does not grow with it.
 *
 * Rows are as store/tables.h draws them, and only in their one form. What comes in is not believed: STATUS_INVALID says
 * what is wrong, and what is in the store then is to be thrown away. Threads: one owner.
 */
#ifndef LEDGER_STATE_LOAD_H
#define LEDGER_STATE_LOAD_H

#include "ledger/state/view.h"

struct state_load;
struct state_load *state_load_new(struct store *store);
void state_load_free(struct state_load *load); /* NULL is allowed */

/* Each adds to the batch, which the caller commits when it likes. `account`: what the row says. */
MUST_USE enum status state_load_account(struct state_load *load, struct account *account, struct store_batch *batch,
    const hash32 *address_hash, struct bytes row, struct err *err);
/* Of the account before it. */
MUST_USE enum status state_load_slot(
    struct state_load *load, struct store_batch *batch, const hash32 *slot_hash, struct bytes value, struct err *err);
MUST_USE enum status state_load_finish(
    struct state_load *load, hash32 *root, struct store_batch *batch, struct err *err);

/* The code that a row of TABLE_ACCOUNT names. */
MUST_USE enum status state_row_code(bool *has, hash32 *code_hash, struct bytes row, struct err *err);

/* Deletes every row of the state's tables, histories too, in several commits that are not durable. */
MUST_USE enum status state_wipe(struct store *store, struct err *err);

#endif
