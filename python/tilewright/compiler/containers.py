"""Python's containers in kernels: displays, comprehensions, comparisons, methods.

A container is a value of compile time, and what it holds may be known at run time only.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import types
from collections.abc import Callable

from .conditions import EQUAL
from .frame import Scope
from .runtime import describe_short, holds_runtime, is_runtime

_CONTAINERS = (list, dict, set)

# Methods that change what they belong to, and those that take what they are given as it is.
_CHANGING = frozenset(
    ("add", "append", "clear", "discard", "extend", "insert", "pop", "popitem", "remove")
    + ("reverse", "setdefault", "sort", "update")
)
_KEEPING = frozenset(("append", "extend", "insert", "get", "setdefault", "update", "pop"))


class Containers:
    """Part of the emitter. See the module's docstring."""

    # -- making them ------------------------------------------------------------------------

    def _elements(self, nodes: list[ast.expr]) -> list:
        found = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                items = self.evaluate(node.value)
                self.at(node)
                found += self._taken_apart(items)
            else:
                found.append(self.evaluate(node))
        return found

    def subscript_items(self, node: ast.expr) -> list:
        """Indices and slices of a subscript of memory."""
        items = []
        for value in self._elements(node.elts if isinstance(node, ast.Tuple) else [node]):
            items += value if isinstance(value, tuple) else [value]
        return items

    def expr_Tuple(self, node: ast.Tuple) -> tuple:
        return tuple(self._elements(node.elts))

    def expr_List(self, node: ast.List) -> list:
        return self._elements(node.elts)

    def expr_Set(self, node: ast.Set) -> set:
        return set(self._elements(node.elts))

    def expr_Dict(self, node: ast.Dict) -> dict:
        found: dict = {}
        for key, value in zip(node.keys, node.values):
            if key is None:  # **value
                found.update(self._mapping(value))
            else:
                found[self.evaluate(key)] = self.evaluate(value)
        return found

    def expr_ListComp(self, node: ast.ListComp) -> list:
        return self._comprehension(node, lambda: self.evaluate(node.elt))

    # What uses up a generator is a call at compile time, which sees the same items.
    expr_GeneratorExp = expr_ListComp

    def expr_SetComp(self, node: ast.SetComp) -> set:
        return set(self.expr_ListComp(node))

    def expr_DictComp(self, node: ast.DictComp) -> dict:
        return dict(
            self._comprehension(
                node, lambda: (self.evaluate(node.key), self.evaluate(node.value))
            )
        )

    def _comprehension(self, node: ast.expr, item: Callable[[], object]) -> list:
        found: list = []
        self.frame.scopes.append(Scope("the comprehension", node.lineno))
        try:
            self._comprehend(node.generators, lambda: found.append(item()))
        finally:
            self.frame.leave()
        return found

    def _comprehend(self, generators: list[ast.comprehension], visit) -> None:
        if not generators:
            visit()
            return
        first = generators[0]
        for item in self.compile_time_items(first.iter):
            self.assign(first.target, item, fresh=True)
            if all(
                self.python_truth(self.static(c, "a condition of a list"), c) for c in first.ifs
            ):
                self._comprehend(generators[1:], visit)

    # -- comparing them ---------------------------------------------------------------------

    def membership(self, item: object, container: object, node: ast.AST) -> object:
        """`item in container`: of run-time values, whether it equals one that is there."""
        if not (is_runtime(item) or holds_runtime(item) or holds_runtime(container)):
            try:
                return item in container
            except Exception as error:
                self.compile_time_failure(ast.unparse(node), error)
        if isinstance(container, (list, tuple, range)):
            equal = (self.operate(EQUAL, item, other, node) for other in container)
            return self.all_of("or", equal)
        if isinstance(container, dict) and not holds_runtime(item):
            return item in container
        self.fail(
            f"`in` on a run-time value and {describe_short(container)}",
            rule="a run-time value is looked for in a tuple, a list or a range",
            hint="compare with == and `or`, elements of a tile in a loop",
        )

    def compare_containers(self, name: str, a: object, b: object, node: ast.AST) -> object:
        """`a == b` of tuples or lists, some of whose items are run-time values."""
        alike = type(a) is type(b)
        if name not in ("eq", "ne") or (alike and not isinstance(a, (list, tuple))):
            self.fail(
                "containers that hold run-time values are compared",
                rule="of run-time values there are == and != of tuples and of lists",
                hint="compare their items",
            )
        same: object = False
        if alike and len(a) == len(b):
            same = self.all_of("and", (self.operate(EQUAL, x, y, node) for x, y in zip(a, b)))
        return self._negated_if(name == "ne", same)

    # -- changing them ----------------------------------------------------------------------

    def refuse_change_at_run_time(self, container: object) -> None:
        """Refuse to change what was made in front of a run-time loop or branch in it."""
        own = any(value is container for value in self.frame.scopes[-1].names.values())
        if self.in_runtime_region() and not own:
            self.fail(
                f"{describe_short(container)}, a Python container, is changed in a run-time "
                f"loop or branch",
                rule="Python values change at compile time only",
                hint="keep the numbers in a tile",
            )

    def keeps_items(self, method: object) -> bool:
        """Whether a callable is a method of a container that takes run-time values as items.

        One that changes its container is refused where it would run once, and not each time.
        """
        if not isinstance(method, types.BuiltinMethodType):
            return False
        container, name = method.__self__, method.__name__
        if type(container) not in _CONTAINERS:
            return False
        if name in _CHANGING:
            self.refuse_change_at_run_time(container)
        return name in _KEEPING
