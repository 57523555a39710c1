"""Control flow: local arrays, calls, divergence, votes and shuffles.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
from case import Arrays, Case, Expected, Launch

BOTH = ("sm_80", "sm_90a")
WORD = 2**32 - 1


def _local_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "x": rng.integers(-1000, 1000, (150, 24), np.int32),
        "count": rng.integers(0, 25, 150, np.int32),
        "start": rng.integers(0, 99, 150, np.int32),
        "steps": rng.integers(0, 40, 150, np.int32),
    }


def _local(inputs: Arrays) -> dict[str, Expected]:
    out = inputs["x"].copy()
    for row, n in zip(out, inputs["count"]):
        row[:n] = np.sort(row[:n])
    sums = np.zeros(150)
    for i in range(150):
        weights = [j - 8 for j in range(16)]
        at = int(inputs["start"][i]) & 15
        for _ in range(inputs["steps"][i]):
            sums[i] += (at * 0.5 + i) * weights[at]
            weights[at] += 1
            at = (at * 7 + 3) % 16
    return {"out": Expected(out), "sums": Expected(sums)}


def _calls_inputs(rng: np.random.Generator) -> Arrays:
    lengths = rng.integers(0, 30, 40)
    lengths[3] = 0
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return {
        "m": rng.integers(0, 3, 64, np.int32),
        "n": rng.integers(0, 6, 64, np.int32),
        "data": rng.integers(0, 50, int(offsets[-1]), np.int32),
        "offsets": offsets,
    }


def _calls(inputs: Arrays) -> dict[str, Expected]:
    m, n = (inputs[name].astype(np.int64) for name in "mn")
    i = np.arange(64)
    z = (0.6 + 0.8j) ** n
    ackermann = np.select([m == 0, m == 1], [n + 1, n + 2], 2 * n + 3)
    a, b = 1000003 * (i + 1), m - 5
    quotient = (np.abs(a) // np.abs(b)) * np.sign(a) * np.sign(b)  # towards zero
    offsets = inputs["offsets"]
    pieces = [np.sort(inputs["data"][a:b]) for a, b in zip(offsets, offsets[1:])]
    mixed = (i - 64) + (65535 - i) * 0.5
    return {
        "out": Expected(ackermann.astype(np.int32)),
        "powers": Expected(np.stack([z.real, z.imag], 1), 1e-14),
        "quotients": Expected(quotient.astype(np.int32)),
        "remainders": Expected((a - quotient * b).astype(np.int32)),
        "mixes": Expected(np.where(i % 3, mixed, 2.0**40)),
        "data": Expected(np.concatenate(pieces).astype(np.int32)),
    }


def _indirect_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "which": rng.integers(0, 3, 100, np.int32),
        "a": rng.integers(-99, 99, 100, np.int32),
        "b": rng.integers(-99, 99, 100, np.int32),
        "x": rng.integers(0, 64, 100).astype(np.float32),
    }


def _indirect(inputs: Arrays) -> dict[str, Expected]:
    which, a, b, x = (inputs[name] for name in ("which", "a", "b", "x"))
    wide = x.astype(np.float64)
    return {
        "out": Expected(np.select([which == 0, which == 1], [a + b, a - b], a * b)),
        "areas": Expected(np.where(which % 2, wide**2, wide * 1.5)),
    }


def _divergence_inputs(rng: np.random.Generator) -> Arrays:
    start = rng.integers(1, 3000, 90, np.int32)
    start[::11] = -start[::11]
    return {
        "start": start,
        "programs": rng.integers(0, 2**64, 200, np.uint64),
        "peak": np.zeros(90, np.int32),
        "lock": np.zeros(1, np.int32),
        "holders": np.zeros(1, np.int32),
        "flags": np.zeros(64, np.int32),
    }


def _divergence(inputs: Arrays) -> dict[str, Expected]:
    counts = np.zeros((41, 50), np.int32)
    for (y, x), _ in np.ndenumerate(counts):
        c, zr, zi = (-2 + x * 0.0625, -1.25 + y * 0.0625), 0.0, 0.0
        while counts[y, x] < 60 and zr * zr + zi * zi <= 4:
            zr, zi = zr * zr - zi * zi + c[0], zr * zi + zr * zi + c[1]
            counts[y, x] += 1
    lengths, peaks = zip(*(_collatz(int(v)) for v in inputs["start"]))
    machine = [_machine(int(p), i) for i, p in enumerate(inputs["programs"])]
    handshake = np.tile(np.arange(32), 2)
    handshake[[0, 32]] = 42
    return {
        "counts": Expected(counts),
        "lengths": Expected(np.array(lengths, np.int32)),
        "peak": Expected(np.array(peaks, np.int32)),
        "results": Expected(np.array(machine, np.int32)),
        "lock": Expected(np.zeros(1, np.int32)),
        "holders": Expected(np.array([128], np.int32)),
        "order": Expected(np.ones(128, np.int32)),
        "handshake": Expected(handshake.astype(np.int32)),
    }


def _collatz(v: int) -> tuple[int, int]:
    if v <= 0:
        return -1, 0
    steps, top = 0, v
    while v != 1:
        steps += 1
        if v % 2 == 0:
            v //= 2
            if v > 5:
                continue
            if v == 4 and steps > 60:
                return 1000 + steps, top
        else:
            v = 3 * v + 1
        top = max(top, v)
    return steps, top


def _machine(program: int, i: int) -> int:
    """The machine of divergence.cu, in integers that wrap at 32 bits."""
    a, b, pc, done = i, 1, 0, 0
    while pc < 16 and done < 64:
        op = program >> 4 * pc & 15
        if op == 0:
            a += b
        elif op == 1:
            a -= b
        elif op == 2:
            b = a
        elif op == 3:
            a ^= b << 3
        elif op == 4:
            pc += a & 1
        elif op == 5:
            a = a * 5 + 1
        elif op in (6, 7):
            b = (b >> 1 if op == 6 else b) + 3
        elif op == 8:
            pc = -1 if a > 0 else pc
            a -= 100
        elif op == 9:
            a = -a
        elif op == 10:
            a = (a & WORD).bit_count()
        elif op == 11 and b == 0:
            return a
        elif op == 12:
            a = min(a, b)
        elif op == 13:
            b = max(a, b)
        elif op == 14:
            a = int(np.fmod(a, 1000))  # the sign of the dividend
        elif op == 15:
            done = 1000
        a, b = _wrap(a), _wrap(b)
        pc, done = pc + 1, done + 1
    return _wrap(a * 31 + b)


def _wrap(value: int) -> int:
    value &= WORD
    return value - 2**32 if value >> 31 else value


def _votes_inputs(rng: np.random.Generator) -> Arrays:
    x = rng.integers(-100, 100, 192, np.int32)
    x[64:96] = 7  # one warp whose lanes agree
    x[96:160] = np.abs(x[96:160])  # and some that are all positive
    return {"x": x, "d": rng.standard_normal(192)}


def _votes(inputs: Arrays) -> dict[str, Expected]:
    x = inputs["x"]
    out = np.zeros((192, 16), np.uint32)
    parts = np.zeros(192, np.uint32)
    shuffled = np.zeros((192, 8), np.int32)
    for at in range(0, 192, 32):
        warp = [int(v) for v in x[at : at + 32]]
        block = x[at // 96 * 96 : at // 96 * 96 + 96]
        words = [v & WORD for v in warp]
        agree = len(set(warp)) == 1
        odd = _ballot(v & 1 for v in warp)
        odd_sum = sum(v for v in words if v & 1)
        leader = warp[(odd & -odd).bit_length() - 1]
        for lane, v in enumerate(warp):
            out[at + lane] = [
                _ballot(w > 0 for w in warp),
                any(w > 90 for w in warp),
                all(w > -90 for w in warp),
                _ballot(w & 7 == v & 7 for w in warp),
                WORD if agree else 0,
                agree,
                sum(words) & WORD,
                min(warp) & WORD,
                max(words),
                int(np.bitwise_and.reduce([w | 0xF0 for w in words])),
                int(np.bitwise_or.reduce([w & 0xFF for w in words])),
                int(np.bitwise_xor.reduce(words)),
                (odd & ((1 << lane) - 1)).bit_count(),
                np.count_nonzero(block > 0),
                np.all(block > -100),
                np.any(block == 77),
            ]
            if v & 1:
                ballot = _ballot(w & 1 and w > 0 for w in warp)
                parts[at + lane] = ((ballot + leader) & WORD) ^ (odd_sum & WORD)
            else:
                key = [(w & (2**64 - 1)) // 4 for w in warp]
                same = (not w & 1 and key[lane] == k for w, k in zip(warp, key))
                parts[at + lane] = _ballot(same)
            shuffled[at + lane] = _shuffles(warp, lane)
    d = inputs["d"].reshape(6, 32)[:, np.arange(32) ^ 17]
    return {
        "out": Expected(out),
        "parts": Expected(parts),
        "shuffled": Expected(shuffled),
        "doubles": Expected(d.reshape(192)),
    }


def _ballot(votes: object) -> int:
    return sum(1 << lane for lane, vote in enumerate(votes) if vote)


def _shuffles(warp: list[int], lane: int) -> list[int]:
    base4, base8, base16 = lane & ~3, lane & ~7, lane & ~15

    def below(source: int, base: int) -> int:
        return warp[source if source >= base else lane]

    def above(source: int, base: int, width: int) -> int:
        return warp[source if source < base + width else lane]

    taken = lane - 2 >= base8
    return [
        warp[base4 + (lane + 1) % 4],
        below(lane - 3, base8),
        above(lane + 5, base16, 16),
        above(lane ^ 6, base8, 8),
        above(lane ^ 9, base8, 8),
        warp[warp[lane] % 32],
        above(lane + 31, 0, 32),
        below(lane - 2, base8) * 2 + taken,
    ]


CASES = [
    Case(
        name="local_array",
        program="local_array",
        archs=BOTH,
        make_inputs=_local_inputs,
        outputs={"out": ((150, 24), np.int32), "sums": ((150,), np.float64)},
        launches=lambda arch: [
            Launch(
                "insertion_sort", (3, 1, 1), (64, 1, 1), ["x", "count", "out", np.int32(150)]
            ),
            Launch("chase", (5, 1, 1), (32, 1, 1), ["start", "steps", "sums", np.int32(150)]),
        ],
        reference=_local,
        covers="local memory, arrays of structs, pointers into them",
    ),
    Case(
        name="calls",
        program="calls",
        archs=BOTH,
        make_inputs=_calls_inputs,
        outputs={
            "out": ((64,), np.int32),
            "powers": ((64, 2), np.float64),
            "quotients": ((64,), np.int32),
            "remainders": ((64,), np.int32),
            "mixes": ((64,), np.float32),
        },
        launches=lambda arch: [
            Launch(
                "call",
                (2, 1, 1),
                (32, 1, 1),
                ["m", "n", "out", "powers", "quotients", "remainders", "mixes"],
            ),
            Launch("sort_pieces", (1, 1, 1), (64, 1, 1), ["data", "offsets", np.int32(40)]),
        ],
        reference=_calls,
        covers="recursion, parameters and results of functions, structs by value",
    ),
    Case(
        name="indirect",
        program="indirect",
        archs=BOTH,
        make_inputs=_indirect_inputs,
        outputs={"out": ((100,), np.int32), "areas": ((100,), np.float32)},
        launches=lambda arch: [
            Launch(
                "by_table", (2, 1, 1), (64, 1, 1), ["which", "a", "b", "out", np.int32(100)]
            ),
            Launch("by_class", (2, 1, 1), (64, 1, 1), ["which", "x", "areas", np.int32(100)]),
        ],
        reference=_indirect,
        covers="call through a pointer with a prototype, lanes that call different functions",
    ),
    Case(
        name="divergence",
        program="divergence",
        archs=BOTH,
        make_inputs=_divergence_inputs,
        outputs={
            "counts": ((41, 50), np.int32),
            "lengths": ((90,), np.int32),
            "results": ((200,), np.int32),
            "order": ((128,), np.int32),
            "handshake": ((64,), np.int32),
        },
        launches=lambda arch: [
            Launch(
                "mandelbrot",
                (4, 6, 1),
                (16, 8, 1),
                ["counts", np.int32(50), np.int32(41), np.int32(60)],
            ),
            Launch(
                "collatz", (3, 1, 1), (32, 1, 1), ["start", "lengths", "peak", np.int32(90)]
            ),
            Launch("machine", (2, 1, 1), (128, 1, 1), ["programs", "results", np.int32(200)]),
            Launch("locks", (2, 1, 1), (64, 1, 1), ["lock", "holders", "order"]),
            Launch("handshake", (2, 1, 1), (32, 1, 1), ["flags", "handshake"]),
        ],
        reference=_divergence,
        covers="loops of different length, early return, switch, lanes that wait for lanes",
    ),
    Case(
        name="votes",
        program="votes",
        archs=BOTH,
        make_inputs=_votes_inputs,
        outputs={
            "out": ((192, 16), np.uint32),
            "parts": ((192,), np.uint32),
            "shuffled": ((192, 8), np.int32),
            "doubles": ((192,), np.float64),
        },
        launches=lambda arch: [
            Launch("votes", (2, 1, 1), (96, 1, 1), ["x", "out"]),
            Launch("divergent_votes", (3, 1, 1), (64, 1, 1), ["x", "parts"]),
            Launch("shuffles", (3, 1, 1), (64, 1, 1), ["x", "shuffled", "d", "doubles"]),
        ],
        reference=_votes,
        covers="vote, match, redux, shfl with widths, bar.red, masks of part of a warp",
    ),
]
