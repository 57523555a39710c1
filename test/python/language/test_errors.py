"""Every wrong kernel is refused at its line, by name, with the rule or the way out.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

import tilewright.language as T
from language import wrong
from language.wrong import PROGRAMS, Program
from tilewright import CompileError
from tilewright.compiler.lower import lower_prim_func

for _, module, _ in pkgutil.iter_modules(wrong.__path__, "language.wrong."):
    importlib.import_module(module)  # it fills PROGRAMS


def failure(program: Program) -> CompileError:
    """The error that making or reading the kernel raises."""
    with pytest.raises(CompileError) as caught:
        lower_prim_func(program.make())
    return caught.value


def test_there_are_enough_programs():
    assert len(PROGRAMS) >= 100
    assert len({p.make.__name__ for p in PROGRAMS}) == len(PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.make.__name__)
def test_message(program: Program):
    error = failure(program)
    assert program.message in error.message
    assert program.hint in error.hint
    assert error.hint or error.rule, "the way out is missing"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.make.__name__)
def test_place(program: Program):
    error = failure(program)
    assert error.place.source().rstrip().endswith("# here")
    text = str(error)
    assert f"{error.place.file}:{error.place.line}" in text
    if error.place.column:
        source, caret = text.splitlines()[2:4]
        at = caret.index("^")
        assert source[at:].strip(), "the caret points past the line"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.make.__name__)
def test_no_inner_workings_show(program: Program):
    text = str(failure(program))
    assert not re.search(r"memref<|mlir|Traceback|tilewright/(compiler|language)|%\w+ =", text)


def test_macro_chain_and_caret():
    text = str(failure(next(p for p in PROGRAMS if p.make.__name__ == "inside_macro")))
    assert "called from" in text
    assert "scale(tile, 2)" in text
    lines = text.splitlines()
    source = next(i for i, line in enumerate(lines) if "tile[i] * factor & 1" in line)
    caret = lines[source + 1]
    start, end = caret.index("^"), caret.rindex("^") + 1
    assert lines[source][start:end] == "tile[i] * factor & 1"


def test_columns_count_characters():
    @T.prim_func
    def kernel(A: T.Tensor((4,), "float32")):
        with T.Kernel(1):
            A["ä" == "ä", 0] = 1

    with pytest.raises(CompileError) as caught:
        lower_prim_func(kernel)
    source, caret = str(caught.value).splitlines()[2:4]
    assert source[caret.index("^") : caret.rindex("^") + 1] == 'A["ä" == "ä", 0]'


def test_internal_fault_is_reported_with_a_reproducer(monkeypatch):
    from tilewright.compiler.emitter import Emitter

    def broken(self, *arguments):
        raise AttributeError("broken on purpose")

    monkeypatch.setattr(Emitter, "allocate", broken)

    @T.prim_func
    def kernel():
        with T.Kernel(1):
            T.alloc_shared((4,), "float32")

    with pytest.raises(CompileError) as caught:
        lower_prim_func(kernel)
    assert caught.value.message == "internal error: AttributeError: broken on purpose"
    path = re.search(r"report it with (\S+)", caught.value.hint).group(1)
    with open(path) as file:
        report = file.read()
    assert "broken on purpose" in report
    assert "def kernel():" in report
