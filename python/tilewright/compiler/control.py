"""Branches and loops.

On Python values they are folded and unrolled, on run-time values they become regions, whose
names end with them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
from contextlib import ExitStack, contextmanager

from ..language.dtypes import index
from ..language.loops import Loop
from ..language.values import Value
from .builder import quote
from .frame import MISSING, Scope
from .leaving import LeftLoop, OpenLoop
from .parallel import ParallelLoop
from .runtime import describe_short, is_runtime

# Iterations that a T.Parallel whose extent is known at run time takes at a time, and what
# its extent counts as where two of them would meet.
CHUNK, MANY = 64, 2**62


class ControlFlow:
    """Part of the emitter. See the module's docstring."""

    def stmt_If(self, node: ast.If) -> None:
        condition = self.evaluate(node.test)
        if not is_runtime(condition):
            self.block(node.body if self.python_truth(condition, node.test) else node.orelse)
            return
        self.at(node.test)
        self.refuse_effect_in_plain("a branch on a run-time value")
        if self.kernel is None:
            self.fail(
                "a branch on a run-time value outside a kernel",
                rule="outside T.Kernel everything is decided at compile time",
                hint="move the branch into the kernel",
            )
        condition = self.truth(condition)
        with self.guarded_by(condition):
            with self.inside("the branch", node):
                self.builder.out.append(f"scf.if {condition.ssa} {{")
                self.block(node.body)
            if node.orelse:
                self.builder.out.append("} else {")
                with self.inside("the branch", node):
                    self.block(node.orelse)
        self.at(node)
        self.builder.op("}")

    @contextmanager
    def inside(self, what: str, node: ast.AST):
        """A run-time region: names bound in it end with it."""
        self.frame.scopes.append(Scope(what, node.lineno))
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1
            self.frame.leave()

    @contextmanager
    def guarded_by(self, condition: Value):
        """Code that runs only where a condition says so."""
        self.conditions.append(condition.deps)
        self.branches += 1
        try:
            yield
        finally:
            self.branches -= 1
            self.conditions.pop()

    @contextmanager
    def branch(self, condition: Value):
        """An `if` of the front end's own, on a run-time condition."""
        condition = self.truth(condition)
        with self.guarded_by(condition), self.builder.region(f"scf.if {condition.ssa}"):
            yield

    def in_runtime_region(self) -> bool:
        return self.depth > self.frame.depth

    def refuse_effect_in_plain(self, what: str) -> None:
        if self.frame.plain:
            name = self.frame.source.tree.name
            self.fail(
                f"{what} in the ordinary function {name}",
                rule="an ordinary Python function computes scalars only",
                hint=f"make {name} a @T.macro",
            )

    def stmt_While(self, node: ast.While) -> None:
        if node.orelse:
            self.at(node)
            self.fail("else on a loop", hint="put the code after the loop")
        self.at(node)
        self.refuse_effect_in_plain("a loop")
        loop = self.open_loop("while", node.body, self.depth + 1)
        with self.builder.capture() as test:
            condition = self._while_condition(node, loop)
            if condition is not None:
                self.builder.op(f"scf.condition({condition.ssa})")
        if condition is None:
            return
        if self.kernel is None:
            self.fail(
                "a loop on a run-time value outside a kernel",
                hint="move the loop into the kernel",
            )
        self.builder.out.append("scf.while : () -> () {")
        self.builder.out += test
        self.builder.out.append("} do {")
        with self.guarded_by(condition), self.inside("the loop", node):
            self.loop_body(loop, node.body)
        self.at(node)
        self.builder.op("scf.yield")
        self.builder.op("}")

    def _while_condition(self, node: ast.While, loop: OpenLoop) -> Value | None:
        """Whether the loop goes on, or None where it never runs."""
        if loop.ends:
            going = self.choose(
                self.has_not_ended(loop), lambda: self._truth_of(node.test), lambda: False
            )
            return None if going is False else going
        condition = self.evaluate(node.test)
        self.at(node.test)
        if is_runtime(condition):
            return self.truth(condition)
        if self.python_truth(condition, node.test):
            self.fail(
                "this while loop does not end: its condition is true at compile time",
                hint="test a variable of T.alloc_var, or break",
            )
        return None

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
                self._parallel_loop(node, iterable)
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

    def _targets(self, node: ast.For, count: int) -> list[str]:
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

    def _parallel_loop(self, node: ast.For, loop: Loop) -> None:
        """A `tile.parallel`; with extents known at run time, in loops over them."""
        names = self._targets(node, len(loop.bounds))
        sizes = [stop for _, stop in loop.bounds]
        ssa = [self.builder.fresh(name) for name in names]
        opened = ParallelLoop()
        self.parallel.append(opened)
        with self.builder.capture() as code, self.inside("the T.Parallel loop", node):
            for name, variable, size in zip(names, ssa, sizes):
                opened.add(variable, name, size if isinstance(size, int) else MANY)
                self.know_loop(variable, 0, size)
                value = Value(variable, index, None, frozenset((variable,)), True)
                self.frame.bind(name, value)
            self.loop_body(self.open_loop("parallel", node.body, self.depth), node.body)
        self.parallel.pop()
        self.at(node)
        called = dict(zip(ssa, names))
        *others, last = zip(ssa, sizes)
        loops = [pair for pair in others if not isinstance(pair[1], int)]
        fixed = [pair for pair in others if isinstance(pair[1], int)]
        with ExitStack() as regions:
            for variable, size in loops:
                regions.enter_context(self._counted(variable, size, 1, called[variable]))
            if isinstance(last[1], int):
                with self._parallel([*fixed, last], called):
                    self.builder.out += code
            else:
                self._in_chunks(fixed, *last, code, called)

    def _counted(self, variable: str, stop: Value, step: int, name: str):
        """The region of a loop from 0."""
        bounds = (self.constant(0, index), stop, self.constant(step, index))
        first, last, stride = (bound.ssa for bound in bounds)
        head = f"scf.for {variable} = {first} to {last} step {stride}"
        return self._region(head, [name])

    def _parallel(self, variables: list[tuple[str, int]], called: dict[str, str]):
        """The region of a `tile.parallel`; `called` has what the source calls its variables."""
        ssa, extents = zip(*variables)
        head = f"tile.parallel ({', '.join(ssa)}) in ({', '.join(map(str, extents))})"
        return self._region(head, [called[variable] for variable in ssa])

    @contextmanager
    def _region(self, head: str, names: list[str]):
        """The region of a loop that `head` starts."""
        self.builder.out.append(f"{head} {{")
        yield
        self._close_loop(names)

    def _close_loop(self, names: list[str]) -> None:
        """End a loop; reports of checking mode take its variables' names from its place."""
        place = self.builder.location
        if self.reading.checked:
            named = f"{quote(','.join(names))}({place[4:-1]})"
            place = f"loc({self.builder.alias(named)})"
        self.builder.out.append(f"}} {place}")

    def _in_chunks(
        self,
        fixed: list[tuple[str, int]],
        variable: str,
        size: Value,
        code: list[str],
        called: dict[str, str],
    ) -> None:
        """`code` for `variable` below a size known at run time.

        It is written twice: for whole chunks, and for what is left under a condition. Names
        of two regions side by side may be equal.
        """
        builder = self.builder
        if not size.nonneg:
            size = self.extremum("max", size, self.constant(0, index))
            size.nonneg = True
        whole = self.binary("mul", self.binary("floordiv", size, CHUNK), CHUNK)
        start, lane = builder.fresh(variable[1:]), builder.fresh(variable[1:])
        chunk = [*fixed, (lane, CHUNK)]
        name = called[variable]
        called = called | {lane: f"{name} in chunk"}
        with (
            self._counted(start, whole, CHUNK, f"chunk of {name}"),
            self._parallel(chunk, called),
        ):
            builder.op(f"{variable} = arith.addi {start}, {lane} : index")
            builder.out += code
        rest = self.compare("lt", whole, size)
        with builder.region(f"scf.if {rest.ssa}"), self._parallel(chunk, called):
            builder.op(f"{variable} = arith.addi {whole.ssa}, {lane} : index")
            below = self.compare("lt", Value(variable, index), size)
            with builder.region(f"scf.if {below.ssa}"):
                builder.out += code

    def _sequential(self, node: ast.For, loop: Loop) -> None:
        """A nest of `scf.for`, one `tile.pipelined`, or what `break` leaves, `scf.while`."""
        names = self._targets(node, len(loop.domain or loop.bounds))
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
                    guards.enter_context(self.guarded_by(going))
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
            self._close_loop([f"steps of {name}" if counts else name])
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

    def stmt_Continue(self, node: ast.Continue) -> None:
        self.at(node)
        self.leave(True, "continue")

    def stmt_Break(self, node: ast.Break) -> None:
        self.at(node)
        self.leave(False, "break")
