"""Eager kernels: parameters declared in the body, sizes taken from the arrays.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import types

from ..language import dtypes
from ..language.symbols import Const
from ..language.types import TensorType, Unevaluated
from ..language.values import Memory
from . import memo
from .emitter import Emitter
from .errors import WrongArgumentsError
from .lower import guarded
from .module import EagerModule
from .outside import Asked
from .reading import PLAIN, Reading
from .source import source_of


class Undeclared:
    """An array parameter whose type has not been declared yet."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"the undeclared parameter {self.name}"


class Sizes(dict):
    """Values of T.const sizes by name. `asked` are the names that the kernel has."""

    def __init__(self, values: dict) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, name: str, default: object = None) -> object:
        self.asked.add(name)
        return super().get(name, default)


class EagerEmitter(Emitter):
    """An emitter whose parameters are declared by annotations on the way."""

    def __init__(
        self,
        function: types.FunctionType,
        values: dict,
        consts: dict,
        reading: Reading,
    ) -> None:
        super().__init__(source_of(function), consts, reading)
        self.consts = Sizes(consts)
        code = function.__code__
        self.names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        self.values = values
        self.const_axes: list[tuple[str, int, Const, int]] = []
        for name in self.names:
            value = values.get(name)
            array = name not in values or hasattr(value, "shape")
            self.frame.bind(name, Undeclared(name) if array else value)

    def declare_parameters(self, annotations: dict) -> None:
        """Declare the parameters whose types stand in the function's head."""
        spec = self.frame.source.tree.args
        for argument in spec.posonlyargs + spec.args + spec.kwonlyargs:
            annotation = annotations.get(argument.arg)
            self.at(argument)
            if isinstance(annotation, Unevaluated):
                is_array = isinstance(self.frame.scopes[0].names[argument.arg], Undeclared)
                if is_array:
                    self.declare(argument.arg, annotation)
            elif isinstance(annotation, (TensorType, dtypes.DType)):
                self.declare_eager(argument.arg, annotation)

    def declare_eager(self, name: str, annotation: object) -> None:
        """Declare a parameter: T.const sizes take their values from its array."""
        if isinstance(annotation, TensorType):
            shape = getattr(self.values.get(name), "shape", None)
            if shape is not None and len(shape) != len(annotation.shape):
                self.refuse(
                    f"{name} has {len(shape)} dimensions and is declared with "
                    f"{len(annotation.shape)}"
                )
            for axis, size in enumerate(annotation.shape):
                if self._gives_a_size(size):
                    last = axis == len(annotation.shape) - 1
                    factor = 2 if annotation.dtype.is_paired and last else 1
                    self.const_axes.append((name, axis, size, factor))
                    if shape is not None:
                        self._solve(name, axis, size, int(shape[axis]) * factor)
        self.declare(name, annotation)

    def _gives_a_size(self, size: object) -> bool:
        """Whether a T.const name follows from the size of an array that is declared as `size`:
        a name, or an expression of one that no dimension before is declared with."""
        if not isinstance(size, Const):
            return False
        declared = set().union(*(known.names() for _, _, known, _ in self.const_axes))
        return size.function is None or len(size.names() - declared) == 1

    def _solve(self, name: str, axis: int, const: Const, size: int) -> None:
        missing = const.missing(self.consts)
        if missing:
            value = const.solve(missing, self.consts, size)
            if value is None:
                return  # what asks for it says that it has no value
            self.consts[missing] = value
        known = const.value(self.consts)
        if known != size:
            self.refuse(
                f"dimension {axis} of {name} is {size}, which {const} is for no {missing}"
                if missing
                else f"dimension {axis} of {name} is {size}, and {const} is {known} by an "
                f"earlier parameter"
            )

    def refuse(self, message: str) -> None:
        """Refuse the arguments of the call, which are no fault of the kernel."""
        raise WrongArgumentsError(f"{self.frame.source.tree.name}: {message}")

    def stmt_AnnAssign(self, node: ast.AnnAssign) -> None:
        own = (
            isinstance(node.target, ast.Name)
            and self.frame.caller is None
            and node.value is None
            and node.target.id in self.names
        )
        if not own:
            super().stmt_AnnAssign(node)
            return
        annotation = self.annotation(node.annotation)
        self.at(node)
        name = node.target.id
        if any(p.name == name for p in self.parameters):
            self.fail(f"{name} is declared twice", hint="leave one of the declarations out")
        if not isinstance(annotation, (TensorType, dtypes.DType)):
            self.fail(
                f"{name} is declared as {annotation!r}",
                hint=f'write {name}: T.Tensor((M, K), "float16") or {name}: T.int32',
            )
        self.declare_eager(name, annotation)

    def expr_Compare(self, node: ast.Compare) -> object:
        """`B is None` may be asked of an array before it is declared: one that is left out
        has no type to declare."""
        if isinstance(node.left, ast.Name) and isinstance(node.ops[0], (ast.Is, ast.IsNot)):
            is_array = isinstance(self.frame.find(node.left.id)[0], Undeclared)
            if is_array and [ast.unparse(x) for x in node.comparators] == ["None"]:
                return isinstance(node.ops[0], ast.IsNot)
        return super().expr_Compare(node)

    def expr_Name(self, node: ast.Name) -> object:
        value = super().expr_Name(node)
        if isinstance(value, Undeclared):
            self.at(node)
            self.fail(
                f"the parameter {value.name} has no type yet",
                rule="array parameters of an eager kernel are declared before their use",
                hint=f'write {value.name}: T.Tensor((M, K), "float16") on a line of its own',
            )
        return value

    def order_parameters(self) -> None:
        """Inputs in the order of the function, then outputs in the order they were made."""
        place = {name: i for i, name in enumerate(self.names)}
        self.parameters.sort(
            key=lambda p: place.get(p.name, len(place)) if not p.output else len(place)
        )


def lower_eager(
    function: types.FunctionType,
    annotations: dict,
    values: dict,
    consts: dict,
    reading: Reading = PLAIN,
) -> EagerModule:
    """The module of an eager kernel for these arguments.

    `annotations` are the parameters' own, `values` the arguments by name; arrays may be
    missing where `consts` gives the sizes. `reading` says what it is for, apart from them.
    """
    said = (
        annotations,
        # Of an array only the sizes are asked here.
        {k: ("array", *v.shape) if hasattr(v, "shape") else v for k, v in values.items()},
        consts,
        tuple(reading),
    )
    return memo.lowered(
        EagerModule,
        function,
        said,
        lambda: _read(function, annotations, values, consts, reading),
    )


def _read(
    function: types.FunctionType,
    annotations: dict,
    values: dict,
    consts: dict,
    reading: Reading,
) -> tuple[EagerModule, Asked]:
    emitter = EagerEmitter(function, values, consts, reading)
    with guarded(emitter):
        emitter.declare_parameters(annotations)
        text = emitter.run(function.__name__)
        outputs = _outputs(emitter)
        for name in emitter.names:
            if isinstance(emitter.frame.scopes[0].names[name], Undeclared):
                emitter.fail(
                    f"the array parameter {name} has no type",
                    rule="array parameters of an eager kernel are declared",
                    hint=f'write {name}: T.Tensor((M, K), "float16") on a line of its own',
                )
    _check_sizes(emitter, consts)
    inputs = [p for p in emitter.parameters if not p.output]
    module = EagerModule(
        function.__name__,
        text,
        [p.name for p in emitter.parameters],
        outputs,
        inputs=[p.name for p in inputs],
        scalars=[p.name for p in inputs if p.memory is None],
        const_axes=[
            (name, axis, factor, known if isinstance(known, int) else None)
            for name, axis, size, factor in emitter.const_axes
            for known in [size.value(emitter.consts)]
        ],
        consts={k: v for k, v in emitter.consts.items() if isinstance(v, int)},
    )
    return module, emitter.asked


def _check_sizes(emitter: EagerEmitter, consts: dict) -> None:
    """Refuses what is given by name and is none of the kernel's sizes: a typo, mostly."""
    for name in sorted(set(consts) - emitter.consts.asked):
        known = ", ".join([*emitter.names, *sorted(emitter.consts.asked)])
        raise TypeError(
            f"{emitter.frame.source.tree.name}(): {name} is neither a parameter nor a size of "
            f"T.const; there are {known}"
        )


def _outputs(emitter: EagerEmitter) -> list[int]:
    """Positions of what the body returns."""
    result = emitter.result
    returned = [result] if isinstance(result, Memory) else [] if result is None else result
    position = {p.memory: i for i, p in enumerate(emitter.parameters) if p.output}
    if not isinstance(returned, (list, tuple)) or any(r not in position for r in returned):
        emitter.at(emitter.result_node)
        emitter.fail(
            f"{emitter.frame.source.tree.name} returns something other than its outputs",
            rule="an eager kernel returns tensors made by T.empty",
            hint='C = T.empty((M, N), "float16") ... return C',
        )
    left = [p.name for p in emitter.parameters if p.output and p.memory not in returned]
    if left:
        emitter.fail(
            f"the output {left[0]} of T.empty is not returned",
            hint=f"return {left[0]}, or use T.alloc_global for a workspace",
        )
    twice = [r.name for i, r in enumerate(returned) if r in returned[:i]]
    if twice:
        emitter.at(emitter.result_node)
        emitter.fail(
            f"the output {twice[0]} is returned twice",
            rule="each output of a call is one array",
            hint="name it once, or make another output with T.empty",
        )
    return [position[r] for r in returned]
