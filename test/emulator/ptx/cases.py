"""All cases of the corpus.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import cases_control
import cases_convert
import cases_float
import cases_hopper
import cases_integer
import cases_libraries
import cases_memory
import cases_mma
import cases_sync
import cases_tilelang
import cases_tma
import cases_triton
import cases_triton_matmul
import cases_triton_training
import cases_wgmma
from case import Case

MODULES = (
    cases_memory,
    cases_control,
    cases_integer,
    cases_float,
    cases_convert,
    cases_mma,
    cases_sync,
    cases_libraries,
    cases_triton,
    cases_triton_matmul,
    cases_triton_training,
    cases_tilelang,
    cases_hopper,
    cases_tma,
    cases_wgmma,
)

ALL: list[Case] = [case for module in MODULES for case in module.CASES]
PAIRS: list[tuple[Case, str]] = [(case, arch) for case in ALL for arch in case.archs]
BY_NAME: dict[str, Case] = {case.name: case for case in ALL}
