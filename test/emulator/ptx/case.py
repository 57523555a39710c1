"""What a case of the PTX corpus is, and how to run one on a device.

A program is one PTX file in vectors/, written by a compiler that is not ours. A case runs
kernels of one program on given inputs and says what must come out: the value in float64 or
in integers, and how far each component may be from it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import gzip
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent
VECTORS = FOLDER / "vectors"

Arrays = dict[str, np.ndarray]
Extent = tuple[int, int, int]


@dataclass(frozen=True)
class TensorMap:
    """A CUtensorMap over the array of that name; sizes and box start with the inner one."""

    array: str
    dtype: str
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    box: tuple[int, ...]
    swizzle: str = "none"
    element_strides: tuple[int, ...] | None = None
    fill: str = "zero"
    # Of an im2col map instead of the box: (lower corner, upper corner, channels, pixels).
    pixels: tuple[tuple[int, ...], tuple[int, ...], int, int] | None = None


@dataclass(frozen=True)
class Launch:
    """One kernel launch. An argument is the name of an array, a NumPy scalar, the bytes of a
    struct passed by value, or a tensor map."""

    kernel: str
    grid: Extent
    block: Extent
    args: Sequence[str | np.generic | bytes | TensorMap]
    cluster: Extent = (1, 1, 1)
    shared: int = 0
    # The grid may wait for itself (cooperative groups' grid.sync): all blocks are resident,
    # and envreg1:envreg2 point to a zeroed workspace.
    cooperative: bool = False


@dataclass(frozen=True)
class Expected:
    """`value`, and how far each component may be from it; 0 means equal. A NaN matches a
    NaN, an infinity itself."""

    value: np.ndarray
    bound: np.ndarray | float = 0


@dataclass(frozen=True)
class Case:
    """One run of a program. `outputs` are arrays that start uninitialised; inputs that
    `reference` names too are read and written."""

    name: str
    program: str
    archs: tuple[str, ...]
    make_inputs: Callable[[np.random.Generator], Arrays]
    outputs: Mapping[str, tuple[tuple[int, ...], Any]]
    launches: Callable[[str], list[Launch]]
    reference: Callable[[Arrays], dict[str, Expected]]
    # Lines of printf, in any order (blocks and warps may print in any); None: not looked at.
    text: tuple[str, ...] | None = None
    # The launch must end in an error whose message has this word in it.
    error: str | None = None
    # What the case is there for.
    covers: str = ""

    def inputs(self) -> Arrays:
        """The inputs, the same in every run."""
        return self.make_inputs(np.random.default_rng(zlib.crc32(self.name.encode())))


def vectors_of(arch: str) -> Path:
    """Where the programs for an architecture are: sm_80, or gfx942."""
    return FOLDER.parent / "amdgpu" / "vectors" if arch.startswith("gfx") else VECTORS


def manifest(arch: str = "sm") -> dict[str, Any]:
    """What generate.py wrote about each file, by `PROGRAM.ARCH`."""
    path = vectors_of(arch) / "manifest.json"
    return json.loads(path.read_text()) if path.exists() else {}


def program_of(program: str, arch: str) -> str | bytes:
    """PTX, or a code object."""
    if not arch.startswith("gfx"):
        return ptx(program, arch)
    return gzip.decompress((vectors_of(arch) / f"{program}.{arch}.hsaco.gz").read_bytes())


def ptx(program: str, arch: str) -> str:
    """The text of one program."""
    plain = VECTORS / f"{program}.{arch}.ptx"
    if plain.exists():
        return plain.read_text()
    return gzip.decompress((VECTORS / f"{program}.{arch}.ptx.gz").read_bytes()).decode()


def run(case: Case, arch: str, device: Any, text: str | bytes | None = None) -> Arrays:
    """Runs the case on a device of the emulator; gives every array back as it is after.
    `text` takes the place of the program's PTX."""
    launch, buffers = prepare(case, arch, device, text)
    launch()
    return {name: buffer.numpy() for name, buffer in buffers.items()}


def prepare(
    case: Case, arch: str, device: Any, text: str | bytes | None = None
) -> tuple[Callable[[], None], dict[str, Any]]:
    """The case's launches as a function, and the arrays in the device's memory, which must
    be kept for as long as it is called."""
    from tilewright.emulator import Pixels  # the programs are compiled without it

    module = device.load(text or program_of(case.program, arch))
    buffers = {name: device.array(array) for name, array in case.inputs().items()}
    for name, (shape, dtype) in case.outputs.items():
        buffers[name] = device.empty(shape, dtype)

    def argument(given: str | np.generic | bytes | TensorMap) -> Any:
        if isinstance(given, str):
            return buffers[given]
        if not isinstance(given, TensorMap):
            return given
        return device.tensor_map(
            buffers[given.array],
            dtype=given.dtype,
            sizes=given.sizes,
            strides=given.strides,
            box=Pixels(*given.pixels) if given.pixels else given.box,
            element_strides=given.element_strides or (1,) * len(given.sizes),
            swizzle=given.swizzle,
            fill=given.fill,
        )

    calls = [
        functools.partial(
            module.launch,
            launch.kernel,
            grid=launch.grid,
            block=launch.block,
            cluster=launch.cluster,
            shared=launch.shared,
            args=[argument(given) for given in launch.args],
            **({"cooperative": True} if launch.cooperative else {}),
        )
        for launch in case.launches(arch)
    ]

    def launch() -> None:
        for call in calls:
            call()

    return launch, buffers


def mismatches(case: Case, arrays: Arrays) -> list[str]:
    """One line for each array that is not what the reference says; none if all are."""
    found = []
    for name, expected in case.reference(case.inputs()).items():
        wrong = ~within(arrays[name], expected)
        if wrong.any():
            at = tuple(int(i) for i in np.argwhere(wrong)[0])
            bound = np.broadcast_to(expected.bound, expected.value.shape)[at]
            found.append(
                f"{case.name}: {name}{list(at)} is {arrays[name][at]!r}, expected "
                f"{expected.value[at]!r} +- {bound!r}; {int(wrong.sum())} of {wrong.size} wrong"
            )
    return found


def within(actual: np.ndarray, expected: Expected) -> np.ndarray:
    """Which components are within their bounds."""
    assert actual.shape == expected.value.shape, (actual.shape, expected.value.shape)
    if expected.value.dtype.kind in "iub":
        return actual == expected.value
    with np.errstate(invalid="ignore"):  # ml_dtypes casts a NaN with a warning
        got = actual.astype(np.float64)
        near = np.abs(got - expected.value) <= expected.bound
    return near | (got == expected.value) | (np.isnan(got) & np.isnan(expected.value))
