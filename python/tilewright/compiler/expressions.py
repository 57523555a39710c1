"""Expressions: Python values are computed, run-time values become operations.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import difflib
import operator

from ..language.choices import Choice
from ..language.dtypes import python_number
from ..language.symbols import Const, SizeExpr
from ..language.values import Memory, Region, Value, is_device
from .conditions import COMPARISONS
from .errors import CompileError
from .outside import MISSING
from .runtime import RUNTIME, describe_short, holds_runtime, is_runtime

OPERATORS = {
    ast.Add: ("add", operator.add),
    ast.Sub: ("sub", operator.sub),
    ast.Mult: ("mul", operator.mul),
    ast.Div: ("div", operator.truediv),
    ast.FloorDiv: ("floordiv", operator.floordiv),
    ast.Mod: ("mod", operator.mod),
    ast.Pow: ("pow", operator.pow),
    ast.LShift: ("shl", operator.lshift),
    ast.RShift: ("shr", operator.rshift),
    ast.BitAnd: ("and", operator.and_),
    ast.BitOr: ("or", operator.or_),
    ast.BitXor: ("xor", operator.xor),
}

# Syntax that has no meaning in a kernel, and what to write.
_REFUSED = {
    ast.NamedExpr: ("the walrus operator", "assign on a line of its own"),
    ast.Await: ("await", "kernels are synchronous"),
    ast.Yield: ("yield", "a kernel is no generator"),
    ast.YieldFrom: ("yield from", "a kernel is no generator"),
}


class Expressions:
    """Part of the emitter. See the module's docstring."""

    def evaluate(self, node: ast.expr) -> object:
        """The value of an expression: a Python object, a Value, or a memory.

        Variables and elements are loaded; tiles and regions are not.
        """
        result = self.reference(node)
        if isinstance(result, Memory) and result.variable:
            self.at(node)
            return self.load(result, [0])
        if isinstance(result, Region) and not result.kept:
            self.at(node)
            return self.load(result.memory, result.offsets)
        return result

    def reference(self, node: ast.expr) -> object:
        """As `evaluate`, but variables and elements stay what they are."""
        handler = getattr(self, "expr_" + type(node).__name__, None)
        if handler is None:
            what, hint = _REFUSED.get(type(node), (f"{type(node).__name__}", ""))
            self.at(node)
            self.fail(
                f"{what} in a kernel",
                rule="kernels take a subset of Python",
                hint=hint or "compute it outside the kernel",
            )
        result = handler(node)
        if isinstance(result, (Const, Choice)):
            return self.settled(result, node)
        return python_number(result)

    def expr_Constant(self, node: ast.Constant) -> object:
        return node.value

    def expr_Name(self, node: ast.Name) -> object:
        value, scope = self.frame.find(node.id)
        if scope is None and self.threads is not None and node.id in self.threads.names:
            self.at(node)
            self.thread(0)  # says that it is asked for in the wrong place
        if value is MISSING:
            self.at(node)
            gone = self.frame.gone.get(node.id)
            if gone is not None:
                self.fail(
                    f"{node.id} is not visible here: it was bound inside {gone.what} "
                    f"at line {gone.line}",
                    rule="a name bound in a run-time loop or branch ends with it",
                    hint=f"make {node.id} a variable in front of it: {node.id} = "
                    f"T.alloc_var(dtype)",
                )
            if node.id in self.frame.source.function.__code__.co_freevars:
                self.fail(
                    f"the name {node.id} has no value yet",
                    hint=f"assign {node.id} in the enclosing function before the kernel is "
                    f"compiled",
                )
            near = difflib.get_close_matches(node.id, self.frame.known(), 1, 0.75)
            self.fail(
                f"the name {node.id} is not defined",
                hint=f"did you mean {near[0]}?"
                if near
                else "kernels see their own names, the enclosing function's and the module's",
            )
        return value

    def settled(self, value: Const | Choice, node: ast.AST) -> object:
        """What a T.const size or a T.choose entry stands for in this compilation.

        Sizes stay names in annotations, and in front of the kernel until they are declared.
        """
        if isinstance(value, Choice):
            return value.take()
        if self.keep_consts or (self.kernel is None and value.missing(self.consts)):
            return value
        return self.const_value(value, node)

    def expr_Attribute(self, node: ast.Attribute) -> object:
        base = self.reference(node.value)
        name = node.attr
        if is_device(base):
            self.at(node)
            return self._device_attribute(base, name)
        try:
            value = getattr(base, name)
        except AttributeError:
            self.at(node)
            if getattr(base, "__name__", "") == "tilewright.language":
                self.unknown_operation(name)
            near = difflib.get_close_matches(name, dir(base), 1)
            self.fail(
                f"{describe_short(base)} has no attribute {name}",
                hint=f"did you mean {near[0]}?" if near else "name something that it has",
            )
        except CompileError as error:
            self.at(node)
            self.fail(error.message, rule=error.rule, hint=error.hint)
        except Exception as error:
            self.at(node)
            self.compile_time_failure(ast.unparse(node), error)
        self.asked.attribute(base, name, value)
        return value

    def _device_attribute(self, base: object, name: str) -> object:
        if name == "dtype":
            return base.dtype
        if name == "shape" and isinstance(base, Memory):
            if self.kernel is None:  # sizes stay names
                return base.shape
            return tuple(self.extent(base, d) for d in range(len(base.shape)))
        if name == "shape" and isinstance(base, Region):
            return tuple(self.region_extent(base, d) for d in base.kept)
        if name == "ndim" and not isinstance(base, Value):
            return len(base.shape)
        if name == "name" and isinstance(base, Memory):
            return base.name
        if name == "data" and isinstance(base, Memory):
            return base
        if name == "astype":
            return AsType(base)
        what = "scalar" if isinstance(base, Value) else "tile"
        self.fail(
            f"a run-time {what} has no attribute {name}",
            hint="there are .dtype, .shape (tiles), and .astype(dtype)",
        )

    def expr_BinOp(self, node: ast.BinOp) -> object:
        entry = self.operator_of(node)
        a, b = self.evaluate(node.left), self.evaluate(node.right)
        return self.operate(entry, a, b, node)

    def operator_of(self, node: ast.AST) -> tuple:
        """The entry of `OPERATORS` for an operation or an assignment `a += b`."""
        entry = OPERATORS.get(type(node.op))
        if entry is None:
            self.at(node)
            self.fail("the operator @ in a kernel", hint="use T.gemm on tiles")
        return entry

    def operate(self, entry: tuple, a: object, b: object, node: ast.AST) -> object:
        """Apply an operator of `OPERATORS` or `_COMPARE` to evaluated operands."""
        name, python = entry
        self.at(node)
        if self.kernel is None and _is_size(a) and _is_size(b) and name in SIZE_OPERATORS:
            return python(a, b)  # sizes stay names
        if is_runtime(a) or is_runtime(b):
            self.check_operand(a)
            self.check_operand(b)
            if name in COMPARISONS:
                return self.compare(name, a, b)
            return self.binary(name, a, b)
        if name in COMPARISONS:
            if holds_runtime(a) or holds_runtime(b):
                return self.compare_containers(name, a, b, node)
            a, b = self.resolved(a), self.resolved(b)
        try:
            return python(a, b)
        except CompileError:
            raise
        except Exception as error:
            self.compile_time_failure(ast.unparse(node), error)

    def check_operand(self, x: object) -> None:
        if not isinstance(x, (bool, int, float, *RUNTIME)):
            self.fail(
                f"{describe_short(x)} meets a run-time value in an operator",
                rule="operators of run-time values take numbers and scalars",
            )

    def expr_UnaryOp(self, node: ast.UnaryOp) -> object:
        value = self.evaluate(node.operand)
        self.at(node)
        if isinstance(node.op, ast.Not):
            if is_runtime(value):
                return self.invert(self.truth(value))
            return not self.python_truth(value, node)
        if is_runtime(value):
            if isinstance(node.op, ast.USub):
                return self.negate(value)
            if isinstance(node.op, ast.Invert):
                return self.invert(value)
            return self.scalar(value)
        try:
            if isinstance(node.op, ast.USub):
                return -value
            return ~value if isinstance(node.op, ast.Invert) else +value
        except Exception as error:
            self.compile_time_failure(ast.unparse(node), error)

    def expr_Subscript(self, node: ast.Subscript) -> object:
        base = self.reference(node.value)
        if isinstance(base, (Memory, Region)):
            items = self.subscript_items(node.slice)
            self.at(node)
            return self.subscript(base, items)
        key = self.evaluate(node.slice)
        self.at(node)
        if isinstance(base, Value):
            self.fail(
                "a run-time scalar is indexed", hint="index the tile, not an element of it"
            )
        if is_runtime(key):
            self.fail(
                f"{describe_short(base)} is indexed by a run-time value",
                rule="Python containers are compile-time values",
                hint="put the numbers into a tensor or a tile",
            )
        try:
            return base[key]
        except CompileError:
            raise
        except Exception as error:
            self.compile_time_failure(ast.unparse(node), error)

    def expr_Slice(self, node: ast.Slice) -> slice:
        """Both bounds see one value of an element or variable that both read, so that
        `x[i:i + 64]` has 64 elements also where i is a variable."""
        outer, self.reads = self.reads, {}
        try:
            return slice(
                *(
                    None if n is None else self.evaluate(n)
                    for n in (node.lower, node.upper, node.step)
                )
            )
        finally:
            self.reads = outer

    def expr_JoinedStr(self, node: ast.JoinedStr) -> str:
        parts = []
        for part in node.values:
            if isinstance(part, ast.Constant):
                parts.append(part.value)
                continue
            value = self.static(part.value, "a part of a string")
            spec = self.expr_JoinedStr(part.format_spec) if part.format_spec else ""
            if part.conversion == 114:
                value = repr(value)
            parts.append(format(value, spec))
        return "".join(parts)

    def static(self, node: ast.expr, what: str) -> object:
        """The value of an expression that must be known at compile time."""
        value = self.evaluate(node)
        if holds_runtime(value):
            self.at(node)
            self.fail(
                f"{what} is known only at run time",
                rule="it must be a compile-time value",
                hint="use a Python number, T.const, or a parameter of the enclosing function",
            )
        return value


SIZE_OPERATORS = ("add", "sub", "mul", "floordiv", "mod")


def _is_size(x: object) -> bool:
    return isinstance(x, (int, SizeExpr)) and not isinstance(x, bool)


class AsType:
    """`x.astype`, waiting to be called."""

    __slots__ = ("base",)

    def __init__(self, base: object) -> None:
        self.base = base
