// ethers, unmodified, sends a blob transaction: node ethers_blobs.mjs URL, [{ data, commitment, proof }, …] as JSON on
// stdin, where a
// proof is a blob's cell proofs in one piece. Ends well or throws.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { ethers } = createRequire(new URL('../node/package.json', import.meta.url))('ethers');
const blobs = JSON.parse(readFileSync(0));
const provider = new ethers.JsonRpcProvider(process.argv[2], undefined, { batchMaxCount: 1, cacheTimeout: -1,
  pollingInterval: 50 });
const wallet = ethers.HDNodeWallet.fromPhrase('test test test test test test test test test test test junk', '',
  "m/44'/60'/0'/0/3").connect(provider);

const sent = await wallet.sendTransaction({ type: 3, to: wallet.address, maxFeePerBlobGas: 10n, blobs,
  blobWrapperVersion: 1 });
const receipt = await sent.wait();
assert.equal(receipt.status, 1);
assert.equal(receipt.type, 3);
assert.equal(receipt.blobGasUsed, BigInt(blobs.length) << 17n);
assert.equal(receipt.blobGasPrice, 1n);
const found = await provider.getTransaction(sent.hash);
assert.deepEqual(found.blobVersionedHashes, sent.blobVersionedHashes);
assert.equal(found.maxFeePerBlobGas, 10n);
const block = await provider.getBlock(receipt.blockNumber);
assert.equal(block.blobGasUsed, receipt.blobGasUsed);
