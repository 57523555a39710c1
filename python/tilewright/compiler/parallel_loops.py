"""`for` over T.Parallel, whose extents may be known at run time only.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
from contextlib import ExitStack

from ..language.dtypes import index
from ..language.loops import Loop
from ..language.values import Value
from .parallel import ParallelLoop

# Iterations that a T.Parallel whose extent is known at run time takes at a time, and what
# its extent counts as where two of them would meet.
CHUNK, MANY = 64, 2**62


class ParallelLoops:
    """Part of the emitter. See the module's docstring."""

    def parallel_loop(self, node: ast.For, loop: Loop) -> None:
        """A `tile.parallel`; with extents known at run time, in loops over them."""
        names = self.loop_variables(node, len(loop.bounds))
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
                regions.enter_context(self.counted(variable, size, 1, called[variable]))
            if isinstance(last[1], int):
                with self._parallel([*fixed, last], called):
                    self.builder.out += code
            else:
                self._in_chunks(fixed, *last, code, called)

    def _parallel(self, variables: list[tuple[str, int]], called: dict[str, str]):
        """The region of a `tile.parallel`; `called` has what the source calls its variables."""
        ssa, extents = zip(*variables)
        head = f"tile.parallel ({', '.join(ssa)}) in ({', '.join(map(str, extents))})"
        return self.loop_region(head, [called[variable] for variable in ssa])

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
            self.counted(start, whole, CHUNK, f"chunk of {name}"),
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
