"""All faults of a list of subjects, one after another.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Container, Iterator

from .fleet import Lost, apart, each
from .origins import barrier_of, twin_of
from .redundant import is_free_of_stores, why_needless
from .seeds import RULES, Fault, seed
from .subjects import Subject
from .verdict import (
    EMULATOR,
    NEEDLESS,
    SAME,
    SURVIVED,
    Verdict,
    examine,
    examine_bounds,
    examine_registers,
    is_always_true,
    is_dropped,
    keeps_accesses,
    keeps_order,
    leaves_only_stores,
    sound_code,
    stages,
    stores_the_same,
    waits_anyway,
)

#: What AMD's barriers become.
PARTS = ("barrier", "wait", "fence")
#: Orders of warps and blocks in which a fault must stay unseen to survive.
MORE_ORDERS = ("reverse", "7")


@dataclasses.dataclass(frozen=True)
class Finding:
    """One fault of one subject and what became of it."""

    subject: Subject
    fault: Fault
    verdict: Verdict

    def as_json(self) -> dict[str, object]:
        return {
            "kernel": self.subject.switch.kernel.name,
            "case": self.subject.cases[0].id,
            "device": self.subject.device,
            "stage": self.fault.stage,
            "kind": self.fault.kind,
            "line": self.fault.line,
            "what": self.fault.what,
            "by": self.verdict.by,
            "text": self.verdict.text,
        }


def thinned(faults: list[Fault], most: int) -> list[Fault]:
    """At most so many masks of a stage, spread evenly: a loop that is written out has copies
    of one guard by the dozen. Everything else stays."""
    masks = [fault for fault in faults if fault.kind == "mask"]
    if len(masks) <= most:
        return faults
    kept = {id(masks[i * len(masks) // most]) for i in range(most)}
    return [f for f in faults if f.kind != "mask" or id(f) in kept]


def drawn(
    subject: Subject, texts: dict[str, str], wanted: Container[str], most: int
) -> Iterator[tuple[Fault, str]]:
    """The faults of a subject, each with the digest of the code without it; `texts` are its
    stages, of which some are wanted."""
    for stage in RULES:
        if stage not in texts or stage not in wanted:
            continue
        faults = thinned(list(seed(stage, texts[stage])), most)
        if faults:
            sound = apart(functools.partial(sound_code, subject, stage, texts[stage]))
            yield from ((fault, sound) for fault in faults)


def findings(
    subject: Subject, most: int, jobs: int, wanted: Container[str] = RULES
) -> Iterator[Finding]:
    """What becomes of each fault of a subject, of the stages that are wanted.

    A fault whose code is that of another one, as of a barrier that is taken out behind two
    passes, is counted once, and so are parts of a barrier whose loss nobody sees. So findings
    do not come twice.
    """
    known: dict[str, Verdict] = {}
    texts = apart(functools.partial(stages, subject))

    def works() -> Iterator:
        for fault, sound in drawn(subject, texts, wanted, most):
            known.setdefault(sound, Verdict(SAME, code=sound))
            yield fault, functools.partial(examine, subject, fault, known)

    seen: Counter[str] = Counter()
    unseen: set[int] = set()  # lines of barriers whose loss nobody sees
    for fault, verdict in each(works(), jobs):
        if isinstance(verdict, Lost):
            verdict = Verdict(EMULATOR, f"lost: {verdict}")
        elif verdict.by == SURVIVED and verdict.code not in known:
            verdict = _looked_at_again(subject, fault, texts, verdict)
        if verdict.code:
            known[verdict.code] = verdict
            if verdict.by != SAME:
                seen[verdict.code] += 1
                if seen[verdict.code] > 1:
                    continue
        if verdict.by == SURVIVED and fault.kind in PARTS:
            whole = barrier_of(texts, fault)
            if whole in unseen and fault.stage != "insert-barriers":
                continue  # counted as the barrier that it is a part of
            unseen.add(whole)
        yield Finding(subject, fault, verdict)


def _looked_at_again(
    subject: Subject, fault: Fault, texts: dict[str, str], verdict: Verdict
) -> Verdict:
    """The verdict on a survivor: with assertions, as the IR shows it, with other numbers in
    registers, and with warps and blocks that take turns otherwise. What a conversion made of a
    mask is looked at as the mask that it was."""
    original, fault = fault, twin_of(texts, fault)
    if fault.kind == "mask":
        other = apart(functools.partial(examine_bounds, subject, fault, texts[fault.stage]))
        if other.by != SURVIVED:
            return dataclasses.replace(other, code=verdict.code)
    if reason := _shown(subject, fault, texts):
        return dataclasses.replace(verdict, by=NEEDLESS, text=reason)
    if reason := why_needless(texts, fault):
        return dataclasses.replace(verdict, by=NEEDLESS, text=reason)
    if fault.kind == "mask":
        other = apart(functools.partial(examine_registers, subject, fault, texts[fault.stage]))
        if other.by != SURVIVED:
            return dataclasses.replace(other, code=verdict.code)
    for order in MORE_ORDERS:
        other = apart(functools.partial(examine, subject, original, {}), order)
        if other.by != SURVIVED:
            return dataclasses.replace(other, text=f"{other.text} (order: {order})")
    return verdict


#: Questions that a program decides by running the cases on something else, or by machine
#: code, of faults of a kind, and what a yes says.
_SHOWN = (
    ("mask", is_always_true, "it is true in every thread, with one row as well"),
    ("mask", is_dropped, "what it keeps out has no part in any result"),
    ("mask", stores_the_same, "all threads store the same number there"),
    ("wait", waits_anyway, "LLVM has the same wait in front of the barrier"),
    ("wait", leaves_only_stores, "only stores are under way, which no other wave meets"),
    ("fence", keeps_order, "LLVM moves no access, wait or barrier without it"),
    ("fence", keeps_accesses, "LLVM moves no access without it, and waits at each barrier"),
)


def _shown(subject: Subject, fault: Fault, texts: dict[str, str]) -> str | None:
    for kind, question, reason in _SHOWN:
        if fault.kind != kind or (kind == "wait" and fault.stage != "hip-convert-to-rocdl"):
            continue
        if question is leaves_only_stores and not is_free_of_stores(texts, fault):
            continue
        if apart(functools.partial(question, subject, fault, texts[fault.stage])):
            return reason
    return None
