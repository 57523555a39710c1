"""Every planted fault is found and told rightly, and without it nothing is reported.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
import pytest

import tilewright

from . import bounds, races, undefined, values
from .programs import PROGRAMS


@pytest.fixture(params=PROGRAMS.values(), ids=PROGRAMS.keys())
def program(request):
    return request.param


def test_every_class_has_its_programs():
    found = [program.rule for program in PROGRAMS.values()]
    for module in (bounds, races, undefined, values):
        assert found.count(module.RULE) >= 6


def test_a_sound_program_is_not_reported(program):
    kernel, arguments, right = program.make(False)
    result = kernel(*arguments)
    if isinstance(right, tuple):  # an argument that is written, and what it must hold
        result, right = right
    np.testing.assert_array_equal(result, right)


def test_a_planted_fault_is_reported(program):
    kernel, arguments, _ = program.make(True)
    with pytest.raises(tilewright.CheckError) as raised:
        kernel(*arguments)
    fault = raised.value.faults[0]
    said = str(raised.value)
    assert fault.rule == program.rule
    assert (fault.memory, fault.index) == (program.memory, program.index)
    assert fault.instruction == program.instruction
    assert (fault.block, fault.iteration) == (program.block, program.iteration)
    assert fault.kernel == "kernel"
    assert fault.file == program.make.__code__.co_filename
    assert fault.source_line == program.line_of("here")
    assert f"{fault.file}:{fault.source_line}:" in said
    assert said.startswith(f"{fault.rule}: {fault.message}\n  in kernel, block {fault.block}")
    for name, value in fault.iteration.items():
        assert f"{name} = {value}" in said
    assert (fault.other is None) == (program.other is None)
    if fault.other:
        expected = dict(program.other)
        assert fault.other.source_line == program.line_of(expected.pop("line"))
        for name, value in expected.items():
            assert getattr(fault.other, name) == value


def test_a_fault_in_a_macro_names_the_call():
    program = PROGRAMS["store_in_a_macro"]
    kernel, arguments, _ = program.make(True)
    with pytest.raises(tilewright.CheckError, match="called from") as raised:
        kernel(*arguments)
    assert f"called from {raised.value.faults[0].file}:{program.line_of('caller')}:" in str(
        raised.value
    )
