"""Branches and loops.

On Python values they are folded and unrolled, on run-time values they become regions, whose
names end with them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
from contextlib import contextmanager

from ..language.dtypes import index
from ..language.loops import Loop
from ..language.values import Value
from .builder import quote
from .frame import MISSING, Scope
from .leaving import LeftLoop, OpenLoop
from .parallel import ParallelLoop
from .runtime import describe_short, is_runtime


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
        names = self._targets(node, len(loop.bounds))
        extents = [stop for _, stop in loop.bounds]
        ssa = [self.builder.fresh(n) for n in names]
        opened = ParallelLoop(dict(zip(ssa, extents)), dict(zip(ssa, names)))
        self.builder.out.append(
            f"tile.parallel ({', '.join(ssa)}) in ({', '.join(map(str, extents))}) {{"
        )
        self.parallel.append(opened)
        with self.inside("the T.Parallel loop", node):
            for name, variable, extent in zip(names, ssa, extents):
                self.know_loop(variable, 0, extent)
                self.frame.bind(
                    name, Value(variable, index, None, frozenset((variable,)), True)
                )
            self.loop_body(self.open_loop("parallel", node.body, self.depth), node.body)
        self.parallel.pop()
        self.at(node)
        self._close_loop(names)

    def _sequential(self, node: ast.For, loop: Loop) -> None:
        """A nest of `scf.for`, or one `tile.pipelined`."""
        names = self._targets(node, len(loop.bounds))
        step = self.index(loop.step, "the step of a loop")
        down = isinstance(step, int) and step < 0
        if down:
            loop, highest = self._upwards(loop, step)
        stride = self.index_value(loop.step)
        body = self.open_loop(loop.kind, node.body, self.depth + 1)
        nested = loop.kind == "parallel"  # inside another T.Parallel: order is immaterial
        opened = []
        for name, (start, stop) in zip(names, loop.bounds):
            first = self.index_value(start, "the start of a loop")
            last = self.index_value(stop, "the end of a loop")
            variable = self.builder.fresh(name)
            bounds = f"{variable} = {first.ssa} to {last.ssa} step {stride.ssa}"
            if loop.kind == "pipelined":
                self.builder.out.append(f"tile.pipelined {bounds} stages({loop.stages}) {{")
            else:
                self.builder.out.append(f"scf.for {bounds} {{")
            self.know_loop(variable, start, stop, loop.step)
            deps = first.deps | last.deps
            if nested and isinstance(stop, int):
                self.parallel[-1].extents[variable] = stop
                self.parallel[-1].names[variable] = name
                deps = frozenset((variable,))
            opened.append((name, Value(variable, index, None, deps, first.nonneg)))
        with self.inside("the loop", node):
            for name, value in opened:
                if down:
                    value = self.binary("add", highest, self.binary("mul", value, step))
                self.frame.bind(name, value)
            self.conditions.append(frozenset().union(*(v.deps for _, v in opened)))
            self.loop_body(body, node.body)
            self.conditions.pop()
        self.at(node)
        for name, value in opened:
            # What counts in a loop downwards is how many steps it has gone.
            self._close_loop([f"steps of {name}" if down else name])
            if nested:
                self.parallel[-1].extents.pop(value.ssa, None)
                self.parallel[-1].names.pop(value.ssa, None)

    def _close_loop(self, names: list[str]) -> None:
        """End a loop; reports of checking mode take its variables' names from its place."""
        place = self.builder.location
        if self.checked:
            named = f"{quote(','.join(names))}({place[4:-1]})"
            place = f"loc({self.builder.alias(named)})"
        self.builder.out.append(f"}} {place}")

    def _upwards(self, loop: Loop, step: int) -> tuple[Loop, int | Value]:
        """A loop that counts down as one from 0, and the first value of its variable."""
        [bounds] = loop.bounds
        start, stop = (self.index(bound, "a bound of a loop") for bound in bounds)
        if isinstance(start, int) and isinstance(stop, int):
            count: int | Value = len(range(start, stop, step))
        else:
            count = self.ceildiv(self.binary("sub", start, stop), -step)
        return Loop(loop.kind, [(0, count)]), start

    def stmt_Continue(self, node: ast.Continue) -> None:
        self.at(node)
        self.leave(True, "continue")

    def stmt_Break(self, node: ast.Break) -> None:
        self.at(node)
        self.leave(False, "break")
