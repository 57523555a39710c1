"""Expressions that decide: comparisons, and, or, conditional expressions.

What touches memory is computed only where it is chosen.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import operator

from ..language.dtypes import bool_
from ..language.values import Value
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

_MEMBERSHIP = {
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}

COMPARISONS = frozenset(name for name, _ in _COMPARE.values())


class Conditions:
    """Part of the emitter. See the module's docstring."""

    def expr_Compare(self, node: ast.Compare) -> object:
        """A comparison chain: `a < b < c` is `a < b and b < c`, b computed once."""
        left = self.evaluate(node.left)
        result: object = True
        for op, right_node in zip(node.ops, node.comparators):
            right = self.evaluate(right_node)
            self.at(node)
            if type(op) in _MEMBERSHIP:
                if (is_runtime(left) or is_runtime(right)) and not isinstance(
                    op, (ast.Is, ast.IsNot)
                ):
                    self.fail("`in` on a run-time value", hint="compare with == and `or`")
                step: object = _MEMBERSHIP[type(op)](left, right)
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

    def expr_BoolOp(self, node: ast.BoolOp) -> object:
        """`and`, `or`: a later operand that reads memory is read only where it decides."""
        is_and = isinstance(node.op, ast.And)
        result = self.evaluate(node.values[0])
        for following in node.values[1:]:
            if is_runtime(result):
                self.at(node)
                condition = self.truth(result)
                if is_and:
                    result = self.choose(
                        condition, lambda n=following: self._truth_of(n), lambda: False
                    )
                else:
                    result = self.choose(
                        condition, lambda: True, lambda n=following: self._truth_of(n)
                    )
            elif self.python_truth(result, node) == is_and:
                result = self.evaluate(following)
            else:
                return result
        return result

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
        with self.guarded_by(condition):
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
