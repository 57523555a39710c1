"""What a fault of a stage was in an earlier one, whose text shows more.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re

from .seeds import Fault, seed


def twin_of(texts: dict[str, str], fault: Fault) -> Fault:
    """The mask of `lower-access` that a conversion made this one of; else the fault itself."""
    if fault.kind != "mask" or "convert-to" not in fault.stage:
        return fault
    here = [f for f in seed(fault.stage, texts[fault.stage]) if f.kind == "mask"]
    there = [
        f for f in seed("lower-access", texts["lower-access"]) if f.what.startswith("simt.")
    ]
    if len(here) != len(there):
        return fault
    there.sort(key=lambda f: f.line)
    return there[[f.line for f in here].index(fault.line)]


def barrier_of(texts: dict[str, str], fault: Fault) -> int | None:
    """The line, from 0, of the barrier or `simt.get` of `insert-barriers` that the fault takes
    out, or a part of it; None where they cannot be told."""
    if fault.stage == "insert-barriers":
        return fault.line - 1
    lines = texts["insert-barriers"].split("\n")
    # Each becomes one barrier, in the same order, but for a get behind another one. A put into
    # the only stage may have one.
    made = [
        i
        for i, line in enumerate(lines)
        if re.search(r"simt\.(barrier|get)\b", line)
        and not ("simt.get" in line and "simt.get" in lines[i - 1])
    ]
    puts = [i for i, line in enumerate(lines) if _fills_only_stage(lines, i)]
    barrier = re.compile(r"(simt\.barrier|nvvm\.barrier0?|rocdl\.s\.barrier)\b")
    later = texts[fault.stage].split("\n")
    places = [i for i, line in enumerate(later) if barrier.search(line)]
    if len(places) == len(made) + len(puts):
        made = sorted(made + puts)
    elif len(places) != len(made):
        return None
    # A wait and the first fence stand in front of theirs, the second one behind.
    before = sum(place < fault.line - 1 for place in places)
    return made[before - 1 if "acquire" in fault.what else before]


def _fills_only_stage(lines: list[str], number: int) -> bool:
    """Whether a line puts an item of a loop into a channel of one stage."""
    found = re.match(r"\s*simt\.put (%\w+)\[(?!%c\d)", lines[number])
    made = re.compile(rf"\s*{found[1]} = simt\.channel .* -> <1, ") if found else None
    return made is not None and any(made.match(line) for line in lines[:number])
