"""Integer instructions of the vector ALU that compilers seldom use.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
from asm_rows import ALL, CDNA, I32, I64, RDNA, U32, U64, Family, Inputs, Row

M = U64(0xFFFFFFFF)


def s32(values: np.ndarray) -> np.ndarray:
    """As signed numbers, wide enough for products."""
    return values.view(I32).astype(I64)


def u64(values: np.ndarray) -> np.ndarray:
    return values.astype(U64)


def bits(values: np.ndarray) -> np.ndarray:
    """Sixty-four bits of signed numbers."""
    return values.astype(I64).view(U64)


def byte(values: np.ndarray, index: int) -> np.ndarray:
    return (values >> U32(8 * index) & U32(0xFF)).astype(I64)


def low24(values: np.ndarray) -> np.ndarray:
    return u64(values & U32(0xFFFFFF))


def signed24(values: np.ndarray) -> np.ndarray:
    return (values << U32(8)).view(I32).astype(I64) >> 8


def perm(x: Inputs) -> np.ndarray:
    """Bytes of {a, b} by the selectors in c."""
    both = u64(x.b) | u64(x.a) << U64(32)
    result = np.zeros_like(both)
    for place in range(4):
        selector = u64(x.c) >> U64(8 * place) & U64(0xFF)
        chosen = both >> (U64(8) * (selector & U64(7))) & U64(0xFF)
        sign = both >> (U64(16) * (selector & U64(3)) + U64(15)) & U64(1)
        chosen = np.where((selector >= 8) & (selector < 12), sign * U64(0xFF), chosen)
        chosen = np.where(selector == 12, 0, chosen)
        chosen = np.where(selector > 12, 0xFF, chosen)
        result |= chosen.astype(U64) << U64(8 * place)
    return result


def sad8(a: np.ndarray, b: np.ndarray, masked: bool = False) -> np.ndarray:
    total = np.zeros(a.shape, I64)
    for i in range(4):
        one = abs(byte(a, i) - byte(b, i))
        total += np.where(byte(b, i) == 0, 0, one) if masked else one
    return total


def sad16(x: Inputs) -> np.ndarray:
    def half(values: np.ndarray, shift: int) -> np.ndarray:
        return (values >> U32(shift) & U32(0xFFFF)).astype(I64)

    return sum(abs(half(x.a, shift) - half(x.b, shift)) for shift in (0, 16)) + x.c


def field(x: Inputs, signed: bool) -> np.ndarray:
    offset, width = u64(x.b & U32(31)), u64(x.c & U32(31))
    got = u64(x.a) >> offset
    if signed:
        got = (s32(x.a) >> offset.astype(I64)).view(U64)
    mask = (U64(1) << width) - U64(1)
    got = got & mask
    top = np.where(width == 0, U64(0), got >> (np.maximum(width, U64(1)) - U64(1)) & U64(1))
    return np.where((top == 1) & signed, got | ~mask, got)


def median(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    return np.sort(np.stack([a, b, c]), axis=0)[1]


def count(values: np.ndarray) -> np.ndarray:
    return np.array([int(v).bit_count() for v in values], U64)


def first_high(values: np.ndarray) -> np.ndarray:
    return np.array([32 - int(v).bit_length() if v else -1 for v in values], I64)


def first_low(values: np.ndarray) -> np.ndarray:
    return np.array([(int(v) & -int(v)).bit_length() - 1 for v in values], I64)


def first_sign(values: np.ndarray) -> np.ndarray:
    """From the top, where the first bit is that differs from the sign."""
    found = []
    for v in values.view(I32):
        v = int(v) if v >= 0 else ~int(v)
        found.append(32 - v.bit_length() if v else -1)
    return np.array(found, I64)


def reverse(values: np.ndarray) -> np.ndarray:
    return np.array([int(f"{int(v):032b}"[::-1], 2) for v in values], U64)


def clamp(values: np.ndarray, low: int, high: int) -> np.ndarray:
    return np.clip(values, low, high)


LOW, HIGH = -(1 << 31), (1 << 31) - 1
THREE = "v6, v2, v4, v8"


def row(name: str, reference: object, gpus: tuple[str, ...] = ALL, tail: str = "") -> Row:
    """Of three operands."""
    return Row(f"{name} {THREE}{tail}", reference, gpus)


ROWS = [
    # Three operands at once.
    row("v_bfi_b32", lambda x: x.a & x.b | ~x.a & x.c),
    row("v_bfe_u32", lambda x: field(x, False)),
    row("v_bfe_i32", lambda x: field(x, True)),
    row("v_perm_b32", perm),
    row("v_alignbit_b32", lambda x: (u64(x.b) | u64(x.a) << U64(32)) >> u64(x.c & U32(31))),
    row("v_alignbyte_b32",
        lambda x: (u64(x.b) | u64(x.a) << U64(32)) >> u64(8 * (x.c & U32(3)))),
    row("v_and_or_b32", lambda x: x.a & x.b | x.c),
    row("v_or3_b32", lambda x: x.a | x.b | x.c),
    row("v_xad_u32", lambda x: (x.a ^ x.b) + x.c),
    row("v_add3_u32", lambda x: x.a + x.b + x.c),
    row("v_add_lshl_u32", lambda x: x.a + x.b << (x.c & U32(31))),
    row("v_lshl_add_u32", lambda x: (x.a << (x.b & U32(31))) + x.c),
    row("v_lshl_or_b32", lambda x: x.a << (x.b & U32(31)) | x.c),
    row("v_xor3_b32", lambda x: x.a ^ x.b ^ x.c, RDNA),
    row("v_lerp_u8", lambda x: sum(
        (byte(x.a, i) + byte(x.b, i) + (byte(x.c, i) & 1) >> 1) << 8 * i for i in range(4))),
    row("v_sad_u8", lambda x: sad8(x.a, x.b) + x.c),
    row("v_sad_hi_u8", lambda x: (sad8(x.a, x.b) << 16) + x.c),
    row("v_sad_u16", sad16),
    row("v_sad_u32", lambda x: abs(x.a.astype(I64) - x.b.astype(I64)) + x.c),
    row("v_msad_u8", lambda x: sad8(x.a, x.b, True) + x.c),
    row("v_mad_u32_u24", lambda x: low24(x.a) * low24(x.b) + u64(x.c)),
    row("v_mad_i32_i24", lambda x: bits(signed24(x.a) * signed24(x.b)) + u64(x.c)),
    row("v_min3_u32", lambda x: np.minimum(np.minimum(x.a, x.b), x.c)),
    row("v_max3_u32", lambda x: np.maximum(np.maximum(x.a, x.b), x.c)),
    row("v_med3_u32", lambda x: median(x.a, x.b, x.c)),
    row("v_min3_i32", lambda x: bits(np.minimum(np.minimum(s32(x.a), s32(x.b)), s32(x.c)))),
    row("v_max3_i32", lambda x: bits(np.maximum(np.maximum(s32(x.a), s32(x.b)), s32(x.c)))),
    row("v_med3_i32", lambda x: bits(median(s32(x.a), s32(x.b), s32(x.c)))),
    row("v_maxmin_u32", lambda x: np.minimum(np.maximum(x.a, x.b), x.c), RDNA),
    row("v_minmax_u32", lambda x: np.maximum(np.minimum(x.a, x.b), x.c), RDNA),
    row("v_maxmin_i32",
        lambda x: bits(np.minimum(np.maximum(s32(x.a), s32(x.b)), s32(x.c))), RDNA),
    row("v_minmax_i32",
        lambda x: bits(np.maximum(np.minimum(s32(x.a), s32(x.b)), s32(x.c))), RDNA),
    # Two.
    Row("v_bfm_b32 v6, v2, v4",
        lambda x: ((U64(1) << u64(x.a & U32(31))) - U64(1)) << u64(x.b & U32(31))),
    Row("v_bcnt_u32_b32 v6, v2, v4", lambda x: count(x.a) + u64(x.b)),
    Row("v_mul_hi_u32 v6, v2, v4", lambda x: u64(x.a) * u64(x.b) >> U64(32)),
    Row("v_mul_hi_i32 v6, v2, v4", lambda x: bits(s32(x.a) * s32(x.b)) >> U64(32)),
    Row("v_mul_lo_u32 v6, v2, v4", lambda x: x.a * x.b),
    Row("v_mul_u32_u24_e32 v6, v2, v4", lambda x: low24(x.a) * low24(x.b)),
    Row("v_mul_hi_u32_u24_e32 v6, v2, v4", lambda x: low24(x.a) * low24(x.b) >> U64(32)),
    Row("v_mul_i32_i24_e32 v6, v2, v4", lambda x: bits(signed24(x.a) * signed24(x.b))),
    Row("v_mul_hi_i32_i24_e32 v6, v2, v4",
        lambda x: bits(signed24(x.a) * signed24(x.b)) >> U64(32)),
    Row("v_xnor_b32_e32 v6, v2, v4", lambda x: ~(x.a ^ x.b)),
    Row("v_lshlrev_b32_e32 v6, v2, v4", lambda x: x.b << (x.a & U32(31))),
    Row("v_lshrrev_b32_e32 v6, v2, v4", lambda x: x.b >> (x.a & U32(31))),
    Row("v_ashrrev_i32_e32 v6, v2, v4",
        lambda x: bits(s32(x.b) >> (x.a & U32(31)).astype(I64))),
    Row("v_lshlrev_b64 v[6:7], v2, v[4:5]", lambda x: x.bb << u64(x.a & U32(63)),
        (*CDNA, "gfx1100"), True),
    Row("v_lshlrev_b64_e32 v[6:7], v2, v[4:5]", lambda x: x.bb << u64(x.a & U32(63)),
        ("gfx1201",), True),
    Row("v_lshrrev_b64 v[6:7], v2, v[4:5]", lambda x: x.bb >> u64(x.a & U32(63)), ALL, True),
    Row("v_ashrrev_i64 v[6:7], v2, v[4:5]",
        lambda x: bits(x.bb.view(I64) >> (x.a & U32(63)).astype(I64)), ALL, True),
    Row("v_add_i32 v6, v2, v4", lambda x: bits(s32(x.a) + s32(x.b)), CDNA),
    Row("v_sub_i32 v6, v2, v4", lambda x: bits(s32(x.a) - s32(x.b)), CDNA),
    Row("v_add_nc_i32 v6, v2, v4", lambda x: bits(s32(x.a) + s32(x.b)), RDNA),
    Row("v_sub_nc_i32 v6, v2, v4", lambda x: bits(s32(x.a) - s32(x.b)), RDNA),
    Row("v_add_i32 v6, v2, v4 clamp", lambda x: bits(clamp(s32(x.a) + s32(x.b), LOW, HIGH)),
        CDNA),
    Row("v_sub_nc_i32 v6, v2, v4 clamp", lambda x: bits(clamp(s32(x.a) - s32(x.b), LOW, HIGH)),
        RDNA),
    Row("v_add_u32_e64 v6, v2, v4 clamp", lambda x: np.minimum(u64(x.a) + u64(x.b), M), CDNA),
    Row("v_sub_nc_u32_e64 v6, v2, v4 clamp",
        lambda x: clamp(x.a.astype(I64) - x.b.astype(I64), 0, 1 << 32), RDNA),
    Row("v_subrev_u32_e32 v6, v2, v4", lambda x: x.b - x.a, CDNA),
    Row("v_subrev_nc_u32_e32 v6, v2, v4", lambda x: x.b - x.a, RDNA),
    Row("v_mbcnt_lo_u32_b32 v6, v2, v4", lambda x: mbcnt(x, 0)),
    Row("v_mbcnt_hi_u32_b32 v6, v2, v4", lambda x: mbcnt(x, 32)),
    Row("v_cvt_pk_u16_u32 v6, v2, v4",
        lambda x: np.minimum(x.a, U32(0xFFFF)) | np.minimum(x.b, U32(0xFFFF)) << U32(16)),
    Row("v_cvt_pk_i16_i32 v6, v2, v4", lambda x: bits(
        clamp(s32(x.a), -32768, 32767) & 0xFFFF | clamp(s32(x.b), -32768, 32767) << 16)),
    # One.
    Row("v_bfrev_b32_e32 v6, v2", lambda x: reverse(x.a)),
    Row("v_ffbh_u32_e32 v6, v2", lambda x: bits(first_high(x.a)), CDNA),
    Row("v_ffbl_b32_e32 v6, v2", lambda x: bits(first_low(x.a)), CDNA),
    Row("v_ffbh_i32_e32 v6, v2", lambda x: bits(first_sign(x.a)), CDNA),
    Row("v_clz_i32_u32_e32 v6, v2", lambda x: bits(first_high(x.a)), RDNA),
    Row("v_ctz_i32_b32_e32 v6, v2", lambda x: bits(first_low(x.a)), RDNA),
    Row("v_cls_i32_e32 v6, v2", lambda x: bits(first_sign(x.a)), RDNA),
    Row("v_not_b32_e32 v6, v2", lambda x: ~x.a),
    Row("v_sat_pk_u8_i16_e32 v6, v2", lambda x: bits(
        clamp((x.a & U32(0xFFFF)).astype(np.uint16).view(np.int16).astype(I64), 0, 255)
        | clamp(s32(x.a) >> 16, 0, 255) << 8), CDNA),
    # Sixty-four bits, and carries.
    Row("v_mad_u64_u32 v[6:7], {vcc}, v2, v4, v[8:9]",
        lambda x: u64(x.a) * u64(x.b) + x.cc, (*CDNA, "gfx1100"), True),
    Row("v_mad_i64_i32 v[6:7], {vcc}, v2, v4, v[8:9]",
        lambda x: bits(s32(x.a) * s32(x.b)) + x.cc, (*CDNA, "gfx1100"), True),
    Row("v_mad_co_u64_u32 v[6:7], {vcc}, v2, v4, v[8:9]",
        lambda x: u64(x.a) * u64(x.b) + x.cc, ("gfx1201",), True),
    Row("v_mad_co_i64_i32 v[6:7], {vcc}, v2, v4, v[8:9]",
        lambda x: bits(s32(x.a) * s32(x.b)) + x.cc, ("gfx1201",), True),
    Row("v_lshl_add_u64 v[6:7], v[2:3], 3, v[4:5]", lambda x: (x.aa << U64(3)) + x.bb,
        ("gfx942", "gfx950"), True),
    Row("v_add_co_u32 v6, {vcc}, v2, v4; s_nop 1; v_addc_co_u32_e32 v7, vcc, v3, v5, vcc",
        lambda x: x.aa + x.bb, CDNA, True),
    Row("v_sub_co_u32 v6, {vcc}, v2, v4; s_nop 1; v_subb_co_u32_e32 v7, vcc, v3, v5, vcc",
        lambda x: x.aa - x.bb, CDNA, True),
    Row("v_subrev_co_u32 v6, {vcc}, v2, v4; s_nop 1; "
        "v_subbrev_co_u32_e32 v7, vcc, v3, v5, vcc", lambda x: x.bb - x.aa, CDNA, True),
    Row("v_add_co_u32 v6, {vcc}, v2, v4; "
        "v_add_co_ci_u32_e32 v7, vcc_lo, v3, v5, vcc_lo", lambda x: x.aa + x.bb, RDNA, True),
    Row("v_sub_co_u32 v6, {vcc}, v2, v4; "
        "v_sub_co_ci_u32_e32 v7, vcc_lo, v3, v5, vcc_lo", lambda x: x.aa - x.bb, RDNA, True),
    Row("v_subrev_co_u32 v6, {vcc}, v2, v4; "
        "v_subrev_co_ci_u32_e32 v7, vcc_lo, v3, v5, vcc_lo", lambda x: x.bb - x.aa, RDNA,
        True),
]  # fmt: skip


def mbcnt(x: Inputs, first: int) -> np.ndarray:
    """Bits of `a` below the lane, of the half of the wave that begins with lane `first`."""
    lane = np.arange(x.a.size) % x.wave
    below = np.clip(lane - first, 0, 32).astype(U64)
    return count(u64(x.a) & ((U64(1) << below) - U64(1))) + u64(x.b)


FAMILY = Family("integer", ROWS)
