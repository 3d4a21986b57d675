// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Whose a product (GTIN) is, and which of its serials were commissioned. A product's tag comes from a key that several
/// regulators hold together (RFC 9497's VOPRF, the key shared out): one GTIN, one tag, and one registration a tag.
///
/// Each statement below is an EIP-712 struct of the same name and members, in the domain "xinglin products". Its struct
/// hash, the statement's fact, is what the contract keeps; its bytes and signatures stand in the calldata.
interface IProducts {
    /// Who holds the key of tags. Holder i (from 1, the place in `holders`) has the share f(i).
    struct TagHolders {
        uint32 number;         // from 1
        bytes32 previous;      // fact of the holders before; 0: none
        address[] holders;     // active REGULATORs, ascending, at most 16
        uint8 threshold;       // 1 … holders
        bytes32[] commitments; // Feldman's: x and y of `threshold` points of P-256. The first never changes.
        uint64 deadline;       // seconds
    }
    struct RegisterProduct {
        bytes32 product;       // the tag
        address owner;         // an active MANUFACTURER
        bytes32 keyCommitment; // to the product's key
        uint32 holders;        // number of the TagHolders in force
        uint64 deadline;
    }
    struct Product {           // storage layout: docs/wire-formats.md §8
        address owner;         // 0: no such product
        uint32 holders;        // number of the TagHolders that registered it
        uint64 units;          // packs commissioned, ever
        bytes32 keyCommitment;
        bytes32 statement;     // fact of its registration
        uint40 statedAt;       // number of the block
    }
    struct Holders {           // storage layout: docs/wire-formats.md §8
        bytes32 statement;     // fact of the newest TagHolders; 0: none yet
        bytes32 key;           // keccak256 of the first commitment's x and y
        uint32 number;
        uint8 threshold;
        uint40 statedAt;       // number of the block
    }
    /// What came of an insertion: all of it, or nothing and the fragment that was in the way.
    enum Insertion {
        DONE,
        DUPLICATE, // the serial was commissioned before, or looks like one of n that were (1 pack in 2^41 / n)
        CROWDED    // so many serials share this one's place in the table that it takes no more of them
    }

    /// Of a serial that the product's table takes for another one.
    enum Admission {
        NONE,
        ADMITTED, // a regulator says that it is sound: it may be commissioned, once
        USED
    }

    event TagHoldersChanged(uint32 indexed number, bytes32 statement);
    event ReceiverNamed(bytes32 indexed thing, address indexed to, address indexed by);
    event SerialAdmitted(bytes32 indexed product, address indexed by, bytes7 fragment);
    event ProductRegistered(bytes32 indexed product, address indexed owner, bytes32 keyCommitment);

    error NotListed();
    error BadSignature();
    /// Fewer holders or registrars signed than the threshold.
    error NotEnoughSigners();
    error Expired();
    /// There are other holders by now.
    error StaleHolders(uint32 current);
    /// The holders make no sense: none, too many, not in ascending order, a threshold or commitments that do not fit.
    error BadHolders();
    /// The first commitment is another one: that would be another key, and other tags.
    error OtherKey();
    /// The product makes no sense: no tag, no owner, or no commitment.
    error BadProduct();
    /// The product is registered already, whoever it belongs to.
    error AlreadyRegistered(address owner);
    /// A regulator admitted this serial before.
    error AlreadyAdmitted();
    /// The table would take this serial as it is.
    error NothingInTheWay();
    /// Only the contract of medicines may.
    error NotMedicines();

    /// Signed by `threshold` of the directory's registrars, in ascending order.
    function setTagHolders(TagHolders calldata holders, bytes[] calldata registrarSignatures) external;
    /// Signed by `threshold` of the holders in force, active REGULATORs, in ascending order; and by the owner, unless it
    /// sends it (then `ownerSignature` is empty). Anybody who is listed may send it.
    function registerProduct(RegisterProduct calldata product, bytes[] calldata holderSignatures,
        bytes calldata ownerSignature) external;
    /// By the contract of medicines. `packs`: 8 bytes each, the fragment in 7 (the first of the serial's tag), and the
    /// depth of the table at which to look for it first, as lookUp says; 0: not known, any other number costs gas only.
    /// `fragment`: what was in the way; the caller reverts then, so that nothing is kept.
    function insert(bytes32 product, bytes calldata packs) external
        returns (Insertion result, bytes7 fragment);

    /// By a REGULATOR: this serial is sound, although the product's table takes it for one that was commissioned. It
    /// may be commissioned once, and is never admitted again.
    function admitSerial(bytes32 product, bytes7 fragment) external;

    /// By a REGULATOR: who takes goods of a product or of a lot back, beside the owner; 0: nobody else.
    function nameReceiver(bytes32 thing, address to) external;

    /// Does this actor take goods of the lot back: as the product's owner, or as whom a regulator named?
    function takesBack(bytes32 product, bytes32 batch, address to) external view returns (bool);
    /// What an account is where units of a product are changed: 1 custodian (not known here), 2 the product's owner, 4
    /// REGULATOR, 8 MANUFACTURER, 16 PHARMACY or HOSPITAL. 32: the mark is taken away (for `judge`).
    function factsOf(bytes32 product, address who) external view returns (uint256);
    /// May a unit whose byte is `state` be made `to` (IPack.State) by somebody of whom `facts` hold? An
    /// IPack.Code, and the unit's byte afterwards.
    function judge(uint256 state, uint8 to, uint256 facts) external pure returns (uint8 code, uint256 after_);
    function productOf(bytes32 product) external view returns (Product memory);
    /// 0: no such product.
    function ownerOf(bytes32 product) external view returns (address);
    function tagHolders() external view returns (Holders memory);
    /// Place of a holder among those of `number`, from 1; 0: it is none of them.
    function placeOf(uint32 number, address holder) external view returns (uint8);
    /// Or taken for one that was, unless a regulator says that it is not.
    function isCommissioned(bytes32 product, bytes7 fragment) external view returns (bool);
    /// A byte for each of insert's packs: the depth at which the table has its place, or 255 if it is a DUPLICATE.
    function lookUp(bytes32 product, bytes calldata packs) external view returns (bytes memory depths);
}
