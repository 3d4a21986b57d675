// The npm package `jose` as a peer of our envelopes: node jose_peer.mjs seal|open KEY.jwk [HEADER], stdin to stdout.
import { readFileSync, writeSync } from 'node:fs';
import { CompactEncrypt, compactDecrypt, importJWK } from 'jose';

const [verb, keyFile, header = '{}'] = process.argv.slice(2);
const jwk = JSON.parse(readFileSync(keyFile, 'utf8'));
const input = readFileSync(0);
const alg = jwk.kty === 'EC' ? 'ECDH-ES+A256KW' : 'dir';
const bare = { ...jwk };
delete bare.alg;
if (verb === 'seal') delete bare.d;
const key = await importJWK(bare, alg);

if (verb === 'seal') {
  const protectedHeader = { alg, enc: 'A256GCM', ...JSON.parse(header) };
  writeSync(1, await new CompactEncrypt(input).setProtectedHeader(protectedHeader).encrypt(key));
} else {
  const options = { keyManagementAlgorithms: [alg], contentEncryptionAlgorithms: ['A256GCM'] };
  const { plaintext } = await compactDecrypt(input.toString(), key, options);
  writeSync(1, plaintext);
}
