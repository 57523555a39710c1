"""Matrix instructions of one warp: mma.sync, WMMA, ldmatrix, stmatrix.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
from case import Arrays, Case, Expected, Launch
from cases_triton_matmul import product
from numerics import BF16, E4M3, E5M2, dot, rounding, tf32

BOTH = ("sm_80", "sm_90a")
M, N = 32, 24

# Kernel of mma.cu: operands' kind, k.
MMA = {
    "f16_k16": ("f16", 48),
    "bf16_k16": ("bf16", 48),
    "f16_k8": ("f16", 24),
    "bf16_k8": ("bf16", 24),
    "tf32_k8": ("tf32", 24),
    "tf32_k4": ("tf32", 12),
    "s8_k32": ("s8", 96),
    "u8_k32": ("u8", 96),
    "s8_u8_sat": ("s8u8", 64),
    "s8_k16": ("s8", 48),
    "f16_sums": ("f16", 32),
    "f64_k4": ("f64", 12),
}


def _operand(rng: np.random.Generator, kind: str, shape: tuple[int, int]) -> np.ndarray:
    if kind in ("s8", "u8"):
        dtype = np.int8 if kind == "s8" else np.uint8
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max + 1
        return rng.integers(low, high, shape, dtype)
    x = rng.standard_normal(shape)
    if kind == "tf32":
        return tf32(x.astype(np.float32))
    return x.astype({"f16": np.float16, "bf16": BF16, "f64": np.float64}[kind])


def _mma_inputs(rng: np.random.Generator) -> Arrays:
    arrays: Arrays = {}
    for name, (kind, k) in MMA.items():
        left, right = ("s8", "u8") if kind == "s8u8" else (kind, kind)
        arrays[f"{name}_a"] = _operand(rng, left, (M, k))
        arrays[f"{name}_b"] = _operand(rng, right, (N, k))
        arrays[f"{name}_c"] = _addend(rng, name)
    return arrays


def _addend(rng: np.random.Generator, name: str) -> np.ndarray:
    if name == "s8_u8_sat":  # near the ends of the range, so that some sums stop there
        sign = rng.choice([-1, 1], (M, N))
        return (sign * (2**31 - 1 - rng.integers(0, 10**5, (M, N)))).astype(np.int32)
    if name.startswith(("s8", "u8")):
        return rng.integers(-(10**6), 10**6, (M, N), np.int32)
    return rng.standard_normal((M, N)).astype(_sum_type(name))


def _sum_type(name: str) -> type:
    if name.startswith(("s8", "u8")):
        return np.int32
    return {"f16_sums": np.float16, "f64_k4": np.float64}.get(name, np.float32)


def _mma(inputs: Arrays) -> dict[str, Expected]:
    return {f"{name}_d": _one_mma(name, inputs) for name in MMA}


def _one_mma(name: str, inputs: Arrays) -> Expected:
    a, b, c = (inputs[f"{name}_{x}"] for x in "abc")
    b = b.T
    if name == "s8_u8_sat":
        # Each instruction of 32 products stops at the ends of its range.
        total = c.astype(np.int64)
        for at in range(0, a.shape[1], 32):
            total += a[:, at : at + 32].astype(np.int64) @ b[at : at + 32].astype(np.int64)
            total = np.clip(total, -(2**31), 2**31 - 1)
        return Expected(total.astype(np.int32))
    if a.dtype.itemsize == 1:
        return Expected(a.astype(np.int32) @ b.astype(np.int32) + c)
    a, b, c = a.astype(np.float64), b.astype(np.float64), c.astype(np.float64)
    value, sizes = a @ b + c, np.abs(a) @ np.abs(b) + np.abs(c)
    terms = a.shape[1] + 8
    if name == "f64_k4":
        return Expected(value, sizes * terms * 2.0**-53)
    if name == "f16_sums":
        # Rounded to f16 after each of the two instructions, and perhaps between halves.
        return Expected(value, sizes * 4 * 2.0**-11 + rounding(sizes, np.float16))
    return Expected(value, sizes * terms * 2.0**-23)


def _mma_launches(arch: str) -> list[Launch]:
    def one(name: str, k: int) -> Launch:
        rows = 8 if name == "f64_k4" else 16
        arrays = [f"{name}_{x}" for x in "abcd"]
        grid = (N // 8, M // rows, 1)
        return Launch(name, grid, (32, 1, 1), [*arrays, np.int32(N), np.int32(k)])

    return [one(name, k) for name, (_, k) in MMA.items()]


FP8 = {"e4m3": E4M3, "e5m2": E5M2}
FP8_PAIRS = [(a, b) for a in FP8 for b in FP8]
FP8_K = 96


def _fp8_inputs(rng: np.random.Generator) -> Arrays:
    arrays = {}
    for name, dtype in FP8.items():
        arrays[f"{name}_a"] = rng.standard_normal((M, FP8_K)).astype(dtype)
        arrays[f"{name}_b"] = rng.standard_normal((N, FP8_K)).astype(dtype)
    return arrays


def _fp8(inputs: Arrays) -> dict[str, Expected]:
    return {
        f"{a}_{b}": product(inputs[f"{a}_a"], inputs[f"{b}_b"].T, np.float32)
        for a, b in FP8_PAIRS
    }


# Kernel of wmma.cu: operands' kind, the tile's M, N, and whether a, b and c are stored by
# columns.
WMMA: dict[str, tuple[str, int, int, bool, bool, bool]] = {
    "f16_rows": ("f16", 16, 16, False, False, False),
    "f16_columns": ("f16", 32, 8, True, True, True),
    "f16_wide": ("f16", 8, 32, False, True, False),
    "bf16": ("bf16", 16, 16, False, True, False),
    "s8": ("s8", 16, 16, False, True, False),
    "tf32": ("tf32", 16, 16, False, False, False),
    "f64": ("f64", 8, 8, False, True, False),
}
WM, WN, WK = 32, 64, 48


def _wmma_inputs(rng: np.random.Generator) -> Arrays:
    arrays: Arrays = {}
    for name, (kind, _, _, a_columns, b_columns, c_columns) in WMMA.items():
        arrays[f"{name}_a"] = _operand(rng, kind, (WK, WM) if a_columns else (WM, WK))
        arrays[f"{name}_b"] = _operand(rng, kind, (WN, WK) if b_columns else (WK, WN))
        c = rng.standard_normal((WN, WM) if c_columns else (WM, WN))
        arrays[f"{name}_c"] = (c * 100 if kind == "s8" else c).astype(_wmma_sum(kind))
    return arrays


def _wmma_sum(kind: str) -> type:
    return {"s8": np.int32, "f64": np.float64}.get(kind, np.float32)


def _wmma(inputs: Arrays) -> dict[str, Expected]:
    found = {}
    for name, (kind, _, _, a_columns, b_columns, c_columns) in WMMA.items():
        a, b, c = (inputs[f"{name}_{x}"] for x in "abc")
        a, b, c = a.T if a_columns else a, b.T if b_columns else b, c.T if c_columns else c
        if kind == "s8":
            found[f"{name}_d"] = Expected(2 * (a.astype(np.int32) @ b.astype(np.int32) + c))
            continue
        made, bound = dot(a, b).value + c, dot(a, b).bound + np.abs(c) * 2.0**-20
        if kind == "f64":
            bound = bound * 2.0**-29
        expected = (2 * made, 2 * bound)
        found[f"{name}_d"] = Expected(*(x.T if c_columns else x for x in expected))
    return found


def _wmma_launches(arch: str) -> list[Launch]:
    sizes = [np.int32(WM), np.int32(WN), np.int32(WK)]
    return [
        Launch(
            name,
            (WN // n, WM // m, 1),
            (32, 1, 1),
            [f"{name}_{x}" for x in "abcd"] + sizes,
        )
        for name, (_, m, n, *_) in WMMA.items()
    ]


def _moves_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "tiles": rng.integers(0, 2**32, (32, 4), np.uint32),
        "order": rng.permutation(32).astype(np.int32),
        "registers": rng.integers(0, 2**32, (32, 14), np.uint32),
        "order8": rng.permutation(8).astype(np.int32),
    }


def fragment(matrix: np.ndarray) -> np.ndarray:
    """Lane 4 i + j of a warp holds the elements 2 j and 2 j + 1 of row i, the first low."""
    low, high = matrix[:, ::2].astype(np.uint32), matrix[:, 1::2].astype(np.uint32)
    return (low | high << np.uint32(16)).reshape(32)


def matrix_of(registers: np.ndarray) -> np.ndarray:
    """The 8 x 8 matrix whose fragment that is."""
    words = registers.reshape(8, 4)
    pairs = np.stack([words & np.uint32(0xFFFF), words >> np.uint32(16)], 2)
    return pairs.reshape(8, 8).astype(np.uint16)


def _moves(inputs: Arrays) -> dict[str, Expected]:
    rows = inputs["tiles"].view(np.uint16).reshape(32, 8)[inputs["order"]]
    matrices = [rows[8 * i : 8 * i + 8] for i in range(4)]
    plain = [fragment(m) for m in matrices]
    turned = [fragment(m.T) for m in matrices]
    columns = [v for kind in (plain, turned) for v in (kind[0], *kind[:2], *kind)]
    # movmatrix of the first register, and of the first of the transposed x4.
    columns += [turned[0], plain[0]]
    return {"loaded": Expected(np.stack(columns, 1))}


def _moves_hopper(inputs: Arrays) -> dict[str, Expected]:
    order, stored = inputs["order8"], np.zeros((14, 8, 8), np.uint16)
    for i in range(14):
        matrix = matrix_of(inputs["registers"][:, i])
        stored[i][order] = matrix if i < 7 else matrix.T
    return _moves(inputs) | {"stored": Expected(stored)}


def _moves_launches(arch: str) -> list[Launch]:
    load = Launch("loads", (1, 1, 1), (32, 1, 1), ["tiles", "order", "loaded"])
    store = Launch("stores", (1, 1, 1), (32, 1, 1), ["registers", "order8", "stored"])
    return [load] if arch == "sm_80" else [load, store]


LOADED = {"loaded": ((32, 16), np.uint32)}
CASES = [
    Case(
        name="mma",
        program="mma",
        archs=BOTH,
        make_inputs=_mma_inputs,
        outputs={f"{name}_d": ((M, N), _sum_type(name)) for name in MMA},
        launches=_mma_launches,
        reference=_mma,
        covers="mma.sync of f16 bf16 tf32 s8 u8 f64, sums in f32 f16 s32 f64, satfinite",
    ),
    Case(
        name="mma_fp8",
        program="mma_fp8",
        archs=("sm_89", "sm_90a"),
        make_inputs=_fp8_inputs,
        outputs={f"{a}_{b}": ((M, N), np.float32) for a, b in FP8_PAIRS},
        launches=lambda arch: [
            Launch(
                f"{a}_{b}",
                (N // 8, M // 16, 1),
                (32, 1, 1),
                [f"{a}_a", f"{b}_b", f"{a}_{b}", np.int32(N), np.int32(FP8_K)],
            )
            for a, b in FP8_PAIRS
        ],
        reference=_fp8,
        covers="mma.sync m16n8k32 of e4m3 and e5m2",
    ),
    Case(
        name="wmma",
        program="wmma",
        archs=BOTH,
        make_inputs=_wmma_inputs,
        outputs={
            f"{name}_d": ((WN, WM) if spec[5] else (WM, WN), _wmma_sum(spec[0]))
            for name, spec in WMMA.items()
        },
        launches=_wmma_launches,
        reference=_wmma,
        covers="wmma load, mma, store in all layouts, three shapes, five types",
    ),
    *(
        Case(
            name=f"matrix_moves_{arch}" if arch != "sm_80" else "matrix_moves",
            program="matrix_moves",
            archs=(arch,),
            make_inputs=_moves_inputs,
            outputs=LOADED if arch == "sm_80" else LOADED | {"stored": ((14, 8, 8), np.uint16)},
            launches=_moves_launches,
            reference=_moves if arch == "sm_80" else _moves_hopper,
            covers="ldmatrix x1 x2 x4 (.trans), movmatrix; stmatrix on sm_90a",
        )
        for arch in BOTH
    ),
]
