"""Views: another shape or element type over the same memory.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from ..language.dtypes import DType
from ..language.symbols import Dim, SizeExpr
from ..language.values import Memory, Region, Value
from .builder import memref
from .scalars import affine_of

# A number of elements: the factor of each product of names, the names in order.
Polynomial = dict[tuple[str, ...], int]


class Views:
    """Part of the emitter. See the module's docstring."""

    def view(self, what: str, x: object, shape: object, dtype: DType | None) -> Memory:
        """`x` in another shape, its own where that is None, and as another element type."""
        memory = self._viewed(what, x)
        dtype = memory.dtype if dtype is None else dtype
        if dtype is not memory.dtype and "b" in (dtype.kind, memory.dtype.kind):
            self.fail(
                f"{what} of {memory.name}, which is {memory.dtype}, as {dtype}",
                rule="a bool is 0 or 1, which other types would not keep to",
                hint="write a T.Parallel loop: y[i] = x[i] != 0",
            )
        if dtype.is_paired or memory.dtype.is_paired:
            as_dtype = f", as {dtype}" if dtype is not memory.dtype else ""
            paired = dtype if dtype.is_paired else memory.dtype
            self.fail(
                f"{what} of {memory.name}, which is {memory.dtype}{as_dtype}",
                rule=f"a view is of elements of whole bytes, and two {paired} share one",
                hint="declare the tensor in that shape and dtype; an array of bytes may be "
                "passed for either"
                if memory.is_global
                else "copy it into a tile of float8_e4m3fn, which holds all its values",
            )
        if shape is None:
            sizes = self._scaled(what, memory, dtype)
        else:
            shape = self.known_sizes(shape)
            shape = shape if isinstance(shape, (tuple, list)) else (shape,)
            sizes = tuple(self._view_size(what, memory, size) for size in shape)
        self._check_bytes(what, memory, sizes, dtype)
        dynamic = [self.size(s) if isinstance(s, SizeExpr) else s for s in sizes]
        operands = ", ".join(s.ssa for s in dynamic if isinstance(s, Value))
        type = memref(sizes, dtype, memory.space)
        name = self.name_hint or memory.name
        ssa = self.builder.result(
            f"tile.view {memory.ssa}{f' sizes({operands})' if operands else ''} : "
            f"{memory.type} to {type}",
            name,
        )
        view = Memory(ssa, name, dtype, sizes, memory.space, type, base=memory.base)
        memory.base.align = max(memory.base.align, dtype.itemsize)
        return view

    def _viewed(self, what: str, x: object) -> Memory:
        """The memory that is viewed, where it can be."""
        if isinstance(x, Region):
            self.fail(
                f"{what} of a part of {x.memory.name}",
                rule="a view is of a whole tile or tensor",
                hint="take the view of the whole, and slice that",
            )
        if not isinstance(x, Memory) or x.variable:
            self.fail(
                f"{what}: its first argument is no tile or tensor",
                hint="T.reinterpret sees the bits of a scalar as another type",
            )
        if self.parallel:
            self.fail(
                f"{what} inside T.Parallel",
                rule="T.Parallel holds elementwise code only",
                hint="put it in front of the loop",
            )
        strides = next((p.strides for p in self.parameters if p.memory is x), None)
        if strides is not None:
            self.fail(
                f"{what} of {x.name}, a T.StridedTensor",
                rule="a view is of memory without gaps, whose elements lie in order",
                hint="declare it a T.Tensor, or copy it into one of T.alloc_global",
            )
        return x

    def _view_size(self, what: str, memory: Memory, size: object) -> int | SizeExpr | Value:
        if isinstance(size, SizeExpr):
            return size
        size = self.index(size, f"a size of {what}")
        if isinstance(size, int) and size < (0 if memory.is_global else 1):
            self.fail(f"{what}: the size {size}", hint="a size is 1 or more")
        if isinstance(size, Value) and not memory.is_global:
            self.fail(
                f"{what}: an extent is known only at run time",
                rule="extents of tiles are compile-time constants",
            )
        return size

    def _scaled(self, what: str, memory: Memory, dtype: DType) -> tuple:
        """The shape whose last extent takes the bytes of one of `dtype`."""
        *rest, last = memory.shape
        source, target = memory.dtype.itemsize, dtype.itemsize
        if source % target == 0:
            factor = source // target
            return (*rest, last if factor == 1 else self._times(last, factor))
        if not isinstance(last, int) or last * source % target:
            self.fail(
                f"{what} of {memory.name} as {dtype}: its last dimension, of {last} "
                f"{memory.dtype}, is not shown to be a whole number of {dtype}",
                hint="give the shape: T.view(x, shape, dtype)",
            )
        return (*rest, last * source // target)

    def _times(self, size: int | SizeExpr | Value, factor: int) -> int | SizeExpr | Value:
        return self.binary("mul", size, factor) if isinstance(size, Value) else size * factor

    def _check_bytes(self, what: str, memory: Memory, sizes: tuple, dtype: DType) -> None:
        before = _scale(self._count(memory.shape), memory.dtype.itemsize)
        after = _scale(self._count(sizes), dtype.itemsize)
        if before == after:
            return
        known = before.keys() | after.keys() <= {()}
        shown = [_text(shape) for shape in (memory.shape, sizes)]
        counts = [f", {p.get((), 0)} bytes" if known else "" for p in (before, after)]
        self.fail(
            f"{what} of {memory.name}, {shown[0]} of {memory.dtype}{counts[0]}, as "
            f"{shown[1]} of {dtype}{counts[1]}",
            rule="a view has as many bytes as what it is of"
            if known
            else "a view is shown, while compiling, to have as many bytes as what it is of",
            hint="the product of the extents stays the same where the dtype does"
            if known
            else "write its sizes as products of the tensor's own, such as (m * n,)",
        )

    # -- counting ---------------------------------------------------------------------------

    def same_shape(self, a: Memory, b: Memory) -> bool:
        """Whether two shapes are shown to be equal."""
        return len(a.shape) == len(b.shape) and all(
            self._terms(x) == self._terms(y) for x, y in zip(a.shape, b.shape)
        )

    def _count(self, shape: tuple) -> Polynomial:
        """The number of elements of a shape."""
        product: Polynomial = {(): 1}
        for size in shape:
            product = _multiply(product, self._terms(size))
        return product

    def _terms(self, size: int | SizeExpr | Value) -> Polynomial:
        """A size as a sum of products of names."""
        if isinstance(size, int):
            return {(): size} if size else {}
        if isinstance(size, Dim):
            return {(size.name,): 1}
        if isinstance(size, SizeExpr):
            if size.operator not in ("add", "sub", "mul"):
                return {(str(size),): 1}
            a, b = map(self._terms, size.operands)
            if size.operator == "mul":
                return _multiply(a, b)
            return _add(a, _scale(b, 1 if size.operator == "add" else -1))
        constant, factors = affine_of(size)
        total = self._terms(constant)
        for ssa, factor in factors.items():
            source = self.made_of.get(ssa)
            if isinstance(source, SizeExpr):
                terms = self._terms(source)
            elif source is not None:
                terms = _multiply(*map(self._terms, source))
            else:
                terms = {(ssa,): 1}
            total = _add(total, _scale(terms, factor))
        return total


def _add(a: Polynomial, b: Polynomial) -> Polynomial:
    sums = {names: a.get(names, 0) + b.get(names, 0) for names in a.keys() | b.keys()}
    return {names: factor for names, factor in sums.items() if factor}


def _scale(a: Polynomial, factor: int) -> Polynomial:
    return {names: f * factor for names, f in a.items()} if factor else {}


def _multiply(a: Polynomial, b: Polynomial) -> Polynomial:
    total: Polynomial = {}
    for x, p in a.items():
        for y, q in b.items():
            total = _add(total, {tuple(sorted(x + y)): p * q})
    return total


def _text(shape: tuple) -> str:
    """A shape for a message."""
    sizes = [
        str(size.dim or "a run-time value") if isinstance(size, Value) else str(size)
        for size in shape
    ]
    return f"({', '.join(sizes)}{',' * (len(sizes) == 1)})"
