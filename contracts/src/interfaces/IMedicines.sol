// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPack} from "./IPack.sol";

/// Every pack of a medicine from commissioning to its end. Tags of lots, serials and SSCCs are blinded (HMAC under the
/// product's key, which the regulators hold too). A unit is (batch, index); it stands loose with an actor or in a
/// container, and inherits from the container's chain: shipping a pallet is one write.
///
/// The operations below `capture` are called inside `capture` only: it runs them in order, all or none.
/// There are no views: readers prove the storage (docs/wire-formats.md §8).
interface IMedicines is IPack {
    // Not captured: they come from no EPCIS document.

    /// By a REGULATOR: no lot of the product is traded or dispensed from then on, or again. Of a product of more than
    /// 1,500 lots each further 1,500 take another call, with `from` 1,500, 3,000 …; lots that are opened later need none.
    function withdrawProduct(bytes32 product, bool withdrawn, uint32 from) external;
    /// By a holder of units of the lot, once a recall. `place`: of its row (holdersOf), loose or a container of its own.
    function acknowledgeRecall(bytes32 batch, uint24 place) external;
    /// By a REGULATOR: the loose units of one row, whose custodian is not active any more, to another actor. The lot is
    /// closed with it if they are its owner's (place 0). What was dispensed from the row up to that day stays the
    /// former holder's, and is not undone; the new one dispenses from the next day (UTC) on. What the former holder
    /// opened or took back goes back only.
    function moveStock(bytes32 batch, uint24 place, address to) external;
    /// By a REGULATOR: outermost containers of custodians that are not active any more, with all that is inside.
    function moveContainers(bytes32[] calldata containers, address to) external;

    /// One EPCIS document, or one part (from 0) of a large one: `operations` are calldata of the operations below (at
    /// most 64). All or none take effect; only a dispense answers with a code instead of reverting. The same (sender,
    /// document, part) again changes nothing and returns the first answer.
    /// `captureId = keccak256(abi.encode(sender, documentHash, part))`. `documentHash` and the leaves of `eventsRoot` are
    /// salted.
    function capture(bytes32 documentHash, bytes32 eventsRoot, uint32 part, bytes[] calldata operations) external
        returns (bytes32 captureId, Code code);

    /// An EPCIS document of one event that dispenses one unit, by a PHARMACY or HOSPITAL; no capture, for the unit
    /// itself says that it was dispensed. What may not be dispensed stays as it is: an Alert, Captured and a code.
    /// The same document of the same unit again is CaptureRepeated and OK if it was the last that dispensed from the
    /// same row; later it is refused as any second dispense, with an Alert. It is no operation of a capture.
    function dispenseLoose(bytes32 documentHash, bytes32 batch, uint32 index) external returns (Code code);

    // Operations.

    /// By the product's owner, a MANUFACTURER. batch id = keccak256(abi.encode(product, tag)), `tag` the blinded GTIN
    /// and lot.
    function openBatch(bytes32 product, bytes32 tag, uint40 expiry) external;
    /// By the product's owner: the lot's next units, live at once. `root`: of RFC 6962 over their 32-byte tags in order
    /// of index; `packs`: 8 bytes each, in the same order, as IProducts.insert has them.
    function commission(bytes32 batch, bytes32 root, bytes calldata packs) external;
    /// container id = the first 8 bytes of keccak256(abi.encode(sender, tag)), then zeros; `tag` the blinded SSCC (or
    /// random, for a loose transfer).
    function openContainer(bytes32 tag) external;
    /// Opens a container for each tag and packs `each` consecutive units into it, from `first` on.
    function packLot(bytes32 batch, uint32 first, uint32 each, bytes32[] calldata tags) external;
    /// Units of consecutive indexes. Cheap if nothing happened to them yet, and to none behind them.
    function packRange(bytes32 container, bytes32 batch, uint32 first, uint32 count) external;
    function packUnits(bytes32 container, bytes32 batch, uint32[] calldata indexes) external;
    function packContainers(bytes32 parent, bytes32[] calldata children) external;
    /// The units stand loose with the sender afterwards.
    function unpackUnits(bytes32 container, bytes32 batch, uint32[] calldata indexes) external;
    function unpackRange(bytes32 container, bytes32 batch, uint32 first, uint32 count) external;
    /// The children are outermost afterwards, with the sender.
    function unpackContainers(bytes32 parent, bytes32[] calldata children) external;
    /// An outermost container to a listed actor of the trade. RETURN, QUARANTINE and DESTRUCTION take what may not be
    /// traded: to whom it came from, to a REGULATOR, or to the owner or whom a REGULATOR named for every lot inside.
    function ship(bytes32 container, address to, Purpose purpose) external;
    function accept(bytes32 container) external;
    /// By the named receiver (rejected) or the sender (voided).
    function endShipping(bytes32 container) external;
    /// By the custodian or a REGULATOR, each with a mark of its own. A custodian takes its own away only. A REGULATOR
    /// takes its own away, or the custodian's if there is none of its own. Under a REGULATOR's nothing is taken out.
    function holdContainer(bytes32 container, bool held) external;
    /// By a PHARMACY or HOSPITAL. Units that may not be dispensed stay as they are: an Alert each, and a code. At most
    /// one in a capture. An actor leaves at most 1,000 alerts a day; the code is answered all the same.
    function dispense(Unit[] calldata units) external returns (Code code);
    /// By the dispenser, until the end of the tenth day (UTC) after it dispensed them. A unit is what it was before,
    /// and barred from trade.
    function undoDispense(bytes32 batch, uint32[] calldata indexes) external;
    /// Any other move of loose or packed units; docs/contracts.md has the table of who may do which. HELD, LOCKED and
    /// RECALLED set a mark; HELD of a REGULATOR is LOCKED. ACTIVE takes HELD away; of a REGULATOR LOCKED, and HELD if
    /// there is no LOCKED.
    function changeUnits(bytes32 batch, uint32[] calldata indexes, State to) external;
    /// By a REGULATOR: takes the mark RECALLED away from units.
    function reverseUnits(bytes32 batch, uint32[] calldata indexes) external;
    /// By the product's owner or a REGULATOR. A REGULATOR's recall takes the place of an owner's.
    function recallBatch(bytes32 batch, bytes32 reason) external;
    /// By who ordered it; by a REGULATOR if that one is not active any more.
    function reverseRecall(bytes32 batch, bytes32 reason) external;
}
