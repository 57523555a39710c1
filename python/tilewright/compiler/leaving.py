"""`break` and `continue`.

In a loop that the front end repeats they end or skip a repetition while compiling. In a
run-time loop they set a variable, under which the rest of the body stands, and which a loop
with a `break` tests before each iteration.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast

from ..language.values import Memory, Value

_SKIPS, _ENDS = 1, 2  # values of a loop's variable: this iteration is over, the loop is


class LeftLoop(Exception):
    """`break` or `continue` in a loop that the front end repeats."""

    def __init__(self, again: bool) -> None:
        self.again = again


class OpenLoop:
    """A loop whose body is being read.

    Attributes:
        kind: as of `Loop`; "while" too.
        frame, depth: the function it stands in, and the open run-time regions of its body.
        ends: whether its body holds a `break`.
        left: the variable that break and continue set, if the body holds one of them.
        marks: how often they did, so far.
    """

    def __init__(self, kind: str, frame: object, depth: int, ends: bool) -> None:
        self.kind, self.frame, self.depth, self.ends = kind, frame, depth, ends
        self.left: Memory | None = None
        self.marks = 0


class Leaving:
    """Part of the emitter. See the module's docstring. `loops` are the open loops."""

    def open_loop(self, kind: str, body: list[ast.stmt], depth: int) -> OpenLoop:
        """What `break` and `continue` in this body leave; its variable is made here."""
        found = [word for node in body for word in _leaves(node)]
        loop = OpenLoop(kind, self.frame, depth, "break" in found)
        if found and kind != "unroll":
            loop.left = self.allocate("T.alloc_var", (1,), "int32", "local", variable=True)
            self.store(loop.left, [0], 0)
        return loop

    def loop_body(self, loop: OpenLoop, body: list[ast.stmt]) -> None:
        """Read the body of a loop, as one iteration of it."""
        self.loops.append(loop)
        try:
            if loop.left is None:
                self.block(body)
                return
            self.store(loop.left, [0], 0)
            self.block(body)
        finally:
            self.loops.pop()

    def has_not_ended(self, loop: OpenLoop) -> Value:
        return self.compare("ne", self.load(loop.left, [0]), _ENDS)

    def leave(self, again: bool, word: str) -> None:
        """`break` or `continue` of the innermost loop."""
        loop = self.loops[-1] if self.loops else None
        if loop is None or loop.frame is not self.frame:
            self.fail(
                f"{word} outside a loop of this function",
                hint="a macro leaves its own loops; return a condition, and break where it is "
                "called",
            )
        if loop.kind == "unroll":
            if self.depth == loop.depth:
                raise LeftLoop(again)
            self.fail(
                f"{word} under a run-time condition in a loop that is written out",
                hint="use T.serial, or guard the rest of the body with `if`",
            )
        if loop.kind == "parallel" and not again:
            self.fail(
                f"{word} in T.Parallel",
                rule="iterations of T.Parallel have no order",
                hint="guard the body with `if`, or loop with T.serial",
            )
        loop.marks += 1
        self.store(loop.left, [0], _SKIPS if again else _ENDS)

    def block(self, body: list[ast.stmt]) -> None:
        """Read statements. What follows one that may leave a loop is guarded."""
        for position, node in enumerate(body):
            loop = self.loops[-1] if self.loops else None
            before = loop.marks if loop else 0
            self.statement(node)
            if loop is None or loop.marks == before or loop.frame is not self.frame:
                continue
            rest = body[position + 1 :]
            if rest and not _is_leave(node):
                self.at(node)
                with self.branch(self.compare("eq", self.load(loop.left, [0]), 0)):
                    self.block(rest)
            return


def _is_leave(node: ast.AST) -> str:
    """The word, if the statement leaves a loop."""
    if isinstance(node, (ast.Break, ast.Continue)):
        return "break" if isinstance(node, ast.Break) else "continue"
    call = node.value if isinstance(node, ast.Expr) else None
    name = getattr(call.func, "attr", "") if isinstance(call, ast.Call) else ""
    return "break" if name == "loop_break" else ""


def _leaves(node: ast.AST) -> list[str]:
    """The words in a statement that leave the loop around it."""
    if word := _is_leave(node):
        return [word]
    if isinstance(node, (ast.For, ast.While, ast.FunctionDef, ast.Lambda, ast.expr)):
        return []
    return [word for child in ast.iter_child_nodes(node) for word in _leaves(child)]
