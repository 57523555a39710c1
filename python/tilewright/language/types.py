"""Annotations of parameters: tensors and scalars.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from types import FrameType, FunctionType

from ..compiler.errors import CompileError
from .dtypes import DType, dtype_of, python_number
from .symbols import Const, SizeExpr

# As in the ABI: TW_MAX_RANK.
MAX_RANK = 16
# TW_MAX_EXPRESSION_STEPS.
MAX_STEPS = 64


class TensorType:
    """A tensor parameter's type.

    Attributes:
        shape: sizes, each an int, a `SizeExpr` or a `Const`.
        dtype: element type.
        strides: None for row-major contiguous, else one entry per dimension in elements:
            an int, a `SizeExpr`, a `Const`, or None for any.
        alias: the name of the parameter that it may be the same memory as, or "".
    """

    __slots__ = ("shape", "dtype", "strides", "alias")

    def __init__(
        self, shape: tuple, dtype: DType, strides: tuple | None = None, alias: str = ""
    ) -> None:
        self.shape, self.dtype, self.strides, self.alias = shape, dtype, strides, alias

    def __repr__(self) -> str:
        return f"T.Tensor({self.shape}, {self.dtype})"


def _shape(what: str, shape: object) -> tuple:
    shape = python_number(shape)
    if isinstance(shape, (int, SizeExpr, Const)):
        shape = (shape,)
    if not isinstance(shape, (tuple, list)) or not shape:
        raise CompileError.here(
            f"{what}: {shape!r} is not a shape", hint="give a tuple of sizes, such as (M, K)"
        )
    shape = tuple(map(python_number, shape))
    for size in shape:
        if isinstance(size, bool) or not isinstance(size, (int, SizeExpr, Const)):
            raise CompileError.here(
                f"{what}: {size!r} is not a size",
                hint='sizes are Python integers, T.dynamic("m") or T.const("M")',
            )
        if isinstance(size, int) and size < 0:
            raise CompileError.here(
                f"{what}: the size {size} is negative", hint="a size is 0 or more"
            )
        _check_storable(what, "size", size)
    if len(shape) > MAX_RANK:
        raise CompileError.here(
            f"{what} of {len(shape)} dimensions", rule=f"a tensor has at most {MAX_RANK}"
        )
    return shape


def _strides(what: str, strides: object, rank: int) -> tuple:
    if not isinstance(strides, (tuple, list)) or len(strides) != rank:
        raise CompileError.here(
            f"{what}: {strides!r} does not give one stride for each of the {rank} dimensions",
            hint="give integers, T.dynamic names, expressions of such, or None for any stride",
        )
    strides = tuple(map(python_number, strides))
    for stride in strides:
        if stride is None:
            continue
        if isinstance(stride, bool) or not isinstance(stride, (int, SizeExpr, Const)):
            raise CompileError.here(
                f"{what}: {stride!r} is not a stride",
                hint="an integer, a T.dynamic name, an expression of such, or None for any",
            )
        _check_storable(what, "stride", stride)
    return strides


def _check_storable(what: str, kind: str, value: int | SizeExpr | Const) -> None:
    """Refuse a size or stride that the table of a signature cannot hold."""
    if isinstance(value, SizeExpr) and len(value.steps()) > MAX_STEPS:
        raise CompileError.here(
            f"{what}: a {kind} is an expression of {len(value.steps())} names, numbers and "
            "operators",
            rule=f"an expression of sizes has at most {MAX_STEPS}",
            hint='give it a name of its own: n = T.dynamic("n")',
        )
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise CompileError.here(f"{what}: the {kind} {value}", rule=f"a {kind} has 64 bits")


def _alias(name: object) -> str:
    if not isinstance(name, str):
        raise CompileError.here(
            f"T.Tensor: alias={name!r} is no name",
            hint='name the parameter whose memory it may be: alias="A"',
        )
    return name


class _StridedMeta(type):
    def __getitem__(cls, item: object) -> TensorType:
        """`T.StridedTensor[(M, K), (s, 1), "float16"]`, with or without a dtype."""
        return cls(*item)


class _TensorMeta(type):
    def __getitem__(cls, item: object) -> TensorType:
        """`T.Tensor[(M, K), "float16"]`, and as a call without a dtype."""
        is_pair = isinstance(item, tuple) and len(item) == 2
        if is_pair and not isinstance(python_number(item[1]), (int, SizeExpr, Const)):
            return cls(*item)
        return cls(item)


class Tensor(metaclass=_TensorMeta):
    """`T.Tensor((M, K), "float16")`: a row-major contiguous tensor in global memory.

    A size is an integer, a T.dynamic name, an expression of such (`m * 2`,
    `T.ceildiv(m, 64)`) or a T.const name. With `alias="A"`, an argument may be the same
    memory as that of the parameter A, whole and element by element.
    """

    def __new__(
        cls, shape: object, dtype: object = "float32", strides: object = None, alias: str = ""
    ):
        if strides is not None:
            return StridedTensor(shape, strides, dtype, alias)
        return TensorType(_shape("T.Tensor", shape), dtype_of(dtype), None, _alias(alias))


class StridedTensor(metaclass=_StridedMeta):
    """`T.StridedTensor(shape, strides, dtype)`: strides in elements, None for any.

    A stride is an integer, a T.dynamic name, an expression of such (`2 * n`,
    `T.ceildiv(n, 8) * 8`), a T.const name or None.
    """

    def __new__(
        cls, shape: object, strides: object, dtype: object = "float32", alias: str = ""
    ):
        shape = _shape("T.StridedTensor", shape)
        strides = _strides("T.StridedTensor", strides, len(shape))
        return TensorType(shape, dtype_of(dtype), strides, _alias(alias))


# Annotations of macros' parameters, which document and are not checked.
Buffer = SharedBuffer = FragmentBuffer = LocalBuffer = Tensor


def ptr(*arguments: object, **options: object):
    """Bare pointers carry no bounds, so they are refused."""
    raise CompileError.here(
        "T.ptr: a bare pointer has no shape, and every access is checked against a shape",
        hint="pass a T.Tensor, with T.dynamic sizes where they vary",
    )


class Ref:
    """Annotation of a macro's parameter that is a variable of the caller, not its value."""


class Unevaluated:
    """An annotation whose text fails: refused where the parameter is made, with a place."""

    def __init__(self, text: str, error: Exception) -> None:
        if isinstance(error, CompileError):
            self.message, self.rule, self.hint = error.message, error.rule, error.hint
        else:
            self.message = f"{text} raises {type(error).__name__}: {error}"
            self.rule = "a parameter is a T.Tensor, a scalar's dtype or a T.dynamic size"
            self.hint = 'write it as T.Tensor((M, K), "float16") or T.int32'


def evaluated(function: FunctionType, around: FrameType) -> dict[str, object]:
    """Annotations as objects, also where `from __future__ import annotations` made them text.

    Names that occur only in the text are not in the closure, so the frame around the
    function is asked for them.
    """
    found = dict(function.__annotations__)
    for name, annotation in found.items():
        if isinstance(annotation, str) and not isinstance(annotation, DType):
            try:
                found[name] = eval(annotation, function.__globals__, dict(around.f_locals))
            except (NameError, SyntaxError):
                pass  # a dtype's name, "int32"; refused where the parameter is made
            except Exception as error:
                found[name] = Unevaluated(annotation, error)
    return found
