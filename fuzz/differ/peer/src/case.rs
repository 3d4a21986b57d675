//! The frames and cases of case.h, as they are read.

use revm::context::transaction::{AccessList, AccessListItem, Authorization, SignedAuthorization};
use revm::primitives::{Address, Bytes, B256, U256};

pub struct Case {
    pub seed: u64,
    pub fork: u8,
    pub chain_id: u64,
    pub block: Block,
    pub accounts: Vec<Account>,
    pub transactions: Vec<Transaction>,
}

pub struct Block {
    pub beneficiary: Address,
    pub number: u64,
    pub timestamp: u64,
    pub gas_limit: u64,
    pub difficulty: U256,
    pub randao: B256,
    pub base_fee: u64,
    pub excess_blob_gas: u64,
}

pub struct Account {
    pub address: Address,
    pub nonce: u64,
    pub balance: U256,
    pub code: Bytes,
    pub storage: Vec<(U256, U256)>,
}

#[derive(Clone)]
pub struct Transaction {
    pub kind: u8,
    pub sender: Address,
    pub chain_id: Option<u64>,
    pub nonce: u64,
    pub gas_limit: u64,
    pub max_fee: u128,
    pub max_priority_fee: u128,
    pub to: Option<Address>,
    pub value: U256,
    pub data: Bytes,
    pub access_list: AccessList,
    pub max_blob_fee: u128,
    pub blob_hashes: Vec<B256>,
    pub authorizations: Vec<SignedAuthorization>,
}

/// What is left to read. Running off the end is a fault of the other side, so it panics.
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (head, rest) = self.0.split_at(len);
        self.0 = rest;
        head
    }
    pub fn u8(&mut self) -> u8 {
        self.bytes(1)[0]
    }
    pub fn u16(&mut self) -> usize {
        u16::from_be_bytes(self.bytes(2).try_into().unwrap()).into()
    }
    pub fn u32(&mut self) -> usize {
        u32::from_be_bytes(self.bytes(4).try_into().unwrap()) as usize
    }
    pub fn u64(&mut self) -> u64 {
        u64::from_be_bytes(self.bytes(8).try_into().unwrap())
    }
    fn u128(&mut self) -> u128 {
        u128::from_be_bytes(self.bytes(16).try_into().unwrap())
    }
    pub fn word(&mut self) -> U256 {
        U256::from_be_slice(self.bytes(32))
    }
    pub fn hash(&mut self) -> B256 {
        B256::from_slice(self.bytes(32))
    }
    pub fn address(&mut self) -> Address {
        Address::from_slice(self.bytes(20))
    }
    pub fn sized(&mut self) -> &'a [u8] {
        let len = self.u32();
        self.bytes(len)
    }
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.u16()).map(|_| item(self)).collect()
    }
}

fn block(r: &mut Reader) -> Block {
    Block {
        beneficiary: r.address(),
        number: r.u64(),
        timestamp: r.u64(),
        gas_limit: r.u64(),
        difficulty: r.word(),
        randao: r.hash(),
        base_fee: r.u64(),
        excess_blob_gas: r.u64(),
    }
}

fn account(r: &mut Reader) -> Account {
    Account {
        address: r.address(),
        nonce: r.u64(),
        balance: r.word(),
        code: Bytes::copy_from_slice(r.sized()),
        storage: r.list(|r| (r.word(), r.word())),
    }
}

fn authorization(r: &mut Reader) -> SignedAuthorization {
    let inner = Authorization { chain_id: r.word(), address: r.address(), nonce: r.u64() };
    SignedAuthorization::new_unchecked(inner, r.u8(), r.word(), r.word())
}

fn transaction(r: &mut Reader) -> Transaction {
    let (kind, sender) = (r.u8(), r.address());
    let (has_chain_id, chain_id) = (r.u8() == 1, r.u64());
    let (nonce, gas_limit, max_fee, max_priority_fee) = (r.u64(), r.u64(), r.u128(), r.u128());
    let (is_create, to) = (r.u8() == 1, r.address());
    Transaction {
        kind,
        sender,
        chain_id: has_chain_id.then_some(chain_id),
        nonce,
        gas_limit,
        max_fee,
        max_priority_fee,
        to: (!is_create).then_some(to),
        value: r.word(),
        data: Bytes::copy_from_slice(r.sized()),
        access_list: AccessList(r.list(|r| AccessListItem { address: r.address(), storage_keys: r.list(Reader::hash) })),
        max_blob_fee: r.u128(),
        blob_hashes: r.list(Reader::hash),
        authorizations: r.list(authorization),
    }
}

pub fn read(bytes: &[u8]) -> Case {
    let mut r = Reader(bytes);
    let case = Case {
        seed: r.u64(),
        fork: r.u8(),
        chain_id: r.u64(),
        block: block(&mut r),
        accounts: r.list(account),
        transactions: r.list(transaction),
    };
    assert!(r.0.is_empty(), "a case has more bytes than it says");
    case
}
