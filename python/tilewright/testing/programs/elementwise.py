# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""T.Parallel, and what stands in it: stores, atomics, branches, inner loops."""

from __future__ import annotations

import contextlib
import functools

import numpy as np

from tilewright.testing.programs import operators
from tilewright.testing.programs.control import Assign, For, If, Let, Var
from tilewright.testing.programs.expressions import (
    Binary,
    Element,
    Expression,
    Literal,
    Name,
    places,
)
from tilewright.testing.programs.machine import Machine
from tilewright.testing.programs.memory import Accesses
from tilewright.testing.programs.movement import new_tile, show
from tilewright.testing.programs.nodes import node, walk
from tilewright.testing.programs.numbers import exact
from tilewright.testing.programs.scope import Scope, Tile, Value
from tilewright.testing.programs.statements import Statement, drawn, indented, run_all
from tilewright.testing.programs.values import condition, draw_value


@node
class Store(Statement):
    """An element is assigned, converted to its type."""

    memory: str
    indices: tuple
    a: object

    def lines(self) -> list[str]:
        indices = ", ".join(i.text() for i in self.indices)
        return [f"{self.memory}[{indices}] = {self.a.text()}"]

    def run(self, machine: Machine) -> None:
        memory = machine.memories[self.memory]
        numbers = operators.typed(self.a.value(machine), memory.dtype)
        memory.store(places(machine, self.indices), machine.doubted(numbers), machine.mask)

    def writes(self):
        return (self.memory,)


@drawn(6)
@node
class Parallel(Statement):
    """A T.Parallel loop nest."""

    names: tuple
    extents: tuple
    body: tuple

    def lines(self) -> list[str]:
        extents = ", ".join(map(str, self.extents))
        return [f"for {', '.join(self.names)} in T.Parallel({extents}):", *indented(self.body)]

    @functools.cached_property
    def _stored(self) -> frozenset[str]:
        """Memories that iterations write, so that races on them are looked for."""
        return frozenset(n.memory for n in walk(self.body) if isinstance(n, Store))

    def run(self, machine: Machine) -> None:
        lanes = np.arange(int(np.prod(self.extents))).reshape(self.extents)
        grid = machine.grid_of(self.extents)
        outer = dict(machine.names)
        with machine.over(self.extents), contextlib.ExitStack() as stack:
            for name in self._stored & machine.memories.keys():
                memory = machine.memories[name]
                stack.enter_context(memory.watched(Accesses(memory.value.size), lanes))
            for name, index in zip(self.names, grid):
                machine.names[name] = exact("index", index)
            run_all(self.body, machine)
        machine.names = outer
        for memory in machine.memories.values():
            if not memory.is_global:
                memory.settle()

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        former = scope.tile(lambda t: len(t.shape) <= 3) if scope.chance(3) else None
        if former is not None:
            return (draw_parallel(scope, former, overwrites=True),)
        alloc, tile = new_tile(scope, scope.dtype(), scope.shape())
        made = draw_parallel(scope, tile, overwrites=False)
        show(scope, tile)
        return (alloc, made)


def lanes(scope: Scope, extents: tuple[int, ...]) -> tuple[Scope, list[Value]]:
    """The scope inside a T.Parallel, and its variables."""
    inner = scope.child()
    made = [Value(scope.fresh("i"), "index", 0, e - 1, lane=True) for e in extents]
    inner.values += made
    # A variable of the block may be read inside and not be assigned.
    inner.variables = []
    return inner, made


def draw_parallel(scope: Scope, tile: Tile, overwrites: bool) -> Parallel:
    """A loop over all elements of a tile; where `overwrites`, over some of them."""
    extents = tile.shape
    if overwrites and scope.chance(3):
        extents = tuple(scope.integer(1, e) for e in extents)
    inner, values = lanes(scope, extents)
    indices: tuple = tuple(Name(v.name) for v in values)
    if len(extents) > 1 and scope.chance(5):  # the loops in another order than the dimensions
        values, extents = values[::-1], extents[::-1]
    if scope.chance(8):
        indices = tuple(Binary("-", Literal(e - 1), i) for i, e in zip(indices, tile.shape))
    inner.busy = inner.busy | {tile.base}
    body = draw_body(inner, tile, indices, overwrites)
    return Parallel(tuple(v.name for v in values), extents, body)


def draw_body(scope: Scope, target: Tile, indices: tuple, overwrites: bool) -> tuple:
    """Statements of one iteration that end in storing an element of the target."""
    body: list[Statement] = []
    if scope.chance(5):
        body += inner_loop(scope)
    if scope.chance(5):
        made, dtype = draw_value(scope, 2)
        name = scope.fresh("s")
        body.append(Let(name, made))
        scope.values.append(Value(name, dtype))
    made, dtype = draw_value(scope, scope.pick((2, 1, 3)))
    if overwrites and scope.chance(2):
        former = Element(target.name, indices)
        op = scope.pick(("+", "-", "*")) if target.dtype != "bool" else None
        if op is not None:
            made = Binary(op, former, made)
    store = Store(target.name, indices, made)
    if overwrites and scope.chance(3):
        other = ()
        if scope.chance(3):
            again, _ = draw_value(scope, 1)
            other = (Store(target.name, indices, again),)
        return (*body, If(condition(scope, 1), (store,), other))
    if scope.chance(10):
        again, _ = draw_value(scope, 1)
        return (*body, If(condition(scope, 1), (store,), (Store(target.name, indices, again),)))
    return (*body, store)


def inner_loop(scope: Scope) -> list[Statement]:
    """A private variable that a serial loop inside the iteration adds up."""
    dtype = scope.pick(("f32", "i32", "f16", "u8", "f64"))
    name, index = scope.fresh("x"), scope.fresh("k")
    count = scope.pick((3, 1, 2, 4))
    stop: Expression = Literal(count)
    lane = next((v for v in scope.values if v.lane), None)
    if lane is not None and scope.chance(3):  # a count of its own for each iteration
        stop = Binary("%", Name(lane.name), Literal(count))
    init = Var(name, dtype, Literal(0))
    inner = scope.child()
    inner.values.append(Value(index, "index", 0, count - 1))
    made, _ = draw_value(inner, 1)
    step = Assign(name, Binary("+", Name(name), made))
    scope.values.append(Value(name, dtype))
    return [init, For("serial", index, Literal(0), stop, 1, 0, (step,))]
