"""Python numbers as MLIR constants.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import math
import re

from ..language import dtypes
from ..language.dtypes import DType

# Bits of +infinity and of a quiet NaN.
_SPECIAL = {
    dtypes.float16: ("0x7C00", "0xFC00", "0x7E00"),
    dtypes.bfloat16: ("0x7F80", "0xFF80", "0x7FC0"),
    dtypes.float32: ("0x7F800000", "0xFF800000", "0x7FC00000"),
    dtypes.float64: ("0x7FF0000000000000", "0xFFF0000000000000", "0x7FF8000000000000"),
    dtypes.float8_e5m2: ("0x7C", "0xFC", "0x7E"),
    dtypes.float8_e4m3fn: ("", "", "0x7F"),
    dtypes.float8_e4m3fnuz: ("", "", "0x80"),
    dtypes.float8_e5m2fnuz: ("", "", "0x80"),
    dtypes.float8_e4m3b11fnuz: ("", "", "0x80"),
    dtypes.float8_e8m0fnu: ("", "", "0xFF"),
}


def literal(value: bool | int | float, dtype: DType) -> str:
    """The attribute of `value` in `dtype`, rounded to nearest even by the IR's reader.

    The value must be representable (`dtypes.representable`).
    """
    if dtype.is_float:
        return _float(float(value), dtype)
    if dtype.kind == "b":
        return "true" if value else "false"
    value = int(value)
    if dtype.kind == "u" and value >= 1 << (dtype.bits - 1):
        value -= 1 << dtype.bits  # signless integers print as signed ones
    return str(value)


def _float(value: float, dtype: DType) -> str:
    if math.isnan(value):
        return _SPECIAL[dtype][2]
    if math.isinf(value):
        return _SPECIAL[dtype][value < 0]
    if dtype is dtypes.float8_e8m0fnu:
        return _power_of_two(value)
    text = repr(value)
    mantissa, e, exponent = text.partition("e")
    if "." not in mantissa:
        mantissa += ".0"
    return mantissa + e + exponent


def _power_of_two(value: float) -> str:
    """The byte of the nearest power, as T.cast: the larger of two; the IR rounds to even."""
    fraction, exponent = math.frexp(value)
    return f"0x{exponent - 1 + 127 + (fraction >= 0.75):02X}"


def name_hint(attribute: str, dtype: DType) -> str:
    """A readable SSA name for a constant: `c64`, `c64_i32`, `f1_0`."""
    if dtype.kind == "b":
        return attribute
    if attribute.startswith("0x"):
        return f"special_{dtype.short}"
    text = re.sub("[^0-9a-z]", "_", attribute.replace("-", "m"))[:24]
    return f"c{text}" if dtype.kind == "x" else f"c{text}_{dtype.short}"
