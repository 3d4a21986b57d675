"""Lies that a program still believes: {program: {why: lies}}. Each is expected to fail, strictly: once the program has
learned to disbelieve it, its test says so, and the entry goes. Nothing that was beaten before is added here."""

FOLDERS = "folders are read by eth_call and logs still"
ACTORS = "actors are read by eth_call and pinned still"
RECORDS = "registrations are read by eth_call and logs still"
CONSENT = "grants, looks and emergencies are read by eth_call and logs still"
OUTBOX = "nonces and receipts are the node's word still"
CHAIN = "nothing but the head is proved before it acts"

NOT_YET = {
    "record add": {
        FOLDERS: ["the folder's key", "the folder's key, in proofs too", "an older epoch", "another controller"],
        CHAIN: ["another code", "an old head"],
        OUTBOX: ["a nonce too high", "a nonce too low", "success of what was never sent", "failure of what succeeded"],
    },
    "folder show": {
        FOLDERS: ["the folder's key", "the folder's key, in proofs too", "an older epoch", "another controller"],
        CHAIN: ["another code"],
    },
    "folder rotate": {
        FOLDERS: ["the folder's key", "the folder's key, in proofs too", "an older epoch", "another controller"],
        ACTORS: ["the trustee's key"],
        CONSENT: ["a grant that is none", "a grant left out", "a revocation hidden"],
        CHAIN: ["another code", "an old head"],
    },
    "share": {
        FOLDERS: ["the folder's key", "the folder's key, in proofs too", "an older epoch", "another controller"],
        ACTORS: ["the grantee's key", "an actor's key, in proofs too"],
        CHAIN: ["another code", "an old head"],
    },
    "revoke": {
        FOLDERS: ["the folder's key", "the folder's key, in proofs too", "an older epoch", "another controller"],
        CONSENT: ["a grant that is none", "a grant left out", "a revocation hidden"],
    },
    "break-glass": {
        FOLDERS: ["the folder's key", "the folder's key, in proofs too", "an older epoch", "another controller"],
    },
    "gateway POST": {
        FOLDERS: ["the folder's key", "the folder's key, in proofs too", "an older epoch", "another controller"],
    },
    "record erase": {
        FOLDERS: ["the folder's key", "the folder's key, in proofs too", "an older epoch", "another controller"],
    },
    "folder forget": {
        FOLDERS: ["the folder's key", "the folder's key, in proofs too", "an older epoch", "another controller"],
    },
    "folder list": {
        FOLDERS: ["another controller"],
    },
    "actor show": {
        ACTORS: ["the grantee's key", "an actor's key, in proofs too"],
    },
    "folder open": {
        ACTORS: ["the trustee's key"],
    },
    "trustee serve (owed)": {
        ACTORS: ["the emergency actor's key"],
    },
    "record read (patient)": {
        RECORDS: ["another author", "another root", "another record's registration"],
    },
    "record read (author)": {
        RECORDS: ["another author", "another root", "another record's registration"],
    },
    "record read (grantee)": {
        RECORDS: ["another author", "another root", "another record's registration"],
    },
    "gateway GET": {
        RECORDS: ["another author", "another root", "another record's registration"],
    },
    "record status": {
        RECORDS: ["another author", "another root", "another record's registration"],
    },
    "proof": {
        RECORDS: ["another root", "another record's registration"],
    },
    "record list": {
        RECORDS: ["a record invented", "a record left out", "another author"],
    },
    "access log": {
        CONSENT: ["an access left out", "an access invented"],
    },
    "review list": {
        CONSENT: ["an emergency hidden", "an emergency invented"],
    },
    "access ask": {
        OUTBOX: ["a nonce too high", "a nonce too low", "success of what was never sent", "failure of what succeeded"],
    },
    "relay": {
        OUTBOX: ["a nonce too high", "a nonce too low", "success of what was never sent"],
    },
}
