// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// What an actor may be: bits of IDirectory.Actor.roles.
library Roles {
    uint32 internal constant HOSPITAL = 1;
    uint32 internal constant PROFESSIONAL = 2;
    uint32 internal constant MANUFACTURER = 4;
    uint32 internal constant WHOLESALER = 8;
    uint32 internal constant PHARMACY = 16;
    uint32 internal constant REGULATOR = 32;
    uint32 internal constant TRUSTEE = 64;
    uint32 internal constant EMERGENCY = 128;
    uint32 internal constant NODE = 256;
    uint32 internal constant PAYER = 512;
    uint32 internal constant VERIFIER = 1024;
    uint32 internal constant ALL = 2047;
}
