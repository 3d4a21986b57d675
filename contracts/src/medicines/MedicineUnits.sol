// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDirectory} from "../interfaces/IDirectory.sol";
import {IPack} from "../interfaces/IPack.sol";
import {IProducts} from "../interfaces/IProducts.sol";
import {Lists} from "../lib/Lists.sol";
import {Quota} from "../lib/Quota.sol";
import {Roles} from "../Roles.sol";

/// What is stored of lots and their units. A unit is 32 bits, eight a word: state 8, place 24 (from the low end). Its
/// place is the number of a row in its lot's list of holders. A dispensed unit stands in an actor's row, whose number
/// has 16 bits: the other 8 and the marks' three low bits say on which day it was. Zero bits mean: active, and where
/// the lot's runs say, which is loose with the owner if they say nothing. So commissioning writes no unit, and packing
/// whole cases in order neither.
///
/// A run is a row of cases of equal size, filled in order with units that nothing had happened to. A word holds the
/// runs of 1,024 units, four at most: from 10, units less 1 10, units a case less 1 10, units of the first case that
/// came before 10, place of the first case 24. Each case has the next place.
///
/// Rows of containers (PACKED) are numbered from CASES on, rows of actors (LOOSE) from 0. A row is freed and used again
/// when no unit stands in it. Every unit in a container's row is live: these rows are at most the live units. An actor
/// has a row in a lot for each supplier that it had units from, and what ended stays in it: these are at most the pairs
/// of actors that handed a unit of the lot on.
abstract contract MedicineUnits is IPack {
    enum Kind { FREE, LOOSE, PACKED }

    struct Row {       // 128 bits, two a word, from the low end: key 64, count 32, from 24, kind 2, moved 1, … kept 1
        uint64 key;    // an actor's number, a container's key, or the next free place
        uint32 count;  // live units
        uint24 from;   // LOOSE: whom the actor had the units from; 0: nobody, or several
        Kind kind;
        bool moved;    // LOOSE: by a regulator, with what is in it; nothing is added to it any more
        bool kept;     // units ended here: it is not freed, for they still say who had them
        uint40 document; // LOOSE: hash of the document of one unit that dispensed last, xor its index; 0: a capture
    }
    /// The word of the unit last looked at, so that a run of units costs a write a word.
    struct Cursor {
        bytes32 batch;
        uint256 slot;    // NO_SLOT: none yet
        uint256 word;
        uint256 block_;  // whose runs are in `runs`; NO_SLOT: none yet
        uint256 runs;
        uint256 touched; // the lot's
        bool moved;      // `touched` is to be written
    }
    struct Captured_ {
        uint40 capturedAt;
        Code code;
    }

    uint256 internal constant BASE = 15;
    uint256 internal constant HELD_MARK = 16;
    uint256 internal constant LOCKED_MARK = 32;
    uint256 internal constant RECALLED_MARK = 64;
    uint256 internal constant BARRED_MARK = 128;
    uint256 internal constant STOP_MARKS = HELD_MARK | LOCKED_MARK | RECALLED_MARK;
    uint24 internal constant SEVERAL = type(uint24).max; // origins, or goods that came back
    uint256 private constant LAST_DAY = 2047; // of a lot: any day from there on
    uint256 private constant CASES = 1 << 16; // the first place of a container
    uint256 private constant UNITS = 8; // a word
    uint256 private constant UNIT_BITS = 32;
    uint256 private constant EACH_UNIT = type(uint256).max / type(uint32).max; // 1 in each
    uint256 internal constant OWNERS = type(uint16).max; // a place: row 0, whatever the runs say
    uint256 private constant BLOCK = 1024; // units whose runs stand in a word
    uint256 private constant ROW_BITS = 128;
    uint256 private constant DOCUMENT_SHIFT = 24; // in a row
    uint256 private constant KIND_SHIFT = 120;
    uint256 private constant MOVED = 4; // beside the kind
    uint256 private constant LOOSE = uint256(Kind.LOOSE) << KIND_SHIFT;
    uint256 private constant WHOSE = (3 | MOVED) << KIND_SHIFT | type(uint24).max; // kind and actor
    uint256 private constant COUNT_ONE = 1 << 64;
    uint256 private constant KEPT = 1 << 127;
    uint8 internal constant LOT_RECALLED = 1; // flags of a lot
    uint8 internal constant LOT_CLOSED = 2;
    uint8 internal constant LOT_WITHDRAWN = 4;
    uint256 private constant FLAGS_SHIFT = 208; // in a lot's word
    uint256 private constant BARS = uint256(LOT_RECALLED | LOT_WITHDRAWN) << FLAGS_SHIFT;
    uint256 private constant OPENED_SHIFT = 232;
    uint256 private constant NO_SLOT = type(uint256).max;

    mapping(bytes32 product => bool) internal withdrawn; // proofs rely on these slots
    mapping(bytes32 batch => Batch) internal batches;
    mapping(bytes32 batch => mapping(uint256 part => Part)) internal parts;
    mapping(bytes32 batch => mapping(uint256 word => uint256)) private units;
    mapping(bytes32 batch => mapping(uint256 block_ => uint256)) private runs;
    mapping(bytes32 batch => mapping(uint256 pair => uint256)) private rows;
    mapping(bytes32 key => uint24) internal placesOf;     // of (batch, kind, key); 0: none, or the container's own
    mapping(uint64 key => Container) internal containers;
    mapping(uint64 key => uint32[]) internal moreLots;    // numbers of the lots inside beside the container's first
    mapping(uint32 number => bytes32) internal lots;
    mapping(bytes32 product => uint32[]) internal lotsOf; // their numbers
    mapping(bytes32 captureId => Captured_) internal captures;
    mapping(bytes32 batch => Recall) internal recalls;
    Lists.List internal recallList;
    mapping(bytes32 batch => Lists.List) internal alertLists;
    mapping(bytes32 batch => Lists.List) internal acknowledgementLists;
    mapping(bytes32 key => uint64) internal acknowledged; // number of the recall, of (batch, actor)
    mapping(bytes32 account => Quota.Use) internal alerts;
    uint32 internal lotsCount;
    /// Of (batch, LOOSE, place): each time that a regulator gave the row away, the day 24 and who had it until then 24.
    mapping(bytes32 key => uint48[]) internal moves;
    mapping(bytes32 batch => uint16) private freePlaces;  // the first row of an actor to be used again; 0: none
    bool internal transient capturing;
    uint24 internal transient me; // the sender's number, in a capture
    IDirectory internal immutable directory;
    IProducts internal immutable products;

    constructor(IDirectory directory_, IProducts products_) {
        (directory, products) = (directory_, products_);
    }

    function _require(bool holds, Code code, bytes32 thing) internal pure {
        if (!holds) _refuse(code, thing);
    }

    /// Written so that the compiler does not copy it to each of its hundred callers.
    function _refuse(Code code, bytes32 thing) internal pure {
        bytes memory why = abi.encodeWithSelector(Refused.selector, code, thing);
        assembly ("memory-safe") {
            revert(add(why, 32), mload(why))
        }
    }

    modifier inCapture() {
        _requireCapture();
        _;
    }

    function _requireCapture() private view {
        _require(capturing, Code.NOT_IN_CAPTURE, 0);
    }

    function _isRegulator() internal view returns (bool) {
        return _isActive(msg.sender, Roles.REGULATOR);
    }

    function _isActive(address who, uint32 roles) internal view returns (bool) {
        return directory.isActive(who, roles);
    }

    function _ownerOf(bytes32 product) internal view returns (address) {
        return products.ownerOf(product);
    }

    /// Actors are known by their ordinals in the directory; 0: nobody.
    function _numberOf(address actor) internal view returns (uint24 number) {
        (, number) = _standingOf(actor);
    }

    /// The directory's answer, without the compiler's care for it: this is in the way of every pack.
    function _standingOf(address actor) internal view returns (uint32 roles, uint24 ordinal) {
        (address target, bytes4 asked) = (address(directory), IDirectory.standingOf.selector);
        assembly ("memory-safe") {
            mstore(0, asked)
            mstore(4, actor)
            if iszero(staticcall(gas(), target, 0, 36, 0, 64)) { revert(0, 0) }
            roles := mload(0)
            ordinal := mload(32)
        }
    }

    function _actorOf(uint24 number) internal view returns (address) {
        return directory.accountOf(number);
    }

    function _batch(bytes32 id) internal view returns (Batch storage b) {
        b = batches[id];
        _require(b.number != 0, Code.UNKNOWN_BATCH, id);
    }

    /// The second word of a lot (IPack.Batch): expiry 40, commissioned 32, touched 32, … flags at bit 208, opened 232.
    function _lotWord(bytes32 batch) internal view returns (uint256 word) {
        Batch storage b = batches[batch];
        assembly ("memory-safe") {
            word := sload(add(b.slot, 1))
        }
    }

    /// OK, or why nothing of the lot with this word may be traded now.
    function _lotCode(uint256 lot) internal view returns (Code) {
        if ((lot >> FLAGS_SHIFT) & LOT_RECALLED != 0) return Code.IS_RECALLED;
        if ((lot >> FLAGS_SHIFT) & LOT_WITHDRAWN != 0) return Code.IS_WITHDRAWN;
        if (block.timestamp >= uint40(lot)) return Code.IS_EXPIRED;
        return Code.OK;
    }

    // States: a byte, as IPack.State says.

    function _baseOf(uint256 state) internal pure returns (State) {
        return state & 15 == 0 ? State.ACTIVE : State(state & 15);
    }

    function _isDispensed(uint256 state) internal pure returns (bool) {
        return state & BASE == uint256(State.DISPENSED) || state & BASE == uint256(State.OPENED_DISPENSED);
    }

    function _isEnded(uint256 state) internal pure returns (bool) {
        State s = _baseOf(state);
        return _isDispensed(state) || (s >= State.DESTROYED && s <= State.CONSUMED) || s == State.VOID;
    }

    /// Live, and not to be traded: marked, opened, or on its way back.
    function _isBlemished(uint256 state) internal pure returns (bool) {
        return state != 0 && !_isEnded(state);
    }

    // Cursors.

    function _cursor(bytes32 batch) internal view returns (Cursor memory c) {
        (c.batch, c.slot, c.block_, c.touched) = (batch, NO_SLOT, NO_SLOT, batches[batch].touched);
    }

    /// Writes what was changed, if `index` lies in another word than the cursor's, and reads that.
    function _seek(Cursor memory c, uint256 index) internal {
        if (c.slot == index / UNITS) return;
        if (c.slot != NO_SLOT) units[c.batch][c.slot] = c.word;
        c.slot = index / UNITS;
        c.word = units[c.batch][c.slot];
    }

    function _flush(Cursor memory c) internal {
        if (c.slot != NO_SLOT) units[c.batch][c.slot] = c.word;
        if (c.moved) batches[c.batch].touched = uint32(c.touched);
    }

    /// In the cursor's word.
    function _at(Cursor memory c, uint256 index) internal view returns (uint256 state, uint24 place) {
        uint256 unit = c.word >> (index % UNITS * UNIT_BITS);
        state = unit & 255;
        place = _isDispensed(state) ? uint16(unit >> 8) : uint24(unit >> 8);
        if (place == OWNERS) place = 0;
        else if (place == 0 && index < c.touched) place = _placeByRuns(c, index);
    }

    function _placeByRuns(Cursor memory c, uint256 index) private view returns (uint24) {
        if (c.block_ != index / BLOCK) (c.block_, c.runs) = (index / BLOCK, runs[c.batch][index / BLOCK]);
        return _placeIn(c.runs, index);
    }

    /// By the runs of its block; 0: none has it.
    function _placeIn(uint256 word, uint256 index) private pure returns (uint24) {
        unchecked {
            for (uint256 r = word; r != 0; r >>= 64) {
                uint256 nth = index % BLOCK - (r & 1023); // wraps before the run
                if (nth > (r >> 10 & 1023)) continue;
                return uint24((r >> 40) + (nth + (r >> 30 & 1023)) / ((r >> 20 & 1023) + 1));
            }
        }
        return 0;
    }

    /// The day (since 1970) on which this unit, in the cursor's word, was dispensed; `exact` false: or later.
    function _dayOf(Cursor memory c, uint256 index) internal view returns (uint256 day, bool exact) {
        return _dayIn(c.word >> (index % UNITS * UNIT_BITS), batches[c.batch].opened);
    }

    function _dayIn(uint256 unit, uint256 opened) private pure returns (uint256 day, bool exact) {
        day = (unit >> 24 & 255) | (unit >> 4 & 7) << 8;
        return (day + opened, day != LAST_DAY);
    }

    /// Of a unit that is not dispensed afterwards.
    function _setState(Cursor memory c, uint256 index, uint256 state) internal pure {
        uint256 shift = index % UNITS * UNIT_BITS;
        uint256 mask = _isDispensed(c.word >> shift) ? 0xff0000ff : 0xff; // with the day, or without the place's end
        c.word = (c.word & ~(mask << shift)) | state << shift;
        _touch(c, index + 1);
    }

    /// Of `n` units from `index` on, in one word.
    function _setPlaces(Cursor memory c, uint256 index, uint256 n, uint256 place) private pure {
        uint256 mask = _mask(index, n, 0xffffff00);
        c.word = (c.word & ~mask) | (EACH_UNIT * ((place == 0 ? OWNERS : place) << 8) & mask);
        _touch(c, index + n);
    }

    function _touch(Cursor memory c, uint256 end) private pure {
        if (end > c.touched) (c.touched, c.moved) = (end, true);
    }

    /// `bits` of each of `n` units from `index` on, in one word.
    function _mask(uint256 index, uint256 n, uint256 bits) private pure returns (uint256) {
        return (EACH_UNIT * bits & (type(uint256).max >> (256 - n * UNIT_BITS))) << (index % UNITS * UNIT_BITS);
    }

    /// Do these units, in one word, stand in one row, none of them marked or opened? The runs of units whose own bits
    /// say nothing are in order: what has the first and the last has all, unless it is the owner.
    function _isEven(Cursor memory c, uint256 index, uint256 n) private view returns (bool) {
        uint256 unit = (c.word >> (index % UNITS * UNIT_BITS)) & type(uint32).max;
        uint256 mask = _mask(index, n, type(uint32).max);
        if (unit & 255 != 0 || c.word & mask != EACH_UNIT * unit & mask) return false;
        if (unit != 0 || n == 1 || index >= c.touched) return true;
        (, uint24 first) = _at(c, index);
        (, uint24 last) = _at(c, index + n - 1);
        return first != 0 && first == last;
    }

    // Runs.

    /// Packs `n` units that nothing happened to yet, loose in row 0, without a write for each; false: this is no place
    /// for a run. One of a case that holds units already is none: two runs of one place would have others between them.
    function _packRun(bytes32 batch, uint256 first, uint256 n, uint24 place) internal returns (bool) {
        Batch storage b = batches[batch];
        if (first < b.touched || n > BLOCK || first + n > b.commissioned) return false;
        if (_row(batch, place).count != 0) return false;
        uint256 word = runs[batch][first / BLOCK];
        if (word >> 192 != 0 && _continued(word, first % BLOCK, n, place) == 0) return false;
        b.touched = uint32(first + n);
        uint256 here = BLOCK - first % BLOCK;
        if (here > n) here = n;
        _addRun(batch, first, here, n, 0, place);
        if (here < n) _addRun(batch, first + here, n - here, n, here, place);
        return true;
    }

    /// The shift of the word's last run, and 1, if units from `from` on, `each` in a case, just go on with it; or 0.
    function _continued(uint256 word, uint256 from, uint256 each, uint256 place) private pure returns (uint256 found) {
        for (uint256 shift = 0; word >> shift != 0; shift += 64) {
            uint256 r = word >> shift;
            uint256 n = (r >> 10 & 1023) + 1;
            uint256 count = n + (r >> 30 & 1023);
            bool next = (r & 1023) + n == from && (r >> 20 & 1023) + 1 == each && count % each == 0;
            found = next && uint24(r >> 40) + count / each == place ? shift + 1 : 0;
        }
    }

    /// `n` units in one block; `before`: units of their case that came before them.
    function _addRun(bytes32 batch, uint256 first, uint256 n, uint256 each, uint256 before, uint256 place) private {
        uint256 word = runs[batch][first / BLOCK];
        uint256 at_ = _continued(word, first % BLOCK, each, place);
        if (at_ != 0) {
            word += n << (at_ - 1 + 10);
        } else {
            while (word >> at_ != 0) at_ += 64;
            word |= (first % BLOCK | (n - 1) << 10 | (each - 1) << 20 | before << 30 | place << 40) << at_;
        }
        runs[batch][first / BLOCK] = word;
    }

    // Dispensing.

    /// Dispenses one unit of the actor `by`, or says why not and who has it, or dispensed it. `document`: kept with the
    /// row; `last`: what was kept there. Each word is found, read and written once, and a sound pack is looked at once:
    /// what a pharmacy pays for a pack is this.
    function _dispense(bytes32 batch, uint256 index, uint256 by, uint256 document) internal
        returns (Code code, uint256 other, uint256 last) {
        unchecked {
            uint256 lot = _lotWord(batch);
            if (index >= uint32(lot >> 40)) return (lot == 0 ? Code.UNKNOWN_BATCH : Code.UNKNOWN_UNIT, 0, 0);
            uint256 unitSlot = _slotIn(units[batch], index / UNITS);
            uint256 word = _read(unitSlot);
            uint256 unit = (word >> (index % UNITS * UNIT_BITS)) & type(uint32).max;
            uint256 place = unit >> 8; // of a dispensed one it makes no sense, and is not used
            if (place - 1 >= OWNERS - 1) { // 0, OWNERS or a case
                if (place == OWNERS) place = 0;
                else if (place == 0 && index < uint32(lot >> 72)) place = _placeIn(runs[batch][index / BLOCK], index);
            }
            uint256 pairSlot = _slotIn(rows[batch], place / 2);
            uint256 pair = _read(pairSlot);
            uint256 row = (pair >> (place % 2 * ROW_BITS)) & type(uint128).max;
            last = row >> DOCUMENT_SHIFT & type(uint40).max;
            uint256 day = block.timestamp / 1 days - (lot >> OPENED_SHIFT);
            uint256 unlike = (unit & 255) | ((row ^ by ^ LOOSE) & WHOSE) | (lot & BARS) | day / (LAST_DAY + 1);
            uint256 after_ = unit | uint256(State.DISPENSED);
            if (unlike != 0 || block.timestamp >= uint40(lot)) {
                if (_isDispensed(unit)) return _dispensedBefore(batch, lot, unit);
                uint256 kind = (row >> KIND_SHIFT) & (3 | MOVED);
                other = row & type(uint24).max;
                if (kind == uint256(Kind.PACKED)) (other, last) = (_keeperOf(uint64(row)), 0);
                code = _dispenseCode(lot, unit & 255, other == by, kind);
                if (code == Code.OK && kind & MOVED != 0) code = _movedCode(batch, place, unit);
                if (code != Code.OK) return (code, other, last);
                after_ = unit & BASE == uint256(State.PARTIAL) ? uint256(State.OPENED_DISPENSED)
                    : uint256(State.DISPENSED);
                after_ |= unit & (OWNERS << 8 | BARRED_MARK);
                if (day > LAST_DAY) day = LAST_DAY;
            }
            after_ |= day >> 8 << 4 | (day & 255) << 24;
            _write(unitSlot, word ^ (unit ^ after_) << (index % UNITS * UNIT_BITS));
            after_ = ((row - COUNT_ONE) | KEPT) ^ (last ^ document) << DOCUMENT_SHIFT;
            _write(pairSlot, pair ^ (row ^ after_) << (place % 2 * ROW_BITS));
            if (index >= uint32(lot >> 72)) batches[batch].touched = uint32(index + 1);
        }
    }

    /// That counts before everything else: it is a copy's mark.
    function _dispensedBefore(bytes32 batch, uint256 lot, uint256 unit) private view
        returns (Code, uint256 other, uint256 last) {
        uint256 place = unit >> 8 & OWNERS;
        if (place == OWNERS) place = 0;
        Row memory row = _row(batch, place);
        (uint256 day,) = _dayIn(unit, lot >> OPENED_SHIFT);
        other = row.moved ? _dispenserOf(batch, place, row.key, day) : row.key;
        return (Code.ALREADY_DISPENSED, other, row.document);
    }

    function _dispenseCode(uint256 lot, uint256 state, bool mine, uint256 kind) private view returns (Code) {
        if (_isEnded(state)) return Code.FINAL;
        if (!mine) return Code.NOT_CUSTODIAN;
        if (kind == uint256(Kind.PACKED)) return Code.NOT_LOOSE;
        if (state & RECALLED_MARK != 0) return Code.IS_RECALLED;
        if (state & STOP_MARKS != 0) return Code.IS_HELD;
        if (_baseOf(state) == State.BACK) return Code.IS_BARRED;
        return _lotCode(lot);
    }

    /// In a row that a regulator moved, what was opened or taken back was so by an earlier holder, and is never
    /// dispensed again. Nothing is on the day of the move, so that the day says whose a dispense was.
    function _movedCode(bytes32 batch, uint256 place, uint256 unit) private view returns (Code) {
        if (unit & BASE == uint256(State.PARTIAL) || unit & BARRED_MARK != 0) return Code.IS_BARRED;
        uint48[] storage all = moves[_placeKey(batch, Kind.LOOSE, uint64(place))];
        return uint24(all[all.length - 1]) == block.timestamp / 1 days ? Code.PENDING : Code.OK;
    }

    /// Who dispensed on that day from this row, which is `now_`'s.
    function _dispenserOf(bytes32 batch, uint256 place, uint256 now_, uint256 day) internal view returns (uint256) {
        uint48[] storage all = moves[_placeKey(batch, Kind.LOOSE, uint64(place))];
        for (uint256 i = 0; i < all.length; i++) {
            if (day <= uint24(all[i])) return all[i] >> 24;
        }
        return now_;
    }

    function _slotIn(mapping(uint256 => uint256) storage all, uint256 key) private pure returns (uint256 slot) {
        assembly ("memory-safe") {
            mstore(0, key)
            mstore(32, all.slot)
            slot := keccak256(0, 64)
        }
    }

    function _read(uint256 slot) private view returns (uint256 word) {
        assembly ("memory-safe") {
            word := sload(slot)
        }
    }

    function _write(uint256 slot, uint256 word) private {
        assembly ("memory-safe") {
            sstore(slot, word)
        }
    }

    // Rows.

    function _row(bytes32 batch, uint256 place) internal view returns (Row memory row) {
        uint256 r = rows[batch][place / 2] >> (place % 2 * 128);
        (row.key, row.count, row.from) = (uint64(r), uint32(r >> 64), uint24(r >> 96));
        (row.kind, row.moved, row.kept) = (Kind(r >> KIND_SHIFT & 3), r >> KIND_SHIFT & MOVED != 0, r >> 127 & 1 == 1);
        if (row.kind == Kind.LOOSE) (row.key, row.document) = (uint24(r), uint40(r >> 24));
    }

    function _setRow(bytes32 batch, uint256 place, Row memory row) internal {
        uint256 r = uint256(row.key) | uint256(row.document) << 24 | uint256(row.count) << 64
            | uint256(row.from) << 96 | (uint256(row.kind) | (row.moved ? MOVED : 0)) << KIND_SHIFT
            | (row.kept ? uint256(1) << 127 : 0);
        uint256 shift = place % 2 * 128;
        uint256 other = rows[batch][place / 2] & (uint256(type(uint128).max) << (128 - shift));
        rows[batch][place / 2] = other | r << shift;
    }

    function _placeKey(bytes32 batch, Kind kind, uint64 key) internal pure returns (bytes32) {
        return keccak256(abi.encode(batch, kind, key));
    }

    function _keyOfRow(bytes32 batch, Row memory row) internal pure returns (bytes32) {
        return _placeKey(batch, row.kind, row.kind == Kind.LOOSE ? row.key | uint64(row.from) << 24 : row.key);
    }

    /// A free row of its kind, or one more. Place 0 is the owner's for ever.
    function _takePlace(bytes32 batch, Row memory row) internal returns (uint24 place) {
        Batch storage b = batches[batch];
        bool packed = row.kind == Kind.PACKED;
        place = packed ? b.freeCase : freePlaces[batch];
        if (place != 0) {
            _setFree(batch, packed, uint24(_row(batch, place).key));
        } else if (packed) {
            _require(b.cases != type(uint24).max - CASES, Code.TOO_MANY, batch);
            place = uint24(CASES) + b.cases++;
        } else {
            _require(b.places != OWNERS, Code.TOO_MANY, batch);
            place = b.places++;
        }
        _setRow(batch, place, row);
    }

    function _setFree(bytes32 batch, bool packed, uint24 place) private {
        if (packed) batches[batch].freeCase = place;
        else freePlaces[batch] = uint16(place);
    }

    function _add(bytes32 batch, uint24 place, uint32 n) internal {
        Row memory row = _row(batch, place);
        row.count += n;
        _setRow(batch, place, row);
    }

    /// `n` units leave, or end (`kept`); an empty row is freed.
    function _sub(bytes32 batch, uint24 place, uint32 n, bool kept) internal {
        Row memory row = _row(batch, place);
        row.count -= n;
        row.kept = row.kept || kept;
        if (row.count == 0 && !row.kept && place != 0) {
            bool packed = row.kind == Kind.PACKED;
            bytes32 key = _keyOfRow(batch, row);
            if (placesOf[key] == place) delete placesOf[key];
            else if (packed) containers[row.key].place = 0;
            if (row.moved) delete moves[_placeKey(batch, Kind.LOOSE, place)];
            row = Row(packed ? batches[batch].freeCase : freePlaces[batch], 0, 0, Kind.FREE, false, false, 0);
            _setFree(batch, packed, place);
        }
        _setRow(batch, place, row);
    }

    /// Where the actor has what it had from that supplier; 0 or SEVERAL: from nobody that the lot knows.
    function _looseRow(bytes32 batch, uint24 actor, uint24 from) internal returns (uint24 place) {
        if (from == SEVERAL) from = 0;
        Row memory row = _row(batch, 0);
        if (from == 0 && row.key == actor && !row.moved) return 0;
        row = Row(actor, 0, from, Kind.LOOSE, false, false, 0);
        bytes32 key = _keyOfRow(batch, row);
        place = placesOf[key];
        if (place == 0) placesOf[key] = place = _takePlace(batch, row);
    }

    // Containers around units.

    function _outermost(uint64 key) internal view returns (uint64 root, uint256 level) {
        (root, level) = (key, 1);
        while (containers[root].parent != 0) {
            root = containers[root].parent;
            level++;
        }
    }

    /// The number of who has the container.
    function _keeperOf(uint64 key) internal view returns (uint24) {
        (uint64 root,) = _outermost(key);
        return containers[root].custodian;
    }

    // Moving.

    function _none() internal pure returns (uint32[] calldata list) {
        assembly ("memory-safe") {
            list.offset := 0
            list.length := 0
        }
    }

    struct Moved {
        Kind kind;         // all must stand with (kind, key) now
        uint64 key;
        uint24 to;
        bool arrived;      // from another actor: what is opened or undone goes back only
        uint24 from;       // place whose row was found right
        bool moved;        // so is that row, by a regulator
        uint32 run;        // units that left it
        uint32 blemished;
        uint24 origin;     // of all that moved; SEVERAL: it differs
        bool many;         // rows were met
    }

    /// Moves live units to the row `m.to`; counts the blemished ones. Indexes are `list`, or `first` … if the list is
    /// empty.
    function _move(bytes32 batch, uint32[] calldata list, uint32 first, uint32 n, Moved memory m) internal {
        uint256 commissioned = _batch(batch).commissioned;
        Cursor memory c = _cursor(batch);
        uint256 here;
        for (uint256 i = 0; i < n; i += here) {
            uint256 index = list.length != 0 ? list[i] : first + i;
            here = UNITS - index % UNITS; // as many as one word has, at most
            if (list.length != 0) here = 1;
            else if (here > n - i) here = n - i;
            _require(index + here <= commissioned, Code.UNKNOWN_UNIT, bytes32(index));
            _seek(c, index);
            if (here > 1 && !_isEven(c, index, here)) here = 1;
            _moveRun(c, index, here, m);
        }
        _endRun(batch, m);
        _add(batch, m.to, n);
        _flush(c);
    }

    /// `n` units in one word and one row, sound ones if there is more than one.
    function _moveRun(Cursor memory c, uint256 index, uint256 n, Moved memory m) private {
        (uint256 state, uint24 place) = _at(c, index);
        _require(!_isEnded(state), Code.FINAL, bytes32(index));
        if (m.run == 0 || place != m.from) {
            Row memory row = _row(c.batch, place);
            bool loose = m.kind == Kind.LOOSE;
            _require(row.kind == m.kind, loose ? Code.NOT_LOOSE : Code.NOT_A_CHILD, bytes32(index));
            _require(row.key == m.key, loose ? Code.NOT_CUSTODIAN : Code.NOT_A_CHILD, bytes32(index));
            _endRun(c.batch, m);
            m.origin = m.many && m.origin != row.from ? SEVERAL : row.from;
            (m.from, m.many, m.moved) = (place, true, row.moved);
        }
        if (state != 0) {
            m.blemished++;
            bool opened = _baseOf(state) == State.PARTIAL || state & BARRED_MARK != 0;
            bool back = opened && (m.arrived || m.moved);
            if (back) _setState(c, index, state & STOP_MARKS | BARRED_MARK | uint256(State.BACK));
        }
        m.run += uint32(n);
        _setPlaces(c, index, n, m.to);
    }

    function _endRun(bytes32 batch, Moved memory m) private {
        if (m.run != 0) _sub(batch, m.from, m.run, false);
        m.run = 0;
    }
}
