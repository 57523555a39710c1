"""Instructions that compilers seldom use, in assembly, judged by NumPy.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import amd_assembly
import asm_families
import asm_rows
import pytest
from asm_rows import ALL, Family

PAIRS = [
    pytest.param(family, gpu, id=f"{family.name}-{gpu}")
    for family in asm_families.FAMILIES
    for gpu in ALL
    if family.of(gpu)
]


@pytest.mark.parametrize(("family", "gpu"), PAIRS)
def test_rows(family: Family, gpu: str) -> None:
    code = amd_assembly.assemble(asm_rows.text_of(family, gpu), gpu)
    assert code is not None, "clang 22 and lld are in the packages"
    wrong, _ = asm_rows.run(family, gpu, code)
    assert not wrong, "\n".join(wrong)


def test_every_row_is_of_a_gpu() -> None:
    for family in asm_families.FAMILIES:
        for row in family.rows:
            assert row.gpus, row.text
            assert set(row.gpus) <= set(ALL)
