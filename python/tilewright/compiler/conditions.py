"""Expressions that decide: comparisons, and, or, conditional expressions.

What touches memory is computed only where it is chosen.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Iterable

from ..language.dtypes import bool_
from ..language.values import Memory, Value
from .errors import CompileError
from .runtime import is_runtime

_COMPARE = {
    ast.Lt: ("lt", operator.lt),
    ast.LtE: ("le", operator.le),
    ast.Gt: ("gt", operator.gt),
    ast.GtE: ("ge", operator.ge),
    ast.Eq: ("eq", operator.eq),
    ast.NotEq: ("ne", operator.ne),
}

EQUAL = _COMPARE[ast.Eq]

COMPARISONS = frozenset(name for name, _ in _COMPARE.values())


class Junction:
    """Conditions joined by `and` or `or` as they come, in pairs, pairs of pairs and so on.

    Joined one after the other, n conditions would be n operations deep, over which LLVM takes
    n^2. `deps` is what all of them depend on.
    """

    def __init__(self, emitter: Conditions, operator: str, first: Value) -> None:
        self.emitter, self.operator = emitter, operator
        self.parts = [(1, first)]  # how many each is of, every one more than the next
        self.deps = first.deps

    def add(self, condition: Value) -> None:
        count = 1
        while self.parts and self.parts[-1][0] == count:
            condition = self._join(condition)
            count *= 2
        self.parts.append((count, condition))
        self.deps |= condition.deps

    def _join(self, condition: Value) -> Value:
        return self.emitter.binary(self.operator, self.parts.pop()[1], condition)

    def result(self) -> Value:
        """All of them in one; a junction of it alone is left."""
        _, condition = self.parts.pop()
        while self.parts:
            condition = self._join(condition)
        self.parts.append((1, condition))
        return condition


class Conditions:
    """Part of the emitter. See the module's docstring."""

    def expr_Compare(self, node: ast.Compare) -> object:
        """A comparison chain: `a < b < c` is `a < b and b < c`, b computed once."""
        left = self.evaluate(node.left)
        result: object = True
        for op, right_node in zip(node.ops, node.comparators):
            right = self.evaluate(right_node)
            self.at(node)
            step: object
            if isinstance(op, (ast.In, ast.NotIn)):
                step = self._negated_if(
                    isinstance(op, ast.NotIn), self.membership(left, right, node)
                )
            elif isinstance(op, (ast.Is, ast.IsNot)):
                step = self._identity(left, right) != isinstance(op, ast.IsNot)
            else:
                step = self.operate(_COMPARE[type(op)], left, right, node)
            if isinstance(result, Value) or isinstance(step, Value):
                if result is True:
                    result = step
                elif step is False or result is False:
                    return False
                elif step is not True:
                    result = self.binary("and", self.truth(result), self.truth(step))
            else:
                result = step
                if not step:
                    return step
            left = right
        return result

    def _negated_if(self, negated: bool, condition: object) -> object:
        if not negated:
            return condition
        return self.invert(condition) if is_runtime(condition) else not condition

    def _identity(self, left: object, right: object) -> bool:
        """`left is right`: of names for tiles and of None, which are known here."""
        both_memory = isinstance(left, Memory) and isinstance(right, Memory)
        asks_for_none = left is None or right is None
        if (is_runtime(left) or is_runtime(right)) and not (both_memory or asks_for_none):
            self.fail(
                "`is` on a run-time value",
                rule="`is` asks for one object of Python, and numbers of a kernel are none",
                hint="compare with ==",
            )
        return left is right

    def all_of(self, operator: str, conditions: Iterable[object]) -> object:
        """Conditions joined by "and" or "or": a truth of Python where one of them decides."""
        joined = None
        for condition in conditions:
            if is_runtime(condition):
                condition = self.truth(condition)
                if joined is None:
                    joined = Junction(self, operator, condition)
                else:
                    joined.add(condition)
            elif bool(condition) != (operator == "and"):
                return condition
        return operator == "and" if joined is None else joined.result()

    def expr_BoolOp(self, node: ast.BoolOp) -> object:
        """`and`, `or`: a later operand that reads memory is read only where it decides."""
        is_and = isinstance(node.op, ast.And)
        result = self.evaluate(node.values[0])
        for position, following in enumerate(node.values[1:], 1):
            if is_runtime(result):
                return self._joined(node, result, node.values[position:])
            if self.python_truth(result, node) != is_and:
                return result
            result = self.evaluate(following)
        return result

    def _joined(self, node: ast.BoolOp, first: object, others: list[ast.expr]) -> object:
        """A run-time condition and the operands behind it."""
        is_and = isinstance(node.op, ast.And)
        self.at(node)
        so_far = Junction(self, "and" if is_and else "or", self.truth(first))
        builder = self.builder
        for other in others:
            before = builder.effects
            with self.guarded_by(so_far.deps), builder.capture() as code:
                value = self._truth_of(other)
            self.at(node)
            if builder.effects != before:
                condition = so_far.result()
                if is_and:
                    value = self._branch_value(condition, value, code, False, [])
                else:
                    value = self._branch_value(condition, True, [], value, code)
                so_far = Junction(self, so_far.operator, value)
                continue
            builder.out += code
            if isinstance(value, Value):
                so_far.add(value)
            elif value != is_and:
                return value
        return so_far.result()

    def _truth_of(self, node: ast.expr) -> object:
        value = self.evaluate(node)
        self.at(node)
        return self.truth(value) if is_runtime(value) else self.python_truth(value, node)

    def expr_IfExp(self, node: ast.IfExp) -> object:
        condition = self.evaluate(node.test)
        if not is_runtime(condition):
            branch = node.body if self.python_truth(condition, node.test) else node.orelse
            return self.evaluate(branch)
        self.at(node)
        return self.choose(
            self.truth(condition),
            lambda: self.evaluate(node.body),
            lambda: self.evaluate(node.orelse),
        )

    def choose(self, condition: Value, first, second) -> object:
        """The scalar `first()` where the condition holds, else `second()`.

        Operands that touch memory are computed only where they are chosen.
        """
        builder = self.builder
        before = builder.effects
        with self.guarded_by(condition.deps):
            with builder.capture() as then_code:
                a = first()
            with builder.capture() as else_code:
                b = second()
        if a is True and b is False:
            return condition
        if condition.dtype is bool_ and builder.effects == before:
            builder.out += then_code
            builder.out += else_code
            if isinstance(a, bool) and isinstance(b, Value) and b.dtype is bool_:
                return self.binary("or", condition, b) if a else self._and_not(condition, b)
            if isinstance(b, bool) and isinstance(a, Value) and a.dtype is bool_ and not b:
                return self.binary("and", condition, a)
            return self.select(condition, a, b)
        return self._branch_value(condition, a, then_code, b, else_code)

    def _and_not(self, condition: Value, b: Value) -> Value:
        return self.binary("and", self.invert(condition), b)

    def _branch_value(
        self, condition: Value, a: object, then_code: list[str], b: object, else_code: list[str]
    ) -> Value:
        """An `scf.if` that gives the value of one of two branches already written."""
        dtype = self.common_dtype(a, b)
        builder = self.builder
        result = builder.fresh()
        type = dtype.mlir
        builder.out.append(f"{result} = scf.if {condition.ssa} -> ({type}) {{")
        deps = condition.deps
        for position, (value, code) in enumerate(((a, then_code), (b, else_code))):
            if position:
                builder.out.append("} else {")
            builder.out += code
            value = self.cast(self.scalar(value, dtype), dtype)
            deps = deps | value.deps
            builder.op(f"scf.yield {value.ssa} : {type}")
        builder.out.append(f"}} {builder.location}")
        return Value(result, dtype, None, deps)

    def common_dtype(self, a: object, b: object):
        """The type in which two scalars meet, found without writing anything."""
        with self.builder.capture():
            return self.both(a, b)[0].dtype

    def python_truth(self, value: object, node: ast.AST) -> bool:
        try:
            return bool(value)
        except CompileError:
            raise
        except Exception as error:
            self.at(node)
            self.compile_time_failure(f"the truth of {ast.unparse(node)}", error)
