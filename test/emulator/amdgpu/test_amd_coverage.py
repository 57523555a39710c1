"""docs/emulator-amdgpu-coverage.md says what evidence there is.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import amd_coverage
import coverage_opcodes
import pytest


def test_document_is_fresh() -> None:
    """Runs the corpus, the assembly and the GoogleTests, and reads what they executed."""
    assert amd_coverage.DOCUMENT.read_text() == amd_coverage.document(), (
        "docs/emulator-amdgpu-coverage.md is stale: python test/emulator/amdgpu/amd_coverage.py"
    )


@pytest.mark.parametrize("gpu", coverage_opcodes.GPUS)
def test_opcodes_are_found(gpu: str) -> None:
    """Of each encoding some, by the names of each generation, and nothing that is none."""
    taken = coverage_opcodes.accepted(gpu)
    encodings = {encoding.family for encoding in coverage_opcodes.ENCODINGS[gpu]}
    assert set(taken.values()) == encodings
    is_cdna = gpu.startswith("gfx9")
    assert ("ds_read_b32" in taken) == is_cdna
    assert ("ds_load_b32" in taken) == (not is_cdna)
    assert ("s_wait_dscnt" in taken) == (gpu == "gfx1201")
    assert "s_load_nothing" not in taken


def test_opcodes_of_a_text() -> None:
    assert coverage_opcodes.opcodes_in("v_add_u32_e32 v1, v2, v3") == {"v_add_u32"}
    assert coverage_opcodes.opcodes_in("v_mov_b32_dpp v0, v1 row_shr:1") == {"v_mov_b32"}
    assert coverage_opcodes.opcodes_in(
        "v_dual_mov_b32 v0, v1 :: v_dual_and_b32 v3, v4, v5"
    ) == {"v_dual_mov_b32", "v_dual_and_b32"}
