"""Why a program whose synchronisation was taken out gives the same results.

Each reason is decided by running the program again, changed in one more way:

- A second statement is taken out too, a neighbour of the first. If that breaks a rule at a
  place where taking out the neighbour alone breaks none, the neighbour does what the first
  one does. If no neighbour does, and no run in which they are missing breaks a rule that
  the first would have kept, nothing depends on the first.
- A strong access (volatile or relaxed, which no race check looks at) is made a weak one. If
  that is a race without the fence and none with it, the fence orders that access: a weakly
  ordered GPU needs it, and the emulator, whose memory is sequentially consistent, does not.
- The lanes that a mask keeps out get undefined data from a masked load or atomic operation,
  or store undefined data by a masked store. If that reaches no result, the lanes do not
  matter.
- Counts of executions and lanes say whether a mask was true in all lanes, and whether a
  wait was over whenever it was asked.

What none of these decides is in `mutation_notes.json`, read by a person.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path

from mutations import ORDERS, Mutant, Runner
from trials import Reason, covering

NOTES = Path(__file__).resolve().parent / "mutation_notes.json"

# The reasons, as the table names them.
ONE_WARP = "the block has one warp"
COVERED = "a neighbour does the same"
NEEDLESS = "nothing depends on it, with its neighbours or without"
AT_ONCE = "the wait is over whenever it is asked"
MASK_TRUE = "the mask is true in all lanes"
LOAD_UNUSED = "what the other lanes load reaches no result"
STORE_UNUSED = "what the other lanes store is read by nobody"
STORE_SAME = "the other lanes store what is there"
ATOMIC_SAME = "the other lanes' atomic operations leave what is there"
WEAK_MEMORY = "weak memory is not modelled"
LOCKSTEP = "lanes of a warp go in lockstep"
NOTED = "by reading"

# Neighbours that are tried on each side.
REACH = 4
_SYNCHRONISE = ("barrier", "wait", "fence", "commit")
_MEMORY_FENCE = re.compile(r"membar|fence\.(sc|acq_rel|acquire|release)")


def decide(runner: Runner, mutant: Mutant) -> Reason | None:
    """Why `mutant` changes nothing; None where that is not decided."""
    if note := notes().get(f"{runner.case.program}.{runner.arch}:{mutant.line}"):
        return Reason(NOTED, note, is_limit=note.startswith("limit: "))
    if mutant.kind == "mask":
        return _mask(runner, mutant)
    if mutant.body.startswith("bar.warp"):
        return Reason(LOCKSTEP, is_limit=True)
    return _single_warp(runner, mutant) or _weak(runner, mutant) or _neighbours(runner, mutant)


@functools.cache
def notes() -> dict[str, str]:
    """The reasons that were found by reading, by program and line."""
    return json.loads(NOTES.read_text())


# Statements that synchronise.


def _single_warp(runner: Runner, mutant: Mutant) -> Reason | None:
    """Whether a block's barrier has one warp to order."""
    if not re.match(r"(bar|barrier)\.(cta\.)?(sync|arrive|red)", mutant.body):
        return None
    blocks = {launch.block for launch in runner.case.launches(runner.arch)}
    return Reason(ONE_WARP) if all(x * y * z <= 32 for x, y, z in blocks) else None


def _weak(runner: Runner, mutant: Mutant) -> Reason | None:
    """Whether a fence orders a strong access, shown by making that weak."""
    if not _MEMORY_FENCE.match(mutant.body):
        return None
    lines = runner.text.split("\n")
    first, last = _function(runner.text, mutant.line)
    without = mutant.apply(runner.text).split("\n")
    for at in range(first, last):
        weak = re.sub(r"\b(ld|st)\.volatile\b|\b(ld|st)\.relaxed\.\w+", r"\1\2", lines[at])
        if weak == lines[at]:
            continue
        for order in ORDERS[:2]:
            texts = ["\n".join([*t[:at], weak, *t[at + 1 :]]) for t in (lines, without)]
            if runner.trial(texts[0], order).sound and not runner.trial(texts[1], order).sound:
                return Reason(WEAK_MEMORY, f"line {at + 1}: {lines[at].strip()}", True)
    return None


def _neighbours(runner: Runner, mutant: Mutant) -> Reason | None:
    near = list(_near(runner, mutant))
    found, executed = covering(runner, mutant, near)
    if found:
        return Reason(COVERED, f"line {found.line}: {found.statement}")
    if _is_over_at_once(runner, mutant):
        return Reason(AT_ONCE)
    return Reason(NEEDLESS) if executed else None


def _near(runner: Runner, mutant: Mutant) -> Iterator[Mutant]:
    """Executed statements of the same function that synchronise, the nearest first."""
    first, last = _function(runner.text, mutant.line)
    inside = [
        one
        for one in runner.mutants
        if first < one.line <= last and one.line != mutant.line and one.kind in _SYNCHRONISE
    ]
    before = [one for one in inside if one.line < mutant.line][-REACH:]
    after = [one for one in inside if one.line > mutant.line][:REACH]
    yield from sorted(before + after, key=lambda one: abs(one.line - mutant.line))


def _function(text: str, line: int) -> tuple[int, int]:
    """The lines, from 0 and half open, of the function that line `line`, from 1, is in."""
    lines = text.split("\n")
    starts = [i for i, one in enumerate(lines) if re.search(r"\.(entry|func)\b", one)]
    first = max((i for i in starts if i < line), default=0)
    return first, min((i for i in starts if i >= line), default=len(lines))


def _is_over_at_once(runner: Runner, mutant: Mutant) -> bool:
    """Whether a wait that polls was never asked twice, in any order."""
    if not re.match(r"mbarrier\.(try|test)_wait", mutant.body):
        return False
    return _has_same_counts(runner, mutant)


def _has_same_counts(runner: Runner, mutant: Mutant) -> bool:
    """Whether the line has as many executions and lanes without as with."""
    text = mutant.apply(runner.text)
    return all(
        runner.trial(runner.text, order).lines[mutant.line]
        == runner.trial(text, order).lines[mutant.line]
        for order in ORDERS
    )


# Masks.


def _mask(runner: Runner, mutant: Mutant) -> Reason | None:
    if _has_same_counts(runner, mutant):
        return Reason(MASK_TRUE)
    probe = probe_mask(runner.text, mutant)
    if probe is None:
        return None
    trials = [runner.trial(mutant.apply(runner.text, probe), order) for order in ORDERS]
    if any(rule == "refused" for trial in trials for rule, *_ in trial.faults):
        return None
    unused = all(trial.sound for trial in trials)
    if mutant.body.startswith("st."):
        return Reason(STORE_UNUSED if unused else STORE_SAME)
    atomic = mutant.body.startswith(("atom.", "red."))
    return Reason(ATOMIC_SAME if atomic else LOAD_UNUSED) if unused else None


def probe_mask(text: str, mutant: Mutant) -> str | None:
    """What takes the place of a masked instruction so that the lanes that the mask keeps out
    have undefined data in the result: loaded, stored, copied, or from an atomic operation,
    which they do make. None where the instruction is of another kind."""
    opcode, _, rest = mutant.body.partition(" ")
    place = re.search(r"\[[^\]]*\]", rest)
    guard = mutant.guard.strip()
    inverse = "@" + guard[2:] if guard.startswith("@!") else "@!" + guard[1:]
    kept = f"{guard} {mutant.body};"
    if place is None:
        return None
    if opcode.startswith(("ld.", "atom.", "red.")):
        moves = []
        kept = kept if opcode.startswith("ld.") else f"{mutant.body};"
        for register in re.findall(r"%[\w$]+", rest[: place.start()]):
            width = register_width(text, register)
            if width is None:
                return None
            move = f"{inverse} mov.b{width} {register}, %undefined;"
            moves.append(f"{{ .reg .b{width} %undefined; {move} }}")
        return " ".join([kept, *moves])
    copied = re.match(r"\s*,\s*\[[^\]]*\]\s*,\s*(0x\w+|\d+)", rest[place.end() :])
    if opcode.startswith("st.") and (
        width := re.search(r"(?:\.v([248]))?\.[a-z](\d+)$", opcode)
    ):
        count, bits = int(width[1] or 1), int(width[2])
    elif opcode.startswith(("cp.async.ca.", "cp.async.cg.")) and copied:
        count, bits = int(copied[1], 0) // 4, 32
        opcode = "st.shared.b32" if count == 1 else f"st.shared.v{count}.b32"
    else:
        return None
    value = ", ".join(["%undefined"] * count)
    value = value if count == 1 else f"{{{value}}}"
    store = f"{inverse} {opcode} {place[0]}, {value};"
    return f"{{ .reg .b{max(bits, 16)} %undefined; {store} }} {kept}"


def register_width(text: str, register: str) -> int | None:
    """The bits of a register, as the text declares its name's kind."""
    stem = re.match(r"%[A-Za-z_$]+", register)
    if stem is None:
        return None
    declared = re.search(rf"\.reg\s+\.[a-z]+(\d+)\s+{re.escape(stem[0])}<", text)
    return int(declared[1]) if declared else None
