"""`python -m seeded.report FAULTS.json [MISTAKES.json]`: docs/seeded-faults.md's tables.

Writes them between the page's marks, from what `python -m seeded --json` and
`python -m seeded.judge_mistakes --json` kept. Without the second the table of mistakes stays.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from .mistakes import ROOT
from .notes import reason_of
from .seeds import RULES
from .verdict import (
    BOUNDS,
    CAUGHT,
    CHANNELS,
    EMULATOR,
    NEEDLESS,
    REGISTERS,
    RESULT,
    SAME,
    SURVIVED,
    VERIFIER,
)

PAGE = ROOT / "docs" / "seeded-faults.md"
_COLUMNS = {
    CHANNELS: "`verify-channels`",
    VERIFIER: "a verifier",
    EMULATOR: "an emulator",
    RESULT: "a wrong result",
    BOUNDS: "asserted bounds",
    REGISTERS: "spoiled registers",
    SURVIVED: "survived",
    NEEDLESS: "needless",
    SAME: "same code",
}


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *(list(map(str, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def share(found: Iterable[dict]) -> tuple[int, int]:
    """How many were caught, and of how many that change what the kernel does."""
    by = Counter(fault["by"] for fault in found)
    caught = sum(by[name] for name in CAUGHT)
    return caught, caught + by[SURVIVED]


def _percent(found: list[dict]) -> str:
    caught, count = share(found)
    return f"{100 * caught / count:.1f} %" if count else ""


def _counted(found: list[dict], key: tuple[str, ...], order: list[tuple]) -> str:
    rows = []
    for value in order:
        some = [f for f in found if tuple(f[k] for k in key) == value]
        if some:
            by = Counter(f["by"] for f in some)
            counts = [by[name] or "" for name in _COLUMNS]
            rows.append([*value, len(some), *counts, _percent(some)])
    by = Counter(f["by"] for f in found)
    total = ["all", *[""] * (len(key) - 1), len(found), *(by[n] for n in _COLUMNS)]
    rows.append([*total, _percent(found)])
    return _table([*key, "faults", *_COLUMNS.values(), "caught"], rows)


def faults(found: list[dict]) -> str:
    """The tables of seeded faults."""
    caught, count = share(found)
    stages = [
        (stage, kind)
        for stage, rules in RULES.items()
        for kind in dict.fromkeys(kind for kind, _ in rules)
    ]
    kernels = list(dict.fromkeys((f["kernel"], f["case"], f["device"]) for f in found))
    said = Counter(re.sub(r"^.*rule: ", "", rule) for rule in map(_rule, found) if rule)
    needless = Counter(f["text"] for f in found if f["by"] == NEEDLESS)
    return "\n\n".join(
        [
            f"Of {len(found)} faults {count} change what a kernel does; of those {caught} are "
            f"caught, **{100 * caught / count:.1f} %**.",
            _counted(found, ("stage", "kind"), stages),
            _counted(found, ("kernel", "case", "device"), kernels),
            _table(["what an emulator reports", "faults"], said.most_common()),
            _table(["why it is needless", "faults"], needless.most_common()),
        ]
    )


def survivors(found: list[dict]) -> str:
    """The table of survivors, by their reasons."""
    by_reason: dict[str, list[str]] = {}
    for fault in found:
        if fault["by"] == SURVIVED:
            device = fault["device"].split("-")[0]
            place = f"{fault['case']} on {device}, `{fault['stage']}`, line {fault['line']}"
            by_reason.setdefault(reason_of(fault), []).append(f"{fault['kind']}: {place}")
    rows = ((reason, len(places), "<br>".join(places)) for reason, places in by_reason.items())
    return _table(["why", "faults", "which"], rows)


def _rule(fault: dict) -> str | None:
    if fault["by"] != EMULATOR:
        return None
    found = re.search(r"(?:^|: |\n)(race|out-of-bounds|uninitialised|in-flight|misaligned|"
                      r"barrier-\w+|deadlock|convergence|hazard|limit|trap|read-only|"
                      r"use-after-free)\b", fault["text"])  # fmt: skip
    return found[1] if found else "other"


def mistakes(found: list[dict]) -> str:
    """The table of mistakes in passes."""
    rows = []
    for mistake in found:
        lit = ", ".join(name.removeprefix("Tilewright.") for name in mistake["lit"])
        devices = ", ".join(device.rpartition(":")[2] for device in mistake["emulators"])
        file = mistake["file"].rpartition("/")[2]
        rows.append([mistake["what"], f"`{file}`", lit, devices])
    caught = sum(bool(m["lit"] or m["emulators"]) for m in found)
    return f"{caught} of {len(found)} are caught.\n\n" + _table(
        ["mistake", "in", "lit", "emulators"], rows
    )


def main() -> None:
    """Writes the page anew."""
    text = PAGE.read_text()
    seeded, *made = sys.argv[1:]
    for path, write in ((seeded, faults), (seeded, survivors), *((m, mistakes) for m in made)):
        name = write.__name__
        marks = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, rest = text.split(marks[0])
        after = rest.split(marks[1])[1]
        body = write(json.loads(Path(path).read_text()))
        text = f"{before}{marks[0]}\n{body}\n{marks[1]}{after}"
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
