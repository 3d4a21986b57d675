// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Roles} from "../Roles.sol";
import {MedicineUnits} from "./MedicineUnits.sol";

/// Containers: one slot each, under a 64-bit key (the id's first 8 bytes). Custody and a pending transfer stand in the
/// outermost one. What
/// bars a tree from trade is counted upwards when it happens, so that shipping looks at the outermost container only.
abstract contract MedicineContainers is MedicineUnits {
    struct Container {
        uint64 parent;
        uint32 custodian; // actor number; 0: no such container
        uint32 receiver;
        uint24 contents;
        uint24 blemishes;
        uint32 lot;       // number of the first batch inside; further ones in moreLots
        uint16 position;  // in the holders of `lot`; 0: none of its units is directly inside
        uint8 height;     // levels below that were ever filled
        uint8 flags;
    }

    uint8 internal constant HELD = 1;
    uint8 internal constant LOCKED = 2; // held by a regulator
    uint8 internal constant PURPOSE_SHIFT = 2;
    uint256 internal constant DEPTH_MAX = 8;
    uint256 private constant LOTS_MAX = 64;

    mapping(uint64 key => Container) internal containers;
    mapping(uint64 key => uint32[]) internal moreLots;

    function _keyOf(bytes32 id) internal view returns (uint64 key) {
        key = uint64(bytes8(id));
        _require(bytes32(bytes8(id)) == id && containers[key].custodian != 0, Code.UNKNOWN_CONTAINER, id);
    }

    function _idOf(uint64 key) internal pure returns (bytes32) {
        return bytes32(bytes8(key));
    }

    function _outermost(uint64 key) internal view returns (uint64 root, uint256 level) {
        (root, level) = (key, 1);
        while (containers[root].parent != 0) {
            root = containers[root].parent;
            level++;
        }
    }

    /// The sender may open it and pack into it: it has the outermost container, which is going nowhere.
    function _requireMine(uint64 key) internal view returns (uint256 level) {
        uint64 root;
        (root, level) = _outermost(key);
        Container storage c = containers[root];
        _require(c.custodian == actorNumbers[msg.sender], Code.NOT_CUSTODIAN, _idOf(key));
        _require(c.receiver == 0, Code.PENDING, _idOf(root));
    }

    function _openContainer(bytes32 tag) internal returns (uint64 key) {
        bytes32 id = bytes32(bytes8(keccak256(abi.encode(msg.sender, tag))));
        key = uint64(bytes8(id));
        _require(key != 0 && containers[key].custodian == 0, Code.EXISTS, id);
        containers[key].custodian = _numberOf(msg.sender);
        emit ContainerOpened(id, msg.sender, tag);
    }

    /// Where the container stands among the holders of a batch; a new place where it has none.
    function _packedHolder(uint32 batch, uint64 key) internal returns (uint16 position) {
        Container storage c = containers[key];
        if (c.lot == 0 || c.lot == batch) {
            if (c.lot == batch && c.position != 0) return c.position;
            position = _addHolder(batch, Kind.PACKED, key);
            (c.lot, c.position) = (batch, position);
            return position;
        }
        bytes32 at_ = keccak256(abi.encode(batch, Kind.PACKED, key));
        position = positions[at_];
        if (position == 0) {
            position = _addHolder(batch, Kind.PACKED, key);
            positions[at_] = position;
        }
    }

    function _packUnits(uint64 key, bytes32 id, uint32[] memory list, uint32 first, uint32 n) internal {
        uint32 batch = batchNumbers[id];
        _require(batch != 0, Code.UNKNOWN_BATCH, id);
        _require(n != 0 && n <= type(uint16).max, Code.BAD_ARGUMENT, id);
        uint16 to = _packedHolder(batch, key);
        uint32 blemished = _move(id, list, first, n, Kind.LOOSE, actorNumbers[msg.sender], to);
        containers[key].contents += uint24(n);
        for (uint64 at_ = key; at_ != 0; at_ = containers[at_].parent) {
            if (blemished != 0) containers[at_].blemishes += uint24(blemished);
            _addLot(at_, batch);
        }
        emit UnitsPacked(_idOf(key), id, n);
    }

    function _unpackUnits(uint64 key, bytes32 id, uint32[] memory list, uint32 first, uint32 n) internal {
        uint32 batch = batchNumbers[id];
        _require(batch != 0, Code.UNKNOWN_BATCH, id);
        _require(n != 0, Code.BAD_ARGUMENT, id);
        uint16 to = _looseHolder(batch, actorNumbers[msg.sender]);
        uint32 blemished = _move(id, list, first, n, Kind.PACKED, key, to);
        if (blemished != 0) _blemish(key, -int256(uint256(blemished)));
        _leave(key, n);
        emit UnitsUnpacked(_idOf(key), id, n);
    }

    function _nest(uint64 parent, uint256 level, uint64 child) internal {
        Container storage c = containers[child];
        _require(c.parent == 0, Code.HAS_PARENT, _idOf(child));
        _require(c.custodian == actorNumbers[msg.sender], Code.NOT_CUSTODIAN, _idOf(child));
        _require(c.receiver == 0, Code.PENDING, _idOf(child));
        (uint64 root,) = _outermost(parent);
        _require(root != child, Code.CYCLE, _idOf(child));
        _require(level + 1 + c.height <= DEPTH_MAX, Code.TOO_DEEP, _idOf(child));
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

    function _unnest(uint64 parent, uint64 child) internal {
        Container storage c = containers[child];
        _require(c.parent == parent, Code.NOT_A_CHILD, _idOf(child));
        if (c.blemishes != 0) _blemish(parent, -int256(uint256(c.blemishes)));
        c.parent = 0;
        c.custodian = actorNumbers[msg.sender];
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
        code = c.lot == 0 ? Code.OK : _batchCode(batches[c.lot]);
        for (uint256 i = 0; code == Code.OK && i < moreLots[key].length; i++) {
            code = _batchCode(batches[moreLots[key][i]]);
        }
    }

    /// May take part in the trade: any of the roles that handle packs.
    function _isPartner(address actor) internal view returns (bool) {
        uint32 roles = _activeRoles(actor);
        return roles & (Roles.MANUFACTURER | Roles.WHOLESALER | Roles.PHARMACY | Roles.HOSPITAL | Roles.REGULATOR) != 0;
    }

    function _takesBack(address actor) internal view returns (bool) {
        return _activeRoles(actor) & (Roles.MANUFACTURER | Roles.WHOLESALER | Roles.REGULATOR) != 0;
    }

    /// 0 where the actor is not active.
    function _activeRoles(address actor) internal view returns (uint32) {
        return directory.isActive(actor, 0) ? directory.actorOf(actor).roles : 0;
    }

    /// An emptied container forgets which lots were inside.
    function _leave(uint64 key, uint32 n) private {
        Container storage c = containers[key];
        c.contents -= uint24(n);
        if (c.contents != 0) return;
        (c.lot, c.position, c.height) = (0, 0, 0);
        delete moreLots[key];
    }

    function _addLot(uint64 key, uint32 batch) private {
        Container storage c = containers[key];
        if (c.lot == batch) return;
        if (c.lot == 0) {
            c.lot = batch;
            return;
        }
        uint32[] storage more = moreLots[key];
        for (uint256 i = 0; i < more.length; i++) {
            if (more[i] == batch) return;
        }
        _require(more.length < LOTS_MAX, Code.TOO_MANY, _idOf(key));
        more.push(batch);
    }
}
