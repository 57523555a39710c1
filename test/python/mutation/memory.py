"""Tensors and tiles of the reference, their regions, and who touched which element.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import math

import numpy as np

from tilewright.language import dtypes

from .values import Number, Undefined, convert, number, wrap

_NOBODY, _MANY = -1, -2


class Turn:
    """Whose turn it is: a block of a kernel, and an iteration of a T.Parallel within it."""

    def __init__(self) -> None:
        self.kernel = 0  # counts kernels
        self.block = 0
        self.iteration: int | None = None
        self.touched: dict[tuple[int, int], tuple[int, bool]] = {}
        self.steps = 0

    def step(self) -> None:
        """Counts work; programs that do not end are noticed."""
        self.steps += 1
        if self.steps > 400_000:
            raise Undefined("the program does not end, or not soon")

    def parallel(self, key: tuple[int, int], writes: bool) -> None:
        """An access by an iteration of T.Parallel: iterations have no order."""
        before = self.touched.get(key)
        if before is None:
            self.touched[key] = self.iteration, writes
        elif before[0] == self.iteration:
            self.touched[key] = self.iteration, writes or before[1]
        elif writes or before[1]:
            raise Undefined("a race between iterations of T.Parallel")
        else:
            self.touched[key] = _MANY, False


class Array:
    """A tensor or tile: values (float64 or int64), errors, and which elements are defined."""

    def __init__(self, turn: Turn, shape: tuple[int, ...], dtype: object, name: str = "",
                 is_global: bool = False, private: bool = False):  # fmt: skip
        self.turn, self.name, self.is_global = turn, name, is_global
        self.dtype = dtypes.parse(dtype)
        self.shape = tuple(int(n) for n in shape)
        self.values = np.zeros(self.shape, np.float64 if self.dtype.is_float else np.int64)
        self.errors = np.zeros(self.shape)
        self.defined = np.zeros(self.shape, bool)
        self.strides = [math.prod(self.shape[d + 1 :]) for d in range(len(self.shape))]
        if is_global:
            self.kernel = np.zeros(self.shape, np.int64)  # of the two that follow
            self.writer = np.full(self.shape, _NOBODY)
            self.reader = np.full(self.shape, _NOBODY)

    # -- whose turn ---------------------------------------------------------------------------

    def _block(self, where: object, writes: bool) -> None:
        """An access by a block to global elements: blocks have no order."""
        if not self.is_global:
            return
        turn = self.turn
        old = self.kernel[where] != turn.kernel
        writer = np.where(old, _NOBODY, self.writer[where])
        reader = np.where(old, _NOBODY, self.reader[where])
        foreign = (writer != _NOBODY) & (writer != turn.block)
        if writes:
            foreign |= (reader != _NOBODY) & (reader != turn.block)
        if np.any(foreign):
            raise Undefined("a race between blocks")
        self.kernel[where] = turn.kernel
        self.writer[where] = turn.block if writes else writer
        other = (reader != _NOBODY) & (reader != turn.block)
        self.reader[where] = reader if writes else np.where(other, _MANY, turn.block)

    # -- elements -----------------------------------------------------------------------------

    def _index(self, key: object) -> tuple[int, ...] | None:
        """The place of an element; None outside of a tensor."""
        key = key if isinstance(key, tuple) else (key,)
        if len(key) != len(self.shape):
            raise TypeError(f"{len(key)} indices for {len(self.shape)} dimensions")
        index = []
        for k in key:
            if isinstance(k, (slice, float, str)) or k is None:
                raise TypeError(f"{k!r} as an index of an element")
            if isinstance(k, Number) and k.value is None and self.is_global:
                raise Undefined("an undefined index")
            index.append(int(k.__index__()))
        if all(0 <= i < n for i, n in zip(index, self.shape)):
            return tuple(index)
        if not self.is_global:
            raise Undefined("an index outside a tile")
        return None

    def __getitem__(self, key: object) -> Number:
        index = self._index(key)
        if index is None:
            return Number(0.0 if self.dtype.is_float else 0, self.dtype)
        self._touch(index, writes=False)
        if not self.defined[index]:
            return Number(None, self.dtype)
        value = self.values[index]
        return Number(
            float(value) if self.dtype.is_float else int(value), self.dtype, self.errors[index]
        )

    def __setitem__(self, key: object, value: object) -> None:
        parts = key if isinstance(key, tuple) else (key,)
        if any(isinstance(k, slice) or k is Ellipsis for k in parts):
            self.at[key].fill(value)
            return
        index = self._index(key)
        stored = convert(number(value, self.dtype), self.dtype)
        if index is None:
            return
        self._touch(index, writes=True)
        self.put(index, stored)

    def put(self, index: tuple[int, ...], stored: Number) -> None:
        """Stores a Number of this type."""
        self.defined[index] = stored.value is not None
        self.values[index] = stored.value or 0
        self.errors[index] = stored.error

    def _touch(self, index: tuple[int, ...], writes: bool) -> None:
        self.turn.step()
        if self.turn.iteration is not None:
            flat = sum(i * s for i, s in zip(index, self.strides))
            self.turn.parallel((id(self), flat), writes)
        self._block(index, writes)

    # -- regions ------------------------------------------------------------------------------

    @property
    def at(self) -> _At:
        """`x.at[i, 0:4]`: a region, not an element."""
        return _At(self)

    def whole(self) -> Region:
        """The region of everything."""
        return Region(self, (0,) * len(self.shape), self.shape)


class _At:
    def __init__(self, array: Array):
        self.array = array

    def __getitem__(self, key: object) -> Region:
        array = self.array
        key = key if isinstance(key, tuple) else (key,)
        dots = [i for i, k in enumerate(key) if k is Ellipsis]  # a Number's == is no bool
        if dots:
            at, missing = dots[0], len(array.shape) - len(key) + 1
            key = key[:at] + (slice(None),) * missing + key[at + 1 :]
        if len(key) > len(array.shape):
            raise TypeError("more indices than dimensions")
        if len(key) < len(array.shape):
            key += (slice(None),) * (len(array.shape) - len(key))
        starts, sizes = [], []
        sliced = any(isinstance(k, slice) for k in key)
        for k, n in zip(key, array.shape):
            if isinstance(k, slice):
                if k.step is not None:
                    raise TypeError("a slice with a step")
                start = 0 if k.start is None else int(k.start)
                stop = n if k.stop is None else int(k.stop)
                starts.append(start)
                sizes.append(max(stop - start, 0))
            else:
                starts.append(int(k.__index__()))
                sizes.append(1 if sliced else None)
        kept = [not sliced or isinstance(k, slice) for k in key]
        return Region(array, tuple(starts), tuple(sizes), kept)


class Region:
    """A box of an array. A size of None takes what the other side of a copy has.

    `kept` says which dimensions count: one that a slice beside it leaves at an index does not.
    """

    def __init__(self, array: Array, starts: tuple, sizes: tuple, kept: list | None = None):
        self.array, self.starts, self.sizes = array, starts, sizes
        self.kept = kept or [True] * len(starts)

    @property
    def is_open(self) -> bool:
        """Whether the region is given by its start alone."""
        return None in self.sizes

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents that count."""
        return tuple(n for n, k in zip(self.sizes, self.kept) if k)

    def sized(self, shape: tuple[int, ...]) -> Region:
        """An open region with the other side's shape, aligned at the last dimension."""
        rank = len(self.starts)
        while len(shape) > rank and shape[0] == 1:
            shape = shape[1:]
        if len(shape) > rank:
            raise TypeError("the other side has more dimensions")
        kept = [False] * (rank - len(shape)) + [True] * len(shape)
        return Region(self.array, self.starts, (1,) * (rank - len(shape)) + shape, kept)

    def _places(self) -> tuple[np.ndarray, tuple]:
        """Which elements are inside, as a mask of the box, and where in the array."""
        ranges = [np.arange(s, s + n) for s, n in zip(self.starts, self.sizes)]
        inside = np.ones(tuple(len(r) for r in ranges), bool)
        for d, (r, n) in enumerate(zip(ranges, self.array.shape)):
            along = [1] * len(ranges)
            along[d] = len(r)
            inside &= ((r >= 0) & (r < n)).reshape(along)
        if not self.array.is_global and not inside.all():
            raise Undefined("a region outside a tile")
        where = tuple(g[inside] for g in np.meshgrid(*ranges, indexing="ij"))
        if self.array.turn.iteration is not None:
            raise NotImplementedError("a whole tile in T.Parallel")
        self.array.turn.steps += inside.size // 16
        self.array.turn.step()
        return inside, where

    def read(self) -> Box:
        """What the box holds; zero outside a tensor."""
        inside, where = self._places()
        array = self.array
        if inside.any():
            array._block(where, writes=False)
        box = Box(
            np.zeros(inside.shape, array.values.dtype),
            np.zeros(inside.shape),
            np.ones(inside.shape, bool),
            array.dtype,
        )
        for part, source in zip(
            (box.values, box.errors, box.defined), (array.values, array.errors, array.defined)
        ):
            part[inside] = source[where]
        return box.reshape(self.shape)

    def fill(self, value: object) -> None:
        """Stores one scalar everywhere."""
        x = convert(number(value, self.array.dtype), self.array.dtype)
        shape = tuple(self.sizes)
        values = np.full(shape, x.value or 0, self.array.values.dtype)
        defined = np.full(shape, x.value is not None)
        self.write(Box(values, np.full(shape, x.error), defined, self.array.dtype))

    def write(self, box: Box) -> None:
        """Stores a box, converted; outside a tensor nothing happens."""
        array = self.array
        box = box.astype(array.dtype).reshape(self.sizes)
        inside, where = self._places()
        if inside.any():
            array._block(where, writes=True)
        array.values[where] = box.values[inside]
        array.errors[where] = box.errors[inside]
        array.defined[where] = box.defined[inside]


class Box:
    """Values, errors and definedness of a region, apart from any memory."""

    def __init__(self, values, errors, defined, dtype):
        self.values, self.errors, self.defined, self.dtype = values, errors, defined, dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def reshape(self, shape: tuple[int, ...]) -> Box:
        parts = (a.reshape(shape) for a in (self.values, self.errors, self.defined))
        return Box(*parts, self.dtype)

    def astype(self, dtype: dtypes.DType) -> Box:
        """Each element converted."""
        if dtype is self.dtype:
            return self
        made = Box(
            np.zeros(self.shape, np.float64 if dtype.is_float else np.int64),
            np.zeros(self.shape),
            self.defined,
            dtype,
        )
        for i in np.ndindex(self.shape):
            if self.defined[i]:
                x = convert(self.element(i), dtype)
                made.values[i], made.errors[i] = x.value, x.error
        return made

    def element(self, i: tuple[int, ...]) -> Number:
        """One element as a Number."""
        if not self.defined[i]:
            return Number(None, self.dtype)
        value = self.values[i]
        value = float(value) if self.dtype.is_float else int(value)
        return Number(value, self.dtype, float(self.errors[i]))

    def wrapped(self) -> Box:
        """Integers brought back into their type."""
        if not self.dtype.is_float:
            for i in np.ndindex(self.shape):
                self.values[i] = wrap(int(self.values[i]), self.dtype).value
        return self
