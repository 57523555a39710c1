"""Programs with one synchronisation taken out, and what the emulator says of each.

Every barrier, wait, fence, commit, arrival and mask of every program is removed, one at a
time, where the case executes it. A mutant must be reported, or its results must be those of
the program: then what was removed is not needed for this launch. A mutant whose results are
wrong without a report is a miss. README.md gives the reasons for both.

`mutation_reasons.py` decides why a mutant changes nothing. `limit` counts those that a GPU
might punish and the emulator does not model; docs/emulator.md names what that is.

    python mutations.py [PROGRAM...] [--arch sm_80] [--kind barrier] [--sample N] [--json F]

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import functools
import json
import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import case as corpus
from case import Case
from trials import Fault, Recorder, Trial, key, outcome_of, print_tables

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

ORDERS: tuple[str | int, ...] = ("forward", "reverse", 1, 2)

_STATEMENT = re.compile(r"(?P<guard>@!?%?[\w$]+\s+)?(?P<body>[a-z][\w.:]*[^;]*);")


@dataclass(frozen=True)
class Mutant:
    """A program's text with one statement, `guard` and `body`, changed; `before` and `after`
    are the rest of its line."""

    kind: str
    line: int
    guard: str
    body: str
    before: str
    changed: str
    after: str

    @property
    def statement(self) -> str:
        return f"{self.guard}{self.body};"

    def apply(self, text: str, changed: str | None = None) -> str:
        """`text`, the program or a mutant of it at another line, with the statement changed,
        or with `changed` in its place."""
        lines = text.split("\n")
        new = self.changed if changed is None else changed
        lines[self.line - 1] = self.before + new + self.after
        return "\n".join(lines)


def mutants(text: str) -> Iterator[Mutant]:
    """Every mutant of a program, in the order of its lines."""
    for number, line in enumerate(text.split("\n")):
        code = line.split("//")[0]
        for match in _STATEMENT.finditer(code):
            body = match["body"].strip()
            guard = match["guard"] or ""
            kind = next((k for k, p in KINDS.items() if re.match(p, body)), None)
            if kind is None or (kind == "mask" and not guard):
                continue
            changed = _without(kind, guard, body)
            if changed is not None:
                before, after = code[: match.start()], code[match.end() :]
                yield Mutant(kind, number + 1, guard, body, before, changed, after)


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


class Runner:
    """Runs changed texts of a program with all checks on, that of global memory too. Races
    of the program as it is, which its compiler takes for harmless, are not counted."""

    orders = ORDERS[:2]

    def __init__(self, case: Case, arch: str) -> None:
        self.case = case
        self.arch = arch
        self.text = corpus.ptx(case.program, arch)
        self.known: frozenset[Fault] = frozenset()
        self.trial = functools.lru_cache(maxsize=256)(self._run)
        # A launch that is reported ends the case, so each of them may have races to add.
        while True:
            runs = [self._run(self.text, order) for order in ORDERS]
            found = self.known.union(*(one.faults for one in runs))
            if found == self.known:
                break
            assert all(fault[0] == "race" for fault in found), found
            self.known = found
        assert all(one.same for one in runs)
        every = mutants(self.text)
        self.mutants = [one for one in every if one.line in runs[0].lines]

    def _run(self, text: str, order: str | int) -> Trial:
        """Every order has blocks run one after the other, so that a run can be repeated."""
        device = emulator.Device(
            self.arch,
            order,
            threads=1,
            global_races=True,
            statistics=True,
            max_steps=2_000_000,
        )
        recorder = Recorder(device, self.known)
        faults: frozenset[Fault] = frozenset()
        same = False
        try:
            arrays = corpus.run(self.case, self.arch, recorder, text)
            same = not corpus.mismatches(self.case, arrays)
        except emulator.EmulatorFault as fault:
            faults = frozenset(key(one) for one in fault.faults) - self.known
        except emulator.EmulatorError as error:
            faults = frozenset({("refused", str(error))})
        return Trial(faults, same, recorder.counts)

    def judge(self, mutant: Mutant) -> Verdict:
        """Runs a mutant in two warp orders; a report in either counts."""
        rules: list[str] = []
        same = True
        text = mutant.apply(self.text)
        for order in self.orders:
            trial = self.trial(text, order)
            rules += sorted({fault[0] for fault in trial.faults})
            if rules:
                break
            same = same and trial.same
        return Verdict(mutant, self.case.program, self.arch, tuple(rules), same)


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


def programs(names: Sequence[str], arch: str | None) -> Iterator[tuple[Case, str]]:
    """The pairs whose mutants are judged."""
    import cases

    for case, of in cases.PAIRS:
        if not case.error and (not names or case.program in names) and arch in (None, of):
            yield case, of


def main() -> None:
    """Judges the mutants of the programs asked for, and prints tables by kind and reason."""
    import mutation_reasons

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", nargs="*")
    parser.add_argument("--arch")
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--sample", type=int, default=0, help="at most so many of each pair")
    parser.add_argument("--list", action="store_true", help="print mutants that change nothing")
    parser.add_argument("--json")
    options = parser.parse_args()

    records: list[dict[str, Any]] = []
    start = time.monotonic()
    for case, arch in programs(options.programs, options.arch):
        runner = Runner(case, arch)
        found = [m for m in runner.mutants if options.kind in (None, m.kind)]
        if options.sample and len(found) > options.sample:
            found = random.Random(case.name).sample(found, options.sample)
        for mutant in found:
            verdict = runner.judge(mutant)
            same = not verdict.rules and verdict.same
            reason = mutation_reasons.decide(runner, mutant) if same else None
            outcome = outcome_of(verdict.rules, verdict.same, reason)
            records.append(
                {"program": case.program, "arch": arch, "kind": mutant.kind,
                 "line": mutant.line, "statement": mutant.statement, "outcome": outcome,
                 "rules": verdict.rules, "reason": reason.name if reason else "",
                 "detail": reason.detail if reason else ""}
            )  # fmt: skip
            if outcome in ("unexplained", "missed", "limit") or (options.list and same):
                why = f"  [{reason.name}] {reason.detail}" if reason else ""
                place = f"{case.name}.{arch}:{mutant.line}"
                print(f"{outcome:11} {place}: {mutant.statement}{why}", flush=True)
        if options.json:
            with open(options.json, "w") as file:
                json.dump(records, file, indent=1)
    print_tables(records, KINDS)
    print(f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
