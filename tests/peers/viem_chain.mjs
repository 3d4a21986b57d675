// viem, unmodified, against a development chain: node viem_chain.mjs URL, a notebook contract as JSON on stdin (abi,
// creation). The answer is
// one JSON object, scenario to "ok" or why not.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { inspect } from './inspect.mjs';

const require = createRequire(new URL('../node/package.json', import.meta.url));
const viem = require('viem');
const { mnemonicToAccount } = require('viem/accounts');
const { foundry } = require('viem/chains');

const url = process.argv[2];
const notebook = JSON.parse(readFileSync(0));
const transport = viem.http(url);
const options = { chain: foundry, transport, pollingInterval: 50, cacheTime: 0 };
const reader = viem.createPublicClient(options);
const account = mnemonicToAccount('test test test test test test test test test test test junk', { addressIndex: 5 });
const wallet = viem.createWalletClient({ ...options, account });
const tester = viem.createTestClient({ ...options, mode: 'anvil' });
const stranger = '0x00000000000000000000000000000000000face5';
const returnsSlot0 = '0x5f545f5260205ff3';
const answers = {};

async function scenario(name, run) {
  try {
    await run();
    answers[name] = 'ok';
  } catch (error) {
    answers[name] = error.message;
  }
}

await scenario('transfer', async () => {
  const hash = await wallet.sendTransaction({ to: stranger, value: 5n });
  const receipt = await reader.waitForTransactionReceipt({ hash });
  assert.equal(receipt.status, 'success');
  assert.equal(await reader.getBalance({ address: stranger }), 5n);
});
await scenario('fees', async () => {
  const history = await reader.getFeeHistory({ blockCount: 2, rewardPercentiles: [50] });
  assert.equal(history.baseFeePerGas.length, history.gasUsedRatio.length + 1);
  assert.ok((await reader.estimateFeesPerGas()).maxFeePerGas > 0n);
});
await scenario('overrides', async () => {
  const { data } = await reader.call({ to: stranger, stateOverride: [{ address: stranger, code: returnsSlot0,
    stateDiff: [{ slot: viem.pad('0x0'), value: viem.pad('0x2a') }] }] });
  assert.equal(BigInt(data), 42n);
});
await scenario('simulate', async () => {
  const [block] = await reader.simulateBlocks({ blocks: [{ calls: [{ account: account.address, to: stranger,
    value: 1n }],
    stateOverrides: [{ address: account.address, balance: viem.parseEther('1') }] }] });
  assert.equal(block.calls[0].status, 'success');
});
await scenario('proof', async () => {
  const proof = await reader.getProof({ address: account.address, storageKeys: [viem.pad('0x0')] });
  assert.ok(proof.accountProof.length > 0);
});
await scenario('impersonation', async () => {
  await tester.setBalance({ address: stranger, value: viem.parseEther('1') });
  await tester.impersonateAccount({ address: stranger });
  const hash = await viem.createWalletClient({ ...options, account: stranger }).sendTransaction({ to: account.address,
    value: 1n });
  const { from } = await reader.waitForTransactionReceipt({ hash });
  assert.equal(from.toLowerCase(), stranger);
  await tester.stopImpersonatingAccount({ address: stranger });
});
await scenario('state', async () => {
  await tester.setCode({ address: stranger, bytecode: returnsSlot0 });
  await tester.setStorageAt({ address: stranger, index: 0, value: viem.pad('0x07') });
  await tester.setNonce({ address: stranger, nonce: 77 });
  assert.equal(await reader.getTransactionCount({ address: stranger }), 77);
  assert.equal(BigInt((await reader.call({ to: stranger })).data), 7n);
});
await scenario('time', async () => {
  const id = await tester.snapshot();
  const before = await reader.getBlock();
  await tester.mine({ blocks: 3, interval: 10 });
  await tester.increaseTime({ seconds: 600 });
  await tester.mine({ blocks: 1 });
  const after = await reader.getBlock();
  assert.equal(after.number, before.number + 4n);
  await tester.setNextBlockTimestamp({ timestamp: after.timestamp + 100n });
  await tester.setNextBlockBaseFeePerGas({ baseFeePerGas: 1234n });
  await tester.mine({ blocks: 1 });
  const last = await reader.getBlock();
  assert.equal(last.timestamp, after.timestamp + 100n);
  assert.equal(last.baseFeePerGas, 1234n);
  await tester.revert({ id });
  assert.equal(await reader.getBlockNumber(), before.number);
});
await scenario('automine', async () => {
  await tester.setAutomine(false);
  const hash = await wallet.sendTransaction({ to: stranger, value: 1n });
  assert.equal((await tester.getTxpoolStatus()).pending, 1);
  await tester.dropTransaction({ hash });
  assert.equal((await tester.getTxpoolStatus()).pending, 0);
  await tester.setAutomine(true);
});
const newNotebook = async () => {
  const hash = await wallet.deployContract({ abi: notebook.abi, bytecode: notebook.creation });
  const { contractAddress: address } = await reader.waitForTransactionReceipt({ hash });
  return viem.getContract({ address, abi: notebook.abi, client: { public: reader, wallet } });
};
await scenario('contract', async () => {
  const book = await newNotebook();
  const filter = await reader.createContractEventFilter({ address: book.address, abi: notebook.abi });
  const hash = await book.write.set([42n]);
  const receipt = await reader.waitForTransactionReceipt({ hash });
  assert.equal(await book.read.get(), 42n);
  assert.equal(await book.read.get({ blockNumber: receipt.blockNumber - 1n }), 0n);
  const [event] = await book.getEvents.Noted({ who: account.address });
  assert.deepEqual([event.args.value, event.transactionHash], [42n, hash]);
  assert.deepEqual((await reader.getFilterChanges({ filter })).map((log) => log.args.value), [42n]);
  assert.equal(await reader.uninstallFilter({ filter }), true);
  await assert.rejects(reader.simulateContract({ ...book, functionName: 'set', args: [0n] }), /zero/);
  const { accessList } = await reader.createAccessList({ account: account.address, to: book.address,
    data: viem.encodeFunctionData({ abi: notebook.abi, functionName: 'set', args: [1n] }) });
  assert.ok(accessList.length > 0);
});
await scenario('inspecting', async () => {
  const book = await newNotebook();
  const hash = await book.write.set([42n]);
  await reader.waitForTransactionReceipt({ hash });
  const data = viem.encodeFunctionData({ abi: notebook.abi, functionName: 'set', args: [43n] });
  const reported = await inspect((method, params) => reader.request({ method, params }),
    { contract: book.address, transaction: hash, value: 42, data, sender: account.address });
  assert.deepEqual(reported, Object.fromEntries(Object.keys(reported).map((name) => [name, 'ok'])));
});
await scenario('websocket', async () => {
  const live = viem.createPublicClient({ chain: foundry, transport: viem.webSocket(url.replace('http', 'ws')) });
  const book = await newNotebook();
  const once = (watch, name) => new Promise((resolve, reject) => watch({ [name]: resolve, onError: reject,
    poll: false }));
  const block = once((on) => live.watchBlockNumber(on), 'onBlockNumber');
  const header = once((on) => live.watchBlocks(on), 'onBlock');
  const waiting = once((on) => live.watchPendingTransactions(on), 'onTransactions');
  const logs = once((on) => live.watchContractEvent({ ...on, address: book.address, abi: notebook.abi,
    eventName: 'Noted' }), 'onLogs');
  await new Promise((resolve) => setTimeout(resolve, 300)); // until all subscriptions stand
  const hash = await book.write.set([7n]);
  const receipt = await reader.waitForTransactionReceipt({ hash });
  assert.equal(await block, receipt.blockNumber);
  assert.equal((await header).hash, receipt.blockHash);
  assert.deepEqual(await waiting, [hash]);
  assert.equal((await logs)[0].args.value, 7n);
});

process.stdout.write(JSON.stringify(answers), () => process.exit(0));
