"""Cases of the Triton programs that are no matrix products.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from case import Arrays, Case, Expected, Extent, Launch, manifest
from numerics import BF16, rounding, sum_bound

BOTH = ("sm_80", "sm_90a")
NULL = np.uint64(0)


def launch(program: str, arch: str, grid: Extent, *args: Any) -> list[Launch]:
    """A launch with the block and shared memory that Triton chose. Every kernel has two more
    parameters: scratch memory for descriptors, and for profiling."""
    entry = manifest(arch).get(f"{program}.{arch}")
    if entry is None:  # not compiled yet
        return []
    [(kernel, facts)] = entry["kernels"].items()
    scratch = "scratch" if facts["global_scratch"] else NULL
    block = tuple(facts["block"])
    return [Launch(kernel, grid, block, [*args, scratch, NULL], shared=facts["shared"])]


def case(
    name: str,
    make_inputs: Callable[[np.random.Generator], Arrays],
    reference: Callable[[Arrays], dict[str, Expected]],
    outputs: Mapping[str, tuple[tuple[int, ...], Any]],
    grid: Extent,
    *args: Any,
    covers: str,
) -> Case:
    """A case of one launch on both architectures."""
    return Case(
        name=f"triton_{name}",
        program=f"triton_{name}",
        archs=BOTH,
        make_inputs=make_inputs,
        outputs=outputs,
        launches=lambda arch: launch(f"triton_{name}", arch, grid, *args),
        reference=reference,
        covers=covers,
    )


def _add_inputs(rng: np.random.Generator) -> Arrays:
    return {k: rng.standard_normal(1000).astype(np.float32) for k in "xy"}


def _add(inputs: Arrays) -> dict[str, Expected]:
    return {"out": Expected((inputs["x"] + inputs["y"]).astype(np.float64))}


def _softmax_inputs(rng: np.random.Generator) -> Arrays:
    return {"x": (rng.standard_normal((7, 784)) * 3).astype(np.float32)}


def _softmax(inputs: Arrays) -> dict[str, Expected]:
    # The last three columns of each row are padding, which stays as the output was: zero.
    x = inputs["x"][:, :781].astype(np.float64)
    e = np.exp(x - x.max(1, keepdims=True))
    value = np.zeros((7, 784))
    value[:, :781] = e / e.sum(1, keepdims=True)
    return {"out": Expected(value, value * 2.0**-17)}


def _layer_norm_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "x": (rng.standard_normal((5, 1000)) + 3).astype(BF16),
        "weight": rng.standard_normal(1000).astype(np.float32),
        "bias": rng.standard_normal(1000).astype(np.float32),
    }


def _layer_norm(inputs: Arrays) -> dict[str, Expected]:
    x = inputs["x"].astype(np.float64)
    w, b = (inputs[k].astype(np.float64) for k in ("weight", "bias"))
    mean = x.mean(1, keepdims=True)
    unit = (x - mean) / np.sqrt(((x - mean) ** 2).mean(1, keepdims=True) + 1e-5)
    value = unit * w + b
    error = 1e-5 * (1 + np.abs(unit)) * np.abs(w) + 1e-6 * (1 + np.abs(b))
    mean_bound = sum_bound(np.abs(x).sum(1), 1000) / 1000
    return {
        "out": Expected(value, error + rounding(np.abs(value) + error, BF16)),
        "mean": Expected(mean[:, 0], mean_bound),
    }


def _histogram_inputs(rng: np.random.Generator) -> Arrays:
    x = rng.binomial(63, 0.3, 1000).astype(np.int32)
    return {"x": x, "bins": np.zeros(64, np.int32)}


def _histogram(inputs: Arrays) -> dict[str, Expected]:
    x = inputs["x"]
    blocks = [np.bincount(x[i : i + 256], minlength=64) for i in range(0, 1000, 256)]
    return {
        "bins": Expected(np.bincount(x, minlength=64).astype(np.int32)),
        "block_bins": Expected(np.array(blocks, np.int32)),
    }


def _scan_inputs(rng: np.random.Generator) -> Arrays:
    return {"x": rng.standard_normal((12, 200)).astype(np.float32)}


def _scan(inputs: Arrays) -> dict[str, Expected]:
    x = inputs["x"].astype(np.float64)
    products = np.cumprod((1 + x * 0.01)[:, ::-1], 1)[:, ::-1]
    return {
        "sums": Expected(np.cumsum(x, 1), sum_bound(np.cumsum(np.abs(x), 1), 256)),
        "products": Expected(products, products * 600 * 2.0**-24),
    }


def _sort_inputs(rng: np.random.Generator) -> Arrays:
    return {"x": rng.integers(-500, 500, (8, 128), np.int32)}


def _sort(inputs: Arrays) -> dict[str, Expected]:
    ordered = np.sort(inputs["x"], 1)
    return {"out": Expected(ordered), "top": Expected(ordered[:, :-9:-1].copy())}


def _atomic_inputs(rng: np.random.Generator) -> Arrays:
    cells = np.zeros((6, 4), np.int32)
    cells[5] = -1
    floats = np.zeros((2, 4), np.float32)
    floats[1] = -1e9
    return {
        "x": rng.integers(-1000, 1000, 500, np.int32),
        "cells": cells,
        "floats": floats,
        "lock": np.zeros(1, np.int32),
        "ordered": np.ones(1, np.int32),
    }


def _atomics(inputs: Arrays) -> dict[str, Expected]:
    lanes = inputs["x"].reshape(125, 4)
    cells = [
        lanes.sum(0),
        np.minimum(lanes.min(0), 0),
        np.maximum(lanes.max(0), 0),
        np.bitwise_xor.reduce(lanes, 0),
        np.bitwise_or.reduce(lanes & 0xFF, 0),
        np.bitwise_and.reduce(lanes | 0xFF, 0),
    ]
    ordered = 1
    for _ in range(4):
        ordered = ordered * 2 % 1000003 + 1
    return {
        "cells": Expected(np.array(cells, np.int32)),
        "floats": Expected(np.array([lanes.sum(0) * 0.5, lanes.max(0)], np.float64)),
        "lock": Expected(np.zeros(1, np.int32)),
        "ordered": Expected(np.array([ordered], np.int32)),
    }


def _reduce_inputs(rng: np.random.Generator) -> Arrays:
    x = np.round(rng.standard_normal((6, 512)), 1)  # coarse, so that maxima repeat
    return {"x": (x + 0.0).astype(np.float32)}


def _reduce(inputs: Arrays) -> dict[str, Expected]:
    x = inputs["x"]
    bits = np.bitwise_xor.reduce(x.view(np.int32), 1)
    return {
        "at_max": Expected(x.argmax(1).astype(np.int32)),
        "at_min": Expected(x.argmin(1).astype(np.int32)),
        "pair_value": Expected(x.max(1).astype(np.float64)),
        "pair_index": Expected(x.argmax(1).astype(np.int32)),
        "bits": Expected(bits),
    }


def _elementwise_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "x": rng.uniform(-3, 3, 512).astype(np.float32),
        "y": np.exp2(rng.uniform(-20, 20, 512)).astype(np.float32),
        "ints": rng.integers(-(2**31), 2**31, 512, np.int32),
    }


def philox(counter: int, seed: int) -> int:
    """The first word of Philox 4x32-10 (Salmon et al. 2011) at that counter."""
    c, k = [counter, 0, 0, 0], [seed, 0]
    for _ in range(10):
        high0, low0 = divmod(c[0] * 0xD2511F53, 2**32)
        high1, low1 = divmod(c[2] * 0xCD9E8D57, 2**32)
        c = [high1 ^ c[1] ^ k[0], low1, high0 ^ c[3] ^ k[1], low0]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return c[0]


def _elementwise(inputs: Arrays) -> dict[str, Expected]:
    a, b = inputs["x"].astype(np.float64), inputs["y"].astype(np.float64)
    i = inputs["ints"].astype(np.int64)
    quotient = np.sign(i) * (np.abs(i) // 7)
    remainder = np.sign(i) * (np.abs(i) % 5)
    high = (inputs["ints"].view(np.uint32).astype(np.uint64) * np.uint64(0x9E3779B9)) >> 32
    words = np.array([philox(n, 7) for n in range(512)], np.uint32).view(np.int32)
    uniform = np.where(words < 0, -1 - words.astype(np.int64), words) * 4.6566127342e-10
    erf = np.array([math.erf(v) for v in a])
    columns = [
        (np.exp(a), np.exp(a) * 2.0**-19),
        (np.log(b), 2.0**-20 * (1 + np.abs(np.log(b)))),
        (np.sin(a) + np.cos(a), 2.0**-20),
        (np.sqrt(b), rounding(np.sqrt(b), np.float32)),
        (a / b, rounding(a / b, np.float32)),
        (b**-0.5, b**-0.5 * 2.0**-21),
        (erf, np.abs(erf) * 2.0**-21),
        (np.floor(a) + np.ceil(b), 0),
        (1 / (1 + np.exp(-a)), 2.0**-20),
        ((quotient + remainder).astype(np.float32).astype(np.float64), 0),
        (high.astype(np.float32).astype(np.float64), 0),
        (uniform, uniform * 2.0**-22),
    ]
    value = np.stack([v for v, _ in columns], 1)
    bound = np.stack([np.broadcast_to(e, a.shape) for _, e in columns], 1)
    return {"out": Expected(value, bound)}


CASES = [
    case(
        "add",
        _add_inputs,
        _add,
        {"out": ((1000,), np.float32)},
        (4, 1, 1),
        *("x", "y", "out", np.int32(1000)),
        covers="vector loads with predicates",
    ),
    case(
        "softmax",
        lambda rng: _softmax_inputs(rng) | {"out": np.zeros((7, 784), np.float32)},
        _softmax,
        {},
        (7, 1, 1),
        *("x", "out", np.int32(781), np.int32(784)),
        covers="reductions over a block, ex2.approx.ftz, div.full",
    ),
    case(
        "layer_norm",
        _layer_norm_inputs,
        _layer_norm,
        {"out": ((5, 1000), BF16), "mean": ((5,), np.float32)},
        (5, 1, 1),
        *("x", "weight", "bias", "out", "mean", np.int32(1000), np.float32(1e-5)),
        covers="bf16, loops with masks",
    ),
    case(
        "histogram",
        _histogram_inputs,
        _histogram,
        {"block_bins": ((4, 64), np.int32)},
        (4, 1, 1),
        *("x", "bins", "block_bins", np.int32(1000)),
        covers="atomics, ballots",
    ),
    case(
        "scan",
        _scan_inputs,
        _scan,
        {"sums": ((12, 200), np.float32), "products": ((12, 200), np.float32)},
        (3, 1, 1),
        *("x", "sums", "products", np.int32(200)),
        covers="cumulative sums and products, forwards and backwards",
    ),
    case(
        "sort",
        _sort_inputs,
        _sort,
        {"out": ((8, 128), np.int32), "top": ((8, 8), np.int32)},
        (2, 1, 1),
        *("x", "out", "top"),
        covers="bitonic sort by shuffles and shared memory, top-k",
    ),
    case(
        "atomics",
        _atomic_inputs,
        _atomics,
        {},
        (4, 1, 1),
        *("x", "cells", "floats", "lock", "ordered", np.int32(500)),
        covers="atomics with orders and scopes, a lock that blocks spin on",
    ),
    case(
        "reduce",
        _reduce_inputs,
        _reduce,
        {
            "at_max": ((6,), np.int32),
            "at_min": ((6,), np.int32),
            "pair_value": ((6,), np.float32),
            "pair_index": ((6,), np.int32),
            "bits": ((6,), np.int32),
        },
        (6, 1, 1),
        *("x", "at_max", "at_min", "pair_value", "pair_index", "bits"),
        covers="argmax, argmin, a reduction of pairs",
    ),
    case(
        "elementwise",
        _elementwise_inputs,
        _elementwise,
        {"out": ((512, 12), np.float32)},
        (4, 1, 1),
        *("x", "y", "out", "ints"),
        covers="maths functions, division by constants, Philox",
    ),
]
