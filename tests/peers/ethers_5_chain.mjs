// ethers 5, unmodified, against a chain: node ethers_5_chain.mjs URL, a notebook contract as JSON on stdin (abi,
// creation, error) and how many accounts the node holds (accounts). The answer is one JSON object: each scenario to
// "ok", or why not.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { inspect } from './inspect.mjs';

const { ethers } = createRequire(new URL('../node/package.json', import.meta.url))('ethers-5');
const { BigNumber, Contract, ContractFactory, Wallet, providers, utils } = ethers;

const [url, book] = [process.argv[2], JSON.parse(readFileSync(0))];
const provider = new providers.JsonRpcProvider(url);
const socket = new providers.WebSocketProvider(url.replace('http', 'ws'));
provider.pollingInterval = 50;
const rich = Wallet.fromMnemonic('test test test test test test test test test test test junk',
  "m/44'/60'/0'/0/1").connect(provider);
const receiver = '0x00000000000000000000000000000000000A11CE';

const soon = (promise, what) =>
  Promise.race([promise, new Promise((_, reject) => setTimeout(() => reject(new Error(`no ${what} within 10 s`)),
    10000).unref())]);

async function newNotebook() {
  return (await new ContractFactory(book.abi, book.creation, rich).deploy()).deployed();
}

async function transfer(fields, type) {
  const before = await provider.getBalance(receiver);
  const sent = await rich.sendTransaction({ to: receiver, value: 5, ...fields });
  const receipt = await sent.wait();
  assert.deepEqual([receipt.status, receipt.type, receipt.gasUsed.toNumber() >= 21000], [1, type, true]);
  assert.ok((await provider.getBalance(receiver)).sub(before).eq(5));
  assert.equal((await provider.getTransaction(sent.hash)).from, rich.address);
}

const scenarios = {
  async network() {
    assert.equal((await provider.getNetwork()).chainId, 31337);
    assert.equal((await provider.listAccounts()).length, book.accounts);
    assert.equal((await provider.getBlock(0)).number, 0);
    assert.ok((await rich.getBalance()).gt(utils.parseEther('1')));
  },
  async legacy() {
    await transfer({ type: 0, gasPrice: await provider.getGasPrice() }, 0);
  },
  async accessList() {
    await transfer({ type: 1, accessList: [{ address: receiver, storageKeys: [] }], gasPrice: utils.parseUnits('10',
      'gwei') }, 1);
  },
  async dynamicFee() {
    const { maxFeePerGas, maxPriorityFeePerGas, lastBaseFeePerGas } = await provider.getFeeData();
    assert.ok(maxFeePerGas.gt(lastBaseFeePerGas) && maxPriorityFeePerGas.gt(0));
    await transfer({}, 2);
  },
  async throughTheNode() {
    const signer = provider.getSigner(2);
    assert.equal((await (await signer.sendTransaction({ to: receiver, value: 1 })).wait()).status, 1);
    assert.equal(utils.verifyMessage('hello', await signer.signMessage('hello')), await signer.getAddress());
  },
  async typedData() {
    const domain = { name: 'notebook', version: '1', chainId: 31337, verifyingContract: receiver };
    const types = { Note: [{ name: 'from', type: 'address' }, { name: 'text', type: 'string' }, { name: 'numbers',
      type: 'uint256[]' }] };
    const value = { from: rich.address, text: 'hello', numbers: [1, 2] };
    const signer = provider.getSigner(1);
    const signature = await signer._signTypedData(domain, types, value);
    assert.equal(signature, await rich._signTypedData(domain, types, value));
    assert.equal(utils.verifyTypedData(domain, types, value, signature), rich.address);
  },
  async contract() {
    const notes = await newNotebook();
    const receipt = await (await notes.set(42)).wait();
    assert.deepEqual(receipt.events.map(({ event, args }) => [event, args.value.toNumber()]), [['Noted', 42]]);
    assert.ok((await notes.get()).eq(42));
    assert.ok((await notes.get({ blockTag: receipt.blockNumber - 1 })).eq(0));
    const found = await notes.queryFilter(notes.filters.Noted(rich.address), receipt.blockNumber);
    assert.deepEqual(found.map(({ transactionHash }) => transactionHash), [receipt.transactionHash]);
  },
  async listening() {
    const notes = await newNotebook();
    const heard = new Promise((resolve) => notes.once('Noted', (who, value) => resolve([who, value.toNumber()])));
    await new Promise((resolve) => setTimeout(resolve, 200)); // polling has begun
    await (await notes.set(9)).wait();
    assert.deepEqual(await soon(heard, 'event'), [rich.address, 9]);
  },
  async subscriptions() {
    const notes = (await newNotebook()).connect(socket);
    const heard = new Promise((resolve) => notes.once('Noted', (who, value) => resolve(value.toNumber())));
    const block = new Promise((resolve) => socket.once('block', resolve));
    const pending = new Promise((resolve) => socket.once('pending', resolve));
    await new Promise((resolve) => setTimeout(resolve, 50)); // this client asks for its subscriptions a little later,
    await Promise.all(Object.values(socket._subIds)); // and loses what comes in one piece with their answers
    const sent = await notes.connect(rich).set(11);
    assert.deepEqual(await soon(Promise.all([heard, pending]), 'event'), [11, sent.hash]);
    assert.ok((await soon(block, 'block')) > 0);
  },
  async reverts() {
    const notes = await newNotebook();
    await assert.rejects(notes.callStatic.set(0), ({ code, reason }) => code === 'CALL_EXCEPTION' && reason === 'zero');
    await assert.rejects(notes.estimateGas.set(0), ({ code, reason }) => code === 'UNPREDICTABLE_GAS_LIMIT'
      && reason === 'execution reverted: zero');
    const sent = await notes.set(0, { gasLimit: 100000 });
    await assert.rejects(sent.wait(), ({ code, receipt }) => code === 'CALL_EXCEPTION' && receipt.status === 0);
  },
  async refusals() {
    await assert.rejects(Wallet.createRandom().connect(provider).sendTransaction({ to: receiver, value: 1,
      gasLimit: 21000 }), { code: 'INSUFFICIENT_FUNDS' });
    await assert.rejects(rich.sendTransaction({ to: receiver, nonce: 0 }), { code: 'NONCE_EXPIRED' });
  },
  async impersonated() {
    const nobody = '0x00000000000000000000000000000000000b0b00';
    await provider.send('hardhat_setBalance', [nobody, utils.hexValue(utils.parseEther('1'))]);
    await provider.send('hardhat_impersonateAccount', [nobody]);
    for (const gas of [{ gasPrice: utils.parseUnits('10', 'gwei') }, {}]) {
      const receipt = await (await provider.getSigner(nobody).sendTransaction({ to: receiver, value: 1,
        ...gas })).wait();
      const { transactions } = await provider.getBlockWithTransactions(receipt.blockHash);
      assert.deepEqual(transactions.map(({ from, hash }) => [from.toLowerCase(), hash]), [[nobody,
        receipt.transactionHash]]);
    }
  },
  async inspected() {
    const notes = await newNotebook();
    const { transactionHash } = await (await notes.set(7)).wait();
    const data = notes.interface.encodeFunctionData('set', [8]);
    const looked = await inspect((method, params) => provider.send(method, params),
      { contract: notes.address, transaction: transactionHash, value: 7, data, sender: rich.address });
    for (const [name, answer] of Object.entries(looked)) assert.equal(answer, 'ok', `${name}: ${answer}`);
  },
};

const answers = {};
for (const [name, scenario] of Object.entries(scenarios)) {
  answers[name] = await scenario().then(() => 'ok', (error) => String(error.stack));
}
await socket.destroy();
console.log(JSON.stringify(answers));
