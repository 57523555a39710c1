"""Instructions that no compiler of the corpus uses, with what they compute in NumPy.

A row is an instruction in assembly and a function of its inputs; a program runs all rows of
a family one after the other on random numbers and on edges. What the functions say was
written from AMD's ISA documents.

The inputs of each lane are v2, v4 and v8, or with the next register each v[2:3], v[4:5],
v[8:9]; its result is v6, or v[6:7], which was zero. v10 is the item in its group, v12 the
place of 64 bytes of LDS that are the item's alone, v13 the offset of 64 bytes of global
memory from s[26:27] on, v[14:15] their address; s[28:31] is all of these as a buffer.

Of scalars the inputs are s16, s18 and s20, or pairs from them on, and the result s24, or
s[24:25]; s[6:7] is the address of the inputs and s[28:31] these as a buffer.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import amd_assembly
import numpy as np

from tilewright.emulator import Device

CDNA = ("gfx90a", "gfx942", "gfx950")
RDNA = ("gfx1100", "gfx1201")
ALL = (*CDNA, *RDNA)
LATE = ("gfx942", "gfx950", *RDNA)
GROUPS, ITEMS = 8, 64
U32, U64, I32, I64 = np.uint32, np.uint64, np.int32, np.int64


@dataclass(frozen=True)
class Inputs:
    """By [lane of a wave, of all]: whole registers, and pairs of them."""

    a: np.ndarray
    b: np.ndarray
    c: np.ndarray
    aa: np.ndarray
    bb: np.ndarray
    cc: np.ndarray
    wave: int

    def lanes(self, values: np.ndarray) -> np.ndarray:
        """As one row for each wave."""
        return values.reshape(-1, self.wave)


@dataclass(frozen=True)
class Row:
    """Lines of assembly, `{vcc}` in which is the GPU's name of it; the bits that come of
    them; on which GPUs; and whether these are of scalars."""

    text: str
    reference: Callable[[Inputs], np.ndarray]
    gpus: tuple[str, ...] = ALL
    wide: bool = False


@dataclass(frozen=True)
class Family:
    name: str
    rows: Sequence[Row]
    scalar: bool = False

    def of(self, gpu: str) -> list[Row]:
        return [row for row in self.rows if gpu in row.gpus]


def _edges() -> np.ndarray:
    return np.array(
        [0, 1, 2, 31, 32, 63, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x00FF00FF,
         0x80008000, 0x7FFF7FFF, 0xFFFFFF, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFF],
        U32,
    )  # fmt: skip


def inputs(wave: int) -> tuple[np.ndarray, Inputs]:
    """Six registers of each lane as the kernel loads them, and what rows see of them."""
    random = np.random.default_rng(41)
    words = random.integers(0, 1 << 32, (6, GROUPS * ITEMS), dtype=U32)
    edges = _edges()
    for index in range(6):
        # Every second lane has edges, shifted against each other.
        words[index, ::2] = np.resize(np.roll(edges, 3 * index), words[index, ::2].shape)
        words[index, 1::16] = random.choice(edges, words[index, 1::16].shape)
    pairs = [words[i].astype(U64) | words[i + 1].astype(U64) << U64(32) for i in (0, 2, 4)]
    return words, Inputs(words[0], words[2], words[4], *pairs, wave)


def _scalar_body(gpu: str, rows: list[Row]) -> str:
    """Each group has one row of scalars, lane 0 of which stores the results."""
    is_cdna = gpu.startswith("gfx9")
    load = "s_load_dwordx8" if is_cdna else "s_load_b256"
    wait = "s_wait_kmcnt 0x0" if gpu == "gfx1201" else "s_waitcnt lgkmcnt(0)"
    store = "global_store_dwordx2" if is_cdna else "global_store_b64"
    lines = [
        "s_lshl_b32 s8, s2, 5", "s_add_u32 s6, s6, s8", "s_addc_u32 s7, s7, 0",
        f"{load} s[16:23], s[6:7], 0x0", wait, f"s_mul_i32 s8, s2, {8 * len(rows)}",
        "s_add_u32 s4, s4, s8", "s_addc_u32 s5, s5, 0", "v_mov_b32_e32 v1, 0",
        "s_setreg_imm32_b32 hwreg(HW_REG_MODE, 4, 2), 3",  # subnormal f32 stay
    ]  # fmt: skip
    # The group's row as a buffer.
    lines += [
        "s_mov_b32 s28, s6", "s_and_b32 s29, s7, 0xffff", "s_movk_i32 s30, 0x40",
        f"s_mov_b32 s31, {'0x00020000' if is_cdna else '0x31004000'}",
    ]  # fmt: skip
    for row in rows:
        lines += [
            "s_mov_b32 s25, 0", *_lines(row, gpu), "v_mov_b32_e32 v6, s24",
            "v_mov_b32_e32 v7, s25", f"{store} v1, v[6:7], s[4:5]", "s_add_u32 s4, s4, 8",
            "s_addc_u32 s5, s5, 0",
        ]  # fmt: skip
    return "\n".join(f"  {line}" for line in lines)


def _vector_body(gpu: str, rows: list[Row]) -> str:
    """Registers of all lanes lie one after the other; so do results."""
    is_cdna = gpu.startswith("gfx9")
    load, store = (
        ("global_load_dword", "global_store_dwordx2")
        if is_cdna
        else ("global_load_b32", "global_store_b64")
    )
    wait = "s_wait_loadcnt 0x0" if gpu == "gfx1201" else "s_waitcnt vmcnt(0)"
    pointer = "s_load_dwordx2" if is_cdna else "s_load_b64"
    scalar = "s_wait_kmcnt 0x0" if gpu == "gfx1201" else "s_waitcnt lgkmcnt(0)"
    lanes = GROUPS * ITEMS
    lines = [f"s_mul_i32 s8, s2, {ITEMS}", "v_add_nc_u32_e32 v0, s8, v0"]
    if is_cdna:
        lines[1] = "v_add_u32_e32 v0, s8, v0"
    lines += ["v_lshlrev_b32_e32 v1, 2, v0"]
    for index, register in enumerate((2, 3, 4, 5, 8, 9)):
        lines += [
            f"s_add_u32 s10, s6, {4 * lanes * index}", "s_addc_u32 s11, s7, 0",
            f"{load} v{register}, v1, s[10:11]",
        ]  # fmt: skip
    lines += [wait, "v_lshlrev_b32_e32 v1, 3, v0", "v_and_b32_e32 v10, 63, v0"]
    lines += ["v_lshlrev_b32_e32 v12, 6, v10", "s_movk_i32 s12, 0x7531"]
    # Of each lane of a row, the one five after it: four bits for each.
    lines += ["s_setreg_imm32_b32 hwreg(HW_REG_MODE, 4, 2), 3"]  # subnormal f32 stay
    lines += ["s_mov_b32 s14, 0xcba98765", "s_mov_b32 s15, 0x43210fed"]
    # 64 bytes of global memory for each item, by an offset, an address and a descriptor.
    lines += [
        f"{pointer} s[26:27], s[0:1], 0x10", scalar, "v_lshlrev_b32_e32 v13, 6, v0",
        "v_mov_b32_e32 v11, 0", "v_mov_b32_e32 v15, s27",
        *(["v_add_co_u32_e32 v14, vcc, s26, v13", "s_nop 1",
           "v_addc_co_u32_e32 v15, vcc, 0, v15, vcc"]
          if is_cdna else
          ["v_add_co_u32 v14, vcc_lo, s26, v13",
           "v_add_co_ci_u32_e32 v15, vcc_lo, 0, v15, vcc_lo"]),
        "s_mov_b32 s28, s26", "s_and_b32 s29, s27, 0xffff", f"s_mov_b32 s30, {64 * lanes}",
        f"s_mov_b32 s31, {'0x00020000' if is_cdna else '0x31004000'}",
    ]  # fmt: skip
    for row in rows:
        lines += [
            "v_mov_b32_e32 v6, 0", "v_mov_b32_e32 v7, 0", "s_nop 4", *_lines(row, gpu),
            "s_nop 4", f"{store} v1, v[6:7], s[4:5]", f"s_add_u32 s4, s4, {8 * lanes}",
            "s_addc_u32 s5, s5, 0",
        ]  # fmt: skip
    return "\n".join(f"  {line}" for line in lines)


def _lines(row: Row, gpu: str) -> list[str]:
    is_cdna = gpu.startswith("gfx9")
    names = {
        "vcc": "vcc" if is_cdna else "vcc_lo",
        # The lower half of a register, as the GPU's assembler has it.
        "l": ".l" if gpu == "gfx1100" else "",
        "mask": "s[16:17]" if is_cdna else "s16",
        "lds": "s_wait_dscnt 0x0" if gpu == "gfx1201" else "s_waitcnt lgkmcnt(0)",
        "stores": {
            "gfx1201": "s_wait_storecnt 0x0",
            "gfx1100": "s_waitcnt_vscnt null, 0x0",
        }.get(gpu, "s_waitcnt vmcnt(0)"),
        "scalar": "s_wait_kmcnt 0x0" if gpu == "gfx1201" else "s_waitcnt lgkmcnt(0)",
        "ret": {"gfx1201": "th:TH_ATOMIC_RETURN", "gfx942": "sc0", "gfx950": "sc0"}.get(
            gpu, "glc"
        ),
        "vm": "s_wait_loadcnt 0x0" if gpu == "gfx1201" else "s_waitcnt vmcnt(0)",
    }
    return row.text.format(**names).split("; ")


def text_of(family: Family, gpu: str) -> str:
    """The program of a family for a GPU."""
    body = _scalar_body if family.scalar else _vector_body
    return amd_assembly.kernel(
        gpu, body(gpu, family.of(gpu)), arguments=3, lds=8192, scratch=64
    )


def run(family: Family, gpu: str, code: bytes) -> tuple[list[str], set[str]]:
    """Runs the program: what is wrong, and the instructions that were executed."""
    rows = family.of(gpu)
    words, values = inputs(64 if gpu.startswith("gfx9") else 32)
    groups, lanes = GROUPS, GROUPS * ITEMS
    if family.scalar:
        groups = lanes
        table = np.zeros((lanes + 1, 8), U32)  # one more, so that wide loads stay inside
        table[:lanes, :6] = words.T
        words = table
    device = Device(gpu, threads=1, statistics=True)
    out = device.empty((lanes, len(rows)) if family.scalar else (len(rows), lanes), U64)
    module = device.load(code)
    block = 1 if family.scalar else ITEMS
    own = device.empty(64 * lanes, np.uint8)
    module.launch("kernel", grid=groups, block=block, args=[out, device.array(words), own])
    got = out.numpy()
    if family.scalar:
        got = got.T
    wrong = []
    for row, results in zip(rows, got, strict=True):
        expected = np.broadcast_to(np.asarray(row.reference(values)), results.shape)
        mask = U64(0xFFFFFFFFFFFFFFFF if row.wide else 0xFFFFFFFF)
        expected = expected.astype(U64) & mask
        for lane in np.nonzero(results & mask != expected)[0][:1]:
            wrong.append(
                f"{row.text}: lane {lane} of {values.aa[lane]:x}, {values.bb[lane]:x}, "
                f"{values.cc[lane]:x} gives {results[lane]:x}, not {expected[lane]:x}"
            )
    return wrong, {line["text"] for line in device.report["lines"]}
