"""Reductions, transposes, scans, atomics, and what lies in a kernel's parameters.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import struct

import numpy as np
from case import Arrays, Case, Expected, Launch
from numerics import BF16, sum_bound

BOTH = ("sm_80", "sm_90a")


def _reduce_inputs(rng: np.random.Generator) -> Arrays:
    x = rng.standard_normal(5003).astype(np.float32)
    x[[1234, 4321]] = 9  # the first of two equal maxima
    return {
        "x": x,
        "d": rng.standard_normal(3001),
        "total": np.zeros(1),
        "best": np.zeros(1, np.uint64),
    }


def _reduce(inputs: Arrays) -> dict[str, Expected]:
    # Block b of 4 takes the elements i with i // 192 % 4 == b.
    x = inputs["x"].astype(np.float64)
    block = np.arange(x.size) // 192 % 4
    sums = np.array([x[block == b].sum() for b in range(4)])
    sizes = np.array([np.abs(x[block == b]).sum() for b in range(4)])
    at = int(np.argmax(x))
    key = int(np.float32(x[at]).view(np.uint32)) | 0x80000000
    d = inputs["d"]
    return {
        "sums": Expected(sums, sum_bound(sizes, 64)),
        "total": Expected(
            np.array([d.sum()]), sum_bound(np.array([np.abs(d).sum()]), 99, 2.0**-53)
        ),
        "best": Expected(np.array([key << 32 | (0xFFFFFFFF - at)], np.uint64)),
    }


def _transpose_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "x": rng.standard_normal((70, 101)).astype(np.float32),
        "bytes": rng.integers(0, 256, (3, 37, 44), np.uint8),
    }


def _transpose(inputs: Arrays) -> dict[str, Expected]:
    return {
        "out": Expected(inputs["x"].T.astype(np.float64)),
        "out_bytes": Expected(inputs["bytes"].transpose(0, 2, 1)),
    }


def _histogram_inputs(rng: np.random.Generator) -> Arrays:
    data = np.minimum(rng.exponential(20, 4999), 255).astype(np.uint8)
    return {"data": data, "bins": np.zeros(256, np.uint32), "again": np.zeros(256, np.uint32)}


def _histogram(inputs: Arrays) -> dict[str, Expected]:
    count = np.bincount(inputs["data"], minlength=256).astype(np.uint32)
    return {"bins": Expected(count), "again": Expected(count)}


def _atomic_inputs(rng: np.random.Generator) -> Arrays:
    cells = np.zeros(15, np.uint32)
    cells[[2, 4, 12]] = 2**32 - 1
    wide = np.zeros(5, np.uint64)
    wide[1] = 2**64 - 1
    wide[2] = 2**63  # the smallest signed number
    return {
        "x": rng.integers(0, 2**32, 300, np.uint32),
        "cells": cells,
        "signed": np.array([2**31 - 1, -(2**31)], np.int32),
        "wide": wide,
        "f": rng.integers(-1, 2, 512).astype(np.float32),
        "f_cells": np.zeros(3, np.float32),
        "d_cells": np.zeros(1),
        "h": np.zeros(4, np.float16),
        "b": np.zeros(2, BF16),
        "h1": np.zeros(1, np.float16),
        "b1": np.zeros(1, BF16),
        "counter": np.zeros(1, np.uint32),
        "seen": np.zeros(256, np.uint32),
    }


def _atomics(inputs: Arrays) -> dict[str, Expected]:
    x = [int(v) for v in inputs["x"]]
    n = len(x)
    both = [v - 2**32 if v >= 2**31 else v for v in x]
    blocks = [x[at : at + 128] for at in range(0, n, 128)]
    xor = 0
    for v in x:
        xor ^= v
    # The last cell is an exclusive or of the blocks' exclusive ors, which is that of all.
    cells = [
        sum(x),
        -sum(x),
        min(x),
        max(x),
        int(np.bitwise_and.reduce([v | 0xFF for v in x])),
        int(np.bitwise_or.reduce([v & 0xFF00FF for v in x])),
        xor,
        n % 37,
        -n % 42,
        77,
        sum(v & 7 for v in x),
        sum(sum(block) % 2**32 for block in blocks),
        min(x),
        max(x),
        xor,
    ]
    wide = [sum(x) << 20, min(x) << 20, max(both), xor * 0x100000001, 5]
    f = inputs["f"].astype(np.float64)
    fourth = f[::4].sum()
    quarter = f.size // 4
    return {
        "cells": Expected(np.array([v % 2**32 for v in cells], np.uint32)),
        "signed": Expected(np.array([min(both), max(both)], np.int32)),
        "wide": Expected(np.array([v % 2**64 for v in wide], np.uint64)),
        "f_cells": Expected(np.array([f.sum(), f.sum(), 2.5])),
        "d_cells": Expected(np.array([f.sum()])),
        "h": Expected(np.array([fourth, -fourth, quarter, fourth])),
        "b": Expected(np.array([fourth, quarter], np.float64)),
        "h1": Expected(np.array([fourth])),
        "b1": Expected(np.array([fourth])),
        "counter": Expected(np.array([256], np.uint32)),
        "seen": Expected(np.ones(256, np.uint32)),
    }


def _scan_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "x": rng.integers(-100, 100, 1500, np.int32),
        "ticket": np.zeros(1, np.uint32),
        "status": np.zeros(12, np.int32),
    }


def _scan(inputs: Arrays) -> dict[str, Expected]:
    x = inputs["x"]
    pieces = [np.cumsum(x[at : at + 128]) for at in range(0, x.size, 128)]
    return {
        "pieces": Expected(np.concatenate(pieces).astype(np.int32)),
        "all": Expected(np.cumsum(x).astype(np.int32)),
        "status": Expected(np.full(12, 2, np.int32)),
    }


# struct Settings of params.cu, with its padding.
SETTINGS = (
    struct.pack("<b3x8i4x", -7, 3, 1, 4, 1, 5, 9, 2, 6)
    + struct.pack("<h6xdh6xd", 11, 0.5, -13, 0.25)
    + struct.pack("<QB7x", 5 << 60, 200)
)


SCALARS = (
    np.int8(-3),
    np.uint8(250),
    np.int16(-30000),
    np.uint16(65000),
    np.int32(-(2**31)),
    np.uint32(2**32 - 1),
    np.int64(-(2**40)),
    np.uint64(2**63),
    np.float32(0.5),
    np.float64(2.0**-1000),
    np.uint8(1),
    struct.pack("<3f", 1.5, -2.5, 3.5),
)


def _params_inputs(rng: np.random.Generator) -> Arrays:
    return {"index": rng.integers(0, 1000, 70, np.int32)}


def _params(inputs: Arrays) -> dict[str, Expected]:
    i = np.arange(70)
    table = np.array([3, 1, 4, 1, 5, 9, 2, 6])
    a, b = np.array([11, -13]), np.array([0.5, 0.25])
    scalars = [-3, 250, -30000, 65000, -(2**31), 2**32 - 1, -(2**40), 2**63, 0.5, 2.0**-1000]
    return {
        "out": Expected(table[inputs["index"] & 7] + a[i & 1] * b[1 - (i & 1)] - 7 - 200 + 5),
        "scalars": Expected(np.array([*scalars, 1.0, 1.5, -2.5, 3.5])),
        # After three launches: 10 was added to the variables that the cursor met.
        "floats": Expected(np.array([0.25, 1.5, 8.0, -2.0, 1.0])),
        "ints": Expected(np.array([44, ord("i")], np.int32)),
    }


CASES = [
    Case(
        name="reduce",
        program="reduce",
        archs=BOTH,
        make_inputs=_reduce_inputs,
        outputs={"sums": ((4,), np.float32)},
        launches=lambda arch: [
            Launch("sum_blocks", (4, 1, 1), (192, 1, 1), ["x", "sums", np.int32(5003)]),
            Launch("sum_double", (3, 1, 1), (64, 1, 1), ["d", "total", np.int64(3001)]),
            Launch("argmax", (5, 1, 1), (96, 1, 1), ["x", "best", np.int32(5003)]),
        ],
        reference=_reduce,
        covers="shfl down and xor of 32 and 64 bits, atomics f64 add and u64 max",
    ),
    Case(
        name="transpose",
        program="transpose",
        archs=BOTH,
        make_inputs=_transpose_inputs,
        outputs={"out": ((101, 70), np.float32), "out_bytes": ((3, 44, 37), np.uint8)},
        launches=lambda arch: [
            Launch(
                "transpose",
                (4, 3, 1),
                (32, 8, 1),
                ["x", "out", np.int32(70), np.int32(101)],
            ),
            Launch(
                "transpose_bytes",
                (3, 3, 3),
                (4, 16, 1),
                ["bytes", "out_bytes", np.int32(37), np.int32(44), np.int32(17)],
                shared=16 * 17,
            ),
        ],
        reference=_transpose,
        covers="shared memory static and dynamic, 3-D grids, u8 vectors",
    ),
    Case(
        name="histogram",
        program="histogram",
        archs=BOTH,
        make_inputs=_histogram_inputs,
        outputs={},
        launches=lambda arch: [
            Launch("histogram", (4, 1, 1), (128, 1, 1), ["data", "bins", np.int32(4999)]),
            Launch(
                "histogram_match", (40, 1, 1), (128, 1, 1), ["data", "again", np.int32(4999)]
            ),
        ],
        reference=_histogram,
        covers="atomics on shared and global memory, match.any under divergence",
    ),
    Case(
        name="atomics",
        program="atomics",
        archs=BOTH,
        make_inputs=_atomic_inputs,
        outputs={},
        launches=lambda arch: [
            Launch(
                "integers",
                (3, 1, 1),
                (128, 1, 1),
                ["x", "cells", "signed", "wide", np.int32(300)],
            ),
            Launch(
                "floats",
                (4, 1, 1),
                (128, 1, 1),
                ["f", "f_cells", "d_cells", "h", "b", "h1", "b1"],
            ),
            Launch("tickets", (4, 1, 1), (64, 1, 1), ["counter", "seen"]),
        ],
        reference=_atomics,
        covers="all integer atomics, f32 f64 f16 f16x2 bf16 bf16x2 additions, three scopes",
    ),
    Case(
        name="scan",
        program="scan",
        archs=BOTH,
        make_inputs=_scan_inputs,
        outputs={
            "pieces": ((1500,), np.int32),
            "all": ((1500,), np.int32),
            "sums": ((12,), np.int32),
            "prefixes": ((12,), np.int32),
        },
        launches=lambda arch: [
            Launch("scan_pieces", (12, 1, 1), (128, 1, 1), ["x", "pieces", np.int32(1500)]),
            Launch(
                "scan_all",
                (12, 1, 1),
                (128, 1, 1),
                ["x", "all", np.int32(1500), "ticket", "status", "sums", "prefixes"],
            ),
        ],
        reference=_scan,
        covers="shfl up, blocks that spin on other blocks, fences",
    ),
    Case(
        name="params",
        program="params",
        archs=BOTH,
        make_inputs=_params_inputs,
        outputs={
            "out": ((70,), np.float32),
            "scalars": ((14,), np.float64),
            "floats": ((5,), np.float32),
            "ints": ((2,), np.int32),
        },
        launches=lambda arch: [
            Launch("by_value", (3, 1, 1), (32, 1, 1), [SETTINGS, "out", "index", np.int32(70)]),
            Launch("scalars", (1, 1, 1), (8, 1, 1), [*SCALARS, "scalars"]),
            *[Launch("variables", (1, 1, 1), (32, 1, 1), ["floats", "ints"])] * 3,
        ],
        reference=_params,
        covers="parameters of all sizes, structs, constants, variables that hold addresses",
    ),
]
