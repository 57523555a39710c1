"""Hand-made faults: each sound program runs with no report, each faulty one is reported by
the rule it breaks, at the line that breaks it, in any order of the warps.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import faults
import numpy as np
import pytest
from faults import Fault, Program

from tilewright.emulator import Device, EmulatorError, EmulatorFault

ORDERS = ["forward", "reverse", 11]
FAULTS = faults.everything()
PROGRAMS = {fault.program.name: fault.program for fault in FAULTS}
UNUSUAL = {program.name: program for program in faults.unusual()}
ALL = PROGRAMS | UNUSUAL


def test_names_are_unique() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert len(FAULTS) >= 300
    assert len({id(fault.program) for fault in FAULTS}) == len(PROGRAMS)
    assert len(UNUSUAL) == len(faults.unusual())
    assert not UNUSUAL.keys() & PROGRAMS.keys()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("program", ALL.values(), ids=ALL.keys())
def test_sound_program(program: Program, order: str | int) -> None:
    got = faults.run(program, order)
    assert got.dtype == program.expected.dtype
    assert (got == program.expected).all()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_fault_is_reported(fault: Fault, order: str | int) -> None:
    with pytest.raises(EmulatorFault) as caught:
        faults.run(fault.program, order, fault.text, fault.arguments)
    reports = [(report.rule, report.line) for report in caught.value.faults]
    wanted = {(fault.rule, line) for line in fault.lines()}
    assert {rule for rule, _ in reports} <= {fault.rule, *fault.also}, str(caught.value)
    assert wanted & set(reports if fault.also else reports[:1]), str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"box": (512, 1)},
        {"box": (33, 8), "swizzle": "128"},
        {"strides": (136,)},
        {"sizes": (0, 8)},
    ],
)
def test_tensor_map_that_the_driver_refuses(wrong: dict) -> None:
    device = Device("sm_90a")
    buffer = device.zeros((8, 64), np.float32)
    given = {"sizes": (64, 8), "strides": (256,), "box": (32, 8), **wrong}
    with pytest.raises(EmulatorError, match="tensor map"):
        device.tensor_map(buffer, dtype="f32", **given)
    device.tensor_map(buffer, dtype="f32", sizes=(64, 8), strides=(256,), box=(32, 8))
