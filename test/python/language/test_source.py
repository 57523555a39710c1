"""The tree of a function comes from its own lines, whatever stands around it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import ast
import importlib.util
import linecache
import sys
import textwrap

import numpy as np
import pytest

import tilewright
from tilewright.compiler.source import source_of

FILE = '''
    import functools

    def keep(*arguments):
        return lambda function: function

    @keep(
        1,
        "a decorator on several lines"
    )
    def decorated(x):
        """A docstring
    that returns to the margin."""
        return x

    def with_comment(x):
        y = x
    # A comment at the margin.
        if y:
            pass
        # The last statements have no code.
        pass

    def with_string(x):
        return """
    not at the margin
    """ + x

    def with_bracket(x):
        return keep(
    x,
    )

    def maker():
        z = 1

        @keep()
        def inner(x):
            return x + z
        return inner

    class Holder:
        def method(self, x):
            return x

    def one_line(x): return x
    def last(x):
        return "ä" + x'''


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "functions.py"
    path.write_text(textwrap.dedent(FILE), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("functions", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


NAMES = ["decorated", "with_comment", "with_string", "with_bracket", "maker", "inner"]


@pytest.mark.parametrize("name", [*NAMES, "method", "one_line", "last"])
def test_same_tree_as_the_whole_file(module, name):
    made = {"inner": lambda: module.maker(), "method": lambda: module.Holder.method}
    function = made.get(name, lambda: getattr(module, name))()
    found = source_of(function).tree
    with open(module.__file__, encoding="utf-8") as file:
        whole = ast.parse(file.read())
    (expected,) = [
        node
        for node in ast.walk(whole)
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    assert ast.dump(found, include_attributes=True) == ast.dump(
        expected, include_attributes=True
    )


def test_parsed_once(module):
    assert source_of(module.last).tree is source_of(module.last).tree


KERNELS = """import tilewright, tilewright.language as T
@tilewright.jit
def eager(A):
    A: T.Tensor((4,), "float32")
    with T.Kernel(1):
        A[0] = 1
@T.macro
def fill(A):
    A[1] = 1
@T.prim_func
def kernel(A: T.Tensor((4,), "float32")):
    with T.Kernel(1):
        fill(A)
"""


def test_an_edited_file_counts_when_it_is_imported_again(tmp_path, monkeypatch):
    """Annotations of variables are in no code object: those of both texts are equal."""
    path = tmp_path / "edited_kernels.py"

    def write(number: int, dtype: str) -> None:
        path.write_text(KERNELS.replace("= 1", f"= {number}").replace("float32", dtype))
        linecache.checkcache()  # as a traceback that is printed does

    def results(dtype: str) -> list[float]:
        a = np.zeros(4, dtype)
        module.eager(a)
        tilewright.compile(module.kernel)(a)
        return a[:2].tolist()

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    write(1, "float32")
    import edited_kernels as module

    write(22, "float32")
    assert results("float32") == [1, 1]  # of what was imported
    importlib.reload(module)
    assert results("float32") == [22, 22]
    write(22, "float64")
    importlib.reload(module)
    assert results("float64") == [22, 22]
    path.unlink()
    importlib.invalidate_caches()
    assert results("float64") == [22, 22]
