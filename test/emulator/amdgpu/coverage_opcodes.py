"""Which opcodes the AMD emulator takes, of each GPU.

Every number of every encoding's opcode field is decoded, with operands that most opcodes
take: LLVM's disassembler gives its name, and the emulator says whether it takes it. So
neither's tables are copied here, only where the fields are.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GPUS = ("gfx90a", "gfx942", "gfx950", "gfx1100", "gfx1201")
ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / os.environ.get("TILEWRIGHT_BUILD_DIR", "build")
LISTER = BUILD / "bin" / "tools" / "emulator_amdgpu_ListOpcodes"


@dataclass(frozen=True)
class Encoding:
    """Dwords of an instruction, and the place of its opcode in the first of them; what the
    others are, or other bits of the first, is tried one after the other."""

    family: str
    base: int
    at: int
    bits: int
    variants: tuple[tuple[int, ...], ...] = ((0,),)

    def codes(self) -> Iterator[tuple[int, ...]]:
        for number in range(1 << self.bits):
            for first, *rest in self.variants:
                yield (self.base | number << self.at | first, *rest)


def _vectors(*registers: int) -> int:
    """VGPRs as the sources of VOP3."""
    return sum((256 + reg) << 9 * i for i, reg in enumerate(registers))


# v[2:...] as factors, v[40:...] as the result; scalars from s8 and s16 on.
_VOP3 = (
    (40, _vectors(2, 4, 6)), (40, _vectors(2, 4) | 106 << 18), (40, _vectors(2) | 8 << 9),
    (40, _vectors(2) | 8 << 9 | (256 + 6) << 18), (8, _vectors(2, 4, 6)),
    (40 | 10 << 8, _vectors(2, 4, 6)), (40, 8 | 10 << 9), (16, 8),
)  # fmt: skip
_SOP2 = ((16 << 16 | 10 << 8 | 8,),)
_SOP1 = ((16 << 16 | 8,), (16 << 16 | 0xC1,))
_SOPP = ((0,), (0xFFFF,))
_SOPK = ((16 << 16,), (16 << 16 | 0xF801,), (124 << 16,), (125 << 16,))
_COMMON = (
    Encoding("Scalar ALU", 0b10 << 30, 23, 7, _SOP2),
    Encoding("Scalar ALU", 0b1011 << 28, 23, 5, _SOPK),
    Encoding("Scalar ALU", 0b101111101 << 23, 8, 8, _SOP1),
    Encoding("Scalar ALU", 0b101111110 << 23, 16, 7, ((10 << 8 | 8,), (1 << 8 | 8,))),
    Encoding("Control and waits", 0b101111111 << 23, 16, 7, _SOPP),
    Encoding("Vector ALU", 0, 25, 6, ((40 << 17 | 4 << 9 | 258, 0),)),
    Encoding("Vector ALU", 0b0111111 << 25, 9, 8, ((40 << 17 | 258,), (40 << 17 | 8,))),
    Encoding("Vector comparisons", 0b0111110 << 25, 17, 8, ((4 << 9 | 258,),)),
)
# Fields that an opcode has no use for must be zero.
_LDS = tuple(
    (0, address | data | second | to)
    for address in (2, 0)
    for data, second in ((0, 0), (4 << 8, 0), (4 << 8, 6 << 16))
    for to in (40 << 24, 0)
)
_DUAL = (
    (4 << 9 | 258, 40 << 24 | 20 << 17 | 7 << 9 | 259),
    (258, 40 << 24 | 20 << 17 | 259),
    (258, 40 << 24 | 20 << 17 | 7 << 9 | 259),
    (4 << 9 | 258, 40 << 24 | 20 << 17 | 259),
)


def _flat(off: int) -> tuple[tuple[int, ...], ...]:
    return tuple(
        (0, 2 | data | base << 16 | to)
        for base in (off, 8, 0)
        for data in (4 << 8, 0)
        for to in (40 << 24, 0)
    )


_GFX9 = (
    *_COMMON,
    Encoding("Scalar memory", 0b110000 << 26 | 1 << 17, 18, 8, ((16 << 6 | 4, 0),)),
    Encoding("Vector ALU", 0b110100 << 26, 16, 10, _VOP3),
    Encoding("Packed and matrix", 0b110100111 << 23, 16, 7,
             tuple((first | 1 << 14, second | 3 << 27) for first, second in _VOP3)
             + tuple((first, second | 3 << 27) for first, second in _VOP3)
             + ((40, _vectors(2, 4) | 258 << 18),)),
    Encoding("LDS", 0b110110 << 26, 17, 8, _LDS),
    Encoding("Flat", 0b110111 << 26, 18, 7, _flat(0x7F)),
    Encoding("Scratch", 0b110111 << 26 | 1 << 14, 18, 7, _flat(0x7F)),
    Encoding("Global", 0b110111 << 26 | 2 << 14, 18, 7, _flat(0x7F)),
    Encoding("Buffer", 0b111000 << 26 | 1 << 12, 18, 7,
             ((0, 2 | 40 << 8 | 2 << 16 | 128 << 24), (0, 0))),
)  # fmt: skip
_RDNA = (
    *_COMMON,
    Encoding("Vector ALU", 0b110101 << 26, 16, 10, _VOP3),
    Encoding("Packed and matrix", 0b11001100 << 24, 16, 7,
             tuple((first | 1 << 14, second | 3 << 27) for first, second in
                   (*_VOP3, (40, _vectors(2, 16, 40))))),
    Encoding("LDS", 0b110110 << 26, 18, 8, _LDS),
    Encoding("Two in one", 0b110010 << 26 | 8 << 17, 22, 4, _DUAL),
    Encoding("Two in one", 0b110010 << 26 | 8 << 22, 17, 5, _DUAL),
)  # fmt: skip
_GFX11 = (
    *_RDNA,
    Encoding("Scalar memory", 0b111101 << 26, 18, 8, ((16 << 6 | 4, 124 << 25),)),
    Encoding("Flat", 0b110111 << 26, 18, 7, _flat(0x7C)),
    Encoding("Scratch", 0b110111 << 26 | 1 << 16, 18, 7, _flat(0x7C)),
    Encoding("Global", 0b110111 << 26 | 2 << 16, 18, 7, _flat(0x7C)),
    Encoding("Buffer", 0b111000 << 26, 18, 8,
             ((0, 2 | 40 << 8 | 2 << 16 | 1 << 22 | 128 << 24), (0, 0))),
)  # fmt: skip
_GFX12 = (
    *_RDNA,
    Encoding("Scalar memory", 0b111101 << 26, 13, 6, ((16 << 6 | 4, 124 << 25),)),
    Encoding("Flat", 0b11101100 << 24 | 0x7C, 14, 7, ((0, 40 | 4 << 23, 2),)),
    Encoding("Scratch", 0b11101101 << 24 | 0x7C, 14, 7, ((0, 40 | 4 << 23 | 1 << 17, 2),)),
    Encoding("Global", 0b11101110 << 24 | 0x7C, 14, 7, ((0, 40 | 4 << 23, 2),)),
    Encoding("Buffer", 0b110001 << 26 | 0x7C, 14, 8, ((0, 40 | 8 << 9 | 1 << 30, 2),)),
)  # fmt: skip
ENCODINGS = {
    gpu: _GFX12 if gpu == "gfx1201" else _GFX11 if gpu == "gfx1100" else _GFX9 for gpu in GPUS
}


_FORM = re.compile(r"(_e32|_e64)?(_dpp|_sdwa)?$")


def opcodes_in(text: str) -> set[str]:
    """The opcodes of an instruction's text: two where it is two in one. Encodings of one
    opcode are not told apart."""
    halves = text.split(" :: ")
    return {_FORM.sub("", half.split()[0]) for half in halves if half}


@functools.cache
def accepted(gpu: str) -> dict[str, str]:
    """The opcodes that the emulator takes of a GPU's, each with its family."""
    codes = [
        (encoding.family, code) for encoding in ENCODINGS[gpu] for code in encoding.codes()
    ]
    # s_nop 0 after those that are shorter.
    lines = "".join(
        " ".join([gpu, *(f"{word:x}" for word in (*code, 0xBF800000, 0xBF800000))]) + "\n"
        for _, code in codes
    )
    done = subprocess.run([LISTER], input=lines, capture_output=True, text=True, check=True)
    found: dict[str, str] = {}
    for (family, _), text in zip(codes, done.stdout.splitlines(), strict=True):
        for opcode in opcodes_in(text):
            found.setdefault(opcode, family)
    return found
