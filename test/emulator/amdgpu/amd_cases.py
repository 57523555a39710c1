"""Cases of AMD's code objects: Triton's programs, the same as for PTX, and HIP C++.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from dataclasses import replace

import cases_hip
import cases_triton
import cases_triton_matmul
from case import Case

TRITON = ("gfx942", "gfx950", "gfx1100", "gfx1201")
# Tensor descriptors become pointers on AMD's GPUs, with parameters of their own.
LEFT_OUT = {"triton_matmul_host_descriptor", "triton_attend_specialised"}

ALL: list[Case] = [
    *(
        replace(case, archs=TRITON)
        for case in (*cases_triton.CASES, *cases_triton_matmul.CASES)
        if case.name not in LEFT_OUT
    ),
    *cases_hip.CASES,
]
# The compiler left out a wait: stores to LDS are waited for after the barrier that other waves
# read them behind. (Of Triton 3.9.0's other programs, and clang's, every such barrier has a
# wait before it.)
MISSING_WAIT = {("triton_matmul_e4m3", "gfx1100"), ("triton_matmul_e5m2", "gfx1100")}
PAIRS: list[tuple[Case, str]] = [(case, arch) for case in ALL for arch in case.archs]
BY_NAME: dict[str, Case] = {case.name: case for case in ALL}


def checks(case: Case, arch: str) -> dict[str, bool]:
    """What a device of a case checks other than everything."""
    return {"shared_races": (case.name, arch) not in MISSING_WAIT}
