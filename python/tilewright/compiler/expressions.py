"""Expressions: Python values are computed, run-time values become operations.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import operator

from ..language.choices import Choice
from ..language.dtypes import Constant, bool_
from ..language.registry import Operation, Rejected
from ..language.symbols import Const, SizeExpr
from ..language.values import Memory, Region, Value, is_device
from .errors import CompileError
from .frame import MISSING

OPERATORS = {
    ast.Add: ("add", operator.add), ast.Sub: ("sub", operator.sub),
    ast.Mult: ("mul", operator.mul), ast.Div: ("div", operator.truediv),
    ast.FloorDiv: ("floordiv", operator.floordiv), ast.Mod: ("mod", operator.mod),
    ast.Pow: ("pow", operator.pow), ast.LShift: ("shl", operator.lshift),
    ast.RShift: ("shr", operator.rshift), ast.BitAnd: ("and", operator.and_),
    ast.BitOr: ("or", operator.or_), ast.BitXor: ("xor", operator.xor),
}
_COMPARE = {
    ast.Lt: ("lt", operator.lt), ast.LtE: ("le", operator.le), ast.Gt: ("gt", operator.gt),
    ast.GtE: ("ge", operator.ge), ast.Eq: ("eq", operator.eq), ast.NotEq: ("ne", operator.ne),
}
_MEMBERSHIP = {
    ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
    ast.Is: operator.is_, ast.IsNot: operator.is_not,
}
# Syntax that has no meaning in a kernel, and what to write.
_REFUSED = {
    ast.Lambda: ("a lambda", "define a function with @T.macro"),
    ast.NamedExpr: ("the walrus operator", "assign on a line of its own"),
    ast.Await: ("await", "kernels are synchronous"),
    ast.Yield: ("yield", "a kernel is no generator"),
    ast.YieldFrom: ("yield from", "a kernel is no generator"),
    ast.GeneratorExp: ("a generator expression", "write a list, [... for ...]"),
}

RUNTIME = (Value, Memory, Region, SizeExpr, Constant)


def is_runtime(x: object) -> bool:
    """Whether operators on `x` become operations of the kernel."""
    return isinstance(x, RUNTIME)


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
        handler = self._expressions.get(type(node))
        if handler is None:
            what, hint = _REFUSED.get(type(node), (f"{type(node).__name__}", ""))
            self.at(node)
            self.fail(f"{what} in a kernel", rule="kernels take a subset of Python",
                      hint=hint or "compute it outside the kernel")
        return handler(self, node)

    # -- leaves -------------------------------------------------------------------------------

    def _constant(self, node: ast.Constant) -> object:
        return node.value

    def _name(self, node: ast.Name) -> object:
        value, _ = self.frame.find(node.id)
        if value is MISSING:
            self.at(node)
            gone = self.frame.gone.get(node.id)
            if gone is not None:
                self.fail(f"{node.id} is not visible here: it was bound inside {gone.what} "
                          f"at line {gone.line}",
                          rule="a name bound in a run-time loop or branch ends with it",
                          hint=f"make {node.id} a variable in front of it: {node.id} = "
                               f"T.alloc_var(dtype)")
            self.fail(f"the name {node.id} is not defined",
                      hint="kernels see their own names, the enclosing function's and the "
                           "module's")
        return self.settled(value, node) if isinstance(value, (Const, Choice)) else value

    def settled(self, value: "Const | Choice", node: ast.AST) -> object:
        """What a T.const size or a T.choose entry stands for in this compilation."""
        return value.take() if isinstance(value, Choice) else self.const_value(value, node)

    def _attribute(self, node: ast.Attribute) -> object:
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
            self.fail(f"{describe_short(base)} has no attribute {name}")
        except CompileError as error:
            self.at(node)
            self.fail(error.message, rule=error.rule, hint=error.hint)
        except Exception as error:
            self.at(node)
            self.compile_time_failure(ast.unparse(node), error)
        return self.settled(value, node) if isinstance(value, (Const, Choice)) else value

    def _device_attribute(self, base: object, name: str) -> object:
        if name == "dtype":
            return base.dtype
        if name == "shape" and isinstance(base, Memory):
            return tuple(self.extent(base, d) for d in range(len(base.shape)))
        if name == "shape" and isinstance(base, Region):
            return tuple(self.region_extent(base, d) for d in base.kept)
        if name == "ndim" and not isinstance(base, Value):
            return len(base.shape)
        if name == "name" and isinstance(base, Memory):
            return base.name
        if name == "astype":
            return _AsType(base)
        what = "scalar" if isinstance(base, Value) else "tile"
        self.fail(f"a run-time {what} has no attribute {name}",
                  hint="there are .dtype, .shape (tiles), and .astype(dtype)")

    # -- operators ----------------------------------------------------------------------------

    def _binary(self, node: ast.BinOp) -> object:
        entry = OPERATORS.get(type(node.op))
        if entry is None:
            self.at(node)
            self.fail("the operator @ in a kernel", hint="use T.gemm on tiles")
        a, b = self.evaluate(node.left), self.evaluate(node.right)
        return self.operate(entry, a, b, node)

    def operate(self, entry: tuple, a: object, b: object, node: ast.AST) -> object:
        """Apply an operator of `OPERATORS` or `_COMPARE` to evaluated operands."""
        name, python = entry
        self.at(node)
        if is_runtime(a) or is_runtime(b):
            self.check_operand(a)
            self.check_operand(b)
            if name in self.comparisons:
                return self.compare(name, a, b)
            return self.binary(name, a, b)
        try:
            return python(a, b)
        except CompileError:
            raise
        except Exception as error:
            self.compile_time_failure(ast.unparse(node), error)

    comparisons = frozenset(name for name, _ in _COMPARE.values())

    def check_operand(self, x: object) -> None:
        if not isinstance(x, (bool, int, float, *RUNTIME)):
            self.fail(f"{describe_short(x)} meets a run-time value in an operator",
                      rule="operators of run-time values take numbers and scalars")

    def _unary(self, node: ast.UnaryOp) -> object:
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

    def _compare(self, node: ast.Compare) -> object:
        """A comparison chain: `a < b < c` is `a < b and b < c`, b computed once."""
        left = self.evaluate(node.left)
        result: object = True
        for op, right_node in zip(node.ops, node.comparators):
            right = self.evaluate(right_node)
            self.at(node)
            if type(op) in _MEMBERSHIP:
                if (is_runtime(left) or is_runtime(right)) and \
                        not isinstance(op, (ast.Is, ast.IsNot)):
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

    def _boolean(self, node: ast.BoolOp) -> object:
        """`and`, `or`: a later operand that reads memory is read only where it decides."""
        is_and = isinstance(node.op, ast.And)
        result = self.evaluate(node.values[0])
        for following in node.values[1:]:
            if is_runtime(result):
                self.at(node)
                condition = self.truth(result)
                if is_and:
                    result = self.choose(condition, lambda n=following: self._truth_of(n),
                                         lambda: False)
                else:
                    result = self.choose(condition, lambda: True,
                                         lambda n=following: self._truth_of(n))
            elif self.python_truth(result, node) == is_and:
                result = self.evaluate(following)
            else:
                return result
        return result

    def _truth_of(self, node: ast.expr) -> object:
        value = self.evaluate(node)
        self.at(node)
        return self.truth(value) if is_runtime(value) else self.python_truth(value, node)

    def _conditional(self, node: ast.IfExp) -> object:
        condition = self.evaluate(node.test)
        if not is_runtime(condition):
            branch = node.body if self.python_truth(condition, node.test) else node.orelse
            return self.evaluate(branch)
        self.at(node)
        return self.choose(self.truth(condition), lambda: self.evaluate(node.body),
                           lambda: self.evaluate(node.orelse))

    def choose(self, condition: Value, first, second) -> object:
        """The scalar `first()` where the condition holds, else `second()`.

        Operands that touch memory are computed only where they are chosen.
        """
        builder = self.builder
        before = builder.effects
        self.conditions.append(condition.deps)
        with builder.capture() as then_code:
            a = first()
        with builder.capture() as else_code:
            b = second()
        self.conditions.pop()
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

    def _branch_value(self, condition: Value, a: object, then_code: list[str], b: object,
                      else_code: list[str]) -> Value:
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

    # -- containers -----------------------------------------------------------------------------

    def _subscript(self, node: ast.Subscript) -> object:
        base = self.reference(node.value)
        if isinstance(base, (Memory, Region)):
            items = self.subscript_items(node.slice)
            self.at(node)
            return self.subscript(base, items)
        key = self.evaluate(node.slice)
        self.at(node)
        if isinstance(base, Value):
            self.fail("a run-time scalar is indexed",
                      hint="index the tile, not an element of it")
        if is_runtime(key):
            self.fail(f"{describe_short(base)} is indexed by a run-time value",
                      rule="Python containers are compile-time values",
                      hint="put the numbers into a tensor or a tile")
        try:
            return base[key]
        except CompileError:
            raise
        except Exception as error:
            self.compile_time_failure(ast.unparse(node), error)

    def subscript_items(self, node: ast.expr) -> list:
        """Indices and slices of a subscript of memory."""
        nodes = node.elts if isinstance(node, ast.Tuple) else [node]
        items = []
        for item in nodes:
            value = self.evaluate(item)
            items += value if isinstance(value, tuple) else [value]
        return items

    def _slice_node(self, node: ast.Slice) -> slice:
        return slice(*(None if n is None else self.evaluate(n)
                       for n in (node.lower, node.upper, node.step)))

    def _elements(self, nodes: list[ast.expr]) -> list:
        found = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                found.extend(self.evaluate(node.value))
            else:
                found.append(self.evaluate(node))
        return found

    def _tuple(self, node: ast.Tuple) -> tuple:
        return tuple(self._elements(node.elts))

    def _list(self, node: ast.List) -> list:
        return self._elements(node.elts)

    def _set(self, node: ast.Set) -> set:
        return set(self._elements(node.elts))

    def _dict(self, node: ast.Dict) -> dict:
        return {self.evaluate(k): self.evaluate(v) for k, v in zip(node.keys, node.values)}

    def _list_comprehension(self, node: ast.ListComp) -> list:
        found: list = []
        self._comprehend(node.generators, lambda: found.append(self.evaluate(node.elt)))
        return found

    def _comprehend(self, generators: list[ast.comprehension], visit) -> None:
        if not generators:
            visit()
            return
        first = generators[0]
        for item in self.compile_time_items(first.iter):
            self.assign(first.target, item)
            if all(self.python_truth(self.static(c, "a condition of a list"), c)
                   for c in first.ifs):
                self._comprehend(generators[1:], visit)

    def _joined(self, node: ast.JoinedStr) -> str:
        parts = []
        for part in node.values:
            if isinstance(part, ast.Constant):
                parts.append(part.value)
                continue
            value = self.static(part.value, "a part of a string")
            spec = self._joined(part.format_spec) if part.format_spec else ""
            if part.conversion == 114:
                value = repr(value)
            parts.append(format(value, spec))
        return "".join(parts)

    def static(self, node: ast.expr, what: str) -> object:
        """The value of an expression that must be known at compile time."""
        value = self.evaluate(node)
        if is_runtime(value) and not isinstance(value, Constant):
            self.at(node)
            self.fail(f"{what} is known only at run time",
                      rule="it must be a compile-time value",
                      hint="use a Python number, T.const, or a parameter of the enclosing "
                           "function")
        return value

    def _call_node(self, node: ast.Call) -> object:
        return self.call(node)

    _expressions = {
        ast.Constant: _constant, ast.Name: _name, ast.Attribute: _attribute,
        ast.BinOp: _binary, ast.UnaryOp: _unary, ast.Compare: _compare,
        ast.BoolOp: _boolean, ast.IfExp: _conditional, ast.Subscript: _subscript,
        ast.Slice: _slice_node, ast.Tuple: _tuple, ast.List: _list, ast.Set: _set,
        ast.Dict: _dict, ast.ListComp: _list_comprehension, ast.JoinedStr: _joined,
        ast.Call: _call_node,
    }


class _AsType:
    """`x.astype`, waiting to be called."""

    __slots__ = ("base",)

    def __init__(self, base: object) -> None:
        self.base = base


def describe_short(x: object) -> str:
    """A Python object for a message."""
    if isinstance(x, (Operation, Rejected)):
        return repr(x)
    if isinstance(x, type) or callable(x):
        return getattr(x, "__name__", type(x).__name__)
    if type(x).__name__ == "module":
        return f"the module {x.__name__}"
    text = repr(x)
    return text if len(text) <= 40 else f"a {type(x).__name__}"
