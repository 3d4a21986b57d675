// Every action of viem's test client, unmodified, against a development chain: node viem_dev.mjs URL MODE (anvil,
// hardhat). The answer is
// one JSON object, action to "ok", "refused" or why not.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../node/package.json', import.meta.url));
const viem = require('viem');
const { mnemonicToAccount } = require('viem/accounts');
const { foundry } = require('viem/chains');

const [url, mode] = process.argv.slice(2);
const options = { chain: foundry, transport: viem.http(url), pollingInterval: 20, cacheTime: 0 };
const reader = viem.createPublicClient(options);
const client = viem.createTestClient({ ...options, mode });
const account = mnemonicToAccount('test test test test test test test test test test test junk', { addressIndex: 6 });
const wallet = viem.createWalletClient({ ...options, account });
const stranger = '0x00000000000000000000000000000000000face6';
const ether = viem.parseEther('1');
const newest = () => reader.getBlock();

const actions = {
  async snapshot() { assert.match(await client.snapshot(), /^0x/); },
  async revert() {
    const before = await newest();
    const id = await client.snapshot();
    await client.setBalance({ address: stranger, value: 1n });
    await client.revert({ id });
    assert.equal((await newest()).hash, before.hash);
    assert.equal(await reader.getBalance({ address: stranger }), 0n);
  },
  async mine() {
    const before = await newest();
    await client.mine({ blocks: 3, interval: 10 });
    const after = await newest();
    assert.equal(after.number, before.number + 3n);
    assert.ok(after.timestamp >= before.timestamp + 20n);
  },
  async increaseTime() {
    const before = await newest();
    await client.increaseTime({ seconds: 600 });
    await client.mine({ blocks: 1 });
    assert.ok((await newest()).timestamp >= before.timestamp + 600n);
  },
  async setNextBlockTimestamp() {
    const timestamp = (await newest()).timestamp + 77n;
    await client.setNextBlockTimestamp({ timestamp });
    await client.mine({ blocks: 1 });
    assert.equal((await newest()).timestamp, timestamp);
  },
  async setBlockTimestampInterval() {
    const before = await newest();
    await client.setBlockTimestampInterval({ interval: 1000 });
    await client.mine({ blocks: 2, interval: 0 });
    assert.equal((await newest()).timestamp, before.timestamp + 2000n);
  },
  async removeBlockTimestampInterval() {
    await client.removeBlockTimestampInterval();
    const before = await newest();
    await client.mine({ blocks: 1, interval: 0 });
    assert.ok((await newest()).timestamp < before.timestamp + 1000n);
  },
  async setNextBlockBaseFeePerGas() {
    await client.setNextBlockBaseFeePerGas({ baseFeePerGas: 4321n });
    await client.mine({ blocks: 1 });
    assert.equal((await newest()).baseFeePerGas, 4321n);
  },
  async setBlockGasLimit() {
    const { gasLimit } = await newest();
    await client.setBlockGasLimit({ gasLimit: 12345678n });
    await client.mine({ blocks: 1 });
    assert.equal((await newest()).gasLimit, 12345678n);
    await client.setBlockGasLimit({ gasLimit });
  },
  async setCoinbase() {
    const { miner } = await newest();
    await client.setCoinbase({ address: stranger });
    await client.mine({ blocks: 1 });
    assert.equal((await newest()).miner.toLowerCase(), stranger);
    await client.setCoinbase({ address: miner });
  },
  async setBalance() {
    await client.setBalance({ address: stranger, value: ether });
    assert.equal(await reader.getBalance({ address: stranger }), ether);
  },
  async setNonce() {
    await client.setNonce({ address: stranger, nonce: 5 });
    assert.equal(await reader.getTransactionCount({ address: stranger }), 5);
  },
  async setCode() {
    await client.setCode({ address: stranger, bytecode: '0x5f545f5260205ff3' });
    assert.equal(await reader.getCode({ address: stranger }), '0x5f545f5260205ff3');
  },
  async setStorageAt() {
    await client.setStorageAt({ address: stranger, index: 0, value: viem.pad('0x07') });
    assert.equal(BigInt((await reader.call({ to: stranger })).data), 7n);
  },
  async impersonateAccount() {
    await client.impersonateAccount({ address: stranger });
    const hash = await viem.createWalletClient({ ...options,
      account: stranger }).sendTransaction({ to: account.address, value: 1n });
    assert.equal((await reader.waitForTransactionReceipt({ hash })).from.toLowerCase(), stranger);
  },
  async stopImpersonatingAccount() {
    await client.stopImpersonatingAccount({ address: stranger });
    const sent = viem.createWalletClient({ ...options, account: stranger }).sendTransaction({ to: account.address,
      value: 1n });
    await assert.rejects(sent, /unknown account/);
  },
  async sendUnsignedTransaction() {
    const hash = await client.sendUnsignedTransaction({ from: stranger, to: account.address, value: 1n });
    assert.equal((await reader.waitForTransactionReceipt({ hash })).status, 'success');
  },
  async setAutomine() {
    await client.setAutomine(false);
    const hash = await wallet.sendTransaction({ to: stranger, value: 2n });
    await assert.rejects(reader.getTransactionReceipt({ hash }), /could not be found/);
    await client.setAutomine(true);
    await reader.waitForTransactionReceipt({ hash });
  },
  async getAutomine() {
    assert.equal(await client.getAutomine(), true);
    await client.setAutomine(false);
    assert.equal(await client.getAutomine(), false);
  },
  async getTxpoolStatus() { // from here to dropTransaction blocks are made by hand
    await wallet.sendTransaction({ to: stranger, value: 3n });
    assert.deepEqual(await client.getTxpoolStatus(), { pending: 1, queued: 0 });
  },
  async getTxpoolContent() {
    const [[tx]] = Object.values((await client.getTxpoolContent()).pending).map(Object.values);
    assert.equal(tx.from.toLowerCase(), account.address.toLowerCase());
  },
  async inspectTxpool() {
    const [[line]] = Object.values((await client.inspectTxpool()).pending).map(Object.values);
    assert.match(line, /3 wei/);
  },
  async dropTransaction() {
    const [[tx]] = Object.values((await client.getTxpoolContent()).pending).map(Object.values);
    await client.dropTransaction({ hash: tx.hash });
    assert.deepEqual(await client.getTxpoolStatus(), { pending: 0, queued: 0 });
    await client.setAutomine(true);
  },
  async setIntervalMining() { // viem says seconds to anvil and milliseconds to hardhat; the node takes milliseconds
    const before = (await newest()).number;
    await client.setIntervalMining({ interval: mode === 'hardhat' ? 1 : 50 });
    await new Promise((resolve) => setTimeout(resolve, 1300));
    await client.setIntervalMining({ interval: 0 });
    assert.ok((await newest()).number > before);
  },
  async setLoggingEnabled() { await client.setLoggingEnabled(false); },
  async reset() {
    await client.reset();
    assert.equal((await newest()).number, 0n);
  },
};
const refused = { dumpState: () => client.dumpState(), loadState: () => client.loadState({ state: '0x' }),
  setMinGasPrice: () => client.setMinGasPrice({ gasPrice: 1n }),
    setRpcUrl: () => client.setRpcUrl('http://127.0.0.1:1') };
const onlyAnvil = ['setBlockTimestampInterval', 'removeBlockTimestampInterval'];

const answers = {};
for (const [name, action] of Object.entries(actions)) {
  if (mode !== 'anvil' && onlyAnvil.includes(name)) continue;
  try {
    await action();
    answers[name] = 'ok';
  } catch (error) {
    answers[name] = error.stack;
  }
}
for (const [name, action] of Object.entries(refused))
  answers[name] = await action().then(() => 'served',
    (error) => error.details?.includes('does not exist') ? 'refused' : error.message);
const known = [...Object.keys(actions), ...Object.keys(refused)].sort();
assert.deepEqual(known, Object.keys(viem.testActions({ mode })(client)).sort());
process.stdout.write(JSON.stringify(answers), () => process.exit(0));
