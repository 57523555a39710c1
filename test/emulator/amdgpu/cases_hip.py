"""Cases of the HIP C++ programs.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import ml_dtypes
import numpy as np
from case import Arrays, Case, Expected, Extent, Launch

ALL = ("gfx90a", "gfx942", "gfx950", "gfx1100", "gfx1201")
MFMA = ("gfx90a", "gfx942", "gfx950")
F32 = np.float32


def case(
    name: str,
    program: str,
    kernel: str,
    archs: tuple[str, ...],
    make_inputs: Callable[[np.random.Generator], Arrays],
    outputs: Mapping[str, tuple[tuple[int, ...], Any]],
    grid: Extent,
    block: Extent,
    args: list[Any],
    reference: Callable[[Arrays], dict[str, Expected]],
    covers: str,
    shared: int = 0,
) -> Case:
    """A case of one launch."""
    return Case(
        name=f"hip_{name}",
        program=program,
        archs=archs,
        make_inputs=make_inputs,
        outputs=outputs,
        launches=lambda arch: [Launch(kernel, grid, block, args, shared=shared)],
        reference=reference,
        covers=covers,
    )


def lanes(arch: str) -> int:
    """Of a wave."""
    return 64 if arch.startswith("gfx9") else 32


def ints(rng: np.random.Generator, shape: Any, dtype: Any = np.uint32) -> np.ndarray:
    """Random integers of all sizes, with the ends of their range among them."""
    bits = np.dtype(dtype).itemsize * 8
    values = rng.integers(0, 2**bits, shape, np.uint64 if bits == 64 else np.int64)
    values = values >> rng.integers(0, bits, shape).astype(values.dtype)
    flat = values.reshape(-1)
    flat[:4] = [0, 1, 2**bits - 1, 2 ** (bits - 1)] if bits < 64 else [0, 1, 7, 2**62]
    return values.astype(dtype)


# -- reductions --------------------------------------------------------------------------------


def _sums(a: Arrays) -> dict[str, Expected]:
    x = np.zeros(1280)
    x[:1200] = a["x"]
    magnitude = np.abs(x)
    rows = x.reshape(-1, 16)[:75]
    return {
        "out": Expected(
            x.reshape(5, 256).sum(1), magnitude.reshape(5, 256).sum(1) * 256 * 2.0**-24
        ),
        "rows": Expected(rows.sum(1), magnitude.reshape(-1, 16)[:75].sum(1) * 16 * 2.0**-24),
    }


def _votes(size: int) -> Callable[[Arrays], dict[str, Expected]]:
    def reference(a: Arrays) -> dict[str, Expected]:
        x = a["x"].reshape(-1, size)
        weights = np.uint64(1) << np.arange(size, dtype=np.uint64)
        return {
            "ballots": Expected(((x > 0) * weights).sum(1).astype(np.uint64)),
            "first": Expected(x[:, 0]),
            "swizzled": Expected(a["x"].reshape(-1, 2)[:, ::-1].reshape(-1)),
        }

    return reference


def _votes_case(size: int, archs: tuple[str, ...]) -> Case:
    return case(
        f"votes{size}", "reduce", "votes", archs,
        lambda rng: {"x": rng.integers(-9, 9, 256, np.int32)},
        {
            "ballots": ((256 // size,), np.uint64),
            "first": ((256 // size,), np.int32),
            "swizzled": ((256,), np.int32),
        },
        (2, 1, 1), (128, 1, 1), ["x", "ballots", "first", "swizzled"], _votes(size),
        "ballots, v_readfirstlane, ds_swizzle",
    )  # fmt: skip


REDUCTIONS = [
    case(
        "sums", "reduce", "sums", ALL,
        lambda rng: {"x": rng.standard_normal(1200).astype(F32)},
        {"out": ((5,), F32), "rows": ((75,), F32)},
        (5, 1, 1), (256, 1, 1), ["x", "out", "rows", np.uint32(1200)], _sums,
        "DPP quad_perm and row_ror, ds_bpermute, LDS between waves",
    ),
    case(
        "scan", "reduce", "scan", ALL,
        lambda rng: {"x": rng.integers(-99, 99, 512, np.int32)},
        {"out": ((512,), np.int32)}, (2, 1, 1), (256, 1, 1), ["x", "out"],
        lambda a: {
            "out": Expected(a["x"].reshape(-1, 16).cumsum(1).astype(np.int32).reshape(-1))
        },
        "DPP row_shr with bounds",
    ),
    _votes_case(64, MFMA),
    _votes_case(32, ("gfx1100", "gfx1201")),
]  # fmt: skip

# -- memory ------------------------------------------------------------------------------------


def _atomic_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "x": rng.integers(-1000, 1000, 300, np.int32),
        "results": np.array([0, 2**31 - 1, -(2**31), -1, 0, 0, 0, 1], np.int32),
        "wide": np.zeros(2, np.uint64),
        "floats": np.zeros(1, F32),
    }


def _atomics(a: Arrays) -> dict[str, Expected]:
    x = a["x"]
    product = np.int32(1)
    with np.errstate(over="ignore"):
        for v in x:
            product = product * (np.int32(2) * v + np.int32(1))
        wide = (x.astype(np.int64).astype(np.uint64) * np.uint64(1000003)).sum()
    results = [
        x.sum(), x.min(), x.max(), np.bitwise_and.reduce(x | 0xFF),
        np.bitwise_or.reduce(x & 0xFF0), np.bitwise_xor.reduce(x), len(x), product,
    ]  # fmt: skip
    return {
        "results": Expected(np.array(results, np.int32)),
        "wide": Expected(np.array([wide, 300 * 299 // 2], np.uint64)),
        "floats": Expected(np.array([300.0])),
    }


def _reversed(a: Arrays) -> dict[str, Expected]:
    x = a["x"].reshape(3, 128, 2)
    return {"out": Expected(x[:, ::-1].reshape(-1))}


MEMORY = [
    case(
        "transpose", "transpose", "transpose", ALL,
        lambda rng: {"x": rng.standard_normal((70, 45)).astype(F32)},
        {"out": ((45, 70), F32)}, (2, 3, 1), (32, 8, 1),
        ["x", "out", np.uint32(70), np.uint32(45)],
        lambda a: {"out": Expected(a["x"].T.astype(np.float64))},
        "LDS, two dimensions, masks",
    ),
    case(
        "reverse", "transpose", "reverse", ALL,
        lambda rng: {"x": ints(rng, 768, np.uint64)}, {"out": ((768,), np.uint64)},
        (3, 1, 1), (128, 1, 1), ["x", "out"], _reversed, "dynamic LDS, wide accesses",
        shared=128 * 16,
    ),
    case(
        "atomics", "atomics", "atomics", ALL, _atomic_inputs, {}, (3, 1, 1), (128, 1, 1),
        ["x", "results", "wide", "floats", np.uint32(300)], _atomics,
        "global atomics, compare and swap",
    ),
    case(
        "histogram", "atomics", "histogram", ALL,
        lambda rng: {
            "x": rng.integers(0, 256, 5000, np.uint8), "bins": np.zeros(256, np.uint32)
        },
        {}, (4, 1, 1), (256, 1, 1), ["x", "bins", np.uint32(5000)],
        lambda a: {
            "bins": Expected(np.bincount(a["x"], minlength=256).astype(np.uint32))
        },
        "LDS atomics",
    ),
    case(
        "sorted", "scratch", "sorted", ALL,
        lambda rng: {"x": rng.integers(-99, 99, (192, 16), np.int32)},
        {"out": ((192, 16), np.int32)}, (2, 1, 1), (96, 1, 1), ["x", "out"],
        lambda a: {"out": Expected(np.sort(a["x"], 1))},
        "private arrays with dynamic indices, divergent loops",
    ),
    case(
        "calls", "scratch", "calls", ALL,
        lambda rng: {
            "n": rng.integers(0, 9, 64, np.int32),
            "x": rng.standard_normal(64).astype(F32),
        },
        {"fib": ((64,), np.int32), "poly": ((64,), F32)}, (1, 1, 1), (64, 1, 1),
        ["n", "x", "fib", "poly"], lambda a: _calls(a), "calls, recursion, a stack",
    ),
]  # fmt: skip


def _calls(a: Arrays) -> dict[str, Expected]:
    fib = [0, 1, 1, 2, 3, 5, 8, 13, 21]
    x = a["x"].astype(np.float64)
    t = np.arange(64)
    value = ((x - 2) * x + 0.5) * x + t
    bound = ((np.abs(x) + 2) * np.abs(x) + 0.5) * np.abs(x) + t
    return {
        "fib": Expected(np.array(fib, np.int32)[a["n"]]),
        "poly": Expected(value, bound * 4 * 2.0**-23),
    }


# -- arithmetic --------------------------------------------------------------------------------


def _integers(given: Arrays) -> dict[str, Expected]:
    rows = []
    for x, y in zip(given["a"].tolist(), given["b"].tolist()):
        sx, sy = (v - 2**32 if v >= 2**31 else v for v in (x, y))
        odd = sy | 1
        quotient = abs(sx) // abs(odd) * (1 if (sx < 0) == (odd < 0) else -1)
        s = y & 31
        field = (x >> s) & 0x7F if s <= 25 else x >> s
        width = min(7, 32 - s)
        signed_field = (x >> s) & ((1 << width) - 1)
        # A field that reaches beyond bit 31 is sign-extended from bit 31.
        if signed_field >> (width - 1):
            signed_field -= 1 << width
        both = (x << 32) | y
        picked = [(both >> (8 * k)) & 0xFF for k in (6, 1, 5, 3)]
        row = [
            x + y, x * y, (x * y) >> 32, (sx * sy) >> 32, x // (y | 1), x % (y | 1),
            quotient, sx - quotient * odd, x << s, x >> s, sx >> s, bin(x).count("1"),
            32 - x.bit_length(), (x & -x).bit_length() - 1 if x else 32,
            int(f"{x:032b}"[::-1], 2), (x << s) | (x >> (32 - s)), max(x, y), min(sx, sy),
            field & 0x7F, signed_field, sum(v << (8 * i) for i, v in enumerate(picked)),
            both >> 13, int.from_bytes(x.to_bytes(4, "little"), "big"),
            (x & 0xFF) + ((y >> 8) & 0xFF),
        ]  # fmt: skip
        rows.append([v % 2**32 for v in row])
    return {"out": Expected(np.array(rows, np.uint32))}


def _wide(given: Arrays) -> dict[str, Expected]:
    rows = []
    for x, y in zip(given["a"].tolist(), given["b"].tolist()):
        sx = x - 2**64 if x >= 2**63 else x
        odd = (y | 1) - (2**64 if y >= 2**63 else 0)
        remainder = abs(sx) % abs(odd) * (-1 if sx < 0 else 1)
        s = y & 63
        row = [
            x + y, x - y, x * y, x // (y | 1), remainder, x << s, sx >> s, max(x, y),
            bin(x).count("1"), (x * y) >> 64,
        ]  # fmt: skip
        rows.append([v % 2**64 for v in row])
    return {"out": Expected(np.array(rows, np.uint64))}


def _float_inputs(dtype: Any, names: str) -> Callable[[np.random.Generator], Arrays]:
    def make(rng: np.random.Generator) -> Arrays:
        made = {}
        for name in names:
            values = rng.standard_normal(256) * np.exp(rng.standard_normal(256) * 4)
            made[name] = values.astype(dtype)
        return made

    return make


def _floats(given: Arrays) -> dict[str, Expected]:
    a, b, c = (given[k].astype(np.float64) for k in "abc")
    x, y, z = (given[k] for k in "abc")
    exact = [
        x + y, x * y, None, x / y, np.sqrt(np.abs(x)), np.floor(x), np.trunc(y), np.rint(z),
        np.minimum(x, y), np.maximum(y, z), np.copysign(x, y), np.trunc(x),
        np.trunc(np.abs(y)), x.astype(np.float16).astype(F32),
        np.sort(np.stack([x, y, z]), 0)[1], np.where(x < y, x - z, y - z),
    ]  # fmt: skip
    value = np.stack([(a * b + c if v is None else v.astype(np.float64)) for v in exact], 1)
    bound = np.zeros_like(value)
    bound[:, 2] = (np.abs(a * b) + np.abs(c)) * 2.0**-24
    bound[:, 3:5] = np.abs(value[:, 3:5]) * 2.0**-23
    return {"out": Expected(value, bound)}


def _doubles(given: Arrays) -> dict[str, Expected]:
    x, y = given["a"], given["b"]
    rows = [
        x + y, x * y, x * y + x, x / y, np.sqrt(np.abs(x)), np.floor(x), np.trunc(y),
        x.astype(F32).astype(np.float64),
    ]  # fmt: skip
    value = np.stack(rows, 1)
    bound = np.zeros_like(value)
    bound[:, 2] = (np.abs(x * y) + np.abs(x)) * 2.0**-52
    bound[:, 3:5] = np.abs(value[:, 3:5]) * 2.0**-51
    return {"out": Expected(value, bound)}


def _halves(given: Arrays) -> dict[str, Expected]:
    x, y = given["a"].astype(np.float64), given["b"].astype(np.float64)
    rows = [x + y, x * y, x - y, x * y + x, np.maximum(x, y), np.trunc(y)]
    return {"out": Expected(np.stack(rows, 1).astype(np.float16))}


def _approximations(given: Arrays) -> dict[str, Expected]:
    x = given["a"].astype(np.float64)
    rows = [
        np.exp2(x), np.log2(np.abs(x)), 1 / x, 1 / np.sqrt(np.abs(x)), np.sin(2 * np.pi * x)
    ]  # fmt: skip
    value = np.stack(rows, 1)
    bound = np.abs(value) * 2.0**-22 + 2.0**-126
    bound[:, 1] += 2.0**-21
    bound[:, 4] = 2.0**-18
    return {"out": Expected(value, bound)}


ARITHMETIC = [
    case(
        "integers", "integers", "integers", ALL,
        lambda rng: {"a": ints(rng, 256), "b": ints(rng, 256)},
        {"out": ((256, 24), np.uint32)}, (2, 1, 1), (128, 1, 1), ["a", "b", "out"], _integers,
        "32-bit integers",
    ),
    case(
        "wide", "integers", "wide", ALL,
        lambda rng: {"a": ints(rng, 256, np.uint64), "b": ints(rng, 256, np.uint64)},
        {"out": ((256, 10), np.uint64)}, (2, 1, 1), (128, 1, 1), ["a", "b", "out"], _wide,
        "64-bit integers, carries",
    ),
    case(
        "floats", "floats", "floats", ALL, _float_inputs(F32, "abc"),
        {"out": ((256, 16), F32)}, (2, 1, 1), (128, 1, 1), ["a", "b", "c", "out"], _floats,
        "f32; division by div_scale, div_fmas, div_fixup",
    ),
    case(
        "doubles", "floats", "doubles", ALL, _float_inputs(np.float64, "ab"),
        {"out": ((256, 8), np.float64)}, (2, 1, 1), (128, 1, 1), ["a", "b", "out"], _doubles,
        "f64; division, square root",
    ),
    case(
        "halves", "floats", "halves", ALL,
        lambda rng: {
            k: (rng.standard_normal(256) * 8).astype(np.float16) for k in "ab"
        },
        {"out": ((256, 6), np.float16)}, (2, 1, 1), (128, 1, 1), ["a", "b", "out"], _halves,
        "f16, halves of registers",
    ),
    case(
        "approximations", "floats", "approximations", ALL,
        lambda rng: {"a": (rng.standard_normal(256) * 8).astype(F32)},
        {"out": ((256, 5), F32)}, (2, 1, 1), (128, 1, 1), ["a", "out"], _approximations,
        "v_exp, v_log, v_rcp, v_rsq, v_sin",
    ),
]  # fmt: skip

# -- 8-bit floats ------------------------------------------------------------------------------


def _fp8_cases(kind: str, archs: tuple[str, ...], e4m3: Any, e5m2: Any) -> list[Case]:
    patterns = np.arange(256, dtype=np.uint8)
    with np.errstate(invalid="ignore"):
        widened = {
            "e4m3": Expected(patterns.view(e4m3).astype(np.float64)),
            "e5m2": Expected(patterns.view(e5m2).astype(np.float64)),
        }

    def finite(a: Arrays) -> dict[str, Expected]:
        return {
            "e4m3": Expected(a["x"].astype(e4m3).view(np.uint8)),
            "e5m2": Expected(a["x"].astype(e5m2).view(np.uint8)),
        }

    # Values that neither format rounds beyond its range: what lies beyond depends on MODE.
    every = np.arange(2**16, dtype=np.uint16).view(np.float16)
    most = min(float(ml_dtypes.finfo(t).max) for t in (e4m3, e5m2))
    within = every[np.abs(np.nan_to_num(every, nan=np.inf).astype(F32)) <= most]
    within = within[: len(within) // 128 * 128]
    return [
        case(
            f"widen_{kind}", "fp8", "widen", archs,
            lambda rng: {"x": patterns.view(np.uint32)},
            {"e4m3": ((256,), F32), "e5m2": ((256,), F32)}, (1, 1, 1), (64, 1, 1),
            ["x", "e4m3", "e5m2"], lambda a: widened, "8-bit floats, all patterns",
        ),
        case(
            f"narrow_{kind}", "fp8", "narrow", archs, lambda rng: {"x": within},
            {"e4m3": ((len(within),), np.uint8), "e5m2": ((len(within),), np.uint8)},
            (len(within) // 128, 1, 1), (64, 1, 1), ["x", "e4m3", "e5m2"], finite,
            "to 8-bit floats, every f16 in range",
        ),
    ]  # fmt: skip


FP8 = [
    *_fp8_cases("fnuz", ("gfx942",), ml_dtypes.float8_e4m3fnuz, ml_dtypes.float8_e5m2fnuz),
    *_fp8_cases("ocp", ("gfx950", "gfx1201"), ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2),
]

# -- matrix products ---------------------------------------------------------------------------


def _product(
    program: str, kernel: str, archs: tuple[str, ...], shape: tuple[int, int], dtype: Any,
    start: np.ndarray | None = None,
) -> Case:  # fmt: skip
    m, k = shape
    out = np.int32 if dtype == np.int8 else np.float64 if dtype == np.float64 else F32

    def inputs(rng: np.random.Generator) -> Arrays:
        def made(shape: tuple[int, int]) -> np.ndarray:
            if dtype == np.int8:
                return rng.integers(-128, 128, shape, np.int8)
            return rng.standard_normal(shape).astype(dtype)

        return {"a": made((m, k)), "b": made((k, m))}

    def reference(given: Arrays) -> dict[str, Expected]:
        wide = np.int32 if dtype == np.int8 else np.float64
        a, b = given["a"].astype(wide), given["b"].astype(wide)
        value = a @ b + (0 if start is None else start)
        if dtype == np.int8:
            return {"d": Expected(value)}
        unit = 2.0**-52 if dtype == np.float64 else 2.0**-23
        return {"d": Expected(value, (np.abs(a) @ np.abs(b) + 16) * (k + 2) * unit)}

    return case(
        f"{program}_{kernel}", program, kernel, archs, inputs, {"d": ((m, m), out)},
        (1, 1, 1), (64 if program == "mfma" else 32, 1, 1), ["a", "b", "d"], reference,
        "one matrix instruction",
    )  # fmt: skip


_ROWS = np.arange(16)
_ELEVEN, _TWELVE = (_ROWS // 2 + 1.0)[:, None], (_ROWS % 8 + 1.0)[:, None]
MATRIX = [
    _product("mfma", "f16_16", MFMA, (16, 16), np.float16, (_ROWS % 4 + 1.0)[:, None]),
    _product("mfma", "f16_32", MFMA, (32, 8), np.float16),
    _product("mfma", "f32_32", MFMA, (32, 2), F32),
    _product("mfma", "f64_16", MFMA, (16, 4), np.float64),
    # Element i of lane l starts as i + 1: row 2 i + l / 16 on gfx11, 8 (l / 16) + i on gfx12.
    replace(
        _product("wmma", "f16_f32", ("gfx1100",), (16, 16), np.float16, _ELEVEN),
        name="hip_wmma_f16_f32_gfx11",
    ),
    _product("wmma", "f16_f32", ("gfx1201",), (16, 16), np.float16, _TWELVE),
    _product("wmma", "s8_s32", ("gfx1100", "gfx1201"), (16, 16), np.int8),
]

CASES: list[Case] = [*REDUCTIONS, *MEMORY, *ARITHMETIC, *FP8, *MATRIX]
