"""LDS: parts of dwords, two in one, atomic operations; private memory.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from asm_integer import bits, s32, u64
from asm_rows import CDNA, RDNA, U32, U64, Family, Inputs, Row

LATE = ("gfx942", "gfx950")


def pair(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return (u64(low) & U64(0xFFFFFFFF)) | u64(high) << U64(32)


def atomic(old: str, new: str, function: Callable, data: str = "v2") -> list[Row]:
    """An operation on `b` in LDS by `a`: what was there, and what is."""
    text = "ds_{}_b32 v12, v4; {} v6, v12, {}; {{lds}}; ds_{}_b32 v7, v12; {{lds}}"

    def reference(x: Inputs) -> np.ndarray:
        return pair(x.b, function(x).astype(U64))

    return [
        Row(text.format("write", old, data, "read"), reference, CDNA, True),
        Row(text.format("store", new, data, "load"), reference, RDNA, True),
    ]  # fmt: skip


def same(name: str, function: Callable) -> list[Row]:
    return atomic(f"ds_{name}", f"ds_{name}", function)


def wide(name: str, function: Callable) -> list[Row]:
    """The same of 64 bits: what is there after it, after it has returned."""
    text = (
        "ds_{}_b64 v12, v[4:5]; ds_{} v[6:7], v12, v[2:3]; {{lds}}; "
        "ds_{}_b64 v[6:7], v12; {{lds}}"
    )
    return [
        Row(text.format("write", name, "read"), function, CDNA, True),
        Row(text.format("store", name, "load"), function, RDNA, True),
    ]  # fmt: skip


def signed(values: np.ndarray, size: int) -> np.ndarray:
    return values.astype(getattr(np, f"uint{size}")).view(getattr(np, f"int{size}"))


def both(old: str, new: str, reference: Callable, is_wide: bool = False) -> list[Row]:
    """Of the older names and of the newer."""
    return [Row(old, reference, CDNA, is_wide), Row(new, reference, RDNA, is_wide)]


# Of odd lanes b, of the others a, in v[20:21].
ODD = (
    "v_and_b32_e32 v7, 1, v10; v_cmp_eq_u32_e32 {vcc}, 1, v7; s_nop 4; "
    "v_cndmask_b32_e32 v20, v2, v4, {vcc}; v_cndmask_b32_e32 v21, v3, v5, {vcc}"
)


def half(name: str, value: Callable) -> list[Row]:
    """A load to half of a register. RDNA keeps the other; memory with error correction, as
    CDNA has it, does not, so that it is shifted away."""
    is_high = name.endswith("hi")
    text = "v_mov_b32_e32 v6, v4; ds_{}_b32 v12, v2; {{lds}}; ds_{}_NAME v6, v12; {{lds}}"
    text = text.replace("NAME", name)
    shift = "v_lshrrev_b32_e32" if is_high else "v_lshlrev_b32_e32"

    def kept(x: Inputs) -> np.ndarray:
        new = value(x).astype(U32)
        return x.b & U32(0xFFFF) | new << U32(16) if is_high else x.b & U32(0xFFFF0000) | new

    def alone(x: Inputs) -> np.ndarray:
        return value(x).astype(U32) << U32(0 if is_high else 16)

    return [
        Row(text.format("write", "read") + f"; {shift} v6, 16, v6", alone, CDNA),
        Row(text.format("store", "load"), kept, RDNA),
    ]  # fmt: skip


ROWS = [
    # Parts of dwords.
    *both("ds_write_b8 v12, v2; ds_write_b8 v12, v4 offset:1; {lds}; ds_read_u16 v6, v12; "
          "{lds}",
          "ds_store_b8 v12, v2; ds_store_b8 v12, v4 offset:1; {lds}; ds_load_u16 v6, v12; "
          "{lds}", lambda x: x.a & U32(0xFF) | (x.b & U32(0xFF)) << U32(8)),
    *both("ds_write_b16 v12, v2; {lds}; ds_read_i16 v6, v12; {lds}",
          "ds_store_b16 v12, v2; {lds}; ds_load_i16 v6, v12; {lds}",
          lambda x: bits(signed(x.a, 16))),
    *both("ds_write_b8 v12, v2; {lds}; ds_read_i8 v6, v12; {lds}",
          "ds_store_b8 v12, v2; {lds}; ds_load_i8 v6, v12; {lds}",
          lambda x: bits(signed(x.a, 8))),
    *both("ds_write_b32 v12, v2; {lds}; ds_read_u8 v6, v12 offset:3; {lds}",
          "ds_store_b32 v12, v2; {lds}; ds_load_u8 v6, v12 offset:3; {lds}",
          lambda x: x.a >> U32(24)),
    *both("ds_write_b16_d16_hi v12, v2; {lds}; ds_read_u16 v6, v12; {lds}",
          "ds_store_b16_d16_hi v12, v2; {lds}; ds_load_u16 v6, v12; {lds}",
          lambda x: x.a >> U32(16)),
    *both("ds_write_b8_d16_hi v12, v2; {lds}; ds_read_u8 v6, v12; {lds}",
          "ds_store_b8_d16_hi v12, v2; {lds}; ds_load_u8 v6, v12; {lds}",
          lambda x: x.a >> U32(16) & U32(0xFF)),
    *half("u16_d16", lambda x: x.a & U32(0xFFFF)),
    *half("u16_d16_hi", lambda x: x.a & U32(0xFFFF)),
    *half("i8_d16", lambda x: signed(x.a, 8).astype(np.int16).view(np.uint16)),
    *half("i8_d16_hi", lambda x: signed(x.a, 8).astype(np.int16).view(np.uint16)),
    *half("u8_d16", lambda x: x.a & U32(0xFF)),
    *half("u8_d16_hi", lambda x: x.a & U32(0xFF)),
    # Two in one, and wide.
    *both("ds_write2_b32 v12, v2, v4 offset0:3 offset1:9; {lds}; "
          "ds_read2_b32 v[6:7], v12 offset0:9 offset1:3; {lds}",
          "ds_store_2addr_b32 v12, v2, v4 offset0:3 offset1:9; {lds}; "
          "ds_load_2addr_b32 v[6:7], v12 offset0:9 offset1:3; {lds}",
          lambda x: pair(x.b, x.a), True),
    *both("ds_write2_b64 v12, v[2:3], v[4:5] offset0:1 offset1:3; {lds}; "
          "ds_read_b64 v[6:7], v12 offset:24; {lds}",
          "ds_store_2addr_b64 v12, v[2:3], v[4:5] offset0:1 offset1:3; {lds}; "
          "ds_load_b64 v[6:7], v12 offset:24; {lds}", lambda x: x.bb, True),
    *both("v_lshlrev_b32_e32 v11, 2, v10; "
          "v_or_b32_e32 v11, 0x1000, v11; ds_write2st64_b32 v11, v2, v4 offset0:1 offset1:5; "
          "{lds}; ds_read2st64_b32 v[6:7], v11 offset0:5 offset1:1; {lds}",
          "v_lshlrev_b32_e32 v11, 2, v10; "
          "v_or_b32_e32 v11, 0x1000, v11; ds_store_2addr_stride64_b32 v11, v2, v4 offset0:1 "
          "offset1:5; {lds}; ds_load_2addr_stride64_b32 v[6:7], v11 offset0:5 offset1:1; "
          "{lds}", lambda x: pair(x.b, x.a), True),
    *both("ds_write_b128 v12, v[2:5]; {lds}; ds_read_b64 v[6:7], v12 offset:8; {lds}",
          "ds_store_b128 v12, v[2:5]; {lds}; ds_load_b64 v[6:7], v12 offset:8; {lds}",
          lambda x: x.bb, True),
    *both("ds_write_b96 v12, v[2:4]; {lds}; ds_read2_b32 v[6:7], v12 offset0:2 offset1:1; "
          "{lds}",
          "ds_store_b96 v12, v[2:4]; {lds}; ds_load_2addr_b32 v[6:7], v12 offset0:2 "
          "offset1:1; {lds}", lambda x: pair(x.b, x.aa >> U64(32)), True),
    *both("ds_write_b128 v12, v[2:5]; {lds}; ds_read_b128 v[20:23], v12; {lds}; "
          "v_mov_b32_e32 v6, v22; v_mov_b32_e32 v7, v21",
          "ds_store_b128 v12, v[2:5]; {lds}; ds_load_b128 v[20:23], v12; {lds}; "
          "v_mov_b32_e32 v6, v22; v_mov_b32_e32 v7, v21",
          lambda x: pair(x.b, x.aa >> U64(32)), True),
    *both("ds_write_b128 v12, v[2:5]; {lds}; ds_read_b96 v[20:22], v12; {lds}; "
          "v_mov_b32_e32 v6, v22; v_mov_b32_e32 v7, v21",
          "ds_store_b128 v12, v[2:5]; {lds}; ds_load_b96 v[20:22], v12; {lds}; "
          "v_mov_b32_e32 v6, v22; v_mov_b32_e32 v7, v21",
          lambda x: pair(x.b, x.aa >> U64(32)), True),
    # Atomic operations.
    *same("add_rtn_u32", lambda x: x.b + x.a), *same("sub_rtn_u32", lambda x: x.b - x.a),
    *same("rsub_rtn_u32", lambda x: x.a - x.b),
    *same("inc_rtn_u32", lambda x: np.where(x.b >= x.a, U32(0), x.b + U32(1))),
    *same("dec_rtn_u32",
          lambda x: np.where((x.b == 0) | (x.b > x.a), x.a, x.b - U32(1))),
    *same("min_rtn_i32", lambda x: bits(np.minimum(s32(x.a), s32(x.b)))),
    *same("max_rtn_i32", lambda x: bits(np.maximum(s32(x.a), s32(x.b)))),
    *same("min_rtn_u32", lambda x: np.minimum(x.a, x.b)),
    *same("max_rtn_u32", lambda x: np.maximum(x.a, x.b)),
    *same("and_rtn_b32", lambda x: x.a & x.b), *same("or_rtn_b32", lambda x: x.a | x.b),
    *same("xor_rtn_b32", lambda x: x.a ^ x.b),
    *atomic("ds_mskor_rtn_b32", "ds_mskor_rtn_b32", lambda x: x.b & ~x.a | x.c, "v2, v8"),
    *atomic("ds_wrxchg_rtn_b32", "ds_storexchg_rtn_b32", lambda x: x.a),
    # The older names the comparand first, the newer last.
    Row("ds_write_b32 v12, v4; ds_cmpst_rtn_b32 v6, v12, v2, v8; {lds}; "
        "ds_read_b32 v7, v12; {lds}",
        lambda x: pair(x.b, np.where(x.b == x.a, x.c, x.b)), CDNA, True),
    Row("ds_store_b32 v12, v4; ds_cmpstore_rtn_b32 v6, v12, v2, v8; {lds}; "
        "ds_load_b32 v7, v12; {lds}",
        lambda x: pair(x.b, np.where(x.b == x.c, x.a, x.b)), RDNA, True),
    *wide("add_rtn_u64", lambda x: x.bb + x.aa), *wide("sub_rtn_u64", lambda x: x.bb - x.aa),
    *wide("rsub_rtn_u64", lambda x: x.aa - x.bb), *wide("and_rtn_b64", lambda x: x.aa & x.bb),
    *wide("or_rtn_b64", lambda x: x.aa | x.bb), *wide("xor_rtn_b64", lambda x: x.aa ^ x.bb),
    *wide("min_rtn_u64", lambda x: np.minimum(x.aa, x.bb)),
    *wide("max_rtn_u64", lambda x: np.maximum(x.aa, x.bb)),
    *wide("min_rtn_i64", lambda x: bits(np.minimum(x.aa.view(np.int64), x.bb.view(np.int64)))),
    *wide("max_rtn_i64", lambda x: bits(np.maximum(x.aa.view(np.int64), x.bb.view(np.int64)))),
    *wide("inc_rtn_u64", lambda x: np.where(x.bb >= x.aa, U64(0), x.bb + U64(1))),
    *wide("dec_rtn_u64",
          lambda x: np.where((x.bb == 0) | (x.bb > x.aa), x.aa, x.bb - U64(1))),
    # Of 64 bits, the comparand made b's in every second lane.
    *both(f"{ODD}; ds_write_b64 v12, v[4:5]; ds_cmpst_rtn_b64 v[6:7], v12, v[20:21], v[8:9]; "
          "{lds}; ds_read_b64 v[6:7], v12; {lds}",
          f"{ODD}; ds_store_b64 v12, v[4:5]; ds_cmpstore_rtn_b64 v[6:7], v12, v[8:9], "
          "v[20:21]; {lds}; ds_load_b64 v[6:7], v12; {lds}",
          lambda x: np.where((np.arange(x.a.size) % 2 == 1) | (x.aa == x.bb), x.cc, x.bb),
          True),
    *both("ds_write_b64 v12, v[4:5]; ds_mskor_rtn_b64 v[6:7], v12, v[2:3], v[8:9]; {lds}; "
          "ds_read_b64 v[6:7], v12; {lds}",
          "ds_store_b64 v12, v[4:5]; ds_mskor_rtn_b64 v[6:7], v12, v[2:3], v[8:9]; {lds}; "
          "ds_load_b64 v[6:7], v12; {lds}", lambda x: x.bb & ~x.aa | x.cc, True),
    # Two exchanges in one: what was there.
    *both("ds_write2_b32 v12, v2, v4 offset0:1 offset1:3; {lds}; ds_wrxchg2_rtn_b32 v[6:7], "
          "v12, v8, v8 offset0:3 offset1:1; {lds}",
          "ds_store_2addr_b32 v12, v2, v4 offset0:1 offset1:3; {lds}; "
          "ds_storexchg_2addr_rtn_b32 v[6:7], v12, v8, v8 offset0:3 offset1:1; {lds}",
          lambda x: pair(x.b, x.a), True),
    *both("ds_write2_b64 v12, v[2:3], v[4:5] offset0:1 offset1:3; {lds}; "
          "ds_wrxchg2_rtn_b64 v[20:23], v12, v[8:9], v[8:9] offset0:3 offset1:1; {lds}; "
          "v_mov_b32_e32 v6, v22; v_mov_b32_e32 v7, v21",
          "ds_store_2addr_b64 v12, v[2:3], v[4:5] offset0:1 offset1:3; {lds}; "
          "ds_storexchg_2addr_rtn_b64 v[20:23], v12, v[8:9], v[8:9] offset0:3 offset1:1; "
          "{lds}; v_mov_b32_e32 v6, v22; v_mov_b32_e32 v7, v21",
          lambda x: pair(x.a, x.bb >> U64(32)), True),
    # Private memory.
    Row("scratch_store_dwordx2 off, v[2:3], off offset:8; {vm}; "
        "scratch_load_dword v6, off, off offset:12; {vm}", lambda x: x.aa >> U64(32), LATE),
    Row("scratch_store_short off, v2, off offset:2; scratch_store_byte off, v4, off; {vm}; "
        "scratch_load_sshort v6, off, off offset:2; scratch_load_ubyte v7, off, off; {vm}",
        lambda x: pair(bits(signed(x.a, 16)), x.b & U32(0xFF)), LATE, True),
    Row("scratch_store_b64 off, v[2:3], off offset:8; scratch_store_b16 off, v4, off; "
        "{stores}; scratch_load_b32 v6, off, off offset:12; scratch_load_i16 v7, off, off; "
        "{vm}", lambda x: pair(x.aa >> U64(32), u64(bits(signed(x.b, 16)) & U64(0xFFFFFFFF))),
        RDNA, True),
]  # fmt: skip

FAMILY = Family("lds", ROWS)
