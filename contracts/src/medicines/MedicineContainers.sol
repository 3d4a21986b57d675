// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Roles} from "../Roles.sol";
import {MedicineUnits} from "./MedicineUnits.sol";

/// Containers: one word each, under a 64-bit key (the id's first 8 bytes). Custody, a pending transfer and where it
/// came from stand in the outermost one. What bars a tree from trade is counted upwards when it happens, so that
/// shipping looks at the outermost container only.
abstract contract MedicineContainers is MedicineUnits {
    uint8 internal constant HELD = 1;
    uint8 internal constant LOCKED = 2;   // held by a regulator
    uint8 internal constant ARRIVED = 16; // came from another actor since it was last empty
    uint8 internal constant PURPOSE_SHIFT = 2;
    uint256 internal constant DEPTH_MAX = 8;
    uint256 internal constant UNITS_MAX = 256; // named one by one in an operation
    uint256 private constant LOTS_MAX = 64;
    uint32 internal constant DISPENSERS = Roles.PHARMACY | Roles.HOSPITAL;

    function _keyOf(bytes32 id) internal view returns (uint64 key) {
        key = uint64(bytes8(id));
        _require(bytes32(bytes8(id)) == id && containers[key].custodian != 0, Code.UNKNOWN_CONTAINER, id);
    }

    function _idOf(uint64 key) internal pure returns (bytes32) {
        return bytes32(bytes8(key));
    }

    function _purposeOf(Container storage c) internal view returns (Purpose) {
        return Purpose((c.flags >> PURPOSE_SHIFT) & 3);
    }

    function _custodianOf(Row memory row) internal view returns (uint24) {
        if (row.kind == Kind.LOOSE) return uint24(row.key);
        return _keeperOf(row.key);
    }

    /// The sender may open it and pack into it: it has the outermost container, which is going nowhere.
    function _requireMine(uint64 key) internal view returns (uint64 root, uint256 level) {
        (root, level) = _outermost(key);
        Container storage c = containers[root];
        _require(c.custodian == me, Code.NOT_CUSTODIAN, _idOf(key));
        _require(c.receiver == 0, Code.PENDING, _idOf(root));
    }

    /// What a regulator holds is not emptied: neither this container nor one around it.
    function _requireUnlocked(uint64 key) private view {
        for (uint64 at_ = key; at_ != 0; at_ = containers[at_].parent) {
            _require(containers[at_].flags & LOCKED == 0, Code.IS_HELD, _idOf(at_));
        }
    }

    function _openContainer(bytes32 tag) internal returns (uint64 key) {
        bytes32 id = bytes32(bytes8(keccak256(abi.encode(msg.sender, tag))));
        key = uint64(bytes8(id));
        _require(key != 0 && containers[key].custodian == 0, Code.EXISTS, id);
        containers[key].custodian = me;
        emit ContainerOpened(id, msg.sender, tag);
    }

    /// Where the container stands among the holders of a lot; a new place if it has none.
    function _packedRow(bytes32 batch, uint64 key) private returns (uint24 place) {
        Container storage c = containers[key];
        uint32 lot = batches[batch].number;
        bool own = c.lot == 0 || c.lot == lot;
        bytes32 at_ = _placeKey(batch, Kind.PACKED, key);
        place = own ? c.place : placesOf[at_];
        if (place != 0) return place;
        place = _takePlace(batch, Row(key, 0, 0, Kind.PACKED, false, false, 0));
        if (own) (c.lot, c.place) = (lot, place);
        else placesOf[at_] = place;
    }

    function _packUnits(uint64 key, bytes32 batch, uint32[] calldata list, uint32 first, uint32 n) internal {
        uint32 lot = _batch(batch).number;
        _require(n != 0 && n <= type(uint16).max, Code.BAD_ARGUMENT, batch);
        Moved memory m;
        (m.kind, m.key, m.to) = (Kind.LOOSE, me, _packedRow(batch, key));
        Row memory owners = _row(batch, 0);
        if (list.length == 0 && owners.key == m.key && _packRun(batch, first, n, m.to)) {
            _sub(batch, 0, n, false);
            _add(batch, m.to, n);
            m.origin = owners.from;
        } else {
            _move(batch, list, first, n, m);
        }
        uint64 root = key;
        for (uint64 at_ = key; at_ != 0; at_ = containers[at_].parent) {
            if (m.blemished != 0) containers[at_].blemishes += uint24(m.blemished);
            _addLot(at_, lot);
            root = at_;
        }
        _comesFrom(root, m.origin);
        containers[key].contents += uint24(n);
        emit UnitsPacked(_idOf(key), batch, n);
    }

    function _unpackUnits(uint64 key, bytes32 batch, uint32[] calldata list, uint32 first, uint32 n) internal {
        _batch(batch);
        _require(n != 0, Code.BAD_ARGUMENT, batch);
        (uint64 root,) = _requireMine(key);
        _requireUnlocked(key);
        Moved memory m;
        (m.kind, m.key, m.arrived) = (Kind.PACKED, key, containers[root].flags & ARRIVED != 0);
        m.to = _looseRow(batch, me, containers[root].from);
        _move(batch, list, first, n, m);
        if (m.blemished != 0) _blemish(key, -int256(uint256(m.blemished)));
        _leave(key, n);
        emit UnitsUnpacked(_idOf(key), batch, n);
    }

    function _nest(uint64 parent, uint256 level, uint64 child) internal {
        Container storage c = containers[child];
        _require(c.parent == 0, Code.HAS_PARENT, _idOf(child));
        _require(c.custodian == me, Code.NOT_CUSTODIAN, _idOf(child));
        _require(c.receiver == 0, Code.PENDING, _idOf(child));
        (uint64 root,) = _outermost(parent);
        _require(root != child, Code.CYCLE, _idOf(child));
        _require(level + 1 + c.height <= DEPTH_MAX, Code.TOO_DEEP, _idOf(child));
        _comesFrom(root, c.from);
        if (c.flags & ARRIVED != 0) containers[root].flags |= ARRIVED;
        c.parent = parent;
        containers[parent].contents++;
        uint8 height = c.height;
        for (uint64 at_ = parent; at_ != 0; at_ = containers[at_].parent) {
            Container storage p = containers[at_];
            if (++height > p.height) p.height = height;
            if (c.blemishes != 0) p.blemishes += c.blemishes;
            if (c.lot != 0) _addLot(at_, c.lot);
            for (uint256 i = 0; i < moreLots[child].length; i++) {
                _addLot(at_, moreLots[child][i]);
            }
        }
        emit ContainerPacked(_idOf(parent), _idOf(child));
    }

    function _unnest(uint64 parent, uint64 root, uint64 child) internal {
        Container storage c = containers[child];
        _require(c.parent == parent, Code.NOT_A_CHILD, _idOf(child));
        _requireUnlocked(parent);
        if (c.blemishes != 0) _blemish(parent, -int256(uint256(c.blemishes)));
        Container storage r = containers[root];
        (c.parent, c.custodian, c.from) = (0, r.custodian, r.from);
        c.flags |= r.flags & ARRIVED;
        _leave(parent, 1);
        emit ContainerUnpacked(_idOf(parent), _idOf(child));
    }

    /// Adds to what bars this container and all around it from trade.
    function _blemish(uint64 key, int256 delta) internal {
        for (uint64 at_ = key; at_ != 0; at_ = containers[at_].parent) {
            Container storage c = containers[at_];
            c.blemishes = uint24(uint256(int256(uint256(c.blemishes)) + delta));
        }
    }

    /// OK, or why this outermost container may not be traded.
    function _tradeCode(uint64 key) internal view returns (Code code) {
        Container storage c = containers[key];
        if (c.blemishes != 0) return Code.IS_HELD;
        for (uint256 i = 0; code == Code.OK && i < _lotsIn(key); i++) {
            code = _lotCode(_lotWord(_lotIn(key, i)));
        }
    }

    /// May these goods go back to that actor: whom they came from, a regulator, or the owner or whom a regulator named
    /// of every lot inside?
    function _mayGoBack(uint64 key, address to) internal view returns (bool may) {
        uint24 from = containers[key].from;
        may = true;
        if (_isActive(to, Roles.REGULATOR) || (from != 0 && from == _numberOf(to))) return may;
        for (uint256 i = 0; may && i < _lotsIn(key); i++) {
            bytes32 lot = _lotIn(key, i);
            may = products.takesBack(batches[lot].product, lot, to);
        }
    }

    /// May take part in the trade: any of the roles that handle packs.
    function _isPartner(address actor) internal view returns (bool) {
        return _roles(actor) & (DISPENSERS | Roles.MANUFACTURER | Roles.WHOLESALER | Roles.REGULATOR) != 0;
    }

    function _roles(address actor) internal view returns (uint32 roles) {
        (roles,) = _standingOf(actor);
    }

    function _lotsIn(uint64 key) private view returns (uint256) {
        return containers[key].lot == 0 ? 0 : 1 + moreLots[key].length;
    }

    function _lotIn(uint64 key, uint256 i) private view returns (bytes32) {
        return lots[i == 0 ? containers[key].lot : moreLots[key][i - 1]];
    }

    /// Something is put into this outermost container that came from there.
    function _comesFrom(uint64 root, uint24 from) private {
        Container storage c = containers[root];
        if (c.from != from) c.from = c.contents == 0 ? from : SEVERAL;
    }

    /// An emptied container forgets which lots were inside and where they came from.
    function _leave(uint64 key, uint32 n) private {
        Container storage c = containers[key];
        c.contents -= uint24(n);
        if (c.contents != 0) return;
        (c.lot, c.place, c.height, c.from) = (0, 0, 0, 0);
        c.flags &= ~ARRIVED;
        delete moreLots[key];
    }

    function _addLot(uint64 key, uint32 lot) private {
        Container storage c = containers[key];
        if (c.lot == lot) return;
        if (c.lot == 0) {
            c.lot = lot;
            return;
        }
        uint32[] storage more = moreLots[key];
        for (uint256 i = 0; i < more.length; i++) {
            if (more[i] == lot) return;
        }
        _require(more.length < LOTS_MAX, Code.TOO_MANY, _idOf(key));
        more.push(lot);
    }
}
