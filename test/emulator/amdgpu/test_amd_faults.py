"""Hand-made faults in AMD's code: each sound program runs with no report, each faulty one is
reported by the rule it breaks, at the instruction that breaks it, in any order of the waves.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import amd_assembly
import amd_faults
import fault
import pytest
from amd_faults import Fault, Program

FAULTS = amd_faults.everything()
MISSED = amd_faults.missed()
PROGRAMS = fault.check_names([*FAULTS, *(one for one, _ in MISSED)])


def assembled(text: str, arch: str) -> bytes:
    code = amd_assembly.assemble(text, arch)
    assert code is not None, "clang 22 and lld are in the packages"
    return code


def test_there_is_an_object_of_each() -> None:
    assert len(FAULTS) >= 40
    assert len(PROGRAMS) >= 8
    files = {path.name.removesuffix(".hsaco.gz") for path in amd_faults.VECTORS.iterdir()}
    assert files == {*PROGRAMS, *(one.name for one in (*FAULTS, *(one for one, _ in MISSED)))}


@pytest.mark.parametrize("order", fault.ORDERS)
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_sound_program(program: Program, order: str | int) -> None:
    fault.check_sound(program, order, amd_faults.vector(program.name))


@pytest.mark.parametrize("order", fault.ORDERS)
@pytest.mark.parametrize("wrong", FAULTS, ids=[one.name for one in FAULTS])
def test_fault_is_reported(wrong: Fault, order: str | int) -> None:
    fault.check_fault(wrong, order, amd_faults.vector(wrong.name))


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_sound_program_assembled_now(program: Program) -> None:
    fault.check_sound(program, "forward", assembled(program.text, program.arch))


@pytest.mark.parametrize("wrong", FAULTS, ids=[one.name for one in FAULTS])
def test_fault_assembled_now(wrong: Fault) -> None:
    fault.check_fault(wrong, "forward", assembled(wrong.text, wrong.program.arch))


@pytest.mark.parametrize(("wrong", "why"), MISSED, ids=[one.name for one, _ in MISSED])
def test_fault_is_missed(wrong: Fault, why: str) -> None:
    """So that the list says the truth: what is reported belongs with the others."""
    assert why
    fault.run(wrong.program, "forward", amd_faults.vector(wrong.name), wrong.arguments)
