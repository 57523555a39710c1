# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Memories of the interpreter: numbers, which are defined, and who touches them."""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Sequence

import numpy as np

from tilewright.testing.dtypes import largest, smallest_normal
from tilewright.testing.programs.numbers import (
    Numbers,
    bits_of,
    exact,
    held_as,
    is_float,
    outside,
    rounded,
)
from tilewright.testing.programs.operators import reinterpret
from tilewright.testing.programs.sums import lowest_bit, summed


class Invalid(Exception):
    """The program means nothing: it was drawn or written wrong."""


class Accesses:
    """Who wrote and read each element, to see races."""

    def __init__(self, size: int) -> None:
        most = np.iinfo(np.int64).max
        self.writers = np.full(size, most), np.full(size, -1)
        self.readers = np.full(size, most), np.full(size, -1)

    @staticmethod
    def _note(table: tuple[np.ndarray, np.ndarray], flat, who) -> None:
        np.minimum.at(table[0], flat, who)
        np.maximum.at(table[1], flat, who)

    @staticmethod
    def _only(table: tuple[np.ndarray, np.ndarray], flat, who) -> bool:
        none = table[1][flat] == -1
        return bool((none | ((table[0][flat] == who) & (table[1][flat] == who))).all())

    def read(self, flat: np.ndarray, who: np.ndarray | int) -> None:
        """Elements are read by `who`."""
        self._note(self.readers, flat, who)
        if not self._only(self.writers, flat, who):
            raise Invalid("one reads what another writes")

    def write(self, flat: np.ndarray, who: np.ndarray | int) -> None:
        """Elements are written by `who`."""
        self._note(self.writers, flat, who)
        if not (self._only(self.writers, flat, who) and self._only(self.readers, flat, who)):
            raise Invalid("two write one element, or one reads it")


class Memory:
    """A tensor or tile: numbers, which of them are defined, and who touches them.

    `wide` marks an accumulator of a product whose type is narrower than f32: it keeps what
    the product gave, and is rounded where something else reads it. `flushes` says that atomic
    sums of f32 may take and give zero for numbers below the normal ones.
    """

    def __init__(
        self,
        name: str,
        dtype: str,
        shape: tuple[int, ...],
        is_global: bool,
        wide: bool = False,
        flushes: bool = False,
    ) -> None:
        self.name, self.dtype, self.shape, self.is_global = name, dtype, shape, is_global
        self.flushes = flushes
        self.steps = [int(np.prod(shape[d + 1 :])) for d in range(len(shape))]
        self.value = np.zeros(shape, held_as(dtype))
        self.error = np.zeros(shape)
        self.defined = np.zeros(shape, bool)
        self.written = np.zeros(shape, bool)
        self.wide = wide
        self.accesses: list[tuple[Accesses, object]] = []
        self.sums: AtomicSums | None = None

    def reshaped(self, name: str, shape: tuple[int, ...]) -> Memory:
        """The same memory in another shape."""
        made = copy.copy(self)
        made.name, made.shape = name, shape
        made.steps = [math.prod(shape[d + 1 :]) for d in range(len(shape))]
        for field in ("value", "error", "defined", "written"):
            setattr(made, field, getattr(self, field).reshape(shape))
        return made

    def refresh(self) -> None:
        """Called in front of every access; a view of bits looks at what lies beneath."""

    def changed(self, at: np.ndarray) -> None:
        """Called with the flat indices of elements that have been written."""

    def give(self, numbers: Numbers) -> None:
        """Set all elements, as an input."""
        self.value, self.error = numbers.value.copy(), numbers.error.copy()
        self.defined[...] = True

    def load(self, indices: Sequence[np.ndarray], active: np.ndarray) -> Numbers:
        """Elements at broadcast indices; what stands for zero outside a global tensor."""
        self.refresh()
        inside, flat = self._places(indices, active)
        if not self.value.size:
            return Numbers(
                self.dtype, np.full(active.shape, outside(self.dtype)), np.zeros(active.shape)
            )
        here = inside & active
        if not self.defined.reshape(-1)[flat[here]].all():
            raise Invalid(f"{self.name} is read before it is written")
        self._note("read", flat, here)
        numbers = Numbers(
            self.dtype,
            np.where(here, self.value.reshape(-1)[flat], outside(self.dtype)),
            np.where(here, self.error.reshape(-1)[flat], 0.0),
        )
        return rounded(numbers.value, numbers.error, self.dtype) if self.wide else numbers

    def store(
        self, indices: Sequence[np.ndarray], numbers: Numbers, active: np.ndarray
    ) -> None:
        """Write elements at broadcast indices; nothing outside a global tensor."""
        self.refresh()
        inside, flat = self._places(indices, active)
        here = inside & active
        self._note("write", flat, here)
        at = flat[here]
        self.value.reshape(-1)[at] = np.broadcast_to(numbers.value, here.shape)[here]
        self.error.reshape(-1)[at] = np.broadcast_to(numbers.error, here.shape)[here]
        self.defined.reshape(-1)[at] = True
        self.written.reshape(-1)[at] = True
        self.changed(at)

    def accumulated(self) -> Numbers:
        """All of it as a product reads its accumulator: not rounded."""
        self.refresh()
        if not self.defined.all():
            raise Invalid(f"{self.name} is read before it is written")
        return Numbers(self.dtype, self.value, self.error)

    def combine(
        self, op: str, indices: Sequence[np.ndarray], numbers: Numbers, active: np.ndarray
    ) -> None:
        """Combine values into elements atomically, in any order; outside nothing."""
        inside, flat = self._places(indices, active)
        here = inside & active
        at = flat[here]
        if not self.defined.reshape(-1)[at].all():
            raise Invalid(f"{self.name} is combined into before it is written")
        value = np.broadcast_to(numbers.value, here.shape)[here]
        error = np.broadcast_to(numbers.error, here.shape)[here]
        self.written.reshape(-1)[at] = True
        if is_float(self.dtype) and op == "add":
            self.sums = self.sums or AtomicSums(self)
            self.sums.add(at, value, error)
            return
        with np.errstate(invalid="ignore"):
            _COMBINERS[op].at(self.value.reshape(-1), at, value)
        np.maximum.at(self.error.reshape(-1), at, error)
        self.changed(at)

    def former(self, indices: Sequence[np.ndarray], active: np.ndarray) -> Numbers:
        """What elements hold in front of an update by atomics; unknown where several update."""
        self.settle()
        numbers = self.load(indices, active)
        inside, flat = self._places(indices, active)
        here = inside & active
        count = np.zeros(max(self.value.size, 1), np.int64)
        np.add.at(count, flat[here], 1)
        error = np.where(here & (count[flat] > 1), np.inf, numbers.error)
        return Numbers(self.dtype, numbers.value, error)

    def settle(self) -> None:
        """End of the atomics on this memory: sums of floats are known to within a bound."""
        if self.sums is not None:
            self.value[...], self.error[...] = self.sums.settled(self)
            touched, self.sums = np.flatnonzero(self.sums.count), None
            self.changed(touched)

    def _places(self, indices: Sequence[np.ndarray], active: np.ndarray):
        """Which indices are inside, and positions in the flat memory (0 where not)."""
        if not self.value.size:
            return np.zeros(active.shape, bool), np.zeros(active.shape, np.int64)
        if all(i.size and i.min() >= 0 and i.max() < e for i, e in zip(indices, self.shape)):
            flat = sum(i * step for i, step in zip(indices, self.steps))
            if flat.shape != active.shape:
                flat = np.broadcast_to(flat, active.shape)
            return np.ones(active.shape, bool), flat
        inside = np.ones(active.shape, bool)
        flat = np.zeros(active.shape, np.int64)
        for index, extent in zip(indices, self.shape):
            inside = inside & (index >= 0) & (index < extent)
            flat = flat * extent + index
        if not self.is_global and not inside[active].all():
            raise Invalid(f"an index leaves the tile {self.name}")
        return inside, np.where(inside, flat, 0)

    def _note(self, what: str, flat: np.ndarray, here: np.ndarray) -> None:
        for accesses, who in self.accesses:
            if isinstance(who, int):
                getattr(accesses, what)(flat[here], who)
                continue
            them = np.broadcast_to(who, here.shape)[here]
            getattr(accesses, what)(flat[here], them)

    @contextlib.contextmanager
    def watched(self, accesses: Accesses, who: object):
        """Accesses inside belong to `who`: a number, or one for each iteration."""
        self.accesses.append((accesses, who))
        try:
            yield
        finally:
            self.accesses.pop()


_COMBINERS = {
    "add": np.add,
    "max": np.maximum,
    "min": np.minimum,
    "or": np.bitwise_or,
    "and": np.bitwise_and,
    "xor": np.bitwise_xor,
}


class AtomicSums:
    """Sums of floats by atomics: what is added to each element, in an order not known."""

    def __init__(self, memory: Memory) -> None:
        value, self.error = memory.value.reshape(-1), memory.error.reshape(-1).copy()
        self.value, self.size = value.copy(), np.abs(value)
        self.finite = _finite(value)
        self.unit, self.count = lowest_bit(value), np.zeros(value.shape, np.int64)
        self.small = _subnormal(value)

    def add(self, at: np.ndarray, value: np.ndarray, error: np.ndarray) -> None:
        """Terms for elements; one element may have several."""
        with np.errstate(all="ignore"):
            np.add.at(self.value, at, value)
            np.add.at(self.size, at, np.abs(value))
            np.add.at(self.finite, at, _finite(value))
        np.add.at(self.error, at, error)
        np.add.at(self.count, at, 1)
        np.minimum.at(self.unit, at, lowest_bit(value))
        np.add.at(self.small, at, _subnormal(value))

    def settled(self, memory: Memory) -> tuple[np.ndarray, np.ndarray]:
        """Value and error of each element."""
        terms = int(self.count.max(initial=0))
        error = self.error
        if memory.flushes and memory.dtype == "f32":
            error = error + self._flushed(error)
        made = summed(self.value, self.size, self.unit, error, terms, memory.dtype)
        # Terms that are large together may be an infinity before one of the other sign comes.
        either = np.isinf(made.value) & (self.finite >= largest(memory.dtype))
        made = Numbers(made.dtype, made.value, np.where(either, np.inf, made.error))
        if memory.dtype.startswith("f8"):  # one sum saturates; after more, the order tells
            infinite = np.isinf(made.value)
            most = np.copysign(largest(memory.dtype), made.value)
            error = np.where(infinite & (self.count > 1), np.inf, made.error)
            made = Numbers(made.dtype, np.where(infinite, most, made.value), error)
        untouched = self.count == 0
        value = np.where(untouched, memory.value.reshape(-1), made.value)
        error = np.where(untouched, memory.error.reshape(-1), made.error)
        return value.reshape(memory.shape), error.reshape(memory.shape)

    def _flushed(self, error: np.ndarray) -> np.ndarray:
        """What sums lose where terms and partial sums below the normal numbers become zero.

        Partial sums are multiples of what divides all terms: of normal numbers' units they are
        normal. Terms that are not known may be anything as small.
        """
        tiny = smallest_normal("f32")
        partial = (self.unit < tiny) | (error > 0)
        return self.small + np.where(partial, self.count * tiny, 0.0)


def _finite(value: np.ndarray) -> np.ndarray:
    """The magnitudes of finite numbers; zero for others."""
    return np.where(np.isfinite(value), np.abs(value), 0.0)


def _subnormal(value: np.ndarray) -> np.ndarray:
    """The magnitudes of numbers below the normal ones of f32; zero for others."""
    size = np.abs(value)
    return np.where(size < smallest_normal("f32"), size, 0.0)


class Bits(Memory):
    """A view of a memory as elements of another type.

    It holds numbers as every memory does, made from the bytes beneath in front of each access;
    what is written goes back there. A byte is known where it is the same in every right run.
    """

    def __init__(self, name: str, dtype: str, shape: tuple[int, ...], base: Memory) -> None:
        super().__init__(name, dtype, shape, base.is_global, flushes=base.flushes)
        self._base = base

    def refresh(self) -> None:
        if self.sums is not None:  # sums that are under way start from what was there
            return
        self._base.refresh()
        content, known, defined = _bytes_of(self._base)
        width = bits_of(self.dtype) // 8
        numbers = _from_bytes(content.reshape(-1, width), self.dtype)
        lost = ~known.reshape(-1, width).all(1)
        self.value[...] = numbers.value.reshape(self.shape)
        self.error[...] = np.where(lost, np.inf, numbers.error).reshape(self.shape)
        self.defined[...] = defined.reshape(-1, width).all(1).reshape(self.shape)

    def changed(self, at: np.ndarray) -> None:
        base, width = self._base, bits_of(self._base.dtype) // 8
        content, known, defined = _bytes_of(base)
        mine = _bytes_of(self)
        written = np.zeros(self.value.size, bool)
        written[at] = True
        written = np.repeat(written, bits_of(self.dtype) // 8)
        for theirs, new in zip((content, known, defined), mine):
            theirs[written] = new[written]
        touched = np.flatnonzero(written.reshape(-1, width).any(1))
        numbers = _from_bytes(content.reshape(-1, width), base.dtype)
        lost = ~known.reshape(-1, width).all(1)
        error = np.where(lost, np.inf, numbers.error)
        base.value.reshape(-1)[touched] = numbers.value[touched]
        base.error.reshape(-1)[touched] = error[touched]
        base.defined.reshape(-1)[touched] = defined.reshape(-1, width).all(1)[touched]
        base.written.reshape(-1)[touched] = True
        base.changed(touched)


def _bytes_of(memory: Memory) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The bytes of a memory; which of them are known, and which defined."""
    width = bits_of(memory.dtype) // 8
    numbers = Numbers(memory.dtype, memory.value.reshape(-1), memory.error.reshape(-1))
    if memory.wide:
        numbers = rounded(numbers.value, numbers.error, memory.dtype)
    if numbers.dtype != f"u{8 * width}":
        numbers = reinterpret(numbers, f"u{8 * width}")
    content = np.ascontiguousarray(numbers.value).view(np.uint8).copy()
    known = np.repeat(numbers.error == 0, width)
    return content, known, np.repeat(memory.defined.reshape(-1), width)


def _from_bytes(content: np.ndarray, dtype: str) -> Numbers:
    """The elements that rows of bytes are."""
    whole = f"u{8 * content.shape[1]}"
    numbers = exact(whole, np.ascontiguousarray(content).view(held_as(whole)).reshape(-1))
    return numbers if dtype == whole else reinterpret(numbers, dtype)
