# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Threads of every library in the process: how many may work, and whether all sleep."""

from __future__ import annotations

import ctypes
import sys
import time
from pathlib import Path

# Set before a peer is imported, so that its threads sleep while others work.
PEER_ENVIRONMENT = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}

_OPENBLAS_SETTERS = (
    "scipy_openblas_set_num_threads64_",
    "scipy_openblas_set_num_threads",
    "openblas_set_num_threads64_",
    "openblas_set_num_threads",
)


def set_threads(count: int) -> None:
    """Lets our runtime, NumPy's OpenBLAS and PyTorch (where imported) use `count` threads."""
    from tilewright.runtime import set_num_threads

    set_num_threads(count)
    set_openblas_threads(count)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)


def set_openblas_threads(count: int) -> bool:
    """Sets the threads of every OpenBLAS in the process; whether there was one."""
    found = False
    for library in _mapped_libraries("openblas"):
        handle = ctypes.CDLL(library)
        for name in _OPENBLAS_SETTERS:
            if hasattr(handle, name):
                getattr(handle, name)(ctypes.c_int(count))
                found = True
    return found


def _mapped_libraries(part: str) -> set[str]:
    """Paths of the shared objects in this process whose file name contains `part`."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    paths = {fields[5] for line in lines if len(fields := line.split(maxsplit=5)) == 6}
    return {path for path in paths if part in Path(path).name}


def wait_until_idle(limit: float = 0.2) -> bool:
    """Waits until no thread of this process works (OpenBLAS spins for a while).

    Gives False where something still runs after `limit` seconds.
    """
    interval = 0.002
    deadline = time.perf_counter() + limit
    while time.perf_counter() < deadline:
        before = time.process_time()
        time.sleep(interval)
        if time.process_time() - before < interval / 10:
            return True
    return False
