"""Checks of comparison, selection and conversion: every form that the decoder takes, on
values of all kinds, against fractions and Python's integers.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterator
from fractions import Fraction

import coverage_forms
from coverage_pattern import TYPES, Form, register_class
from forms_exact import FORMATS, NAN, Number, decode, encode, is_nan, round_integer
from forms_harness import Bench, Item, check, elementwise

from tilewright import emulator

LANES = 256
_SPECIAL = [
    0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
    1 << 63, (1 << 63) - 1, (1 << 64) - 1,
    # Halves of pairs: one, infinities, NaN, subnormal, the largest; both formats.
    0x3C00BC00, 0x7C00FC00, 0x7E007C01, 0x000103FF, 0x7BFF7BFF, 0x3F80BF80, 0x7F80FF80,
    0x7FC07F81, 0x0001007F, 0x7F7F7F7F, 0x3E00C100, 0x38003801,
    # Floats: one, a half, infinities, NaNs, subnormal ones, the largest, 2.5, -3.5, 1e10.
    0x3F800000, 0xBF000000, 0x7F800000, 0xFF800000, 0x7FC00001, 0xFF800001, 1 << 22,
    0x807FFFFF, 0x7F7FFFFF, 0x40200000, 0xC0600000, 0x501502F9, 0x3F7FFFFF, 0x4B000001,
    # Doubles of the same kinds.
    0x3FF0000000000000, 0xBFE0000000000000, 0x7FF0000000000000, 0xFFF0000000000000,
    0x7FF8000000000001, 0xFFF0000000000001, 1 << 51, 0x800FFFFFFFFFFFFF, 0x7FEFFFFFFFFFFFFF,
    0x4004000000000000, 0xC00C000000000000, 0x41E0000000100000, 0x43E0000000000000,
    0x47EFFFFFF0000001, 0x36A0000000000001,
]  # fmt: skip


@functools.cache
def values(seed: int) -> tuple[int, ...]:
    """Bits for all lanes: special ones, random ones, and random numbers of middling size in
    each format."""
    rng = random.Random(seed)
    found = []
    for _ in range(LANES):
        kind = rng.randrange(5)
        bits = rng.getrandbits(64)
        if kind <= 1:
            bits = rng.choice(_SPECIAL)
        elif kind == 2:
            number = Fraction(rng.randrange(-(1 << 20), 1 << 20), 1 << rng.randrange(16))
            form = rng.choice(list(FORMATS))
            bits = encode(form, Number(number < 0, abs(number)))
        elif kind == 3:
            bits >>= rng.randrange(64)
        found.append(bits)
    return tuple(found)


@functools.cache
def operands() -> tuple[tuple[int, ...], ...]:
    """Three for each lane; every fourth time the first two are equal."""
    a, b, c = values(1), values(2), values(3)
    return a, tuple(x if i % 4 == 0 else y for i, (x, y) in enumerate(zip(a, b))), c


@functools.cache
def accepted(family: str, start: str) -> list[Form]:
    """The forms of a family that the emulator takes and whose mnemonics start so."""
    import coverage

    device = emulator.Device("sm_90a")
    found = []
    for pattern in coverage_forms.all_patterns():
        if pattern.family != family or pattern.beyond or not pattern.text.startswith(start):
            continue
        found += [form for form in pattern.forms() if coverage.accepts(device, form)]
    return found


def parts_of(form: Form) -> list[str]:
    return form.mnemonic.split(".")[1:]


def width(kind: str) -> int:
    if kind in FORMATS:
        return FORMATS[kind].bits
    return int(kind.lstrip("usbf").split("x")[0]) * (2 if kind.endswith("x2") else 1)


def integer(kind: str, bits: int) -> int:
    """An integer of a type by its bits."""
    size = width(kind)
    bits &= (1 << size) - 1
    return bits - (1 << size) if kind[0] == "s" and bits >> (size - 1) else bits


def register(kind: str, number: int) -> str:
    return f"%{register_class(kind)}{number}"


# Comparisons.

_ORDERED: dict[str, Callable] = {
    "eq": lambda x, y: x == y, "ne": lambda x, y: x != y, "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y, "gt": lambda x, y: x > y, "ge": lambda x, y: x >= y,
    "lo": lambda x, y: x < y, "ls": lambda x, y: x <= y, "hi": lambda x, y: x > y,
    "hs": lambda x, y: x >= y,
}  # fmt: skip


def compare(kind: str, operator: str, x: int, y: int, flush: bool) -> bool:
    """Whether a comparison holds of two values by their bits."""
    if kind not in FORMATS:
        return _ORDERED[operator](integer(kind, x), integer(kind, y))
    mask = (1 << width(kind)) - 1
    a, b = decode(kind, x & mask, flush), decode(kind, y & mask, flush)
    unordered = a.nan or b.nan
    if operator in ("num", "nan"):
        return unordered == (operator == "nan")
    if unordered:
        return operator in ("equ", "neu", "ltu", "leu", "gtu", "geu")
    return _ORDERED[operator[:2]](a.order(), b.order())


_BOOLEANS = {"and": int.__and__, "or": int.__or__, "xor": int.__xor__}


def _comparison(form: Form) -> Iterator[Item]:
    """set or setp, plain and, for some, combined with a predicate."""
    parts = parts_of(form)
    *to, kind = [one for one in parts if one in TYPES]
    flush = "ftz" in parts
    operator = next(one for one in parts if one in coverage_forms.COMPARISONS.split(","))
    a, b, c = operands()
    half = kind[:-2] if kind.endswith("x2") and kind != "u16x2" else None
    results = []
    for x, y in zip(a, b):
        if half:
            low = compare(half, operator, x & 0xFFFF, y & 0xFFFF, flush)
            high = compare(half, operator, x >> 16 & 0xFFFF, y >> 16 & 0xFFFF, flush)
            results.append((low, high))
        else:
            results.append((compare(kind, operator, x, y, flush),))
    sources = f"{register(kind, 0)}, {register(kind, 1)}"
    if not to:
        mnemonic = form.mnemonic
        first = [int(two[0]) for two in results]
        # Of halves the second predicate is the high one's; else it says the opposite.
        second = [int(two[1]) if half else 1 - int(two[0]) for two in results]
        if not half:
            yield Item(f"{mnemonic} %p9, {sources};", "pred %p9", first)
        yield Item(f"{mnemonic} %p9|%p10, {sources};", "pred %p9", first)
        yield Item(f"{mnemonic} %p9|%p10, {sources};", "pred %p10", second)
        return
    ones = {"f32": 0x3F800000, "f16": 0x3C00, "bf16": 0x3F80, "f16x2": 0x3C00,
            "bf16x2": 0x3F80}  # fmt: skip
    size = width(to[0])
    true = ones.get(to[0], 0xFFFF if half or size == 16 else 0xFFFFFFFF)
    expected = [sum(true * one << 16 * i for i, one in enumerate(two)) for two in results]
    kinds = f"b{size} {register(to[0], 9)}"
    yield Item(f"{form.mnemonic} {register(to[0], 9)}, {sources};", kinds, expected)


@check
def comparisons(bench: Bench) -> None:
    items = []
    for opcode in ("setp.", "set."):
        for form in accepted("Comparison and selection", opcode):
            items += _comparison(form)
    a, b, c = operands()
    for name, combine in _BOOLEANS.items():
        text = "setp.ne.b32 %p1, %r2, 0; {}.lt.{}{}.s32 {}, %r0, %r1, %p1;"
        less = [
            combine(int(integer("s32", x) < integer("s32", y)), int(z & 0xFFFFFFFF != 0))
            for x, y, z in zip(a, b, c)
        ]
        items.append(Item(text.format("setp", name, "", "%p9"), "pred %p9", less))
        items.append(
            Item(
                text.format("set", name, ".u32", "%r9"),
                "b32 %r9",
                [0xFFFFFFFF * x for x in less],
            )
        )
    elementwise(bench, items, [a, b, c])


@check
def selections(bench: Bench) -> None:
    a, b, c = operands()
    items = []
    for form in accepted("Comparison and selection", "selp"):
        (kind,) = parts_of(form)
        mask = (1 << width(kind)) - 1
        expected = [(x if z & 1 else y) & mask for x, y, z in zip(a, b, c)]
        two = f"{register(kind, 0)}, {register(kind, 1)}"
        text = f"and.b32 %r8, %r2, 1; setp.ne.b32 %p1, %r8, 0; selp.{kind}"
        items.append(
            Item(f"{text} {register(kind, 9)}, {two}, %p1;",
                 f"b{width(kind)} {register(kind, 9)}", expected)
        )  # fmt: skip
    for form in accepted("Comparison and selection", "slct"):
        parts = parts_of(form)
        kind, by = [one for one in parts if one in TYPES]
        mask = (1 << width(kind)) - 1
        first = [compare(by, "ge", z & 0xFFFFFFFF, 0, "ftz" in parts) for z in c]
        expected = [(x if one else y) & mask for x, y, one in zip(a, b, first)]
        to = register(kind, 9)
        text = f"slct.{'.'.join(parts)} {to}, {register(kind, 0)}, {register(kind, 1)}, %r2;"
        items.append(Item(text, f"b{width(kind)} {to}", expected))
    elementwise(bench, items, [a, b, c])


# Conversions.


def convert(parts: list[str], to: str, source: str, bits: int) -> int:
    """The bits that a conversion gives, in a register of the result's class."""
    flush = "ftz" in parts
    rounding = next((one for one in parts if one in ("rn", "rna", "rz", "rm", "rp")), "rn")
    integral = next((one for one in parts if one in ("rni", "rzi", "rmi", "rpi")), None)
    if source in FORMATS:
        bits &= (1 << width(source)) - 1
        number = decode(source, bits, flush and source == "f32")
    else:
        whole = integer(source, bits)
        number = Number(whole < 0, Fraction(abs(whole)))
    if integral and number.size is not None and not number.nan:
        size = round_integer(number.size, number.negative, integral[:2])
        number = Number(number.negative, Fraction(size))
    if to not in FORMATS:
        return _to_integer(to, source, number, "sat" in parts)
    if number.nan:
        return 0 if "sat" in parts else encode(to, NAN)
    if "relu" in parts and number.negative:
        number = Number(False, Fraction(0))
    if "sat" in parts and (number.negative or number.size is None or number.size > 1):
        one = not number.negative
        number = Number(False, Fraction(int(one)))
    result = encode(to, number, rounding, flush and to == "f32")
    if "satfinite" in parts and decode(to, result).size is None:
        step = 1 << FORMATS[to].low
        result -= step
    return result


def _to_integer(to: str, source: str, number: Number, saturates: bool) -> int:
    size = width(to)
    least, most = (
        (-(1 << (size - 1)), (1 << (size - 1)) - 1) if to[0] == "s" else (0, (1 << size) - 1)
    )
    kept = (1 << max(size, 16)) - 1
    if source not in FORMATS:
        whole = int(number.value)
        if saturates:
            whole = min(max(whole, least), most)
        return integer(to, whole) & kept
    if number.nan:
        # As the manual has it: zero, or the middle of the range where 64 bits take part.
        middle = integer(to, 1 << (size - 1))
        return middle & kept if source == "f64" or size == 64 else 0
    if number.size is None:
        return (least if number.negative else most) & kept
    return min(max(int(number.value), least), most) & kept


@check
def conversions(bench: Bench) -> None:
    a, b, c = operands()
    items = []
    for form in accepted("Conversion", "cvt"):
        parts = parts_of(form)
        kinds = [one for one in parts if one in TYPES]
        if len(kinds) != 2 or any(one.endswith("x2") for one in kinds) or "pack" in parts:
            continue
        to, source = kinds
        expected = [convert(parts, to, source, x) for x in a]
        result = register(to, 9)
        text = f"{form.mnemonic} {result}, {register(source, 0)};"
        kind = f"b{max(width(to), 16)} {result}"
        items.append(Item(text, kind, expected, functools.partial(_same, to)))
    assert len(items) > 500
    elementwise(bench, items, [a, b, c])


def _same(kind: str, got: int, expected: int) -> bool:
    """Whether the bits are the same, or both of a NaN."""
    return got == expected or (kind in FORMATS and is_nan(kind, got) and is_nan(kind, expected))
