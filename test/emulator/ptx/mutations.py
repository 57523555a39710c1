"""Programs with one synchronisation taken out, and what the emulator says of each.

Every barrier, wait, fence, commit, arrival and mask of every program is removed, one at a
time, where the case executes it. A mutant must be reported, or its results must be those of
the program: then what was removed is not needed for this launch. A mutant whose results are
wrong without a report is a miss. README.md gives the reasons for both.

The race check between blocks is on where the program itself has no race that it takes for
harmless (a plain load before a loop of compare-and-swap, say).

    python mutations.py [PROGRAM...] [--arch sm_80] [--kind barrier] [--sample N] [--json F]

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import collections
import functools
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import case as corpus
from case import Case

from tilewright import emulator

# What is removed, by the start of the mnemonic.
KINDS: dict[str, str] = {
    "barrier": r"(bar|barrier)\.(sync|arrive|red|cta|warp|cluster)",
    "wait": r"(cp\.async(\.bulk)?|wgmma)\.wait|mbarrier\.(try|test)_wait",
    "fence": r"(fence|membar|wgmma\.fence)\b",
    "commit": r"(cp\.async(\.bulk)?|wgmma)\.commit_group",
    "arrive": r"mbarrier\.(arrive|expect_tx|init)|cp\.async\.mbarrier",
    "mask": r"(ld|st|atom|red|cp)\.",
}
_STATEMENT = re.compile(r"(?P<guard>@!?%?[\w$]+\s+)?(?P<body>[a-z][\w.:]*[^;]*);")


@dataclass(frozen=True)
class Mutant:
    """A program's text with the statement at `line` changed."""

    kind: str
    line: int
    statement: str
    text: str


def mutants(text: str) -> Iterator[Mutant]:
    """Every mutant of a program, in the order of its lines."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        code = line.split("//")[0]
        for match in _STATEMENT.finditer(code):
            body = match["body"].strip()
            kind = next((k for k, p in KINDS.items() if re.match(p, body)), None)
            if kind is None or (kind == "mask" and not match["guard"]):
                continue
            changed = _without(kind, match["guard"] or "", body)
            if changed is None:
                continue
            mutated = code[: match.start()] + changed + code[match.end() :]
            yield Mutant(
                kind,
                number + 1,
                match[0].strip(),
                "\n".join([*lines[:number], mutated, *lines[number + 1 :]]),
            )


def _without(kind: str, guard: str, body: str) -> str | None:
    """What takes the statement's place; None where it has no mutant."""
    if kind == "mask":
        return body + ";"
    operands = body.split(None, 1)[1] if " " in body or "\t" in body else ""
    first = operands.split(",")[0].strip()
    if "_wait" in body:
        # The wait says at once that it is over.
        return f"{guard}setp.eq.u32 {first}, 0, 0;"
    if body.startswith(("bar.red", "barrier.cta.red", "barrier.red")):
        return None  # its result would have no meaning
    if body.startswith("mbarrier.arrive") and first.startswith("%"):
        return f"{guard}mov.b64 {first}, 0;"
    return ""


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: the rules it broke, or whether its results are right."""

    mutant: Mutant
    program: str
    arch: str
    rules: tuple[str, ...]
    same: bool

    @property
    def missed(self) -> bool:
        return not self.rules and not self.same


def judge(case: Case, arch: str, mutant: Mutant, make_device: Callable[..., Any]) -> Verdict:
    """Runs a mutant in two warp orders; a report in either counts."""
    rules: list[str] = []
    same = True
    for order in ("forward", "reverse"):
        device = make_device(arch, order)
        try:
            arrays = corpus.run(case, arch, device, mutant.text)
        except emulator.EmulatorFault as fault:
            rules += [one.rule for one in fault.faults] or ["error"]
            break
        except emulator.EmulatorError:
            rules.append("refused")
            break
        same = same and not corpus.mismatches(case, arrays)
    return Verdict(mutant, case.program, arch, tuple(rules), same)


def make_device(arch: str, order: str, **more: Any) -> Any:
    """A device whose launches end."""
    return emulator.Device(arch, order=order, max_steps=2_000_000, **more)


def is_race_free(case: Case, arch: str) -> bool:
    """Whether blocks of the program share global memory in order alone."""
    try:
        for order in ("forward", "reverse"):
            corpus.run(case, arch, make_device(arch, order, global_races=True))
    except emulator.EmulatorFault:
        return False
    return True


class Recorder:
    """A device, or a module of one, that remembers the lines which launches execute."""

    def __init__(self, device: Any, inner: Any = None, lines: set[int] | None = None) -> None:
        self.device = device
        self.inner = device if inner is None else inner
        self.lines: set[int] = set() if lines is None else lines

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def load(self, text: str) -> Recorder:
        return Recorder(self.device, self.device.load(text), self.lines)

    def launch(self, *args: Any, **named: Any) -> None:
        self.inner.launch(*args, **named)
        self.lines |= {line["line"] for line in self.device.report["lines"]}


def executed_lines(case: Case, arch: str) -> set[int]:
    """The lines of the program that the case's launches execute."""
    recorder = Recorder(make_device(arch, "forward", statistics=True))
    corpus.run(case, arch, recorder)
    return recorder.lines


def main() -> None:
    """Judges the mutants of the programs asked for, and prints a table by kind."""
    import cases

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", nargs="*")
    parser.add_argument("--arch")
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--sample", type=int, default=0, help="at most so many of each pair")
    parser.add_argument("--list", action="store_true", help="print mutants that change nothing")
    parser.add_argument("--json")
    options = parser.parse_args()

    table: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    records = []
    start = time.monotonic()
    for case, arch in cases.PAIRS:
        if options.programs and case.program not in options.programs:
            continue
        if case.error or (options.arch and arch != options.arch):
            continue
        lines = executed_lines(case, arch)
        device = functools.partial(make_device, global_races=is_race_free(case, arch))
        found = [
            m
            for m in mutants(corpus.ptx(case.program, arch))
            if m.line in lines and (not options.kind or m.kind == options.kind)
        ]
        if options.sample and len(found) > options.sample:
            found = random.Random(case.name).sample(found, options.sample)
        for mutant in found:
            verdict = judge(case, arch, mutant, device)
            outcome = "reported" if verdict.rules else "same" if verdict.same else "MISSED"
            table[mutant.kind][outcome] += 1
            records.append(
                {"program": case.program, "arch": arch, "kind": mutant.kind,
                 "line": mutant.line, "statement": mutant.statement, "outcome": outcome,
                 "rules": verdict.rules}
            )  # fmt: skip
            if outcome == "MISSED" or (options.list and outcome == "same"):
                print(f"{outcome:8} {case.name}.{arch}:{mutant.line}: {mutant.statement}")
    print(f"{'kind':10} {'reported':>9} {'same':>6} {'missed':>7}")
    for kind in KINDS:
        counts = table[kind]
        print(f"{kind:10} {counts['reported']:9} {counts['same']:6} {counts['MISSED']:7}")
    print(f"{len(records)} mutants, {time.monotonic() - start:.0f} s")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(records, file, indent=1)


if __name__ == "__main__":
    main()
