"""What one run of a changed program showed: for the tools that take synchronisation out of
programs, of PTX and of AMD code objects.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import collections
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tilewright import emulator

Fault = tuple[str, ...]
# Of each line, or each instruction's offset: executions, lanes, and what else is counted.
Counts = dict[int, tuple[int, ...]]

OUTCOMES = ("reported", "explained", "limit", "unexplained", "missed")


@dataclass(frozen=True)
class Trial:
    """What one run did: the rules it broke and where, whether its results are right, and its
    counts."""

    faults: frozenset[Fault]
    same: bool
    lines: Counts

    @property
    def sound(self) -> bool:
        return self.same and not self.faults


def key(fault: Any) -> Fault:
    """A fault's rule and place; of a race the other access's too."""
    other = re.search(r"at line (\d+)", fault.message)
    return (fault.rule, fault.kernel, str(fault.line), other[1] if other else "")


class Recorder:
    """A device, or a module of one, that adds up over launches what its report counts of each
    line, by the names `fields`, and lets `known` faults pass."""

    def __init__(
        self,
        device: Any,
        known: frozenset[Fault] = frozenset(),
        fields: Sequence[str] = ("executions", "lanes"),
        inner: Any = None,
        counts: Counts | None = None,
        texts: dict[int, str] | None = None,
    ) -> None:
        self.device = device
        self.known = known
        self.fields = fields
        self.inner = device if inner is None else inner
        self.counts: Counts = {} if counts is None else counts
        self.texts: dict[int, str] = {} if texts is None else texts

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def load(self, text: str | bytes) -> Recorder:
        module = self.device.load(text)
        return Recorder(self.device, self.known, self.fields, module, self.counts, self.texts)

    def launch(self, *args: Any, **named: Any) -> None:
        try:
            self.inner.launch(*args, **named)
        except emulator.EmulatorFault as fault:
            if not self.known.issuperset(key(one) for one in fault.faults):
                raise
        finally:
            for line in self.device.report["lines"]:
                number = line["line"]
                before = self.counts.get(number, (0,) * len(self.fields))
                now = (line[field] for field in self.fields)
                self.counts[number] = tuple(a + b for a, b in zip(before, now, strict=True))
                self.texts.setdefault(number, line["text"])


@dataclass(frozen=True)
class Reason:
    """Why a mutant changes nothing: a name, and the particulars. `is_limit`: because of what
    the emulator does not model."""

    name: str
    detail: str = ""
    is_limit: bool = False


def outcome_of(rules: Sequence[str], same: bool, reason: Reason | None) -> str:
    """Which of OUTCOMES a mutant came to."""
    if rules:
        return "reported"
    if not same:
        return "missed"
    if reason is None:
        return "unexplained"
    return "limit" if reason.is_limit else "explained"


def covering(runner: Any, mutant: Any, near: Sequence[Any]) -> tuple[Any, bool]:
    """Of mutants `near` this one: the one, or the first of all of them, that with this one
    breaks a rule which without this one it does not, so that it does what this one does, or
    None; and whether any of the runs in which they are missing executed this one's line."""
    executed = False
    for group in [[one] for one in near] + [list(near)]:
        changed = runner.text
        for one in group:
            changed = one.apply(changed)
        for order in runner.orders:
            alone = runner.trial(changed, order)
            both = runner.trial(mutant.apply(changed), order)
            executed |= mutant.line in alone.lines
            if both.faults - alone.faults or (alone.sound and not both.sound):
                return group[0], executed
    return None, executed


def print_tables(records: Sequence[dict[str, Any]], kinds: Iterable[str]) -> None:
    """How many mutants of each kind came to what, and why nothing changed."""
    table = collections.Counter((one["kind"], one["outcome"]) for one in records)
    print(f"{'kind':10}" + "".join(f"{outcome:>13}" for outcome in OUTCOMES))
    for kind in kinds:
        counts = (table[kind, outcome] for outcome in OUTCOMES)
        print(f"{kind:10}" + "".join(f"{count:13}" for count in counts))
    totals = collections.Counter(one["outcome"] for one in records)
    print(f"{'all':10}" + "".join(f"{totals[outcome]:13}" for outcome in OUTCOMES))
    because = collections.Counter(one["reason"] for one in records if one["reason"])
    for reason, count in because.most_common():
        of = collections.Counter(one["kind"] for one in records if one["reason"] == reason)
        print(f"{count:5} {reason}: " + ", ".join(f"{n} {kind}" for kind, n in of.items()))
    good = totals["reported"] + totals["explained"]
    share = 100 * good / max(len(records), 1)
    print(f"{len(records)} mutants, {share:.1f} % reported or the same for a known reason")
