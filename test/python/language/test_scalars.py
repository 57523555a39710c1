"""Scalars: literals, promotion, operators, conversion, as operations of the IR.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import pytest

import tilewright.language as T
from language.ir import of, operations, scalar
from tilewright.language.dtypes import ALL, index, promote


def names(lines: list[str]) -> list[str]:
    """Operation names in order."""
    return [(line.partition(" = ")[2] or line).split()[0] for line in lines]


@T.macro
def add(a, b):
    return a + b


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("float32", "float32", "f32"), ("float16", "float32", "f32"),
        ("float16", "bfloat16", "f32"), ("float8_e4m3fn", "float16", "f16"),
        ("float8_e4m3fn", "float8_e5m2", "f32"), ("int32", "float16", "f16"),
        ("int64", "bfloat16", "bf16"), ("int8", "int32", "i32"), ("uint8", "int32", "i32"),
        ("uint32", "int32", "i32"), ("uint64", "int8", "i64"), ("bool", "int16", "i16"),
        ("bool", "bool", "i32"), ("float64", "float32", "f64"),
    ],
)  # fmt: skip
def test_promotion(a, b, expected):
    assert scalar(add, a, b)[-1].partition(" : ")[2].removesuffix(" unsigned") == expected


def test_promotion_is_symmetric_and_idempotent():
    for a in (*ALL, index):
        assert promote(a, a) is a
        for b in (*ALL, index):
            assert promote(a, b) is promote(b, a)


@T.macro
def literals(a, b):
    return (a * 2 + 1.5) - True


def test_literal_takes_the_other_type():
    assert scalar(literals, "float16") == [
        "%_ = arith.mulf %a, 2.0 : f16",
        "%_ = arith.addf %_, 1.5 : f16",
        "%_ = arith.subf %_, 1.0 : f16",
        'tile.print "" %_ : f16',
    ]


@T.macro
def fraction_of_integer(a, b):
    return a * 0.5


def test_fraction_beside_an_integer_is_f32():
    lines = scalar(fraction_of_integer, "int32")
    assert names(lines) == ["tile.cast", "arith.mulf", "tile.print"]
    assert lines[-1].endswith(": f32")


@T.macro
def mask(a, b):
    return a & 0xFFFFFFFF


def test_mask_meets_a_signed_integer():
    assert scalar(mask, "int32")[0] == "%_ = arith.andi %a, -1 : i32"


@T.macro
def divide(a, b):
    return (a // b) + (a % b)


# What keeps a quotient that has no value from ending the process: a divisor of 1 instead.
ZERO = ["arith.cmpi", "arith.select"]
OVERFLOW = ["arith.cmpi"] * 3 + ["arith.andi", "arith.ori", "arith.select"]


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("uint32", [*ZERO, "arith.divui", *ZERO, "arith.remui", "arith.addi", "tile.print"]),
        ("float32", ["arith.divf", "math.floor", "arith.remf", "arith.cmpf", "arith.select",
                     "arith.cmpf", "arith.select", "arith.cmpf", "arith.cmpf",
                     "arith.xori", "arith.cmpf", "arith.andi", "arith.addf", "arith.select",
                     "arith.addf", "tile.print"]),
        ("int32", [*OVERFLOW, "arith.floordivsi", *OVERFLOW, "arith.remsi", "arith.cmpi",
                   "arith.cmpi", "arith.xori", "arith.cmpi", "arith.andi", "arith.addi",
                   "arith.select", "arith.addi", "tile.print"]),
    ],
)  # fmt: skip
def test_division_floors(dtype, expected):
    assert names(scalar(divide, dtype, dtype)) == expected


@T.macro
def true_division(a, b):
    return a / b


def test_true_division_of_integers_is_f32():
    lines = scalar(true_division, "int32", "int64")
    assert names(lines)[-2:] == ["arith.divf", "tile.print"]
    assert lines[-1].endswith(": f32")


@T.macro
def shift_left(a, b):
    return a << b


@T.macro
def shift_right(a, b):
    return a >> b


@T.macro
def shift_far(a, b):
    return (a << 40) + (a >> 40)


def test_shift_by_a_run_time_amount_is_guarded():
    assert names(scalar(shift_left, "int32", "int32")) == [
        "arith.cmpi", "arith.shli", "arith.select", "tile.print"]  # fmt: skip
    # The sign fills a signed right shift, so its amount is limited instead.
    assert names(scalar(shift_right, "int32", "int32")) == [
        "arith.cmpi", "arith.select", "arith.shrsi", "tile.print"]  # fmt: skip
    assert names(scalar(shift_right, "uint32", "int32")) == [
        "arith.cmpi", "arith.shrui", "arith.select", "tile.print"]  # fmt: skip


def test_shift_by_the_width_or_more():
    assert scalar(shift_far, "int32")[:2] == [
        "%_ = arith.shrsi %a, 31 : i32",
        "%_ = arith.addi 0, %_ : i32",
    ]


@T.macro
def nibble(a, b):
    return (a >> (b % 2 * 4)) & 0xF


def test_shift_with_a_known_amount_needs_no_guard():
    assert "arith.select" not in names(scalar(nibble, "uint8", "uint32"))


@T.macro
def chain(a, b):
    return 0 < a <= b != 3


def test_comparison_chain():
    assert names(scalar(chain, "int32", "int32")) == [
        "arith.cmpi", "arith.cmpi", "arith.andi", "arith.cmpi", "arith.andi", "tile.print"
    ]  # fmt: skip


@T.macro
def compare(a, b):
    return (a < b) or (a == b) or (a != b)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("float32", ["olt", "oeq", "une"]), ("int32", ["slt", "eq", "ne"]),
     ("uint8", ["ult", "eq", "ne"])],
)  # fmt: skip
def test_comparisons(dtype, expected):
    lines = [line for line in scalar(compare, dtype, dtype) if "arith.cmp" in line]
    assert [line.split()[3].strip(",") for line in lines] == expected


@T.macro
def logic(a, b):
    return not (a and b > 0) or ~a


def test_logic():
    assert names(scalar(logic, "bool", "float32")) == [
        "arith.cmpf", "arith.andi", "arith.xori", "arith.xori", "arith.ori", "tile.print"
    ]  # fmt: skip


@T.macro
def powers(a, b):
    return a**2 + a**0.5 + a**b


def test_powers():
    assert names(scalar(powers)) == [
        "arith.mulf", "math.powf", "arith.addf", "math.powf", "arith.addf", "tile.print"
    ]  # fmt: skip


@T.macro
def functions(a, b):
    x = T.exp(a) + T.exp2(a) + T.log(a) + T.log2(a) + T.sqrt(a) + T.rsqrt(a) + T.sin(a)
    return x + T.cos(a) + T.tanh(a) + T.erf(a) + T.floor(a) + T.ceil(a) + T.round(a) + T.abs(a)


def test_functions():
    found = [n.removeprefix("math.") for n in names(scalar(functions)) if n.startswith("math.")]
    first = ["exp", "exp2", "log", "log2", "sqrt", "rsqrt", "sin"]
    assert found == [*first, "cos", "tanh", "erf", "floor", "ceil", "roundeven", "absf"]


@T.macro
def extremes(a, b):
    return T.clamp(T.fma(a, b, 1) + T.min(a, b, 3) + max(a, b), -1, 1)


def test_extremes():
    assert names(scalar(extremes)) == [
        "math.fma", "arith.minimumf", "arith.minimumf", "arith.addf", "arith.maximumf",
        "arith.addf", "arith.minimumf", "arith.maximumf", "tile.print",
    ]  # fmt: skip


@T.macro
def conversions(a, b):
    x = T.cast(a, "int8") + T.Cast("int8", a) + a.astype("int8") + T.int8(a)
    return T.reinterpret(T.uint8(x), "float8_e4m3fn")


def test_conversions():
    lines = scalar(conversions)
    assert len([line for line in lines if "tile.cast %a : f32 to i8" in line]) == 4
    assert lines[-2].endswith("arith.bitcast %_ : i8 to f8E4M3FN")


@T.macro
def limits(a, b):
    return a * T.infinity("float32") + T.max_value("float16") + T.min_value("int8")


def test_limits():
    lines = scalar(limits)
    assert "0x7F800000 : f32" in lines[0]
    assert "65504.0 : f32" in lines[1]
    assert "-128.0 : f32" in lines[2]


def test_python_numbers_are_computed_at_compile_time():
    @T.prim_func
    def kernel(A: T.Tensor((4,), "float32")):
        with T.Kernel(1):
            A[0] = T.max(1, 2) * T.ceildiv(7, 2) + T.exp(0.0) + T.min(3, 1) + max(5, 6)

    assert operations(kernel)[1:] == ["tile.store 16.0, %A[0] : memref<4xf32, g>"]


def test_index_arithmetic_stays_index():
    @T.prim_func
    def kernel(A: T.Tensor((64, 64), "float32"), n: T.int32):
        with T.Kernel(8) as bx:
            for i in T.serial(8):
                A[bx * 8 + i, n + i] = i

    lines = operations(kernel)
    assert "%_ = arith.index_cast %n : i32 to index" in lines
    assert "%_ = tile.cast %i : index to f32" in lines


def test_unsigned_conversion_is_marked():
    @T.prim_func
    def kernel(a: T.uint8, b: T.float32):
        with T.Kernel(1):
            T.print(T.cast(a, "float32"))
            T.print(T.cast(b, "uint8"))
            T.print(T.cast(a, "uint32"))

    assert of(kernel, "tile.cast") == [
        "%_ = tile.cast %a unsigned_source : i8 to f32",
        "%_ = tile.cast %b unsigned_result : f32 to i8",
        "%_ = tile.cast %a unsigned_source unsigned_result : i8 to i32",
    ]
