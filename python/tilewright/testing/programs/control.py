# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Loops, branches and scalars of a block."""

from __future__ import annotations

from tilewright.testing.programs import operators
from tilewright.testing.programs.expressions import (
    Binary,
    Expression,
    Literal,
    Name,
)
from tilewright.testing.programs.machine import Machine
from tilewright.testing.programs.nodes import node
from tilewright.testing.programs.numbers import SCALE, broadcast, exact, long_name
from tilewright.testing.programs.scope import Scope, Value
from tilewright.testing.programs.statements import (
    Statement,
    draw_statement,
    drawn,
    indented,
    run_all,
)


class Broken(Exception):
    """A `break` on its way to its loop."""


class Continued(Exception):
    """A `continue` on its way to its loop."""


@drawn(3)
@node
class For(Statement):
    """A loop over T.serial, T.Pipelined (with `stages`), T.unroll or range."""

    kind: str
    name: str
    start: object
    stop: object
    step: int
    stages: int
    body: tuple

    def lines(self) -> list[str]:
        bounds = self.stop.text()
        if self.start != Literal(0) or self.step != 1:
            bounds = f"{self.start.text()}, {bounds}"
        if self.step != 1:
            bounds += f", {self.step}"
        if self.kind == "Pipelined" and self.stages:
            bounds += f", num_stages={self.stages}"
        loop = "range" if self.kind == "range" else f"T.{self.kind}"
        return [f"for {self.name} in {loop}({bounds}):", *indented(self.body)]

    def run(self, machine: Machine) -> None:
        start = machine.certain(self.start.numbers(machine))
        stop = machine.certain(self.stop.numbers(machine))
        # In T.Parallel the bounds may differ between iterations, and the loop is masked.
        span = range(int(start.min()), int(stop.max())) if self.step > 0 else range(
            int(start.max()), int(stop.min()), self.step
        )  # fmt: skip
        if machine.space and self.step == 1 and start.size and start.min() != start.max():
            raise NotImplementedError("loops of one T.Parallel start at one number")
        for i in span[:: self.step] if self.step > 0 else span:
            machine.step()
            machine.names[self.name] = broadcast(exact("index", i), machine.space)
            active = (i < stop) if self.step > 0 else (i > stop)
            try:
                with machine.where(exact("bool", active)):
                    run_all(self.body, machine)
            except Continued:
                continue
            except Broken:
                break

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        if scope.loops >= 2 or scope.depth > 3:
            return None
        inner = scope.child()
        inner.loops += 1
        kind = scope.pick(("serial", "Pipelined", "range", "Pipelined", "unroll", "vectorized"))
        name = scope.fresh("k")
        start: Expression = Literal(0)
        low, step = 0, 1
        if kind == "unroll":
            most = scope.pick((2, 1, 3))
            stop: Expression = Literal(most)
        else:
            stop, most = trip_count(scope)
            if scope.chance(5):
                low = scope.pick((1, 2))
                start, stop = Literal(low), Binary("+", stop, Literal(low))
                most += low
            if kind in ("serial", "range") and scope.chance(5):
                step = 2
            elif kind in ("serial", "range") and scope.chance(6):  # the same numbers, down
                step = -1
                start, stop = Binary("-", stop, Literal(1)), Literal(low - 1)
        inner.values.append(Value(name, "index", low, max(most - 1, low),
                                  constant=kind == "unroll"))  # fmt: skip
        stages = scope.integer(0, 4)
        body: tuple = ()
        for _ in range(scope.pick((1, 2, 3))):
            body += draw_statement(inner)
        if not body:
            return None
        if kind != "unroll" and scope.chance(6):
            body = with_leave(inner, name, body)
        return (cls(kind, name, start, stop, step, stages, body),)


@drawn(1)
@node
class While(Statement):
    """A variable that counts up while it is below a number; it goes up first."""

    name: str
    stop: object
    body: tuple

    def lines(self) -> list[str]:
        return [
            f'{self.name} = T.alloc_var("int32", 0)',
            f"while {self.name} < {self.stop.text()}:",
            f"    {self.name} = {self.name} + 1",
            *indented(self.body),
        ]

    def run(self, machine: Machine) -> None:
        machine.names[self.name] = exact("i32", 0)
        while int(machine.names[self.name].value) < int(
            machine.certain(self.stop.numbers(machine))
        ):
            machine.step()
            machine.assign(self.name, exact("i32", machine.names[self.name].value + 1))
            try:
                run_all(self.body, machine)
            except Continued:
                continue
            except Broken:
                break

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        if scope.loops >= 2 or scope.depth > 3:
            return None
        inner = scope.child()
        inner.loops += 1
        stop, _ = trip_count(scope)
        name = scope.fresh("x")
        inner.values.append(Value(name, "i32"))
        body = draw_statement(inner)
        if body and scope.chance(4):
            body = with_leave(inner, name, body)
        return (cls(name, stop, body),) if body else None


def trip_count(scope: Scope) -> tuple[Expression, int]:
    """How often a loop runs, and the most that it may be."""
    choice = scope.integer(0, 4)
    if choice <= 1:
        count = scope.pick((2, 3, 1, 4, 0, 5))
        return Literal(count), count
    if choice == 2:
        for name, dtype, value in scope.draft.scalars:
            if dtype == "i32" and value <= 5:
                return Name(name), value
        value, name = scope.pick((2, 0, 1, 3, 5)), scope.fresh("count")
        scope.draft.scalars.append((name, "i32", value))
        return Name(name), value
    found = scope.loaded_index() if choice == 3 else None
    if found is not None and any(
        t.name == found.memory and t.data == "counts" for t in scope.draft.tensors
    ):
        return found, 3
    value = scope.steady(lambda v: v.high is not None and v.low >= 0 and v.high <= 4)
    if value is None:
        return Literal(2), 2
    return Binary("+", Name(value.name), Literal(1)), value.high + 1


@node
class Leave(Statement):
    """`break` or `continue` under a condition on steady numbers."""

    condition: object
    how: str

    def lines(self) -> list[str]:
        return [f"if {self.condition.text()}:", f"    {self.how}"]

    def run(self, machine: Machine) -> None:
        if bool(machine.certain(self.condition.numbers(machine)).all()):
            raise Continued if self.how == "continue" else Broken


def with_leave(scope: Scope, name: str, body: tuple) -> tuple:
    """The body of a loop over `name` with a `break` or `continue` somewhere in it."""
    condition: Expression | None = None
    if scope.chance(3):
        condition = steady_condition(scope)
    condition = condition or Binary("==", Name(name), Literal(scope.pick((1, 0, 2))))
    # Not in front of what the condition names.
    named = [i for i, s in enumerate(body) if isinstance(s, Let) and s.name in condition.text()]
    at = scope.integer(max(named, default=-1) + 1, len(body))
    leave = Leave(condition, scope.pick(("continue", "break")))
    return (*body[:at], leave, *body[at:])


@drawn(1)
@node
class If(Statement):
    """A branch; at block level on a steady condition, in T.Parallel on any."""

    condition: object
    body: tuple
    orelse: tuple

    def lines(self) -> list[str]:
        made = [f"if {self.condition.text()}:", *indented(self.body)]
        return made + (["else:", *indented(self.orelse)] if self.orelse else [])

    def run(self, machine: Machine) -> None:
        condition = operators.truth(self.condition.value(machine))
        if not machine.space:
            taken = bool(machine.certain(condition))
            run_all(self.body if taken else self.orelse, machine)
            return
        with machine.where(condition):
            run_all(self.body, machine)
        with machine.where(operators.invert(condition)):
            run_all(self.orelse, machine)

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        if scope.depth > 3:
            return None
        condition = steady_condition(scope)
        if condition is None:
            return None
        body = draw_statement(scope.child())
        orelse = draw_statement(scope.child()) if scope.chance(2) else ()
        return (cls(condition, body, orelse),) if body else None


def steady_condition(scope: Scope) -> Expression | None:
    """A condition that is the same for a whole block and known exactly."""
    left: Expression | None = None
    if scope.chance(3):
        left = scope.loaded_index()
    elif scope.steady() is not None:
        left = Name(scope.steady().name)
    if left is None:
        return None
    op = scope.pick(("==", "<", "!=", ">="))
    return Binary(op, left, Literal(scope.pick((0, 1, 2))))


@drawn(1)
@node
class Let(Statement):
    """A name for a value: of a loaded integer, or of arithmetic on indices."""

    name: str
    a: object

    def lines(self) -> list[str]:
        return [f"{self.name} = {self.a.text()}"]

    def run(self, machine: Machine) -> None:
        machine.names[self.name] = broadcast(self.a.numbers(machine), machine.space)

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        name = scope.fresh("s")
        value = scope.steady()
        if value is not None and value.low is not None and scope.chance(2):
            op, by = scope.pick(("//", "%")), scope.pick((2, 3))
            high = value.high // by if op == "//" else min(value.high, by - 1)
            low = value.low // by if op == "//" else 0
            if value.low < 0:
                return None
            scope.values.append(Value(name, "index", low, high, constant=value.constant))
            return (cls(name, Binary(op, Name(value.name), Literal(by))),)
        found = scope.loaded_index()
        dtype = next(t.dtype for t in scope.tiles if t.name == found.memory)
        scope.values.append(Value(name, dtype))
        return (cls(name, found),)


@drawn(1)
@node
class Var(Statement):
    """A variable of T.alloc_var."""

    name: str
    dtype: str
    init: object

    def lines(self) -> list[str]:
        return [f'{self.name} = T.alloc_var("{long_name(self.dtype)}", {self.init.text()})']

    def run(self, machine: Machine) -> None:
        init = operators.typed(self.init.value(machine), self.dtype)
        machine.names[self.name] = broadcast(init, machine.space)

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        name, dtype = scope.fresh("x"), scope.dtype("number")
        scope.variables.append(Value(name, dtype))
        scope.values.append(Value(name, dtype))
        init = 1 if dtype == SCALE else scope.pick((0, 1))
        return (cls(name, dtype, Literal(init)),)


@node
class Assign(Statement):
    """Assignment to a variable, converted to its type."""

    name: str
    a: object

    def lines(self) -> list[str]:
        return [f"{self.name} = {self.a.text()}"]

    def run(self, machine: Machine) -> None:
        dtype = machine.names[self.name].dtype
        machine.assign(self.name, operators.typed(self.a.value(machine), dtype))

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        from tilewright.testing.programs.values import draw_value

        if not scope.variables:
            return None
        variable = scope.pick(scope.variables[::-1])
        made, dtype = draw_value(scope, 2)
        if (dtype == "bool") != (variable.dtype == "bool"):
            return None
        return (cls(variable.name, made),)


drawn(1)(Assign)
