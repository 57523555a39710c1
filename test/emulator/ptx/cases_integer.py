"""Bit operations and integer arithmetic, in Python's integers of any size.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
from case import Arrays, Case, Expected, Launch

BOTH = ("sm_80", "sm_90a")
WORD = 2**32 - 1
LONG = 2**64 - 1


def _edgy(rng: np.random.Generator, bits: int, n: int) -> np.ndarray:
    """Random words, a third of them at the edges of their range, as unsigned numbers."""
    words = rng.integers(0, 2**bits, n, np.uint64 if bits == 64 else np.uint32)
    edges = [0, 1, 2, 2 ** (bits - 1), 2 ** (bits - 1) - 1, 2**bits - 1, 2**bits - 2, 255]
    at = rng.random(n) < 1 / 3
    words[at] = rng.choice(np.array(edges, words.dtype), int(at.sum()))
    small = rng.random(n) < 1 / 4
    words[small] %= np.array(1000, words.dtype)
    return words


def signed(value: int, bits: int) -> int:
    """The two's complement number with the low bits of `value`."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _bits_inputs(rng: np.random.Generator) -> Arrays:
    return {name: _edgy(rng, 32, 300) for name in "xyz"}


def _bits(inputs: Arrays) -> dict[str, Expected]:
    rows, wide = [], []
    for a, b, c in zip(*(inputs[name].tolist() for name in "xyz")):
        rows.append([value & WORD for value in _bit_row(a, b, c)])
        word = a << 32 | b
        at, count = c & 127, c >> 8 & 127
        shifted = (word << (c & 63)) ^ (signed(word, 64) >> (c >> 8 & 63))
        wide.append(
            [
                int(f"{word:064b}"[::-1], 2),
                extract(word, at, count, 64, False) & LONG,
                extract(word, at, count, 64, True) & LONG,
                shifted & LONG,
            ]
        )
    return {
        "out": Expected(np.array(rows, np.uint32)),
        "wide": Expected(np.array(wide, np.uint64)),
    }


def extract(word: int, at: int, count: int, bits: int, sign: bool) -> int:
    """bfe: a field of `count` bits; a signed one is extended from its top bit, which past
    the word's end is the word's own."""
    field = (word >> at) & ((1 << count) - 1)
    if not sign or count == 0:
        return field
    top = word >> min(at + count - 1, bits - 1) & 1
    reach = max(0, min(count, bits - at))
    return field | (-1 << reach) if top else field


def permute(a: int, b: int, selectors: list[int]) -> int:
    """prmt: bytes of b:a; bit 3 of a selector replicates the byte's sign."""
    pool = (b << 32 | a).to_bytes(8, "little")
    out = []
    for selector in selectors:
        byte = pool[selector & 7]
        out.append((0xFF if byte >> 7 else 0) if selector & 8 else byte)
    return int.from_bytes(bytes(out), "little")


def _bit_row(a: int, b: int, c: int) -> list[int]:
    def halves(value: int, sign: bool) -> list[int]:
        words = [value & 0xFFFF, value >> 16]
        return [signed(w, 16) for w in words] if sign else words

    def bytes_of(value: int, sign: bool) -> list[int]:
        parts = value.to_bytes(4, "little")
        return [signed(p, 8) for p in parts] if sign else list(parts)

    def dot(x: list[int], y: list[int]) -> int:
        return sum(p * q for p, q in zip(x, y))

    lead = 32 - a.bit_length()
    first = (a & -a).bit_length()
    flipped = ~a & WORD if a >> 31 else a
    field, width = c & 63, c >> 8 & 63
    mask = ((1 << width) - 1) << field & WORD
    mode, wrap, clamp = c & 3, c & 31, min(c & 127, 32)
    word = a << 32 | b
    turned = b << 32 | a  # shf takes the high word second
    maxima = [max(p, q) & 0xFFFF for p, q in zip(halves(a, True), halves(b, True))]
    greater = [0xFFFF * (p > q) for p, q in zip(halves(a, False), halves(b, False))]
    sums = [(p + q) & 255 for p, q in zip(bytes_of(a, False), bytes_of(b, False))]
    gaps = [abs(p - q) for p, q in zip(bytes_of(a, False), bytes_of(b, False))]
    return [
        a.bit_count(),
        lead,
        int(f"{a:032b}"[::-1], 2),
        first,
        word.bit_count(),
        64 - word.bit_length(),
        flipped.bit_length() - 1,
        31 - (a.bit_length() - 1) if a else WORD,
        extract(a, b & 63, c & 63, 32, False),
        extract(a, b & 63, c & 63, 32, True),
        (b & ~mask) | ((a << field) & mask),
        permute(a, b, [c >> 4 * i & 15 for i in range(4)]),
        permute(a, b, [mode + i for i in range(4)]),
        permute(a, b, [(mode - i) % 8 for i in range(4)]),
        permute(a, b, [mode] * 4),
        permute(a, b, [max(mode, i) for i in range(4)]),
        permute(a, b, [min(mode, i) for i in range(4)]),
        permute(a, b, [(mode & 1) * 2 + i % 2 for i in range(4)]),
        turned << wrap >> 32,
        turned << clamp >> 32,
        turned >> wrap,
        turned >> clamp,
        abs(a - b) + c,
        a << (c & 63),
        a >> (c & 63),
        signed(a, 32) >> (c & 63),
        a ^ b ^ c,
        (a & b) | (a & c) | (b & c),
        _table(0x1B, a, b, c),
        dot(bytes_of(a, True), bytes_of(b, True)) + c,
        dot(bytes_of(a, False), bytes_of(b, False)) + c,
        dot(halves(a, True), bytes_of(b, True)[:2]) + c,
        dot(halves(a, False), bytes_of(b, False)[2:]) + c,
        int.from_bytes(bytes(sums), "little"),
        maxima[0] | maxima[1] << 16,
        int.from_bytes(bytes(gaps), "little"),
        greater[0] | greater[1] << 16,
        signed(a, 24) * signed(b, 24),
        a * b >> 32,
        (a & ~b) | (b ^ c),
    ]


def _table(table: int, a: int, b: int, c: int) -> int:
    out = 0
    for i in range(32):
        index = (a >> i & 1) << 2 | (b >> i & 1) << 1 | (c >> i & 1)
        out |= (table >> index & 1) << i
    return out


def _integer_inputs(rng: np.random.Generator) -> Arrays:
    words = {name: _edgy(rng, 32, 300).view(np.int32) for name in "xyz"}
    halves = {name: _edgy(rng, 16, 300).astype(np.uint16).view(np.int16) for name in ("h", "g")}
    return words | halves | {name: _edgy(rng, 64, 300).view(np.int64) for name in ("l", "m")}


def quotient(a: int, b: int) -> int:
    """a / b, towards zero."""
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _safe(a: int, b: int, bits: int) -> int:
    return 3 if b == 0 or (a == -(2 ** (bits - 1)) and b == -1) else b


def _word_row(a: int, b: int, c: int) -> list[int]:
    ua, ub, uc, safe = a & WORD, b & WORD, c & WORD, _safe(a, b, 32)
    usafe = safe & WORD
    low24 = signed(a, 24) * signed(b, 24)
    high24 = (ua & 0xFFFFFF) * (ub & 0xFFFFFF) >> 16

    def clamp(v: int) -> int:
        return min(max(v, -(2**31)), 2**31 - 1)

    return [
        a * b + c,
        a * b >> 32,
        ua * ub >> 32,
        quotient(a, safe),
        a - quotient(a, safe) * safe,
        ua // usafe,
        ua % usafe,
        quotient(a, 7) + ua // 10,
        (a * b >> 32) + c,
        clamp(a + b),
        clamp(a - b),
        low24,
        high24 + c,
        min(a, b) ^ max(ua, uc),
        abs(a) - c,
        -a ^ ~b,
    ]


def _half_row(a: int, b: int, i: int) -> tuple[list[int], list[int]]:
    ua, ub, safe = a & 0xFFFF, b & 0xFFFF, _safe(a, b, 16)
    row = [
        a * b,
        a * b >> 16,
        ua * ub + ua,
        quotient(a, safe),
        a - quotient(a, safe) * safe,
        a >> (b & 31),
        min(a, b),
        max(ua, ub),
    ]
    return row, [a * b, ua * ub + i]


def _long_row(a: int, b: int, i: int) -> list[int]:
    ua, ub, safe = a & LONG, b & LONG, _safe(a, b, 64)
    square = a * b + a
    x0, x1, y0, y1 = ua & WORD, ua >> 32, ub & WORD, ub >> 32
    total = (x1 << 32 | x0) + (y1 << 32 | y0)
    s2 = total >> 64
    low = (total & LONG) - (x0 << 32 | x1)  # the words of a swapped, as the borrows take them
    s2 = (s2 + (low >> 64)) & WORD
    low = ((low & LONG) + x0 * y0) & LONG
    return [
        a * b + 5,
        a * b >> 64,
        ua * ub >> 64,
        quotient(a, safe),
        a - quotient(a, safe) * safe,
        ua // (safe & LONG),
        ua % (safe & LONG),
        signed(a, 32) * signed(b, 32) + a,
        x0 * y0,
        abs(a) ^ min(a, b) ^ max(ua, ub),
        square,
        square >> 64,
        (square << (i & 63)) >> 64,
        low ^ s2 << 7,
    ]


def _integers(inputs: Arrays) -> dict[str, Expected]:
    x, y, z, h, g, l, m = (inputs[name].tolist() for name in "xyzhglm")
    words = [[signed(v, 32) for v in _word_row(*abc)] for abc in zip(x, y, z)]
    halves = [_half_row(a, b, i) for i, (a, b) in enumerate(zip(h, g))]
    longs = [_long_row(a, b, i) for i, (a, b) in enumerate(zip(l, m))]
    return {
        "words": Expected(np.array(words, np.int32)),
        "halves": Expected(
            np.array([[signed(v, 16) for v in row] for row, _ in halves], np.int16)
        ),
        "wide": Expected(
            np.array([[signed(v, 32) for v in row] for _, row in halves], np.int32)
        ),
        "longs": Expected(np.array([[signed(v, 64) for v in row] for row in longs], np.int64)),
    }


CASES = [
    Case(
        name="bits",
        program="bits",
        archs=BOTH,
        make_inputs=_bits_inputs,
        outputs={"out": ((300, 40), np.uint32), "wide": ((300, 4), np.uint64)},
        launches=lambda arch: [
            Launch(
                "bits", (3, 1, 1), (128, 1, 1), ["x", "y", "z", "out", "wide", np.int32(300)]
            )
        ],
        reference=_bits,
        covers="popc clz brev bfind bfe bfi prmt (all modes) shf lop3 dp4a dp2a sad shifts",
    ),
    Case(
        name="integers",
        program="integers",
        archs=BOTH,
        make_inputs=_integer_inputs,
        outputs={
            "words": ((300, 16), np.int32),
            "halves": ((300, 8), np.int16),
            "wide": ((300, 2), np.int32),
            "longs": ((300, 14), np.int64),
        },
        launches=lambda arch: [
            Launch("words", (3, 1, 1), (128, 1, 1), ["x", "y", "z", "words", np.int32(300)]),
            Launch(
                "halfwords", (3, 1, 1), (128, 1, 1), ["h", "g", "halves", "wide", np.int32(300)]
            ),
            Launch("doublewords", (5, 1, 1), (64, 1, 1), ["l", "m", "longs", np.int32(300)]),
        ],
        reference=_integers,
        covers="mul mad div rem of 16, 32, 64 bits; saturation, carries, 128 bits",
    ),
]
