"""Floats that are exact: of integers, so that neither rounding nor NaNs are in question.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from asm_integer import bits, byte, median, s32, u64
from asm_lds import signed
from asm_rows import ALL, CDNA, RDNA, U32, U64, Family, Inputs, Row

GFX11, GFX12 = ("gfx1100",), ("gfx1201",)
NUMBERED = (*CDNA, "gfx1100")
F16, F64 = np.float16, np.float64


def halves(x: Inputs) -> list[np.ndarray]:
    """Of each operand the lower half, a signed number, as f16."""
    return [signed(one, 16).astype(F16) for one in (x.a, x.b, x.c)]


# To f16 in v20, v21 and v22.
TO_HALVES = "; ".join(
    f"v_cvt_f16_i16_e32 v{to}{{l}}, v{of}{{l}}" for to, of in ((20, 2), (21, 4), (22, 8))
)
TO_DOUBLES = "; ".join(
    f"v_cvt_f64_i32_e32 v[{to}:{to + 1}], v{of}" for to, of in ((20, 2), (22, 4), (24, 8))
)


def half(name: str, count: int, function: Callable, gpus: tuple[str, ...]) -> Row:
    """Of f16, with the upper half of the result shifted away."""

    def reference(x: Inputs) -> np.ndarray:
        return function(*halves(x)[:count]).astype(F16).view(np.uint16)

    registers = ", ".join(f"v{20 + i}{{l}}" for i in range(count))
    text = f"{TO_HALVES}; s_nop 1; {name} v6{{l}}, {registers}; s_nop 1; "
    return Row(text + "v_and_b32_e32 v6, 0xffff, v6", reference, gpus)


def double(name: str, count: int, function: Callable, gpus: tuple[str, ...] = ALL) -> Row:
    """Of f64, the operands being eighths."""

    def reference(x: Inputs) -> np.ndarray:
        return function(*(s32(one) / 8 for one in (x.a, x.b)[:count])).view(U64)

    scale = "; ".join(f"v_ldexp_f64 v[{r}:{r + 1}], v[{r}:{r + 1}], -3" for r in (20, 22))
    registers = ", ".join(f"v[{20 + 2 * i}:{21 + 2 * i}]" for i in range(count))
    return Row(f"{TO_DOUBLES}; {scale}; {name} v[6:7], {registers}", reference, gpus, True)


def short(name: str, function: Callable, is_signed: bool) -> Row:
    """Three integers of sixteen bits."""

    def reference(x: Inputs) -> np.ndarray:
        values = [
            signed(one, 16).astype(np.int64)
            if is_signed
            else (one & U32(0xFFFF)).astype(np.int64)
            for one in (x.a, x.b, x.c)
        ]
        return bits(function(*values) & 0xFFFF)

    text = f"{name} v6{{l}}, v2{{l}}, v4{{l}}, v8{{l}}; s_nop 1; v_and_b32_e32 v6, 0xffff, v6"
    return Row(text, reference)


def smaller(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    return np.minimum(np.minimum(a, b), c)


def larger(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    return np.maximum(np.maximum(a, b), c)


def both(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    return np.minimum(np.maximum(a, b), c)


def other(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    return np.maximum(np.minimum(a, b), c)


def quad_sad(x: Inputs, masked: bool) -> np.ndarray:
    """Four sums of absolute differences of b's bytes and those of aa from each byte on."""
    result = np.zeros_like(x.aa)
    for i in range(4):
        window = (x.aa >> U64(8 * i) & U64(0xFFFFFFFF)).astype(U32)
        total = (x.cc >> U64(16 * i) & U64(0xFFFF)).astype(np.int64)
        for j in range(4):
            one = abs(byte(window, j) - byte(x.b, j))
            total += np.where(byte(x.b, j) == 0, 0, one) if masked else one
        result |= (bits(total) & U64(0xFFFF)) << U64(16 * i)
    return result


HALVES = [
    ("v_max_f16_e32", 2, np.maximum, NUMBERED), ("v_min_f16_e32", 2, np.minimum, NUMBERED),
    ("v_max_num_f16_e32", 2, np.maximum, GFX12), ("v_min_num_f16_e32", 2, np.minimum, GFX12),
    ("v_maximum_f16", 2, np.maximum, GFX12), ("v_minimum_f16", 2, np.minimum, GFX12),
    ("v_max3_f16", 3, larger, NUMBERED), ("v_min3_f16", 3, smaller, NUMBERED),
    ("v_max3_num_f16", 3, larger, GFX12), ("v_min3_num_f16", 3, smaller, GFX12),
    ("v_maximum3_f16", 3, larger, GFX12), ("v_minimum3_f16", 3, smaller, GFX12),
    ("v_med3_f16", 3, median, NUMBERED), ("v_med3_num_f16", 3, median, GFX12),
    ("v_maxmin_f16", 3, both, GFX11), ("v_minmax_f16", 3, other, GFX11),
    ("v_maxmin_num_f16", 3, both, GFX12), ("v_minmax_num_f16", 3, other, GFX12),
    ("v_maximumminimum_f16", 3, both, GFX12), ("v_minimummaximum_f16", 3, other, GFX12),
]  # fmt: skip
SHORTS = [
    ("v_max3_u16", larger, False), ("v_min3_u16", smaller, False),
    ("v_med3_u16", median, False),
    ("v_max3_i16", larger, True), ("v_min3_i16", smaller, True), ("v_med3_i16", median, True),
    ("v_mad_u16", lambda a, b, c: a * b + c, False),
    ("v_mad_i16", lambda a, b, c: a * b + c, True),
]  # fmt: skip
ROWS = [
    *(half(*one) for one in HALVES),
    *(short(*one) for one in SHORTS),
    double("v_max_f64", 2, np.maximum, NUMBERED), double("v_min_f64", 2, np.minimum, NUMBERED),
    double("v_max_num_f64", 2, np.maximum, GFX12),
    double("v_min_num_f64", 2, np.minimum, GFX12),
    double("v_maximum_f64", 2, np.maximum, GFX12),
    double("v_minimum_f64", 2, np.minimum, GFX12),
    double("v_ceil_f64_e32", 1, np.ceil), double("v_floor_f64_e32", 1, np.floor),
    double("v_trunc_f64_e32", 1, np.trunc), double("v_rndne_f64_e32", 1, np.rint),
    double("v_fract_f64_e32", 1, lambda a: a - np.floor(a)),
    double("v_frexp_mant_f64_e32", 1, lambda a: np.frexp(a)[0]),
    Row("v_mad_u32_u16 v6, v2{l}, v4{l}, v8",
        lambda x: (x.a & U32(0xFFFF)) * (x.b & U32(0xFFFF)) + x.c),
    Row("v_mad_i32_i16 v6, v2{l}, v4{l}, v8",
        lambda x: bits(signed(x.a, 16).astype(np.int64) * signed(x.b, 16)) + u64(x.c)),
    Row("v_qsad_pk_u16_u8 v[20:21], v[2:3], v4, v[8:9]; s_nop 1; v_mov_b32_e32 v6, v20; "
        "v_mov_b32_e32 v7, v21", lambda x: quad_sad(x, False), ALL, True),
    Row("v_mqsad_pk_u16_u8 v[20:21], v[2:3], v4, v[8:9]; s_nop 1; v_mov_b32_e32 v6, v20; "
        "v_mov_b32_e32 v7, v21", lambda x: quad_sad(x, True), ALL, True),
    Row("v_accvgpr_write_b32 a1, v2; v_accvgpr_mov_b32 a2, a1; v_accvgpr_read_b32 v6, a2",
        lambda x: x.a, CDNA),
    Row("v_cvt_i32_i16_e32 v6, v2{l}", lambda x: bits(signed(x.a, 16)), RDNA),
    Row("v_cvt_u32_u16_e32 v6, v2{l}", lambda x: x.a & U32(0xFFFF), RDNA),
    Row("v_cvt_f16_u16_e32 v6{l}, v2{l}; s_nop 1; v_and_b32_e32 v6, 0xffff, v6",
        lambda x: u16_as_half(x)),
]  # fmt: skip


def u16_as_half(x: Inputs) -> np.ndarray:
    """Rounded to the nearest; 65520 and more are infinite."""
    with np.errstate(over="ignore"):
        return (x.a & U32(0xFFFF)).astype(np.float32).astype(F16).view(np.uint16)


FAMILY = Family("float", ROWS)
