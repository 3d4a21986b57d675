// web3.js 4, unmodified, against a chain: node web3js_chain.mjs URL, a notebook contract as JSON on stdin (abi,
// creation), how many accounts the node holds (accounts) and what a tip is at least (leastTip). The answer is one JSON
// object, scenario to "ok" or why not.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { Web3 } = createRequire(new URL('../node/package.json', import.meta.url))('web3');
const { ethers } = createRequire(new URL('../node/package.json', import.meta.url))('ethers');

const [url, book] = [process.argv[2], JSON.parse(readFileSync(0))];
const web3 = new Web3(url);
const socket = new Web3(url.replace('http', 'ws'));
web3.eth.transactionPollingInterval = 50;
web3.handleRevert = web3.eth.handleRevert = true;
const rich = web3.eth.accounts.wallet.add('0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d').get(0).address;
const receiver = '0x00000000000000000000000000000000000A11CE';
const GWEI = 10n ** 9n;

const soon = (promise, what) =>
  Promise.race([promise, new Promise((_, reject) => setTimeout(() => reject(new Error(`no ${what} within 10 s`)),
    10000).unref())]);

function newNotebook() {
  return new web3.eth.Contract(book.abi).deploy({ data: book.creation }).send({ from: rich });
}

async function transfer(fields, type) {
  const before = await web3.eth.getBalance(receiver);
  const receipt = await web3.eth.sendTransaction({ from: rich, to: receiver, value: 5, ...fields });
  assert.deepEqual([receipt.status, receipt.type], [1n, type]);
  assert.equal(await web3.eth.getBalance(receiver), before + 5n);
  assert.equal((await web3.eth.getTransaction(receipt.transactionHash)).from, rich.toLowerCase());
}

const scenarios = {
  async network() {
    assert.deepEqual([await web3.eth.getChainId(), await web3.eth.net.getId()], [31337n, 31337n]);
    assert.equal((await web3.eth.getAccounts()).length, book.accounts);
    assert.ok((await web3.eth.getBalance(rich)) > 10n ** 18n);
    assert.equal(await web3.eth.isSyncing(), false);
    assert.match(await web3.eth.getNodeInfo(), /xinglin/);
    assert.equal(typeof (await web3.eth.net.isListening()), 'boolean');
  },
  async legacy() {
    await transfer({ type: 0, gasPrice: await web3.eth.getGasPrice(), gas: 21000 }, 0n);
  },
  async accessList() {
    const { accessList } = await web3.eth.createAccessList({ from: rich, to: receiver, value: 5 });
    await transfer({ type: 1, accessList, gasPrice: 10n * GWEI, gas: 30000 }, 1n);
  },
  async dynamicFee() {
    await transfer({}, 2n);
    const fees = await web3.eth.calculateFeeData();
    // Without a base fee this client names no fees.
    assert.ok(fees.baseFeePerGas === 0n || fees.maxFeePerGas > fees.baseFeePerGas);
    assert.ok((await web3.eth.getMaxPriorityFeePerGas()) >= BigInt(book.leastTip));
  },
  async fees() {
    const history = await web3.eth.getFeeHistory(2, 'latest', [10, 90]);
    assert.deepEqual([history.baseFeePerGas.length, history.gasUsedRatio.length, history.reward.length], [3, 2, 2]);
    const notes = await newNotebook();
    assert.ok((await notes.methods.set(7).estimateGas({ from: rich })) > 40000n);
  },
  async throughTheNode() {
    const [, , third] = await web3.eth.getAccounts();
    const signature = await web3.eth.sign('0x68656c6c6f', third);
    assert.equal(web3.eth.accounts.recover('hello', signature).toLowerCase(), third.toLowerCase());
    const tx = { from: third, to: receiver, value: '0x1', gas: '0x5208', gasPrice: '0x2540be400', nonce: '0x0' };
    const { raw } = await web3.eth.signTransaction(tx);
    assert.equal(web3.eth.accounts.recoverTransaction(raw).toLowerCase(), third.toLowerCase());
  },
  async typedData() {
    const domain = { name: 'notebook', version: '1', chainId: 31337, verifyingContract: receiver };
    const types = { Note: [{ name: 'from', type: 'address' }, { name: 'numbers', type: 'uint256[]' }] };
    const message = { from: rich, numbers: ['1', '2'] };
    const EIP712Domain = ['name:string', 'version:string', 'chainId:uint256',
      'verifyingContract:address'].map((field) => ({
      name: field.split(':')[0], type: field.split(':')[1] }));
    const signature = await web3.eth.signTypedData(rich, { types: { EIP712Domain, ...types }, primaryType: 'Note',
      domain, message });
    assert.equal(ethers.verifyTypedData(domain, types, message, signature), rich);
  },
  async contract() {
    const notes = await newNotebook();
    const receipt = await notes.methods.set(42).send({ from: rich });
    assert.equal(receipt.events.Noted.returnValues.value, 42n);
    assert.equal(await notes.methods.get().call(), 42n);
    assert.equal(await notes.methods.get().call({}, receipt.blockNumber - 1n), 0n);
    const past = await notes.getPastEvents('Noted', { filter: { who: rich }, fromBlock: receipt.blockNumber });
    assert.deepEqual(past.map(({ transactionHash, returnValues }) => [transactionHash, returnValues.value]),
      [[receipt.transactionHash, 42n]]);
    assert.equal(BigInt(await web3.eth.getStorageAt(notes.options.address, 0)), 42n);
    assert.ok((await web3.eth.getCode(notes.options.address)).length > 100);
    const { storageProof } = await web3.eth.getProof(notes.options.address, ['0x' + '00'.repeat(32)], 'latest');
    assert.equal(BigInt(storageProof[0].value), 42n);
  },
  async blocks() {
    const receipt = await web3.eth.sendTransaction({ from: rich, to: receiver, value: 1 });
    const block = await web3.eth.getBlock(receipt.blockHash, true);
    assert.deepEqual(block.transactions.map(({ hash }) => hash), [receipt.transactionHash]);
    assert.equal(await web3.eth.getBlockTransactionCount(block.hash), 1n);
    assert.equal((await web3.eth.getTransactionFromBlock(block.number, 0)).hash, receipt.transactionHash);
    assert.equal((await web3.eth.getBlock('pending')).parentHash, (await web3.eth.getBlock('latest')).hash);
    assert.deepEqual(await web3.eth.getPendingTransactions(), []);
  },
  async reverts() {
    const notes = await newNotebook();
    const isZero = ({ cause, reason, innerError,
      message }) => /zero/.test([message, reason, cause?.message, innerError?.message].join());
    await assert.rejects(notes.methods.set(0).call({ from: rich }), isZero);
    await assert.rejects(notes.methods.set(0).estimateGas({ from: rich }), isZero);
    await assert.rejects(notes.methods.set(0).send({ from: rich, gas: '100000' }), isZero);
  },
  async subscriptions() {
    const notes = await newNotebook();
    const heads = await socket.eth.subscribe('newBlockHeaders');
    const logs = await socket.eth.subscribe('logs', { address: notes.options.address });
    const pending = await socket.eth.subscribe('pendingTransactions');
    const first = (subscription) => new Promise((resolve, reject) => {
      subscription.on('data', resolve);
      subscription.on('error', reject);
    });
    const heard = Promise.all([heads, logs, pending].map(first));
    const { transactionHash, blockHash } = await notes.methods.set(9).send({ from: rich });
    const [head, log, hash] = await soon(heard, 'event');
    assert.deepEqual([head.parentHash, log.transactionHash, hash], [(await web3.eth.getBlock(blockHash)).parentHash,
      transactionHash, transactionHash]);
    const contract = new socket.eth.Contract(book.abi, notes.options.address);
    const noted = contract.events.Noted({ filter: { who: rich } });
    const value = new Promise((resolve) => noted.on('data', ({ returnValues }) => resolve(returnValues.value)));
    await soon(new Promise((resolve) => noted.on('connected', resolve)), 'subscription');
    await notes.methods.set(10).send({ from: rich });
    assert.equal(await soon(value, 'event'), 10n);
    for (const one of [heads, logs, pending]) await one.unsubscribe();
  },
  async impersonated() {
    const nobody = '0x00000000000000000000000000000000000b0b00';
    const ask = (method, ...params) => web3.requestManager.send({ method, params });
    await ask('anvil_setBalance', nobody, '0xde0b6b3a7640000');
    await ask('anvil_impersonateAccount', nobody);
    const receipt = await web3.eth.sendTransaction({ from: nobody, to: receiver, value: 1 }, undefined,
      { checkRevertBeforeSending: false });
    const block = await web3.eth.getBlock(receipt.blockNumber, true);
    assert.deepEqual(block.transactions.map(({ from, hash }) => [from, hash]), [[nobody, receipt.transactionHash]]);
  },
};

const answers = {};
for (const [name, scenario] of Object.entries(scenarios)) {
  answers[name] = await scenario().then(() => 'ok',
    (error) => String(error.stack) + (error.cause ? error.cause.stack : ''));
}
socket.provider.disconnect();
console.log(JSON.stringify(answers));
process.exit(0); // timers of the library would keep it for minutes
