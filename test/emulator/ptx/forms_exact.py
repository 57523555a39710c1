"""Floating-point numbers as fractions: what the references of elementwise checks compute by.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Format:
    """A format of IEEE 754's kind; `low` bits below the mantissa are not used (tf32)."""

    exponent: int
    mantissa: int
    low: int = 0

    @property
    def bits(self) -> int:
        return 1 + self.exponent + self.mantissa + self.low

    @property
    def bias(self) -> int:
        return (1 << (self.exponent - 1)) - 1

    @property
    def least(self) -> Fraction:
        """The smallest subnormal number."""
        return Fraction(1, 1 << (self.bias - 1 + self.mantissa))


FORMATS = {
    "f16": Format(5, 10), "bf16": Format(8, 7), "f32": Format(8, 23), "f64": Format(11, 52),
    "tf32": Format(8, 10, 13),
}  # fmt: skip


@dataclass(frozen=True)
class Number:
    """A number with the sign of its zeros, or an infinity, or a NaN."""

    negative: bool
    size: Fraction | None  # None: infinite
    nan: bool = False

    @property
    def value(self) -> Fraction:
        assert self.size is not None
        return -self.size if self.negative else self.size

    def order(self) -> tuple[int, Fraction]:
        """By which numbers that are no NaN are compared; zeros are equal."""
        if self.size is None:
            return (-1 if self.negative else 1, Fraction(0))
        return (0, self.value)


NAN = Number(False, None, nan=True)


@functools.lru_cache(1 << 16)
def decode(kind: str, bits: int, flush: bool = False) -> Number:
    """What `bits` stand for; subnormal numbers are zero where they are flushed."""
    form = FORMATS[kind]
    bits >>= form.low
    mantissa = bits & ((1 << form.mantissa) - 1)
    exponent = bits >> form.mantissa & ((1 << form.exponent) - 1)
    negative = bool(bits >> (form.mantissa + form.exponent) & 1)
    if exponent == (1 << form.exponent) - 1:
        return NAN if mantissa else Number(negative, None)
    if exponent == 0:
        return Number(negative, Fraction(0) if flush else mantissa * form.least)
    size = ((1 << form.mantissa) + mantissa) * form.least * (1 << (exponent - 1))
    return Number(negative, size)


def round_integer(size: Fraction, negative: bool, mode: str) -> int:
    """`size`, not negative, to an integer: to nearest even, nearest and away from zero,
    towards zero, down or up, of the number with the sign."""
    floor = size.numerator // size.denominator
    rest = size - floor
    half = Fraction(1, 2)
    up = {
        "rn": rest > half or (rest == half and floor % 2 == 1),
        "rna": rest >= half,
        "rz": False,
        "rm": negative and rest > 0,
        "rp": not negative and rest > 0,
    }[mode]
    return floor + up


def encode(kind: str, number: Number, mode: str = "rn", flush: bool = False) -> int:
    """The bits of a number rounded to a format."""
    form = FORMATS[kind]
    infinite = ((1 << form.exponent) - 1) << form.mantissa
    if number.nan:
        return (infinite | (1 << form.mantissa) - 1) << form.low
    sign = int(number.negative) << (form.mantissa + form.exponent)
    if number.size is None:
        return (sign | infinite) << form.low
    steps = number.size / form.least
    scale = max(steps.numerator.bit_length() - steps.denominator.bit_length(), 0)
    if steps < Fraction(1 << scale):
        scale -= 1
    shift = max(scale - form.mantissa, 0)
    mantissa = round_integer(steps / (1 << shift), number.negative, mode)
    # A mantissa that was rounded up to the next power of two carries into the exponent.
    bits = (shift << form.mantissa) + mantissa
    if bits >= infinite:
        towards_zero = mode == "rz" or mode == ("rp" if number.negative else "rm")
        bits = infinite - 1 if towards_zero else infinite
    if flush and bits < 1 << form.mantissa:
        bits = 0
    return (sign | bits) << form.low


def is_nan(kind: str, bits: int) -> bool:
    return decode(kind, bits).nan
