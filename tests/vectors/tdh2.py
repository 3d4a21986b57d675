#!/usr/bin/env python3
"""Locks of crypto/threshold/tdh2.h, made a second time with plain integers: prints the vectors of tdh2_test.c."""
import hashlib
import hmac

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
A, B = P - 3, 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)


def add(p, q):
    if p is None or q is None:
        return p or q
    if p[0] == q[0] and (p[1] + q[1]) % P == 0:
        return None
    if p == q:
        slope = (3 * p[0] * p[0] + A) * pow(2 * p[1], -1, P)
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, P)
    x = (slope * slope - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


def times(k, p):
    product = None
    while k:
        product = add(product, p) if k & 1 else product
        p, k = add(p, p), k >> 1
    return product


def element(p):
    return bytes([2 + p[1] % 2]) + p[0].to_bytes(32, "big")


def expand(message, domain, length):
    """RFC 9380, 5.3.1."""
    tag = domain + bytes([len(domain)])
    first = hashlib.sha256(bytes(64) + message + length.to_bytes(2, "big") + b"\0" + tag).digest()
    blocks, block = [], bytes(32)
    for i in range(1, -(-length // 32) + 1):
        block = hashlib.sha256(bytes(a ^ b for a, b in zip(first, block)) + bytes([i]) + tag).digest()
        blocks.append(block)
    return b"".join(blocks)[:length]


def map_to_curve(u):
    """RFC 9380, 6.6.2."""
    z = P - 10
    v = z * u * u % P
    x = (-B * pow(A, -1, P) * (1 + pow(v * v + v, -1, P))) % P
    for candidate in (x, v * x % P):
        square = (candidate**3 + A * candidate + B) % P
        y = pow(square, (P + 1) // 4, P)
        if y * y % P == square:
            return candidate, y if y % 2 == u % 2 else P - y
    raise AssertionError


def hash_to_point(message, domain):
    wide = expand(message, domain, 96)
    return add(*(map_to_curve(int.from_bytes(half, "big") % P) for half in (wide[:48], wide[48:])))


# --- AES-256-GCM with the IV 0 and no further data ---

def times_2(a):
    return a << 1 ^ (0x11B if a & 0x80 else 0)


def times_8(a, b):
    product = 0
    while b:
        product, a, b = product ^ (a if b & 1 else 0), times_2(a), b >> 1
    return product


def substitute(a):
    inverse = next((b for b in range(256) if times_8(a, b) == 1), 0)
    turned = [inverse]
    for _ in range(4):
        turned.append((turned[-1] << 1 | turned[-1] >> 7) & 255)
    return turned[0] ^ turned[1] ^ turned[2] ^ turned[3] ^ turned[4] ^ 0x63


BOX = [substitute(a) for a in range(256)]


def aes(key, block):
    words, constant = [key[i:i + 4] for i in range(0, 32, 4)], 1
    while len(words) < 60:
        word = words[-1]
        if len(words) % 8 == 0:
            word = bytes(BOX[b] for b in word[1:] + word[:1])
            word, constant = bytes([word[0] ^ constant]) + word[1:], times_2(constant)
        elif len(words) % 8 == 4:
            word = bytes(BOX[b] for b in word)
        words.append(bytes(a ^ b for a, b in zip(word, words[-8])))
    keys = [b"".join(words[i:i + 4]) for i in range(0, 60, 4)]
    state = bytes(a ^ b for a, b in zip(block, keys[0]))
    for turn in range(1, 15):
        state = [BOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if turn < 14:
            state = [times_8(state[4 * c + r], 2) ^ times_8(state[4 * c + (r + 1) % 4], 3) ^
                     state[4 * c + (r + 2) % 4] ^ state[4 * c + (r + 3) % 4] for c in range(4) for r in range(4)]
        state = bytes(a ^ b for a, b in zip(state, keys[turn]))
    return state


def ghash_product(a, b):
    product = 0
    for i in range(128):
        if b >> (127 - i) & 1:
            product ^= a
        a = a >> 1 ^ (0xE1 << 120 if a & 1 else 0)
    return product


def gcm(key, message):
    """tag || ciphertext"""
    def counter(i):
        return aes(key, bytes(12) + i.to_bytes(4, "big"))
    text = b"".join(bytes(a ^ b for a, b in zip(message[i:i + 16], counter(2 + i // 16)))
                    for i in range(0, len(message), 16))
    h, sum_ = int.from_bytes(aes(key, bytes(16)), "big"), 0
    padded = text + bytes(-len(text) % 16) + bytes(8) + (8 * len(text)).to_bytes(8, "big")
    for i in range(0, len(padded), 16):
        sum_ = ghash_product(sum_ ^ int.from_bytes(padded[i:i + 16], "big"), h)
    return bytes(a ^ b for a, b in zip(sum_.to_bytes(16, "big"), counter(1))) + text


def hkdf(secret, info):
    key = hmac.new(bytes(32), secret, hashlib.sha256).digest()
    return hmac.new(key, info + b"\1", hashlib.sha256).digest()


def lock(x, r, s, label, message):
    h = hash_to_point(b"", b"xinglin/outer/1 second generator")
    shared = times(r, times(x, G))
    text = gcm(hkdf(shared[0].to_bytes(32, "big"), b"xinglin/outer/1" + label), message)
    u, v = times(r, G), times(r, h)
    said = hashlib.sha256(text).digest() + len(label).to_bytes(4, "big") + label
    said += b"".join(map(element, (u, times(s, G), v, times(s, h))))
    e = int.from_bytes(expand(said, b"xinglin/outer/1 challenge", 48), "big") % N
    f = (s + r * e) % N
    return element(u) + element(v) + e.to_bytes(32, "big") + f.to_bytes(32, "big") + text, shared


def main():
    # FIPS 197, C.3, and SP 800-38D, test case 13
    assert aes(bytes(range(32)), bytes(i * 17 for i in range(16))).hex() == "8ea2b7ca516745bfeafc49904b496089"
    assert gcm(bytes(32), b"").hex() == "530f8afbc74536b9a963b4f1c4cb738b"
    for x, r, s, label, message in ((7, 11, 13, b"", b""), (2**255 + 1, 3**100, 5**99, b"label", b"a lead of a record"),
                                    (N - 1, N - 2, N - 3, bytes(range(84)), bytes(100))):
        made, shared = lock(x, r % N, s % N, label, message)
        print(f"{x % N:064x} {r % N:064x} {s % N:064x} {label.hex()} {message.hex()}")
        print(f"    {made.hex()} {element(shared).hex()}")


if __name__ == "__main__":
    main()
