//! A difference, for people: the case's outline, then each field of the results that is not the same.

use std::collections::BTreeMap;

use revm::primitives::{hex, Address};

use crate::case::{Case, Reader};

/// Fields by name, in the order of the result.
fn outcomes(r: &mut Reader, transactions: usize) -> Vec<BTreeMap<String, String>> {
    const CLASSES: [&str; 4] = ["refused", "success", "revert", "halt"];
    let outcome = |r: &mut Reader| {
        let mut fields = BTreeMap::new();
        let class = r.u8();
        fields.insert("class".into(), CLASSES[usize::from(class)].into());
        if class == 0 {
            return fields;
        }
        fields.insert("gas used".into(), r.u64().to_string());
        fields.insert("output".into(), hex::encode(r.sized()));
        for i in 0..r.u16() {
            let address = r.address();
            let topics: Vec<_> = (0..r.u8()).map(|_| r.hash().to_string()).collect();
            fields.insert(format!("log {i}"), format!("{address} [{}] {}", topics.join(" "), hex::encode(r.sized())));
        }
        fields
    };
    (0..transactions).map(|_| outcome(r)).collect()
}

fn accounts(r: &mut Reader) -> BTreeMap<Address, BTreeMap<String, String>> {
    let account = |r: &mut Reader| {
        let address = r.address();
        let mut fields = BTreeMap::from([
            ("nonce".to_string(), r.u64().to_string()),
            ("balance".into(), r.word().to_string()),
            ("code hash".into(), r.hash().to_string()),
        ]);
        for _ in 0..r.u32() {
            fields.insert(format!("slot {:#x}", r.word()), format!("{:#x}", r.word()));
        }
        (address, fields)
    };
    (0..r.u32()).map(|_| account(r)).collect()
}

fn compare(heading: &str, ours: Option<&BTreeMap<String, String>>, theirs: Option<&BTreeMap<String, String>>) {
    let none = BTreeMap::new();
    let (a, b) = (ours.unwrap_or(&none), theirs.unwrap_or(&none));
    if ours.is_some() != theirs.is_some() {
        println!("  {heading}: only {} has it", if ours.is_some() { "xinglin" } else { "revm" });
    }
    for name in a.keys().chain(b.keys().filter(|name| !a.contains_key(*name))) {
        if a.get(name) != b.get(name) {
            let text = |fields: &BTreeMap<String, String>| fields.get(name).cloned().unwrap_or("nothing".into());
            println!("  {heading}, {name}: xinglin {}, revm {}", text(a), text(b));
        }
    }
}

pub fn difference(case: &Case, ours: &[u8], theirs: &[u8], our_remark: &str, their_remarks: &[String]) {
    println!("DIFFERENCE: seed {}, fork {}, {} accounts", case.seed, case.fork, case.accounts.len());
    for (i, (tx, (a, b))) in case.transactions.iter().zip(our_remark.lines().zip(their_remarks)).enumerate() {
        let to = tx.to.map_or("a new contract".into(), |to| to.to_string());
        println!("  transaction {i}: type {} from {} to {to}, gas {}: xinglin {a}; revm {b}", tx.kind, tx.sender, tx.gas_limit);
    }
    if theirs.is_empty() {
        return println!("  {}", their_remarks.join(" "));
    }
    let (mut r, mut s) = (Reader(ours), Reader(theirs));
    let (a, b) = (outcomes(&mut r, case.transactions.len()), outcomes(&mut s, case.transactions.len()));
    for (i, (a, b)) in a.iter().zip(&b).enumerate() {
        compare(&format!("transaction {i}"), Some(a), Some(b));
    }
    let (a, b) = (accounts(&mut r), accounts(&mut s));
    for address in a.keys().chain(b.keys().filter(|address| !a.contains_key(*address))) {
        compare(&format!("account {address}"), a.get(address), b.get(address));
    }
}
