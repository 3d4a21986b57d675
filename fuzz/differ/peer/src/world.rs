//! The accounts of a case, as revm reads and writes them.

use std::collections::BTreeMap;
use std::convert::Infallible;

use revm::primitives::{keccak256, Address, AddressMap, Bytes, B256, U256};
use revm::state::{Account, AccountInfo, Bytecode};
use revm::{Database, DatabaseCommit};

use crate::case::Case;

pub struct Entry {
    pub info: AccountInfo,
    pub storage: BTreeMap<U256, U256>,
}

/// A designation is one by its form (EIP-7702); any other code that starts like it is plain code, which contracts from
/// before EIP-3541 may have. (revm's own `new_raw` panics there: what a database holds is its caller's to know.)
fn bytecode(code: &Bytes) -> Bytecode {
    Bytecode::new_eip7702_raw(code.clone()).unwrap_or_else(|_| Bytecode::new_legacy(code.clone()))
}

pub struct World {
    pub accounts: BTreeMap<Address, Entry>,
    /// EIP-161: touched accounts that are empty go.
    clears_empty: bool,
}

impl World {
    pub fn new(case: &Case, clears_empty: bool) -> Self {
        let entry = |account: &crate::case::Account| {
            let info = AccountInfo::default().with_balance(account.balance).with_nonce(account.nonce).with_code(bytecode(&account.code));
            Entry { info, storage: account.storage.iter().copied().collect() }
        };
        let accounts = case.accounts.iter().map(|account| (account.address, entry(account))).collect();
        Self { accounts, clears_empty }
    }
}

impl Database for World {
    type Error = Infallible;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.accounts.get(&address).map(|entry| entry.info.clone()))
    }
    fn code_by_hash(&mut self, _hash: B256) -> Result<Bytecode, Infallible> {
        unreachable!("every account comes with its code")
    }
    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, Infallible> {
        Ok(self.accounts.get(&address).and_then(|entry| entry.storage.get(&slot)).copied().unwrap_or_default())
    }
    fn block_hash(&mut self, number: u64) -> Result<B256, Infallible> {
        Ok(keccak256(number.to_be_bytes()))
    }
}

impl DatabaseCommit for World {
    fn commit(&mut self, changes: AddressMap<Account>) {
        for (address, account) in changes {
            if !account.is_touched() {
                continue;
            }
            if account.is_selfdestructed() || (self.clears_empty && account.is_empty()) {
                self.accounts.remove(&address);
                continue;
            }
            let was_created = account.is_created();
            let entry = self.accounts.entry(address).or_insert_with(|| Entry { info: account.info.clone(), storage: BTreeMap::new() });
            entry.info = account.info;
            if was_created {
                entry.storage.clear();
            }
            for (slot, value) in account.storage {
                match value.present_value.is_zero() {
                    true => entry.storage.remove(&slot),
                    false => entry.storage.insert(slot, value.present_value),
                };
            }
        }
    }
}
