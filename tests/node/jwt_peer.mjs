// The npm package `jose` as an OAuth 2 issuer's hand. One JSON request a line, one JSON answer a line:
// {"make": kid, "alg": "RS256"} makes a key and answers with its public JWK;
// {"sign": kid, "header": {…}, "claims": {…}} answers with a token, signed as the header's alg says (or the key's);
// {"hmac": kid, "header": {…}, "claims": {…}} signs with HS256 and the public key's PEM as the secret.
import { createInterface } from 'node:readline';
import { CompactSign, exportJWK, exportSPKI, generateKeyPair } from 'jose';

const keys = new Map();

async function answer(request) {
  if (request.make) {
    const pair = await generateKeyPair(request.alg, { extractable: true });
    keys.set(request.make, { ...pair, alg: request.alg });
    return { ...(await exportJWK(pair.publicKey)), kid: request.make, alg: request.alg, use: 'sig' };
  }
  const key = keys.get(request.sign ?? request.hmac);
  const claims = new TextEncoder().encode(request.text ?? JSON.stringify(request.claims));
  if (request.hmac) {
    const secret = new TextEncoder().encode(await exportSPKI(key.publicKey));
    return new CompactSign(claims).setProtectedHeader({ alg: 'HS256', ...request.header }).sign(secret);
  }
  return new CompactSign(claims).setProtectedHeader({ alg: key.alg, ...request.header }).sign(key.privateKey);
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
