"""The reference's reductions: over a dimension, running, and the extreme elements.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tilewright.language import dtypes
from tilewright.testing import gamma

from .memory import Array, Region, Turn
from .values import INDEX, TINY, Number, Undecided, compare, convert, meet, pick


class Reductions:
    """Part of the language. See the module's docstring."""

    turn: Turn

    def region(self, x: object) -> Region:
        """A tile or a part of one."""
        if isinstance(x, Array):
            return x.whole()
        if isinstance(x, Region):
            return x
        raise TypeError(f"{x!r} is no tile")

    def _reduce(self, src: object, dst: object, dim: int, clear: object, how: Callable) -> None:
        source, target = self.region(src).read(), self.region(dst)
        dim = int(dim.__index__())
        if not -len(source.shape) <= dim < len(source.shape):
            raise TypeError("a dimension that there is not")
        dtype = meet(source.dtype, target.array.dtype)
        source = source.astype(dtype)
        before = target.read().astype(dtype)
        lines = np.moveaxis(np.arange(source.values.size).reshape(source.shape), dim, -1)
        if [n for n in lines.shape[:-1] if n != 1] != [n for n in before.shape if n != 1]:
            raise TypeError("a reduction into another shape")
        places = list(np.ndindex(source.shape))
        for to, line in zip(np.ndindex(before.shape), lines.reshape(-1, lines.shape[-1])):
            self.turn.step()
            numbers = [source.element(places[i]) for i in line]
            if not clear:
                numbers.append(before.element(to))
            x = Number(None, dtype)
            if all(n.value is not None for n in numbers):
                x = how(numbers, dtype)
            before.values[to], before.errors[to] = x.value or 0, x.error
            before.defined[to] = x.value is not None
        target.write(before)

    def reduce_sum(self, src, dst, dim=-1, clear=True, **hints):
        self._reduce(src, dst, dim, clear, total)

    def reduce_abssum(self, src, dst, dim=-1, clear=True, **hints):
        self._reduce(src, dst, dim, clear, lambda n, d: total([abs(x) for x in n], d))

    def reduce_max(self, src, dst, dim=-1, clear=True, **hints):
        self._reduce(src, dst, dim, clear, lambda n, d: convert(pick(max, tuple(n)), d))

    def reduce_min(self, src, dst, dim=-1, clear=True, **hints):
        self._reduce(src, dst, dim, clear, lambda n, d: convert(pick(min, tuple(n)), d))

    def reduce_absmax(self, src, dst, dim=-1, clear=True, **hints):
        self._reduce(src, dst, dim, clear, lambda n, d: pick(max, tuple(abs(x) for x in n)))

    def cumsum(self, src: object, dst: object = None, dim: int = 0, reverse: bool = False):
        source = self.region(src).read()
        target = self.region(src if dst is None else dst)
        made = target.read()
        if source.shape != made.shape or len(source.shape) != 1:
            raise NotImplementedError("T.cumsum of this shape")
        numbers = [source.element((i,)) for i in range(source.shape[0])]
        for i in range(len(numbers)):
            part = numbers[i:] if reverse else numbers[: i + 1]
            x = Number(None, made.dtype)
            if all(n.value is not None for n in part):
                x = convert(total(part, source.dtype), made.dtype)
            made.values[i], made.errors[i] = x.value or 0, x.error
            made.defined[i] = x.value is not None
        target.write(made)

    def topk(self, src: object, k: int, dim: int = -1, *, largest: bool = True) -> tuple:
        source = self.region(src).read()
        k, dim = int(k.__index__()), int(dim.__index__()) % len(source.shape)
        if not 0 < k <= source.shape[dim]:
            raise TypeError("more than there are")
        shape = tuple(k if d == dim else n for d, n in enumerate(source.shape))
        best = Array(self.turn, shape, source.dtype)
        at = Array(self.turn, shape, dtypes.int32)
        for place in np.ndindex(tuple(n for d, n in enumerate(source.shape) if d != dim)):
            line = [
                source.element((*place[:dim], i, *place[dim:]))
                for i in range(source.shape[dim])
            ]
            if any(n.value is None for n in line):
                continue
            for j, i in enumerate(order(line, k, largest)):
                to = (*place[:dim], j, *place[dim:])
                best.put(to, line[i])
                at.put(to, Number(i, dtypes.int32))
        return best, at


def total(numbers: list[Number], dtype: dtypes.DType) -> Number:
    """A sum in an order that is not specified."""
    values = [n.value for n in numbers]
    if not dtype.is_float:
        return convert(Number(sum(values), INDEX), dtype)
    with np.errstate(all="ignore"):
        value = float(np.sum(np.array(values, np.float64)))
    error = sum(n.error for n in numbers)
    if not math.isfinite(value):
        return Number(value, dtype, math.inf if error else 0.0)
    magnitude = sum(abs(v) for v in values)
    if len(numbers) > 1 and magnitude:
        unit = "f64" if dtype.bits == 64 else "f32"
        error += gamma(len(numbers), unit) * (magnitude + error) + len(numbers) * TINY
    return (
        convert(Number(value, dtypes.float64, error), dtype) if error else Number(value, dtype)
    )


def order(line: list[Number], k: int, largest: bool) -> list[int]:
    """The positions of the k extreme elements; equals in the order of positions."""
    sign = -1 if largest else 1
    keys = [(-math.inf if math.isnan(n.value) else sign * n.value) for n in line]
    found = sorted(range(len(line)), key=lambda i: (keys[i], i))
    for i, j in zip(found, found[1:][: k + 1]):
        if (line[i].error or line[j].error) and bool(
            compare(lambda a, b: a == b, line[i], line[j]).error
        ):
            raise Undecided("an order within the rounding error")
    return found[:k]
