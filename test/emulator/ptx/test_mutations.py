"""Programs with one synchronisation taken out are reported: a sample of all mutants.

`python mutations.py` judges all of them and prints the tables of README.md.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import random

import cases
import mutation_reasons
import mutations
import pytest

# Of each pair, so many mutants of each kind.
SAMPLE = 1


def test_mutants_are_reported_or_change_nothing() -> None:
    verdicts = []
    for case, arch in mutations.programs([], None):
        runner = mutations.Runner(case, arch)
        for kind in mutations.KINDS:
            some = [mutant for mutant in runner.mutants if mutant.kind == kind]
            random.Random(f"{case.name}.{arch}.{kind}").shuffle(some)
            verdicts += [runner.judge(mutant) for mutant in some[:SAMPLE]]
    assert len(verdicts) > 200
    missed = [v for v in verdicts if v.missed]
    assert len(missed) <= 0.05 * len(verdicts), missed
    reported = sum(1 for v in verdicts if v.rules)
    assert reported >= 0.6 * len(verdicts)


@pytest.mark.parametrize("name", ["transpose", "groups", "triton_softmax", "triton_matmul_f16"])
def test_barriers_are_reported_or_have_a_reason(name: str) -> None:
    """Barriers of the programs whose every mutant was looked at."""
    runner = mutations.Runner(cases.BY_NAME[name], "sm_80")
    for mutant in runner.mutants:
        if mutant.kind != "barrier":
            continue
        verdict = runner.judge(mutant)
        assert not verdict.missed, mutant
        assert verdict.rules or mutation_reasons.decide(runner, mutant), mutant


def test_notes_name_mutants() -> None:
    """A note that was read of a text that has changed since is no reason."""
    for place in mutation_reasons.notes():
        program, line = place.rsplit(":", 1)
        name, arch = program.rsplit(".", 1)
        case = next(one for one in cases.ALL if one.program == name and arch in one.archs)
        runner = mutations.Runner(case, arch)
        assert int(line) in {mutant.line for mutant in runner.mutants}, place
