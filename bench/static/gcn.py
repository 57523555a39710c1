"""AMD's machine code as `llvm-objdump -d` prints it: instructions and their kinds.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re

from loops import Instruction
from program import FigureError

# Multiply-adds of v_mfma_f32_32x32x8, by which other shapes are counted.
UNIT = "32x32x8"
UNIT_MACS = 32 * 32 * 8

_SYMBOL = re.compile(r"^([0-9a-f]{8,}) <([^>]+)>:$", re.M)
_LINE = re.compile(r"^\s+([a-z]\w*)\s*(.*?)\s*// ([0-9A-F]{12}):(.*)$", re.M)
_TARGET = re.compile(r"<([^>+]+)(?:\+0x([0-9a-f]+))?>")

# By the beginning of the mnemonic, the first that fits.
_KINDS = (
    ("matrix", r"v_s?mfma"),
    ("ldmatrix", r"ds_read_b\d+_tr"),
    ("shuffle", r"ds_b?permute|ds_bpermute|ds_swizzle|v_readlane|v_writelane|v_readfirstlane"
     r"|v_permlane|v_mov_b32_dpp"),
    ("shared load", r"ds_read|ds_load"),
    ("shared store", r"ds_write|ds_store"),
    ("async copy", r"global_load_lds"),
    ("global load", r"global_load|buffer_load|flat_load"),
    ("global store", r"global_store|buffer_store|flat_store|global_atomic|buffer_atomic"),
    ("local", r"scratch_"),
    ("wait", r"s_waitcnt|s_barrier|s_nop|s_sleep|s_setprio"),
    ("branch", r"s_branch|s_cbranch|s_endpgm|s_setpc|s_swappc"),
    ("convert", r"v_cvt"),
    ("move", r"v_mov|s_mov|v_accvgpr|v_swap|v_pk_mov"),
    ("float", r"v_(?:cmpx?_\w+_f\d|\w+_(?:f16|bf16|f32|f64)(?:_|$))"),
    ("integer", r"v_|s_(?:add|sub|mul|lshl|lshr|ashr|and|or|xor|not|cmp|cselect|bfe|bfm|min"
     r"|max|abs|addc|subb|pack|sext|bit|ff|flbit|wqm|andn|orn|nand|nor|xnor|mulk|addk|cmpk)"),
)  # fmt: skip
_KIND_OF = tuple((name, re.compile(pattern)) for name, pattern in _KINDS)

_WIDTHS = (
    (r"x4$|b128|read2(?:st64)?_b64", 16), (r"x3$|b96", 12),
    (r"x2$|b64|read2(?:st64)?_b32", 8), (r"[us]?byte|[ui]8", 1), (r"short|[ui]16", 2),
)  # fmt: skip


def parse(text: str, entry: str) -> list[Instruction]:
    """The instructions of a kernel in what llvm-objdump printed."""
    bases = {match[2]: int(match[1], 16) for match in _SYMBOL.finditer(text)}
    begin = next(match for match in _SYMBOL.finditer(text) if match[2] == entry)
    following = _SYMBOL.search(text, begin.end())
    found = []
    for match in _LINE.finditer(
        text, begin.end(), following.start() if following else len(text)
    ):
        opcode, operands, address, comment = match.groups()
        targets: tuple[int, ...] = ()
        if opcode.startswith(("s_branch", "s_cbranch")) and (to := _TARGET.search(comment)):
            targets = (bases[to[1]] + int(to[2] or "0", 16),)
        falls = not opcode.startswith(("s_branch", "s_endpgm", "s_setpc"))
        found.append(Instruction(int(address, 16), opcode, operands, targets, falls))
    return found


def kind(one: Instruction) -> str:
    """The class of an instruction."""
    found = next((name for name, pattern in _KIND_OF if pattern.match(one.opcode)), "other")
    if found == "global load" and re.search(r"\blds\b", one.operands):
        return "async copy"
    return found


def multiply_adds(one: Instruction) -> int:
    """Multiply-adds of an instruction of a wave."""
    if kind(one) != "matrix":
        return 0
    shape = re.search(r"(\d+)x(\d+)x(\d+)(?:_(\d+)b)?", one.opcode)
    if shape is None:
        raise FigureError(f"{one.opcode}: the shape of this matrix instruction is not known")
    m, n, k, blocks = (int(extent or 1) for extent in shape.groups())
    return m * n * k * blocks


def width(one: Instruction) -> int:
    """Bytes that a lane loads; 0 of what is no load."""
    if kind(one) not in ("shared load", "ldmatrix", "global load", "async copy"):
        return 0
    return next((n for pattern, n in _WIDTHS if re.search(pattern, one.opcode)), 4)
