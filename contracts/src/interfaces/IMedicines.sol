// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Every pack of a medicine from commissioning to its end. Tags of products, lots, serials and SSCCs are blinded (HMAC
/// under a key
/// that the regulator holds too). A unit is (batch, index); it stands loose with an actor or in a container and
/// inherits from
/// the container's chain: shipping a pallet is one write.
///
/// The operations below `capture` are called inside `capture` only: it runs them in order, all or none.
interface IMedicines {
    /// Stored numbers are stable (4 bits). Ended: DISPENSED, DESTROYED … CONSUMED but PARTIAL, VOID. From 20 on:
    /// derived, never stored.
    enum State {
        NONE, ACTIVE, HELD, DISPENSED, PARTIAL, DESTROYED, STOLEN, SAMPLED, EXPORTED, LOST, CONSUMED, RECALLED, VOID,
            LOCKED, UNUSED_14, UNUSED_15,
        UNUSED_16, UNUSED_17, UNUSED_18, UNUSED_19, PACKED, IN_TRANSIT, EXPIRED, BATCH_RECALLED, WITHDRAWN
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
        UNKNOWN_UNIT,       // 8  index past the count
        UNKNOWN_CONTAINER,  // 9
        EXISTS,             // 10 product, batch or container is there already
        DUPLICATE_SERIAL,   // 11 (GTIN, serial) was commissioned before, in this lot or another
        NOT_LIVE,           // 12 the batch is not commissioned to its last unit
        COMPLETE,           // 13 the batch holds all its units already
        TABLE_FULL,         // 14 grow the product's table first
        PENDING,            // 15 a transfer is pending
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
        UNDO_OTHER,         // 29 undo by another actor, or of a unit that the capture did not dispense
        UNDO_LATE,          // 30 more than 10 days ago
        NOT_IN_CAPTURE,     // 31 an operation outside `capture`, or `capture` inside one
        TOO_MANY,           // 32
        BAD_ARGUMENT,       // 33
        INACTIVE_PARTNER    // 34 the other side of the move is not active
    }
    enum Purpose { TRADE, RETURN, QUARANTINE, DESTRUCTION }

    struct Unit {
        bytes32 batch;
        uint32 index;
    }
    struct ProductView {
        address owner;
        bytes32 keyCommitment;
        bool withdrawn;
        uint32 generations;
        uint64 units;          // fragments in all generations
        uint64 room;           // fragments that the newest generation still takes
    }
    struct BatchView {
        bytes32 product;
        bytes32 root;          // RFC 6962 root of the units' tags, in order of index
        uint40 expiry;         // seconds, exclusive
        uint32 count;          // declared
        uint32 commissioned;   // == count: live
        uint32 ended;          // live units = commissioned - ended
        bool recalled;
    }
    struct ContainerView {
        bytes32 parent;        // 0: outermost
        address custodian;     // of the outermost container
        address receiver;      // pending, of the outermost container; 0: none
        Purpose purpose;       // of the pending transfer
        bool held;             // itself
        uint32 blemishes;      // held containers, held, locked and recalled units inside at any depth (itself included)
        uint32 contents;       // units and containers directly inside
    }
    struct UnitView {
        State stored;
        State effective;       // the worst of unit, product, batch, containers; an ended unit stays what it is
        uint40 expiry;
        bool recalled;         // the batch or the unit
        bool withdrawn;
        bool expired;
        bool packed;
        bool inTransit;
    }
    struct Holding {
        address custodian;
        address receiver;      // pending; 0: none
        bytes32 container;     // that holds the units directly; 0: loose
        uint32 count;          // live units
    }
    struct CaptureView {
        uint40 capturedAt;     // seconds; 0: not captured
        Code code;             // OK, or the first code that a dispense answered
    }

    event ProductRegistered(bytes32 indexed product, address indexed owner, bytes32 keyCommitment);
    event ProductGrown(bytes32 indexed product, uint32 generation, uint32 capacity);
    event ProductWithdrawn(bytes32 indexed product, bool withdrawn);
    event Captured(bytes32 indexed captureId, address indexed submitter, bytes32 indexed documentHash,
        bytes32 eventsRoot, uint32 part, Code code);
    event CaptureRepeated(bytes32 indexed captureId);
    event BatchOpened(bytes32 indexed batch, bytes32 indexed product, uint40 expiry, bytes32 root, uint32 count);
    event Commissioned(bytes32 indexed batch, uint32 first, uint32 count, bool live);
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
    /// Something that both actors must see: `by` was refused; `other` is the unit's custodian (of a dispensed unit: its
    /// dispenser).
    event Alert(bytes32 indexed batch, uint32 index, Code code, address indexed by, address indexed other);
    event BatchRecalled(bytes32 indexed batch, address indexed by, bytes32 reason, uint32 commissioned, uint32 live);
    event RecallAcknowledged(bytes32 indexed batch, address indexed by);

    /// The contract of medicines refused.
    error Refused(Code code, bytes32 thing);

    // Products. Not captured: they come from no EPCIS document.

    /// By a REGULATOR. `product`: blinded GTIN; `capacity`: units that the first generation of its fragment table
    /// takes.
    function registerProduct(bytes32 product, address owner, bytes32 keyCommitment, uint32 capacity) external;
    /// By the owner: a further generation (at most 16).
    function growProduct(bytes32 product, uint32 capacity) external;
    /// By a REGULATOR.
    function withdrawProduct(bytes32 product, bool withdrawn) external;
    /// By a listed actor.
    function acknowledgeRecall(bytes32 batch) external;

    /// One EPCIS document, or one part (from 0) of a large one: `operations` are calldata of the operations below (at
    /// most 64). All or
    /// none take effect; only a dispense answers with a code instead of reverting. The same (sender, document, part)
    /// again changes
    /// nothing and returns the first answer. `captureId = keccak256(abi.encode(sender, documentHash, part))`.
    function capture(bytes32 documentHash, bytes32 eventsRoot, uint32 part, bytes[] calldata operations) external
        returns (bytes32 captureId, Code code);

    // Operations.

    /// By the product's owner, a MANUFACTURER. batch id = keccak256(abi.encode(product, tag)), `tag` the blinded GTIN
    /// and lot.
    function openBatch(bytes32 product, bytes32 tag, uint40 expiry, bytes32 root, uint32 count) external;
    /// By the product's owner: the next units of the batch, in order: 8 bytes each, the first 8 of the unit's blinded
    /// tag, not zero. The batch is
    /// live with its last unit. About 1,700 units fit a transaction's 16,777,216 gas.
    function commission(bytes32 batch, bytes calldata fragments) external;
    /// container id = the first 8 bytes of keccak256(abi.encode(sender, tag)), then zeros; `tag` the blinded SSCC (or
    /// random, for a loose transfer).
    function openContainer(bytes32 tag) external;
    /// Opens a container for each tag and packs `each` consecutive units into it, from `first` on.
    function packLot(bytes32 batch, uint32 first, uint32 each, bytes32[] calldata tags) external;
    function packUnits(bytes32 container, bytes32 batch, uint32[] calldata indexes) external;
    function packContainers(bytes32 parent, bytes32[] calldata children) external;
    /// The units stand loose with the sender afterwards.
    function unpackUnits(bytes32 container, bytes32 batch, uint32[] calldata indexes) external;
    function unpackRange(bytes32 container, bytes32 batch, uint32 first, uint32 count) external;
    /// The children are outermost afterwards, with the sender.
    function unpackContainers(bytes32 parent, bytes32[] calldata children) external;
    /// An outermost container to a listed actor of the trade. RETURN, QUARANTINE and DESTRUCTION take what may not be
    /// traded, to
    /// a MANUFACTURER, WHOLESALER or REGULATOR.
    function ship(bytes32 container, address to, Purpose purpose) external;
    function accept(bytes32 container) external;
    /// By the named receiver (rejected) or the sender (voided).
    function endShipping(bytes32 container) external;
    /// By the custodian or a REGULATOR; a REGULATOR's hold is released by a REGULATOR only.
    function holdContainer(bytes32 container, bool held) external;
    /// By a PHARMACY or HOSPITAL. Units that may not be dispensed stay as they are: an Alert each, and a code. At most
    /// one in a capture.
    function dispense(Unit[] calldata units) external returns (Code code);
    /// By the dispenser within 10 days: `dispensed` are the units that the capture dispensed (those without an Alert,
    /// in their order),
    /// `which` are positions in it.
    function undoDispense(bytes32 captureId, Unit[] calldata dispensed, uint32[] calldata which) external;
    /// Any other move of loose or packed units; docs/contracts.md has the table of who may do which.
    function changeUnits(bytes32 batch, uint32[] calldata indexes, State to) external;
    /// By the product's owner or a REGULATOR. Cannot be undone.
    function recallBatch(bytes32 batch, bytes32 reason) external;

    function productOf(bytes32 product) external view returns (ProductView memory);
    function batchOf(bytes32 batch) external view returns (BatchView memory);
    function containerOf(bytes32 container) external view returns (ContainerView memory);
    function unitState(bytes32 batch, uint32 index) external view returns (UnitView memory);
    function holderOf(bytes32 batch, uint32 index) external view returns (Holding memory);
    /// Rows of present holders; `next` 0: that was the last page. The counts of all rows add up to commissioned -
    /// ended.
    function holdersOf(bytes32 batch, uint32 from, uint32 max) external view
        returns (Holding[] memory rows, uint32 next);
    function isCommissioned(bytes32 product, bytes8 fragment) external view returns (bool);
    function captureOf(bytes32 captureId) external view returns (CaptureView memory);
    function batchId(bytes32 product, bytes32 tag) external pure returns (bytes32);
    function containerId(address opener, bytes32 tag) external pure returns (bytes32);
}
