// The npm package `ethers` as a peer of our key files: node ethers_peer.mjs seal|open PASSWORD, stdin to stdout.
import { readFileSync, writeSync } from 'node:fs';
import { Wallet, decryptKeystoreJson, encryptKeystoreJson, getBytes, hexlify } from 'ethers';

const [verb, password] = process.argv.slice(2);
const input = readFileSync(0);

if (verb === 'seal') {
  const { address, privateKey } = new Wallet(hexlify(input));
  writeSync(1, await encryptKeystoreJson({ address, privateKey }, password, { scrypt: { N: 4096, r: 8, p: 1 } }));
} else {
  writeSync(1, getBytes((await decryptKeystoreJson(input.toString(), password)).privateKey));
}
