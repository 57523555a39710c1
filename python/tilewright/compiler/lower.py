"""From a kernel function to its IR.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import os
import tempfile
import traceback

from ..language.prim_func import PrimFunc
from . import memo
from .emitter import Emitter
from .errors import CompileError, Place, WrongArgumentsError
from .module import Module
from .outside import Asked
from .reading import PLAIN, Reading
from .source import Source, source_of


def lower_prim_func(
    kernel: PrimFunc, out_idx: object = None, reading: Reading = PLAIN
) -> Module:
    """The module of a `@T.prim_func`. `out_idx` names parameters that are outputs."""
    said = (kernel.__name__, kernel.annotations, out_idx, tuple(reading))
    return memo.lowered(Module, kernel.function, said, lambda: _read(kernel, out_idx, reading))


def _read(kernel: PrimFunc, out_idx: object, reading: Reading) -> tuple[Module, Asked]:
    source = source_of(kernel.function)
    emitter = Emitter(source, reading=reading)
    with guarded(emitter):
        code = kernel.function.__code__
        spec = source.tree.args
        arguments = spec.posonlyargs + spec.args + spec.kwonlyargs
        for argument in arguments:
            emitter.at(argument)
            if argument.arg not in kernel.annotations:
                emitter.fail(
                    f"the parameter {argument.arg} of {code.co_name} has no type",
                    rule="parameters of a kernel are annotated",
                    hint=f'write {argument.arg}: T.Tensor((M, K), "float16") or '
                    f"{argument.arg}: T.int32",
                )
            emitter.declare(argument.arg, kernel.annotations[argument.arg])
        outputs = output_positions(emitter, out_idx)
        text = emitter.run(kernel.__name__)
        if emitter.result is not None:
            emitter.at(emitter.result_node)
            emitter.fail(
                f"the prim_func {kernel.__name__} returns a value",
                rule="a prim_func writes its outputs into parameters",
                hint="leave the return out and name outputs by out_idx=",
            )
    names = [p.name for p in emitter.parameters]
    return Module(kernel.__name__, text, names, outputs), emitter.asked


def output_positions(emitter: Emitter, out_idx: object) -> list[int]:
    """Positions that `out_idx` (an int, or a list of them) means."""
    if out_idx is None:
        return []
    count = len(emitter.parameters)
    asked = list(out_idx) if isinstance(out_idx, (list, tuple)) else [out_idx]
    positions = []
    for position in asked:
        if not isinstance(position, int) or not -count <= position < count:
            emitter.fail(
                f"out_idx={out_idx!r} of a kernel with {count} parameters",
                hint="positions count from 0, or from the end with a minus",
            )
        parameter = emitter.parameters[position]
        if parameter.memory is None:
            emitter.fail(
                f"out_idx={out_idx!r} names the scalar {parameter.name}",
                rule="outputs are tensors",
            )
        parameter.output = True
        positions.append(position % count)
    return positions


class guarded:
    """Turns a fault of the front end itself into a CompileError with a reproducer."""

    def __init__(self, emitter: Emitter) -> None:
        self.emitter = emitter

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind, error, trace) -> bool:
        ours = isinstance(error, Exception) and not isinstance(
            error, CompileError | WrongArgumentsError
        )
        if not ours:
            return False
        source = self.emitter.frame.source
        place = source.place(self.emitter.node)
        if isinstance(error, RecursionError):
            raise CompileError(
                f"{source.tree.name} holds code that is nested too deeply",
                place,
                rule="expressions and branches nest a few hundred deep at most",
                hint="give parts of an expression names; write a long chain of elif as a loop "
                "or a table",
            ) from None
        raise internal_error(source, place, error) from None


def internal_error(source: Source, place: Place, error: Exception) -> CompileError:
    """The report of a fault that is ours, with everything needed to see it again."""
    handle, path = tempfile.mkstemp(prefix="tilewright-", suffix=".txt")
    with os.fdopen(handle, "w") as file:
        file.write("".join(traceback.format_exception(error)))
        file.write(f"\n{source.file}:{source.tree.lineno} {source.tree.name}\n\n")
        try:
            with open(source.file) as text:
                file.write(text.read())
        except OSError:
            pass
    return CompileError(
        f"internal error: {type(error).__name__}: {error}",
        place,
        hint=f"this is a fault of Tilewright; please report it with {path}",
    )
