"""wgmma over types, widths, swizzles and sources, and a product of specialised warp groups.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from typing import Any

import numpy as np
from case import Arrays, Case, Expected, Launch, TensorMap
from cases_triton_matmul import matrix, product
from numerics import BF16, E4M3, E5M2, tf32

HOPPER = ("sm_90a",)
F16, F32, S32 = np.float16, np.float32, np.int32

# Kernel of wgmma.cu: the tile's width, the types of a, b and d, and k.
KERNELS: dict[str, tuple[int, Any, Any, Any, int]] = {
    "f16_n8": (8, F16, F16, F32, 96),
    "f16_n64": (64, F16, F16, F32, 128),
    "bf16_n128": (128, BF16, BF16, F32, 96),
    "bf16_n256": (256, BF16, BF16, F32, 48),
    "f16_minus": (64, F16, F16, F32, 128),
    "f16_sums": (64, F16, F16, F16, 128),
    "f16_nt_128": (128, F16, F16, F32, 96),
    "f16_nt_64": (64, F16, F16, F32, 96),
    "f16_nt_32": (64, F16, F16, F32, 96),
    "f16_nt_0": (64, F16, F16, F32, 96),
    "bf16_tn_128": (64, BF16, BF16, F32, 96),
    "bf16_tt_32": (64, BF16, BF16, F32, 96),
    "f16_registers": (64, F16, F16, F32, 128),
    "bf16_registers_nt": (64, BF16, BF16, F32, 96),
    "tf32_n64": (64, F32, F32, F32, 96),
    "tf32_registers": (64, F32, F32, F32, 48),
    "e4m3_n64": (64, E4M3, E4M3, F32, 256),
    "e5m2_e4m3": (64, E5M2, E4M3, F32, 128),
    "s8_n64": (64, np.int8, np.int8, S32, 256),
    "u8_s8_registers": (64, np.uint8, np.int8, S32, 96),
}
M = 128


def _columns(name: str) -> int:
    """Two tiles of columns, one of the widest."""
    width = KERNELS[name][0]
    return width if width == 256 else 2 * width


def _inputs(rng: np.random.Generator) -> Arrays:
    arrays: Arrays = {}
    for name, (_, a, b, _, k) in KERNELS.items():
        for side, dtype, rows in (("a", a, M), ("b", b, _columns(name))):
            if name == "f16_sums":  # small integers: sums are exact in f16
                made = rng.integers(-2, 3, (rows, k)).astype(F16)
            elif dtype is np.uint8:
                made = rng.integers(0, 256, (rows, k), np.uint8)
            else:
                made = matrix(rng, (rows, k), dtype)
            arrays[f"{name}_{side}"] = tf32(made) if dtype is F32 else made
    return arrays


def _reference(inputs: Arrays) -> dict[str, Expected]:
    found = {}
    for name, (_, _, _, out, _) in KERNELS.items():
        a, b = inputs[f"{name}_a"], inputs[f"{name}_b"].T
        if out is S32:
            found[f"{name}_d"] = Expected(a.astype(S32) @ b.astype(S32))
        elif name == "f16_sums":
            found[f"{name}_d"] = Expected(a.astype(np.float64) @ b.astype(np.float64))
        else:
            expected = product(a, b, F32)
            sign = -1 if name == "f16_minus" else 1
            found[f"{name}_d"] = Expected(sign * expected.value, expected.bound)
    return found


def _launches(arch: str) -> list[Launch]:
    launches = []
    for name, (width, a, _, _, k) in KERNELS.items():
        arrays = [f"{name}_{x}" for x in "abd"]
        n = _columns(name)
        # Tiles are at most 128 bytes deep; their elements' size cancels for those that are.
        shared = (64 + width) * 128
        launches.append(
            Launch(
                name,
                (n // width, M // 64, 1),
                (128, 1, 1),
                [*arrays, np.int32(n), np.int32(k)],
                shared=shared,
            )
        )
        assert np.dtype(a).itemsize * k % 32 == 0
    return launches


SIZES = {"m": 200, "n": 216, "k": 136}


def _specialised_inputs(rng: np.random.Generator) -> Arrays:
    m, n, k = SIZES.values()
    return {"a": matrix(rng, (m, k), F16), "b": matrix(rng, (k, n), F16)}


def _specialised(arch: str) -> list[Launch]:
    m, n, k = SIZES.values()

    def tensor(array: str, rows: int, columns: int, box: tuple[int, int]) -> TensorMap:
        return TensorMap(array, "f16", (columns, rows), (2 * columns,), box, swizzle="128B")

    args = [
        tensor("a", m, k, (64, 128)),
        tensor("b", k, n, (64, 64)),
        tensor("c", m, n, (64, 64)),
        *(np.int32(size) for size in SIZES.values()),
    ]
    # Three stages of two tiles of 16 KiB, 32 KiB for the results, and the barriers.
    return [Launch("product", (3, 1, 1), (384, 1, 1), args, shared=129 * 1024)]


CASES = [
    Case(
        name="wgmma",
        program="wgmma",
        archs=HOPPER,
        make_inputs=_inputs,
        outputs={f"{name}_d": ((M, _columns(name)), KERNELS[name][3]) for name in KERNELS},
        launches=_launches,
        reference=_reference,
        covers="wgmma f16 bf16 tf32 e4m3 e5m2 s8 u8, four swizzles, transposed, from registers",
    ),
    Case(
        name="specialised",
        program="specialised",
        archs=HOPPER,
        make_inputs=_specialised_inputs,
        outputs={"c": ((SIZES["m"], SIZES["n"]), F16)},
        launches=_specialised,
        reference=lambda given: {"c": product(given["a"], given["b"], F16)},
        covers="setmaxnreg, elect.sync, TMA loads and stores, stmatrix, persistent blocks",
    ),
]
