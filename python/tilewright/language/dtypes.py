"""Element types of the language: names, widths, MLIR spelling and promotion.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import math

from ..compiler.errors import CompileError


class _Spelled(type):
    """Lets `T.dtype("float16")` find the type that a spelling means."""

    def __call__(cls, *arguments: object) -> DType:
        return super().__call__(*arguments) if len(arguments) > 1 else dtype_of(*arguments)


class DType(str, metaclass=_Spelled):
    """An element type. Equal to any spelling of it: `T.float16 == "float16"`.

    It is its name, so that `getattr(torch, T.float16)` and `"float" in T.float16` work.

    Attributes:
        name: the long name, as frameworks write it (`float16`).
        short: the name in signatures and messages of the compiler (`f16`).
        kind: `b` bool, `i` signed, `u` unsigned, `f` float, `x` index.
        bits: width of the value (1 for bool).
        mlir: type of a scalar in IR (`i1` for bool).
        memory: type of an element in memory (`i8` for bool).

    Two elements of 4 bits share a byte of a tensor; in a tile each has its own.
    """

    __slots__ = ("name", "short", "kind", "bits", "mlir", "memory")

    def __new__(cls, name: str, *rest: object) -> DType:
        return str.__new__(cls, name)

    def __init__(self, name: str, short: str, kind: str, bits: int, mlir: str) -> None:
        self.name, self.short, self.kind, self.bits, self.mlir = name, short, kind, bits, mlir
        self.memory = "i8" if kind == "b" else mlir

    @property
    def itemsize(self) -> int:
        """Bytes of one element in memory, or of two where they share a byte."""
        return max(1, self.bits // 8)

    @property
    def bytes(self) -> int:
        """As itemsize, by TileLang's name."""
        return self.itemsize

    @property
    def is_paired(self) -> bool:
        """Whether two elements of a tensor share a byte."""
        return self.bits == 4

    def as_torch(self) -> object:
        """PyTorch's dtype of this name."""
        import torch

        return getattr(torch, self.name)

    @property
    def is_float(self) -> bool:
        return self.kind == "f"

    @property
    def is_integer(self) -> bool:
        """Whether it is an integer (or index) other than bool."""
        return self.kind in "iux"

    @property
    def is_unsigned(self) -> bool:
        return self.kind in "ub"

    def __call__(self, value: object) -> Constant:
        """`T.float32(1)` outside a kernel: a number with this type."""
        if isinstance(value, (bool, int, float)):
            return Constant(self, value)
        raise CompileError.here(
            f"T.{self.name}(...) outside a kernel takes a Python number, not {value!r}",
            hint="convert arrays with their own library",
        )

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DType):
            return self is other
        try:
            return parse(other) is self
        except (KeyError, TypeError):
            return False

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"T.{self.name}"

    def __reduce__(self):
        return (dtype_of, (self.name,))


class Constant:
    """A Python number with a type, made by `T.float32(1)` outside a kernel."""

    __slots__ = ("dtype", "value")

    def __init__(self, dtype: DType, value: bool | int | float) -> None:
        self.dtype, self.value = dtype, value

    def __repr__(self) -> str:
        return f"{self.dtype!r}({self.value})"


bool_ = DType("bool", "bool", "b", 1, "i1")
int8 = DType("int8", "i8", "i", 8, "i8")
int16 = DType("int16", "i16", "i", 16, "i16")
int32 = DType("int32", "i32", "i", 32, "i32")
int64 = DType("int64", "i64", "i", 64, "i64")
uint8 = DType("uint8", "u8", "u", 8, "i8")
uint16 = DType("uint16", "u16", "u", 16, "i16")
uint32 = DType("uint32", "u32", "u", 32, "i32")
uint64 = DType("uint64", "u64", "u", 64, "i64")
float16 = DType("float16", "f16", "f", 16, "f16")
bfloat16 = DType("bfloat16", "bf16", "f", 16, "bf16")
float32 = DType("float32", "f32", "f", 32, "f32")
float64 = DType("float64", "f64", "f", 64, "f64")
float8_e4m3fn = DType("float8_e4m3fn", "f8e4m3fn", "f", 8, "f8E4M3FN")
float8_e5m2 = DType("float8_e5m2", "f8e5m2", "f", 8, "f8E5M2")
# Without infinities and -0, whose code is NaN.
float8_e4m3fnuz = DType("float8_e4m3fnuz", "f8e4m3fnuz", "f", 8, "f8E4M3FNUZ")
float8_e5m2fnuz = DType("float8_e5m2fnuz", "f8e5m2fnuz", "f", 8, "f8E5M2FNUZ")
float8_e4m3b11fnuz = DType("float8_e4m3b11fnuz", "f8e4m3b11fnuz", "f", 8, "f8E4M3B11FNUZ")
# Powers of two and NaN: the scales of blocks.
float8_e8m0fnu = DType("float8_e8m0fnu", "f8e8m0fnu", "f", 8, "f8E8M0FNU")
# 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives; no NaN.
float4_e2m1fn = DType("float4_e2m1fn", "f4e2m1fn", "f", 4, "f4E2M1FN")
# The type of loop variables, block coordinates and sizes; it has no place in memory.
index = DType("index", "index", "x", 64, "index")

ALL = (
    bool_,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
    float16,
    bfloat16,
    float32,
    float64,
    float8_e4m3fn,
    float8_e5m2,
    float8_e4m3fnuz,
    float8_e5m2fnuz,
    float8_e4m3b11fnuz,
    float8_e8m0fnu,
    float4_e2m1fn,
)

_ALIASES = {
    "boolean": bool_,
    "bool_": bool_,
    "half": float16,
    "fp16": float16,
    "bf16": bfloat16,
    "float": float32,
    "fp32": float32,
    "single": float32,
    # A way to multiply, of T.gemm(precision="tf32"); numbers that are kept for it are f32.
    "tfloat32": float32,
    "tf32": float32,
    "double": float64,
    "fp64": float64,
    "int": int32,
    "long": int64,
    "short": int16,
    "char": int8,
    "uint": uint32,
    "ushort": uint16,
    "ulong": uint64,
    "float8_e4m3": float8_e4m3fn,
    "e4m3_float8": float8_e4m3fn,
    "e4m3": float8_e4m3fn,
    "fp8_e4m3": float8_e4m3fn,
    "e5m2_float8": float8_e5m2,
    "e5m2": float8_e5m2,
    "fp8_e5m2": float8_e5m2,
    "e4m3fnuz_float8": float8_e4m3fnuz,
    "e5m2fnuz_float8": float8_e5m2fnuz,
    "float8_e8m0": float8_e8m0fnu,
    "e8m0_float8": float8_e8m0fnu,
    "e8m0": float8_e8m0fnu,
    "ue8m0": float8_e8m0fnu,
    "float4_e2m1": float4_e2m1fn,
    "float4_e2m1fn_x2": float4_e2m1fn,  # PyTorch's name of the pair
    "e2m1_float4": float4_e2m1fn,
    "e2m1": float4_e2m1fn,
    "fp4_e2m1": float4_e2m1fn,
    "fp4": float4_e2m1fn,
}
_BY_NAME = {d.name: d for d in ALL} | {d.short: d for d in ALL} | _ALIASES


class _Format:
    """What a float type holds.

    Attributes:
        largest: the largest finite value.
        mantissa: bits of the significand behind the leading one.
        exponents: the exponents of the smallest denormal and of the largest number.
        infinity, nan, zero, negative: whether it has these.
    """

    __slots__ = ("largest", "mantissa", "exponents", "infinity", "nan", "zero", "negative")

    def __init__(self, largest, mantissa, smallest, *, infinity=False, nan=True, scale=False):
        self.largest, self.mantissa = largest, mantissa
        self.exponents = (smallest, math.frexp(largest)[1] - 1)
        self.infinity, self.nan = infinity, nan
        self.zero = self.negative = not scale


_FORMATS = {
    float16: _Format(65504.0, 10, -24, infinity=True),
    bfloat16: _Format(3.3895313892515355e38, 7, -133, infinity=True),
    float32: _Format(3.4028234663852886e38, 23, -149, infinity=True),
    float64: _Format(1.7976931348623157e308, 52, -1074, infinity=True),
    float8_e4m3fn: _Format(448.0, 3, -9),
    float8_e5m2: _Format(57344.0, 2, -16, infinity=True),
    float8_e4m3fnuz: _Format(240.0, 3, -10),
    float8_e5m2fnuz: _Format(57344.0, 2, -17),
    float8_e4m3b11fnuz: _Format(30.0, 3, -13),
    float8_e8m0fnu: _Format(2.0**127, 0, -127, scale=True),
    float4_e2m1fn: _Format(6.0, 1, -1, nan=False),
}

LATER = dict.fromkeys(
    ("int4", "uint4"),
    "int4 is not a type of memory; keep pairs in a uint8 tensor and unpack by shifts",
)


def parse(spelling: object) -> DType:
    """The type that `spelling` means: a name, a DType, or a framework's dtype.

    Raises KeyError with the name when there is no such type, TypeError when the object is
    no spelling of a type at all.
    """
    if isinstance(spelling, DType):
        return spelling
    if isinstance(spelling, str):
        return _BY_NAME[spelling]
    if isinstance(spelling, type) and spelling in (bool, int, float):  # np.dtype == int
        return {bool: bool_, int: int32, float: float32}[spelling]
    kind = type(spelling)
    if kind.__module__.partition(".")[0] == "torch" and kind.__name__ == "dtype":
        return _BY_NAME[str(spelling).rpartition(".")[2]]
    name = getattr(spelling, "name", None)  # numpy.dtype
    if not isinstance(name, str):
        name = getattr(spelling, "__name__", None)  # numpy.float16, ml_dtypes.bfloat16
    if isinstance(name, str) and isinstance(spelling, type) or hasattr(spelling, "itemsize"):
        return _BY_NAME[name]
    raise TypeError(f"{spelling!r} is not a dtype")


def python_number(x: object) -> object:
    """A scalar of NumPy or ml_dtypes as the Python number it is; anything else as itself."""
    kind = type(x)
    if hasattr(kind, "__array_interface__") and not hasattr(kind, "__setitem__"):
        return x.item()
    return x


def reason(spelling: object) -> tuple[str, str]:
    """Message and hint for a spelling that `parse` refused."""
    name = spelling if isinstance(spelling, str) else str(spelling).rpartition(".")[2]
    if name in LATER:
        return f"dtype {name} is not available", LATER[name]
    return (f"{spelling!r} is not a dtype", "use one of " + ", ".join(d.name for d in ALL))


def dtype_of(spelling: object) -> DType:
    """As `parse`, with a CompileError at the caller's line."""
    try:
        return parse(spelling)
    except (KeyError, TypeError):
        message, hint = reason(spelling)
        raise CompileError.here(message, hint=hint) from None


def promote(a: DType, b: DType) -> DType:
    """The type in which `a` and `b` meet.

    The wider of one kind; an integer with a float gives that float; bool gives the other;
    `index` wins among integers; a signed and an unsigned integer give the signed one where
    it is wider, else the unsigned one. Two floats of which neither holds all numbers of the
    other give f32: f16 with bf16, two kinds of f8, e8m0 with f16 or f4.
    """
    if a is b:
        return a
    if a.kind == "b":
        return b
    if b.kind == "b":
        return a
    if a.is_float != b.is_float:
        return a if a.is_float else b
    if a.is_float:
        wide, narrow = (a, b) if a.bits > b.bits else (b, a)
        return wide if wide.bits > narrow.bits and holds(wide, narrow) else float32
    if "x" in (a.kind, b.kind):
        return index
    if a.kind == b.kind:
        return a if a.bits > b.bits else b
    signed, unsigned = (a, b) if a.kind == "i" else (b, a)
    return signed if signed.bits > unsigned.bits else unsigned


def holds(wide: DType, narrow: DType) -> bool:
    """Whether every number of one float type is one of the other, but for the sign of 0."""
    w, n = _FORMATS[wide], _FORMATS[narrow]
    return (
        w.mantissa >= n.mantissa
        and w.exponents[0] <= n.exponents[0]
        and w.exponents[1] >= n.exponents[1]
        and w.zero >= n.zero
        and w.nan >= n.nan
    )


def max_value(dtype: DType) -> int | float:
    """The largest finite value."""
    if dtype.is_float:
        return _FORMATS[dtype].largest
    if dtype.kind == "b":
        return 1
    return (1 << dtype.bits) - 1 if dtype.kind == "u" else (1 << (dtype.bits - 1)) - 1


def min_value(dtype: DType) -> int | float:
    """The smallest (most negative) finite value."""
    if dtype.is_float:
        form = _FORMATS[dtype]
        return -form.largest if form.negative else 2.0 ** form.exponents[0]
    return 0 if dtype.kind in "ub" else -(1 << (dtype.bits - 1))


def has_infinity(dtype: DType) -> bool:
    return dtype.is_float and _FORMATS[dtype].infinity


def has_nan(dtype: DType) -> bool:
    return dtype.is_float and _FORMATS[dtype].nan


def _is_within(value: int | float, dtype: DType) -> bool:
    return min_value(dtype) <= value <= max_value(dtype)


def representable(value: bool | int | float, dtype: DType) -> bool:
    """Whether a literal of this value may take `dtype` (floats may be rounded)."""
    if dtype.is_float:
        if isinstance(value, float) and not math.isfinite(value):
            return has_nan(dtype) if math.isnan(value) else has_infinity(dtype)
        return _is_within(value, dtype)
    if dtype.kind == "b":
        return value in (0, 1)
    return math.isfinite(value) and value == int(value) and _is_within(value, dtype)
