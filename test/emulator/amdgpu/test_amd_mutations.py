"""What is taken out of sound code objects is missed by the emulator.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import collections

import amd_cases
import amd_mutations
import pytest
from amd_mutations import Mutant
from case import program_of


@pytest.mark.parametrize(
    ("name", "arch"),
    [
        ("hip_transpose", "gfx90a"), ("hip_sums", "gfx942"), ("triton_softmax", "gfx950"),
        ("hip_histogram", "gfx1100"), ("triton_matmul_f16", "gfx1201"),
    ],
)  # fmt: skip
def test_waits_and_barriers(name: str, arch: str) -> None:
    case = amd_cases.BY_NAME[name]
    found = [
        amd_mutations.judge(case, arch, mutant)
        for mutant in amd_mutations.executed(case, arch)
        if mutant.kind != "mask"
    ]
    outcomes = collections.Counter((one.kind, one.outcome) for one in found)
    assert outcomes["wait", "wrong"] == outcomes["barrier", "wrong"] == 0
    assert outcomes["wait", "reported"] > 0
    assert outcomes["barrier", "reported"] > 0
    # Some waits are covered by a later one; every barrier of these programs is needed.
    assert outcomes["barrier", "same"] == 0
    rules = {rule for one in found for rule in one.rules}
    assert rules <= {
        "in-flight", "race", "uninitialised", "hazard", "out-of-bounds", "deadlock",
    }, rules  # fmt: skip


def test_the_instruction_is_replaced() -> None:
    case = amd_cases.BY_NAME["hip_transpose"]
    code = program_of(case.program, "gfx942")
    mutants = amd_mutations.executed(case, "gfx942")
    assert {one.kind for one in mutants} == {"wait", "barrier", "mask"}
    for mutant in mutants:
        changed = amd_mutations.apply(code, mutant)
        differing = [i for i in range(len(code)) if code[i] != changed[i]]
        assert differing
        assert differing[-1] - differing[0] < 4


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("s_waitcnt vmcnt(0) lgkmcnt(1)", "wait"), ("s_wait_loadcnt 0x0", "wait"),
        ("s_wait_storecnt 0x0", None), ("s_wait_alu depctr_va_sdst(0)", None),
        ("s_barrier", "barrier"), ("s_barrier_wait 0xffff", "barrier"),
        ("s_and_saveexec_b32 s0, vcc_lo", "mask"), ("s_nop 0", None),
    ],
)  # fmt: skip
def test_kinds(text: str, kind: str | None) -> None:
    assert amd_mutations.kind_of(text) == kind
    assert Mutant(kind or "", 0, text).text == text
