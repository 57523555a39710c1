"""A fixed sample of mutants; `python -m mutation` judges more.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections import Counter

import pytest

from .corpus import CORPUS
from .fleet import judged
from .mutations import Mutant, sample
from .verdict import judge

COUNT = 160


@pytest.mark.parametrize("kernel", CORPUS, ids=lambda k: k.name)
def test_kernels_agree_with_the_reference(kernel):
    """Unmutated, so that a mutant is judged by a reference that knows its kernel."""
    mutant = Mutant(kernel.name, "none", "", kernel.text(), 1, 1, frozenset(), False, ())
    assert judge(mutant).outcome == "right"


def test_mutants_are_right_or_refused_at_their_place():
    outcomes: Counter[str] = Counter()
    wrong = []
    for mutant, verdict in judged(sample(COUNT)):
        outcomes[verdict.outcome] += 1
        if verdict.is_wrong:
            wrong.append(f"{mutant.kernel}, {mutant.kind} {mutant.detail!r}: {verdict}")
    assert not wrong, "\n".join(wrong)
    assert sum(outcomes.values()) == COUNT
    # The judges have something to judge, and few mutants are beyond them.
    assert outcomes["error"] > COUNT / 4
    assert outcomes["right"] > COUNT / 8
    assert outcomes["undefined"] + outcomes["undecided"] + outcomes["unknown"] < COUNT / 5


def changed(text: str, old: str, new: str) -> Mutant:
    """The softmax of the library with one change, as if the change were allowed."""
    assert old in text
    return Mutant("softmax", "none", "", text.replace(old, new), 1, 1, frozenset(), False, ())


def test_a_wrong_result_is_noticed(monkeypatch):
    """The reference's own text is left as it was, so the two disagree."""
    from . import verdict

    kernel = next(k for k in CORPUS if k.name == "softmax")
    sound = changed(kernel.text(), "LOG2E)", "LOG2E)")
    wrong = changed(kernel.text(), "LOG2E)", "1.0001 * LOG2E)")
    monkeypatch.setattr(verdict, "reference", lambda m, real=verdict.reference: real(sound))
    assert judge(wrong).outcome == "WRONG result"


def test_an_error_elsewhere_is_noticed():
    kernel = next(k for k in CORPUS if k.name == "softmax")
    mutant = changed(
        kernel.text(), "T.reduce_max(x, peak, dim=1)", "T.reduce_max(x, peak, dim=7)"
    )
    assert judge(mutant).outcome == "WRONG place"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("T.copy(X[bx * BM, 0], x)", "x[0, 0] = 1.0"),
        ("T.copy(x, Out[bx * BM, 0])", "T.copy(x, Out[0, 0])"),
    ],
    ids=["unwritten memory", "race of blocks"],
)
def test_what_has_no_meaning_is_excluded(old, new):
    kernel = next(k for k in CORPUS if k.name == "softmax")
    assert judge(changed(kernel.text(), old, new)).outcome == "undefined"


def test_a_program_without_end_is_excluded(monkeypatch):
    from . import fleet

    monkeypatch.setattr(fleet, "WORK_SECONDS", 8)
    kernel = next(k for k in CORPUS if k.name == "softmax")
    endless = "for _n in T.serial(2**50):\n                T.copy(X[bx * BM, 0], x)"
    [(_, verdict)] = judged([changed(kernel.text(), "T.copy(X[bx * BM, 0], x)", endless)])
    assert verdict.outcome == "undefined", verdict
    assert "not done after" in verdict.text


def test_a_death_without_a_reason_is_noticed():
    kernel = next(k for k in CORPUS if k.name == "softmax")
    dies = "import os\nos.abort()\nimport tilewright"
    [(_, verdict)] = judged([changed(kernel.text(), "import tilewright", dies)])
    assert verdict.outcome == "WRONG death"
