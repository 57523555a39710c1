"""Hand-made faults: each sound program runs with no report, each faulty one is reported by
the rule it breaks, at the line that breaks it, in any order of the warps.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import fault
import faults
import numpy as np
import pytest
from fault import Fault, Program

from tilewright.emulator import Device, EmulatorError

FAULTS = faults.everything()
PROGRAMS = fault.check_names(FAULTS)
UNUSUAL = {program.name: program for program in faults.unusual()}
ALL = PROGRAMS | UNUSUAL


def test_names_are_unique() -> None:
    assert len(FAULTS) >= 300
    assert len(UNUSUAL) == len(faults.unusual())
    assert not UNUSUAL.keys() & PROGRAMS.keys()


@pytest.mark.parametrize("order", fault.ORDERS)
@pytest.mark.parametrize("program", ALL.values(), ids=ALL.keys())
def test_sound_program(program: Program, order: str | int) -> None:
    fault.check_sound(program, order, program.text)


@pytest.mark.parametrize("order", fault.ORDERS)
@pytest.mark.parametrize("wrong", FAULTS, ids=[one.name for one in FAULTS])
def test_fault_is_reported(wrong: Fault, order: str | int) -> None:
    fault.check_fault(wrong, order, wrong.text)


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
