"""What the compiler proper reports reaches users in the language's terms.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re

import pytest

from tilewright import CompileError
from tilewright.compiler.diagnostics import raise_for, remarks

LINE = 12


def entry(severity: str, message: str, line: int = LINE, callers: tuple = ()) -> dict:
    return {
        "severity": severity, "message": message, "file": __file__, "line": line, "column": 1,
        "callers": [list(c) for c in callers],
    }  # fmt: skip


def error_of(*diagnostics: dict) -> CompileError:
    result = {"ok": False, "fault": "", "diagnostics": list(diagnostics)}
    with pytest.raises(CompileError) as caught:
        raise_for(result, "the IR\n", "kernel", "cpu")
    return caught.value


def test_a_verifier_speaks_of_the_language():
    error = error_of(
        entry("error", "'tile.copy' op (C2) sizes are positive", callers=((__file__, 3, 5),)),
        entry("note", "the tile is allocated here"),
        entry("note", 'see current operation: "tile.copy"(%0, %1)'),
    )
    assert error.message == "T.copy: sizes are positive"
    assert (error.place.file, error.place.line) == (__file__, LINE)
    assert [c.line for c in error.callers] == [3]
    assert error.notes == (f"{__file__}:{LINE}:1: the tile is allocated here",)


@pytest.mark.parametrize(
    "message",
    [
        "failed to legalize operation 'vector.create_mask'",
        "'memref.alloca_scope' op expects region #0 to have 0 or 1 blocks",
        "operand #1 does not dominate this use",
        "trying to schedule pass 'ProveBounds' on an unsupported operation",
        "type mismatch: memref<4xf32> and memref<8xf32>",
    ],
)
def test_faults_of_the_compiler_are_internal_errors(message):
    error = error_of(entry("error", message), entry("note", "see current operation: %0 = x"))
    assert error.message.startswith("internal error while compiling kernel")
    assert error.place.line == LINE
    assert message not in str(error)
    assert "%0" not in str(error)
    path = re.search(r"report it with (\S+),", error.hint).group(1)
    with open(path) as file:
        text = file.read()
    assert text.splitlines()[:3] == [
        f"// error: {message}",
        "// note: see current operation: %0 = x",
        "the IR",
    ]
    assert 'pipeline: "builtin.module(' in text


def test_errors_without_a_place_or_a_reason():
    error = error_of(entry("error", "there is no target 'x'", line=0))
    assert (error.message, error.place) == ("there is no target 'x'", None)
    assert "internal error" in error_of().message


def test_ir_that_does_not_parse_is_an_internal_error():
    error = error_of(entry("error", "expected ':'") | {"file": "kernel.mlir"})
    assert "internal error" in error.message
    assert error.place is None


def test_remarks():
    found = [entry("remark", "'tile.copy' op is guarded"), entry("note", "x")]
    found.append(entry("warning", "no place", line=0))
    told = remarks({"diagnostics": found})
    assert told == [f"{__file__}:{LINE}:1: T.copy: is guarded", "no place"]
