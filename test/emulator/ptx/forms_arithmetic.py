"""Checks of integer and floating-point arithmetic that programs of the corpus do not have:
carries, arithmetic on bytes, and the modifiers of floating-point instructions.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from fractions import Fraction

from forms_elementwise import accepted, integer, operands, parts_of, register, width
from forms_exact import FORMATS, NAN, Number, decode, encode, is_nan
from forms_harness import Bench, Item, check, elementwise

# Integers.


def _carries() -> Iterator[Item]:
    """Chains of two instructions: the first sets the carry, the second takes it."""
    a, b, c = operands()
    for kind in ("u32", "s32", "u64", "s64"):
        size = width(kind)
        mask = (1 << size) - 1
        x, y, z = (register(kind, i) for i in range(3))
        low, high = register(kind, 8), register(kind, 9)

        def numbers(index: int, kind: str = kind) -> tuple[int, int, int]:
            return tuple(integer(kind, one[index]) for one in (a, b, c))  # type: ignore[return-value]

        def chain(first: str, second: str, function: Callable[[int, int, int], int],
                  low: str = low, size: int = size,
                  numbers: Callable = numbers) -> Item:  # fmt: skip
            expected = [function(*numbers(i)) & ((1 << size) - 1) for i in range(len(a))]
            return Item(f"{first} {second}", f"b{size} {low}", expected)

        # Carries are those of numbers without a sign, whatever the type.
        def carry(p: int, q: int, mask: int = mask, size: int = size) -> int:
            return (p & mask) + (q & mask) >> size

        def borrow(p: int, q: int, mask: int = mask) -> int:
            return int((p & mask) < (q & mask))

        for last in ("", ".cc"):
            add = f"add.cc.{kind} {high}, {x}, {y};"
            sub = f"sub.cc.{kind} {high}, {x}, {y};"
            yield chain(add, f"addc{last}.{kind} {low}, {z}, {x};",
                        lambda p, q, r, carry=carry: r + p + carry(p, q))  # fmt: skip
            yield chain(sub, f"subc{last}.{kind} {low}, {z}, {x};",
                        lambda p, q, r, borrow=borrow: r - p - borrow(p, q))  # fmt: skip
        # What the second of a chain carries on, a third takes.
        yield chain(add, f"addc.cc.{kind} {high}, {z}, {z}; addc.{kind} {low}, 0, 0;",
                    lambda p, q, r, carry=carry, mask=mask, size=size:
                    2 * (r & mask) + carry(p, q) >> size)  # fmt: skip
        for part, last in itertools.product(("lo", "hi"), ("", ".cc")):
            shift = size if part == "hi" else 0
            first = f"mad.{part}.cc.{kind} {high}, {x}, {y}, {z};"

            def product(p: int, q: int, shift: int = shift) -> int:
                return p * q >> shift

            yield chain(first, f"addc.{kind} {low}, 0, 0;",
                        lambda p, q, r, f=product, carry=carry: carry(f(p, q), r))  # fmt: skip
            yield chain(first, f"mov.b{size} {low}, {high};",
                        lambda p, q, r, f=product: f(p, q) + r)  # fmt: skip
            yield chain(first, f"madc.{part}{last}.{kind} {low}, {y}, {z}, {x};",
                        lambda p, q, r, f=product, carry=carry:
                        f(q, r) + p + carry(f(p, q), r))  # fmt: skip


_VIDEO: dict[str, Callable[[int, int], int]] = {
    "vadd4": lambda x, y: x + y, "vsub4": lambda x, y: x - y,
    # To nearest, halves away from zero.
    "vavrg4": lambda x, y: math.copysign(1, x + y) * math.floor(abs(x + y) / 2 + 0.5),
    "vabsdiff4": lambda x, y: abs(x - y), "vmin4": min, "vmax4": max,
}  # fmt: skip


def _video() -> Iterator[Item]:
    a, b, c = operands()
    for opcode, function in _VIDEO.items():
        for form in accepted("Integer arithmetic", "{vadd4"):
            parts = parts_of(form)
            if form.opcode != opcode:
                continue
            to, left, right = parts[:3]
            expected = []
            for x, y, z in zip(a, b, c):
                values = [
                    int(
                        function(
                            integer(left[0] + "8", x >> s), integer(right[0] + "8", y >> s)
                        )
                    )
                    for s in (0, 8, 16, 24)
                ]
                if "sat" in parts:
                    least, most = (-128, 127) if to == "s32" else (0, 255)
                    values = [min(max(one, least), most) for one in values]
                if "add" in parts:
                    expected.append(sum(values) + z & 0xFFFFFFFF)
                else:
                    packed = (one % 256 << s for one, s in zip(values, (0, 8, 16, 24)))
                    expected.append(sum(packed))
            text = f"{opcode}.{'.'.join(parts)} %r9, %r0, %r1, %r2;"
            yield Item(text, "b32 %r9", expected)


@check
def carries_and_bytes(bench: Bench) -> None:
    a, b, c = operands()
    items = [*_carries(), *_video()]

    def short(x: int) -> int:
        return (x & 0xFFFFFF) - (x >> 23 & 1) * (1 << 24)

    def saturated(x: int) -> int:
        return min(max(x, -(1 << 31)), (1 << 31) - 1) & 0xFFFFFFFF

    products = [
        saturated((short(x) * short(y) >> 16) + integer("s32", z)) for x, y, z in zip(a, b, c)
    ]
    items.append(Item("mad24.hi.sat.s32 %r9, %r0, %r1, %r2;", "b32 %r9", products))
    for opcode, best in (("min", min), ("max", max)):
        relu = [
            sum(
                max(best(integer("s16", x >> s), integer("s16", y >> s)), 0) << s
                for s in (0, 16)
            )
            for x, y in zip(a, b)
        ]
        items.append(Item(f"{opcode}.relu.s16x2 %r9, %r0, %r1;", "b32 %r9", relu))
    elementwise(bench, items, [a, b, c])


# Floating point.


def total(x: Number, y: Number) -> Number:
    if x.nan or y.nan or (x.size is None and y.size is None and x.negative != y.negative):
        return NAN
    if x.size is None or y.size is None:
        return x if x.size is None else y
    value = x.value + y.value
    # The sum of opposite numbers is +0, of two zeros of a sign that zero.
    negative = value < 0 or (value == 0 and x.negative and y.negative)
    return Number(negative, abs(value))


def _negated(x: Number) -> Number:
    return Number(not x.negative, x.size, x.nan)


def _product(x: Number, y: Number) -> Number:
    if x.nan or y.nan or {x.size, y.size} == {None, Fraction(0)}:
        return NAN
    size = None if x.size is None or y.size is None else x.size * y.size
    return Number(x.negative != y.negative, size)


_SUMS: dict[str, Callable[[Number, Number], Number]] = {
    "add": total, "sub": lambda x, y: total(x, _negated(y)), "mul": _product,
}  # fmt: skip


def _finished(kind: str, number: Number, parts: list[str]) -> int:
    """Rounded to nearest, flushed and saturated."""
    if "sat" in parts:
        if number.nan or (number.negative and number.size != 0):
            number = Number(False, Fraction(0))
        elif number.size is None or number.size > 1:
            number = Number(False, Fraction(1))
        elif number.size == 0:
            number = Number(False, Fraction(0))
    return encode(kind, number, flush="ftz" in parts)


def _extreme(kind: str, opcode: str, parts: list[str], x: int, y: int) -> int:
    """min and max by bits: NaN only where asked for, -0 below +0."""
    form = FORMATS[kind]
    sign = 1 << (form.bits - 1)
    flip = (x ^ y) & sign if "xorsign" in parts else None
    if flip is not None:
        x, y = x & ~sign, y & ~sign
    flush = "ftz" in parts
    left, right = decode(kind, x, flush), decode(kind, y, flush)
    if left.nan and right.nan or ("NaN" in parts and (left.nan or right.nan)):
        return encode(kind, NAN)
    if left.nan or right.nan:
        best = right if left.nan else left
    else:
        best = (min if opcode == "min" else max)(
            left, right, key=lambda one: (one.order(), not one.negative)
        )
    return encode(kind, best) ^ (flip or 0)


def _elements(kind: str) -> tuple[str, tuple[int, ...]]:
    return (kind[:-2], (0, 16)) if kind.endswith("x2") else (kind, (0,))


def _floating(opcode: str, parts: list[str], kind: str) -> Callable[[int, int], int] | None:
    """The function of bits that an instruction of one element is; None of those that other
    tests have."""
    flush = "ftz" in parts
    if opcode in _SUMS:
        if {"rz", "rm", "rp"}.intersection(parts) or kind == "f64":
            return None
        return lambda x, y: _finished(
            kind, _SUMS[opcode](decode(kind, x, flush), decode(kind, y, flush)), parts
        )
    if opcode in ("min", "max"):
        return lambda x, y: _extreme(kind, opcode, parts, x, y)
    sign = 1 << (FORMATS[kind].bits - 1)

    def signed(x: int, y: int) -> int:
        if is_nan(kind, x):
            return encode(kind, NAN)
        x = encode(kind, decode(kind, x, flush))
        return x & ~sign if opcode == "abs" else x ^ sign

    return signed


@check
def floating_point(bench: Bench) -> None:
    a, b, c = operands()
    items = []
    for start in ("{add,sub,mul}", "{min,max}", "{abs,neg}"):
        for form in accepted("Floating-point arithmetic", start):
            parts = parts_of(form)
            whole = parts[-1]
            kind, shifts = _elements(whole)
            function = _floating(form.opcode, parts, kind)
            if function is None:
                continue
            mask = (1 << FORMATS[kind].bits) - 1
            expected = [
                sum(function(x >> s & mask, y >> s & mask) << s for s in shifts)
                for x, y in zip(a, b)
            ]
            to = register(whole, 9)
            sources = f"{register(whole, 0)}, {register(whole, 1)}"
            if form.opcode in ("abs", "neg"):
                sources = register(whole, 0)
            text = f"{form.mnemonic} {to}, {sources};"
            matches = functools.partial(same_elements, kind, shifts)
            items.append(Item(text, f"b{width(whole)} {to}", expected, matches))
    elementwise(bench, items, [a, b, c])


def same_elements(kind: str, shifts: tuple[int, ...], got: int, expected: int) -> bool:
    """Whether each element has the same bits, or both are NaN."""
    mask = (1 << FORMATS[kind].bits) - 1
    pairs = [(got >> s & mask, expected >> s & mask) for s in shifts]
    return all(x == y or (is_nan(kind, x) and is_nan(kind, y)) for x, y in pairs)


_CURVES: dict[str, Callable[[float], float]] = {
    "ex2": lambda x: 2.0**x, "tanh": math.tanh,
}  # fmt: skip


@check
def approximations(bench: Bench) -> None:
    """Within twice the error that the manual states, where the result is a normal number."""
    a, b, c = operands()
    items = []

    def near(kind: str, shifts: tuple[int, ...], bound: float, got: int, expected: int) -> bool:
        mask = (1 << FORMATS[kind].bits) - 1
        for s in shifts:
            x, y = decode(kind, got >> s & mask), decode(kind, expected >> s & mask)
            if x.nan or y.nan or x.size is None or y.size is None:
                if (x.nan, x.size, x.negative) != (y.nan, y.size, y.negative) and not (
                    x.nan and y.nan
                ):
                    return False
            elif y.size and y.size >= FORMATS[kind].least * (2 << FORMATS[kind].mantissa):
                if abs(x.value - y.value) > bound * y.size:
                    return False
        return True

    def curve(function: Callable[[float], float], kind: str, x: int, flush: bool) -> int:
        number = decode(kind, x, flush)
        if number.nan:
            return encode(kind, NAN)
        value = math.copysign(
            math.inf if number.size is None else 1.0, -1 if number.negative else 1
        )
        if number.size is not None:
            value *= float(number.size)
        try:
            result = function(value)
        except OverflowError:
            result = math.inf
        if math.isinf(result):
            return encode(kind, Number(result < 0, None))
        return encode(kind, Number(math.copysign(1, result) < 0, abs(Fraction(result))))

    for opcode in ("ex2", "tanh"):
        for form in accepted("Floating-point arithmetic", "{sin,cos,lg2,ex2,tanh}"):
            whole = parts_of(form)[-1]
            if form.opcode != opcode or whole == "f32":
                continue
            kind, shifts = _elements(whole)
            bound = 2.0 * {"f16": 2.0**-9.9, "bf16": 2.0**-7}[kind]
            if opcode == "tanh":
                bound = 2.0 * {"f16": 2.0**-10.9, "bf16": 2.0**-8}[kind]
            mask = (1 << FORMATS[kind].bits) - 1
            expected = [
                sum(curve(_CURVES[opcode], kind, x >> s & mask, "ftz" in parts_of(form)) << s
                    for s in shifts)
                for x in a
            ]  # fmt: skip
            to = register(whole, 9)
            items.append(
                Item(f"{form.mnemonic} {to}, {register(whole, 0)};",
                     f"b{width(whole)} {to}", expected,
                     functools.partial(near, kind, shifts, bound))
            )  # fmt: skip
    elementwise(bench, items, [a, b, c])
