//! A case through revm, to a result in the form of case.h, with a remark in words for each transaction.

use revm::bytecode::opcode;
use revm::context::either::Either;
use revm::context::result::{ExecutionResult, Output};
use revm::context::{BlockEnv, CfgEnv, Context, TxEnv};
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::database_interface::DatabaseCommit;
use revm::interpreter::{instructions::gas_table_spec, Instruction};
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Bytes, Log, TxKind, U256};
use revm::{ExecuteEvm, MainBuilder, MainContext};

use crate::case::{Case, Transaction};
use crate::selfdestruct;
use crate::world::World;

/// As `enum fork` counts; revm has no Constantinople.
const FORKS: [Option<SpecId>; 15] = [
    Some(SpecId::FRONTIER),
    Some(SpecId::HOMESTEAD),
    Some(SpecId::TANGERINE),
    Some(SpecId::SPURIOUS_DRAGON),
    Some(SpecId::BYZANTIUM),
    None,
    Some(SpecId::PETERSBURG),
    Some(SpecId::ISTANBUL),
    Some(SpecId::BERLIN),
    Some(SpecId::LONDON),
    Some(SpecId::MERGE),
    Some(SpecId::SHANGHAI),
    Some(SpecId::CANCUN),
    Some(SpecId::PRAGUE),
    Some(SpecId::OSAKA),
];

/// Blobs a block and a transaction may have (EIP-4844, 7691, 7594), and what their price follows.
fn blob_rules(spec: SpecId) -> (u64, u64, u64) {
    match spec {
        SpecId::OSAKA => (9, 6, 5_007_716),
        SpecId::PRAGUE => (9, 9, 5_007_716),
        _ => (6, 6, 3_338_477),
    }
}

pub struct Outcome {
    pub result: Vec<u8>,
    pub remarks: Vec<String>,
}

impl Outcome {
    pub fn panicked() -> Self {
        Self { result: Vec::new(), remarks: vec!["revm panicked".into()] }
    }
}

fn config(case: &Case, spec: SpecId) -> CfgEnv {
    let (_, max_blobs, fraction) = blob_rules(spec);
    let mut config = CfgEnv::new_with_spec(spec).with_chain_id(case.chain_id).enable_tx_chain_id_check();
    config.max_blobs_per_tx = Some(max_blobs);
    config.blob_base_fee_update_fraction = Some(fraction);
    config
}

fn block(case: &Case, spec: SpecId) -> BlockEnv {
    let block = &case.block;
    BlockEnv {
        number: U256::from(block.number),
        beneficiary: block.beneficiary,
        timestamp: U256::from(block.timestamp),
        gas_limit: block.gas_limit,
        basefee: block.base_fee,
        difficulty: block.difficulty,
        prevrandao: Some(block.randao),
        blob_excess_gas_and_price: Some(BlobExcessGasAndPrice::new(block.excess_blob_gas, blob_rules(spec).2)),
        ..Default::default()
    }
}

fn transaction(tx: &Transaction) -> TxEnv {
    TxEnv {
        tx_type: tx.kind,
        caller: tx.sender,
        gas_limit: tx.gas_limit,
        gas_price: tx.max_fee,
        kind: tx.to.map_or(TxKind::Create, TxKind::Call),
        value: tx.value,
        data: tx.data.clone(),
        nonce: tx.nonce,
        chain_id: tx.chain_id,
        access_list: tx.access_list.clone(),
        gas_priority_fee: (tx.kind >= 2).then_some(tx.max_priority_fee),
        blob_hashes: tx.blob_hashes.clone(),
        max_fee_per_blob_gas: tx.max_blob_fee,
        authorization_list: tx.authorizations.iter().cloned().map(Either::Left).collect(),
    }
}

fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u32).to_be_bytes());
    out.extend(bytes);
}

fn put_logs(out: &mut Vec<u8>, logs: &[Log]) {
    out.extend((logs.len() as u16).to_be_bytes());
    for log in logs {
        out.extend(log.address);
        out.push(log.data.topics().len() as u8);
        log.data.topics().iter().for_each(|topic| out.extend(topic));
        put_sized(out, &log.data.data);
    }
}

fn put_outcome(out: &mut Vec<u8>, result: &ExecutionResult) -> String {
    let (class, output, logs): (u8, Bytes, &[Log]) = match result {
        ExecutionResult::Success { output: Output::Call(data) | Output::Create(data, _), logs, .. } => (1, data.clone(), logs),
        ExecutionResult::Revert { output, logs, .. } => (2, output.clone(), logs),
        ExecutionResult::Halt { logs, .. } => (3, Bytes::new(), logs),
    };
    out.push(class);
    out.extend(result.tx_gas_used().to_be_bytes());
    put_sized(out, &output);
    put_logs(out, logs);
    match result {
        ExecutionResult::Success { reason, .. } => format!("{reason:?}"),
        ExecutionResult::Revert { .. } => "revert".into(),
        ExecutionResult::Halt { reason, .. } => format!("{reason:?}"),
    }
}

fn put_world(out: &mut Vec<u8>, world: &World) {
    out.extend((world.accounts.len() as u32).to_be_bytes());
    for (address, entry) in &world.accounts {
        out.extend(address);
        out.extend(entry.info.nonce.to_be_bytes());
        out.extend(entry.info.balance.to_be_bytes::<32>());
        out.extend(entry.info.code_hash);
        out.extend((entry.storage.len() as u32).to_be_bytes());
        for (slot, value) in &entry.storage {
            out.extend(slot.to_be_bytes::<32>());
            out.extend(value.to_be_bytes::<32>());
        }
    }
}

/// What revm leaves to whoever makes blocks: the sums over a block.
fn block_refuses(case: &Case, spec: SpecId, tx: &Transaction, gas_used: u64, blobs_used: u64) -> Option<&'static str> {
    if tx.gas_limit > case.block.gas_limit.saturating_sub(gas_used) {
        return Some("no gas left in the block");
    }
    if blobs_used + tx.blob_hashes.len() as u64 > blob_rules(spec).0 {
        return Some("no room for blobs left in the block");
    }
    None
}

pub fn run(case: &Case) -> Outcome {
    let spec = FORKS[usize::from(case.fork)].expect("a fork that revm has");
    let world = World::new(case, spec.is_enabled_in(SpecId::SPURIOUS_DRAGON));
    let mut evm = Context::mainnet().with_cfg(config(case, spec)).with_block(block(case, spec)).with_db(world).build_mainnet();
    evm.instruction.insert_instruction(
        opcode::SELFDESTRUCT,
        Instruction::new(selfdestruct::charged_first),
        gas_table_spec(spec)[usize::from(opcode::SELFDESTRUCT)],
    );
    let mut outcome = Outcome { result: Vec::with_capacity(8192), remarks: Vec::new() };
    let (mut gas_used, mut blobs_used) = (0, 0);
    for tx in &case.transactions {
        if let Some(reason) = block_refuses(case, spec, tx, gas_used, blobs_used) {
            outcome.result.push(0);
            outcome.remarks.push(format!("refused: {reason}"));
            continue;
        }
        match evm.transact(transaction(tx)) {
            Err(error) => {
                outcome.result.push(0);
                outcome.remarks.push(format!("refused: {error:?}"));
            }
            Ok(done) => {
                gas_used += done.result.tx_gas_used();
                blobs_used += tx.blob_hashes.len() as u64;
                outcome.remarks.push(put_outcome(&mut outcome.result, &done.result));
                evm.ctx.journaled_state.database.commit(done.state);
            }
        }
    }
    put_world(&mut outcome.result, &evm.ctx.journaled_state.database);
    outcome
}
