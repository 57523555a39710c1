"""Scalars: literals, promotion, conversion.

A literal takes the other side's type; operands of one kind meet in the wider; an integer
with a float gives that float.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from ..language import dtypes
from ..language.dtypes import Constant, DType, index
from ..language.symbols import Const, Dim, SizeExpr
from ..language.values import Memory, Region, Value
from .literals import literal, name_hint

Number = (bool, int, float)


class Scalars:
    """Part of the emitter. See the module's docstring."""

    def constant(self, value: bool | int | float, dtype: DType) -> Value:
        """A literal in `dtype`; an error where it has no such value."""
        if (
            dtype.is_integer
            and isinstance(value, float)
            and value == value
            and abs(value) != float("inf")
            and value == int(value)
        ):
            value = int(value)
        if not dtypes.representable(value, dtype):
            self.fail(
                f"the literal {value} has no value in {dtype}",
                rule="a Python literal takes the type of the other side",
                hint=_literal_hint(value, dtype),
            )
        text = literal(value, dtype)
        ssa = self.builder.constant(text, dtype.mlir, name_hint(text, dtype))
        affine = (int(value), {}) if dtype.is_integer else None
        return Value(ssa, dtype, affine, nonneg=value >= 0)

    def scalar(self, x: object, like: DType | None = None) -> Value:
        """`x` as a run-time scalar. A Python number takes `like`, else i32, f32 or bool."""
        if isinstance(x, Value):
            return x
        if isinstance(x, Number):
            if like is None:
                like = (
                    dtypes.bool_
                    if isinstance(x, bool)
                    else dtypes.int32
                    if isinstance(x, int)
                    else dtypes.float32
                )
            return self.constant(x, like)
        if isinstance(x, Constant):
            return self.constant(x.value, x.dtype)
        if isinstance(x, SizeExpr):
            return self.size(x)
        if isinstance(x, Const):
            return self.scalar(self.const_value(x, self.node), like)
        if isinstance(x, Memory) and x.variable:
            return self.load(x, [0])
        if isinstance(x, Region) and x.is_element:
            return self.load(x.memory, x.offsets)
        if isinstance(x, (Memory, Region)):
            self.fail(
                f"{x.memory.name if isinstance(x, Region) else x.name} is a whole "
                f"{'tensor' if _memory(x).is_global else 'tile'} where a scalar is needed",
                hint="write a T.Parallel loop over its elements, or index one",
            )
        self.fail(f"{describe(x)} is no scalar", hint="use a number or a run-time scalar")

    def size(self, x: SizeExpr) -> Value:
        """A dynamic size, or an expression of them, as an index."""
        if isinstance(x, Dim):
            return self.dim(x)
        a, b = [self.size(o) if isinstance(o, SizeExpr) else o for o in x.operands]
        if x.operator == "ceildiv":
            value = self.ceildiv(a, b)
        elif x.operator in ("min", "max"):
            value = self.extremum(x.operator, a, b)
        else:
            value = self.binary(x.operator, a, b)
        self.made_of.setdefault(value.ssa, x)
        return value

    def both(self, a: object, b: object) -> tuple[Value, Value]:
        """Two operands in the type in which they meet."""
        a_literal, b_literal = isinstance(a, Number), isinstance(b, Number)
        if a_literal and not b_literal:
            b = self.scalar(b)
            a = self.scalar(a, _literal_type(a, b.dtype))
        elif b_literal and not a_literal:
            a = self.scalar(a)
            b = self.scalar(b, _literal_type(b, a.dtype))
        else:
            a, b = self.scalar(a), self.scalar(b)
        if a.dtype is b.dtype:
            return a, b
        meet = dtypes.promote(a.dtype, b.dtype)
        if meet is index:
            return self._unwrapped(a), self._unwrapped(b)
        return self.cast(a, meet), self.cast(b, meet)

    def cast(self, value: object, dtype: DType) -> Value:
        """Numeric conversion, as `T.cast`."""
        if isinstance(value, Number) and not isinstance(value, bool):
            if dtypes.representable(value, dtype):
                return self.constant(value, dtype)
        value = self.scalar(value)
        source = value.dtype
        if source is dtype:
            return value
        if value.affine is not None and not value.affine[1] and dtype.kind != "b":
            if dtypes.representable(value.affine[0], dtype):
                return self.constant(value.affine[0], dtype)
        wholes = source.is_integer and dtype.is_integer
        affine = self._kept_form(value, dtype) if wholes else None
        if wholes and source.bits == dtype.bits and index not in (source, dtype):
            return Value(value.ssa, dtype, affine, value.deps)  # signless in IR
        if wholes and index in (source, dtype):
            unsigned = "ui" if "u" in (source.kind, dtype.kind) else ""
            text = f"arith.index_cast{unsigned} {value.ssa} : {source.mlir} to {dtype.mlir}"
            known = source.kind == "u" and source.bits < 64
            return self.value(text, dtype, value, affine=affine, nonneg=known)
        flags = " unsigned_source" if source.kind == "u" else ""
        flags += " unsigned_result" if dtype.kind == "u" else ""
        return self.value(
            f"tile.cast {value.ssa}{flags} : {source.mlir} to {dtype.mlir}",
            dtype,
            value,
            affine=affine,
        )

    def _kept_form(self, value: Value, dtype: DType) -> tuple[int, dict] | None:
        """The affine form of an integer that is converted, where it surely still holds.

        An index that passes through 32 bits is trusted to fit, as all index arithmetic is.
        """
        known = self.range_of(value)
        fits = known is not None and all(dtypes.representable(end, dtype) for end in known)
        return affine_of(value) if fits or dtype.bits >= 32 else None

    def bitcast(self, value: object, dtype: DType) -> Value:
        """The same bits as another type of the same width."""
        value = self.scalar(value)
        if value.dtype.bits != dtype.bits or index in (value.dtype, dtype):
            self.fail(
                f"T.reinterpret: {value.dtype} has {value.dtype.bits} bits and {dtype} "
                f"has {dtype.bits}",
                rule="reinterpreting keeps the bits",
                hint="cast to a type of that width first",
            )
        if value.dtype.mlir == dtype.mlir:
            return Value(value.ssa, dtype, None, value.deps)
        return self.value(
            f"arith.bitcast {value.ssa} : {value.dtype.mlir} to {dtype.mlir}", dtype, value
        )

    def index(self, x: object, what: str = "an index") -> int | Value:
        """`x` as an int or an index value."""
        if isinstance(x, Const):
            x = self.const_value(x, self.node)
        if isinstance(x, bool):
            x = int(x)
        if isinstance(x, Constant) and isinstance(x.value, int):
            x = x.value
        if isinstance(x, int):
            if not -(2**63) <= x < 2**63:
                self.fail(f"{what} is {x}", rule="an index has 64 bits")
            return x
        if isinstance(x, (float, Constant)):
            self.fail(
                f"{what} is {x}, which is no integer", hint="use // for division of indices"
            )
        value = self.scalar(x)
        if not value.dtype.is_integer:
            self.fail(
                f"{what} is a {value.dtype}, not an integer",
                hint='convert it with T.cast(x, "int32")',
            )
        return self._unwrapped(value)

    def _unwrapped(self, value: Value) -> Value:
        """An integer as an index; what wraps at fewer bits is computed anew without."""
        if value.parts is None or value.dtype is index:
            return self.cast(value, index)
        op, a, b = value.parts
        return self.binary(op, self._unwrapped(a), self._unwrapped(b))

    def index_value(self, x: object, what: str = "an index") -> Value:
        """`x` as an index value, a constant where it is an int."""
        x = self.index(x, what)
        return self.constant(x, index) if isinstance(x, int) else x

    def truth(self, x: object) -> Value:
        """Whether a scalar is not zero."""
        value = self.scalar(x)
        if value.dtype.kind == "b":
            return value
        return self.compare("ne", value, 0)

    def value(
        self,
        text: str,
        dtype: DType,
        *operands: Value,
        affine=None,
        nonneg: bool = False,
        hint: str = "",
    ) -> Value:
        """Write an operation with one result that depends on `operands`."""
        deps = operands[0].deps if operands else frozenset()
        for operand in operands[1:]:
            if operand.deps is not deps:
                deps = deps | operand.deps
        return Value(self.builder.result(text, hint), dtype, affine, deps, nonneg)


def affine_of(x: int | Value) -> tuple[int, dict]:
    """The affine form of an index."""
    if isinstance(x, int):
        return x, {}
    return x.affine or (0, {x.ssa: 1})


def difference(a: int | Value, b: int | Value) -> int | None:
    """a - b where it is known to be a constant."""
    (ca, ta), (cb, tb) = affine_of(a), affine_of(b)
    return ca - cb if ta == tb else None


def _literal_type(value: object, other: DType) -> DType:
    """A literal's type beside `other`: its type, but a fraction beside an integer is f32."""
    if isinstance(value, float) and not other.is_float:
        return dtypes.float32
    if other.kind == "b" and not isinstance(value, bool):
        return dtypes.int32
    return other


def _literal_hint(value: object, dtype: DType) -> str:
    if value in (float("inf"), -float("inf")):
        return f"{dtype} has no infinity; use T.max_value or T.min_value"
    low, high = dtypes.min_value(dtype), dtypes.max_value(dtype)
    if value != value:
        return f"{dtype} has no NaN; it holds {low} to {high}"
    return f"{dtype} holds {low} to {high}; convert the other side with T.cast"


def _memory(x: Memory | Region) -> Memory:
    return x.memory if isinstance(x, Region) else x


def describe(x: object) -> str:
    """A compile-time object for a message."""
    text = repr(x)
    return text if len(text) < 60 else f"a {type(x).__name__}"
