"""What a kernel works on: parameters, their sizes and strides, workspaces, outputs.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast

from ..language import dtypes
from ..language.dtypes import DType
from ..language.symbols import Const, Dim, SizeExpr
from ..language.types import TensorType, Unevaluated
from ..language.values import Memory, Value
from .builder import memref, quote
from .signature import Parameter

# Of a signature, and names in it: what the runtime has room for (runtime/src/Signature.h).
MOST_PARAMETERS = 256


class Parameters:
    """Part of the emitter. See the module's docstring."""

    def order_parameters(self) -> None:
        """Put the parameters into the order of the call; they are declared in it here."""

    def check_signature(self) -> None:
        """Refuse sizes that no argument gives, aliases of what is no tensor, and too many."""
        for what, count in (("parameters", self.parameters), ("names of sizes", self.symbols)):
            if len(count) > MOST_PARAMETERS:
                self.fail(
                    f"the kernel has {len(count)} {what}",
                    rule=f"a launch takes at most {MOST_PARAMETERS} of each",
                    hint="pass tensors of one shape as one tensor with a dimension more",
                )
        for p in self.parameters:
            sizes = [("size", size) for size in p.memory.shape] if p.memory else []
            for kind, size in [*sizes, *(("stride", stride) for stride in p.strides or ())]:
                needed = size.names() if isinstance(size, SizeExpr) else set()
                for name in sorted(needed - self.symbols.keys() - self.strides):
                    if self.solve(name):
                        continue
                    self.fail(
                        f"the {kind} {size} of {p.name} needs {name}, which no argument gives",
                        rule="each T.dynamic name in an expression is by itself a size or a "
                        "stride of a tensor that is passed, or a scalar parameter, or follows "
                        "from a size such as n + 1 or 2 * n",
                        hint=f"add a parameter {name}: {name}, or write {p.name}'s {kind} as "
                        "one T.dynamic name",
                    )
            if p.alias and p.memory.twin is None:
                self.fail(
                    f'{p.name} is declared with alias="{p.alias}", which is no other tensor '
                    "parameter",
                    rule="an alias names the parameter whose memory a tensor may be",
                )

    @property
    def strides(self) -> set[str]:
        """T.dynamic names that are strides by themselves."""
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
        shape = tuple(self._extent(name, "size", s) for s in annotation.shape)
        strides = annotation.strides and tuple(
            self._extent(name, "stride", s) for s in annotation.strides
        )
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
        for size in (*shape, *(strides or ())):
            for dim in _dims(size):
                self._fact(dim)
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

    def _extent(self, name: str, kind: str, declared: object) -> object:
        """A size or stride with the values of its T.const sizes, which may make it none."""
        value = self.resolved(declared)
        if declared is value or isinstance(value, SizeExpr):  # known at launch
            return value
        if isinstance(value, bool) or not isinstance(value, int):
            self.fail(
                f"the {kind} {declared} of {name} is {value!r}",
                rule=f"a {kind} is an integer",
                hint="make it one with // or T.ceildiv",
            )
        if kind == "size" and value < 0:
            self.fail(f"the size {declared} of {name} is {value}", rule="a size is 0 or more")
        if not -(2**63) <= value < 2**63:
            self.fail(
                f"the {kind} {declared} of {name} is {value}", rule=f"a {kind} has 64 bits"
            )
        return value

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
        try:
            value = const.value(self.consts)
        except ArithmeticError as error:
            self.at(node)
            sizes = ", ".join(f"{name} = {size}" for name, size in self.consts.items())
            self.fail(
                f"{const} has no value where {sizes}: {error}",
                rule="sizes of T.const are computed as Python computes them",
            )
        if value is None:
            name = const.missing(self.consts)
            self.at(node)
            self.fail(
                f"the size {name} of T.const has no value yet",
                rule="its value comes from the shape of an array parameter",
                hint=f"annotate a parameter with it first, A: T.Tensor(({name}, ...), dtype); "
                f"where the kernel is compiled without arrays, give {name} by name",
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
            if isinstance(size, bool):
                self.fail(
                    f"T.alloc_global: the size {size} is no integer", hint="give a number"
                )
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
            needed = size.names() if isinstance(size, SizeExpr) else ()
            for name in sorted(needed - self.symbols.keys() if needed else ()):
                if not self.solve(name):
                    self.fail(
                        f"T.empty: the size {name} follows from no size of an input",
                        hint="it must be a size of a tensor parameter, by itself or in a form "
                        "such as n + 1 or 2 * n",
                    )
            sizes.append(size)
        name = self.name_hint or "output"
        return self._tensor(name, TensorType(tuple(sizes), self.dtype(dtype)), output=True)


def _dims(size: object) -> list[Dim]:
    """The T.dynamic names in a size."""
    if isinstance(size, Dim):
        return [size]
    operands = size.operands if isinstance(size, SizeExpr) else ()
    return [dim for operand in operands for dim in _dims(operand)]
