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

from tilewright.testing.programs.memory import Invalid, Memory
from tilewright.testing.programs.numbers import Numbers, broadcast

# A block's serial loops may run this often together; more is no small program.
_STEPS = 4000


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
