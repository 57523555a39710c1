"""The language in NumPy: what `T` is when the text of a kernel is run as Python.

`text.load` runs kernels on it: blocks one after the other, loops as Python's. What each name
means is docs/semantics.md; names that the example kernels do not use are left out.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np

from tilewright.language import dtypes
from tilewright.testing import gamma, unit_roundoff

from .memory import Array, Box, Region, Turn
from .reductions import Reductions, total
from .values import (
    INDEX,
    TINY,
    Number,
    Undecided,
    Undefined,
    both,
    convert,
    function,
    number,
    pick,
)  # fmt: skip


def size(value: object) -> int:
    """A size as a Python integer."""
    return int(value.__index__())


class Tensor:
    """An annotation: shape and dtype. Extents may be names of sizes."""

    def __init__(self, shape: object, dtype: object = "float32", **options: object):
        shape = shape if isinstance(shape, (tuple, list)) else (shape,)
        self.shape, self.dtype = tuple(shape), dtypes.parse(dtype)


class Dynamic:
    """A size that a launch gives."""

    def __init__(self, name: str):
        self.name = name


class Function:
    """A kernel function: its body and its parameters' annotations."""

    def __init__(self, body: Callable, annotations: dict[str, object]):
        self.body, self.annotations = body, annotations


class Language(Reductions):
    """The names of T for one run."""

    Tensor = Tensor
    SharedBuffer = FragmentBuffer = LocalBuffer = Buffer = Tensor

    def __init__(self, turn: Turn):
        self.turn = turn
        for dtype in dtypes.ALL:
            setattr(self, dtype.name, dtype)
        self.float = dtypes.float32
        for name in ("use_swizzle", "annotate_layout", "annotate_l2_hit_ratio", "assume"):
            setattr(self, name, lambda *a, **k: None)

    def StridedTensor(self, shape: object, strides: object, dtype: object = "float32"):
        return Tensor(shape, dtype)

    class GemmWarpPolicy:
        Square = FullRow = FullCol = "a hint"

    def dynamic(self, names: str, **facts: int) -> object:
        made = tuple(Dynamic(n.strip()) for n in names.split(","))
        return made if len(made) > 1 else made[0]

    const = symbolic = dynamic

    def choose(self, name: str, entries: list) -> object:
        return list(entries)[0]

    # -- memory -------------------------------------------------------------------------------

    def _tile(self, shape: object, dtype: object = "float32", scope: str = "") -> Array:
        shape = shape if isinstance(shape, (tuple, list)) else (shape,)
        return Array(self.turn, tuple(size(n) for n in shape), dtype)

    alloc_shared = alloc_fragment = alloc_local = _tile

    def alloc_global(self, shape: object, dtype: object = "float32") -> Array:
        return Array(self.turn, tuple(size(n) for n in shape), dtype, is_global=True)

    def empty(self, shape: object, dtype: object = "float32") -> Array:
        shape = shape if isinstance(shape, (tuple, list)) else (shape,)
        return self.alloc_global(shape, dtype)

    def alloc_var(self, dtype: object, init: object = None, scope: str = "") -> Number:
        dtype = dtypes.parse(dtype)
        return Number(None, dtype) if init is None else convert(number(init, dtype), dtype)

    def stored(self, variable: Number, value: object) -> Number:
        """What a variable holds after an assignment."""
        return convert(number(value, variable.dtype), variable.dtype)

    # -- loops --------------------------------------------------------------------------------

    def Kernel(self, *extents: object, threads: object = None, is_cpu: bool = False):
        counts = [size(n) for n in extents] or [1]
        self.turn.kernel += 1
        for block, at in enumerate(itertools.product(*(range(n) for n in reversed(counts)))):
            self.turn.block = block
            self.turn.step()
            coordinates = tuple(Number(i, INDEX) for i in reversed(at))
            yield coordinates if len(coordinates) > 1 else coordinates[0]
        self.turn.kernel += 1
        self.turn.block = 0

    def _range(self, *bounds: object, **hints: object) -> Iterator[Number]:
        for i in range(*(size(b) for b in bounds)):
            self.turn.step()
            yield Number(i, INDEX)

    serial = Serial = vectorized = range = _range

    def Pipelined(
        self, start: object, stop: object = None, num_stages: int = 0, **hints: object
    ):
        return self._range(*((start,) if stop is None else (start, stop)))

    def unroll(self, *bounds: object, **hints: object) -> Iterator[int]:
        return iter(range(*(size(b) for b in bounds)))

    def grid(self, *extents: object) -> Iterator:
        for at in itertools.product(*(range(size(n)) for n in extents)):
            self.turn.step()
            numbers = tuple(Number(i, INDEX) for i in at)
            yield numbers if len(numbers) > 1 else numbers[0]

    def Parallel(self, *extents: object, **hints: object) -> Iterator:
        outer = self.turn.iteration, self.turn.touched
        if outer[0] is None:
            self.turn.touched = {}
        for number_, at in enumerate(self.grid(*extents)):
            if outer[0] is None:
                self.turn.iteration = number_
            else:
                self.turn.iteration = (outer[0], number_)
            yield at
        self.turn.iteration, self.turn.touched = outer

    # -- scalars ------------------------------------------------------------------------------

    def ceildiv(self, a: object, b: object) -> object:
        if isinstance(a, int) and isinstance(b, int):
            return -(-a // b)
        return -(-number(a) // b) if isinstance(a, Number) else -((0 - number(a)) // b)

    def infinity(self, dtype: object) -> Number:
        return Number(math.inf, dtypes.parse(dtype))

    def cast(self, value: object, dtype: object) -> Number:
        if isinstance(value, str):  # the order of TVM
            value, dtype = dtype, value
        return convert(number(value), dtypes.parse(dtype))

    def min(self, *values: object) -> object:
        return self._pick(min, values)

    def max(self, *values: object) -> object:
        return self._pick(max, values)

    def _pick(self, op: Callable, values: tuple) -> object:
        if not any(isinstance(v, Number) for v in values):
            return op(values)
        return pick(op, values)

    def clamp(self, x: object, low: object, high: object) -> object:
        return self.max(low, self.min(x, high))

    def abs(self, x: object) -> Number:
        return abs(number(x))

    def if_then_else(self, condition: object, chosen: Callable, other: Callable) -> object:
        """Sides come as functions, so that the one not chosen is not read."""
        try:
            holds = bool(condition)
        except (Undefined, Undecided):
            return Number(None, number(chosen()).dtype)
        if not holds:
            chosen, other = other, chosen
        value = chosen()
        try:
            beside = other()
        except (Undefined, Undecided):
            return value
        if not isinstance(value, Number) and not isinstance(beside, Number):
            return value
        a, b, dtype = both(value, beside)
        return convert(a, dtype)

    def reinterpret(self, value: object, dtype: object) -> Number:
        raise NotImplementedError("T.reinterpret")

    def exp(self, x: object) -> Number:
        return function(np.exp, lambda v, e: math.exp(min(v + e, 709)) * e, x)

    def exp2(self, x: object) -> Number:
        return function(np.exp2, lambda v, e: math.exp2(min(v + e, 1000)) * e, x)

    def log(self, x: object) -> Number:
        return function(np.log, lambda v, e: e / (v - e) if v > e else math.inf, x)

    def log2(self, x: object) -> Number:
        return function(np.log2, lambda v, e: 1.45 * e / (v - e) if v > e else math.inf, x)

    def sqrt(self, x: object) -> Number:
        return function(np.sqrt, lambda v, e: math.sqrt(v + e) - math.sqrt(max(v - e, 0)), x)

    def rsqrt(self, x: object) -> Number:
        return function(
            lambda v: 1 / np.sqrt(v),
            lambda v, e: (v - e) ** -0.5 - (v + e) ** -0.5 if v > e else math.inf,
            x,
        )

    def tanh(self, x: object) -> Number:
        return function(np.tanh, lambda v, e: e, x)

    def sigmoid(self, x: object) -> Number:
        return function(
            lambda v: 1 / (1 + np.exp(-v)) if v > -700 else np.exp(v), lambda v, e: e / 4, x
        )

    # -- whole tiles --------------------------------------------------------------------------

    def copy(self, src: object, dst: object, **hints: object) -> None:
        source, target = self.region(src), self.region(dst)
        if source.is_open and target.is_open:
            raise TypeError("a copy between two starts")
        if source.is_open:
            source = source.sized(target.shape)
        if target.is_open:
            target = target.sized(source.shape)
        if [n for n in source.shape if n != 1] != [n for n in target.shape if n != 1]:
            raise TypeError("a copy between regions of other shapes")
        target.write(source.read())

    def fill(self, dst: object, value: object) -> None:
        self.region(dst).fill(value)

    def clear(self, dst: object) -> None:
        self.fill(dst, 0)

    def gather(self, src: object, indices: object, dst: object, axis: int = 0, fill: float = 0):
        if axis != 0:
            raise NotImplementedError("T.gather along another axis")
        target, source = self.region(dst), self.region(src)
        array = source.array
        start = source.starts[1:] if source.is_open else (0,) * (len(array.shape) - 1)
        names, made = self.region(indices).read(), target.read()
        for r in range(made.shape[0]):
            index = names.element((r,)).__index__()
            row = index + (source.starts[0] if source.is_open else 0)
            if index >= 0 and 0 <= row < array.shape[0]:
                sizes = (1, *made.shape[1:])
                line = Region(array, (row, *start), sizes).read().astype(made.dtype)
                for part in ("values", "errors", "defined"):
                    getattr(made, part)[r] = getattr(line, part)[0]
            else:
                made.values[r], made.errors[r], made.defined[r] = fill, 0, True
        target.write(made)

    def gemm(self, A: object, B: object, C: object, transpose_A: bool = False,
             transpose_B: bool = False, policy: object = None, clear_accum: object = False,
             **hints: object) -> None:  # fmt: skip
        a, b = self.region(A).read(), self.region(B).read()
        target = self.region(C)
        c = target.read()
        parts = [(a.values, a.errors, a.defined), (b.values, b.errors, b.defined)]
        (av, ae, ad) = (x.T for x in parts[0]) if transpose_A else parts[0]
        (bv, be, bd) = (x.T for x in parts[1]) if transpose_B else parts[1]
        if a.dtype.is_float != c.dtype.is_float or a.dtype.is_float != b.dtype.is_float:
            raise TypeError("a product of floats and integers")
        with np.errstate(all="ignore"):
            value, k = av @ bv, av.shape[1]
            defined = ad.all(1)[:, None] & bd.all(0)[None, :]
            if not clear_accum:
                value, defined = value + c.values, defined & c.defined
            if c.dtype.is_float:
                magnitude = abs(av) @ abs(bv) + (0 if clear_accum else abs(c.values))
                error = ae @ abs(bv) + abs(av) @ be + ae @ be
                error += 0 if clear_accum else c.errors
                unit = "f64" if c.dtype.bits == 64 else "f32"
                error += gamma(k + 2, unit) * magnitude + (k + 2) * TINY * (1 + magnitude)
                if c.dtype.bits < 32:
                    error += unit_roundoff(c.dtype.short) * (abs(value) + error)
                exact = magnitude == 0
                error = np.where(np.isnan(error), math.inf, np.where(exact, 0, error))
                error = np.where(np.isnan(value) & (ae.max() + be.max() == 0), 0, error)
                error = np.where(np.isinf(value), math.inf, error)
                value = np.where(error == math.inf, 0, value)
            else:
                error = np.zeros(value.shape)
        target.write(Box(value, error, defined, c.dtype).wrapped())

    def atomic_add(self, dst: Region, value: object, *hints: object, **options: object) -> None:
        array = dst.array
        index = array._index(dst.starts)
        self.turn.step()
        if index is None:
            return
        before = Box(array.values, array.errors, array.defined, array.dtype).element(index)
        x = total([before, convert(number(value, array.dtype), array.dtype)], array.dtype)
        array.put(index, x)
