"""NVIDIA's machine code as `nvdisasm -c` prints it, and PTX: instructions and their kinds.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re

from loops import Instruction
from program import FigureError

# Multiply-adds of m16n8k16, by which other shapes are counted.
UNIT = "16x8x16"
UNIT_MACS = 16 * 8 * 16

_LINE = re.compile(r"/\*([0-9a-f]{4,})\*/\s+(?:@(!?U?P[T\d]+)\s+)?([A-Z][\w.]*)\s*(.*?)\s*;")
_LABEL = re.compile(r"^(\.L\w+):", re.M)
_TARGET = re.compile(r"`\((\.L\w+)\)")

# Shapes that an opcode names without an x between extents.
_SHAPES = {
    "16816": 16 * 8 * 16, "1688": 16 * 8 * 8, "1684": 16 * 8 * 4, "16832": 16 * 8 * 32,
    "16864": 16 * 8 * 64, "8816": 8 * 8 * 16, "8832": 8 * 8 * 32, "884": 8 * 8 * 4,
}  # fmt: skip
_BRANCHES = ("BRA", "JMP", "BRX", "JMX")
_ENDS = ("EXIT", "RET", "KILL")

# By the opcode without modifiers; what is not here is "other".
_KINDS = {
    "matrix": "HMMA IMMA DMMA BMMA",
    "shared load": "LDS",
    "ldmatrix": "LDSM",
    "shared store": "STS STSM",
    "global load": "LDG LD",
    "async copy": "LDGSTS UBLKCP UTMALDG",
    "global store": "STG ST RED ATOMG UTMASTG",
    "local": "LDL STL",
    "integer": "IADD3 IADD IMAD LEA LOP3 LOP SHF SHL SHR ISETP PRMT SEL IMNMX VIMNMX VIADD "
    "IABS FLO POPC BREV BMSK SGXT PLOP3 IDP UIADD3 UIMAD ULEA ULOP3 USHF UISETP UPRMT USEL "
    "UPLOP3 USGXT UFLO UPOPC LDC ULDC P2R R2P",
    "move": "MOV MOV32I UMOV CS2R S2R S2UR R2UR",
    "float": "FADD FMUL FFMA FMNMX FSETP FSEL FCHK MUFU HADD2 HMUL2 HFMA2 HMNMX2 HSETP2 DADD "
    "DMUL DFMA DSETP FSET",
    "shuffle": "SHFL VOTE VOTEU REDUX MATCH MOVM",
    "convert": "F2F F2FP F2I I2F I2FP I2I FRND F2IP",
    "wait": "BAR DEPBAR LDGDEPBAR ARRIVES MEMBAR FENCE SYNCS WARPSYNC WARPGROUP NANOSLEEP "
    "ERRBAR CCTL YIELD",
    "branch": "BRA EXIT BSSY BSYNC BREAK CALL RET JMP BRX JMX KILL WARPSYNCALL BMOV",
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names.split()}


def parse(text: str) -> list[Instruction]:
    """The instructions of the first kernel in what nvdisasm printed."""
    sections = re.split(r"^\s*\.section\s+\.text\..*$", text, flags=re.M)
    return _parse_section(sections[1] if len(sections) > 1 else text)


def _parse_section(text: str) -> list[Instruction]:
    addresses = [int(match[1], 16) for match in _LINE.finditer(text)]
    starts = [match.start() for match in _LINE.finditer(text)]
    labels: dict[str, int] = {}
    for match in _LABEL.finditer(text):
        after = [a for a, start in zip(addresses, starts) if start > match.start()]
        if after:
            labels[match[1]] = after[0]
    found = []
    meeting: dict[str, int] = {}
    for match in _LINE.finditer(text):
        address, guard, opcode, operands = match.groups()
        name = opcode.split(".")[0]
        target = _TARGET.search(operands)
        place = labels.get(target[1]) if target else None
        certain = guard is None or guard in ("PT", "UPT")
        targets: tuple[int, ...] = ()
        falls = True
        if guard in ("!PT", "!UPT"):
            opcode = "NOP"  # ptxas puts loads that never happen behind some barriers
        elif name in _BRANCHES:
            targets = (place,) if place is not None else ()
            # `BRA P0, target` has its condition among the operands.
            falls = not certain or not operands.startswith("`(")
        elif name == "CALL" and place is not None:
            targets = (place,)  # of a label of the kernel it is a jump that may return
        elif name == "BSSY" and place is not None:
            meeting[operands.split(",")[0]] = place
        elif name == "BSYNC" and certain and operands in meeting:
            # Threads go on where the matching BSSY said that they meet.
            targets, falls = (meeting[operands],), False
        elif name in _ENDS:
            falls = not certain
        found.append(Instruction(int(address, 16), opcode, operands, targets, falls))
    return found


def kind(one: Instruction) -> str:
    """The class of an instruction."""
    name, *modifiers = one.opcode.split(".")
    if name == "IMAD" and "MOV" in modifiers:
        return "move"
    if name == "HADD2" and "F32" in modifiers:
        return "convert"  # from f16 to f32
    return _KIND_OF.get(name, "other")


def multiply_adds(one: Instruction) -> int:
    """Multiply-adds of an instruction of a warp."""
    if kind(one) != "matrix":
        return 0
    for word in one.opcode.split("."):
        if word in _SHAPES:
            return _SHAPES[word]
    raise FigureError(f"{one.opcode}: the shape of this matrix instruction is not known")


def width(one: Instruction) -> int:
    """Bytes that a thread loads; 0 of what is no load."""
    loads = ("shared load", "ldmatrix", "global load", "async copy")
    if kind(one) not in loads:
        return 0
    modifiers = one.opcode.split(".")[1:]
    if kind(one) == "ldmatrix":
        return 4 * int(modifiers[-1]) if modifiers[-1].isdigit() else 4
    for modifier, bytes_ in (
        ("128", 16),
        ("64", 8),
        ("U16", 2),
        ("S16", 2),
        ("U8", 1),
        ("S8", 1),
    ):
        if modifier in modifiers:
            return bytes_
    return 4


# ---- PTX -----------------------------------------------------------------------------------

_PTX_LINE = re.compile(
    r"^\s*(?:(\$?\w+):)?\s*(?:\{\s*)?(?:@(!?%\w+)\s+)?([a-z][\w.:]*)?\s*(.*)$"
)


def parse_ptx(text: str, entry: str) -> list[Instruction]:
    """The instructions of an entry of PTX; addresses are lines, counted from 1.

    Statements that begin in the middle of a line are not seen; compilers write none that
    branch.
    """
    lines = text.split("\n")
    begin = next(
        i for i, line in enumerate(lines) if re.search(rf"\.entry\s+{re.escape(entry)}\b", line)
    )
    labels: dict[str, int] = {}
    rows: list[tuple[int, str | None, str, str]] = []
    for number, line in enumerate(lines[begin:], begin + 1):
        if line.startswith("}"):
            break
        label, guard, opcode, operands = _PTX_LINE.match(line.split("//")[0]).groups()
        if label:
            labels[label] = number
        if opcode or label:
            rows.append((number, guard, opcode or "", operands))
    found = []
    for number, guard, opcode, operands in rows:
        targets: tuple[int, ...] = ()
        falls = True
        if opcode.split(".")[0] == "bra":
            targets, falls = (labels[operands.strip(" ;\t}")],), guard is not None
        elif opcode in ("ret", "exit", "trap"):
            falls = guard is not None
        found.append(Instruction(number, opcode, operands, targets, falls))
    return found


def ptx_multiply_adds(one: Instruction) -> int:
    """As `multiply_adds`, of an instruction of PTX."""
    if not one.opcode.startswith(("mma.", "wmma.mma.")):
        return 0
    extents = re.search(r"m(\d+)n(\d+)k(\d+)", one.opcode)
    return int(extents[1]) * int(extents[2]) * int(extents[3]) if extents else 0


def ptx_loads(one: Instruction) -> bool:
    """Whether an instruction of PTX reads global memory."""
    return one.opcode.startswith(("ld.global", "ld.const", "cp.async", "ld.nc"))
