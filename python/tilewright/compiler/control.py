"""Branches, and loops on a condition.

On Python values they are folded, on run-time values they become regions, whose names end with
them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
from contextlib import contextmanager

from ..language.values import Value
from .frame import Scope
from .leaving import OpenLoop
from .runtime import is_runtime


class ControlFlow:
    """Part of the emitter. See the module's docstring."""

    def stmt_If(self, node: ast.If) -> None:
        if self.thread_branch(node):
            return
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
        with self.guarded_by(condition.deps):
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
    def guarded_by(self, deps: frozenset[str]):
        """Code that runs only where a condition says so, which depends on `deps`."""
        self.conditions.append(deps)
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
        with self.guarded_by(condition.deps), self.builder.region(f"scf.if {condition.ssa}"):
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
        with self.guarded_by(condition.deps), self.inside("the loop", node):
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

    def stmt_Continue(self, node: ast.Continue) -> None:
        self.at(node)
        self.leave(True, "continue")

    def stmt_Break(self, node: ast.Break) -> None:
        self.at(node)
        self.leave(False, "break")
