"""Instructions of the scalar ALU.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import operator
from collections.abc import Callable

import numpy as np
from asm_compare import FLOATS, operands
from asm_integer import bits, count, first_high, first_low, first_sign, reverse, s32, u64
from asm_rows import ALL, CDNA, I64, RDNA, U32, U64, Family, Inputs, Row

ONES = U64(0xFFFFFFFFFFFFFFFF)
# SCC as a second result.
SCC = "; s_cselect_b32 s25, 1, 0"


def with_scc(result: np.ndarray, scc: np.ndarray) -> np.ndarray:
    return (u64(result) & U64(0xFFFFFFFF)) | scc.astype(U64) << U64(32)


def logic(name: str, function: Callable) -> list[Row]:
    """Of 32 bits with SCC, which says that the result is not zero, and of 64."""

    def narrow(x: Inputs) -> np.ndarray:
        result = function(x.a, x.b)
        return with_scc(result, result != 0)

    return [
        Row(f"s_{name}_b32 s24, s16, s18{SCC}", narrow, ALL, True),
        Row(f"s_{name}_b64 s[24:25], s[16:17], s[18:19]", lambda x: function(x.aa, x.bb), ALL,
            True),
    ]  # fmt: skip


def select(name: str, signed: bool, smaller: bool) -> Row:
    """s_min and s_max, whose SCC says that the first was taken."""

    def both(x: Inputs) -> np.ndarray:
        a, b = (s32(x.a), s32(x.b)) if signed else (x.a.astype(I64), x.b.astype(I64))
        first = a < b if smaller else a >= b
        return with_scc(bits(np.where(first, a, b)), first)

    return Row(f"s_{name} s24, s16, s18{SCC}", both, ALL, True)


def compare(name: str, function: Callable, wide: bool = False) -> Row:
    registers = "s[16:17], s[18:19]" if wide else "s16, s18"
    return Row(f"s_{name} {registers}; s_cselect_b32 s24, 1, 0", function)


def extract(values: np.ndarray, spec: np.ndarray, size: int, signed: bool) -> np.ndarray:
    """s_bfe: offset in the low bits of the second operand, width in 22:16."""
    result = []
    for value, one in zip(values, spec, strict=True):
        offset, width = int(one) & (size - 1), int(one) >> 16 & 0x7F
        got = int(value)
        if signed and got >> (size - 1):
            got -= 1 << size
        got >>= offset
        if width < size - offset or not signed:
            got &= (1 << width) - 1
            if signed and width and got >> (width - 1) & 1:
                got -= 1 << width
        result.append(got & ((1 << size) - 1))
    return np.array(result, U64)


def from_bits(function: Callable[[int], int], wide: bool = False) -> Callable:
    """A function of each number."""
    return lambda x: np.array(
        [function(int(v)) & 0xFFFFFFFFFFFFFFFF for v in (x.aa if wide else x.a)], U64
    )


def whole_quads(value: int) -> int:
    return sum(0xF << i for i in range(0, 32, 4) if value >> i & 0xF)


def quad_mask(value: int) -> int:
    return sum(1 << i for i in range(8) if value >> 4 * i & 0xF)


def replicate(value: int) -> int:
    return sum((value >> i & 1) * 3 << 2 * i for i in range(32))


def low_bit(value: int) -> int:
    return (value & -value).bit_length() - 1 if value else -1


def high_bit(value: int, size: int = 64) -> int:
    return size - value.bit_length() if value else -1


def sign_bit(value: int, size: int = 64) -> int:
    value = ~value & ((1 << size) - 1) if value >> (size - 1) else value
    return size - value.bit_length() if value else -1


def pack(first: int, second: int) -> Callable:
    """Halves of the two, as sixteen and sixteen."""
    return lambda x: (
        x.a >> U32(first) & U32(0xFFFF) | (x.b >> U32(second) & U32(0xFFFF)) << U32(16)
    )


def mask(x: Inputs, size: int) -> np.ndarray:
    width, offset = u64(x.a & U32(size - 1)), u64(x.b & U32(size - 1))
    return ((U64(1) << width) - U64(1)) << offset


def carry(x: Inputs) -> np.ndarray:
    return x.aa + x.bb


def shift_add(amount: int) -> Row:
    def both(x: Inputs) -> np.ndarray:
        total = (u64(x.a) << U64(amount)) + u64(x.b)
        return with_scc(total, total >> U64(32) != 0)

    return Row(f"s_lshl{amount}_add_u32 s24, s16, s18{SCC}", both, ALL, True)


def overflow(sign: int) -> Row:
    def both(x: Inputs) -> np.ndarray:
        exact = s32(x.a) + sign * s32(x.b)
        return with_scc(bits(exact), (exact < -(1 << 31)) | (exact >= 1 << 31))

    name = "s_add_i32" if sign > 0 else "s_sub_i32"
    return Row(f"{name} s24, s16, s18{SCC}", both, ALL, True)


def difference(x: Inputs) -> np.ndarray:
    # INT_MIN keeps its bits.
    exact = s32(x.a) - s32(x.b)
    wrapped = bits(exact).astype(U32)
    result = np.where(wrapped >> U32(31) == 1, U32(0) - wrapped, wrapped)
    return with_scc(result, result != 0)


COMPARISONS = [("eq", operator.eq), ("lg", operator.ne), ("gt", operator.gt),
               ("ge", operator.ge), ("lt", operator.lt), ("le", operator.le)]  # fmt: skip

ROWS = [
    *logic("and", lambda a, b: a & b), *logic("or", lambda a, b: a | b),
    *logic("xor", lambda a, b: a ^ b), *logic("nand", lambda a, b: ~(a & b)),
    *logic("nor", lambda a, b: ~(a | b)), *logic("xnor", lambda a, b: ~(a ^ b)),
    select("min_u32", False, True), select("max_u32", False, False),
    select("min_i32", True, True), select("max_i32", True, False),
    *(compare(f"cmp_{name}_u32", lambda x, f=f: f(x.a, x.b)) for name, f in COMPARISONS),
    *(compare(f"cmp_{name}_i32", lambda x, f=f: f(s32(x.a), s32(x.b)))
      for name, f in COMPARISONS),
    compare("cmp_eq_u64", lambda x: x.aa == x.bb, True),
    compare("cmp_lg_u64", lambda x: x.aa != x.bb, True),
    compare("bitcmp0_b32", lambda x: (x.a >> (x.b & U32(31)) & U32(1)) == 0),
    compare("bitcmp1_b32", lambda x: (x.a >> (x.b & U32(31)) & U32(1)) == 1),
    Row("s_bitcmp0_b64 s[16:17], s18; s_cselect_b32 s24, 1, 0",
        lambda x: (x.aa >> u64(x.b & U32(63)) & U64(1)) == 0),
    Row("s_bitcmp1_b64 s[16:17], s18; s_cselect_b32 s24, 1, 0",
        lambda x: (x.aa >> u64(x.b & U32(63)) & U64(1)) == 1),
    # Shifts and fields.
    Row("s_lshl_b32 s24, s16, s18", lambda x: x.a << (x.b & U32(31))),
    Row("s_lshr_b32 s24, s16, s18", lambda x: x.a >> (x.b & U32(31))),
    Row("s_ashr_i32 s24, s16, s18", lambda x: bits(s32(x.a) >> (x.b & U32(31)).astype(I64))),
    Row("s_lshl_b64 s[24:25], s[16:17], s18", lambda x: x.aa << u64(x.b & U32(63)), ALL, True),
    Row("s_lshr_b64 s[24:25], s[16:17], s18", lambda x: x.aa >> u64(x.b & U32(63)), ALL, True),
    Row("s_ashr_i64 s[24:25], s[16:17], s18",
        lambda x: bits(x.aa.view(I64) >> (x.b & U32(63)).astype(I64)), ALL, True),
    Row("s_bfe_u32 s24, s16, s18", lambda x: extract(x.a, x.b, 32, False)),
    Row("s_bfe_i32 s24, s16, s18", lambda x: extract(x.a, x.b, 32, True)),
    Row("s_bfe_u64 s[24:25], s[16:17], s18", lambda x: extract(x.aa, x.b, 64, False), ALL,
        True),
    Row("s_bfe_i64 s[24:25], s[16:17], s18", lambda x: extract(x.aa, x.b, 64, True), ALL,
        True),
    Row("s_bfm_b32 s24, s16, s18", lambda x: mask(x, 32)),
    Row("s_bfm_b64 s[24:25], s16, s18", lambda x: mask(x, 64), ALL, True),
    Row("s_mov_b64 s[24:25], s[16:17]; s_bitset1_b32 s24, s18",
        lambda x: x.a | U32(1) << (x.b & U32(31))),
    Row("s_mov_b32 s24, s16; s_bitset0_b32 s24, s18",
        lambda x: x.a & ~(U32(1) << (x.b & U32(31)))),
    Row("s_mov_b64 s[24:25], s[16:17]; s_bitset1_b64 s[24:25], s18",
        lambda x: x.aa | U64(1) << u64(x.b & U32(63)), ALL, True),
    Row("s_mov_b64 s[24:25], s[16:17]; s_bitset0_b64 s[24:25], s18",
        lambda x: x.aa & ~(U64(1) << u64(x.b & U32(63))), ALL, True),
    # Arithmetic.
    overflow(1), overflow(-1), *(shift_add(n) for n in (1, 2, 3, 4)),
    Row("s_add_u32 s24, s16, s18; s_addc_u32 s25, s17, s19", carry, ALL, True),
    Row("s_sub_u32 s24, s16, s18; s_subb_u32 s25, s17, s19", lambda x: x.aa - x.bb, ALL, True),
    Row("s_absdiff_i32 s24, s16, s18" + SCC, difference, ALL, True),
    Row("s_mul_i32 s24, s16, s18", lambda x: x.a * x.b),
    Row("s_mul_hi_u32 s24, s16, s18", lambda x: u64(x.a) * u64(x.b) >> U64(32)),
    Row("s_mul_hi_i32 s24, s16, s18", lambda x: bits(s32(x.a) * s32(x.b)) >> U64(32)),
    Row("s_mul_u64 s[24:25], s[16:17], s[18:19]", lambda x: x.aa * x.bb, ("gfx1201",), True),
    Row("s_add_nc_u64 s[24:25], s[16:17], s[18:19]", lambda x: x.aa + x.bb, ("gfx1201",),
        True),
    Row("s_sub_nc_u64 s[24:25], s[16:17], s[18:19]", lambda x: x.aa - x.bb, ("gfx1201",),
        True),
    Row("s_pack_ll_b32_b16 s24, s16, s18", pack(0, 0)),
    Row("s_pack_lh_b32_b16 s24, s16, s18", pack(0, 16)),
    Row("s_pack_hh_b32_b16 s24, s16, s18", pack(16, 16)),
    Row("s_pack_hl_b32_b16 s24, s16, s18", pack(16, 0), RDNA),
    Row("s_abs_i32 s24, s16", lambda x: bits(abs(s32(x.a)))),
    Row("s_movk_i32 s24, 0x8001", lambda x: bits(x.a.astype(I64) * 0 - 0x7FFF)),
    Row("s_mov_b32 s24, s16; s_addk_i32 s24, 0x7fff", lambda x: x.a + U32(0x7FFF)),
    Row("s_mov_b32 s24, s16; s_mulk_i32 s24, 0x8000", lambda x: x.a * U32(0xFFFF8000)),
    Row("s_mov_b32 s24, s18; s_cmp_lt_u32 s16, s18; s_cmovk_i32 s24, 0x7b",
        lambda x: np.where(x.a < x.b, U32(0x7B), x.b)),
    Row("s_mov_b32 s24, s18; s_cmp_lt_u32 s16, s18; s_cmov_b32 s24, s16",
        lambda x: np.minimum(x.a, x.b)),
    Row("s_mov_b64 s[24:25], s[18:19]; s_cmp_lt_u32 s16, s18; s_cmov_b64 s[24:25], s[16:17]",
        lambda x: np.where(x.a < x.b, x.aa, x.bb), ALL, True),
    Row("s_cmp_lt_u32 s16, s18; s_cselect_b64 s[24:25], s[16:17], s[18:19]",
        lambda x: np.where(x.a < x.b, x.aa, x.bb), ALL, True),
    # One operand.
    Row("s_not_b32 s24, s16", lambda x: ~x.a),
    Row("s_not_b64 s[24:25], s[16:17]", lambda x: ~x.aa, ALL, True),
    Row("s_brev_b32 s24, s16", lambda x: reverse(x.a)),
    Row("s_brev_b64 s[24:25], s[16:17]",
        from_bits(lambda v: int(f"{v:064b}"[::-1], 2), True), ALL, True),
    Row("s_bcnt0_i32_b32 s24, s16", lambda x: count(~x.a)),
    Row("s_bcnt1_i32_b32 s24, s16", lambda x: count(x.a)),
    Row("s_bcnt0_i32_b64 s24, s[16:17]", lambda x: count(~x.aa)),
    Row("s_bcnt1_i32_b64 s24, s[16:17]", lambda x: count(x.aa)),
    Row("s_wqm_b32 s24, s16", from_bits(whole_quads)),
    Row("s_quadmask_b32 s24, s16", from_bits(quad_mask)),
    Row("s_bitreplicate_b64_b32 s[24:25], s16", from_bits(replicate), ALL, True),
    Row("s_sext_i32_i8 s24, s16", lambda x: bits(x.a.astype(np.uint8).view(np.int8))),
    Row("s_sext_i32_i16 s24, s16", lambda x: bits(x.a.astype(np.uint16).view(np.int16))),
    Row("s_ff1_i32_b32 s24, s16", lambda x: bits(first_low(x.a)), CDNA),
    Row("s_flbit_i32_b32 s24, s16", lambda x: bits(first_high(x.a)), CDNA),
    Row("s_flbit_i32 s24, s16", lambda x: bits(first_sign(x.a)), CDNA),
    Row("s_ff1_i32_b64 s24, s[16:17]", from_bits(low_bit, True), CDNA),
    Row("s_flbit_i32_b64 s24, s[16:17]", from_bits(high_bit, True), CDNA),
    Row("s_flbit_i32_i64 s24, s[16:17]", from_bits(sign_bit, True), CDNA),
    Row("s_ctz_i32_b32 s24, s16", lambda x: bits(first_low(x.a)), RDNA),
    Row("s_clz_i32_u32 s24, s16", lambda x: bits(first_high(x.a)), RDNA),
    Row("s_cls_i32 s24, s16", lambda x: bits(first_sign(x.a)), RDNA),
    Row("s_ctz_i32_b64 s24, s[16:17]", from_bits(low_bit, True), RDNA),
    Row("s_clz_i32_u64 s24, s[16:17]", from_bits(high_bit, True), RDNA),
    Row("s_cls_i32_i64 s24, s[16:17]", from_bits(sign_bit, True), RDNA),
    # Loads from the group's row: a, b and c, each with what stands above it.
    *(Row(f"{name} s[40:{39 + count}], s[{base}], 0x{at:x}; {{scalar}}; s_mov_b64 s[24:25], "
          "s[40:41]", lambda x, at=at: (x.aa, x.bb, x.cc)[at // 8], gpus, True)
      for gpus, sizes in ((CDNA, ("dwordx2", "dwordx4", "dwordx8", "dwordx16")),
                          (RDNA, ("b64", "b128", "b256", "b512")))
      for size, count in zip(sizes, (2, 4, 8, 16), strict=True)
      for name, base in ((f"s_load_{size}", "6:7"), (f"s_buffer_load_{size}", "28:31"))
      for at in ((0, 8, 16) if count == 2 else (0,))),
    Row("s_buffer_load_dword s24, s[28:31], 0x10; {scalar}", lambda x: x.c, CDNA),
    Row("s_buffer_load_b32 s24, s[28:31], 0x10; {scalar}", lambda x: x.c, RDNA),
    Row("s_buffer_load_dword s24, s[28:31], 0x40; {scalar}", lambda x: x.c * U32(0), CDNA),
    *(Row(f"s_{kind}load_{name} s24, s[{base}], 0x8; {{scalar}}", function, ("gfx1201",))
      for kind, base in (("", "6:7"), ("buffer_", "28:31"))
      for name, function in (
          ("u8", lambda x: x.b & U32(0xFF)), ("u16", lambda x: x.b & U32(0xFFFF)),
          ("i8", lambda x: bits(x.b.astype(np.uint8).view(np.int8))),
          ("i16", lambda x: bits(x.b.astype(np.uint16).view(np.int16))))),
    # EXEC and the mode.
    Row("s_mov_b64 s[26:27], exec; s_and_saveexec_b64 s[24:25], s[16:17]; "
        "s_mov_b64 s[24:25], exec; s_mov_b64 exec, s[26:27]", lambda x: x.aa & U64(1), CDNA,
        True),
    Row("s_mov_b32 s26, exec_lo; s_or_saveexec_b32 s24, s16; s_mov_b32 s24, exec_lo; "
        "s_mov_b32 exec_lo, s26", lambda x: x.a | U32(1), RDNA),
    Row("s_setreg_b32 hwreg(HW_REG_MODE, 0, 4), s16; s_nop 2; "
        "s_getreg_b32 s24, hwreg(HW_REG_MODE, 0, 4); s_setreg_imm32_b32 hwreg(HW_REG_MODE, "
        "0, 4), 0; s_nop 2", lambda x: x.a & U32(0xF)),
]  # fmt: skip
for op in ("eq", "lg", "gt", "ge", "lt", "le"):
    function = dict(COMPARISONS)[op]
    ROWS += [
        Row(f"s_cmpk_{op}_i32 s16, 0xff80; s_cselect_b32 s24, 1, 0",
            lambda x, f=function: f(s32(x.a), -128), (*CDNA, "gfx1100")),
        Row(f"s_cmpk_{op}_u32 s16, 0xff; s_cselect_b32 s24, 1, 0",
            lambda x, f=function: f(x.a, U32(0xFF)), (*CDNA, "gfx1100")),
    ]  # fmt: skip

# What the instruction makes of its operand and EXEC, which it saves: older and newer names.
SAVES = [
    ("and", "and", lambda s, e: s & e), ("or", "or", lambda s, e: s | e),
    ("xor", "xor", lambda s, e: s ^ e), ("nand", "nand", lambda s, e: ~(s & e)),
    ("nor", "nor", lambda s, e: ~(s | e)), ("xnor", "xnor", lambda s, e: ~(s ^ e)),
    ("andn2", "and_not1", lambda s, e: s & ~e), ("andn1", "and_not0", lambda s, e: ~s & e),
    ("orn2", "or_not1", lambda s, e: s | ~e), ("orn1", "or_not0", lambda s, e: ~s | e),
]  # fmt: skip
for old, new, function in SAVES:
    for tail in ("saveexec", "wrexec") if old in ("andn1", "andn2") else ("saveexec",):
        ROWS += [
            Row(f"s_mov_b64 s[26:27], exec; s_{old}_{tail}_b64 s[28:29], s[16:17]; "
                "s_mov_b64 s[24:25], exec; s_mov_b64 exec, s[26:27]; s_mov_b32 s28, s6; "
                "s_and_b32 s29, s7, 0xffff", lambda x, f=function: f(x.aa, U64(1)), CDNA, True),
            Row(f"s_mov_b32 s26, exec_lo; s_{new}_{tail}_b32 s27, s16; s_mov_b32 s24, exec_lo; "
                "s_mov_b32 exec_lo, s26", lambda x, f=function: f(x.a, U32(1)), RDNA),
        ]  # fmt: skip
ROWS += [
    Row("s_mov_b32 m0, 2; s_nop 1; s_movrels_b32 s24, s16", lambda x: x.b),
    Row("s_mov_b32 m0, 2; s_nop 1; s_movrels_b64 s[24:25], s[16:17]", lambda x: x.bb, ALL,
        True),
    Row("s_mov_b32 s24, 0; s_mov_b32 m0, 1; s_nop 1; s_movreld_b32 s24, s16",
        lambda x: u64(x.a) << U64(32), ALL, True),
    Row("s_mov_b32 m0, 2; s_nop 1; s_movreld_b64 s[22:23], s[16:17]; s_nop 0", lambda x: x.aa,
        ALL, True),
    Row("s_quadmask_b64 s[24:25], s[16:17]", from_bits(
        lambda v: sum(1 << i for i in range(16) if v >> 4 * i & 0xF), True), ALL, True),
    Row("s_wqm_b64 s[24:25], s[16:17]", from_bits(
        lambda v: sum(0xF << i for i in range(0, 64, 4) if v >> i & 0xF), True), ALL, True),
    Row("s_ff0_i32_b32 s24, s16", lambda x: bits(first_low(~x.a)), CDNA),
    Row("s_ff0_i32_b64 s24, s[16:17]", from_bits(lambda v: low_bit(~v & (1 << 64) - 1), True),
        CDNA),
]  # fmt: skip
# gfx12's scalar floats.
for kind in ("f16", "f32"):
    for name, compare_floats in FLOATS.items():
        ROWS.append(
            Row(
                f"s_cmp_{name}_{kind} s16, s18; s_cselect_b32 s24, 1, 0",
                lambda x, f=compare_floats, k=kind: f(*operands(x, k)),
                ("gfx1201",),
            )
        )
for name, function in (("ceil", np.ceil), ("floor", np.floor), ("trunc", np.trunc),
                       ("rndne", np.rint)):  # fmt: skip
    ROWS.append(
        Row(
            f"s_cvt_f32_i32 s20, s16; s_mul_f32 s20, s20, 0.5; s_mul_f32 s20, s20, 0.5; "
            f"s_{name}_f32 s24, s20",
            lambda x, f=function: (
                f(s32(x.a).astype(np.float32) / 4).astype(np.float32).view(U32)
            ),
            ("gfx1201",),
        )
    )

FAMILY = Family("scalar", ROWS, scalar=True)
