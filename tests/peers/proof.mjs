// An independent verifier of eth_getProof (EIP-1186), by the Yellow Paper's appendix D, on ethers' RLP and Keccak.
import { createRequire } from 'node:module';

const { ethers } = createRequire(new URL('../node/package.json', import.meta.url))('ethers');
const { decodeRlp, keccak256 } = ethers;
const nibbles = (hex) => [...hex.slice(2)].map((digit) => parseInt(digit, 16));

// The value under keccak(key), or null where the proof shows that there is none; throws where it proves neither.
function find(root, key, proof) {
  let path = nibbles(keccak256(key));
  let wanted = root;
  const nodes = [...proof];
  for (;;) {
    let node = wanted;
    if (typeof wanted === 'string') {
      if (wanted === '0x') return null;
      const next = nodes.shift();
      if (next === undefined
        || keccak256(next) !== wanted) throw new Error('a node is not the one that its parent names');
      node = decodeRlp(next);
    }
    if (node.length === 17) {
      wanted = node[path[0]];
      path = path.slice(1);
      continue;
    }
    const compact = nibbles(node[0]);
    const part = compact.slice(compact[0] & 1 ? 1 : 2);
    const fits = part.every((nibble, i) => nibble === path[i]);
    if (!fits) return null;
    path = path.slice(part.length);
    if (compact[0] & 2) return path.length ? null : node[1];
    wanted = node[1];
  }
}

// Of an answer of eth_getProof against a state root: the account and its slots hold what the answer says. Throws where
// they do not.
export function verify(stateRoot, answer) {
  const [nonce, balance, storage, code] = decodeRlp(find(stateRoot, answer.address, answer.accountProof));
  const equal = (a, b) => BigInt(a === '0x' ? 0 : a) === BigInt(b);
  if (!equal(nonce, answer.nonce) || !equal(balance, answer.balance) || storage !== answer.storageHash
    || code !== answer.codeHash)
    throw new Error('the account is another');
  for (const { key, value, proof } of answer.storageProof) {
    const found = find(storage, ethers.zeroPadValue(ethers.toBeHex(key), 32), proof);
    if (!equal(found === null ? 0 : decodeRlp(found), value)) throw new Error('a slot holds another value');
  }
}
