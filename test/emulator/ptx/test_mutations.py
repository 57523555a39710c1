"""Programs with one synchronisation taken out are reported: a sample of all mutants.

`python mutations.py` judges all of them and prints the table of README.md.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import random

import case as corpus
import cases
import mutations

# Of each pair, so many mutants of each kind.
SAMPLE = 1


def test_mutants_are_reported_or_change_nothing() -> None:
    verdicts = []
    for case, arch in cases.PAIRS:
        if case.error:
            continue
        lines = mutations.executed_lines(case, arch)
        device = functools.partial(
            mutations.make_device, global_races=mutations.is_race_free(case, arch)
        )
        every = [
            m for m in mutations.mutants(corpus.ptx(case.program, arch)) if m.line in lines
        ]
        for kind in mutations.KINDS:
            some = [mutant for mutant in every if mutant.kind == kind]
            random.Random(f"{case.name}.{arch}.{kind}").shuffle(some)
            verdicts += [
                mutations.judge(case, arch, mutant, device) for mutant in some[:SAMPLE]
            ]
    assert len(verdicts) > 200
    missed = [v for v in verdicts if v.missed]
    assert len(missed) <= 0.05 * len(verdicts), missed
    reported = sum(1 for v in verdicts if v.rules)
    assert reported >= 0.6 * len(verdicts)


def test_no_barrier_is_missed() -> None:
    """Barriers of the programs whose every mutant was looked at."""
    for name in ("transpose", "triton_softmax", "triton_matmul_f16", "triton_attend_d64"):
        case = cases.BY_NAME[name]
        for mutant in mutations.mutants(corpus.ptx(case.program, "sm_80")):
            if mutant.kind == "barrier" and mutant.line in mutations.executed_lines(
                case, "sm_80"
            ):
                verdict = mutations.judge(case, "sm_80", mutant, mutations.make_device)
                assert not verdict.missed, mutant
