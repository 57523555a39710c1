# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Threads of every library in the process: how many may work, and whether all sleep."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

# Set before Python starts: peers' threads sleep while others work, and memory that a peer
# frees is kept for its next call, on huge pages. As glibc comes, each call of PyTorch would
# get its results as new pages from the kernel, which may take longer than the work.
_MALLOC = {"mmap_max": 0, "trim_threshold": 1 << 40, "hugetlb": 1, "arena_max": 1}
PEER_ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "KMP_BLOCKTIME": "0",
    # 2^22 cycles, a millisecond or two, in place of 2^28: enough between its own calls.
    "OPENBLAS_THREAD_TIMEOUT": "22",
    "GLIBC_TUNABLES": ":".join(
        f"glibc.malloc.{name}={value}" for name, value in _MALLOC.items()
    ),
}

# What OpenBLAS calls its functions, as NumPy ships it and otherwise.
_OPENBLAS_NAMES = (
    "scipy_openblas_{}_num_threads64_",
    "scipy_openblas_{}_num_threads",
    "openblas_{}_num_threads64_",
    "openblas_{}_num_threads",
)

Item = TypeVar("Item")
Result = TypeVar("Result")


def set_threads(count: int) -> None:
    """Lets our runtime, NumPy's OpenBLAS and PyTorch (where imported) use `count` threads."""
    from tilewright.runtime import set_num_threads

    set_num_threads(count)
    set_openblas_threads(count)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)


def set_openblas_threads(count: int) -> bool:
    """Sets the threads of every OpenBLAS in the process; whether there was one."""
    setters = _openblas_functions("set")
    for setter in setters:
        setter(ctypes.c_int(count))
    return bool(setters)


def on_all_cores(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """`function` of each item, in their order, as many at once as there are cores.

    Meanwhile OpenBLAS works with one thread for each, which waits for no other.
    """
    before = [getter() for getter in _openblas_functions("get")]
    set_openblas_threads(1)
    try:
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            return list(pool.map(function, items))
    finally:
        set_openblas_threads(max(before, default=1))


def _openblas_functions(what: str) -> list[Callable[..., int]]:
    """The functions that "get" or "set" the threads of the process's OpenBLAS libraries."""
    found = []
    for library in sorted(_mapped_libraries("openblas")):
        handle = ctypes.CDLL(library)
        for name in _OPENBLAS_NAMES:
            if hasattr(handle, name.format(what)):
                found.append(getattr(handle, name.format(what)))
    return found


def _mapped_libraries(part: str) -> set[str]:
    """Paths of the shared objects in this process whose file name contains `part`."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    paths = {fields[5] for line in lines if len(fields := line.split(maxsplit=5)) == 6}
    return {path for path in paths if part in Path(path).name}


class OtherProcesses:
    """The processor time that other processes have taken since this object was made.

    Those that this one started and waited for are no others.
    """

    def __init__(self) -> None:
        self._start = self._now()

    def cores(self) -> float:
        """How many cores they kept busy, on average."""
        (busy, wall), (busy_then, wall_then) = self._now(), self._start
        return round(max(0.0, (busy - busy_then) / max(wall - wall_then, 1e-9)), 3)

    @staticmethod
    def _now() -> tuple[float, float]:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
        user, nice, system, _, _, irq, softirq, steal = map(int, fields)
        ticks = user + nice + system + irq + softirq + steal
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        ours = time.process_time() + children.ru_utime + children.ru_stime
        busy = ticks / os.sysconf("SC_CLK_TCK") - ours
        return busy, time.perf_counter()


def wait_until_idle(limit: float = 0.5) -> bool:
    """Waits until no other thread of this process works (OpenBLAS's spin for a while).

    Gives False where something still runs after `limit` seconds. The kernel says at once
    which threads run; the time it charges them comes in ticks, which short looks miss.
    """
    own = str(threading.get_native_id())
    deadline = time.perf_counter() + limit
    while any(_running(task) for task in Path("/proc/self/task").iterdir() if task.name != own):
        if time.perf_counter() > deadline:
            return False
        time.sleep(0.0005)
    return True


def _running(task: Path) -> bool:
    """Whether a thread of /proc runs or wants to; one that has just ended does not."""
    try:
        state = (task / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state in "RD"
