"""Two halves in one register, dot products, two instructions in one, numbers of eight bits.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Callable

import ml_dtypes
import numpy as np
from asm_integer import bits, s32
from asm_lds import pair
from asm_rows import ALL, CDNA, I64, RDNA, U32, Family, Inputs, Row

Numbers = np.ndarray


def parts(values: Numbers, size: int, signed: bool) -> list[Numbers]:
    """The fields of registers, the lowest first."""
    found = []
    for at in range(0, 32, size):
        one = (values >> U32(at) & U32((1 << size) - 1)).astype(I64)
        found.append(np.where(one >> (size - 1) & 1, one - (1 << size), one) if signed else one)
    return found


def halves(low: Numbers, high: Numbers) -> Numbers:
    return bits(low & 0xFFFF | (high & 0xFFFF) << 16)


def packed(name: str, function: Callable, signed: bool = False, count: int = 2,
           modifiers: str = "", select: tuple = ((0, 0, 0), (1, 1, 1))) -> Row:  # fmt: skip
    """A function of halves. Of the low result and of the high one, `select` says which half
    of each operand they are made of."""

    def reference(x: Inputs) -> Numbers:
        operands = [parts(values, 16, signed) for values in (x.a, x.b, x.c)][:count]
        low, high = (
            function(*(one[which] for one, which in zip(operands, row, strict=False)))
            for row in select
        )
        return halves(low, high)

    registers = "v2, v4" if count == 2 else "v2, v4, v8"
    return Row(f"{name} v6, {registers}{modifiers}", reference)


def clamped(low: int, high: int, function: Callable) -> Callable:
    return lambda *values: np.clip(function(*values), low, high)


def dot(name: str, size: int, signed: tuple[bool, bool], gpus: tuple[str, ...],
        modifiers: str = "", clamp: bool = False) -> Row:  # fmt: skip
    """c and the products of the fields of a and b."""
    is_signed = any(signed) or "_i32_" in name

    def reference(x: Inputs) -> Numbers:
        products = [
            a * b
            for a, b in zip(
                parts(x.a, size, signed[0]), parts(x.b, size, signed[1]), strict=True
            )
        ]
        total = sum(products) + (s32(x.c) if is_signed else x.c.astype(I64))
        if clamp:
            total = np.clip(
                total, *((-(1 << 31), (1 << 31) - 1) if is_signed else (0, 0xFFFFFFFF))
            )
        return bits(total)

    return Row(f"{name} v6, v2, v4, v8{modifiers}", reference, gpus)


def dual(second: str, function: Callable) -> Row:
    """A move and a function of v4 and v3."""
    text = f"v_dual_mov_b32 v6, v2 :: v_dual_{second} v7, v4, v3"
    return Row(
        text,
        lambda x: pair(x.a, function(x.b, (x.aa >> np.uint64(32)).astype(U32))),
        RDNA,
        True,
    )


def eight(dtype: type, index: int) -> Callable:
    """The number that a byte of `a` is, as f32."""

    def reference(x: Inputs) -> Numbers:
        values = (x.a >> U32(8 * index)).astype(np.uint8).view(dtype).astype(np.float32)
        return values.view(U32)

    return reference


def conversions(name: str, fnuz: type, ocp: type) -> list[Row]:
    rows = []
    for index in range(4):
        text = f"v_cvt_f32_{name}_sdwa v6, v2 src0_sel:BYTE_{index}"
        rows += [
            Row(text, eight(fnuz, index), ("gfx942",)),
            Row(text, eight(ocp, index), ("gfx950",)),
            Row(f"v_cvt_f32_{name}_e64 v6, v2 byte_sel:{index}", eight(ocp, index),
                ("gfx1201",)),
        ]  # fmt: skip

    def two(dtype: type) -> Callable:
        return lambda x: pair(eight(dtype, 0)(x), eight(dtype, 1)(x))

    text = f"v_cvt_pk_f32_{name}_e32 v[6:7], v2"
    return [*rows, Row(text, two(fnuz), ("gfx942",), True),
            Row(text, two(ocp), ("gfx950",), True),
            Row(text, two(ocp), ("gfx1201",), True)]  # fmt: skip


ROWS = [
    packed("v_pk_add_u16", lambda a, b: a + b), packed("v_pk_sub_u16", lambda a, b: a - b),
    packed("v_pk_add_i16", lambda a, b: a + b, True),
    packed("v_pk_sub_i16", lambda a, b: a - b, True),
    packed("v_pk_add_u16", clamped(0, 0xFFFF, lambda a, b: a + b), modifiers=" clamp"),
    packed("v_pk_sub_i16", clamped(-0x8000, 0x7FFF, lambda a, b: a - b), True,
           modifiers=" clamp"),
    packed("v_pk_mul_lo_u16", lambda a, b: a * b),
    packed("v_pk_min_u16", np.minimum), packed("v_pk_max_u16", np.maximum),
    packed("v_pk_min_i16", np.minimum, True), packed("v_pk_max_i16", np.maximum, True),
    packed("v_pk_lshlrev_b16", lambda a, b: b << (a & 15)),
    packed("v_pk_lshrrev_b16", lambda a, b: b >> (a & 15)),
    packed("v_pk_ashrrev_i16", lambda a, b: b >> (a & 15), True),
    packed("v_pk_mad_u16", lambda a, b, c: a * b + c, count=3),
    packed("v_pk_mad_i16", lambda a, b, c: a * b + c, True, 3),
    packed("v_pk_mad_u16", clamped(0, 0xFFFF, lambda a, b, c: a * b + c), count=3,
           modifiers=" clamp"),
    packed("v_pk_mad_i16", lambda a, b, c: a * b + c, True, 3,
           " op_sel:[1,0,1] op_sel_hi:[0,0,1]", ((1, 0, 1), (0, 0, 1))),
    packed("v_pk_sub_u16", lambda a, b: a - b, modifiers=" op_sel:[0,1] op_sel_hi:[1,0]",
           select=((0, 1), (1, 0))),
    packed("v_pk_max_i16", np.maximum, True, modifiers=" op_sel:[1,1] op_sel_hi:[0,1]",
           select=((1, 1), (0, 1))),
    # Dot products.
    dot("v_dot4_u32_u8", 8, (False, False), ALL),
    dot("v_dot8_u32_u4", 4, (False, False), ALL),
    dot("v_dot4_u32_u8", 8, (False, False), ALL, " clamp", True),
    dot("v_dot4_i32_i8", 8, (True, True), CDNA), dot("v_dot8_i32_i4", 4, (True, True), CDNA),
    dot("v_dot2_i32_i16", 16, (True, True), CDNA),
    dot("v_dot2_u32_u16", 16, (False, False), CDNA),
    dot("v_dot4_i32_i8", 8, (True, True), CDNA, " clamp", True),
    dot("v_dot4_i32_iu8", 8, (True, True), RDNA, " neg_lo:[1,1,0]"),
    dot("v_dot4_i32_iu8", 8, (True, False), RDNA, " neg_lo:[1,0,0]"),
    dot("v_dot4_i32_iu8", 8, (False, False), RDNA),
    dot("v_dot8_i32_iu4", 4, (False, True), RDNA, " neg_lo:[0,1,0]"),
    dot("v_dot8_i32_iu4", 4, (True, True), RDNA, " neg_lo:[1,1,0] clamp", True),
    # Two in one.
    dual("add_nc_u32", lambda a, b: a + b), dual("and_b32", lambda a, b: a & b),
    dual("lshlrev_b32", lambda a, b: b << (a & U32(31))),
    Row("v_dual_mov_b32 v6, v4 :: v_dual_mov_b32 v7, v2", lambda x: pair(x.b, x.a), RDNA,
        True),
    Row("v_cmp_lt_u32_e32 vcc_lo, v2, v4; "
        "v_dual_cndmask_b32 v6, v2, v3 :: v_dual_mov_b32 v7, v4",
        lambda x: pair(np.where(x.a < x.b, (x.aa >> np.uint64(32)).astype(U32), x.a), x.b),
        RDNA, True),
    # Numbers of eight bits.
    *(Row(f"v_cvt_f32_ubyte{n}_e32 v6, v2",
          lambda x, n=n: (x.a >> U32(8 * n) & U32(0xFF)).astype(np.float32).view(U32))
      for n in range(4)),
    Row("v_cvt_off_f32_i4_e32 v6, v2",
        lambda x: (parts(x.a, 4, True)[0] / 16).astype(np.float32).view(U32)),
    Row("v_cvt_f32_u32_e32 v6, v2", lambda x: x.a.astype(np.float32).view(U32)),
    Row("v_cvt_f32_i32_e32 v6, v2", lambda x: s32(x.a).astype(np.float32).view(U32)),
    Row("v_cvt_f64_u32_e32 v[6:7], v2", lambda x: x.a.astype(np.float64).view(np.uint64), ALL,
        True),
    Row("v_cvt_f64_i32_e32 v[6:7], v2", lambda x: s32(x.a).astype(np.float64).view(np.uint64),
        ALL, True),
    *conversions("fp8", ml_dtypes.float8_e4m3fnuz, ml_dtypes.float8_e4m3fn),
    *conversions("bf8", ml_dtypes.float8_e5m2fnuz, ml_dtypes.float8_e5m2),
    # Products of floats that are small integers, which are exact.
    Row("v_and_b32_e32 v6, 0xff, v2; v_cvt_f32_u32_e32 v6, v6; v_mul_legacy_f32 v6, v6, v6; "
        "v_cvt_u32_f32_e32 v6, v6", lambda x: (x.a & U32(255)) * (x.a & U32(255)),
        ("gfx90a", "gfx942", "gfx950")),
]  # fmt: skip

FAMILY = Family("packed", ROWS)
