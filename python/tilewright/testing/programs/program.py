# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A whole program: its tensors, its kernels, its text, and what it must compute."""

from __future__ import annotations

import contextlib
import itertools
import zlib
from collections.abc import Iterable

import numpy as np

from tilewright.testing.dtypes import numpy_dtype
from tilewright.testing.programs import operators
from tilewright.testing.programs.machine import Machine
from tilewright.testing.programs.memory import Accesses, Memory
from tilewright.testing.programs.nodes import decode, encode, node, walk
from tilewright.testing.programs.numbers import (
    NO_NEGATIVE_ZERO,
    PAIR,
    SCALE,
    exact,
    held_as,
    is_float,
    long_name,
    nearest,
)
from tilewright.testing.programs.statements import indented, run_all
from tilewright.testing.programs.tiles import Gemm
from tilewright.testing.programs.views import View


@node
class Tensor:
    """A tensor parameter, or a workspace.

    `role` is input, output (undefined at first), inout, or workspace. `symbols` name
    dynamic sizes. `data` says what an input's elements are like. `padding` elements follow
    each row in memory and `skew` come before the first.
    """

    name: str
    dtype: str
    shape: tuple
    symbols: tuple
    role: str
    data: str
    padding: int = 0
    skew: int = 0

    def allocation(self, operation: str, symbols: Iterable[str] = ()) -> str:
        """The call that makes it; sizes are numbers, but for those that arguments give."""
        sizes = [s if s in symbols else str(n) for s, n in zip(self.symbols, self.shape)]
        shape = f"({', '.join(sizes)}{',' * (len(sizes) == 1)})"
        return f'T.{operation}({shape}, "{long_name(self.dtype)}")'

    def annotation(self) -> str:
        """The parameter's type."""
        sizes = [s or str(n) for s, n in zip(self.symbols, self.shape)]
        shape = f"({', '.join(sizes)}{',' * (len(sizes) == 1)})"
        if not self.padding:
            return f'T.Tensor({shape}, "{long_name(self.dtype)}")'
        strides = ", ".join(["None"] * len(sizes)) + "," * (len(sizes) == 1)
        return f'T.StridedTensor({shape}, ({strides}), "{long_name(self.dtype)}")'


@node
class Scalar:
    """A scalar parameter and its value."""

    name: str
    dtype: str
    number: int | float


@node
class Kernel:
    """A grid of blocks; `extents` are expressions of sizes, `names` the coordinates."""

    extents: tuple
    names: tuple
    body: tuple

    def lines(self) -> list[str]:
        """Python source."""
        extents = ", ".join(e.text() for e in self.extents)
        names = ", ".join(self.names)
        names = f"({names})" if len(self.names) > 1 else names
        return [f"with T.Kernel({extents}) as {names}:", *indented(self.body)]

    def run(self, machine: Machine) -> None:
        """All blocks, one after the other."""
        spans = [range(int(machine.certain(e.numbers(machine)))) for e in self.extents]
        found = list(walk(self.body))
        stored = {name for n in found if hasattr(n, "writes") for name in n.writes()}
        combined = {name for n in found if hasattr(n, "combines") for name in n.combines()}
        viewed = {n.name: n.source for n in found if isinstance(n, View)}
        machine.wide = frozenset(_root(n.c, viewed) for n in found if isinstance(n, Gemm))
        kept, names = dict(machine.memories), dict(machine.names)
        watched = [(kept[n], Accesses(kept[n].value.size)) for n in stored & kept.keys()]
        for number, block in enumerate(itertools.product(*reversed(spans))):
            with contextlib.ExitStack() as stack:
                for memory, accesses in watched:
                    stack.enter_context(memory.watched(accesses, number))
                for name, at in zip(self.names, reversed(block)):
                    machine.names[name] = exact("index", at)
                run_all(self.body, machine)
            machine.memories, machine.names = dict(kept), dict(names)
        for name in combined & kept.keys():
            kept[name].settle()


def _root(name: str, viewed: dict[str, str]) -> str:
    """The memory that a name is a view of, or itself."""
    while name in viewed:
        name = viewed[name]
    return name


@node
class Program:
    """Kernels that run one after the other. `seed` makes the inputs.

    `eager` is "" for a T.prim_func, which is compiled, or how a `@tilewright.jit` function that
    declares its parameters and returns its outputs has dynamic sizes: "dynamic" or "const".
    """

    tensors: tuple
    scalars: tuple
    kernels: tuple
    seed: int
    eager: str = ""

    @property
    def parameters(self) -> list[Tensor]:
        """The tensors that a call passes, in order."""
        return [t for t in self.tensors if t.role != "workspace"]

    @property
    def given(self) -> list[Tensor]:
        """The tensors that a call passes, in order; an eager kernel makes its outputs."""
        return [t for t in self.parameters if not (self.eager and t.role == "output")]

    @property
    def returned(self) -> list[Tensor]:
        """The outputs that an eager call returns, in order."""
        return [t for t in self.parameters if self.eager and t.role == "output"]

    def text(self) -> str:
        """The program as a Python file with one kernel, `program`."""
        symbols = {s: None for t in self.given for s in t.symbols if s}
        kind = "const" if self.eager == "const" else "dynamic"
        sizes = [f'{s} = T.{kind}("{s}")' for s in symbols]
        lines = ["import tilewright"] if self.eager else []
        lines += ["import tilewright.language as T", "", *([] if self.eager else sizes)]
        for made in self._definitions().values():
            lines += ["", *made]
        lines += ["", "@tilewright.jit" if self.eager else "@T.prim_func", "def program("]
        if self.eager:
            lines += [f"    {t.name}," for t in self.given]
        else:
            lines += [f"    {t.name}: {t.annotation()}," for t in self.given]
        lines += [f"    {s.name}: T.{long_name(s.dtype)}," for s in self.scalars]
        lines += ["):"]
        if self.eager:
            lines += [f"    {line}" for line in sizes]
            lines += [f"    {t.name}: {t.annotation()}" for t in self.given]
            lines += [f"    {t.name} = {t.allocation('empty', symbols)}" for t in self.returned]
        lines += [
            f"    {t.name} = {t.allocation('alloc_global')}"
            for t in self.tensors
            if t.role == "workspace"
        ]
        lines += indented(self.kernels)
        if self.returned:
            lines += [f"    return {', '.join(t.name for t in self.returned)}"]
        return "\n".join(lines) + "\n"

    def _definitions(self) -> dict[str, list[str]]:
        """Functions and macros that stand in front of the kernel, by their names."""
        found = [n for n in walk(self.kernels) if hasattr(n, "definition")]
        return {n.name: n.definition() for n in found if n.definition()}

    def inputs(self) -> dict[str, np.ndarray]:
        """What inputs hold, in the tensors' own types."""
        return {
            t.name: _data(t, self.seed) for t in self.tensors if t.role in ("input", "inout")
        }

    def expected(self, device: str = "cpu") -> Machine:
        """The interpreter's state after the program ran on a device. Raises Invalid.

        What devices may do differently is in the bounds: NVIDIA's atomic sums of f32 in global
        memory lose numbers below the normal ones (docs/target-cuda.md).
        """
        machine = Machine()
        flushes = device.startswith("cuda")
        given = self.inputs()
        for t in self.tensors:
            memory = Memory(t.name, t.dtype, t.shape, is_global=True, flushes=flushes)
            machine.memories[t.name] = memory
            if t.name in given:
                memory.give(exact(t.dtype, given[t.name].astype(held_as(t.dtype))))
            for symbol, size in zip(t.symbols, t.shape):
                if symbol:
                    machine.names[symbol] = exact("index", size)
        for s in self.scalars:
            machine.names[s.name] = operators.typed(s.number, s.dtype)
        for kernel in self.kernels:
            kernel.run(machine)
        return machine


def _data(tensor: Tensor, seed: int) -> np.ndarray:
    """The elements of an input, the same for one seed and name on every machine."""
    rng = np.random.default_rng([seed, zlib.crc32(tensor.name.encode())])
    shape, dtype = tensor.shape, numpy_dtype(tensor.dtype)
    if tensor.dtype == "bool":
        return rng.random(shape) < 0.5
    if not is_float(tensor.dtype):
        info = np.iinfo(dtype)
        if tensor.data == "wide":
            return rng.integers(info.min, info.max, shape, dtype, endpoint=True)
        low, high = (0, 3) if tensor.data == "counts" else (-3, 8)
        return rng.integers(max(low, info.min), high, shape, dtype, endpoint=True)
    with np.errstate(all="ignore"):
        if tensor.dtype == SCALE:
            values = 2.0 ** rng.integers(-6, 6, shape, endpoint=True)
            ends = np.array((2.0**-127, 2.0**127, np.nan, 1.0))[rng.integers(0, 4, shape)]
            special = (rng.random(shape) < 0.2) & (tensor.data == "special")
            return np.where(special, ends, values).astype(dtype)
        if tensor.data in ("small", "halves"):
            whole = rng.integers(-8, 8, shape, endpoint=True)
            return _stored(whole / (2 if tensor.data == "halves" else 1), tensor.dtype)
        values = rng.standard_normal(shape)
        if tensor.data == "wide":
            values = values * 2.0 ** rng.integers(-12, 12, shape)
        if tensor.data == "special":
            chosen = rng.random(shape) < 0.2
            odd = np.array(_SPECIAL)
            values = np.where(chosen, odd[rng.integers(0, len(odd), shape)], values)
    return _stored(values, tensor.dtype)


def _stored(value: np.ndarray, dtype: str) -> np.ndarray:
    """float64 values as elements; infinities stay where the type has them."""
    made = numpy_dtype(dtype)
    with np.errstate(all="ignore"):
        if dtype == PAIR or dtype in NO_NEGATIVE_ZERO:
            return nearest(value, dtype).astype(made)
        return value.astype(made)


_SPECIAL = (0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -1e-7, 448.0, 65504.0, -1e30, 57344.0)


def from_json(value: object) -> Program:
    """The program that `to_json` wrote."""
    return decode(value)


def to_json(program: Program) -> object:
    """A program as JSON."""
    return encode(program)
