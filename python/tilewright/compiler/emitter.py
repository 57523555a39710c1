"""The front end: one function's syntax tree in, one module of `tile` IR out.

The body is never run. Names stand for Python objects or for device values; an expression of
Python objects is computed, any other becomes operations (a partial evaluator). The parts are
one per kind of syntax: expressions, statements, calls, arithmetic, access to memory.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast

from ..language import dtypes
from ..language.dtypes import DType, index
from ..language.symbols import Dim, SizeExpr
from ..language.values import Memory, Region, Value
from .access import Access
from .arithmetic import Arithmetic
from .assignment import Assignments
from .builder import Builder, quote
from .calls import Calls, Return
from .conditions import Conditions
from .containers import Containers
from .control import ControlFlow
from .errors import CompileError
from .expressions import Expressions
from .frame import Frame
from .leaving import Leaving, OpenLoop
from .loops import Loops
from .outside import Asked
from .parallel import ParallelChecks, ParallelLoop
from .parallel_loops import ParallelLoops
from .parameters import Parameters
from .python_calls import PythonCalls
from .ranges import Ranges
from .reading import PLAIN, Reading
from .reducers import Reducers
from .scalars import Scalars
from .signature import Parameter, signature_attribute
from .solving import Solved, Solving
from .source import Source
from .statements import Statements
from .threads import ThreadCode, Threads
from .views import Views


class Emitter(
    Expressions,
    Conditions,
    Containers,
    Calls,
    PythonCalls,
    Statements,
    Assignments,
    ControlFlow,
    Loops,
    ParallelLoops,
    ThreadCode,
    Reducers,
    Leaving,
    Scalars,
    Arithmetic,
    Access,
    Views,
    Parameters,
    Solving,
    Ranges,
    ParallelChecks,
):
    """Reads one kernel function and writes its IR.

    Attributes:
        builder: where operations are written.
        frame: the function being read (the kernel, or a macro inlined in it).
        asked: what was found outside the functions' own text.
        node: the syntax at hand, for messages and locations.
        kernel: the open T.Kernel, or None; `kernels` counts them.
        loops: open loops.
        threads: those of the open kernel, where its body asks for them.
        parallel: open T.Parallel loops; `conditions`: what each open branch depends on.
        parameters: the function's parameters in order; outputs of T.empty come last.
        symbols: for each dynamic size, where its value is: (memory, axis) or (value, None).
        solved: dynamic sizes that are given through an expression.
        made_of: sizes and products, by SSA name, from which index values were computed.
        consts: values of T.const sizes.
        reading: what the kernel is compiled for, apart from a target.
    """

    def __init__(
        self, source: Source, consts: dict[str, int] | None = None, reading: Reading = PLAIN
    ) -> None:
        self.reading = reading
        self.builder = Builder()
        self.asked = Asked(source.function)
        self.frame = Frame(source, self.asked)
        self.node: ast.AST = source.tree
        self.kernel: object = None
        self.kernels = 0
        self.depth = 0
        self.name_hint = ""
        self.parallel: list[ParallelLoop] = []
        self.threads: Threads | None = None
        self.conditions: list[frozenset] = []
        self.branches = 0
        self.reads: dict[tuple, tuple] | None = None  # of a slice that is being read
        self.loops: list[OpenLoop] = []
        self.ranges: dict[str, tuple[int, int]] = {}
        self.attained: set[str] = set()
        self.parameters: list[Parameter] = []
        self.symbols: dict[str, tuple] = {}
        self.solved: dict[str, Solved] = {}
        self.facts: dict[str, Dim] = {}
        self.made_of: dict[str, SizeExpr | tuple[Value, Value]] = {}
        self.consts = dict(consts or {})
        self.keep_consts = False

    # -- the function -----------------------------------------------------------------------

    def run(self, name: str) -> str:
        """Read the body and give the module's text. Parameters were declared before."""
        tree = self.frame.source.tree
        self.at(tree)
        self.result, self.result_node = None, tree
        with self.builder.section():
            try:
                self.block(tree.body)
            except Return as returned:
                self.result, self.result_node = returned.value, self.node
        self.at(tree)
        if not self.kernels:
            self.fail(
                f"{name} has no T.Kernel",
                rule="work is done by the blocks of a kernel",
                hint="put the body into `with T.Kernel(...) as bx:`",
            )
        self.order_parameters()
        self.check_signature()
        arguments = [f"{p.ssa}: {p.type}" for p in self.parameters]
        attributes = "tile.batch_invariant, " if self.reading.batch_invariant else ""
        signature = signature_attribute(
            self.parameters, self.signature_facts(), self.in_terms_of_arguments
        )
        attributes += f"tile.signature = {signature}"
        return self.builder.module(name, arguments, attributes)

    # -- helpers of operations --------------------------------------------------------------

    def dtype(self, spelling: object) -> DType:
        """A dtype, with an error at the code at hand."""
        try:
            return dtypes.parse(spelling)
        except (KeyError, TypeError):
            message, hint = dtypes.reason(spelling)
            self.fail(message, hint=hint)

    def region_extent(self, region: Region, axis: int) -> int | Value:
        """The extent of a region along a dimension of its memory."""
        size = region.sizes[axis]
        if size is not None:
            return size
        return self.binary("sub", self.extent(region.memory, axis), region.offsets[axis])

    def element_operands(self, memory: Memory, indices: list) -> tuple[str, frozenset]:
        """Index operands of an element, and what they depend on."""
        return self._indices(memory, indices)

    def refuse_in_parallel(self, what: str) -> None:
        if self.parallel:
            self.fail(
                f"{what} inside T.Parallel",
                rule="T.Parallel holds elementwise code only",
                hint="put it in front of or after the loop, or assign elements",
            )
        if self.kernel is None:
            self.fail(
                f"{what} outside a kernel",
                rule="only a kernel's blocks touch memory",
                hint="put it into `with T.Kernel(...)`",
            )

    def parallel_over(self, extents: list[int], body) -> None:
        """A T.Parallel of the front end's own; `body` takes the list of indices."""
        ssa = [self.builder.fresh("e") for _ in extents] or [self.builder.fresh("e")]
        text = ", ".join(map(str, extents)) or "1"
        self.builder.out.append(f"tile.parallel ({', '.join(ssa)}) in ({text}) {{")
        loop = ParallelLoop()
        self.parallel.append(loop)
        for s, extent in zip(ssa, extents):
            loop.add(s, "e", extent)
            self.know_loop(s, 0, extent)
        body([Value(s, index, None, frozenset((s,)), True) for s, _ in zip(ssa, extents)])
        self.parallel.pop()
        self.builder.op("}")

    def for_each(self, region: Region, body, parallel: bool = True) -> None:
        """Run `body` with the index of every element of a region, in order if not parallel."""
        dense = [d for d, size in enumerate(region.sizes) if size != 1]

        def element(position: list) -> None:
            at = dict(zip(dense, position))
            body([self.plus(o, at[d]) if d in at else o for d, o in enumerate(region.offsets)])

        if parallel:
            self.parallel_over([region.sizes[d] for d in dense], element)
            return
        zero, one = self.constant(0, index), self.constant(1, index)
        variables = []
        for d in dense:
            size = region.sizes[d]
            last = self.index_value(self.region_extent(region, d) if size is None else size)
            ssa = self.builder.fresh("e")
            self.builder.out.append(
                f"scf.for {ssa} = {zero.ssa} to {last.ssa} step {one.ssa} {{"
            )
            self.know_loop(ssa, 0, size)
            variables.append(Value(ssa, index, None, nonneg=True))
        element(variables)
        for _ in dense:
            self.builder.op("}")

    # -- places -----------------------------------------------------------------------------

    def at(self, node: ast.AST) -> None:
        """Make `node` the place of what is written and reported from now on."""
        self.node = node
        self.builder.location = self._location(self.frame, node)

    def _location(self, frame: Frame, node: ast.AST) -> str:
        key = (node.lineno, node.col_offset)
        known = frame.locations.get(key)
        if known is None:
            text = f"{quote(frame.source.file)}:{key[0]}:{key[1] + 1}"
            if frame.caller is not None:
                here = self.builder.alias(text)
                caller = self._location(*frame.caller)[4:-1]
                text = f"callsite({here} at {caller})"
            known = frame.locations[key] = f"loc({self.builder.alias(text)})"
        return known

    def fail(self, message: str, *, rule: str = "", hint: str = "") -> None:
        """Raise a CompileError at the code at hand."""
        frame = self.frame
        callers = tuple(f.source.place(n) for f, n in frame.chain())
        raise CompileError(
            message, frame.source.place(self.node), callers=callers, rule=rule, hint=hint
        )
