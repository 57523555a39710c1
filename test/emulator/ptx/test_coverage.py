"""docs/emulator-coverage.md says what evidence there is, and no opcode is without a row.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import coverage
import coverage_table


def test_document_is_fresh() -> None:
    """Runs the corpus, the GoogleTests and the checks, and reads what they executed."""
    text = coverage.document()
    assert coverage.DOCUMENT.read_text() == text, (
        "docs/emulator-coverage.md is stale: python test/emulator/ptx/coverage.py"
    )


def test_every_opcode_of_the_decoder_has_a_form() -> None:
    opcodes = coverage.decoder_opcodes()
    assert {"add", "wgmma", "cp", "multimem"} <= opcodes
    assert coverage.without_form(opcodes | {"made_up"}) == {"made_up"}


def test_statements_are_told_apart() -> None:
    def extra(text: str) -> list[str]:
        return [part for part in coverage.modifiers(text)[1] if part[0] in "#%"]

    assert extra("@%p1 mov.b64 {%r1, %r2}, %rd1;") == ["#unpack2"]
    assert extra("mov.u32 %r1, %tid.x") == ["%tid.x"]
    assert extra("mov.u64 %rd1, variable") == ["#address"]
    assert extra("mbarrier.arrive.shared.b64 _, [%r1], 2") == ["#count"]
    assert extra("cp.async.cg.shared.global [%r1], [%rd1], 16, %r2;") == ["#16", "#bytes"]
    assert coverage.modifiers("ld.shared::cta.v2.u32 {%r1, %r2}, [%r3]") == (
        "ld", ["shared", "v2", "u32"],
    )  # fmt: skip


def test_names_are_put_together() -> None:
    assert coverage_table.compress(["rn.f32", "rz.f32", "rn.f64", "rz.f64"]) == [
        "{rn,rz}.{f32,f64}"
    ]
    assert coverage_table.compress(["8.a", "16.a", "24.a", "32.a"]) == ["8..32.a"]
    assert coverage_table.compress(["a.b", "c"]) == ["a.b", "c"]
