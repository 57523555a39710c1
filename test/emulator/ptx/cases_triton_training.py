"""Cases of Triton kernels of training and of quantised inference.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from typing import Any

import numpy as np
from case import Arrays, Case, Expected, Launch
from cases_triton import BOTH, launch
from cases_triton_matmul import HOPPER, descriptor, matrix, product
from numerics import BF16, E4M3, dot, sum_bound

SEED, DROPPED = 1234, np.float32(0.3)
E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6])


def case(
    name: str,
    inputs: Any,
    reference: Any,
    outputs: dict[str, Any],
    blocks: int,
    *args: Any,
    covers: str,
    archs: tuple[str, ...] = BOTH,
) -> Case:
    """A case of one launch."""
    program = f"triton_{name}"
    return Case(
        name=program,
        program=program,
        archs=archs,
        make_inputs=inputs,
        outputs=outputs,
        launches=lambda arch: launch(program, arch, (blocks, 1, 1), *args),
        reference=reference,
        covers=covers,
    )


def _recurrence_inputs(rng: np.random.Generator) -> Arrays:
    a = rng.uniform(0.8, 1, 1024).astype(np.float32)
    return {"a": a, "b": rng.standard_normal(1024).astype(np.float32)}


def _recurrence(given: Arrays) -> dict[str, Expected]:
    def run(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        h = np.zeros(len(a))
        for i in range(len(a)):
            h[i] = a[i] * (h[i - 1] if i else 0.0) + b[i]
        return h

    def both(a: np.ndarray, b: np.ndarray) -> Expected:
        # A combination rounds twice; ten levels of them.
        return Expected(run(a, b), run(a, np.abs(b)) * 32 * 2.0**-23)

    a, b = (given[name].astype(np.float64) for name in "ab")
    back = both(a[::-1], b[::-1])
    return {"out": both(a, b), "back": Expected(back.value[::-1], back.bound[::-1])}


def _gather_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "x": matrix(rng, (32, 64), np.float32),
        "rows": rng.integers(0, 32, (16, 64), np.int32),
        "columns": rng.integers(0, 64, (32, 64), np.int32),
    }


def _gather(given: Arrays) -> dict[str, Expected]:
    x = given["x"].astype(np.float64)
    return {
        "by_rows": Expected(np.take_along_axis(x, given["rows"], 0)),
        "by_columns": Expected(np.take_along_axis(x, given["columns"], 1)),
        "top": Expected(-np.sort(-x)[:, :8]),
    }


def philox(seed: int, counters: np.ndarray) -> list[np.ndarray]:
    """The four words of Philox 4x32-10 for each counter, as Triton numbers them."""
    word = np.uint64(0xFFFFFFFF)
    c = [counters.astype(np.uint64), *np.zeros((3, len(counters)), np.uint64)]
    keys = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        low, high = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [
            (high >> np.uint64(32)) ^ c[1] ^ np.uint64(keys[0]),
            high & word,
            (low >> np.uint64(32)) ^ c[3] ^ np.uint64(keys[1]),
            low & word,
        ]
        keys = [(keys[0] + 0x9E3779B9) % 2**32, (keys[1] + 0xBB67AE85) % 2**32]
    return c


def _dropout(given: Arrays) -> dict[str, Expected]:
    x = given["x"].astype(np.float64)
    words = [w.astype(np.uint32).view(np.int32) for w in philox(SEED, np.arange(1000))]
    # Of the positive integers, times nearly 2^-31, in f32.
    unit = np.float32(4.6566127e-10)
    whole = [np.where(w < 0, -w.astype(np.int64) - 1, w) for w in words[:2]]
    uniform = [w.astype(np.float32) * unit for w in whole]
    u1, u2 = (u.astype(np.float64) for u in uniform)
    normal = np.sqrt(-2 * np.log(np.maximum(u1, 1e-7))) * np.cos(2 * np.pi * u2)
    kept = np.where(uniform[0] > DROPPED, x / (1 - np.float64(DROPPED)), 0)
    return {
        "out": Expected(kept, np.abs(kept) * 2.0**-22),
        "normal": Expected(normal, 1e-5),
    }


ROWS, COLUMNS, GROUPS = 12, 100, 4


def _norm_inputs(rng: np.random.Generator) -> Arrays:
    x = matrix(rng, (ROWS, COLUMNS), np.float32)
    return {
        "x": x,
        "dy": matrix(rng, (ROWS, COLUMNS), np.float32),
        "w": matrix(rng, (COLUMNS,), np.float32),
        "mean": x.mean(1),
        "rstd": (1 / np.sqrt(x.var(1) + 1e-5)).astype(np.float32),
        "locks": np.zeros(2 * GROUPS, np.int32),
    }


def _norm(given: Arrays) -> dict[str, Expected]:
    x, dy, w, mean, rstd = (
        given[n].astype(np.float64) for n in ("x", "dy", "w", "mean", "rstd")
    )
    hat = (x - mean[:, None]) * rstd[:, None]
    wg = w * dy
    c1, c2 = (hat * wg).mean(1, keepdims=True), wg.mean(1, keepdims=True)
    dx = (wg - hat * c1 - c2) * rstd[:, None]
    size = np.abs(wg) + np.abs(hat) * np.abs(hat * wg).mean(1, keepdims=True)
    size = (size + np.abs(wg).mean(1, keepdims=True)) * rstd[:, None]

    def groups(rows: np.ndarray) -> Expected:
        parts = rows.reshape(ROWS // GROUPS, GROUPS, COLUMNS)
        return Expected(parts.sum(0), sum_bound(np.abs(parts).sum(0), 8))

    return {
        "dx": Expected(dx, sum_bound(size, COLUMNS + 8)),
        "dw": groups(dy * hat),
        "db": groups(dy),
    }


LENGTH, DEPTH = 128, 64


def _attention(given: Arrays) -> tuple[np.ndarray, ...]:
    """Probabilities, dS, log of the sums, and delta."""
    q, k, v, dout = (given[n].astype(np.float64) for n in ("q", "k", "v", "dout"))
    s = np.where(np.tri(LENGTH, dtype=bool), q @ k.T * DEPTH**-0.5, -np.inf)
    lse = np.log(np.exp(s).sum(1))
    p = np.exp(s - lse[:, None])
    delta = ((p @ v) * dout).sum(1)
    return p, p * (dout @ v.T - delta[:, None]), lse, delta


def _backward_inputs(rng: np.random.Generator) -> Arrays:
    given = {n: matrix(rng, (LENGTH, DEPTH), np.float16) for n in ("q", "k", "v", "dout")}
    _, _, lse, delta = _attention(given)
    return {**given, "lse": lse.astype(np.float32), "delta": delta.astype(np.float32)}


def _backward(given: Arrays) -> dict[str, Expected]:
    p, ds, _, _ = _attention(given)
    q, dout = (given[n].astype(np.float64) for n in ("q", "dout"))
    # P and dS are rounded to f16; before that, exponentials and dP err by some 2^-14.
    unit = 2.0**-11 + 2.0**-13
    spread = np.abs(dout) @ np.abs(given["v"].astype(np.float64)).T * p
    scale = DEPTH**-0.5
    return {
        "dv": Expected(p.T @ dout, p.T @ np.abs(dout) * unit + 1e-6),
        "dk": Expected(ds.T @ q * scale, (np.abs(ds) + spread).T @ np.abs(q) * scale * unit),
    }


def _scales(given: np.ndarray) -> np.ndarray:
    return np.repeat(2.0 ** (given.astype(int) - 127), 32, 1)


def _scaled_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "a": matrix(rng, (128, 128), E4M3),
        "sa": rng.integers(124, 130, (128, 4), np.uint8),
        "b": matrix(rng, (128, 64), E4M3),
        "sb": rng.integers(124, 130, (64, 4), np.uint8),
    }


def _scaled(given: Arrays) -> dict[str, Expected]:
    # Scaled operands are bf16, which holds them exactly.
    a = given["a"].astype(np.float64) * _scales(given["sa"])
    return {"c": dot(a, given["b"].astype(np.float64) * _scales(given["sb"]).T)}


def _fp4_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "a": rng.integers(0, 256, (128, 64), np.uint8),
        "sa": rng.integers(124, 130, (128, 4), np.uint8),
        "b": matrix(rng, (128, 64), BF16),
    }


def _fp4(given: Arrays) -> dict[str, Expected]:
    a = np.stack([E2M1[given["a"] & 15], E2M1[given["a"] >> 4]], -1).reshape(128, 128)
    return {"c": dot(a * _scales(given["sa"]), given["b"])}


def _int4_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "a": matrix(rng, (64, 128), np.float16),
        "b": rng.integers(0, 2**32, (16, 64), np.uint32).view(np.int32),
        "scales": (rng.standard_normal(64) * 0.1).astype(np.float16),
    }


def _int4(given: Arrays) -> dict[str, Expected]:
    words = given["b"].view(np.uint32)
    weights = np.stack([words >> (4 * i) & 15 for i in range(8)], 1).reshape(128, 64)
    scaled = (weights.astype(np.float64) - 8) * given["scales"].astype(np.float64)
    return {"c": dot(given["a"], scaled.astype(np.float16))}


def _persistent_inputs(rng: np.random.Generator) -> Arrays:
    return {n: matrix(rng, (s, 128), np.float16) for n, s in (("a", 256), ("b", 192))}


def _persistent(arch: str) -> list[Launch]:
    name = "triton_matmul_persistent"
    shapes = {"a": (256, 128), "b": (192, 128), "c": (256, 192)}
    args = [descriptor(name, i, *item) for i, item in enumerate(shapes.items())]
    sizes = (np.int32(256), np.int32(192), np.int32(128))
    return launch(name, arch, (4, 1, 1), *sum(args, []), *sizes)


CASES = [
    case(
        "recurrence",
        _recurrence_inputs,
        _recurrence,
        {"out": ((1024,), np.float32), "back": ((1024,), np.float32)},
        1, "a", "b", "out", "back",
        covers="tl.associative_scan of pairs, in both directions",
    ),
    case(
        "gather",
        _gather_inputs,
        _gather,
        {
            "by_rows": ((16, 64), np.float32),
            "by_columns": ((32, 64), np.float32),
            "top": ((32, 8), np.float32),
        },
        1, "x", "rows", "columns", "by_rows", "by_columns", "top",
        covers="tl.gather along both axes, tl.topk",
    ),
    case(
        "dropout",
        lambda rng: {"x": matrix(rng, (1000,), np.float32)},
        _dropout,
        {"out": ((1000,), np.float32), "normal": ((1000,), np.float32)},
        4, "x", "out", "normal", np.int32(1000), DROPPED, np.int32(SEED),
        covers="Philox: tl.rand and tl.randn",
    ),
    case(
        "layer_norm_backward",
        _norm_inputs,
        _norm,
        {
            "dx": ((ROWS, COLUMNS), np.float32),
            "dw": ((GROUPS, COLUMNS), np.float32),
            "db": ((GROUPS, COLUMNS), np.float32),
        },
        ROWS, "dx", "dy", "dw", "db", "x", "w", "mean", "rstd", "locks", np.int32(COLUMNS),
        covers="sums that lanes have rounded differently and all store; locks of blocks",
    ),
    case(
        "attend_backward",
        _backward_inputs,
        _backward,
        {"dk": ((LENGTH, DEPTH), np.float32), "dv": ((LENGTH, DEPTH), np.float32)},
        2, "q", "k", "v", "dout", "dk", "dv", "lse", "delta", np.float32(DEPTH**-0.5),
        np.int32(LENGTH),
        covers="four products with operands from registers and transposed",
    ),
    case(
        "dot_scaled",
        _scaled_inputs,
        _scaled,
        {"c": ((128, 64), np.float32)},
        1, "a", "sa", "b", "sb", "c",
        covers="tl.dot_scaled of e4m3, widened to bf16",
        archs=("sm_89", "sm_90a"),
    ),
    case(
        "dot_fp4",
        _fp4_inputs,
        _fp4,
        {"c": ((128, 64), np.float32)},
        1, "a", "sa", "b", "c",
        covers="tl.dot_scaled of e2m1 and bf16",
    ),
    case(
        "matmul_int4",
        _int4_inputs,
        _int4,
        {"c": ((64, 64), np.float32)},
        1, "a", "b", "scales", "c",
        covers="weights of four bits unpacked on the way to the matrix unit",
    ),
    Case(
        name="triton_matmul_persistent",
        program="triton_matmul_persistent",
        archs=HOPPER,
        make_inputs=_persistent_inputs,
        outputs={"c": ((256, 192), np.float16)},
        launches=_persistent,
        reference=lambda given: {"c": product(given["a"], given["b"].T, np.float16)},
        covers="blocks that take one tile after the other, descriptors of the host",
    ),
]  # fmt: skip
