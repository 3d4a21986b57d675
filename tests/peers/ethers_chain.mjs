// ethers, unmodified, against a development chain: node ethers_chain.mjs URL, a notebook contract as JSON on stdin
// (abi, creation, error). Each scenario below ends well or throws; the answer is one JSON object, scenario to "ok" or
// why not.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { inspect } from './inspect.mjs';

const { ethers } = createRequire(new URL('../node/package.json', import.meta.url))('ethers');
const { Contract, ContractFactory, HDNodeWallet, JsonRpcProvider, Transaction, Wallet, ZeroAddress, parseEther,
  parseUnits } = ethers;

const notebook = JSON.parse(readFileSync(0));
const options = { batchMaxCount: 1, cacheTimeout: -1, pollingInterval: 50 };
const provider = new JsonRpcProvider(process.argv[2], undefined, options);
const phrase = 'test test test test test test test test test test test junk';
const rich = HDNodeWallet.fromPhrase(phrase, '', "m/44'/60'/0'/0/1").connect(provider);
const GWEI = parseUnits('1', 'gwei');

async function newAccount(ether = '10') {
  const wallet = Wallet.createRandom(provider);
  await (await rich.sendTransaction({ to: wallet.address, value: parseEther(ether) })).wait();
  return wallet;
}

async function transfer(fields, type, gas) {
  const sender = await newAccount();
  const receiver = Wallet.createRandom().address;
  const sent = await sender.sendTransaction({ to: receiver, value: parseEther('1'), type, ...fields });
  const receipt = await sent.wait();
  assert.equal(receipt.status, 1);
  assert.equal(receipt.type, type);
  assert.equal(receipt.gasUsed, gas);
  assert.equal(await provider.getBalance(receiver), parseEther('1'));
  assert.equal(await provider.getBalance(sender.address), parseEther('9') - gas * receipt.gasPrice);
  const found = await provider.getTransaction(sent.hash);
  assert.equal(Transaction.from(found).serialized, Transaction.from(sent).serialized);
}

async function newNotebook(owner) {
  const contract = await new ContractFactory(notebook.abi, notebook.creation, owner).deploy();
  await contract.waitForDeployment();
  return contract;
}

const scenarios = {
  async network() {
    assert.equal((await provider.getNetwork()).chainId, 31337n);
    assert.equal((await provider.listAccounts()).length, 10);
    assert.equal((await provider.getBlock(0)).number, 0);
  },
  async legacy() {
    await transfer({ gasPrice: 10n * GWEI }, 0, 21000n);
  },
  async accessList() {
    const accessList = [{ address: '0x' + '11'.repeat(20), storageKeys: ['0x' + '00'.repeat(32)] }];
    await transfer({ gasPrice: 10n * GWEI, accessList }, 1, 21000n + 2400n + 1900n);
  },
  async dynamicFee() {
    await transfer({}, 2, 21000n);
  },
  async unprotectedLegacy() {
    const sender = await newAccount();
    const tx = Transaction.from({ type: 0, nonce: 0, to: rich.address, value: 1, gasLimit: 21000,
      gasPrice: 10n * GWEI });
    tx.signature = sender.signingKey.sign(tx.unsignedHash);
    assert.equal(tx.chainId, 0n);
    const sent = await provider.broadcastTransaction(tx.serialized);
    assert.equal((await sent.wait()).status, 1);
    assert.equal((await provider.getTransaction(sent.hash)).from, sender.address);
  },
  async setCode() {
    const owner = await newAccount();
    const book = await newNotebook(rich);
    const authorization = await owner.authorize({ address: await book.getAddress(), nonce: 1 });
    const sent = await owner.sendTransaction({ type: 4, to: rich.address, authorizationList: [authorization],
      gasLimit: 200000 });
    assert.equal((await sent.wait()).type, 4);
    assert.equal(await provider.getCode(owner.address), '0xef0100' + (await book.getAddress()).slice(2).toLowerCase());
    const own = new Contract(owner.address, notebook.abi, rich);
    await (await own.set(5)).wait();
    assert.equal(await own.get(), 5n);
    assert.equal(await book.get(), 0n);
  },
  async contract() {
    const owner = await newAccount();
    const book = await newNotebook(owner);
    const receipt = await (await book.set(42)).wait();
    assert.equal(await book.get(), 42n);
    assert.equal(await book.get({ blockTag: receipt.blockNumber - 1 }), 0n);
    const events = await book.queryFilter(book.filters.Noted(owner.address), 0);
    assert.deepEqual(events.map((event) => event.args.value), [42n]);
    assert.equal(events[0].transactionHash, receipt.hash);
  },
  async listening() {
    const owner = await newAccount();
    const book = await newNotebook(owner);
    const heard = new Promise((resolve, reject) => {
      book.once('Noted', (who, value) => resolve([who, value]));
      setTimeout(() => reject(new Error('heard of no event within 10 s')), 10000).unref();
    });
    await new Promise((resolve) => setTimeout(resolve, 200)); // polling has begun
    await (await book.set(9)).wait();
    assert.deepEqual(await heard, [owner.address, 9n]);
  },
  async reverts() {
    const book = await newNotebook(rich);
    const because = (error) => error.code === 'CALL_EXCEPTION' && error.reason === 'zero'
      && error.data === notebook.error;
    await assert.rejects(book.set.staticCall(0), because);
    await assert.rejects(book.set.estimateGas(0), because);
    const sent = await book.set(0, { gasLimit: 100000 });
    await assert.rejects(sent.wait(), (error) => error.code === 'CALL_EXCEPTION' && error.receipt.status === 0);
  },
  async refusals() {
    const poor = Wallet.createRandom(provider);
    await assert.rejects(poor.sendTransaction({ to: rich.address, value: 1, gasLimit: 21000 }),
      { code: 'INSUFFICIENT_FUNDS' });
    const owner = await newAccount();
    await (await owner.sendTransaction({ to: rich.address })).wait();
    await assert.rejects(owner.sendTransaction({ to: rich.address, nonce: 0 }), { code: 'NONCE_EXPIRED' });
    const waiting = { to: rich.address, nonce: 3, gasLimit: 21000, maxFeePerGas: 10n * GWEI,
      maxPriorityFeePerGas: GWEI };
    await owner.sendTransaction(waiting);
    await assert.rejects(owner.sendTransaction({ ...waiting, value: 1 }), { code: 'REPLACEMENT_UNDERPRICED' });
  },
  async nonces() {
    const owner = await newAccount();
    const sent = await Promise.all([2, 1, 0].map((nonce) => owner.sendTransaction({ to: ZeroAddress, nonce,
      gasLimit: 21000 })));
    const receipts = await Promise.all(sent.map((tx) => tx.wait()));
    assert.ok(receipts.every((receipt) => receipt.status === 1));
    assert.equal(await owner.getNonce(), 3);
  },
  async batches() {
    const batching = new JsonRpcProvider(process.argv[2], undefined, { cacheTimeout: -1, batchStallTime: 20 });
    const numbers = await Promise.all(Array.from({ length: 50 }, (_, i) => batching.getTransactionCount(rich.address,
      i % 3)));
    assert.equal(numbers.length, 50);
    assert.equal(numbers[0], 0);
    batching.destroy();
  },
  async inspecting() {
    const [sender] = await provider.listAccounts();
    const book = await newNotebook(sender);
    const { hash } = await (await book.set(42)).wait();
    const reported = await inspect((method, params) => provider.send(method, params), {
      contract: await book.getAddress(),
      transaction: hash, value: 42, data: book.interface.encodeFunctionData('set', [43]), sender: sender.address });
    assert.deepEqual(reported, Object.fromEntries(Object.keys(reported).map((name) => [name, 'ok'])));
    assert.equal((await provider.getBlock('pending')).number, (await provider.getBlockNumber()) + 1);
  },
  async fees() {
    const { maxFeePerGas, maxPriorityFeePerGas, gasPrice } = await provider.getFeeData();
    assert.ok(maxFeePerGas > 0n && maxPriorityFeePerGas > 0n && gasPrice > 0n);
  },
};

const answer = {};
for (const [name, scenario] of Object.entries(scenarios)) {
  try {
    await scenario();
    answer[name] = 'ok';
  } catch (error) {
    answer[name] = error.stack;
  }
}
provider.destroy();
console.log(JSON.stringify(answer));
