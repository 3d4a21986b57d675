// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDirectory} from "../interfaces/IDirectory.sol";
import {IPack} from "../interfaces/IPack.sol";
import {IProducts} from "../interfaces/IProducts.sol";
import {Lists} from "../lib/Lists.sol";
import {Quota} from "../lib/Quota.sol";
import {Roles} from "../Roles.sol";

/// What is stored of lots and their units. A unit is 32 bits, eight a word: state 8, place 16, day 8 (from the low
/// end). Its place is the number of a row in its lot's list of holders; of a dispensed unit, the day and the marks'
/// three low bits say on which day it was. Zero bits mean: active, and where the lot's runs say, which is loose with
/// the owner if they say nothing. So commissioning writes no unit, and packing whole cases in order neither.
///
/// A run is a row of cases of equal size, filled in order with units that nothing had happened to. A word holds the
/// runs of 1,024 units, four at most: from 10, units 11, units a case 11, units of the first case that came before 10,
/// place of the first case 16. Each case has the next place.
///
/// A row is freed and used again when no unit stands in it. Every unit in a row of a container is live, and an actor
/// has a loose row a lot, so that rows are at most the live units and the actors.
abstract contract MedicineUnits is IPack {
    enum Kind { FREE, LOOSE, PACKED }

    struct Row {       // 128 bits, two a word, from the low end: key 64, count 32, from 24, kind 7, kept 1
        uint64 key;    // an actor's number, a container's key, or the next free place
        uint32 count;  // live units
        uint24 from;   // LOOSE: whom the actor had the units from last; 0: nobody
        Kind kind;
        bool kept;     // units ended here: it is not freed, for they still say who had them
        uint40 document; // LOOSE: first bits of the hash of the document that dispensed from here last; 0: a capture
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
    uint256 private constant DAYS = 2048; // after which a day's number comes again: no pack lives so long
    uint256 private constant UNITS = 8; // a word
    uint256 private constant UNIT_BITS = 32;
    uint256 private constant EACH_UNIT = type(uint256).max / type(uint32).max; // 1 in each
    uint256 private constant OWNERS = type(uint16).max; // a place: row 0, whatever the runs say
    uint256 private constant BLOCK = 1024; // units whose runs stand in a word
    uint256 private constant ROW_BITS = 128;
    uint256 private constant DOCUMENT_SHIFT = 24; // in a row
    uint256 private constant KIND_SHIFT = 120;
    uint256 private constant COUNT_ONE = 1 << 64;
    uint256 private constant KEPT = 1 << 127;
    uint256 private constant BARS = 0xff00ff << 192; // recalled and withdrawn, in a lot's word
    uint256 private constant NO_SLOT = type(uint256).max;

    mapping(bytes32 product => bool) internal withdrawn; // proofs rely on these slots
    mapping(bytes32 batch => Batch) internal batches;
    mapping(bytes32 batch => mapping(uint256 part => Part)) internal parts;
    mapping(bytes32 batch => mapping(uint256 word => uint256)) private units;
    mapping(bytes32 batch => mapping(uint256 block_ => uint256)) private runs;
    mapping(bytes32 batch => mapping(uint256 pair => uint256)) private rows;
    mapping(bytes32 key => uint16) internal placesOf;     // of (batch, kind, key); 0: none, or the container's own
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
    mapping(bytes32 key => uint256 day) internal movedOn; // of (batch, LOOSE, place): a regulator gave the row away
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

    /// The second word of a lot (IPack.Batch): expiry 40, commissioned 32, touched 32, … recalled at bit 192, withdrawn
    /// at 208.
    function _lotWord(bytes32 batch) internal view returns (uint256 word) {
        Batch storage b = batches[batch];
        assembly ("memory-safe") {
            word := sload(add(b.slot, 1))
        }
    }

    /// OK, or why nothing of the lot with this word may be traded now.
    function _lotCode(uint256 lot) internal view returns (Code) {
        if (uint8(lot >> 192) != 0) return Code.IS_RECALLED;
        if (uint8(lot >> 208) != 0) return Code.IS_WITHDRAWN;
        if (block.timestamp >= uint40(lot)) return Code.IS_EXPIRED;
        return Code.OK;
    }

    // States: a byte, as IPack.State says.

    function _baseOf(uint256 state) internal pure returns (State) {
        return state & 15 == 0 ? State.ACTIVE : State(state & 15);
    }

    function _isEnded(uint256 state) internal pure returns (bool) {
        State s = _baseOf(state);
        return s == State.DISPENSED || s == State.OPENED_DISPENSED || (s >= State.DESTROYED && s <= State.CONSUMED)
            || s == State.VOID;
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
    function _at(Cursor memory c, uint256 index) internal view returns (uint256 state, uint16 place) {
        uint256 unit = c.word >> (index % UNITS * UNIT_BITS);
        state = unit & 255;
        place = uint16(unit >> 8);
        if (place == OWNERS) place = 0;
        else if (place == 0 && index < c.touched) place = _placeByRuns(c, index);
    }

    function _placeByRuns(Cursor memory c, uint256 index) private view returns (uint16) {
        if (c.block_ != index / BLOCK) (c.block_, c.runs) = (index / BLOCK, runs[c.batch][index / BLOCK]);
        return _placeIn(c.runs, index);
    }

    /// By the runs of its block; 0: none has it.
    function _placeIn(uint256 word, uint256 index) private pure returns (uint16) {
        unchecked {
            for (uint256 r = word; r != 0; r >>= 64) {
                uint256 nth = index % BLOCK - (r & 1023); // wraps before the run
                if (nth < (r >> 10 & 2047)) return uint16((r >> 42) + (nth + (r >> 32 & 1023)) / (r >> 21 & 2047));
            }
        }
        return 0;
    }

    /// How many days ago this unit, in the cursor's word, was dispensed.
    function _daysSince(Cursor memory c, uint256 index) internal view returns (uint256) {
        uint256 unit = c.word >> (index % UNITS * UNIT_BITS);
        uint256 day = (unit >> 24 & 255) | (unit >> 4 & 7) << 8;
        return (block.timestamp / 1 days + DAYS - day) % DAYS;
    }

    /// `day`: of a dispensed unit.
    function _setState(Cursor memory c, uint256 index, uint256 state, uint256 day) internal pure {
        uint256 shift = index % UNITS * UNIT_BITS;
        c.word = (c.word & ~(uint256(0xff0000ff) << shift)) | (state | day << 24) << shift;
        _touch(c, index + 1);
    }

    /// Of `n` units from `index` on, in one word.
    function _setPlaces(Cursor memory c, uint256 index, uint256 n, uint256 place) private pure {
        uint256 mask = _mask(index, n, 0xffff00);
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
        (, uint16 first) = _at(c, index);
        (, uint16 last) = _at(c, index + n - 1);
        return first != 0 && first == last;
    }

    // Runs.

    /// Packs `n` units that nothing happened to yet, loose in row 0, without a write for each; false: this is no place
    /// for a run. One of a case that holds units already is none: two runs of one place would have others between them.
    function _packRun(bytes32 batch, uint256 first, uint256 n, uint16 place) internal returns (bool) {
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
            uint256 count = (r >> 10 & 2047) + (r >> 32 & 1023);
            bool next = (r & 1023) + (r >> 10 & 2047) == from && (r >> 21 & 2047) == each && count % each == 0;
            found = next && uint16(r >> 42) + count / each == place ? shift + 1 : 0;
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
            word |= (first % BLOCK | n << 10 | each << 21 | before << 32 | place << 42) << at_;
        }
        runs[batch][first / BLOCK] = word;
    }

    // Dispensing.

    /// Dispenses one unit of the actor `by`, or says why not and who has it. `document`: kept with the row; `last`:
    /// what was kept there. Each word is found, read and written once, and a sound pack is looked at once: what a
    /// pharmacy pays for a pack is this.
    function _dispense(bytes32 batch, uint256 index, uint256 by, uint256 document) internal
        returns (Code code, uint256 other, uint256 last) {
        unchecked {
            uint256 lot = _lotWord(batch);
            if (index >= uint32(lot >> 40)) return (lot == 0 ? Code.UNKNOWN_BATCH : Code.UNKNOWN_UNIT, 0, 0);
            uint256 unitSlot = _slotIn(units[batch], index / UNITS);
            uint256 word = _read(unitSlot);
            uint256 unit = (word >> (index % UNITS * UNIT_BITS)) & type(uint32).max;
            uint256 place = unit >> 8 & OWNERS;
            if (place == 0) place = index < uint32(lot >> 72) ? _placeIn(runs[batch][index / BLOCK], index) : 0;
            else if (place == OWNERS) place = 0;
            uint256 pairSlot = _slotIn(rows[batch], place / 2);
            uint256 pair = _read(pairSlot);
            uint256 row = (pair >> (place % 2 * ROW_BITS)) & type(uint128).max;
            uint256 kind = (row >> KIND_SHIFT) & 3;
            (other, last) = (row & type(uint24).max, row >> DOCUMENT_SHIFT & type(uint40).max);
            uint256 unlike = (unit & 255) | (kind ^ uint256(Kind.LOOSE)) | (other ^ by) | (lot & BARS);
            uint256 after_;
            if (unlike == 0 && block.timestamp < uint40(lot)) {
                after_ = unit | uint256(State.DISPENSED) | _today();
            } else {
                bool loose = kind == uint256(Kind.LOOSE);
                if (!loose) (other, last) = (_keeperOf(uint64(row)), 0);
                code = _dispenseCode(lot, unit & 255, other == by, loose);
                if (code != Code.OK) return (code, other, last);
                after_ = unit & BASE == uint256(State.PARTIAL) ? uint256(State.OPENED_DISPENSED)
                    : uint256(State.DISPENSED);
                after_ |= unit & (OWNERS << 8 | BARRED_MARK) | _today();
            }
            _write(unitSlot, word ^ (unit ^ after_) << (index % UNITS * UNIT_BITS));
            after_ = ((row - COUNT_ONE) | KEPT) ^ (last ^ document) << DOCUMENT_SHIFT;
            _write(pairSlot, pair ^ (row ^ after_) << (place % 2 * ROW_BITS));
            if (index >= uint32(lot >> 72)) batches[batch].touched = uint32(index + 1);
        }
    }

    /// Being dispensed already counts before everything else: that is a copy's mark.
    function _dispenseCode(uint256 lot, uint256 state, bool mine, bool loose) private view returns (Code) {
        State base = _baseOf(state);
        if (base == State.DISPENSED || base == State.OPENED_DISPENSED) return Code.ALREADY_DISPENSED;
        if (_isEnded(state)) return Code.FINAL;
        if (!mine) return Code.NOT_CUSTODIAN;
        if (!loose) return Code.NOT_LOOSE;
        if (state & RECALLED_MARK != 0) return Code.IS_RECALLED;
        if (state & STOP_MARKS != 0) return Code.IS_HELD;
        if (base == State.BACK) return Code.IS_BARRED;
        return _lotCode(lot);
    }

    /// The bits of a dispensed unit that say when it was.
    function _today() private view returns (uint256) {
        unchecked {
            uint256 day = block.timestamp / 1 days % DAYS;
            return day >> 8 << 4 | (day & 255) << 24;
        }
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
        (row.kind, row.kept) = (Kind((r >> 120) & 3), r >> 127 & 1 == 1);
        if (row.kind == Kind.LOOSE) (row.key, row.document) = (uint24(r), uint40(r >> 24));
    }

    function _setRow(bytes32 batch, uint256 place, Row memory row) internal {
        uint256 r = uint256(row.key) | uint256(row.document) << 24 | uint256(row.count) << 64
            | uint256(row.from) << 96 | uint256(row.kind) << 120 | (row.kept ? uint256(1) << 127 : 0);
        uint256 shift = place % 2 * 128;
        uint256 other = rows[batch][place / 2] & (uint256(type(uint128).max) << (128 - shift));
        rows[batch][place / 2] = other | r << shift;
    }

    function _placeKey(bytes32 batch, Kind kind, uint64 key) internal pure returns (bytes32) {
        return keccak256(abi.encode(batch, kind, key));
    }

    /// A free row, or one more. Place 0 is the owner's for ever.
    function _takePlace(bytes32 batch, Row memory row) internal returns (uint16 place) {
        Batch storage b = batches[batch];
        place = b.freePlace;
        if (place != 0) {
            b.freePlace = uint16(_row(batch, place).key);
        } else {
            place = b.places;
            _require(place != type(uint16).max, Code.TOO_MANY, batch);
            b.places = place + 1;
        }
        _setRow(batch, place, row);
    }

    function _add(bytes32 batch, uint16 place, uint32 n) internal {
        Row memory row = _row(batch, place);
        row.count += n;
        _setRow(batch, place, row);
    }

    /// `n` units leave, or end (`kept`); an empty row is freed.
    function _sub(bytes32 batch, uint16 place, uint32 n, bool kept) internal {
        Row memory row = _row(batch, place);
        row.count -= n;
        row.kept = row.kept || kept;
        if (row.count == 0 && !row.kept && place != 0) {
            Batch storage b = batches[batch];
            bytes32 key = _placeKey(batch, row.kind, row.key);
            if (placesOf[key] == place) delete placesOf[key];
            else if (row.kind == Kind.PACKED) containers[row.key].place = 0;
            row = Row(b.freePlace, 0, 0, Kind.FREE, false, 0);
            b.freePlace = place;
        }
        _setRow(batch, place, row);
    }

    /// `from`: whom the units came from; 0 or SEVERAL: that says nothing new.
    function _looseRow(bytes32 batch, uint24 actor, uint24 from) internal returns (uint16 place) {
        Row memory row = _row(batch, 0);
        if (row.key != actor) {
            bytes32 key = _placeKey(batch, Kind.LOOSE, actor);
            place = placesOf[key];
            if (place == 0) {
                place = _takePlace(batch, Row(actor, 0, from == SEVERAL ? 0 : from, Kind.LOOSE, false, 0));
                placesOf[key] = place;
                return place;
            }
            row = _row(batch, place);
        }
        if (from == 0 || from == SEVERAL || from == row.from) return place;
        row.from = from;
        _setRow(batch, place, row);
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
        uint16 to;
        bool arrived;      // from another actor: what is opened or undone goes back only
        uint16 from;       // place whose row was found right
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
        (uint256 state, uint16 place) = _at(c, index);
        if (state != 0) {
            _require(!_isEnded(state), Code.FINAL, bytes32(index));
            m.blemished++;
            bool opened = _baseOf(state) == State.PARTIAL || state & BARRED_MARK != 0;
            if (m.arrived && opened) _setState(c, index, state & STOP_MARKS | BARRED_MARK | uint256(State.BACK), 0);
        }
        if (m.run == 0 || place != m.from) {
            Row memory row = _row(c.batch, place);
            bool loose = m.kind == Kind.LOOSE;
            _require(row.kind == m.kind, loose ? Code.NOT_LOOSE : Code.NOT_A_CHILD, bytes32(index));
            _require(row.key == m.key, loose ? Code.NOT_CUSTODIAN : Code.NOT_A_CHILD, bytes32(index));
            _endRun(c.batch, m);
            m.origin = m.many && m.origin != row.from ? SEVERAL : row.from;
            (m.from, m.many) = (place, true);
        }
        m.run += uint32(n);
        _setPlaces(c, index, n, m.to);
    }

    function _endRun(bytes32 batch, Moved memory m) private {
        if (m.run != 0) _sub(batch, m.from, m.run, false);
        m.run = 0;
    }
}
