"""T.Parallel: the loops that are open and what may not happen inside them.

Two iterations may not write one element, and none may write what another reads. The checks
refuse what can be shown wrong from the form of the indices; the rest is left to the
checking devices.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from ..language.values import Memory, Value
from .scalars import affine_of, difference


class ParallelLoop:
    """An open T.Parallel.

    Attributes:
        extents: extent of each loop variable, by SSA name.
        names: the variables' names in the source.
        everything: the dependence on all of its own variables.
        accesses: elements touched so far: (memory, indices, written, conditional, place).
        of_threads: whether its iterations are threads, which may write one value to one
            element.
    """

    def __init__(self, of_threads: bool = False) -> None:
        self.of_threads = of_threads
        self.extents: dict[str, int] = {}
        self.names: dict[str, str] = {}
        self.everything: frozenset[str] = frozenset()
        self.accesses: list[tuple] = []

    def add(self, ssa: str, name: str, extent: int) -> None:
        """Add a variable of its own."""
        self.enter(ssa, name, extent)
        self.everything |= {ssa}

    def enter(self, ssa: str, name: str, extent: int) -> None:
        """Add the variable of a T.Parallel inside it."""
        self.extents[ssa], self.names[ssa] = extent, name

    def leave(self, ssa: str) -> None:
        """Take the variable of a T.Parallel inside it away, if it was added."""
        self.extents.pop(ssa, None)
        self.names.pop(ssa, None)


class ParallelChecks:
    """Part of the emitter. See the module's docstring."""

    def note_access(self, memory: Memory, indices: list, written: bool) -> None:
        """Record an element access in the open parallel loops and check a write."""
        if not self.parallel or memory.home is not None or self.parallel[0].of_threads:
            return
        deps = frozenset().union(*(i.deps for i in indices if isinstance(i, Value)))
        conditional = frozenset().union(*self.conditions) if self.conditions else frozenset()
        if written:
            self._check_distinct(memory, deps | conditional)
        self._check_carried(memory, indices, written, bool(conditional))

    def _check_distinct(self, memory: Memory, deps: frozenset) -> None:
        for loop in self.parallel:
            for ssa, extent in loop.extents.items():
                if extent > 1 and ssa not in deps:
                    name = loop.names[ssa]
                    if memory.variable:
                        self.fail(
                            f"{memory.name} is assigned by every iteration of T.Parallel",
                            rule="two iterations of T.Parallel may not write one element",
                            hint="reduce a tile with T.reduce_sum and its like, or loop with "
                            "T.serial",
                        )
                    self.fail(
                        f"every iteration over {name} writes the same element of {memory.name}",
                        rule="two iterations of T.Parallel may not write one element",
                        hint=f"index {memory.name} by {name}, loop over {name} with T.serial, "
                        f"or reduce with T.reduce_sum and its like",
                    )

    def _check_carried(
        self, memory: Memory, indices: list, written: bool, conditional: bool
    ) -> None:
        """Refuse reading what a neighbouring iteration writes, at a constant distance."""
        loop = self.parallel[-1]
        for other, theirs, wrote, guarded in loop.accesses:
            same = (other.twin or other) is (memory.twin or memory)
            if not same or not (written or wrote) or conditional or guarded:
                continue
            steps = [difference(a, b) for a, b in zip(indices, theirs)]
            if None in steps or not any(steps):
                continue
            if self._meet(loop, indices, steps):
                self.fail(
                    f"an iteration of T.Parallel uses an element of {memory.name} that "
                    f"another one writes",
                    rule="iterations of T.Parallel have no order",
                    hint="read from a second tile, or loop with T.serial",
                )
        loop.accesses.append((memory, indices, written, conditional))

    def _meet(self, loop: ParallelLoop, indices: list, steps: list[int]) -> bool:
        """Whether two different iterations surely have indices that are `steps` apart."""
        shifts: dict[str, int] = {}
        for i, step in zip(indices, steps):
            terms = [(s, f) for s, f in affine_of(i)[1].items() if s in loop.extents]
            if len(terms) > 1 or (not terms and step):
                return False
            for ssa, factor in terms:
                shift = step // factor
                if (
                    step % factor
                    or abs(shift) >= loop.extents[ssa]
                    or shifts.setdefault(ssa, shift) != shift
                ):
                    return False
        return any(shifts.values())
