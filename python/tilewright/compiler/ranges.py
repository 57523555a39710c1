"""What is known of the size of indices: loop variables and what is computed from them.

Used to refuse indices that leave a tile, and to see that reading an element is harmless, so
that a conditional expression needs no branch.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from ..language.values import Memory, Value
from .scalars import affine_of


class Ranges:
    """Part of the emitter. See the module's docstring.

    `ranges` holds (lowest, highest) of SSA values. `attained` are those that take both ends
    whenever their loop runs: the variables of loops with constant bounds. `branches` counts
    the open run-time branches, under which code may be guarded.
    """

    def know_loop(self, ssa: str, start: object, stop: object, step: object = 1) -> None:
        """Record the range of a loop variable with constant bounds."""
        if (
            isinstance(start, int)
            and isinstance(stop, int)
            and isinstance(step, int)
            and start < stop
        ):
            self.ranges[ssa] = (start, start + (stop - 1 - start) // step * step)
            self.attained.add(ssa)

    def range_of(self, x: int | Value) -> tuple[int, int] | None:
        """Lowest and highest value of an index, where both are known."""
        constant, terms = affine_of(x)
        low = high = constant
        for ssa, factor in terms.items():
            known = self.ranges.get(ssa)
            if known is None:
                return None
            ends = (known[0] * factor, known[1] * factor)
            low, high = low + min(ends), high + max(ends)
        return low, high

    def know_quotient(self, result: Value, a: Value, divisor: Value, rest: bool) -> None:
        """Record the range of a quotient, or rest, by a positive constant."""
        by = self.range_of(divisor)
        if by is None or by[0] != by[1] or by[0] <= 0:
            return
        if rest:
            self.ranges[result.ssa] = (0, by[0] - 1)
            return
        known = self.range_of(a)
        if known is not None:
            self.ranges[result.ssa] = (known[0] // by[0], known[1] // by[0])

    def surely_inside(self, memory: Memory, indices: list) -> bool:
        """Whether an element of a tile is inside it for every value of the indices."""
        if memory.is_global:
            return False
        for i, extent in zip(indices, memory.shape):
            known = self.range_of(i)
            if known is None or known[0] < 0 or known[1] >= extent:
                return False
        return True

    def check_range(self, memory: Memory, axis: int, i: Value) -> None:
        """Refuse an index of a tile that leaves it in some iteration, or in all."""
        if memory.is_global:
            return
        known = self.range_of(i)
        if known is None:
            return
        extent = memory.shape[axis]
        low, high = known
        always = low >= extent or high < 0
        # Loop variables are independent, so an affine form of them takes its ends.
        sometimes = (
            (low < 0 or high >= extent)
            and not self.branches
            and all(ssa in self.attained for ssa in affine_of(i)[1])
        )
        if always or sometimes:
            end = high if high >= extent else low
            self.fail(
                f"an index of {memory.name} {'is' if low == high else 'reaches'} {end}, and "
                f"its dimension {axis} has {extent} elements",
                rule="a tile is indexed inside its shape",
                hint="guard the access with `if`, or make the tile larger",
            )
