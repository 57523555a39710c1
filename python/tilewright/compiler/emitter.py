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
from ..language.symbols import Const, Dim, SizeExpr
from ..language.types import TensorType, Unevaluated
from ..language.values import Memory, Region, Value
from .access import Access
from .arithmetic import Arithmetic
from .assignment import Assignments
from .builder import Builder, memref, quote
from .calls import Calls, Return
from .conditions import Conditions
from .control import ControlFlow
from .errors import CompileError
from .expressions import Expressions
from .frame import Frame
from .leaving import Leaving, OpenLoop
from .outside import Asked
from .parallel import ParallelChecks, ParallelLoop
from .python_calls import PythonCalls
from .ranges import Ranges
from .reading import PLAIN, Reading
from .scalars import Scalars
from .signature import Parameter, signature_attribute
from .source import Source
from .statements import Statements
from .views import Views


class Emitter(
    Expressions,
    Conditions,
    Calls,
    PythonCalls,
    Statements,
    Assignments,
    ControlFlow,
    Leaving,
    Scalars,
    Arithmetic,
    Access,
    Views,
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
        parallel: open T.Parallel loops; `conditions`: what each open branch depends on.
        parameters: the function's parameters in order; outputs of T.empty come last.
        symbols: for each dynamic size, where its value is: (memory, axis) or (value, None).
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
        self.conditions: list[frozenset] = []
        self.branches = 0
        self.loops: list[OpenLoop] = []
        self.ranges: dict[str, tuple[int, int]] = {}
        self.attained: set[str] = set()
        self.parameters: list[Parameter] = []
        self.symbols: dict[str, tuple] = {}
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
        attributes += f"tile.signature = {signature_attribute(self.parameters, self.facts)}"
        return self.builder.module(name, arguments, attributes)

    def order_parameters(self) -> None:
        """Put the parameters into the order of the call; they are declared in it here."""

    def check_signature(self) -> None:
        """Refuse sizes that no argument gives and aliases of what is no tensor."""
        for p in self.parameters:
            expressions = (
                [s for s in p.memory.shape if isinstance(s, SizeExpr)] if p.memory else ()
            )
            for size in expressions:
                for name in sorted(size.names() - self.symbols.keys() - self.strides):
                    self.fail(
                        f"the size {size} of {p.name} needs {name}, which no argument gives",
                        rule="each T.dynamic name in an expression is by itself a size of a "
                        "tensor that is passed, or a scalar parameter",
                        hint=f"add a parameter {name}: {name}, or write {p.name}'s size as one "
                        "T.dynamic name",
                    )
            if p.alias and p.memory.twin is None:
                self.fail(
                    f'{p.name} is declared with alias="{p.alias}", which is no other tensor '
                    "parameter",
                    rule="an alias names the parameter whose memory a tensor may be",
                )

    @property
    def strides(self) -> set[str]:
        """T.dynamic names that are strides."""
        return {s.name for p in self.parameters for s in p.strides or () if isinstance(s, Dim)}

    def declare(self, name: str, annotation: object) -> None:
        """Make a parameter of the function and bind its name."""
        if isinstance(annotation, TensorType):
            value = self._tensor(name, annotation)
        elif isinstance(annotation, Dim):
            self._fact(annotation)
            given = self._scalar(name, dtypes.int64, annotation.name)
            self.symbols[annotation.name] = (given, None)
            value = annotation
        else:
            if isinstance(annotation, Unevaluated):
                self.fail(
                    f"the annotation of {name}: {annotation.message}",
                    rule=annotation.rule,
                    hint=annotation.hint,
                )
            try:
                dtype = dtypes.parse(annotation)
            except (KeyError, TypeError):
                if isinstance(annotation, str) and "(" in annotation:
                    self.fail(
                        f"the annotation of {name} cannot be evaluated: {annotation}",
                        rule="it sees names of the module and of the function around it",
                        hint="give the names that it uses values there",
                    )
                self.fail(
                    f"the parameter {name} is annotated with {annotation!r}",
                    rule="a parameter is a T.Tensor, a scalar's dtype or a T.dynamic size",
                    hint=f'write {name}: T.Tensor((M, K), "float16") or {name}: T.int32',
                )
            value = self._scalar(name, dtype, "")
        self.frame.scopes[0].names[name] = value

    def _scalar(self, name: str, dtype: DType, symbol: str) -> Value:
        value = Value(self.builder.fresh(name), dtype)
        self.parameters.append(Parameter(name, dtype, value.ssa, dtype.mlir, symbol=symbol))
        return value

    def _tensor(self, name: str, annotation: TensorType, output: bool = False) -> Memory:
        shape = tuple(self.resolved(s) for s in annotation.shape)
        strides = annotation.strides
        if annotation.dtype.is_paired:
            self._check_pairs(name, shape, annotation.dtype, strides)
        type = memref(shape, annotation.dtype, "global", strides)
        memory = Memory(self.builder.fresh(name), name, annotation.dtype, shape, "global", type)
        made = Parameter(
            name,
            annotation.dtype,
            memory.ssa,
            type,
            memory,
            strides,
            output=output,
            alias=annotation.alias,
        )
        self.parameters.append(made)
        for axis, size in enumerate(shape):
            if isinstance(size, Dim) and not output:
                self.symbols.setdefault(size.name, (memory, axis))
            for dim in _dims(size):
                self._fact(dim)
        for stride in strides or ():
            if isinstance(stride, Dim):
                self._fact(stride)
        self._join_aliases()
        return memory

    def _join_aliases(self) -> None:
        """Pair the tensors declared so far that may be the same memory."""
        tensors = {p.name: p for p in self.parameters if p.memory is not None}
        for p in tensors.values():
            other = tensors.get(p.alias)
            if p.memory.twin is not None or other in (None, p):
                continue
            if p.dtype is not other.dtype or not self.same_shape(p.memory, other.memory):
                self.fail(
                    f"{p.name} is declared an alias of {other.name} and has another "
                    f"{'shape' if p.dtype is other.dtype else 'dtype'}",
                    rule="an alias is the same elements, or other memory",
                    hint="give both one shape and dtype; T.view and T.reshape see memory in "
                    "another form",
                )
            p.memory.twin = other.memory.twin or other.memory

    def resolved(self, size: object) -> object:
        return self.const_value(size, self.node) if isinstance(size, Const) else size

    def _fact(self, dim: Dim) -> None:
        """Join what is said of one size in several places."""
        known = self.facts.setdefault(dim.name, dim)
        if (known.minimum, known.maximum, known.multiple_of) == (
            dim.minimum,
            dim.maximum,
            dim.multiple_of,
        ):
            return
        plain = (0, None, 1)
        if (known.minimum, known.maximum, known.multiple_of) == plain:
            self.facts[dim.name] = dim
        elif (dim.minimum, dim.maximum, dim.multiple_of) != plain:
            self.fail(
                f'T.dynamic("{dim.name}") is declared with two sets of facts',
                hint="declare it once and use the object",
            )

    def const_value(self, const: Const, node: ast.AST) -> object:
        """The number that a T.const name, or an expression of such, stands for."""
        value = const.value(self.consts)
        if value is None:
            name = const.missing(self.consts)
            self.at(node)
            self.fail(
                f"the size {name} of T.const has no value yet",
                rule="its value comes from the shape of an array parameter",
                hint=f"annotate a parameter with it first: A: T.Tensor(({name}, ...), dtype)",
            )
        return value

    def known_sizes(self, shape: object) -> object:
        """A shape with the values of its T.const sizes."""
        if isinstance(shape, (tuple, list)):
            return tuple(map(self.resolved, shape))
        return self.resolved(shape)

    def annotation(self, node: ast.expr) -> object:
        """The value of an annotation, in which T.const sizes stay names."""
        saved, self.keep_consts = self.keep_consts, True
        try:
            return self.evaluate(node)
        finally:
            self.keep_consts = saved

    # -- memory of the call -----------------------------------------------------------------

    def _check_pairs(
        self, name: str, shape: tuple, dtype: DType, strides: tuple | None
    ) -> None:
        """Refuse a tensor whose rows are no whole bytes."""
        rule = f"two elements of {dtype} share a byte, and a row is whole bytes"
        if strides is not None:
            self.fail(
                f"{name} is a tensor of {dtype} with strides",
                rule=rule,
                hint="declare it as T.Tensor, which is contiguous",
            )
        if isinstance(shape[-1], int) and shape[-1] % 2:
            self.fail(
                f"the last size of {name}, {shape[-1]}, is odd",
                rule=rule,
                hint="pad the last dimension to an even size",
            )

    def workspace(self, shape: object, dtype: object) -> Memory:
        """`T.alloc_global`."""
        if self.kernel is not None:
            self.fail(
                "T.alloc_global inside a kernel",
                rule="a workspace belongs to the call, not to a block",
                hint="allocate it in front of `with T.Kernel(...)`",
            )
        dtype = self.dtype(dtype)
        if dtype.is_paired:
            self.fail(
                f"T.alloc_global of {dtype}",
                rule="a workspace has a byte or more for each element",
                hint="keep the values as float8_e4m3fn, which holds them, or pass a tensor",
            )
        shape = self.known_sizes(shape)
        shape = list(shape) if isinstance(shape, (tuple, list)) else [shape]
        sizes, dynamic = [], []
        for size in shape:
            size = self.index(size, "a size of T.alloc_global")
            if isinstance(size, int) and size < 0:
                self.fail(
                    f"T.alloc_global: the size {size} is negative", hint="a size is 0 or more"
                )
            if isinstance(size, Value):
                dynamic.append(size.ssa)
            sizes.append(size)
        type = memref(tuple(sizes), dtype, "global")
        name = self.name_hint or "workspace"
        operands = f" ({', '.join(dynamic)})" if dynamic else ""
        ssa = self.builder.result(f"tile.workspace {quote(name)}{operands} : {type}", name)
        return Memory(ssa, name, dtype, tuple(sizes), "global", type)

    def output(self, shape: tuple, dtype: object) -> Memory:
        """`T.empty`: a parameter that the launcher allocates and the call returns."""
        if self.kernel is not None or self.frame.caller is not None:
            self.fail(
                "T.empty inside a kernel or macro",
                rule="it makes an output of the call",
                hint="allocate tiles with T.alloc_shared or T.alloc_fragment",
            )
        sizes = []
        for size in self.known_sizes(shape):
            if (
                isinstance(size, bool)
                or not isinstance(size, (int, SizeExpr))
                or isinstance(size, int)
                and size < 0
            ):
                self.fail(
                    "T.empty: a size is neither a number nor made of T.dynamic names",
                    rule="an output's size is an integer, a T.dynamic name, or an expression "
                    "of such",
                    hint="declare a size of its own with T.dynamic, given by an input",
                )
            missing = size.names() - self.symbols.keys() if isinstance(size, SizeExpr) else ()
            if missing:
                self.fail(
                    f"T.empty: the size {sorted(missing)[0]} is no size of an input",
                    hint="it must appear in the shape of a tensor parameter",
                )
            sizes.append(size)
        name = self.name_hint or "output"
        return self._tensor(name, TensorType(tuple(sizes), self.dtype(dtype)), output=True)

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


def _dims(size: object) -> list[Dim]:
    """The T.dynamic names in a size."""
    if isinstance(size, Dim):
        return [size]
    operands = size.operands if isinstance(size, SizeExpr) else ()
    return [dim for operand in operands for dim in _dims(operand)]
