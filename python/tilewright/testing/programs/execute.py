# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiling and running a program on a device, and comparing with what it must compute."""

from __future__ import annotations

import dataclasses
import tempfile
import zlib
from pathlib import Path

import numpy as np

import tilewright
from tilewright.testing.case import Layout, Spec
from tilewright.testing.dtypes import numpy_dtype
from tilewright.testing.memory import Guarded, guard, guard_copy, is_poison
from tilewright.testing.programs.memory import Invalid, Memory
from tilewright.testing.programs.numbers import PAIR, is_float
from tilewright.testing.programs.program import Program, Tensor

PASS, INVALID, REFUSED, WRONG, FAULT = "pass", "invalid", "refused", "wrong", "fault"
# Of a worker that ended, or did not end in time.
CRASH, HANG = "crash", "hang"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What became of a program, and why.

    `status` is pass; invalid (the program itself means nothing); refused (it does not
    compile); wrong (a result is); fault (launching raised); crash and hang of a worker.
    `compared` is the share of written elements of which something is known.
    """

    status: str
    reason: str = ""
    compared: float = 1.0

    @property
    def failed(self) -> bool:
        """Whether this tells of a bug, here or there."""
        return self.status not in (PASS, INVALID)


def build(program: Program, device: str, folder: Path, arguments: list) -> object:
    """The compiled program, to be called with `arguments`.

    Its text is written to a file, so that errors show lines.

    Raises CompileError.
    """
    text = program.text()
    path = folder / f"program_{zlib.crc32(text.encode()):08x}.py"
    path.write_text(text)
    names: dict[str, object] = {}
    try:
        exec(compile(text, str(path), "exec"), names)
        if program.eager:
            kernel = tilewright.jit(names["program"].function, target=device)
            kernel.compile(*arguments)
            return kernel
        return tilewright.compile(names["program"], target=device)
    finally:
        path.unlink()


def examine(program: Program, device: str = "cpu") -> Verdict:
    """Run a program on a device and compare every element that it writes."""
    try:
        machine = program.expected(device)
    except Invalid as error:
        return Verdict(INVALID, str(error))
    inputs = program.inputs()
    given = {t.name: _guarded(t, inputs) for t in program.given}
    arguments = [g.view for g in given.values()] + [s.number for s in program.scalars]
    with tempfile.TemporaryDirectory(prefix="tilewright-program-") as folder:
        try:
            kernel = build(program, device, Path(folder), arguments)
            made = kernel(*arguments)
        except tilewright.CompileError as error:
            return Verdict(REFUSED, str(error))
        except (tilewright.LaunchError, tilewright.KernelFault) as error:
            return Verdict(FAULT, f"{type(error).__name__}: {error}")
    made = (made,) if len(program.returned) == 1 else made
    found = {t.name: g.view for t, g in zip(program.given, given.values())}
    found |= {t.name: array for t, array in zip(program.returned, made or ())}
    known = total = 0
    for tensor in program.parameters:
        if tensor.name in given:
            stray = given[tensor.name].stray_writes(output=tensor.role != "input")
            if stray:
                return Verdict(WRONG, f"{tensor.name}: {stray}")
        if tensor.role == "input":
            continue
        memory = machine.memories[tensor.name]
        actual = _elements(found[tensor.name], tensor)
        wrong = difference(actual, memory, tensor, poisoned=tensor.name in given)
        if wrong:
            return Verdict(WRONG, f"{tensor.name}: {wrong}")
        total += int(memory.written.sum())
        known += int((memory.written & np.isfinite(memory.error)).sum())
    return Verdict(PASS, compared=known / total if total else 1.0)


def _guarded(tensor: Tensor, inputs: dict[str, np.ndarray]) -> Guarded:
    """The tensor in guarded memory: with its data, or poisoned."""
    layout = Layout(tensor.skew, tensor.padding)
    given = inputs.get(tensor.name)
    shape, dtype = tensor.shape, numpy_dtype(tensor.dtype)
    if tensor.dtype == PAIR:
        given = None if given is None else tilewright.pack_pairs(given)
        shape, dtype = (*shape[:-1], shape[-1] // 2), np.dtype(np.uint8)
    if tensor.role == "input":
        return guard_copy(given, layout)
    made = guard(Spec(shape, dtype), layout)
    if tensor.role == "inout":
        made.view[...] = given
        made = dataclasses.replace(made, before=made.buffer.copy())
    return made


def _elements(actual: np.ndarray, tensor: Tensor) -> np.ndarray:
    """What an array holds, one element in each place."""
    return tilewright.unpack_pairs(actual) if tensor.dtype == PAIR else actual


def difference(
    actual: np.ndarray, memory: Memory, tensor: Tensor, poisoned: bool = True
) -> str | None:
    """A sentence for the first element that is wrong, or None.

    An output was `poisoned` first, so that it shows what was written, unless the call made it.
    """
    if tensor.role == "output" and poisoned:
        touched = ~memory.defined & ~_is_untouched(actual, tensor)
        if touched.any():
            return f"{_first(touched)} was written and must not be"
    error = memory.error
    if is_float(tensor.dtype):
        with np.errstate(invalid="ignore"):
            found, value = actual.astype(np.float64), memory.value
            exact = (found == value) | (np.isnan(found) & np.isnan(value))
            near = np.abs(found - value) <= error
        right = exact | ((error > 0) & (near | np.isinf(error)))
    else:
        found, value = actual, memory.value
        right = (found == value) | (error > 0)
    wrong = ~right & memory.defined
    if not wrong.any():
        return None
    at = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
    return (
        f"{int(wrong.sum())} of {wrong.size} elements differ, the first at "
        f"[{', '.join(map(str, at))}]: got {found[at]}, expected {value[at]}, "
        f"allowed error {error[at]:.3g}"
    )


def _is_untouched(actual: np.ndarray, tensor: Tensor) -> np.ndarray:
    """Which elements of an output still hold what it was created with."""
    if tensor.dtype == PAIR:
        halves = np.full((*actual.shape[:-1], actual.shape[-1] // 2), 0xA5, np.uint8)
        return actual.view(np.uint8) == tilewright.unpack_pairs(halves).view(np.uint8)
    return is_poison(actual)


def _first(mask: np.ndarray) -> str:
    at = np.unravel_index(int(np.argmax(mask)), mask.shape)
    return f"[{', '.join(map(str, at))}]"
