"""Operators on scalars.

`//` and `%` floor, integers wrap, a shift by the width or more gives 0 or the sign, minimum
and maximum propagate NaN.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from ..language import dtypes
from ..language.dtypes import index
from ..language.values import Value
from .scalars import Number, affine_of

_SYMBOLS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "floordiv": "//",
    "mod": "%",
    "pow": "**",
    "shl": "<<",
    "shr": ">>",
    "and": "&",
    "or": "|",
    "xor": "^",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "eq": "==",
    "ne": "!=",
}

_PLAIN = {"add": "add", "sub": "sub", "mul": "mul"}

_BITWISE = {"and": "andi", "or": "ori", "xor": "xori"}

_ORDER = {"lt": "lt", "le": "le", "gt": "gt", "ge": "ge"}


class Arithmetic:
    """Part of the emitter. See the module's docstring."""

    def binary(self, op: str, a: object, b: object) -> Value:
        """`a op b` for an arithmetic or bit operator on scalars."""
        if op in ("shl", "shr"):
            return self._shift(op, a, b)
        if op == "pow":
            return self.power(a, b)
        if op in _BITWISE:
            a, b = self._bit_literals(a, b)
        a, b = self.both(a, b)
        dtype = a.dtype
        if op in _PLAIN:
            return self._plain(op, a, b)
        if op in _BITWISE:
            if dtype.is_float:
                self.fail(
                    f"{_SYMBOLS[op]} on {dtype}",
                    rule="bit operators take integers",
                    hint='see the bits with T.reinterpret(x, "uint32")',
                )
            return self.value(
                f"arith.{_BITWISE[op]} {a.ssa}, {b.ssa} : {dtype.mlir}",
                dtype,
                a,
                b,
                nonneg=op == "and" and (a.nonneg or b.nonneg),
            )
        if op == "div":
            if not dtype.is_float:
                a, b = self.cast(a, dtypes.float32), self.cast(b, dtypes.float32)
            return self.value(f"arith.divf {a.ssa}, {b.ssa} : {a.dtype.mlir}", a.dtype, a, b)
        if dtype.kind == "b":
            a, b = self.cast(a, dtypes.int32), self.cast(b, dtypes.int32)
        return self._floordiv(a, b) if op == "floordiv" else self._mod(a, b)

    def _plain(self, op: str, a: Value, b: Value) -> Value:
        dtype = a.dtype
        if dtype.kind == "b":
            a, b = self.cast(a, dtypes.int32), self.cast(b, dtypes.int32)
            dtype = dtypes.int32
        if dtype.is_float:
            return self.value(f"arith.{op}f {a.ssa}, {b.ssa} : {dtype.mlir}", dtype, a, b)
        if dtype is index:
            zero = (0, {})
            if op != "mul" and b.affine == zero:
                return a
            if op == "add" and a.affine == zero:
                return b
            if op == "mul" and b.affine == (1, {}):
                return a
            if op == "mul" and a.affine == (1, {}):
                return b
        form = _affine(op, a, b)
        if form is not None and not form[1] and not dtypes.representable(form[0], dtype):
            form = None  # it wraps
        nonneg = dtype is index and a.nonneg and b.nonneg and op != "sub"
        result = self.value(
            f"arith.{op}i {a.ssa}, {b.ssa} : {dtype.mlir}",
            dtype,
            a,
            b,
            affine=form,
            nonneg=nonneg,
        )
        if dtype is index and op == "mul" and form is None:
            self.made_of[result.ssa] = (a, b)
        return _with_parts(result, op, a, b)

    def _floordiv(self, a: Value, b: Value) -> Value:
        dtype = a.dtype
        if dtype.is_float:
            quotient = self.value(f"arith.divf {a.ssa}, {b.ssa} : {dtype.mlir}", dtype, a, b)
            return self.value(f"math.floor {quotient.ssa} : {dtype.mlir}", dtype, quotient)
        by = self._divisor(a, b, "//")
        nonneg = a.nonneg and b.nonneg
        name = "divui" if nonneg or dtype.kind == "u" else "floordivsi"
        result = self.value(
            f"arith.{name} {a.ssa}, {by.ssa} : {dtype.mlir}", dtype, a, by, nonneg=nonneg
        )
        self.know_quotient(result, a, b, rest=False)
        return _with_parts(result, "floordiv", a, b)

    def _mod(self, a: Value, b: Value) -> Value:
        dtype, mlir = a.dtype, a.dtype.mlir
        if dtype is dtypes.float8_e8m0fnu:  # it has no zero, which a rest is compared with
            wide = (self.cast(x, dtypes.float32) for x in (a, b))
            return self.cast(self._mod(*wide), dtype)
        if dtype.is_float:
            rest = self.value(f"arith.remf {a.ssa}, {b.ssa} : {mlir}", dtype, a, b)
            zero = self.constant(0.0, dtype)
            signed = self.select(self.compare("lt", b, zero), -0.0, zero)
            rest = self.select(self.compare("eq", rest, zero), signed, rest)
        else:
            by = self._divisor(a, b, "%")
            if (a.nonneg and b.nonneg) or dtype.kind == "u":
                rest = self.value(
                    f"arith.remui {a.ssa}, {by.ssa} : {mlir}",
                    dtype,
                    a,
                    by,
                    nonneg=dtype is index,
                )
                self.know_quotient(rest, a, b, rest=True)
                return rest
            rest = self.value(f"arith.remsi {a.ssa}, {by.ssa} : {mlir}", dtype, a, by)
            zero = self.constant(0, dtype)
        if b.affine is not None and not b.affine[1] and b.affine[0] > 0:
            fix = self.compare("lt", rest, zero)
            result = self.select(fix, self._plain("add", rest, b), rest)
            result.nonneg = dtype is index
            self.know_quotient(result, a, b, rest=True)
            return result
        # The remainder has the dividend's sign; flooring wants the divisor's.
        differs = self.binary(
            "xor", self.compare("lt", rest, zero), self.compare("lt", b, zero)
        )
        fix = self.binary("and", differs, self.compare("ne", rest, zero))
        result = self.select(fix, self._plain("add", rest, b), rest)
        result.nonneg = dtype is index and b.nonneg
        if dtype.is_float:
            return result
        self.know_quotient(result, a, b, rest=True)
        return _with_parts(result, "mod", a, b)

    def ceildiv(self, a: object, b: object) -> Value:
        """The quotient of integers rounded up."""
        a, b = self.both(a, b)
        if not a.dtype.is_integer:
            self.fail(
                f"T.ceildiv of {a.dtype}",
                rule="T.ceildiv takes integers",
                hint="use T.ceil(a / b) for floats",
            )
        by = self._divisor(a, b, "T.ceildiv")
        if (a.nonneg and b.nonneg) or a.dtype.kind == "u":
            return self._floordiv(
                self._plain(
                    "add",
                    a,
                    self._plain("sub", b, self.constant(1, b.dtype))
                    if b.affine is None or b.affine[1]
                    else self.constant(b.affine[0] - 1, b.dtype),
                ),
                b,
            )
        return self.value(f"arith.ceildivsi {a.ssa}, {by.ssa} : {a.dtype.mlir}", a.dtype, a, by)

    def _divisor(self, a: Value, b: Value, what: str) -> Value:
        """What stands in for the divisor `b` of `a`: 1 where the quotient has no value.

        There the result may be anything, but a machine's division would end the process.
        """
        known = b.affine[0] if b.affine is not None and not b.affine[1] else None
        if known == 0:
            self.fail(
                f"{what} by zero", hint="an integer division needs a divisor that is not zero"
            )
        signed = b.dtype.kind != "u" and not b.nonneg
        if known not in (None, -1) or (known == -1 and a.nonneg):
            return b
        valueless = self.compare("eq", b, self.constant(0, b.dtype))
        if signed and not a.nonneg:
            low = self.constant(-(1 << (b.dtype.bits - 1)), a.dtype)
            overflows = self.binary(
                "and",
                self.compare("eq", b, self.constant(-1, b.dtype)),
                self.compare("eq", a, low),
            )
            valueless = self.binary("or", valueless, overflows)
        by = self.select(valueless, self.constant(1, b.dtype), b)
        by.nonneg = b.nonneg
        return by

    def _shift(self, op: str, a: object, b: object) -> Value:
        """The left side's type; amounts that reach its width give 0 or the sign."""
        if isinstance(a, Number):
            a = self.scalar(a, b.dtype if isinstance(b, Value) and b.dtype.is_integer else None)
        a = self.scalar(a)
        if a.dtype.kind == "b":
            a = self.cast(a, dtypes.int32)
        if not a.dtype.is_integer:
            self.fail(
                f"{_SYMBOLS[op]} on {a.dtype}",
                rule="shifts take integers",
                hint='see the bits with T.reinterpret(x, "uint32")',
            )
        name = "shli" if op == "shl" else "shrui" if a.dtype.kind == "u" else "shrsi"
        width, mlir = a.dtype.bits, a.dtype.mlir
        sign_fills = name == "shrsi"
        if isinstance(b, int):
            if b < 0:
                self.fail(
                    f"a shift by {b}",
                    rule="a shift's amount is not negative",
                    hint="shift the other way",
                )
            if b >= width and not sign_fills:
                return self.constant(0, a.dtype)
            amount = self.constant(min(b, width - 1), a.dtype)
            affine = (
                _affine("mul", a, Value("", a.dtype, (1 << b, {})))
                if op == "shl" and b < width
                else None
            )
            return self.value(
                f"arith.{name} {a.ssa}, {amount.ssa} : {mlir}",
                a.dtype,
                a,
                affine=affine,
                nonneg=a.dtype is index and a.nonneg,
            )
        amount = self.scalar(b)
        if not amount.dtype.is_integer:
            self.fail(
                f"a shift by a {amount.dtype}",
                rule="shifts take integers",
                hint='convert the amount with T.cast(n, "int32")',
            )
        known = self.range_of(amount)
        if known is not None and known[0] >= 0 and known[1] < width:
            return self._shifted(name, a, self.cast(amount, a.dtype))
        # Compared in the amount's own type, and as unsigned, so that a negative one is large.
        limit = self.constant(width, amount.dtype)
        text = f"arith.cmpi ult, {amount.ssa}, {limit.ssa} : {amount.dtype.mlir}"
        inside = self.value(text, dtypes.bool_, amount)
        by = self.cast(amount, a.dtype)
        if name == "shrsi":
            by = self.select(inside, by, self.constant(width - 1, a.dtype))
            return self._shifted(name, a, by)
        return self.select(inside, self._shifted(name, a, by), self.constant(0, a.dtype))

    def _shifted(self, name: str, a: Value, by: Value) -> Value:
        text = f"arith.{name} {a.ssa}, {by.ssa} : {a.dtype.mlir}"
        return self.value(text, a.dtype, a, by)

    def power(self, a: object, b: object) -> Value:
        """`a ** b`: products for a small Python integer, else `math.powf`."""
        if isinstance(b, int) and not isinstance(b, bool) and 0 <= b <= 16:
            a = self.scalar(a)
            if b == 0:
                return self.constant(1, a.dtype)
            result, square = None, a
            while b:
                if b & 1:
                    result = square if result is None else self.binary("mul", result, square)
                b >>= 1
                if b:
                    square = self.binary("mul", square, square)
            return result
        a, b = self.both(a, b)
        if not a.dtype.is_float:
            self.fail(
                f"** of {a.dtype} with an exponent that is not a small literal",
                hint="convert the base to a float first",
            )
        return self.value(f"math.powf {a.ssa}, {b.ssa} : {a.dtype.mlir}", a.dtype, a, b)

    def compare(self, op: str, a: object, b: object) -> Value:
        """A comparison; one with NaN is false, but for `!=`."""
        a, b = self.both(a, b)
        dtype = a.dtype
        if dtype.is_float:
            predicate = {"eq": "oeq", "ne": "une"}.get(op) or "o" + op
            text = f"arith.cmpf {predicate}, {a.ssa}, {b.ssa} : {dtype.mlir}"
        else:
            sign = "u" if dtype.is_unsigned else "s"
            predicate = sign + op if op in _ORDER else op
            text = f"arith.cmpi {predicate}, {a.ssa}, {b.ssa} : {dtype.mlir}"
        return self.value(text, dtypes.bool_, a, b)

    def negate(self, a: object) -> Value:
        a = self.scalar(a)
        if a.dtype.is_float:
            return self.value(f"arith.negf {a.ssa} : {a.dtype.mlir}", a.dtype, a)
        if a.dtype.kind == "b":
            a = self.cast(a, dtypes.int32)
        return self._plain("sub", self.constant(0, a.dtype), a)

    def invert(self, a: object) -> Value:
        """`~a`; on bool, not."""
        a = self.scalar(a)
        if a.dtype.kind == "b":
            return self.binary("xor", a, True)
        ones = -1 if a.dtype.kind != "u" else dtypes.max_value(a.dtype)
        return self.binary("xor", a, self.constant(ones, a.dtype))

    def select(self, condition: Value, a: object, b: object) -> Value:
        a, b = self.both(a, b)
        return self.value(
            f"arith.select {condition.ssa}, {a.ssa}, {b.ssa} : {a.dtype.mlir}",
            a.dtype,
            condition,
            a,
            b,
            nonneg=a.nonneg and b.nonneg,
        )

    def extremum(self, which: str, a: object, b: object) -> Value:
        """`min` or `max`; NaN wins."""
        a, b = self.both(a, b)
        dtype = a.dtype
        name = {"f": "imumf", "i": "si", "x": "si", "u": "ui", "b": "ui"}[dtype.kind]
        nonneg = dtype is index and (
            (a.nonneg and b.nonneg) if which == "min" else (a.nonneg or b.nonneg)
        )
        return self.value(
            f"arith.{which}{name} {a.ssa}, {b.ssa} : {dtype.mlir}", dtype, a, b, nonneg=nonneg
        )

    def _bit_literals(self, a: object, b: object) -> tuple[object, object]:
        """Let a mask like 0xFFFFFFFF meet an i32: for bits, either sign's range will do."""

        def fit(number, other):
            if isinstance(number, bool) or not isinstance(number, int):
                return number
            dtype = self.scalar(other).dtype if not isinstance(other, Number) else None
            if (
                dtype is not None
                and dtype.kind in "iu"
                and -(1 << (dtype.bits - 1)) <= number < 1 << dtype.bits
            ):
                number &= (1 << dtype.bits) - 1
                if dtype.kind == "i" and number >> (dtype.bits - 1):
                    number -= 1 << dtype.bits
            return number

        if isinstance(a, Number) == isinstance(b, Number):
            return a, b
        return (fit(a, b), b) if isinstance(a, Number) else (a, fit(b, a))


def _with_parts(result: Value, op: str, a: Value, b: Value) -> Value:
    """The result of an operator, which as an index is computed in 64 bits (Value.parts)."""
    if result.dtype.kind == "i" and result.dtype.bits < 64:
        result.parts = (op, a, b)
    return result


def _affine(op: str, a: Value, b: Value) -> tuple[int, dict] | None:
    (ca, ta), (cb, tb) = affine_of(a), affine_of(b)
    if op == "mul":
        if tb:
            ca, ta, cb, tb = cb, tb, ca, ta
        if tb or len(ta) > 8:
            return None
        return ca * cb, {s: f * cb for s, f in ta.items()} if cb else {}
    sign = 1 if op == "add" else -1
    terms = dict(ta)
    for ssa, factor in tb.items():
        total = terms.get(ssa, 0) + sign * factor
        if total:
            terms[ssa] = total
        else:
            del terms[ssa]
    return ca + sign * cb, terms
