"""What is taken out of code objects or weakened, one synchronisation at a time.

- wait: the whole wait; each of its counters alone; each counter waited for one operation less.
- barrier: s_barrier; of gfx12's two halves each, and both.
- mask: what narrows EXEC leaves it as it is.
- join: what widens EXEC again leaves it as it is.
- nop: s_nop by one wait state, and as a whole: the instructions after it come first.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

KINDS = ("wait", "barrier", "mask", "join", "nop")

NOP = 0xBF800000
EXEC = 126
# The counters of s_waitcnt: of each the bits of the immediate, the lowest first.
_GFX9 = {"vmcnt": (0, 1, 2, 3, 14, 15), "expcnt": (4, 5, 6), "lgkmcnt": (8, 9, 10, 11)}
_GFX11 = {"expcnt": (0, 1, 2), "lgkmcnt": tuple(range(4, 10)), "vmcnt": tuple(range(10, 16))}
# Those of gfx12's waits are in their names, the last in the low byte.
_LOW, _HIGH = tuple(range(6)), tuple(range(8, 14))

# What waits for time alone, or for dependences between ALUs.
ALU_WAITS = ("s_wait_alu", "s_waitcnt_depctr", "s_wait_idle", "s_wait_event")
# How many instructions come before an s_nop that is taken out.
PASSED = 8
_NARROWS = re.compile(r"(s_and|s_andn2|s_and_not1|s_xor)_b(32|64) exec|v_cmpx_")
_WIDENS = re.compile(r"s_(or|mov)_b(32|64) exec")
_BRANCH = re.compile(r"s_(c?branch|endpgm|setpc|swappc|call|getpc)")


@dataclass(frozen=True)
class Mutant:
    """A changed instruction, by its offset in the loaded object; `words` are what takes the
    places of words, by their offsets."""

    kind: str
    line: int
    text: str
    change: str
    words: tuple[tuple[int, int], ...]

    def apply(self, code: bytes) -> bytes:
        """The code object, or a mutant of it, with the change."""
        changed = bytearray(code)
        for address, word in self.words:
            struct.pack_into("<I", changed, file_offset(code, address), word)
        return bytes(changed)


def file_offset(code: bytes, address: int) -> int:
    """Where an address of the loaded object is in the file."""
    (table,) = struct.unpack_from("<Q", code, 32)
    size, count = struct.unpack_from("<HH", code, 54)
    for number in range(count):
        kind, _, offset, virtual, _, length = struct.unpack_from(
            "<IIQQQQ", code, table + number * size
        )
        if kind == 1 and virtual <= address < virtual + length:
            return offset + address - virtual
    raise ValueError(f"{address:#x} is in no segment")


def mutants(code: bytes, arch: str, texts: Mapping[int, str]) -> Iterator[Mutant]:
    """All of the instructions `texts`, by their offsets: those that were executed."""
    lines = sorted(texts)
    for at, line in enumerate(lines):
        text = texts[line]
        mnemonic = text.partition(" ")[0]
        (word,) = struct.unpack_from("<I", code, file_offset(code, line))
        if mnemonic.startswith(("s_waitcnt", "s_wait_")) and mnemonic not in ALU_WAITS:
            yield from _waits(arch, line, text, word)
        elif mnemonic.startswith("s_barrier"):
            yield from _barriers(line, text, texts, lines[at + 1 :])
        elif mnemonic == "s_nop":
            yield from _nops(code, line, text, word, texts, lines[at + 1 :])
        elif "_saveexec_" in mnemonic:
            # s_mov of the same destination, from EXEC.
            wide = "_b64" in mnemonic  # the opcode of s_mov_b64
            move = 0xBE800000 | (word & 0x7F0000) | wide << 8 | EXEC
            kind = "join" if mnemonic.startswith("s_or_") else "mask"
            yield Mutant(kind, line, text, "removed", ((line, move),))
        elif _NARROWS.match(text) or _WIDENS.match(text):
            kind = "mask" if _NARROWS.match(text) else "join"
            size = _size(code, line, mnemonic)
            yield Mutant(kind, line, text, "removed", _nothing(line, size))


def _nothing(line: int, size: int) -> tuple[tuple[int, int], ...]:
    return tuple((at, NOP) for at in range(line, line + size, 4))


def _size(code: bytes, line: int, mnemonic: str) -> int:
    """Of a scalar instruction of two sources or a v_cmpx, with a literal or not."""
    first, second = struct.unpack_from("<II", code, file_offset(code, line))
    literal = 255
    if mnemonic.endswith("_e64"):
        return 12 if literal in (second & 0x1FF, second >> 9 & 0x1FF) else 8
    sources = (first & 0x1FF,) if mnemonic.startswith("v_") else (first & 255, first >> 8 & 255)
    return 8 if literal in sources else 4


def _fields(arch: str, text: str) -> dict[str, tuple[int, ...]]:
    """The counters that a wait names."""
    mnemonic = text.partition(" ")[0]
    if mnemonic == "s_waitcnt":
        known = _GFX11 if arch.startswith("gfx11") else _GFX9
        return {name: bits for name, bits in known.items() if f"{name}(" in text}
    if mnemonic == "s_waitcnt_vscnt":
        return {"vscnt": _LOW}
    names = mnemonic.removeprefix("s_wait_").split("_")
    return dict(zip(reversed(names), (_LOW, _HIGH), strict=False))


def _waits(arch: str, line: int, text: str, word: int) -> Iterator[Mutant]:
    yield Mutant("wait", line, text, "removed", ((line, NOP),))
    fields = _fields(arch, text)
    for name, bits in fields.items():
        value = sum((word >> bit & 1) << i for i, bit in enumerate(bits))
        most = (1 << len(bits)) - 1
        for change, new in (("without", most), ("one less of", value + 1)):
            if (change == "without" and len(fields) == 1) or new > most:
                continue
            changed = word
            for i, bit in enumerate(bits):
                changed = changed & ~(1 << bit) | (new >> i & 1) << bit
            yield Mutant("wait", line, text, f"{change} {name}", ((line, changed),))


def _barriers(
    line: int, text: str, texts: Mapping[int, str], later: list[int]
) -> Iterator[Mutant]:
    yield Mutant("barrier", line, text, "removed", ((line, NOP),))
    if text.startswith("s_barrier_signal"):
        wait = next((one for one in later if texts[one].startswith("s_barrier_wait")), None)
        if wait is not None:
            words = ((line, NOP), (wait, NOP))
            yield Mutant("barrier", line, text, "both halves removed", words)


def _nops(
    code: bytes, line: int, text: str, word: int, texts: Mapping[int, str], later: list[int]
) -> Iterator[Mutant]:
    if word & 0xFFFF:
        yield Mutant("nop", line, text, "one less", ((line, word - 1),))
    end = _end_of_line(line, texts, later)
    if end == line + 4:
        return
    at = file_offset(code, line + 4)
    moved = struct.unpack_from(f"<{(end - line) // 4 - 1}I", code, at)
    words = tuple((line + 4 * i, one) for i, one in enumerate((*moved, word)))
    yield Mutant("nop", line, text, "removed", words)


def _end_of_line(line: int, texts: Mapping[int, str], later: list[int]) -> int:
    """Where the instructions end that are executed one after the other behind `line`, one of
    four bytes, with no branch among them nor to them; PASSED at most."""
    end = line + 4
    targets = {branch_target(one, text) for one, text in texts.items()}
    for one, following in zip(later[:PASSED], later[1:], strict=False):
        if one in targets or _BRANCH.match(texts[one]):
            break
        end = following
    return end


def branch_target(line: int, text: str) -> int | None:
    """Where a branch goes; None of other instructions."""
    found = re.match(r"s_c?branch\w* (\d+)", text)
    if not found:
        return None
    distance = int(found[1])
    return line + 4 + 4 * (distance - (distance >> 15 << 16))
