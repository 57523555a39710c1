"""Thread-level code: kernels that ask T.get_thread_binding.

What such a kernel's threads do between two barriers is a loop over the threads whose iterations
have no order, which is what T.Parallel says. So statements are gathered into *runs*: as many
as follow each other without a barrier or an operation on whole tiles, which stay where they
are, between the runs.

    tx = T.get_thread_binding()          (kept: computed again in each run that needs it)
    total[tx] = x[tx]                    run 1: for tx in T.Parallel(threads)
    T.sync_threads()
    if tx < 64:                          (kept: a condition of each run inside)
        total[tx] += total[tx + 64]      run 2
        T.sync_threads()

A variable or local array belongs to each thread: it is a tile with a row for each. Between
runs, in the bounds of loops and in conditions there, it is read as the first thread has it:
what decides on a barrier is the same for all threads.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import itertools
import math
from contextlib import contextmanager

from ..language.dtypes import index
from ..language.values import Memory, Value
from .frame import Frame
from .parallel import ParallelLoop
from .runtime import is_runtime

_THREAD = ("get_thread_binding", "get_thread_bindings")

# Calls that all threads make together, so that no run holds them: work on whole tiles, and what
# only says something.
_WORK = """
    copy gemm fill clear gather scatter topk sort scan cumsum cummax im2col c2d_im2col reduce
    reduce_sum reduce_max reduce_min reduce_absmax reduce_abssum reduce_all reduce_any
    reduce_argmax reduce_argmin reduce_bitand reduce_bitor reduce_bitxor Parallel parallel
    Pipelined Persistent sync_grid grid_sync
"""
_SAID = """
    sync_threads syncthreads sync_warp tvm_storage_sync alloc_shared alloc_fragment alloc_local
    alloc_var alloc_global view reshape use_swizzle annotate_layout annotate_padding
    annotate_l2_hit_ratio choose
"""
_WORK = frozenset(_WORK.split())
_TOGETHER = _WORK | frozenset(_SAID.split())


class ThreadRun(ast.stmt):
    """Statements that every thread executes without waiting for others.

    `lets` are those of them that say what follows from the thread's coordinates alone, which
    later runs may compute again.
    """

    _fields = ("body", "lets")


class Threads:
    """The threads of the open kernel.

    Attributes:
        extents: of T.Kernel(threads=...), the first fastest.
        variables: names that T.alloc_var and T.alloc_local bind.
        lets: assignments of runs so far that say what depends on the thread alone.
        names: what such assignments of the open bodies bind.
        guards: conditions on the thread that are open, with the frame that they are of.
        values: the thread's coordinates in a run, None outside.
    """

    def __init__(self, extents: tuple[int, ...], body: list[ast.stmt]) -> None:
        self.extents = extents
        self.variables = {
            target.id
            for node in _walk(body)
            if isinstance(node, ast.Assign) and _calls(node.value, ("alloc_var", "alloc_local"))
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        self.lets: list[ast.Assign] = []
        self.names: set[str] = set()
        self.guards: list[tuple[ast.expr, Frame]] = []
        self.values: tuple[Value, ...] | None = None

    @contextmanager
    def body(self):
        """A body being read, with which what it binds ends."""
        lets, names = len(self.lets), set(self.names)
        yield
        del self.lets[lets:]
        self.names = names

    @property
    def count(self) -> int:
        return math.prod(self.extents)


def threads_of(body: list[ast.stmt], extents: tuple[int, ...] | None) -> Threads | None:
    """The threads of a kernel that asks for them; 128, as TileLang has it, where it does not
    say how many."""
    if not any(_calls(node, _THREAD) for node in body):
        return None
    return Threads(extents or (128,), body)


class ThreadCode:
    """Part of the emitter. See the module's docstring."""

    def thread(self, dim: int) -> Value:
        """A coordinate of the thread."""
        threads = self.threads
        if threads is None or threads.values is None:
            self.fail(
                "the thread is asked for in an operation on whole tiles"
                if threads
                else "T.get_thread_binding outside a kernel's own body",
                rule="elements and variables may depend on the thread; whole tiles, and loops "
                "and branches that hold barriers, are the block's",
                hint="use it in the body of T.Kernel, in assignments of elements and variables",
            )
        if not isinstance(dim, int) or not 0 <= dim < len(threads.extents):
            self.fail(
                f"the threads have no dimension {dim}",
                rule=f"T.Kernel has threads={threads.extents}",
                hint="dimensions are counted from 0",
            )
        return threads.values[dim]

    def thread_number(self) -> Value | int:
        """The thread counted over all dimensions; outside a run, the first."""
        if self.threads.values is None:
            return 0
        number: Value | int = 0
        for value, extent in reversed(list(zip(self.threads.values, self.threads.extents))):
            number = (
                value if number == 0 else self.plus(self.binary("mul", number, extent), value)
            )
        return number

    def per_thread(self, what: str, shape: object, dtype: object, variable: bool) -> Memory:
        """A variable or local array of each thread."""
        shape = self.static_shape(what, shape)
        rows = self.allocate(what, (self.threads.count, *shape), dtype, "fragment")
        made = Memory(rows.ssa, rows.name, rows.dtype, shape, "local", rows.type, variable)
        made.rows = rows
        return made

    # -- runs -------------------------------------------------------------------------------

    def block(self, body: list[ast.stmt]) -> None:
        """Read statements, gathered into runs where the kernel is one of threads."""
        if self.threads is None or self.parallel:
            super().block(body)
            return
        with self.threads.body():
            super().block(self._gathered(body))

    def _gathered(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """A body with its runs; those that it has already stay."""
        found: list[ast.stmt] = []
        for node in body:
            if isinstance(node, ThreadRun) or not self._is_in_run(node):
                found.append(node)
                continue
            if not found or not isinstance(found[-1], ThreadRun):
                found.append(ast.copy_location(ThreadRun(body=[], lets=[]), node))
            found[-1].body.append(node)
            if self._is_let(node):
                found[-1].lets.append(node)
        return found

    def _is_in_run(self, node: ast.stmt) -> bool:
        if isinstance(
            node, (ast.With, ast.Pass, ast.Assert, ast.Return, ast.Break, ast.Continue)
        ):
            return False
        if _calls(node, _TOGETHER) and not self._is_own(node) or _leaves_outer(node):
            return False
        if isinstance(node, ast.If) and not self._is_of_thread(node.test):
            return False
        if isinstance(node, ast.Assign) and all(map(_is_name, node.targets)):
            if self._is_let(node):
                self.threads.names |= _names(node.targets)
            return self._is_of_thread(node.value) or bool(
                _names(node.targets) & self.threads.variables
            )
        return not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))

    def _is_own(self, node: ast.stmt) -> bool:
        """Whether what a loop or branch calls is done by a thread alone: it may have variables
        of its own."""
        inside = isinstance(node, (ast.For, ast.While, ast.If))
        return inside and not _calls(node, _TOGETHER - {"alloc_var", "alloc_local"})

    def _is_of_thread(self, node: ast.expr) -> bool:
        """Whether threads may differ in a value."""
        return bool(_names([node]) & (self.threads.names | self.threads.variables)) or _calls(
            node, (*_THREAD, "atomic_add", "atomic_max", "atomic_min")
        )

    def _is_let(self, node: ast.stmt) -> bool:
        """Whether a statement binds names to what follows from the thread alone."""
        return (
            isinstance(node, ast.Assign)
            and all(map(_is_name, node.targets))
            and not _names(node.targets) & self.threads.variables
            and self._follows(node.value)
        )

    def _follows(self, node: ast.expr) -> bool:
        """Whether a value follows from the thread's coordinates alone."""
        depends = bool(_names([node]) & self.threads.names) or _calls(node, _THREAD)
        reads = any(isinstance(n, ast.Subscript) for n in ast.walk(node))
        return depends and not reads and not _names([node]) & self.threads.variables

    def stmt_ThreadRun(self, node: ThreadRun) -> None:
        """A run: a loop over the threads, in the conditions that are open."""
        threads = self.threads
        if len(node.lets) == len(node.body):
            threads.lets += node.lets
            return
        body = node.body
        for test, frame in reversed(threads.guards):
            if frame is not self.frame:
                self.fail(
                    "a macro with barriers is called under a condition on the thread",
                    hint="write the condition into the macro, or take the call out of it",
                )
            body = [ast.copy_location(ast.If(test=test, body=body, orelse=[]), test)]
        ssa = [self.builder.fresh(f"t{'xyz'[d]}") for d in range(len(threads.extents))]
        names = [f"t{'xyz'[d]}" for d in range(len(ssa))]
        head = f"tile.parallel ({', '.join(ssa)}) in ({', '.join(map(str, threads.extents))})"
        opened = ParallelLoop(of_threads=True)
        self.parallel.append(opened)
        with self.loop_region(head, names), self.inside("the code of a thread", node):
            for name, variable, extent in zip(names, ssa, threads.extents):
                opened.add(variable, name, extent)
                self.know_loop(variable, 0, extent)
            threads.values = tuple(
                Value(s, index, None, frozenset((s,)), nonneg=True) for s in ssa
            )
            for let in self._needed(body):
                self.statement(let)
            self.loop_body(self.open_loop("parallel", body, self.depth), body)
            self.at(node)
        threads.values = None
        threads.lets += node.lets
        self.parallel.pop()

    def _needed(self, body: list[ast.stmt]) -> list[ast.Assign]:
        """The assignments on which statements depend, in order."""
        used, found = _names(body), []
        for let in reversed(self.threads.lets):
            if _names(let.targets) & used:
                used |= _names([let.value])
                found.append(let)
        return found[::-1]

    def thread_branch(self, node: ast.If) -> bool:
        """Reads a branch that depends on the thread and holds barriers; False where it is
        another."""
        if self.threads is None or self.parallel:
            return False
        test = node.test
        if not (_names([test]) & self.threads.names or _calls(test, _THREAD)):
            return False
        if not self._follows(test):
            self.at(test)
            self.fail(
                "a barrier under a condition that reads memory of the thread",
                rule="what decides on a barrier follows from the thread's coordinates alone, "
                "or is the same for all threads",
                hint="take the barrier out of the branch",
            )
        negated = ast.copy_location(ast.UnaryOp(ast.Not(), test), test)
        for condition, body in ((test, node.body), (negated, node.orelse)):
            self.threads.guards.append((condition, self.frame))
            if any(_calls(statement, _WORK) for statement in body):
                self._check_work(test)
            self.block(body)
            self.threads.guards.pop()
        return True

    def _check_work(self, test: ast.expr) -> None:
        """Refuse work on whole tiles that perhaps no thread reaches. What some threads do is
        done once, whichever they are."""
        threads = self.threads
        tests = [guard for guard, _ in threads.guards]
        passed: object = False
        for values in itertools.product(*map(range, threads.extents)):
            threads.values = values
            with self.builder.capture(), self.inside("a condition on the thread", test):
                for let in self._needed(tests):
                    self.statement(let)
                found = [self.evaluate(guard) for guard in tests]
            passed = not any(map(is_runtime, found)) and all(found)
            if passed or any(map(is_runtime, found)):
                break
        threads.values = None
        if not passed:
            self.at(test)
            self.fail(
                "an operation on whole tiles under a condition on the thread, which is not "
                "shown to hold for one",
                rule="an operation on whole tiles is the block's, and is done once",
                hint="take it out of the branch",
            )


def _walk(body: list[ast.AST]):
    for node in body:
        yield from ast.walk(node)


def _names(nodes: list[ast.AST]) -> set[str]:
    return {node.id for node in _walk(nodes) if isinstance(node, ast.Name)}


def _is_name(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) or (
        isinstance(target, ast.Tuple) and all(map(_is_name, target.elts))
    )


def _calls(node: ast.AST, names) -> bool:
    """Whether a call of `T.name`, one of the names, is in the code."""
    return any(
        isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr in names
        for n in ast.walk(node)
    )


def _leaves_outer(node: ast.stmt) -> bool:
    """Whether a statement may leave a loop around it."""
    if isinstance(node, (ast.Break, ast.Continue)) or _calls(node, ("loop_break",)):
        return True
    if isinstance(node, (ast.For, ast.While)):
        return False
    return any(
        _leaves_outer(child)
        for child in ast.iter_child_nodes(node)
        if isinstance(child, ast.stmt)
    )
