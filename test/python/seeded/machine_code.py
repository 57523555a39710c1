"""What AMD's machine code shows of waits and fences: whether LDS is idle at every barrier, and
in which order the accesses are.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import bisect
import dataclasses
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

_LINE = re.compile(
    r"^\s+(?P<opcode>[a-z]\w*)\s*(?P<operands>.*?)\s*// (?P<at>[0-9A-F]{12}):(?P<rest>.*)$"
)
_SYMBOL = re.compile(r"^(?P<at>[0-9a-f]{8,}) <(?P<name>[^>]+)>:$")
_TARGET = re.compile(r"<(?P<name>[^>+]+)(?:\+0x(?P<plus>[0-9a-f]+))?>")
_BRANCH = re.compile(r"s_c?branch(_scc|_vcc|_exec|$)")
_END = "s_endpgm"
# What LDS does, which `lgkmcnt` counts, and what leaves LDS alone; all else is unknown.
_OF_LDS = re.compile(r"(ds|flat)_(?!swizzle|permute|bpermute)")
_NO_LDS = re.compile(
    r"v_|ds_(swizzle|permute|bpermute)_|s_(?!setpc|swappc|call|rfe|cbranch|trap)|scratch_|"
    r"global_(load(?!_lds)|store|atomic)|buffer_(load|store|atomic|wbl2|inv)"
)
_STORES = re.compile(r"ds_write\d*(st64)?_b")
_LOAD = re.compile(r"(ds_read\w*_[bui]\d+|(global|buffer)_load_(?!lds)\w+)$")
_SPECIAL = re.compile(r"\b(lds|sc[01]|glc)\b")  # into LDS, or one that others synchronise by
_LDS_IDLE = re.compile(r"\blgkmcnt\(0\)")


@dataclasses.dataclass(frozen=True)
class Instruction:
    """An instruction, its address, and the one that it may branch to."""

    at: int
    opcode: str
    operands: str
    target: int | None = None


def disassembled(elf: bytes) -> str:
    """What llvm-objdump prints of a code object."""
    tool = shutil.which("llvm-objdump-22") or shutil.which("llvm-objdump")
    assert tool, "there is no llvm-objdump: apt-get install llvm-22"
    with tempfile.TemporaryDirectory(prefix="code-") as folder:
        path = Path(folder) / "code.hsaco"
        path.write_bytes(elf)
        run = subprocess.run(
            [tool, "-d", str(path)], capture_output=True, text=True, check=True
        )
    return run.stdout


def parsed(text: str) -> list[list[Instruction]]:
    """The instructions of each function in what llvm-objdump printed.

    Raises ValueError for a line that is not understood.
    """
    symbols = {m["name"]: int(m["at"], 16) for m in map(_SYMBOL.match, text.split("\n")) if m}
    functions: list[list[Instruction]] = []
    for line in text.split("\n"):
        if _SYMBOL.match(line):
            functions.append([])
        elif found := _LINE.match(line):
            target = None
            if _BRANCH.match(found["opcode"]):
                to = _TARGET.search(found["rest"])
                if not to:
                    raise ValueError(f"a branch to nowhere: {line}")
                target = symbols[to["name"]] + int(to["plus"] or "0", 16)
            functions[-1].append(
                Instruction(int(found["at"], 16), found["opcode"], found["operands"], target)
            )
        elif functions and line.strip():
            raise ValueError(f"no instruction: {line}")
    return functions


def is_idle_at_barriers(code: list[Instruction], but_for_stores: bool = False) -> bool:
    """Whether at every barrier of a function the wave's operations of LDS are done: on every
    way there a wait for all of them comes behind the last one; `but_for_stores`, which may
    be under way."""
    number = {one.at: i for i, one in enumerate(code)}
    # Whether LDS may be busy in front of an instruction; None where nothing is known yet.
    busy: list[bool | None] = [None] * (len(code) + 1)
    asked = [(0, False)]
    while asked:
        i, is_busy = asked.pop()
        if i >= len(code):
            return False  # it runs off the end
        if busy[i] is True or busy[i] is is_busy:
            continue
        busy[i] = is_busy
        one = code[i]
        if one.opcode == "s_barrier" and is_busy:
            return False
        if _BRANCH.match(one.opcode):
            if one.target not in number:
                return False
            asked.append((number[one.target], is_busy))
        elif one.opcode == "s_waitcnt":
            is_busy &= not _LDS_IDLE.search(one.operands)
        elif _OF_LDS.match(one.opcode):
            is_busy |= not (but_for_stores and _STORES.match(one.opcode))
        elif not _NO_LDS.match(one.opcode) or re.search(r"\blds\b", one.operands):
            return False
        if one.opcode not in ("s_branch", _END):
            asked.append((i + 1, is_busy))
    return True


def waits_for_lds(elf: bytes, but_for_stores: bool = False) -> bool:
    """Whether LDS is idle at every barrier of a code object, `but_for_stores`; False where
    that is not shown."""
    try:
        functions = parsed(disassembled(elf))
        return all(is_idle_at_barriers(code, but_for_stores) for code in functions if code)
    except (ValueError, KeyError):
        return False


_WAIT = re.compile(r"(?:\w+cnt\(\d+\)\s*)+")


def _counters(one: Instruction) -> dict[str, int] | None:
    """Of a wait, how many operations each counter may have left; None of anything else."""
    if one.opcode != "s_waitcnt" or not _WAIT.fullmatch(one.operands):
        return None
    return {name: int(most) for name, most in re.findall(r"(\w+)\((\d+)\)", one.operands)}


def _with_waits_joined(kept: list[Instruction], targets: set[int]) -> list[Instruction]:
    """The instructions with one wait in place of several that follow each other: nothing is
    issued between them, and nobody comes in between."""
    joined: list[Instruction] = []
    last = 0  # where the last instruction stood
    for one in kept:
        counters = _counters(one)
        if counters is not None:
            is_apart = any(last < target <= one.at for target in targets)
            before = _counters(joined[-1]) if joined and not is_apart else None
            if before is not None:
                for name, most in before.items():
                    counters[name] = min(most, counters.get(name, most))
                one = dataclasses.replace(one, at=joined.pop().at)
            text = " ".join(f"{name}({most})" for name, most in sorted(counters.items()))
            joined.append(dataclasses.replace(one, operands=text))
        else:
            joined.append(one)
        last = max(last, one.at)
    return joined


def _ordered(
    code: list[Instruction], with_waits: bool = True
) -> list[tuple[str, str, int | None]]:
    """The accesses, waits and barriers of a function with their operands, and branches by the
    number of the first of these that they lead to. Loads that follow each other are sorted:
    it does not matter which one comes first."""
    waits = "waitcnt|" if with_waits else ""
    scalar = rf"v_|s_(?!{waits}barrier|branch|cbranch|endpgm|setpc|swappc)"
    kept = [one for one in code if not re.match(scalar, one.opcode)]
    targets = {one.target for one in code if one.target is not None}
    kept = _with_waits_joined(kept, targets)
    places = [one.at for one in kept]
    ordered: list[tuple[str, str, int | None]] = []
    loads: list[tuple[str, str, int | None]] = []
    last = 0
    for one in kept:
        is_load = _LOAD.match(one.opcode) and not _SPECIAL.search(one.operands)
        if not is_load or any(last < target <= one.at for target in targets):
            ordered += sorted(loads, key=str)
            loads = []
        number = None if one.target is None else bisect.bisect_left(places, one.target)
        entry = (one.opcode, "" if one.target is not None else one.operands, number)
        (loads if is_load else ordered).append(entry)
        last = one.at
    return ordered + sorted(loads, key=str)


def have_same_order(elf: bytes, other: bytes, with_waits: bool = True) -> bool:
    """Whether two code objects have the same accesses, barriers and, `with_waits`, waits, down
    to their registers, in the same order; False where that is not shown."""
    try:
        first, second = (
            [_ordered(code, with_waits) for code in parsed(disassembled(one))]
            for one in (elf, other)
        )
    except (ValueError, KeyError):
        return False
    return first == second
