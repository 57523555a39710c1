# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernels that this machine does not run by itself: a program with a runtime of its own
launches them, as a command says."""

from __future__ import annotations

import ctypes
import fcntl
import math
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from tilewright.compiler.kernel import Kernel

#: tw_dtype by the names that NumPy and ml_dtypes use.
DTYPES = {
    "bool": 0,
    "int8": 1,
    "int16": 2,
    "int32": 3,
    "int64": 4,
    "uint8": 5,
    "uint16": 6,
    "uint32": 7,
    "uint64": 8,
    "float16": 9,
    "bfloat16": 10,
    "float32": 11,
    "float64": 12,
    "float8_e4m3fn": 13,
    "float8_e5m2": 14,
    "float8_e4m3fnuz": 15,
    "float8_e5m2fnuz": 16,
    "float8_e4m3b11fnuz": 17,
    "float8_e8m0fnu": 18,
}
BOOL, I64, F64 = DTYPES["bool"], DTYPES["int64"], DTYPES["float64"]


def _dtype(name: str) -> np.dtype:
    """The dtype of that name, of NumPy or ml_dtypes."""
    return np.dtype(getattr(ml_dtypes, name, name))


def build_programs(build: Path, compilers: Sequence[str], *settings: str) -> None:
    """The programs of CMakeLists.txt, in `build`: those that are not up to date.

    `compilers` are those of C and C++; `settings` is what else CMake is told.
    """
    build.mkdir(parents=True, exist_ok=True)
    with open(build / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several test processes one builds
        if not (build / "build.ninja").exists():
            told = [f"-DCMAKE_{c}_COMPILER={t}" for c, t in zip(("C", "CXX"), compilers)]
            source = Path(__file__).parent
            _run(["cmake", "-G", "Ninja", "-S", source, "-B", build, *told, *settings])
        _run(["ninja", "-C", build])


def _run(command: Sequence[object]) -> None:
    """Run to the end, or raise with everything that was said."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


class LaunchFailed(Exception):
    """The launcher's message."""


class Machine:
    """Runs artifacts on arrays of this process. `command` starts the program of launch.c."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self.command = command
        self.launches = 0

    def call(self, kernel: Kernel, *arguments: Any, **named: Any) -> Any:
        """What calling `kernel` means, run here: takes its arguments, gives its outputs.

        The whole memory that arrays are views of is copied there and back, so stray writes
        arrive as well. Raises LaunchFailed with the runtime's message.
        """
        rest = iter(arguments)
        with tempfile.TemporaryDirectory(prefix="tilewright-cross-") as folder:
            memories = _Memories(Path(folder))
            numbers: list[int] = []
            outputs = []
            for position, name in enumerate(kernel.parameters):
                if name in named:
                    numbers += memories.describe(named[name])
                elif position in kernel._module.outputs:
                    outputs.append(len(memories.files))
                    numbers += memories.describe_output()
                else:
                    numbers += memories.describe(next(rest))
            done = subprocess.run(
                [*self.command, kernel.path, *map(str, memories.files)],
                input=" ".join(map(str, numbers)) + "\n",
                capture_output=True,
                text=True,
            )
            if done.returncode:
                raise LaunchFailed(done.stderr.strip() or f"status {done.returncode}")
            memories.fetch()
            shapes = [list(map(int, line.split())) for line in done.stdout.splitlines()]
            made = [
                memories.read_output(file, code, shape)
                for file, (code, _, *shape) in zip(outputs, shapes, strict=True)
            ]
        self.launches += 1
        return made[0] if len(made) == 1 else tuple(made) or None


class _Memories:
    """The memory behind arrays as files, each once, as far past a cache line as it was."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[Path] = []
        self.owners: list[np.ndarray | None] = []  # None of an output's

    def describe(self, argument: Any) -> list[int]:
        """The numbers that launch.c reads of an argument."""
        if isinstance(argument, np.ndarray):
            file, offset = self._place(argument)
            strides = [stride // argument.itemsize for stride in argument.strides]
            code = DTYPES[argument.dtype.name]
            return [0, code, file, offset, argument.ndim, *argument.shape, *strides]
        if isinstance(argument, bool | np.bool_):
            return [1, BOOL, int(argument)]
        if isinstance(argument, float | np.floating):
            return [1, F64, *struct.unpack("<q", struct.pack("<d", argument))]
        return [1, I64, int(argument)]

    def _place(self, array: np.ndarray) -> tuple[int, int]:
        """The number of the file that holds the array's memory, and where it begins there."""
        owner = array
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        start = owner.ctypes.data
        skew = start % 64
        for file, known in enumerate(self.owners):  # noqa: B007
            if known is not None and known.ctypes.data == start:
                break
        else:
            file = len(self.files)
            self.owners.append(owner)
            self.files.append(self.folder / str(file))
            content = bytes(skew) + ctypes.string_at(start, owner.nbytes)
            self.files[file].write_bytes(content or b"\0")
        return file, array.ctypes.data - start + skew

    def describe_output(self) -> list[int]:
        """The same of an output, whose file the launcher makes."""
        self.files.append(self.folder / str(len(self.files)))
        self.owners.append(None)
        return [2, len(self.files) - 1]

    def read_output(self, file: int, code: int, shape: list[int]) -> np.ndarray:
        """An output that the launcher has made."""
        dtype = _dtype(next(name for name, known in DTYPES.items() if known == code))
        content = np.frombuffer(self.files[file].read_bytes(), np.uint8).copy()
        return content[: math.prod(shape) * dtype.itemsize].view(dtype).reshape(shape)

    def fetch(self) -> None:
        """Bring what the files hold now back."""
        for file, owner in zip(self.files, self.owners, strict=True):
            if owner is not None and owner.flags.writeable:
                content = file.read_bytes()[owner.ctypes.data % 64 :]
                ctypes.memmove(owner.ctypes.data, content, owner.nbytes)
