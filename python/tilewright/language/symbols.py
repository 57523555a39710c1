"""Sizes with names: `T.dynamic` (known at launch) and `T.const` (specialised).

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import builtins
import operator
import re
from collections.abc import Callable

from ..compiler.errors import CompileError


class SizeExpr:
    """An integer made of dynamic sizes outside a kernel, such as `T.ceildiv(m, 64)`.

    It becomes a device value where a kernel uses it.
    """

    __slots__ = ("operator", "operands")

    def __init__(self, operator: str, *operands: int | SizeExpr) -> None:
        self.operator, self.operands = operator, operands

    def __add__(self, other):
        return _expr("add", self, other)

    def __radd__(self, other):
        return _expr("add", other, self)

    def __sub__(self, other):
        return _expr("sub", self, other)

    def __rsub__(self, other):
        return _expr("sub", other, self)

    def __mul__(self, other):
        return _expr("mul", self, other)

    def __rmul__(self, other):
        return _expr("mul", other, self)

    def __floordiv__(self, other):
        return _expr("floordiv", self, other)

    def __rfloordiv__(self, other):
        return _expr("floordiv", other, self)

    def __mod__(self, other):
        return _expr("mod", self, other)

    def __rmod__(self, other):
        return _expr("mod", other, self)

    def __neg__(self):
        return _expr("sub", 0, self)

    def __bool__(self) -> bool:
        raise CompileError.here(
            f"the truth of {self} is not known before the launch",
            hint="decide on sizes of T.const or Python integers, or branch in the kernel",
        )

    def __index__(self) -> int:
        raise CompileError.here(
            f"{self} is not a number before the launch",
            hint="use it inside the kernel, or make the size a Python integer or T.const",
        )

    __int__ = __float__ = __index__

    def names(self) -> set[str]:
        """The T.dynamic names in it."""
        return set().union(*(o.names() for o in self.operands if isinstance(o, SizeExpr)))

    def steps(self) -> list[str | int]:
        """Its operands and operators in postfix order: `["size m", 2, "mul"]`."""
        found: list[str | int] = []
        for operand in self.operands:
            found += operand.steps() if isinstance(operand, SizeExpr) else [operand]
        return [*found, self.operator]

    def __repr__(self) -> str:
        symbol = {"add": "+", "sub": "-", "mul": "*", "floordiv": "//", "mod": "%"}
        if self.operator in symbol:
            a, b = self.operands
            return f"({a} {symbol[self.operator]} {b})"
        return f"T.{self.operator}({', '.join(map(str, self.operands))})"


def _expr(operator: str, a: object, b: object) -> SizeExpr:
    for operand in (a, b):
        if not isinstance(operand, (int, SizeExpr)):
            return NotImplemented
    return SizeExpr(operator, a, b)


class Dim(SizeExpr):
    """A size that is known at launch. Two of one name are one size of a kernel.

    `minimum`, `maximum` and `multiple_of` are facts that the launcher checks and the
    compiler may use.
    """

    __slots__ = ("name", "minimum", "maximum", "multiple_of")

    def __init__(
        self, name: str, minimum: int = 0, maximum: int | None = None, multiple_of: int = 1
    ) -> None:
        self.operator, self.operands = "dim", ()
        self.name, self.minimum = name, minimum
        self.maximum, self.multiple_of = maximum, multiple_of

    def names(self) -> set[str]:
        return {self.name}

    def steps(self) -> list[str | int]:
        return [f"size {self.name}"]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dim) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return self.name


class Const:
    """A size that specialises an eager kernel, from `T.const`, or an expression of such.

    An expression has a Python operator, `function`, and its operands; a size has neither.
    """

    __slots__ = ("name", "function", "operands")

    def __init__(
        self, name: str, function: Callable | None = None, operands: tuple = ()
    ) -> None:
        self.name, self.function, self.operands = name, function, operands

    def value(self, sizes: dict[str, int]) -> int | float | None:
        """Its value where `sizes` has those of its names, else None."""
        if self.function is None:
            return sizes.get(self.name)
        values = [x.value(sizes) if isinstance(x, Const) else x for x in self.operands]
        return None if None in values else self.function(*values)

    def missing(self, sizes: dict[str, int]) -> str:
        """The first of its names that `sizes` lacks."""
        if self.function is None:
            return "" if self.name in sizes else self.name
        parts = (x.missing(sizes) for x in self.operands if isinstance(x, Const))
        return next(filter(None, parts), "")

    def names(self) -> set[str]:
        """The names of sizes in it."""
        if self.function is None:
            return {self.name}
        return set().union(*(x.names() for x in self.operands if isinstance(x, Const)))

    def solve(self, name: str, sizes: dict[str, int], result: int) -> int | None:
        """The size `name` for which this is `result`, or next to it; None where the expression
        is not `name` times a number plus another."""
        try:
            at = [self.value({**sizes, name: n}) for n in (0, 1, 2)]
        except ArithmeticError:
            return None
        if None in at or at[2] - at[1] != at[1] - at[0] or at[1] <= at[0]:
            return None
        return max(0, int((result - at[0]) // (at[1] - at[0])))

    def __bool__(self) -> bool:
        raise TypeError(f"{self} has no value until an array parameter is declared with it")

    def __neg__(self) -> Const:
        return Const(f"-{self}", operator.neg, (self,))

    def __repr__(self) -> str:
        return self.name


def _arithmetic(symbol: str, function: Callable, swapped: bool) -> Callable:
    def apply(self: Const, other: object) -> Const:
        if not isinstance(other, (int, float, Const)):
            return NotImplemented
        operands = (other, self) if swapped else (self, other)
        return Const(f"({operands[0]} {symbol} {operands[1]})", function, operands)

    return apply


for _symbol, _name in {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "truediv",
    "//": "floordiv",
    "%": "mod",
    "**": "pow",
}.items():
    _function = getattr(operator, _name)
    setattr(Const, f"__{_name}__", _arithmetic(_symbol, _function, False))
    setattr(Const, f"__r{_name}__", _arithmetic(_symbol, _function, True))


def dynamic(
    name: str,
    dtype: object = None,
    *,
    min: int = 0,
    max: int | None = None,
    multiple_of: int = 1,
):
    """A size known only at launch; `T.dynamic("m, n")` gives a tuple of two.

    `min`, `max` and `multiple_of` state facts that the launcher checks. `dtype` is accepted
    for compatibility: sizes are 64-bit.
    """
    names = _names("T.dynamic", name)
    if min < 0 or (max is not None and max < min) or multiple_of < 1:
        raise CompileError.here(
            f"T.dynamic({name!r}): no size is at least {min}, at most {max} and a multiple "
            f"of {multiple_of}",
            hint="0 <= min <= max and multiple_of >= 1",
        )
    if builtins.max(min, max or 0, multiple_of) >= 1 << 63:
        raise CompileError.here(
            f"T.dynamic({name!r}): min, max and multiple_of have 64 bits",
            hint="give numbers below 2^63, or leave max out where there is none",
        )
    dims = tuple(Dim(n, min, max, multiple_of) for n in names)
    return dims[0] if len(dims) == 1 else dims


def const(name: str, dtype: object = None):
    """Sizes that specialise: `M, N = T.const("M, N")`. Their values come from the arrays.

    `dtype` is accepted for compatibility: sizes are Python integers.
    """
    consts = tuple(Const(n) for n in _names("T.const", name))
    return consts[0] if len(consts) == 1 else consts


class _Dyn:
    """`T.dyn["m"]`, the subscript spelling of `T.dynamic("m")`."""

    def __getitem__(self, name: str) -> Dim:
        return dynamic(name)

    def __call__(self, name: str) -> Dim:
        return dynamic(name)


dyn = _Dyn()
symbolic = dynamic


def _names(what: str, text: object) -> list[str]:
    names = re.split(r"\s*,\s*|\s+", text.strip()) if isinstance(text, str) else []
    if not names or not all(n.isidentifier() for n in names):
        raise CompileError.here(
            f"{what} takes names, not {text!r}", hint=f'write {what}("m") or {what}("m, n")'
        )
    return names
