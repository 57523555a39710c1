"""What lanes give each other: DPP, swizzles and permutations; SDWA, which parts registers.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from asm_integer import bits
from asm_rows import ALL, CDNA, I64, RDNA, U32, U64, Family, Inputs, Row

NONE = -1


def moved(source: Callable[[int, int], int], inside: int = 0, zero: bool = False) -> Callable:
    """`a` of the lane that `source(lane, wave)` is; where it is none, or in another part of
    the wave than lanes / `inside`, `c`, or zero."""

    def reference(x: Inputs) -> np.ndarray:
        a, result = x.lanes(x.a), x.lanes(np.zeros_like(x.a) if zero else x.c).copy()
        for lane in range(x.wave):
            of = source(lane, x.wave)
            if 0 <= of < x.wave and (not inside or of // inside == lane // inside):
                result[:, lane] = a[:, of]
        return result.reshape(-1)

    return reference


def dpp(control: str, source: Callable, gpus: tuple[str, ...], inside: int = 0) -> list[Row]:
    text = "v_mov_b32_e32 v6, v8; s_nop 1; v_mov_b32_dpp v6, v2 {}{}"
    masks = " row_mask:0xf bank_mask:0xf"
    return [
        Row(text.format(control, masks), moved(source, inside), gpus),
        Row(text.format(control, masks + " bound_ctrl:1"), moved(source, inside, True), gpus),
    ]  # fmt: skip


def row_of(lane: int) -> int:
    return lane & ~15


def masked(x: Inputs) -> np.ndarray:
    """Rows 0 and 2, banks 1 and 3, one lane to the right."""
    kept = moved(lambda lane, _: lane - 1, 16)(x)
    lane = np.arange(x.a.size) % x.wave
    writes = (0x5 >> lane // 16 & 1) & (0xA >> lane % 16 // 4 & 1)
    return np.where(writes == 1, kept, x.c)


def eight(lane: int, _: int) -> int:
    return lane & ~7 | (7, 6, 5, 4, 3, 2, 1, 0)[lane & 7]


def swizzle(offset: str, source: Callable, gpus: tuple[str, ...] = ALL) -> Row:
    text = f"ds_swizzle_b32 v6, v2 offset:{offset}"
    return Row(text + "; {lds}", moved(source, 32), gpus)


def part(values: np.ndarray, select: str, signed: bool = False) -> np.ndarray:
    """The part of a register that an SDWA operand is."""
    if select == "DWORD":
        return values.astype(I64)
    size = 8 if select.startswith("BYTE") else 16
    got = (values >> U32(size * int(select[-1])) & U32((1 << size) - 1)).astype(I64)
    return np.where(got >> (size - 1) & 1, got - (1 << size), got) if signed else got


def placed(value: np.ndarray, select: str, unused: str, old: np.ndarray) -> np.ndarray:
    """The register of which SDWA writes a part."""
    if select == "DWORD":
        return value.astype(U64)
    size = 8 if select.startswith("BYTE") else 16
    at = size * int(select[-1])
    mask = ((1 << size) - 1) << at
    field = (value & ((1 << size) - 1)) << at
    if unused == "UNUSED_PRESERVE":
        return bits(old.astype(I64) & ~mask | field)
    if unused == "UNUSED_SEXT":
        return bits(np.where(field >> (at + size - 1) & 1, field - (1 << at + size), field))
    return bits(field)


def sdwa(name: str, to: str, unused: str, first: str, second: str,
         function: Callable, signed: bool = False) -> Row:  # fmt: skip
    a, b = ("sext(v2)", "sext(v4)") if signed else ("v2", "v4")
    text = (
        f"v_mov_b32_e32 v6, v8; s_nop 1; {name}_sdwa v6, {a}, {b} dst_sel:{to} "
        f"dst_unused:{unused} src0_sel:{first} src1_sel:{second}"
    )

    def reference(x: Inputs) -> np.ndarray:
        value = function(part(x.a, first, signed), part(x.b, second, signed))
        return placed(value, to, unused, x.c)

    return Row(text, reference, CDNA)


ROWS = [
    *dpp("quad_perm:[3,1,0,2]", lambda n, _: n & ~3 | (3, 1, 0, 2)[n & 3], ALL),
    *dpp("row_shl:3", lambda n, _: n + 3, ALL, 16),
    *dpp("row_shr:5", lambda n, _: n - 5, ALL, 16),
    *dpp("row_ror:7", lambda n, _: row_of(n) | n - 7 & 15, ALL),
    *dpp("row_mirror", lambda n, _: n ^ 15, ALL),
    *dpp("row_half_mirror", lambda n, _: n ^ 7, ALL),
    *dpp("wave_shl:1", lambda n, _: n + 1, CDNA),
    *dpp("wave_shr:1", lambda n, _: n - 1, CDNA),
    *dpp("wave_rol:1", lambda n, wave: (n + 1) % wave, CDNA),
    *dpp("wave_ror:1", lambda n, wave: (n - 1) % wave, CDNA),
    dpp("row_bcast:15", lambda n, _: row_of(n) - 1, CDNA)[0],
    dpp("row_bcast:31", lambda n, _: 31 if n > 31 else NONE, CDNA)[0],
    *dpp("row_newbcast:9", lambda n, _: row_of(n) | 9, CDNA),
    *dpp("row_share:9", lambda n, _: row_of(n) | 9, RDNA),
    *dpp("row_xmask:6", lambda n, _: n ^ 6, RDNA),
    Row("v_mov_b32_e32 v6, v8; s_nop 1; v_mov_b32_dpp v6, v2 row_shr:1 row_mask:0x5 "
        "bank_mask:0xa", masked),
    Row("v_mov_b32_dpp v6, v2 dpp8:[7,6,5,4,3,2,1,0]", moved(eight), RDNA),
    Row("v_add_u32_dpp v6, v2, v4 row_ror:1 row_mask:0xf bank_mask:0xf",
        lambda x: moved(lambda n, _: row_of(n) | n - 1 & 15)(x) + x.b, CDNA),
    Row("v_add_nc_u32_dpp v6, v2, v4 row_xmask:1 row_mask:0xf bank_mask:0xf",
        lambda x: moved(lambda n, _: n ^ 1)(x) + x.b, RDNA),
    Row("v_permlane16_b32 v6, v2, s14, s15", moved(lambda n, _: row_of(n) | (n + 5) % 16),
        RDNA),
    Row("v_permlanex16_b32 v6, v2, s14, s15",
        moved(lambda n, _: row_of(n ^ 16) | (n + 5) % 16), RDNA),
    Row("v_readlane_b32 s20, v2, 5; v_mov_b32_e32 v6, s20", moved(lambda n, _: 5), RDNA),
    Row("v_readlane_b32 s20, v2, 5; s_nop 4; v_mov_b32_e32 v6, s20", moved(lambda n, _: 5),
        CDNA),
    Row("v_mov_b32_e32 v6, v2; v_writelane_b32 v6, s12, 3",
        lambda x: np.where(np.arange(x.a.size) % x.wave == 3, U32(0x7531), x.a)),
    # LDS as a crossbar.
    swizzle("swizzle(QUAD_PERM, 2, 0, 3, 1)", lambda n, _: n & ~3 | (2, 0, 3, 1)[n & 3]),
    swizzle("swizzle(SWAP, 8)", lambda n, _: n ^ 8),
    swizzle("swizzle(REVERSE, 16)", lambda n, _: n ^ 15),
    swizzle("swizzle(BROADCAST, 4, 2)", lambda n, _: n & ~3 | 2),
    swizzle('swizzle(BITMASK_PERM, "0p1ip")', lambda n, _: n & ~31 | ((n & 0b01011 | 4) ^ 2)),
    Row("v_xor_b32_e32 v11, 21, v10; v_lshlrev_b32_e32 v11, 2, v11; "
        "ds_bpermute_b32 v6, v11, v2; {lds}", moved(lambda n, _: n ^ 21)),
    Row("v_xor_b32_e32 v11, 21, v10; v_lshlrev_b32_e32 v11, 2, v11; "
        "ds_permute_b32 v6, v11, v2; {lds}", moved(lambda n, _: n ^ 21)),
    # Parts of registers.
    sdwa("v_add_u32", "BYTE_1", "UNUSED_PRESERVE", "BYTE_3", "WORD_1", lambda a, b: a + b),
    sdwa("v_sub_u32", "WORD_1", "UNUSED_PAD", "DWORD", "BYTE_0", lambda a, b: a - b),
    sdwa("v_add_u32", "BYTE_2", "UNUSED_SEXT", "WORD_0", "BYTE_1", lambda a, b: a + b, True),
    sdwa("v_and_b32", "DWORD", "UNUSED_PAD", "WORD_1", "WORD_0", lambda a, b: a & b),
    sdwa("v_xor_b32", "BYTE_3", "UNUSED_PRESERVE", "BYTE_2", "BYTE_2", lambda a, b: a ^ b),
    sdwa("v_max_i32", "WORD_0", "UNUSED_SEXT", "BYTE_0", "WORD_1", np.maximum, True),
    sdwa("v_min_u32", "WORD_1", "UNUSED_PRESERVE", "BYTE_1", "WORD_0", np.minimum),
    sdwa("v_or_b32", "BYTE_0", "UNUSED_PRESERVE", "WORD_1", "BYTE_3", lambda a, b: a | b),
    sdwa("v_mul_u32_u24", "DWORD", "UNUSED_PAD", "BYTE_1", "WORD_1", lambda a, b: a * b),
]  # fmt: skip

FAMILY = Family("lanes", ROWS)
