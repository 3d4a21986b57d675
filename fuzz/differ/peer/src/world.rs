//! The accounts of a case, as revm reads and writes them.

use std::collections::BTreeMap;
use std::convert::Infallible;

use revm::primitives::{keccak256, Address, AddressMap, B256, U256};
use revm::state::{Account, AccountInfo, Bytecode};
use revm::{Database, DatabaseCommit};

use crate::case::Case;

pub struct Entry {
    pub info: AccountInfo,
    pub storage: BTreeMap<U256, U256>,
}

pub struct World {
    pub accounts: BTreeMap<Address, Entry>,
    /// EIP-161: touched accounts that are empty go.
    clears_empty: bool,
}

impl World {
    pub fn new(case: &Case, clears_empty: bool) -> Self {
        let entry = |account: &crate::case::Account| {
            let info = AccountInfo::default()
                .with_balance(account.balance)
                .with_nonce(account.nonce)
                .with_code(Bytecode::new_raw(account.code.clone()));
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
