"""All families of instructions in assembly.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import asm_compare
import asm_float
import asm_integer
import asm_lanes
import asm_lds
import asm_memory
import asm_packed
import asm_scalar

FAMILIES = [
    asm_integer.FAMILY,
    asm_scalar.FAMILY,
    asm_lanes.FAMILY,
    asm_lds.FAMILY,
    asm_packed.FAMILY,
    asm_compare.FAMILY,
    asm_float.FAMILY,
    asm_memory.FAMILY,
]
