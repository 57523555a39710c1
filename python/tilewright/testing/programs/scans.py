# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Running combinations along a dimension: T.cumsum, T.cummax, T.scan; and T.reduce."""

from __future__ import annotations

from tilewright.testing.programs import sums
from tilewright.testing.programs.combiners import Combiner, draw_combiner
from tilewright.testing.programs.machine import Machine
from tilewright.testing.programs.movement import cleared, new_tile, show
from tilewright.testing.programs.nodes import node
from tilewright.testing.programs.numbers import cast
from tilewright.testing.programs.regions import Region, draw_part
from tilewright.testing.programs.scope import Scope
from tilewright.testing.programs.statements import Statement, drawn
from tilewright.testing.programs.tiles import into_target, source_tile, wider


@drawn(2)
@node
class CumSum(Statement):
    """T.cumsum or T.cummax into a tile, or in place where `target` is the source."""

    source: str
    target: str
    dim: int
    reverse: bool
    kind: str = "sum"
    exclusive: bool = False

    def lines(self) -> list[str]:
        target = "" if self.target == self.source else f"{self.target}, "
        flags = ", reverse=True" * self.reverse + ", exclusive=True" * self.exclusive
        return [f"T.cum{self.kind}({self.source}, {target}dim={self.dim}{flags})"]

    def run(self, machine: Machine) -> None:
        terms = machine.whole(self.source)
        fold = sums.total if self.kind == "sum" else sums.largest_of
        found = sums.running(terms, self.dim, self.reverse, self.exclusive, fold)
        machine.fill(self.target, found)

    def writes(self):
        return (self.target,)

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        made, source = source_tile(scope, lambda t: t.dtype != "bool")
        dim, reverse = scope.integer(0, len(source.shape) - 1), scope.chance(2)
        kind, exclusive = scope.pick(("sum", "max")), scope.chance(3)
        if scope.chance(3):
            return (*made, cls(source.name, source.name, dim, reverse, kind, exclusive))
        alloc, target = new_tile(scope, source.dtype, source.shape)
        show(scope, target)
        return (*made, alloc, cls(source.name, target.name, dim, reverse, kind, exclusive))


@drawn(3)
@node
class ReduceBy(Statement):
    """T.reduce of a tile along a dimension by a combiner of the program's own."""

    source: Region
    target: str
    dim: int
    combiner: Combiner
    clear: bool

    def lines(self) -> list[str]:
        clear = "" if self.clear else ", clear=False"
        return [
            f"T.reduce({self.source.text()}, {self.target}, {self.dim}, "
            f"{self.combiner.text()}, {self.combiner.identity.text()}{clear})"
        ]

    def run(self, machine: Machine) -> None:
        target = machine.memories[self.target]

        def fold(terms, dim, former):
            terms = terms if former is None else sums.joined(terms, former, dim)
            return self.combiner.total(machine, terms, dim)

        terms = cast(self.source.matrix(machine), target.dtype)
        into_target(machine, self.target, terms, self.dim, self.clear, fold)

    def writes(self):
        return (self.target,)

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        made, source = source_tile(scope, lambda t: True)
        part = draw_part(scope, source)
        dtype = scope.pick([source.dtype, *wider(source.dtype)]) if scope.chance(4) else (
            source.dtype
        )  # fmt: skip
        dim = scope.integer(0, len(part.shape) - 1)
        shape = part.shape[:dim] + part.shape[dim + 1 :] or (1,)
        clear = not scope.chance(3)
        alloc, target = new_tile(scope, dtype, shape)
        made += (alloc,) if clear else (alloc, cleared(target))
        combiner = draw_combiner(scope, dtype, commutes=True)
        show(scope, target)
        return (*made, cls(part, target.name, dim, combiner, clear))


@drawn(3)
@node
class ScanBy(Statement):
    """T.scan by a combiner of the program's own; in place where there is no target."""

    source: Region
    target: str | None
    dim: int
    combiner: Combiner
    reverse: bool
    exclusive: bool

    def lines(self) -> list[str]:
        target = f"{self.target}, " if self.target else ""
        flags = ", reverse=True" * self.reverse
        if self.exclusive:
            flags += f", identity={self.combiner.identity.text()}, exclusive=True"
        return [
            f"T.scan({self.source.text()}, {target}dim={self.dim}, "
            f"combiner={self.combiner.text()}{flags})"
        ]

    def run(self, machine: Machine) -> None:
        terms = self.source.matrix(machine)

        def fold(part, dim):
            return self.combiner.total(machine, part, dim, self.reverse)

        found = sums.running(terms, self.dim, self.reverse, self.exclusive, fold)
        if self.target:
            machine.fill(self.target, found)
        else:
            self.source.write(machine, found)

    def writes(self):
        return (self.target or self.source.memory,)

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        made, source = source_tile(scope, lambda t: True)
        part = draw_part(scope, source)
        dim, reverse = scope.integer(0, len(part.shape) - 1), scope.chance(2)
        exclusive = scope.chance(3)
        combiner = draw_combiner(scope, source.dtype, commutes=False)
        if scope.chance(3):
            return (*made, cls(part, None, dim, combiner, reverse, exclusive))
        alloc, target = new_tile(scope, source.dtype, part.shape)
        show(scope, target)
        return (*made, alloc, cls(part, target.name, dim, combiner, reverse, exclusive))
