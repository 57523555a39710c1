"""Writes python/tilewright/language/__init__.pyi: the language's names for type checkers.

    .venv/bin/python scripts/language_stubs.py

An operation is declared for the compiler: its function takes an emitter, and its call is read
and never made. What an author's editor should show is another signature, which follows from
how each argument reaches the operation. Return types are annotations of the declarations.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "python"))

import tilewright.language as T  # noqa: E402
from tilewright.language.dtypes import DType  # noqa: E402
from tilewright.language.registry import (  # noqa: E402
    Lazy,
    Operation,
    Parameter,
    Ref,
    Scalar,
    is_required,
)

TARGET = ROOT / "python" / "tilewright" / "language" / "__init__.pyi"

HEAD = '''"""The language of kernels: `import tilewright.language as T`.

Written by `scripts/language_stubs.py`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import builtins
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, TypeVar, overload

from .prim_func import PrimFunc as _PrimFunc

_F = TypeVar("_F", bound=Callable[..., Any])

# The language has dtypes of these names.
_bool: TypeAlias = builtins.bool
_int: TypeAlias = builtins.int
_float: TypeAlias = builtins.float

class Value:
    """A scalar that is known when the kernel runs."""

@BINARY@
    def __neg__(self) -> Value: ...
    def __pos__(self) -> Value: ...
    def __invert__(self) -> Value: ...
    def __abs__(self) -> Value: ...
    def __eq__(self, other: object) -> Any: ...
    def __ne__(self, other: object) -> Any: ...
    def __bool__(self) -> _bool: ...
    def __index__(self) -> _int: ...
    def astype(self, dtype: _Dtype) -> Value: ...

class Memory(Value):
    """A tensor, a tile, a variable, or a part of one: `A[i, 0:64]`, `A[i, j]`."""

    dtype: DType
    shape: tuple[Any, ...]
    def __getitem__(self, index: Any) -> Memory: ...
    def __setitem__(self, index: Any, value: _Scalar) -> None: ...

class DType:
    """An element type. Equal to any spelling of it: `T.float16 == "float16"`."""

    name: str
    short: str
    bits: _int
    @property
    def itemsize(self) -> _int: ...
    def as_torch(self) -> Any: ...
    def __call__(self, value: _Scalar) -> Value: ...

_Dtype: TypeAlias = DType | str | type | Any
_Scalar: TypeAlias = Value | _int | _float | _bool

class _Kernel1:
    def __enter__(self) -> Value: ...
    def __exit__(self, *error: object) -> None: ...

class _Kernel2:
    def __enter__(self) -> tuple[Value, Value]: ...
    def __exit__(self, *error: object) -> None: ...

class _Kernel3:
    def __enter__(self) -> tuple[Value, Value, Value]: ...
    def __exit__(self, *error: object) -> None: ...

class Ref:
    """Annotation of a macro's parameter that is a variable of the caller, not its value."""

class Tensor:
    """`T.Tensor((M, K), "float16")`: a row-major contiguous tensor in global memory."""

    def __new__(
        cls, shape: Any, dtype: _Dtype = "float32", strides: Any = None, alias: str = ""
    ) -> Any: ...
    def __class_getitem__(cls, item: Any) -> Any: ...

class StridedTensor:
    """`T.StridedTensor(shape, strides, dtype)`: strides in elements, None for any."""

    def __new__(
        cls, shape: Any, strides: Any, dtype: _Dtype = "float32", alias: str = ""
    ) -> Any: ...

Buffer = SharedBuffer = FragmentBuffer = LocalBuffer = Tensor

class _Dyn:
    def __getitem__(self, name: str) -> Any: ...
    def __call__(self, name: str) -> Any: ...

dyn: _Dyn

class GemmWarpPolicy:
    """How warps share the result of a gemm; a hint, which the CPU ignores."""

    Square: str
    FullRow: str
    FullCol: str

def dynamic(
    name: str,
    dtype: _Dtype = None,
    *,
    min: _int = 0,
    max: _int | None = None,
    multiple_of: _int = 1,
) -> Any: ...
def const(name: str, dtype: _Dtype = None) -> Any: ...
@overload
def prim_func(function: Callable[..., Any]) -> _PrimFunc: ...
@overload
def prim_func(**options: Any) -> Callable[[Callable[..., Any]], _PrimFunc]: ...
@overload
def macro(function: _F) -> _F: ...
@overload
def macro(**options: Any) -> Callable[[_F], _F]: ...
def ptr(*arguments: Any, **options: Any) -> Any: ...
'''

# Calls whose type depends on how many arguments there are: written out.
WRITTEN = {
    "Kernel": """
        @overload
        def Kernel(x: _Scalar, /, *, threads: Any = None, is_cpu: _bool = False) -> _Kernel1:
            {doc}
        @overload
        def Kernel(
            x: _Scalar, y: _Scalar, /, *, threads: Any = None, is_cpu: _bool = False
        ) -> _Kernel2: ...
        @overload
        def Kernel(
            x: _Scalar, y: _Scalar, z: _Scalar, /, *, threads: Any = None, is_cpu: _bool = False
        ) -> _Kernel3: ...
    """,
    "Parallel": """
        @overload
        def Parallel(x: _Scalar, /, **hints: Any) -> Iterator[Value]:
            {doc}
        @overload
        def Parallel(
            x: _Scalar, y: _Scalar, /, *rest: _Scalar, **hints: Any
        ) -> Iterator[tuple[Any, ...]]: ...
    """,
    "grid": """
        @overload
        def grid(x: _Scalar, /) -> Iterator[Value]:
            {doc}
        @overload
        def grid(x: _Scalar, y: _Scalar, /, *rest: _Scalar) -> Iterator[tuple[Any, ...]]: ...
    """,
}

# Python's types of values whose declaration says less or something else.
RETURNS = {"Loop": "Iterator[Any]", "object": "Any", "Value | None": "Any"}
SYMMETRIC = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow")
SYMMETRIC += ("lshift", "rshift", "and", "or", "xor")
COMPARED = ("lt", "le", "gt", "ge")


def binary() -> str:
    lines = [
        f"    def __{side}{name}__(self, other: _Scalar) -> Value: ..."
        for name in SYMMETRIC
        for side in ("", "r")
    ]
    lines += [f"    def __{name}__(self, other: _Scalar) -> Value: ..." for name in COMPARED]
    return "\n".join(lines)


def docstring(value: object, indent: str) -> str:
    """The docstring as source, its lines no longer than the project's."""
    paragraphs = (inspect.getdoc(value) or "").replace("\\", "\\\\").split("\n\n")
    text = "\n\n".join(textwrap.fill(p, 88) for p in paragraphs)
    text = textwrap.indent(text, indent).strip()
    return f'"""{text}\n{indent}"""' if "\n" in text else f'"""{text}"""'


def _python(kind: type) -> str:
    return "str" if kind is str else f"_{kind.__name__}"


def parameter(entry: Parameter) -> str:
    """One parameter as an author writes it."""
    if entry.name == "dtype":
        kind = "_Dtype"
    elif entry.mode is Scalar and entry.name != "shape":
        kind = "_Scalar"
    elif entry.mode in (Scalar, Ref, Lazy):
        kind = "Any"
    elif isinstance(entry.default, (bool, int, str)):
        kind = f"{_python(type(entry.default))} | Any"
    else:
        kind = "Any"
    if is_required(entry):
        return f"{entry.name}: {kind}"
    optional = " | None" if entry.default is None and kind == "_Scalar" else ""
    return f"{entry.name}: {kind}{optional} = {entry.default!r}"


def returned(operation: Operation) -> str:
    """The return type; elementwise operations give a number where they are given numbers."""
    if operation.elementwise:
        return "Any"
    declared = operation.emit.__annotations__.get("return", "None")
    return RETURNS.get(declared, declared)


def declaration(name: str, operation: Operation) -> str:
    doc = docstring(operation, "    ")
    if name in WRITTEN:
        text = textwrap.dedent(WRITTEN[name]).strip("\n")
        return text.format(doc=doc) + "\n"
    positional = [p for p in operation.parameters if not p.keyword_only]
    keywords = [parameter(p) for p in operation.parameters if p.keyword_only]
    parts = [parameter(p) for p in positional]
    if operation.variadic:
        parts.append("*rest: _Scalar" if positional else "*values: Any")
    elif keywords:
        parts.append("*")
    head = f"def {name}({', '.join(parts + keywords)}) -> {returned(operation)}:"
    if len(head) > 96:
        lines = "".join(f"    {part},\n" for part in parts + keywords)
        head = f"def {name}(\n{lines}) -> {returned(operation)}:"
    return f"{head}\n    {doc}\n"


def page() -> str:
    """The whole file."""
    lines = [HEAD.replace("@BINARY@", binary())]
    written = set(re.findall(r"^(?:def|class) (\w+)|^(\w+):", lines[0], re.MULTILINE))
    written = {a or b for a, b in written} | {"Buffer", "SharedBuffer"}
    written |= {"FragmentBuffer", "LocalBuffer"}
    later = []
    for name in T.__all__:
        value = getattr(T, name)
        own = value.name if isinstance(value, Operation) else getattr(value, "__name__", name)
        if name in written:
            continue
        if isinstance(value, DType):
            lines.append(f"{name}: DType\n")
        elif own != name and getattr(T, own, None) is value:
            later.append(f"{name} = {own}\n")
        elif isinstance(value, Operation):
            lines.append(declaration(name, value))
        else:
            raise SystemExit(f"T.{name} is of a kind that the stubs do not know: {value!r}")
    return "".join(lines + later)


if __name__ == "__main__":
    TARGET.write_text(page())
