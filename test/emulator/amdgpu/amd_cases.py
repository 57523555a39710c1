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
PAIRS: list[tuple[Case, str]] = [(case, arch) for case in ALL for arch in case.archs]
BY_NAME: dict[str, Case] = {case.name: case for case in ALL}
