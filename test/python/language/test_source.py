"""The tree of a function comes from its own lines, whatever stands around it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import ast
import importlib.util
import textwrap

import pytest

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
