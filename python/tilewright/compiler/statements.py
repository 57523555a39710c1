"""Statements: kernels, returns, checks, and which kinds there are.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast

from ..language.dtypes import index
from ..language.kernel import KernelSpec
from ..language.values import Value
from .calls import Return
from .errors import CompileError
from .frame import Scope
from .runtime import is_runtime
from .threads import threads_of

_REFUSED = {
    ast.FunctionDef: ("a function inside a kernel", "define it outside, as a @T.macro"),
    ast.AsyncFunctionDef: ("a function inside a kernel", "define it outside, as a @T.macro"),
    ast.ClassDef: ("a class inside a kernel", "define it outside"),
    ast.Import: ("an import inside a kernel", "import at the top of the file"),
    ast.ImportFrom: ("an import inside a kernel", "import at the top of the file"),
    ast.Global: ("global inside a kernel", "kernels do not assign names of the module"),
    ast.Nonlocal: ("nonlocal inside a kernel", "kernels do not assign names around them"),
    ast.Delete: ("del inside a kernel", "leave it out; tiles end with their kernel"),
    ast.Try: ("try inside a kernel", "a kernel raises no exceptions"),
    ast.AsyncFor: ("async for", "use for"),
    ast.AsyncWith: ("async with", "use with"),
    ast.Match: ("match inside a kernel", "use if and elif"),
}


class Statements:
    """Part of the emitter. See the module's docstring."""

    def statement(self, node: ast.stmt) -> None:
        self.at(node)
        handler = getattr(self, "stmt_" + type(node).__name__, None)
        if handler is None:
            what, hint = _REFUSED.get(type(node), (type(node).__name__, ""))
            self.fail(what, rule="kernels take a subset of Python", hint=hint)
        handler(node)

    def stmt_With(self, node: ast.With) -> None:
        for item in node.items:
            spec = self.evaluate(item.context_expr)
            self.at(item.context_expr)
            if not isinstance(spec, KernelSpec):
                self.fail(
                    "`with` on something other than T.Kernel",
                    rule="with takes T.Kernel",
                    hint="use plain Python `if` and `for`",
                )
            if len(node.items) != 1:
                self.fail("several items in one `with`", hint="one T.Kernel per with")
            self._kernel(node, spec, item.optional_vars)

    def _kernel(self, node: ast.With, spec: KernelSpec, target: ast.expr | None) -> None:
        if self.kernel is not None:
            self.fail(
                "T.Kernel inside a T.Kernel",
                rule="kernels run one after the other",
                hint="end the first kernel before the second",
            )
        if self.in_runtime_region() or self.frame.plain:
            self.fail("T.Kernel in an ordinary function", hint="make it a @T.macro")
        grid = [self.index_value(g, "a grid extent").ssa for g in spec.grid]
        coordinates = _coordinate_names(target)
        if isinstance(target, (ast.Tuple, ast.List)) and len(target.elts) != len(grid):
            self.at(target)
            self.fail(
                f"{len(target.elts)} names for the {len(grid)} extents of T.Kernel",
                hint="give one name for each extent: with T.Kernel(gx, gy) as (bx, by)",
            )
        names = [
            coordinates[i] if i < len(coordinates) else "b" + "xyz"[i] for i in range(len(grid))
        ]
        ssa = [self.builder.fresh(n) for n in names]
        threads = f" threads({spec.threads})" if spec.threads else ""
        self.builder.out.append(
            f"tile.kernel ({', '.join(ssa)}) in ({', '.join(grid)}){threads} {{"
        )
        self.kernel = spec
        self.threads = threads_of(node.body, spec.block)
        self.kernels += 1
        blocks = tuple(Value(s, index, None, nonneg=True) for s in ssa)
        for s, extent in zip(ssa, spec.grid):
            self.know_loop(s, 0, extent)
        self.frame.scopes.append(Scope("the kernel", node.lineno))
        with self.builder.section():
            if target is not None:
                one = len(blocks) == 1 and isinstance(target, ast.Name)
                self.assign(target, blocks[0] if one else blocks)
            self.block(node.body)
        self.frame.leave()
        self.kernel = self.threads = None
        self.at(node)
        self.builder.op("}")

    def stmt_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.name_hint = ""
            self.reference(node.value)

    def stmt_Return(self, node: ast.Return) -> None:
        self.at(node)
        if self.in_runtime_region():
            self.fail(
                "return in a run-time loop or branch",
                rule="a kernel's blocks run to the end",
                hint="guard the rest of the body with `if`",
            )
        if self.kernel is not None and self.frame.caller is None:
            self.fail("return inside T.Kernel", hint="guard the rest of the body with `if`")
        value = None if node.value is None else self.evaluate(node.value)
        self.at(node)
        raise Return(value)

    def stmt_Pass(self, node: ast.Pass) -> None:
        pass

    def stmt_Assert(self, node: ast.Assert) -> None:
        condition = self.evaluate(node.test)
        self.at(node.test)
        if is_runtime(condition):
            self.fail(
                "assert on a run-time value",
                hint="use T.device_assert, or T.assume for a fact the compiler may use",
            )
        if not self.python_truth(condition, node.test):
            message = self.evaluate(node.msg) if node.msg else ast.unparse(node.test)
            self.at(node)
            self.fail(
                f"assertion failed at compile time: {message}",
                rule="assert in a kernel states what its compile-time values must be",
            )

    def stmt_Raise(self, node: ast.Raise) -> None:
        self.at(node)
        if self.in_runtime_region():
            self.fail("raise in a run-time loop or branch", hint="use T.device_assert")
        error = self.evaluate(node.exc) if node.exc else "raise"
        self.at(node)
        if isinstance(error, CompileError):
            raise error
        text = f"{type(error).__name__}: {error}" if isinstance(error, Exception) else error
        self.fail(
            f"the kernel's own check failed: {text}",
            rule="raise in a kernel refuses the compile-time values that lead to it",
        )


def _coordinate_names(target: ast.expr | None) -> list[str]:
    """Names for the block coordinates, for readable IR."""
    nodes = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
    return [n.id if isinstance(n, ast.Name) else "b" for n in nodes if n is not None]
