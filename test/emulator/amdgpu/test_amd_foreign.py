"""Code objects that other compilers wrote, on the emulator: right results and no report.

Every pair runs with the waves in the order of their numbers, reversed, and shuffled. NumPy is
the judge. Some of each compiler are also compiled anew where it is installed.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import amd_cases
import amd_generate
import case as corpus
import pytest
from case import Case

from tilewright import emulator

PAIRS = [pytest.param(case, arch, id=f"{case.name}-{arch}") for case, arch in amd_cases.PAIRS]


def check(case: Case, arch: str, order: str | int, code: bytes | None = None) -> None:
    """Runs a case and compares all that it says about itself."""
    device = emulator.Device(arch, order=order, **amd_cases.checks(case, arch))
    arrays = corpus.run(case, arch, device, code)
    assert corpus.mismatches(case, arrays) == []


@pytest.mark.parametrize("order", ["forward", "reverse", 5])
@pytest.mark.parametrize(("case", "arch"), PAIRS)
def test_vector(case: Case, arch: str, order: str | int) -> None:
    check(case, arch, order)


@pytest.mark.parametrize(("name", "arch"), sorted(amd_cases.MISSING_WAIT))
def test_a_wait_that_the_compiler_left_out(name: str, arch: str) -> None:
    with pytest.raises(emulator.EmulatorFault) as found:
        corpus.run(amd_cases.BY_NAME[name], arch, emulator.Device(arch))
    assert {fault.rule for fault in found.value.faults} == {"race"}


@pytest.mark.parametrize(
    ("program", "arch"), sorted({(case.program, arch) for case, arch in amd_cases.PAIRS})
)
def test_compiled_now(program: str, arch: str) -> None:
    made = amd_generate.compile_program(program, arch)
    assert made is not None, (
        "triton is in requirements-compilers.lock, clang 22 in the packages"
    )
    for case in amd_cases.ALL:
        if case.program == program and arch in case.archs:
            check(case, arch, "forward", made[0])
