"""Cases of the TileLang programs.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from typing import Any

import numpy as np
from case import Arrays, Case, Expected, Launch, TensorMap, manifest
from cases_triton_matmul import HOPPER, attention, matrix, product
from numerics import BF16, E4M3, sum_bound

BOTH = ("sm_80", "sm_90a")


def launches(program: str, arch: str) -> list[Launch]:
    """The launch that stands in TileLang's host code; arrays go by its parameters' names."""
    entry = manifest().get(f"{program}.{arch}")
    if entry is None:  # not compiled yet
        return []
    [(kernel, facts)] = entry["kernels"].items()
    args: list[Any] = []
    for argument in facts["arguments"]:
        if isinstance(argument, dict):
            argument = TensorMap(
                **{key: tuple(v) if isinstance(v, list) else v for key, v in argument.items()}
            )
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
]
