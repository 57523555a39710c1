# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The interpreter's state: memories, names, and the rules that a valid program keeps.

Blocks run one after the other, statements in their order. The iterations of T.Parallel are
one array: every value inside has the shape of the iteration space, and `mask` says which
iterations are active. What a valid program may not do is checked as it runs and raises
`Invalid`: reading what nothing has written, an index outside a tile, blocks or iterations
that race, and a decision on a number that may legally differ.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np

from tilewright.testing.programs.numbers import (
    Numbers,
    broadcast,
    held_as,
    is_float,
    rounded,
)
from tilewright.testing.programs.sums import lowest_bit, summed

# A block's serial loops may run this often together; more is no small program.
_STEPS = 4000


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
    the product gave, and is rounded where something else reads it.
    """

    def __init__(
        self, name: str, dtype: str, shape: tuple[int, ...], is_global: bool, wide: bool = False
    ) -> None:
        self.name, self.dtype, self.shape, self.is_global = name, dtype, shape, is_global
        self.steps = [int(np.prod(shape[d + 1 :])) for d in range(len(shape))]
        self.value = np.zeros(shape, held_as(dtype))
        self.error = np.zeros(shape)
        self.defined = np.zeros(shape, bool)
        self.written = np.zeros(shape, bool)
        self.wide = wide
        self.accesses: list[tuple[Accesses, object]] = []
        self.sums: AtomicSums | None = None

    def give(self, numbers: Numbers) -> None:
        """Set all elements, as an input."""
        self.value, self.error = numbers.value.copy(), numbers.error.copy()
        self.defined[...] = True

    def load(self, indices: Sequence[np.ndarray], active: np.ndarray) -> Numbers:
        """Elements at broadcast indices; zero outside a global tensor."""
        inside, flat = self._places(indices, active)
        if not self.value.size:
            return Numbers(
                self.dtype, np.zeros(active.shape, self.value.dtype), np.zeros(active.shape)
            )
        here = inside & active
        if not self.defined.reshape(-1)[flat[here]].all():
            raise Invalid(f"{self.name} is read before it is written")
        self._note("read", flat, here)
        numbers = Numbers(
            self.dtype,
            np.where(here, self.value.reshape(-1)[flat], np.zeros((), self.value.dtype)),
            np.where(here, self.error.reshape(-1)[flat], 0.0),
        )
        return rounded(numbers.value, numbers.error, self.dtype) if self.wide else numbers

    def store(
        self, indices: Sequence[np.ndarray], numbers: Numbers, active: np.ndarray
    ) -> None:
        """Write elements at broadcast indices; nothing outside a global tensor."""
        inside, flat = self._places(indices, active)
        here = inside & active
        self._note("write", flat, here)
        at = flat[here]
        self.value.reshape(-1)[at] = np.broadcast_to(numbers.value, here.shape)[here]
        self.error.reshape(-1)[at] = np.broadcast_to(numbers.error, here.shape)[here]
        self.defined.reshape(-1)[at] = True
        self.written.reshape(-1)[at] = True

    def accumulated(self) -> Numbers:
        """All of it as a product reads its accumulator: not rounded."""
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

    def settle(self) -> None:
        """End of the atomics on this memory: sums of floats are known to within a bound."""
        if self.sums is not None:
            self.value, self.error = self.sums.settled(self)
            self.sums = None

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
        self.unit, self.count = lowest_bit(value), np.zeros(value.shape, np.int64)

    def add(self, at: np.ndarray, value: np.ndarray, error: np.ndarray) -> None:
        """Terms for elements; one element may have several."""
        with np.errstate(all="ignore"):
            np.add.at(self.value, at, value)
            np.add.at(self.size, at, np.abs(value))
        np.add.at(self.error, at, error)
        np.add.at(self.count, at, 1)
        np.minimum.at(self.unit, at, lowest_bit(value))

    def settled(self, memory: Memory) -> tuple[np.ndarray, np.ndarray]:
        """Value and error of each element."""
        terms = int(self.count.max(initial=0))
        made = summed(self.value, self.size, self.unit, self.error, terms, memory.dtype)
        untouched = self.count == 0
        value = np.where(untouched, memory.value.reshape(-1), made.value)
        error = np.where(untouched, memory.error.reshape(-1), made.error)
        return value.reshape(memory.shape), error.reshape(memory.shape)


class Machine:
    """Memories and names while a program runs. See the module's docstring."""

    def __init__(self) -> None:
        self.memories: dict[str, Memory] = {}
        self.names: dict[str, Numbers] = {}
        self.space: tuple[int, ...] = ()
        self.mask = np.ones((), bool)
        self.doubt = np.zeros((), bool)
        self.wide: frozenset[str] = frozenset()  # accumulators narrower than f32
        self.steps = 0

    def step(self) -> None:
        """Count an iteration of a loop."""
        self.steps += 1
        if self.steps > _STEPS:
            raise Invalid("the program runs too long")

    @contextlib.contextmanager
    def where(self, condition: Numbers):
        """Only iterations for which a condition holds are active inside.

        Where that may legally differ the iteration is active, and nothing is known of what
        it stores.
        """
        saved = self.mask, self.doubt
        unsure = self.mask & (condition.error > 0)
        self.mask, self.doubt = self.mask & (condition.value | unsure), self.doubt | unsure
        try:
            yield
        finally:
            self.mask, self.doubt = saved

    def doubted(self, numbers: Numbers) -> Numbers:
        """Numbers to be stored, unknown in iterations that may not store at all."""
        if not self.doubt.any():
            return numbers
        error = np.where(self.doubt, np.inf, numbers.error)
        return Numbers(numbers.dtype, np.broadcast_to(numbers.value, error.shape), error)

    @contextlib.contextmanager
    def over(self, space: tuple[int, ...]):
        """The iterations of a T.Parallel."""
        saved = self.space, self.mask, self.doubt
        self.space, self.mask, self.doubt = space, np.ones(space, bool), np.zeros((), bool)
        try:
            yield
        finally:
            self.space, self.mask, self.doubt = saved

    def certain(self, numbers: Numbers) -> np.ndarray:
        """The values as int64, such as indices and bounds of loops, which must be known."""
        if numbers.error.any():
            if (np.broadcast_to(numbers.error, self.space)[self.mask] > 0).any():
                raise Invalid("an index depends on a number that may differ")
        return numbers.index.astype(np.int64)

    @staticmethod
    def certain_of(numbers: Numbers) -> np.ndarray:
        """The values of a tile of indices as int64, which must be known."""
        if (numbers.error > 0).any():
            raise Invalid("an index depends on a number that may differ")
        return numbers.value.astype(np.int64)

    def assign(self, name: str, numbers: Numbers) -> None:
        """Store to a variable in the active iterations."""
        former, numbers = self.names[name], self.doubted(numbers)
        new, old = broadcast(numbers, self.space), broadcast(former, self.space)
        self.names[name] = Numbers(
            former.dtype,
            np.where(self.mask, new.value, old.value),
            np.where(self.mask, new.error, old.error),
        )

    def grid_of(self, sizes: Sequence[int]) -> list[np.ndarray]:
        """Open index arrays of a region."""
        return list(np.ogrid[tuple(slice(0, size) for size in sizes)]) if sizes else []

    def read(self, name: str, starts: Sequence[int], sizes: Sequence[int]) -> Numbers:
        """A region of a memory, at block level."""
        offsets = [s + g for s, g in zip(starts, self.grid_of(sizes))]
        return self.memories[name].load(offsets, np.ones(tuple(sizes), bool))

    def write(self, name: str, starts: Sequence[int], numbers: Numbers) -> None:
        """Write a region, at block level."""
        offsets = [s + g for s, g in zip(starts, self.grid_of(numbers.value.shape))]
        self.memories[name].store(offsets, numbers, np.ones(numbers.value.shape, bool))

    def whole(self, name: str) -> Numbers:
        """All of a tile."""
        memory = self.memories[name]
        return self.read(name, [0] * len(memory.shape), memory.shape)

    def fill(self, name: str, numbers: Numbers) -> None:
        """Write all of a tile."""
        self.write(name, [0] * numbers.value.ndim, numbers)
