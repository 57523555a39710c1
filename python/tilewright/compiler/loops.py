"""`for`: loops over Python values, which are repeated while compiling, and run-time loops.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
from contextlib import ExitStack, contextmanager

from ..language.dtypes import index
from ..language.loops import Loop
from ..language.values import Value
from .builder import quote
from .frame import MISSING
from .leaving import LeftLoop, OpenLoop
from .runtime import describe_short, is_runtime


class Loops:
    """Part of the emitter. See the module's docstring."""

    def stmt_For(self, node: ast.For) -> None:
        if node.orelse:
            self.at(node)
            self.fail("else on a loop", hint="put the code after the loop")
        iterable = self.evaluate(node.iter)
        self.at(node.iter)
        if isinstance(iterable, range) and self.kernel is not None and not self.frame.plain:
            iterable = Loop("serial", [(iterable.start, iterable.stop)], iterable.step)
        if isinstance(iterable, Loop):
            self.refuse_effect_in_plain("a loop")
            if self.kernel is None:
                self.fail(
                    "a run-time loop outside a kernel",
                    rule="outside T.Kernel everything is decided at compile time",
                    hint="loop over a Python tuple to repeat kernels, or move the loop "
                    "into the kernel",
                )
            if iterable.kind == "unroll":
                self._unroll(node, iterable.items)
            elif iterable.kind == "parallel" and not self.parallel:
                self.parallel_loop(node, iterable)
            else:
                self._sequential(node, iterable)
            return
        self._unroll(node, self.compile_time_items(node.iter, iterable))

    def compile_time_items(self, node: ast.expr, iterable: object = MISSING) -> list:
        """The items of a Python iterable."""
        if iterable is MISSING:
            iterable = self.evaluate(node)
        self.at(node)
        if isinstance(iterable, Loop):
            self.fail("a run-time loop in a list", hint="use Python's range of numbers")
        if is_runtime(iterable):
            self.fail(
                "a loop over a tile or scalar",
                rule="for takes range, T.serial, T.Parallel and their like, or a Python "
                "tuple or list",
                hint="loop over indices: for i in T.serial(x.shape[0])",
            )
        try:
            return list(iterable)
        except TypeError:
            self.fail(
                f"{describe_short(iterable)} is nothing to loop over",
                rule="for takes range, T.serial, T.Parallel, T.Pipelined, T.unroll, or "
                "a Python tuple or list",
            )
        except Exception as error:
            self.compile_time_failure(ast.unparse(node), error)

    def _unroll(self, node: ast.For, items: list) -> None:
        for item in items:
            self.at(node.target)
            self.assign(node.target, item, fresh=True)
            try:
                self.loop_body(self.open_loop("unroll", node.body, self.depth), node.body)
            except LeftLoop as left:
                if not left.again:
                    break

    def loop_variables(self, node: ast.For, count: int) -> list[str]:
        """Names of the loop variables."""
        target = node.target
        names = (
            [target]
            if isinstance(target, ast.Name)
            else list(target.elts)
            if isinstance(target, (ast.Tuple, ast.List))
            else []
        )
        if len(names) != count or not all(isinstance(n, ast.Name) for n in names):
            self.at(target)
            self.fail(
                f"{len(names)} names for {count} loop variable{'s' * (count != 1)}",
                hint="give one name for each extent: for i, j in T.Parallel(M, N)",
            )
        return [n.id for n in names]

    def _sequential(self, node: ast.For, loop: Loop) -> None:
        """A nest of `scf.for`, one `tile.pipelined`, or what `break` leaves, `scf.while`."""
        names = self.loop_variables(node, len(loop.domain or loop.bounds))
        step = self.index(loop.step, "the step of a loop")
        if isinstance(step, Value):
            # A step of 0, of which Python makes an error, runs nothing.
            with self.branch(self.compare("ne", step, 0)):
                self._loops(node, names, loop, step)
        else:
            self._loops(node, names, loop, step)

    def _loops(self, node: ast.For, names: list[str], loop: Loop, step: int | Value) -> None:
        counts = step < 0 if isinstance(step, int) else not step.nonneg
        if counts:
            loop, begin = self._counting(loop, step)
        stride = self.index_value(1 if counts else step)
        body = self.open_loop(loop.kind, node.body, self.depth + 1)
        nested = loop.kind == "parallel"  # inside another T.Parallel: order is immaterial
        opened = []
        for name, (start, stop) in zip(names, loop.bounds):
            first = self.index_value(start, "the start of a loop")
            last = self.index_value(stop, "the end of a loop")
            variable = self.builder.fresh(name)
            bounds = f"{variable} = {first.ssa} to {last.ssa} step {stride.ssa}"
            going = None
            if body.ends:
                going = self._while_below(body, variable, first, last)
            elif loop.kind == "pipelined":
                self.builder.out.append(f"tile.pipelined {bounds} stages({loop.stages}) {{")
            else:
                self.builder.out.append(f"scf.for {bounds} {{")
            self.know_loop(variable, start, stop, 1 if counts else step)
            deps = first.deps | last.deps
            if nested and isinstance(stop, int):
                self.parallel[-1].enter(variable, name, stop)
                deps = frozenset((variable,))
            opened.append((Value(variable, index, None, deps, first.nonneg), going))
        with ExitStack() as guards, self.inside("the loop", node):
            values = [value for value, _ in opened]
            if counts:
                values = [self.binary("add", begin, self.binary("mul", values[0], step))]
            if loop.domain:
                values = self._coordinates(values[0], loop.domain)
            for name, value in zip(names, values):
                self.frame.bind(name, value)
            for _, going in opened:
                if going is not None:
                    guards.enter_context(self.guarded_by(going.deps))
            self.conditions.append(frozenset().union(*(v.deps for v, _ in opened)))
            self.loop_body(body, node.body)
            self.conditions.pop()
        self.at(node)
        called = ["place in the domain"] if loop.domain else names
        for name, (value, going) in reversed(list(zip(called, opened))):
            if going is not None:
                following = self.binary("add", value, stride)
                self.builder.op(f"scf.yield {following.ssa} : index")
            # What counts in a loop that may go down is how many steps it has gone.
            self.close_loop([f"steps of {name}" if counts else name])
            if nested:
                self.parallel[-1].leave(value.ssa)

    def _while_below(self, loop: OpenLoop, variable: str, first: Value, last: Value) -> Value:
        """Open a loop that ends with a `break` too; its condition."""
        builder = self.builder
        before = Value(builder.fresh(f"{variable[1:]}_next"), index)
        builder.out.append(
            f"{builder.fresh()} = scf.while ({before.ssa} = {first.ssa}) : (index) -> index {{"
        )
        going = self.binary("and", self.compare("lt", before, last), self.has_not_ended(loop))
        builder.op(f"scf.condition({going.ssa}) {before.ssa} : index")
        builder.out += ["} do {", f"^bb0({variable}: index):"]
        # What an scf.for says of its variable by itself.
        value = Value(variable, index)
        for fact in (self.compare("ge", value, first), self.compare("lt", value, last)):
            builder.op(f"tile.assume {fact.ssa}")
        return going

    def _counting(self, loop: Loop, step: int | Value) -> tuple[Loop, int | Value]:
        """A loop that may go down as one that counts its iterations; its first value."""
        [bounds] = loop.bounds
        start, stop = (self.index(bound, "a bound of a loop") for bound in bounds)
        if all(isinstance(x, int) for x in (start, stop, step)):
            count: int | Value = len(range(start, stop, step))
        elif isinstance(step, int):
            count = self.ceildiv(self.binary("sub", start, stop), -step)
        else:
            distance = self.index_value(self.binary("sub", stop, start))
            count = self.value(
                f"arith.ceildivsi {distance.ssa}, {step.ssa} : index", index, distance, step
            )
        return Loop(loop.kind, [(0, count)], stages=loop.stages, domain=loop.domain), start

    def _coordinates(self, position: Value, domain: tuple) -> list[Value]:
        """The point of a domain at a position, the last coordinate varying fastest."""
        found: list[Value] = []
        for extent in reversed(domain[1:]):
            found.insert(0, self.binary("mod", position, extent))
            position = self.binary("floordiv", position, extent)
        return [position, *found]

    def counted(self, variable: str, stop: Value, step: int, name: str):
        """The region of a loop from 0."""
        bounds = (self.constant(0, index), stop, self.constant(step, index))
        first, last, stride = (bound.ssa for bound in bounds)
        head = f"scf.for {variable} = {first} to {last} step {stride}"
        return self.loop_region(head, [name])

    @contextmanager
    def loop_region(self, head: str, names: list[str]):
        """The region of a loop that `head` starts."""
        self.builder.out.append(f"{head} {{")
        yield
        self.close_loop(names)

    def close_loop(self, names: list[str]) -> None:
        """End a loop; reports of checking mode take its variables' names from its place."""
        place = self.builder.location
        if self.reading.checked:
            named = f"{quote(','.join(names))}({place[4:-1]})"
            place = f"loc({self.builder.alias(named)})"
        self.builder.out.append(f"}} {place}")
