// ethers' WebSocketProvider, unmodified: node ethers_websocket.mjs URL, a notebook contract as JSON on stdin (abi,
// creation).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { ethers } = createRequire(new URL('../node/package.json', import.meta.url))('ethers');
const { ContractFactory, HDNodeWallet, WebSocketProvider } = ethers;

const notebook = JSON.parse(readFileSync(0));
const provider = new WebSocketProvider(process.argv[2], undefined, { cacheTimeout: -1 });
const phrase = 'test test test test test test test test test test test junk';
const wallet = HDNodeWallet.fromPhrase(phrase, '', "m/44'/60'/0'/0/2").connect(provider);
const answers = {};

const block = new Promise((resolve) => provider.once('block', resolve));
const pending = new Promise((resolve) => provider.once('pending', resolve));
await provider.getBlockNumber();
await new Promise((resolve) => setTimeout(resolve, 300)); // until both subscriptions stand
const sent = await wallet.sendTransaction({ to: wallet.address, value: 1n });
assert.equal(await pending, sent.hash);
answers.pending = 'ok';
assert.equal(await block, (await sent.wait()).blockNumber);
answers.blocks = 'ok';

const contract = await new ContractFactory(notebook.abi, notebook.creation, wallet).deploy();
await contract.waitForDeployment();
const reported = new Promise((resolve) => contract.once('Noted', (...args) => resolve(args.at(-1))));
await new Promise((resolve) => setTimeout(resolve, 300));
const call = await contract.set(7n);
assert.equal((await reported).log.transactionHash, call.hash);
answers.events = 'ok';

process.stdout.write(JSON.stringify(answers), () => process.exit(0));
