// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// What IMedicines speaks of: states, codes, what is stored, and events.
interface IPack {
    /// What a unit is, or what an operation makes of it. Stable numbers; a unit's byte of storage holds the first four
    /// bits of a number up to 15 (0: ACTIVE) and four marks above it: 16 HELD, 32 LOCKED, 64 RECALLED, 128 BARRED. Of a
    /// dispensed unit the first three are bits 8 to 10 of the day (since its lot was opened) on which it was.
    /// Ended: DISPENSED, DESTROYED … CONSUMED, VOID, OPENED_DISPENSED. From 20 on: derived, never stored.
    enum State {
        NONE,
        ACTIVE,
        HELD,             // a mark
        DISPENSED,
        PARTIAL,          // opened: dispensed by its holder, or sent back; never traded
        DESTROYED,
        STOLEN,
        SAMPLED,
        EXPORTED,
        LOST,
        CONSUMED,
        RECALLED,         // a mark: this unit, apart from its lot
        VOID,
        LOCKED,           // a mark: held by a regulator
        OPENED_DISPENSED, // dispensed after it was PARTIAL; what counts is DISPENSED
        BACK,             // an opened or undone pack that left its dispenser: never dispensed, only sent further back
        UNUSED_16, UNUSED_17, UNUSED_18, UNUSED_19,
        PACKED, IN_TRANSIT, EXPIRED, BATCH_RECALLED, WITHDRAWN
    }
    /// Why something was refused. Stable numbers.
    enum Code {
        OK,                 // 0
        NOT_LISTED,         // 1  the sender is not active in the directory
        WRONG_ROLE,         // 2
        NOT_OWNER,          // 3  of the product
        NOT_CUSTODIAN,      // 4
        NOT_RECEIVER,       // 5
        UNKNOWN_PRODUCT,    // 6
        UNKNOWN_BATCH,      // 7
        UNKNOWN_UNIT,       // 8  index past the last unit
        UNKNOWN_CONTAINER,  // 9
        EXISTS,             // 10 batch or container is there already
        DUPLICATE_SERIAL,   // 11 (GTIN, serial) was commissioned before, in this lot or another
        UNUSED_12,
        CLOSED,             // 13 the lot takes no more units: a regulator moved its owner's stock
        CROWDED,            // 14 too many serials share this one's place in the product's table: it takes another serial
        PENDING,            // 15 a transfer is pending; a row that a regulator moved dispenses from the next day on
        NOT_PENDING,        // 16
        HAS_PARENT,         // 17 moves only with its parent
        NOT_A_CHILD,        // 18
        CYCLE,              // 19
        TOO_DEEP,           // 20 more than 8 levels
        NOT_LOOSE,          // 21 unpack first
        ALREADY_DISPENSED,  // 22
        FINAL,              // 23 the unit's state is final
        IS_HELD,            // 24 held or locked
        IS_RECALLED,        // 25
        IS_WITHDRAWN,       // 26
        IS_EXPIRED,         // 27
        NOT_ALLOWED,        // 28 no such move from this state
        UNDO_OTHER,         // 29 undo by another actor
        UNDO_LATE,          // 30 more than 10 days ago
        NOT_IN_CAPTURE,     // 31 an operation outside `capture`, or `capture` inside one
        TOO_MANY,           // 32
        BAD_ARGUMENT,       // 33
        INACTIVE_PARTNER,   // 34 the other side of the move is not active
        IS_BARRED,          // 35 opened, or undone: it goes to the same patient or back, never on
        NOT_ITS_ORIGIN,     // 36 goods go back to whom they came from, or to whom a regulator names
        IS_ACTIVE           // 37 a regulator moves stock of a custodian that is not active only
    }
    enum Purpose { TRADE, RETURN, QUARANTINE, DESTRUCTION }

    struct Unit {
        bytes32 batch;
        uint32 index;
    }
    struct Batch {             // storage layout: docs/wire-formats.md §8
        bytes32 product;       // 0: no such lot
        uint40 expiry;         // seconds, exclusive
        uint32 commissioned;   // units 0 … commissioned - 1 exist
        uint32 touched;        // units from here on: nothing ever happened to them, and they are loose in row 0
        uint32 number;         // of the lot, from 1, as containers note it
        uint24 parts;          // commissionings
        uint24 cases;          // rows of containers that were ever used, from place 65,536 on
        uint24 freeCase;       // the first of them to be used again; 0: none
        uint8 flags;           // 1 recalled, 2 closed (takes no more units), 4 withdrawn with its product
        uint16 places;         // rows of actors that were ever used, from place 0 on
        uint24 opened;         // the day (since 1970) on which the lot was opened
    }
    struct Part {              // storage layout: docs/wire-formats.md §8
        bytes24 root;          // of RFC 6962, over the part's units' tags in order of index; the first 24 bytes
        uint32 first;          // index of its first unit
        uint32 count;
    }
    struct Container {         // storage layout: docs/wire-formats.md §8
        uint64 parent;         // key; 0: outermost
        uint24 custodian;      // number of an actor, like the next two; 0: no such container. Of the outermost one
        uint24 receiver;       // pending; 0: none
        uint24 from;           // whom it came from; 0: nobody; 2^24 - 1: several, or it came back
        uint24 contents;       // units and containers directly inside
        uint24 blemishes;      // what bars it from trade, at any depth, itself included
        uint32 lot;            // number of the first lot inside
        uint24 place;          // in the rows of `lot`; 0: none of its units is directly inside
        uint8 height;          // levels below that were ever filled
        uint8 flags;           // 1 held, 2 locked, 4 and 8: purpose of the pending transfer, 16 came from another actor
    }
    struct Recall {            // storage layout: docs/wire-formats.md §8
        uint24 by;             // number of the actor that ordered it
        uint64 number;         // of the newest recall of this lot, in the list of all
    }
    event ProductWithdrawn(bytes32 indexed product, bool withdrawn);
    event Captured(bytes32 indexed captureId, address indexed submitter, bytes32 indexed documentHash,
        bytes32 eventsRoot, uint32 part, Code code);
    event CaptureRepeated(bytes32 indexed captureId);
    event BatchOpened(bytes32 indexed batch, bytes32 indexed product, bytes32 tag, uint40 expiry);
    event Commissioned(bytes32 indexed batch, uint24 indexed part, uint32 first, uint32 count, bytes32 root);
    event ContainerOpened(bytes32 indexed container, address indexed by, bytes32 tag);
    event UnitsPacked(bytes32 indexed container, bytes32 indexed batch, uint32 count);
    event UnitsUnpacked(bytes32 indexed container, bytes32 indexed batch, uint32 count);
    event ContainerPacked(bytes32 indexed parent, bytes32 indexed child);
    event ContainerUnpacked(bytes32 indexed parent, bytes32 indexed child);
    event Shipped(bytes32 indexed container, address indexed from, address indexed to, Purpose purpose);
    event Accepted(bytes32 indexed container, address indexed from, address indexed to);
    // voided or rejected
    event ShippingEnded(bytes32 indexed container, address indexed from, address indexed to, address by);
    event ContainerHeld(bytes32 indexed container, address indexed by, bool held);
    event UnitChanged(bytes32 indexed batch, uint32 indexed index, State state, address indexed by);
    /// By a document of one unit (dispenseLoose). `document`: the first 29 bytes of its hash, then the dispenser's ordinal.
    event Dispensed(bytes32 indexed batch, uint32 indexed index, bytes32 document);
    event StockMoved(bytes32 indexed batch, address indexed from, address indexed to, address by);
    event ContainerMoved(bytes32 indexed container, address indexed from, address indexed to, address by);
    /// Something that both actors must see: `by` was refused; `other` is the unit's custodian (of a dispensed unit: its
    /// dispenser). `n`, `before` here and below: place in a list (lib/Lists.sol), folded into one slot. This one is the
    /// lot's. Entry: keccak256(abi.encode(index, code, by, other)).
    event Alert(bytes32 indexed batch, uint32 index, Code code, address indexed by, address indexed other, uint64 n,
        bytes24 before);
    /// In the list of all recalls and reversals. Entry: keccak256(abi.encode(batch, by, reason, recalled)).
    event BatchRecalled(bytes32 indexed batch, address indexed by, bool recalled, bytes32 reason, uint32 commissioned,
        uint64 n, bytes24 before);
    /// In the lot's list. Entry: keccak256(abi.encode(by, recall)), `recall` the number of the recall.
    event RecallAcknowledged(bytes32 indexed batch, address indexed by, uint64 recall, uint64 n, bytes24 before);

    /// The contract of medicines refused.
    error Refused(Code code, bytes32 thing);
}
