// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDirectory} from "../interfaces/IDirectory.sol";
import {IMedicines} from "../interfaces/IMedicines.sol";
import {IProducts} from "../interfaces/IProducts.sol";
import {Lists} from "../lib/Lists.sol";
import {Quota} from "../lib/Quota.sol";

/// What is stored of lots and their units. Per unit: 8 bits of state (32 a word) and 16 bits of place (16 a word), the
/// number of a row in its lot's list of holders. Zero bits mean: active, and loose with the owner; so commissioning
/// writes neither.
///
/// A row is freed and used again when no unit stands in it. Every unit in a row of a container is live, and an actor
/// has a loose row a lot, so that rows are at most the live units and the actors.
abstract contract MedicineUnits is IMedicines {
    enum Kind { FREE, LOOSE, PACKED }

    struct Row {       // 128 bits, two a word, from the low end: key 64, count 32, from 24, kind 7, kept 1
        uint64 key;    // an actor's number, a container's key, or the next free place
        uint32 count;  // live units
        uint24 from;   // LOOSE: whom the actor had the lot from last; 0: nobody
        Kind kind;
        bool kept;     // units ended here: it is not freed, for they still say who had them
    }
    /// The words of the unit last looked at, so that a run of units costs a write a word.
    struct Cursor {
        bytes32 batch;
        uint256 stateSlot;
        uint256 states;
        uint256 placeSlot;
        uint256 places;
    }
    struct Captured_ {
        uint40 capturedAt;
        Code code;
        bytes26 dispensed; // digest of the units that it dispensed
    }

    uint256 internal constant HELD_MARK = 16;
    uint256 internal constant LOCKED_MARK = 32;
    uint256 internal constant RECALLED_MARK = 64;
    uint256 internal constant BARRED_MARK = 128;
    uint256 internal constant STOP_MARKS = HELD_MARK | LOCKED_MARK | RECALLED_MARK;
    uint24 internal constant SEVERAL = type(uint24).max; // origins, or goods that came back
    uint256 private constant STATES = 32; // a word
    uint256 private constant PLACES = 16;
    uint256 private constant NO_SLOT = type(uint256).max;
    uint256 private constant EACH_PLACE = type(uint256).max / type(uint16).max; // 1 in each

    mapping(bytes32 product => bool) internal withdrawn; // proofs rely on these slots
    mapping(bytes32 batch => Batch) internal batches;
    mapping(bytes32 batch => mapping(uint256 part => Part)) internal parts;
    mapping(bytes32 batch => mapping(uint256 word => uint256)) private states;
    mapping(bytes32 batch => mapping(uint256 word => uint256)) private places;
    mapping(bytes32 batch => mapping(uint256 pair => uint256)) private rows;
    mapping(bytes32 key => uint16) internal placesOf;     // of (batch, kind, key); 0: none, or the container's own
    mapping(uint64 key => Container) internal containers;
    mapping(uint64 key => uint32[]) internal moreLots;    // numbers of the lots inside beside the container's first
    mapping(address => uint24) internal actorNumbers;     // from 1
    mapping(uint24 number => address) internal actors;
    mapping(uint32 number => bytes32) internal lots;
    mapping(bytes32 captureId => Captured_) internal captures;
    mapping(bytes32 batch => Recall) internal recalls;
    Lists.List internal recallList;
    mapping(bytes32 batch => Lists.List) internal alertLists;
    mapping(bytes32 batch => Lists.List) internal acknowledgementLists;
    mapping(bytes32 key => uint64) internal acknowledged; // number of the recall, of (batch, actor)
    mapping(bytes32 account => Quota.Use) internal alerts;
    uint32 internal lotsCount;
    uint24 internal actorsCount;
    IDirectory internal immutable directory;
    IProducts internal immutable products;

    constructor(IDirectory directory_, IProducts products_) {
        (directory, products) = (directory_, products_);
    }

    function _require(bool holds, Code code, bytes32 thing) internal pure {
        if (!holds) _refuse(code, thing);
    }

    /// Written so that the compiler does not copy it to each of its hundred callers.
    function _refuse(Code code, bytes32 thing) private pure {
        bytes memory why = abi.encodeWithSelector(Refused.selector, code, thing);
        assembly ("memory-safe") {
            revert(add(why, 32), mload(why))
        }
    }

    function _isActive(address who, uint32 roles) internal view returns (bool) {
        return directory.isActive(who, roles);
    }

    function _ownerOf(bytes32 product) internal view returns (address) {
        return products.ownerOf(product);
    }

    function _numberOf(address actor) internal returns (uint24 number) {
        number = actorNumbers[actor];
        if (number != 0) return number;
        number = ++actorsCount;
        _require(number != SEVERAL, Code.TOO_MANY, 0);
        actorNumbers[actor] = number;
        actors[number] = actor;
    }

    function _batch(bytes32 id) internal view returns (Batch storage b) {
        b = batches[id];
        _require(b.number != 0, Code.UNKNOWN_BATCH, id);
    }

    /// OK, or why nothing of this lot may be traded now.
    function _batchCode(Batch storage b) internal view returns (Code) {
        if (b.recalled) return Code.IS_RECALLED;
        if (withdrawn[b.product]) return Code.IS_WITHDRAWN;
        if (block.timestamp >= b.expiry) return Code.IS_EXPIRED;
        return Code.OK;
    }

    // States: a byte, as IMedicines.State says.

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

    function _cursor(bytes32 batch) internal pure returns (Cursor memory) {
        return Cursor(batch, NO_SLOT, 0, NO_SLOT, 0);
    }

    /// Writes what was changed, if `index` lies in other words than the cursor's, and reads those.
    function _seek(Cursor memory c, uint256 index) internal {
        if (c.stateSlot != index / STATES || c.placeSlot != index / PLACES) {
            _flush(c);
            _load(c, index);
        }
    }

    function _load(Cursor memory c, uint256 index) internal view {
        (c.stateSlot, c.placeSlot) = (index / STATES, index / PLACES);
        (c.states, c.places) = (states[c.batch][c.stateSlot], places[c.batch][c.placeSlot]);
    }

    function _flush(Cursor memory c) internal {
        if (c.stateSlot == NO_SLOT) return;
        states[c.batch][c.stateSlot] = c.states;
        places[c.batch][c.placeSlot] = c.places;
    }

    function _at(Cursor memory c, uint256 index) internal pure returns (uint256 state, uint16 place) {
        state = (c.states >> (index % STATES * 8)) & 255;
        place = uint16(c.places >> (index % PLACES * 16));
    }

    function _setState(Cursor memory c, uint256 index, uint256 state) internal pure {
        uint256 shift = index % STATES * 8;
        c.states = (c.states & ~(uint256(255) << shift)) | (state << shift);
    }

    /// Of `n` units from `index` on, in one word.
    function _setPlaces(Cursor memory c, uint256 index, uint256 n, uint16 place) private pure {
        uint256 mask = _mask(index % PLACES * 16, n * 16);
        c.places = (c.places & ~mask) | (EACH_PLACE * place & mask);
    }

    function _mask(uint256 shift, uint256 bits) private pure returns (uint256) {
        return (type(uint256).max >> (256 - bits)) << shift;
    }

    // Rows.

    function _row(bytes32 batch, uint256 place) internal view returns (Row memory) {
        uint256 r = rows[batch][place / 2] >> (place % 2 * 128);
        return Row(uint64(r), uint32(r >> 64), uint24(r >> 96), Kind((r >> 120) & 3), r >> 127 & 1 == 1);
    }

    function _setRow(bytes32 batch, uint256 place, Row memory row) internal {
        uint256 r = uint256(row.key) | uint256(row.count) << 64 | uint256(row.from) << 96 | uint256(row.kind) << 120
            | (row.kept ? uint256(1) << 127 : 0);
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
            row = Row(b.freePlace, 0, 0, Kind.FREE, false);
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
                place = _takePlace(batch, Row(actor, 0, from == SEVERAL ? 0 : from, Kind.LOOSE, false));
                placesOf[key] = place;
                return place;
            }
            row = _row(batch, place);
        }
        if (from == 0 || from == SEVERAL || from == row.from) return place;
        row.from = from;
        _setRow(batch, place, row);
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
            here = PLACES - index % PLACES; // as many as one word has, at most
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

    /// All of them sound, and in one row.
    function _isEven(Cursor memory c, uint256 index, uint256 n) private pure returns (bool) {
        (, uint16 place) = _at(c, index);
        uint256 mask = _mask(index % PLACES * 16, n * 16);
        return c.states & _mask(index % STATES * 8, n * 8) == 0 && c.places & mask == EACH_PLACE * place & mask;
    }

    /// `n` units in one word and one row, sound ones if there is more than one.
    function _moveRun(Cursor memory c, uint256 index, uint256 n, Moved memory m) private {
        (uint256 state, uint16 place) = _at(c, index);
        if (state != 0) {
            _require(!_isEnded(state), Code.FINAL, bytes32(index));
            m.blemished++;
            bool opened = _baseOf(state) == State.PARTIAL || state & BARRED_MARK != 0;
            if (m.arrived && opened) _setState(c, index, state & STOP_MARKS | BARRED_MARK | uint256(State.BACK));
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
