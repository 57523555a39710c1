"""Loading and launching compiled kernels; needs nothing of the compiler.

`load(path)` gives a callable `Kernel` for an artifact, `open_library` those of a library,
`device_name` what a device is called,
and `device_info` what it is, with how many instructions an emulated GPU has executed.
`LaunchError`, `KernelFault`, its kind `CheckError` and `ArtifactError` are what launches raise.
`Graph` records launches, to be replayed. `as_dtype` declares what the bits of integers mean.
`set_num_threads` and `num_threads` concern the thread pool that all kernels of the process
share.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from tilewright._runtime import (
    ArtifactError,
    Graph,
    Kernel,
    KernelFault,
    LaunchError,
    as_dtype,
    device_info,
    device_name,
    load,
    measure_limits,
    measure_memory,
    num_threads,
    open_library,
    set_num_threads,
)
from tilewright.runtime.checking import CheckError

__all__ = [
    "ArtifactError",
    "CheckError",
    "Graph",
    "Kernel",
    "KernelFault",
    "LaunchError",
    "as_dtype",
    "device_info",
    "device_name",
    "load",
    "measure_limits",
    "measure_memory",
    "num_threads",
    "open_library",
    "set_num_threads",
]
