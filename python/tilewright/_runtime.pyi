"""Loads and launches compiled kernels; knows nothing of the compiler.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from collections.abc import Sequence
from os import PathLike
from types import TracebackType
from typing import Any, Self, TypedDict, final

class LaunchError(ValueError):
    """An argument of a launch does not fit the kernel."""

class KernelFault(RuntimeError):
    """A running kernel reported a fault."""

class ArtifactError(RuntimeError):
    """A file is no usable kernel artifact."""

@final
class Kernel:
    """A loaded kernel. Call it with arrays: NumPy, PyTorch, or anything with DLPack."""

    @property
    def name(self) -> str:
        """The kernel's name."""
    @property
    def target(self) -> str:
        """The target of the loaded image."""
    @property
    def manifest(self) -> str:
        """The artifact's manifest, a JSON text."""
    @property
    def parameters(self) -> list[str]:
        """The parameters' names, in order."""
    def __call__(self, *arguments: Any) -> Any: ...

class Graph:
    """Launches of kernels on one device, to be replayed with little cost.

    The thread's launches in `with graph:` are recorded and not run. A graph keeps their
    kernels and tensors; new inputs are written into the same tensors. On a GPU it is the
    driver's graph, and tensors must be in the device's memory; kernels that print or assert
    cannot be recorded there. `device` is named as for compiling.

    Raises RuntimeError, which says what is missing, where there is no such device.
    """

    def __init__(self, device: str) -> None: ...
    @property
    def device(self) -> str:
        """The device's name with its target."""
    @property
    def launches(self) -> int:
        """How many launches are recorded."""
    def __enter__(self) -> Self:
        """Begins to record. RuntimeError where the thread records already, or this graph was
        recorded."""
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> bool:
        """Ends the recording; after an exception nothing is kept of it. RuntimeError where the
        driver gives no graph."""
    def replay(self) -> None:
        """Runs the recorded launches in their order, with the memory and numbers that they had.

        On a GPU they are given to PyTorch's current stream, where tensors are PyTorch's, else
        to the default stream, and not waited for; on the CPU they are done when the call
        returns.

        Raises RuntimeError where nothing is recorded, or where the driver refuses, and on the
        CPU what a launch raises.
        """

class Limits(TypedDict):
    """What a machine reaches. `gflops` is by dtype, None where it has no instruction;
    `copy_gbps` counts what is read and what is written."""

    cpu: str
    threads: int
    last_cache_bytes: int
    gflops: dict[str, float | None]
    read_gbps: float
    copy_gbps: float

def load(
    path: str | PathLike[str], out_idx: Sequence[int] | None = None, device: str = "cpu"
) -> Kernel:
    """The kernel of the artifact at `path`; `out_idx` lists what calls allocate and return.

    Raises ArtifactError where the file is no usable artifact.
    """

def open_library(
    path: str, device: str, /
) -> tuple[str, str, str, list[tuple[str, list[tuple[str, Kernel | str]]]]]:
    """The library at `path`: its name, release and manifest, and a list of (function, builds),
    where a build is its name and the kernel for `device`, or the reason why there is none.

    Raises ArtifactError where the file is no usable library.
    """

def device_name(device: str, /) -> str:
    """A device's name with its target: "cuda-emulator:sm_80" of "cuda-emulator".

    Raises RuntimeError, which says what is missing, where there is no such device.
    """

class DeviceInfo(TypedDict):
    """What a device is. `target` is the best one that it runs, `device_type` and `device_id`
    are those of its memory, as DLPack numbers them. `instructions` is how many an emulated
    GPU's warps or waves have executed in this process; None where a device does not count."""

    name: str
    target: str
    device_type: int
    device_id: int
    instructions: int | None

def device_info(device: str, /) -> DeviceInfo:
    """What a device is, and how much it has executed.

    Raises RuntimeError, which says what is missing, where there is no such device.
    """

@final
class Raw:
    """What as_dtype gives."""

    @property
    def shape(self) -> Any:
        """The array's shape."""
    @property
    def dtype(self) -> Any:
        """The declared dtype, as it was given."""

def as_dtype(array: Any, dtype: Any, /) -> Raw:
    """An array of integers whose bits are elements of another dtype of the same size, as an
    argument of a launch; nothing is copied.

    Raises TypeError where there is no such dtype.
    """

def set_num_threads(threads: int, /) -> None:
    """How many threads a launch may use; 0 restores the default."""

def num_threads() -> int:
    """How many threads a launch may use."""

def measure_limits(threads: int, /) -> Limits:
    """What this machine reaches with so many threads."""

def measure_memory(to: Any, from_: Any, threads: int, slices: int, /) -> dict[str, float]:
    """`read_gbps` and `copy_gbps` of measure_limits alone, between two arrays of bytes that
    the caller keeps, at multiples of 64 bytes; `to` is overwritten."""
