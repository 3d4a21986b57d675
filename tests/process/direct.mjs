// Asks a node directly, without our client: ethers opens the wallet's key file and signs what wire-formats.md §5 says.
//   node direct.mjs get   ACCOUNT.json PASSWORD DEPLOYMENT.json GATE ITEM     → {"status", "body"}
//   node direct.mjs send  ACCOUNT.json PASSWORD DEPLOYMENT.json TO DATA       → {"hash"} or {"error"}
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../node/package.json', import.meta.url));
const { JsonRpcProvider, Wallet, hexlify, randomBytes } = require('ethers');

const [verb, accountFile, password, deploymentFile, to, what] = process.argv.slice(2);
const deployment = JSON.parse(readFileSync(deploymentFile, 'utf8'));
const wallet = Wallet.fromEncryptedJsonSync(readFileSync(accountFile, 'utf8'), password);

async function get() {
  const expiry = Math.floor(Date.now() / 1000) + 60;
  const nonce = BigInt(hexlify(randomBytes(8)));
  const domain = {
    name: 'xinglin blob', version: '1', chainId: deployment.chainId, verifyingContract: to, salt: deployment.genesis,
  };
  const types = {
    BlobRequest: [
      { name: 'action', type: 'string' }, { name: 'node', type: 'address' }, { name: 'name', type: 'bytes32' },
      { name: 'part', type: 'uint32' }, { name: 'expiry', type: 'uint64' }, { name: 'nonce', type: 'uint64' },
    ],
  };
  const request = { action: 'get', node: deployment.sealer, name: what, part: 0, expiry, nonce };
  const signature = await wallet.signTypedData(domain, types, request);
  const credentials = `account=${wallet.address},expiry=${expiry},nonce=${nonce},signature=${signature}`;
  const headers = { Authorization: `Xinglin ${credentials}` };
  const answer = await fetch(`${deployment.rpc}/blobs/${to}/${what}`, { headers });
  return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()).toString('latin1').slice(0, 500) };
}

async function send() {
  const provider = new JsonRpcProvider(deployment.rpc, deployment.chainId, { staticNetwork: true });
  try {
    const sent = await wallet.connect(provider).sendTransaction({
      to, data: what, gasLimit: 500000, maxFeePerGas: 0, maxPriorityFeePerGas: 0,
    });
    let receipt = null;
    for (let i = 0; i < 100 && !receipt; i++) {
      receipt = await provider.getTransactionReceipt(sent.hash);
      if (!receipt) await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return { hash: sent.hash, status: receipt ? receipt.status : null };
  } catch (error) {
    return { error: String(error.message).slice(0, 500) };
  } finally {
    provider.destroy();
  }
}

console.log(JSON.stringify(await (verb === 'get' ? get() : send())));
