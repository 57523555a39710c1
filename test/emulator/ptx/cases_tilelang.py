"""Cases of the TileLang programs.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from typing import Any

import numpy as np
from case import Arrays, Case, Expected, Launch, TensorMap, manifest
from cases_triton_matmul import HOPPER, attention, matrix, product
from numerics import BF16, E4M3, dot, sum_bound

BOTH = ("sm_80", "sm_90a")


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def launches(program: str, arch: str) -> list[Launch]:
    """The launch that stands in TileLang's host code; arrays go by its parameters' names."""
    entry = manifest().get(f"{program}.{arch}")
    if entry is None:  # not compiled yet
        return []
    [(kernel, facts)] = entry["kernels"].items()
    args: list[Any] = []
    for argument in facts["arguments"]:
        if isinstance(argument, dict):
            argument = TensorMap(**{key: _frozen(value) for key, value in argument.items()})
        args.append(argument)
    grid, block = tuple(facts["grid"]), tuple(facts["block"])
    return [Launch(kernel, grid, block, args, shared=facts["shared"])]


def _case(name: str, covers: str, archs: tuple[str, ...] = BOTH, **parts: Any) -> Case:
    program = f"tilelang_{name}"
    return Case(
        name=program,
        program=program,
        archs=archs,
        launches=lambda arch: launches(program, arch),
        covers=covers,
        **parts,
    )


def _product(m: int, n: int, k: int, dtype: Any, out: Any, transposed: bool) -> dict[str, Any]:
    def inputs(rng: np.random.Generator) -> Arrays:
        shape = (n, k) if transposed else (k, n)
        return {"A": matrix(rng, (m, k), dtype), "B": matrix(rng, shape, dtype)}

    def reference(given: Arrays) -> dict[str, Expected]:
        b = given["B"].T if transposed else given["B"]
        return {"C": product(given["A"], b, out)}

    return {"make_inputs": inputs, "outputs": {"C": ((m, n), out)}, "reference": reference}


def _attend(d: int, causal: bool) -> dict[str, Any]:
    return {
        "make_inputs": lambda rng: {x: matrix(rng, (2, 192, d), np.float16) for x in "QKV"},
        "outputs": {"O": ((2, 192, d), np.float16)},
        "reference": lambda given: {"O": attention(*(given[x] for x in "QKV"), causal)},
    }


def _sum_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "X": rng.standard_normal((96, 200)).astype(np.float32),
        "S": np.zeros(200, np.float32),
        "H": np.zeros(2, np.int32),
    }


def _sum(given: Arrays) -> dict[str, Expected]:
    x = given["X"].astype(np.float64)
    negative = int((x.reshape(3, 32, 200).sum(1) < 0).sum())
    return {
        "S": Expected(x.sum(0), sum_bound(np.abs(x).sum(0), 96)),
        "H": Expected(np.array([negative, 600 - negative], np.int32)),
    }


def _conv_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "X": matrix(rng, (1, 16, 16, 32), np.float16),
        "W": matrix(rng, (9 * 32, 64), np.float16),
    }


def _conv(given: Arrays) -> dict[str, Expected]:
    padded = np.pad(given["X"][0], ((1, 1), (1, 1), (0, 0)))
    pixels = [padded[i : i + 16, j : j + 16] for i in range(3) for j in range(3)]
    return {"C": dot(np.concatenate(pixels, 2).reshape(256, 288), given["W"], np.float16)}


def _int4_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "A": matrix(rng, (128, 128), np.float16),
        "B": rng.integers(0, 256, (64, 64), np.uint8),
    }


def _int4(given: Arrays) -> dict[str, Expected]:
    b = np.stack([given["B"] & 15, given["B"] >> 4], -1).reshape(64, 128).astype(np.float64)
    return {"C": dot(given["A"], (b - 8).T)}


def _forward(given: Arrays) -> tuple[np.ndarray, ...]:
    """Probabilities, dS, log of the sums, and delta of attention without a mask."""
    q, k, v, g = (given[x].astype(np.float64) for x in "QKVG")
    s = q @ k.swapaxes(1, 2) * 64**-0.5
    lse = np.log(np.exp(s).sum(-1))
    p = np.exp(s - lse[..., None])
    delta = ((p @ v) * g).sum(-1)
    return p, p * (g @ v.swapaxes(1, 2) - delta[..., None]) * 64**-0.5, lse, delta


def _backward_inputs(rng: np.random.Generator) -> Arrays:
    given = {x: matrix(rng, (1, 128, 64), np.float16) for x in "QKVG"}
    _, _, lse, delta = _forward(given)
    return {
        **given,
        "L": (lse * np.log2(np.e)).astype(np.float32),
        "Delta": delta.astype(np.float32),
        "DQ": np.zeros((1, 128, 64), np.float32),
    }


def _backward(given: Arrays) -> dict[str, Expected]:
    p, ds, _, _ = _forward(given)
    q, k, v, g = (given[x].astype(np.float64) for x in "QKVG")
    # P and dS are rounded to f16; before that, exponentials and dP err by some 2^-13.
    unit = 2.0**-11 + 2.0**-13
    spread = np.abs(ds) + np.abs(g) @ np.abs(v).swapaxes(1, 2) * p * 64**-0.5
    turned = spread.swapaxes(1, 2)
    return {
        "DQ": Expected(ds @ k, spread @ np.abs(k) * unit),
        "DK": Expected(ds.swapaxes(1, 2) @ q, turned @ np.abs(q) * unit),
        "DV": Expected(p.swapaxes(1, 2) @ g, p.swapaxes(1, 2) @ np.abs(g) * unit),
    }


def _cumsum(given: Arrays) -> dict[str, Expected]:
    x = given["X"].astype(np.float64)
    return {"S": Expected(x.cumsum(1), sum_bound(np.abs(x).cumsum(1), 96))}


CASES = [
    _case(
        "matmul",
        "cp.async or TMA with specialised warps, swizzles of 64 and 128 bytes",
        **_product(100, 192, 224, np.float16, np.float32, transposed=False),
    ),
    _case(
        "matmul_transposed",
        "two warp groups, a TMA store",
        **_product(192, 136, 160, BF16, BF16, transposed=True),
    ),
    _case(
        "matmul_fp8",
        "wgmma of e4m3",
        HOPPER,
        **_product(128, 128, 256, E4M3, np.float32, transposed=True),
    ),
    _case("attend", "attention, two stages", **_attend(64, causal=False)),
    _case("attend_causal", "attention with a mask, one stage", **_attend(128, causal=True)),
    _case(
        "split_sum",
        "reductions over a block, atomics",
        make_inputs=_sum_inputs,
        outputs={},
        reference=_sum,
    ),
    _case(
        "conv",
        "pixels by an im2col tensor map (sm_90a), or by cp.async with computed addresses",
        make_inputs=_conv_inputs,
        outputs={"C": ((256, 64), np.float16)},
        reference=_conv,
    ),
    _case(
        "matmul_int4",
        "weights of four bits unpacked in registers and put back into shared memory",
        make_inputs=_int4_inputs,
        outputs={"C": ((128, 64), np.float32)},
        reference=_int4,
    ),
    _case(
        "attend_backward",
        "gradients of attention: products with transposed operands, atomics of floats",
        make_inputs=_backward_inputs,
        outputs={"DK": ((1, 128, 64), np.float32), "DV": ((1, 128, 64), np.float32)},
        reference=_backward,
    ),
    _case(
        "cumsum",
        "a sum along rows of shared memory",
        make_inputs=lambda rng: {"X": matrix(rng, (64, 96), np.float32)},
        outputs={"S": ((64, 96), np.float32)},
        reference=_cumsum,
    ),
]
