"""Why a code object whose synchronisation was taken out gives the same results.

Each reason is decided by what the emulator counts:

- The operations that each wait ended, of the program and of the mutant, say whether there was
  anything that the wait would have ended, and where that ended instead.
- Lanes by instruction say whether a mask was true in all lanes, and whether the lanes that it
  keeps out stored anything. Such a mutant must have the program's results on other inputs, too.
- A barrier whose neighbour does the same is found as for PTX: with both missing a rule is
  broken that is not without the neighbour alone.

What none of these decides is in `amd_mutation_notes.json`, read by a person.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

from amd_mutants import Mutant, branch_target
from amd_mutations import ORDERS, Runner
from trials import Counts, Reason, covering

NOTES = Path(__file__).resolve().parent / "amd_mutation_notes.json"

NOTHING = "nothing that it would end is under way"
LATER = "a later wait ends it, before anything touches it"
NEVER = "the wave ends first, and nothing touches it"
UNSEEN = "nothing that follows tells other waves of the stores"
WEAK_MEMORY = "weak memory is not modelled"
ONE_WAVE = "the work-group has one wave"
COVERED = "a neighbour does the same"
NEEDLESS = "nothing depends on it, with its neighbours or without"
MASK_TRUE = "the mask is true in all lanes"
STORES_NOTHING = "no store has other lanes for it, and no result depends on those"
STORES_SAME = "stores have other lanes, which store what is there"
CAREFUL = "the compiler keeps a distance that the hardware does not need"
REPLAY = "loads that are replayed after a page fault are not modelled"
ALIGNMENT = "it fills up to an aligned address"
DEALLOCATION = "giving back vector registers is not modelled"
NOTED = "by reading"

# Neighbours that are tried on each side.
REACH = 3
# Where compilers put the starts of loops.
LOOP_ALIGNMENT = 64
_STORES = re.compile(r"\w+_(store|atomic|write|add|sub|min|max|and|or|xor|inc|dec)")
_MEMORY = ("global_", "flat_", "buffer_", "scratch_", "ds_")


def decide(runner: Runner, mutant: Mutant) -> Reason | None:
    """Why `mutant`, which breaks no rule, changes nothing; None where that is not decided."""
    if note := notes().get(f"{runner.case.name}.{runner.arch}:{mutant.line:#x}"):
        return Reason(NOTED, note, is_limit=note.startswith("limit: "))
    if mutant.kind == "wait":
        return _wait(runner, mutant)
    if mutant.kind == "barrier":
        return _barrier(runner, mutant)
    if mutant.kind in ("mask", "join"):
        return _mask(runner, mutant)
    return _nop(runner, mutant)


@functools.cache
def notes() -> dict[str, str]:
    """The reasons that were found by reading, by case and offset."""
    return json.loads(NOTES.read_text())


def _both(runner: Runner, mutant: Mutant) -> list[tuple[Counts, Counts]]:
    """In each order the counts of the program and of the mutant."""
    code = mutant.apply(runner.text)
    return [
        (runner.trial(runner.text, order).lines, runner.trial(code, order).lines)
        for order in ORDERS
    ]


def _wait(runner: Runner, mutant: Mutant) -> Reason | None:
    lost = {0: 0, 1: 0, 2: 0}
    later: dict[int, int] = {}
    for sound, changed in _both(runner, mutant):
        for of in lost:
            lost[of] += sound[mutant.line][2 + of] - changed[mutant.line][2 + of]
        for line, counts in changed.items():
            more = sum(counts[2:]) - sum(sound.get(line, (0,) * 5)[2:])
            if more > 0:
                later[line] = later.get(line, 0) + more
    loads, lds_stores, stores = lost.values()
    if not loads and not lds_stores and not stores:
        return Reason(NOTHING)
    if stores:
        return _stores(runner, mutant)
    if sum(later.values()) == loads + lds_stores:
        return Reason(LATER, ", ".join(f"{line:#x}" for line in sorted(later)))
    return Reason(NEVER, f"{loads + lds_stores - sum(later.values())} operations")


def _stores(runner: Runner, mutant: Mutant) -> Reason:
    """A wait for stores to memory orders them before what tells other waves of them."""
    changes, tells, sees = _memory_around(runner, mutant)
    if changes and tells and sees:
        return Reason(WEAK_MEMORY, f"{changes}; {tells}; {sees}", is_limit=True)
    return Reason(UNSEEN)


# Of memory that waves share: what changes it, what tells other waves of changes, and what sees
# theirs. Scalar loads are of memory that nothing writes.
_SHARED = (
    re.compile(r"(global|flat|buffer)_(store|atomic)"),
    re.compile(r"s_barrier|(global|flat|buffer)_(atomic|store.* (sc[01]|glc|scope:))"),
    re.compile(r"(global|flat|buffer)_(load|atomic)"),
)


def _memory_around(runner: Runner, mutant: Mutant) -> list[str]:
    """What the program executes of each of `_SHARED`: the first of those that change memory
    before the mutant, or in a loop around it, of the others after it or in such a loop."""
    last = first = mutant.line
    for line, text in runner.texts.items():
        target = branch_target(line, text)
        if target is not None and target <= mutant.line < line:
            last, first = max(last, line), min(first, target)
    executed = sorted(runner.texts.items())
    before = [one for one in executed if one[0] < last]
    after = [one for one in executed if one[0] > first]
    return [
        next((f"{line:#x}: {text}" for line, text in lines if pattern.match(text)), "")
        for pattern, lines in zip(_SHARED, (before, after, after), strict=True)
    ]


def _nop(runner: Runner, mutant: Mutant) -> Reason | None:
    """What LLVM inserts s_nop for beyond the hardware's rules."""
    lines = sorted(runner.texts)
    at = lines.index(mutant.line)
    before = [runner.texts[line] for line in lines[max(at - 4, 0) : at]]
    after = runner.texts[lines[at + 1]]
    end = mutant.line
    while runner.texts.get(end) == "s_nop 0":
        end += 4
    if end % LOOP_ALIGNMENT == 0:
        return Reason(ALIGNMENT, f"{end:#x}")
    if "MSG_DEALLOC_VGPRS" in after:
        return Reason(DEALLOCATION, is_limit=True)
    read = _registers(after.partition(", ")[2])
    writer = next((one for one in reversed(before) if _registers(_result(one)) & read), "")
    if "_dpp" in after and writer.startswith(_MEMORY):
        return Reason(CAREFUL, f"DPP after a load: {writer}")
    if after.startswith(_MEMORY) and before[-1].startswith(_MEMORY):
        # A group of loads may be replayed, so none may overwrite what one of them reads.
        return Reason(REPLAY, f"{before[-1]}; {after}", is_limit=True)
    if writer.startswith("v_pk_"):
        return Reason(CAREFUL, f"a packed result taken for a part of a register: {writer}")
    return None


def _result(text: str) -> str:
    return text.partition(" ")[2].partition(", ")[0]


def _registers(text: str) -> set[int]:
    """The vector registers that are named."""
    found = set()
    for one, first, last in re.findall(r"\bv(?:(\d+)|\[(\d+):(\d+)\])", text):
        found |= {int(one)} if one else set(range(int(first), int(last) + 1))
    return found


def _barrier(runner: Runner, mutant: Mutant) -> Reason | None:
    waves = 64 if runner.arch.startswith("gfx9") else 32
    blocks = {launch.block for launch in runner.case.launches(runner.arch)}
    if all(x * y * z <= waves for x, y, z in blocks):
        return Reason(ONE_WAVE)
    others = [
        one for one in runner.mutants
        if one.kind == "barrier" and one.line != mutant.line
        and one.change.endswith(mutant.change)
    ]  # fmt: skip
    before = [one for one in others if one.line < mutant.line][-REACH:]
    after = [one for one in others if one.line > mutant.line][:REACH]
    found, executed = covering(runner, mutant, before + after)
    if found:
        return Reason(COVERED, f"{found.line:#x}: {found.text}")
    return Reason(NEEDLESS) if executed else None


def _mask(runner: Runner, mutant: Mutant) -> Reason | None:
    both = _both(runner, mutant)
    if all(_lanes(sound, mutant) == _lanes(changed, mutant) for sound, changed in both):
        return Reason(MASK_TRUE)
    other = runner.other
    trials = [other.trial(mutant.apply(other.text), order) for order in ORDERS]
    if not all(trial.sound for trial in trials):
        return None
    stores = any(
        sound.get(line, (0, 0))[1] != changed.get(line, (0, 0))[1]
        for sound, changed in both
        for line in sound | changed
        if runner.texts.get(line, "").startswith(_MEMORY)
        and _STORES.match(runner.texts.get(line, ""))
    )
    return Reason(STORES_SAME if stores else STORES_NOTHING)


def _lanes(counts: Counts, mutant: Mutant) -> dict[int, int]:
    changed = {at for at, _ in mutant.words}
    return {line: one[1] for line, one in counts.items() if line not in changed}
