//! alloy, unmodified, against a chain: xinglin-alloy URL, a notebook contract as JSON on standard input (abi, creation)
//! and how many accounts the node holds (accounts). The answer is one JSON object, scenario to "ok" or why not.
use std::{collections::BTreeMap, error::Error, future::Future, io::Read, time::Duration};

use alloy::{
    eips::BlockNumberOrTag,
    network::{Ethereum, EthereumWallet, TransactionBuilder, TransactionResponse},
    primitives::{address, Address, Bytes, U256},
    providers::{ext::{AnvilApi, DebugApi}, DynProvider, PendingTransactionBuilder, Provider, ProviderBuilder, WsConnect},
    rpc::types::{
        simulate::{SimBlock, SimulatePayload},
        trace::geth::GethDebugTracingOptions,
        BlockTransactions, Filter, TransactionReceipt, TransactionRequest,
    },
    signers::{local::PrivateKeySigner, SignerSync},
    sol,
    sol_types::{eip712_domain, SolCall, SolEvent, SolStruct},
};
use futures_util::StreamExt;

type Answer = Result<(), Box<dyn Error>>;

const RECEIVER: Address = address!("00000000000000000000000000000000000a11ce");
const NOBODY: Address = address!("00000000000000000000000000000000000b0b00");
const GWEI: u128 = 1_000_000_000;

sol! {
    #[sol(rpc)]
    contract Notebook {
        event Noted(address indexed who, uint256 value);
        function set(uint256 value) external;
        function get() external view returns (uint256);
    }
    #[derive(serde::Serialize)]
    struct Note {
        address from;
        string text;
    }
}

struct World {
    http: DynProvider<Ethereum>,
    socket: DynProvider<Ethereum>,
    rich: PrivateKeySigner,
    creation: Bytes,
    accounts: u64, // that the node holds
}

impl World {
    async fn send(&self, request: TransactionRequest) -> Result<TransactionReceipt, Box<dyn Error>> {
        Ok(self.http.send_transaction(request).await?.get_receipt().await?)
    }

    async fn deploy(&self) -> Result<Address, Box<dyn Error>> {
        let request = TransactionRequest::default().with_deploy_code(self.creation.clone());
        self.send(request).await?.contract_address.ok_or_else(|| "no contract".into())
    }

    async fn set(&self, contract: Address, value: u64) -> Result<TransactionReceipt, Box<dyn Error>> {
        self.send(call(contract, value)).await
    }
}

fn call(contract: Address, value: u64) -> TransactionRequest {
    let data = Notebook::setCall { value: U256::from(value) }.abi_encode();
    TransactionRequest::default().with_to(contract).with_input(data)
}

fn check(holds: bool, what: impl std::fmt::Debug) -> Answer {
    if holds { Ok(()) } else { Err(format!("{what:?}").into()) }
}

async fn soon<T>(answer: impl Future<Output = Option<T>>) -> Result<T, Box<dyn Error>> {
    tokio::time::timeout(Duration::from_secs(10), answer).await?.ok_or_else(|| "the stream ended".into())
}

async fn network(world: &World) -> Answer {
    check(world.http.get_chain_id().await? == 31337, "chain")?;
    check(world.http.get_accounts().await?.len() as u64 == world.accounts, "accounts")?;
    check(world.http.get_client_version().await?.contains("xinglin"), "version")?;
    check(world.http.get_balance(world.rich.address()).await? > U256::from(GWEI), "balance")
}

async fn legacy(world: &World) -> Answer {
    let price = world.http.get_gas_price().await?;
    let request = TransactionRequest::default().with_to(RECEIVER).with_value(U256::from(5)).with_gas_price(price);
    let receipt = world.send(request).await?;
    check(receipt.status() && receipt.gas_used == 21000, &receipt)
}

async fn dynamic_fee(world: &World) -> Answer {
    let fees = world.http.estimate_eip1559_fees().await?;
    let request = TransactionRequest::default()
        .with_to(RECEIVER)
        .with_value(U256::from(5))
        .with_max_fee_per_gas(fees.max_fee_per_gas)
        .with_max_priority_fee_per_gas(fees.max_priority_fee_per_gas);
    let receipt = world.send(request).await?;
    let found = world.http.get_transaction_by_hash(receipt.transaction_hash).await?.ok_or("no transaction")?;
    check(found.from() == world.rich.address() && receipt.status(), &found)
}

async fn contract(world: &World) -> Answer {
    let notes = Notebook::new(world.deploy().await?, world.http.clone());
    let receipt = notes.set(U256::from(42)).send().await?.get_receipt().await?;
    check(notes.get().call().await? == U256::from(42), "value")?;
    let found = notes.Noted_filter().from_block(receipt.block_number.ok_or("no block")?).query().await?;
    check(found.len() == 1 && found[0].0.value == U256::from(42), found.len())?;
    let block = world.http.get_block_receipts(receipt.block_number.ok_or("no block")?.into()).await?;
    check(block.is_some_and(|all| all.len() == 1), "receipts of the block")
}

async fn reverts(world: &World) -> Answer {
    let contract = world.deploy().await?;
    let failed = world.http.call(call(contract, 0)).await.err().ok_or("it did not fail")?;
    let answer = failed.as_error_resp().ok_or("no answer of the node")?;
    check(answer.message == "execution reverted: zero" && answer.as_revert_data().is_some(), answer)?;
    check(world.http.estimate_gas(call(contract, 0)).await.is_err(), "an estimate")
}

async fn fees(world: &World) -> Answer {
    let gas = world.http.estimate_gas(call(world.deploy().await?, 5)).await?;
    check(gas > 40000 && gas < 70000, gas)?;
    let history = world.http.get_fee_history(2, BlockNumberOrTag::Latest, &[10.0, 90.0]).await?;
    check(history.base_fee_per_gas.len() == 3 && history.reward.is_some_and(|rewards| rewards.len() == 2), "history")?;
    check(world.http.get_blob_base_fee().await? > 0, "blob fee")
}

async fn filters(world: &World) -> Answer {
    let contract = world.deploy().await?;
    let mut logs = world.http.watch_logs(&Filter::new().address(contract)).await?.into_stream();
    let mut blocks = world.http.watch_blocks().await?.into_stream();
    let receipt = world.set(contract, 6).await?;
    check(soon(logs.next()).await?[0].transaction_hash == Some(receipt.transaction_hash), "a log")?;
    check(Some(soon(blocks.next()).await?[0]) == receipt.block_hash, "a block")
}

async fn subscriptions(world: &World) -> Answer {
    let contract = world.deploy().await?;
    let mut logs = world.socket.subscribe_logs(&Filter::new().address(contract)).await?.into_stream();
    let mut heads = world.socket.subscribe_blocks().await?.into_stream();
    let mut pending = world.socket.subscribe_pending_transactions().await?.into_stream();
    let receipt = world.set(contract, 7).await?;
    let log = soon(logs.next()).await?;
    check(Notebook::Noted::decode_log(&log.inner)?.value == U256::from(7), &log)?;
    check(Some(soon(heads.next()).await?.hash) == receipt.block_hash, "a head")?;
    check(soon(pending.next()).await? == receipt.transaction_hash, "a pending transaction")
}

async fn typed_data(world: &World) -> Answer {
    let note = Note { from: RECEIVER, text: "hello".into() };
    let domain = eip712_domain! { name: "notebook", chain_id: 31337, };
    let own = world.rich.sign_hash_sync(&note.eip712_signing_hash(&domain))?;
    let data = alloy::dyn_abi::TypedData::from_struct(&note, Some(domain));
    let theirs: Bytes = world.http.raw_request("eth_signTypedData_v4".into(), (world.rich.address(), data)).await?;
    check(own.as_bytes()[..] == theirs[..], theirs)
}

async fn impersonated(world: &World) -> Answer {
    world.http.anvil_set_balance(NOBODY, U256::from(10).pow(U256::from(18))).await?;
    world.http.anvil_impersonate_account(NOBODY).await?;
    let fields = TransactionRequest::default().with_from(NOBODY).with_to(RECEIVER).with_value(U256::from(1));
    for request in [fields.clone().with_gas_price(10 * GWEI), fields] {
        let hash = world.socket.raw_request("eth_sendTransaction".into(), (request,)).await?;
        let receipt = PendingTransactionBuilder::new(world.http.root().clone(), hash).get_receipt().await?;
        let block = world.http.get_block_by_hash(receipt.block_hash.ok_or("no block")?).full().await?.ok_or("no block")?;
        check(block.header.hash == block.header.inner.hash_slow(), "the header's hash")?;
        let BlockTransactions::Full(all) = block.transactions else { return Err("no full transactions".into()) };
        check(all.len() == 1 && all[0].from() == NOBODY && all[0].tx_hash() == hash, &all)?;
    }
    Ok(())
}

async fn simulate(world: &World) -> Answer {
    let contract = world.deploy().await?;
    let calls = [call(contract, 8).with_from(RECEIVER), call(contract, 0).with_from(RECEIVER)];
    let payload = SimulatePayload::default().extend(SimBlock::default().extend_calls(calls)).with_full_transactions();
    let blocks = world.http.simulate(&payload).await?;
    let found = &blocks[0].calls;
    check(found.len() == 2 && found[0].status && found[0].logs.len() == 1, found)?;
    check(!found[1].status && found[1].error.as_ref().is_some_and(|why| why.message.starts_with("execution reverted")), found)
}

async fn trace(world: &World) -> Answer {
    let receipt = world.set(world.deploy().await?, 3).await?;
    let options = GethDebugTracingOptions::call_tracer(Default::default());
    let frame = world.http.debug_trace_transaction(receipt.transaction_hash, options).await?.try_into_call_frame()?;
    check(frame.from == world.rich.address() && frame.gas_used == U256::from(receipt.gas_used), frame)?;
    let steps = world.http.debug_trace_transaction(receipt.transaction_hash, Default::default()).await?.try_into_default_frame()?;
    check(!steps.failed && steps.struct_logs.iter().any(|step| step.op == "SSTORE"), "steps")
}

#[tokio::main]
async fn main() -> Answer {
    let url = std::env::args().nth(1).ok_or("no URL")?;
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let book: serde_json::Value = serde_json::from_str(&text)?;
    let rich: PrivateKeySigner = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d".parse()?;
    let http = ProviderBuilder::new().wallet(EthereumWallet::from(rich.clone())).connect_http(url.parse()?);
    http.client().set_poll_interval(Duration::from_millis(50));
    let socket = ProviderBuilder::new().connect_ws(WsConnect::new(url.replacen("http", "ws", 1))).await?;
    let creation = book["creation"].as_str().ok_or("no creation")?.parse()?;
    let accounts = book["accounts"].as_u64().ok_or("no accounts")?;
    let world = World { http: http.erased(), socket: socket.erased(), rich, creation, accounts };
    let mut answers = BTreeMap::new();
    macro_rules! attempt {
        ($($scenario:ident),*) => {$(
            let answer = $scenario(&world).await.map_or_else(|error| error.to_string(), |()| "ok".into());
            answers.insert(stringify!($scenario), answer);
        )*};
    }
    attempt!(network, legacy, dynamic_fee, contract, reverts, fees, filters, subscriptions, typed_data, impersonated, simulate, trace);
    println!("{}", serde_json::to_string(&answers)?);
    Ok(())
}
