"""What is taken out of sound code objects, or weakened, is reported or has a reason.

`python amd_mutations.py` judges all mutants of all cases and prints the tables of README.md.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import collections

import amd_cases
import amd_mutants
import amd_mutation_reasons
import amd_mutations
import case as corpus
import pytest
from amd_mutants import Mutant
from trials import Recorder

from tilewright import emulator


@pytest.mark.parametrize(
    ("name", "arch"),
    [
        ("hip_transpose", "gfx90a"), ("hip_sums", "gfx942"), ("triton_softmax", "gfx950"),
        ("hip_histogram", "gfx1100"), ("triton_matmul_f16", "gfx1201"),
    ],
)  # fmt: skip
def test_mutants_are_reported_or_have_a_reason(name: str, arch: str) -> None:
    records = amd_mutations.records_of(name, arch)
    outcomes = collections.Counter((one["kind"], one["outcome"]) for one in records)
    assert outcomes["wait", "reported"] > 0
    assert outcomes["barrier", "reported"] > 0
    # A program with other masks is another program, which may break no rule.
    masks = ("mask", "join")
    wrong = [one for one in records if one["outcome"] == "missed" and one["kind"] not in masks]
    assert wrong == []
    assert [one for one in records if one["outcome"] == "unexplained"] == []


def changed_text(name: str, arch: str, mutant: Mutant) -> str:
    """What the disassembler makes of a changed instruction."""
    case = amd_cases.BY_NAME[name]
    device = emulator.Device(arch, statistics=True, max_steps=20_000)
    recorder = Recorder(device)
    code = mutant.apply(corpus.program_of(case.program, arch))
    launch, _ = corpus.prepare(case, arch, recorder, code)
    try:
        launch()
    except emulator.EmulatorFault:
        pass
    return recorder.texts[mutant.line]


@pytest.mark.parametrize(
    ("name", "arch", "text", "expected"),
    [
        ("triton_histogram", "gfx942", "s_waitcnt vmcnt(0) lgkmcnt(0)",
         {"removed": "s_nop 0", "without vmcnt": "s_waitcnt lgkmcnt(0)",
          "one less of vmcnt": "s_waitcnt vmcnt(1) lgkmcnt(0)",
          "without lgkmcnt": "s_waitcnt vmcnt(0)",
          "one less of lgkmcnt": "s_waitcnt vmcnt(0) lgkmcnt(1)"}),
        ("triton_matmul_f16", "gfx1100", "s_waitcnt vmcnt(0) lgkmcnt(0)",
         {"removed": "s_nop 0", "without vmcnt": "s_waitcnt lgkmcnt(0)",
          "one less of vmcnt": "s_waitcnt vmcnt(1) lgkmcnt(0)",
          "without lgkmcnt": "s_waitcnt vmcnt(0)",
          "one less of lgkmcnt": "s_waitcnt vmcnt(0) lgkmcnt(1)"}),
        ("triton_matmul_f16", "gfx1201", "s_wait_loadcnt_dscnt 0x0",
         {"removed": "s_nop 0", "without loadcnt": "s_wait_loadcnt_dscnt 0x3f00",
          "one less of loadcnt": "s_wait_loadcnt_dscnt 0x100",
          "without dscnt": "s_wait_loadcnt_dscnt 0x3f",
          "one less of dscnt": "s_wait_loadcnt_dscnt 0x1"}),
        ("hip_sums", "gfx1100", "s_and_saveexec_b32 s0, s3",
         {"removed": "s_mov_b32 s0, exec_lo"}),
        ("hip_sums", "gfx942", "s_and_saveexec_b64 s[0:1], vcc",
         {"removed": "s_mov_b64 s[0:1], exec"}),
        ("hip_sums", "gfx942", "s_or_b64 exec, exec, s[0:1]", {"removed": "s_nop 0"}),
    ],
)  # fmt: skip
def test_changes(name: str, arch: str, text: str, expected: dict[str, str]) -> None:
    runner = amd_mutations.Runner(amd_cases.BY_NAME[name], arch)
    of = [one for one in runner.mutants if one.text == text]
    line = of[0].line
    found = {m.change: changed_text(name, arch, m) for m in of if m.line == line}
    assert found == expected


def test_waits_tell_what_they_end() -> None:
    """Two scalar loads, a load, a store to LDS, a load from LDS, of six waves."""
    case = amd_cases.BY_NAME["hip_reverse"]
    recorder = Recorder(emulator.Device("gfx942", statistics=True), fields=amd_mutations.FIELDS)
    corpus.run(case, "gfx942", recorder)
    waits = [line for line, text in recorder.texts.items() if text.startswith("s_waitcnt")]
    ended = [recorder.counts[line][2:] for line in sorted(waits)]
    assert ended == [(12, 0, 0), (6, 0, 0), (0, 6, 0), (6, 0, 0)]


def test_an_s_nop_changes_places() -> None:
    """Taken out, it stands behind what it kept away."""
    case = amd_cases.BY_NAME["triton_softmax"]
    runner = amd_mutations.Runner(case, "gfx942")
    mutant = next(m for m in runner.mutants if (m.kind, m.change) == ("nop", "removed"))
    following = runner.texts[min(line for line in runner.texts if line > mutant.line)]
    assert changed_text(case.name, "gfx942", mutant) == following


def test_every_kind_is_there() -> None:
    runner = amd_mutations.Runner(amd_cases.BY_NAME["triton_reduce"], "gfx942")
    assert {mutant.kind for mutant in runner.mutants} == set(amd_mutants.KINDS)


def test_notes_name_mutants() -> None:
    """A note that was read of a code object that has changed since is no reason."""
    for place in amd_mutation_reasons.notes():
        pair, line = place.split(":")
        name, arch = pair.rsplit(".", 1)
        runner = amd_mutations.Runner(amd_cases.BY_NAME[name], arch)
        assert int(line, 16) in {mutant.line for mutant in runner.mutants}, place
