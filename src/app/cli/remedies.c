/* Tables: a new cause, error or code without a row fails remedies_test.c. */
#include "app/cli/remedies.h"

#include "health/contracts/cause.h"

static const char *const of_causes[] = {
    [CAUSE_NONE] = "",
    [CAUSE_NO_WALLET] = "make one with: xinglin wallet new --home DIR",
    [CAUSE_NO_DEPLOYMENT] = "give it one with: xinglin trust FILE --home DIR",
    [CAUSE_NO_NODE] = "--rpc URL names one",
    [CAUSE_NODE_SILENT] = "is it running? --rpc URL names another",
    [CAUSE_KEY_CHANGED] = "then repeat with --accept-changed-key, or: xinglin actor show --address 0x… --accept-key",
    [CAUSE_NOT_CONTROLLER] = "xinglin folder list shows those that it controls",
    [CAUSE_NO_WINDOW] = "ask with: xinglin access ask",
    [CAUSE_NO_FOLDER_KEY] = "the folder's controller gives one with: xinglin share",
    [CAUSE_EPOCH_LOST] =
	("the folder's controller gives the folder a good key with: xinglin folder rotate. The author of a record of that "
	 "epoch can add it again"),
    [CAUSE_NO_RELEASE] = "ask the folder's trustees to run `xinglin trustee serve`, then read",
    [CAUSE_NO_DESTINATION] = "--to ADDRESS says to whom it goes",
    [CAUSE_OTHER_DESTINATION] = "leave --to out, or give the event's",
    [CAUSE_NO_LOT] = "give it with --lot",
    [CAUSE_OTHER_LOT] = "leave --lot out, or give the event's",
    [CAUSE_NO_EXPIRY] = "give it with --expiry",
    [CAUSE_OTHER_PRINT] =
	"do not trade the pack: another lot or expiry in print is a mark of a falsified one. See what "
	"is registered with xinglin pack verify",
    [CAUSE_FUTURE_EVENT] = "set the clock of the machine that wrote the event, or this one's",
    [CAUSE_UNKNOWN_CONTENTS] =
	("take the sealed documents that name the others (xinglin pack receive --keep), or ask another node with --rpc "
	 "URL"),
    [CAUSE_NOT_PROVED] = "nothing was done; ask another node with --rpc URL, and report this one",
    [CAUSE_NOT_PROVED_SENT] =
	"nothing is believed, and this home keeps it: the next command that sends goes on, with another node by --rpc URL",
    [CAUSE_OLD_HEAD] = "is this machine's clock right, and the node at the chain's end?",
    [CAUSE_OLD_ANCHOR] = "get a newer deployment.json by a way that you trust, then: xinglin trust FILE --home DIR",
    [CAUSE_TWO_BLOCKS] = "nothing from this chain can be believed: show evidence.json to those who run it",
    [CAUSE_BLOB_NOT_TAKEN] =
	("is this home's account listed as active? xinglin actor show. If not, be listed first (xinglin actor request), "
	 "or, for an action of yours as a patient, use --out FILE and give it to a listed actor"),
    [CAUSE_TOO_FEW_HOLD] =
	("nothing was sent: try again. If it stays so, members do not reach each other's HTTP ports (blob-peers), or this "
	 "one lies: ask another with --rpc URL"),
    [CAUSE_TOO_FEW_RELEASE] =
	("so many members must be up, with shares of one key, and reach each other (blob-peers): ask another with --rpc "
	 "URL; members see theirs with xinglin consortium seal show"),
    [CAUSE_CLOCKS_DIFFER] =
	"set this computer's clock (timedatectl shows it), or ask the node's operator to set the node's",
};
_Static_assert(sizeof of_causes / sizeof *of_causes == CAUSE_COUNT, "every cause has a remedy");

static const char *const of_errors[CONTRACT_ERROR_COUNT] = {
    [CONTRACT_ERROR_NONE] = "",
    [CONTRACT_ERROR_SILENT] = "is a contract at that address? deployment.json in this home names the addresses",
    [CONTRACT_ERROR_UNKNOWN] = "a newer version of this program may know it",
    [CONTRACT_ERROR_TEXT] = "",
    [CONTRACT_ERROR_PANIC] = "please report it, with the command",
    [CONTRACT_ERROR_ALREADY_ADMITTED] =
	"a serial is admitted once: the manufacturer may commission it now, unless it did",
    [CONTRACT_ERROR_ALREADY_ERASED] =
	"there is nothing left to do; xinglin record status shows which nodes confirmed it",
    [CONTRACT_ERROR_ALREADY_LISTED] =
	"xinglin actor show shows its entry; a new key is published with: xinglin actor publish-key",
    [CONTRACT_ERROR_ALREADY_REGISTERED] =
	"a GTIN is registered once: if it is yours, ask the regulators whose it is now",
    [CONTRACT_ERROR_ALREADY_VOTED] = "each member votes once: the others have to vote now",
    [CONTRACT_ERROR_BAD_ADDITION] = "add the document again with: xinglin record add",
    [CONTRACT_ERROR_BAD_CHANGE] =
	"name a member that leaves, and one that joins with a key, a node id and a power that no other has",
    [CONTRACT_ERROR_BAD_ENTRY] =
	"a name has 1 to 64 bytes, and at least one role is needed: xinglin actor request --help",
    [CONTRACT_ERROR_BAD_GLASS] = "make the action again: xinglin folder show names the folder's trustees",
    [CONTRACT_ERROR_BAD_GRANT] = "check the grantee, the rights, the purposes and the days: xinglin share --help",
    [CONTRACT_ERROR_BAD_HOLDERS] = "name each regulator once, and a threshold of at most all: xinglin tag deal --help",
    [CONTRACT_ERROR_BAD_KEY] = "make the action again: a new key must differ from the one before",
    [CONTRACT_ERROR_BAD_POSSESSION] = "make the request again in the actor's own home: xinglin actor request",
    [CONTRACT_ERROR_BAD_PRODUCT] = "make the request again with: xinglin product new",
    [CONTRACT_ERROR_BAD_RECIPIENTS] = "name each trustee and reader once, and only those who may read",
    [CONTRACT_ERROR_BAD_REGISTRARS] = "name each registrar once, and a threshold of more than half of them",
    [CONTRACT_ERROR_BAD_SIGNATURE] = "sign it again with the home whose account has to sign",
    [CONTRACT_ERROR_BEYOND_OWN_RIGHT] = "the folder's controller can do it",
    [CONTRACT_ERROR_NOT_ENOUGH_SIGNERS] = "give the file to others who have to sign, and then send it",
    [CONTRACT_ERROR_NOT_MEDICINES] = "please report it, with the command",
    [CONTRACT_ERROR_NOTHING_IN_THE_WAY] = "the manufacturer commissions it as it is: xinglin pack capture",
    [CONTRACT_ERROR_OTHER_KEY] = "those who hold the key now deal it again: xinglin tag deal",
    [CONTRACT_ERROR_STALE_SEAL] = "xinglin consortium seal show shows the newest; deal and gather after that one",
    [CONTRACT_ERROR_STALE_HOLDERS] = "others hold the tags' key by now (xinglin tag holders): make the file again",
    [CONTRACT_ERROR_TOO_MUCH_POWER] = "give it less power: with four or more members nobody has a third",
    [CONTRACT_ERROR_EXPIRED] = "the signature was for one day only: make it again",
    [CONTRACT_ERROR_FOLDER_EXISTS] = "xinglin folder list shows the folders of this home",
    [CONTRACT_ERROR_FOLDER_IS_CLOSED] =
	"a forgotten folder stays closed; the patient can open another: xinglin folder open",
    [CONTRACT_ERROR_FOLDER_IS_OPEN] = "the folder's controller forgets it first: xinglin folder forget",
    [CONTRACT_ERROR_NO_OPEN_REVIEW] = "xinglin review list shows the emergencies of a folder",
    [CONTRACT_ERROR_NOT_A_NODE] = "the registrars list a node by the request of: xinglin actor request --node-key FILE",
    [CONTRACT_ERROR_NOT_A_TRUSTEE] = "xinglin folder show names the folder's trustees",
    [CONTRACT_ERROR_NOT_ALLOWED] = "the folder may be forgotten, or the review may be another's: xinglin folder show",
    [CONTRACT_ERROR_NOT_ALLOWED_TO_WRITE] = "the folder's controller allows it with: xinglin share --rights write",
    [CONTRACT_ERROR_NOT_CANONICAL] = "make the action again with xinglin: its calldata was changed on its way",
    [CONTRACT_ERROR_NOT_CONTROLLER] =
	"the folder's controller makes it, or somebody to whom it gave the right: xinglin folder show names it",
    [CONTRACT_ERROR_NOT_ENOUGH_REGISTRARS] = "have further registrars sign the request: xinglin actor endorse",
    [CONTRACT_ERROR_NOT_MEMBER] = "a member's account proposes and votes",
    [CONTRACT_ERROR_NO_SUCH_PROPOSAL] =
	"the list of members has changed since, or the proposal was replaced: propose it again",
    [CONTRACT_ERROR_NOT_ERASED] =
	"a node confirms an erasure only after the patient has ordered it: xinglin record erase",
    [CONTRACT_ERROR_NOT_LISTED] =
	("the directory does not list this home's account as active. Be listed first (xinglin actor request), or, "
	 "for an action of yours as a patient, use --out FILE and give it to a listed actor"),
    [CONTRACT_ERROR_NOT_THE_RELAY] = "only the account that the action names can send it, or whoever signed it",
    [CONTRACT_ERROR_NOT_TOP_LEVEL] = "send it as a transaction of its own, from an account without code",
    [CONTRACT_ERROR_OVER_QUOTA] = "try again tomorrow",
    [CONTRACT_ERROR_RECORD_EXISTS] = "add the document again: the record gets another id",
    [CONTRACT_ERROR_REFUSED] = "",
    [CONTRACT_ERROR_STALE_EPOCH] = "try again: the folder's new key is read from the chain",
    [CONTRACT_ERROR_STALE_GRANTEE_KEY] = "make the action again: it takes the grantee's new key",
    [CONTRACT_ERROR_STALE_HAND_OVER] = "the folder has another controller by now: xinglin folder show",
    [CONTRACT_ERROR_STALE_KEY] = "make the change again: it follows the key that the directory shows now",
    [CONTRACT_ERROR_STALE_NUMBER] = "a later action with this folder or actor came first: make it again",
    [CONTRACT_ERROR_STALE_REGISTRARS] = "make the request again, for the registrars that there are now",
    [CONTRACT_ERROR_TOO_MANY] = "a folder has at most 8 trustees, and an epoch at most 64 readers: revoke grants first",
    [CONTRACT_ERROR_UNKNOWN_FOLDER] = "check the id of the folder, and that this home trusts the chain that holds it",
    [CONTRACT_ERROR_UNKNOWN_RECORD] = "check the id of the record; xinglin record list shows those of a folder",
};

static const char *const of_codes[MEDICINES_CODE_COUNT] = {
    [MEDICINES_CODE_OK] = "",
    [MEDICINES_CODE_NOT_LISTED] = "be listed first: xinglin actor request",
    [MEDICINES_CODE_WRONG_ROLE] = "xinglin actor show lists this account's roles; the registrars give others",
    [MEDICINES_CODE_NOT_OWNER] = "use the home of the manufacturer that registered the product",
    [MEDICINES_CODE_NOT_CUSTODIAN] = "receive it first (xinglin pack receive); xinglin pack trace shows where it is",
    [MEDICINES_CODE_NOT_RECEIVER] = "the account that it was sent to receives it; the sender can end the shipment",
    [MEDICINES_CODE_UNKNOWN_PRODUCT] = "register the product first: xinglin product new, and then product register",
    [MEDICINES_CODE_UNKNOWN_BATCH] = "check the lot; the manufacturer commissions it with: xinglin pack commission",
    [MEDICINES_CODE_UNKNOWN_UNIT] = "check the serial against the document that came with the pack",
    [MEDICINES_CODE_UNKNOWN_CONTAINER] = "check the SSCC; packing units into it opens it: xinglin pack aggregate",
    [MEDICINES_CODE_EXISTS] = "use another lot, SSCC or product, or go on with the one that is there",
    [MEDICINES_CODE_DUPLICATE_SERIAL] =
	"no pack gets a serial that another one has; one that is sound a regulator admits: xinglin product admit",
    [MEDICINES_CODE_UNUSED_12] = "take a newer version of xinglin",
    [MEDICINES_CODE_CLOSED] = "commission further packs as another lot",
    [MEDICINES_CODE_CROWDED] = "give these packs other serials",
    [MEDICINES_CODE_PENDING] = "have it received, or end the shipment, before it moves again",
    [MEDICINES_CODE_NOT_PENDING] = "it was received already, or its shipment was ended: xinglin pack trace",
    [MEDICINES_CODE_HAS_PARENT] = "unpack it from its container, or move that: xinglin pack aggregate --unpack",
    [MEDICINES_CODE_NOT_A_CHILD] = "xinglin pack trace shows the container that it is in",
    [MEDICINES_CODE_CYCLE] = "pack it into a container that is not inside it",
    [MEDICINES_CODE_TOO_DEEP] = "pack it into a container further out",
    [MEDICINES_CODE_NOT_LOOSE] = "unpack it from its container first: xinglin pack aggregate --unpack",
    [MEDICINES_CODE_ALREADY_DISPENSED] = "keep the pack, and report it: xinglin pack alerts lists both sides",
    [MEDICINES_CODE_FINAL] =
	"a pack that was dispensed, destroyed or stolen stays so; xinglin pack verify shows its state",
    [MEDICINES_CODE_IS_HELD] = "whoever holds it or locked it releases it first",
    [MEDICINES_CODE_IS_RECALLED] = "keep it apart, and send it back with --purpose return",
    [MEDICINES_CODE_IS_WITHDRAWN] =
	"keep it apart, and send it back with --purpose return; the regulator may readmit the product",
    [MEDICINES_CODE_IS_EXPIRED] = "keep it apart; it may be returned or destroyed",
    [MEDICINES_CODE_NOT_ALLOWED] = "xinglin pack verify shows its present state",
    [MEDICINES_CODE_UNDO_OTHER] = "the actor that dispensed it undoes it, with the capture that did",
    [MEDICINES_CODE_UNDO_LATE] = "the pack stays dispensed",
    [MEDICINES_CODE_NOT_IN_CAPTURE] = "send it as an event: xinglin pack capture",
    [MEDICINES_CODE_TOO_MANY] = "divide it into several documents",
    [MEDICINES_CODE_BAD_ARGUMENT] = "check the counts, the expiry (it must be in the future) and the addresses",
    [MEDICINES_CODE_INACTIVE_PARTNER] =
	"check the other side's address: xinglin actor show; it has to be listed in a role of the trade",
    [MEDICINES_CODE_IS_BARRED] = "hand it to the same patient, or send it back with --purpose return",
    [MEDICINES_CODE_NOT_ITS_ORIGIN] =
	"send it to whom it came from (xinglin pack trace) or to a regulator, who may name another receiver",
    [MEDICINES_CODE_IS_ACTIVE] = "the custodian ships it; a regulator moves stock of suspended actors only",
};

const char *remedy_of_error(enum contract_error error) {
	return (unsigned)error < CONTRACT_ERROR_COUNT ? of_errors[error] : "";
}

const char *remedy_of_code(enum medicines_code code) {
	return (unsigned)code < MEDICINES_CODE_COUNT ? of_codes[code] : "";
}

const char *remedy_of_cause(unsigned cause) {
	if (cause >= CAUSE_MEDICINES) return remedy_of_code((enum medicines_code)(cause - CAUSE_MEDICINES));
	if (cause >= CAUSE_CONTRACT) return remedy_of_error((enum contract_error)(cause - CAUSE_CONTRACT));
	return cause < CAUSE_COUNT ? of_causes[cause] : "";
}
