# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What this machine can do at best, measured: the limits that speeds are quoted against."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tilewright.testing.memory import ALIGNMENT

# Types that may be computed in another's arithmetic: an instruction of any of these serves.
_WIDENED = {
    "bf16": ("bf16", "f32"),
    "f16": ("f16", "f32"),
    "f8e4m3fn": ("f16", "bf16", "f32"),
    "f4e2m1fn": ("f16", "bf16", "f32"),
}
# What disturbs a measurement makes a limit too low: the best one counts.
_REPEATS = 5
# Buffers this many times the last-level cache are not served from it. (Of four times as much,
# read again and again, a Zen 5 still finds up to a fifth there.)
BEYOND_CACHE = 8


@dataclasses.dataclass(frozen=True)
class Machine:
    """Measured limits: `peak_gflops[dtype][threads]`, `read_gbps[threads]` of reading alone,
    and `copy_gbps[threads]` of reading and writing equal parts, both counted.

    `last_cache_bytes` is the size of the last-level caches of its cores, 0 if not known.
    """

    cpu: str
    cores: int
    peak_gflops: dict[str, dict[int, float]]
    read_gbps: dict[int, float]
    copy_gbps: dict[int, float]
    last_cache_bytes: int

    def limit(
        self, dtype: str, flops: int, bytes: int, written: int, threads: int
    ) -> tuple[str, float]:
        """What bounds the work, "compute" or "memory", and the least seconds it can take.

        Of the `bytes` that move, `written` are writes. Each of these moves as fast as in a
        copy, and with it a byte that is read, as far as there are such; the rest is read.
        """
        names = set(_WIDENED.get(dtype, (dtype,))) & self.peak_gflops.keys() or {"f32"}
        peak = max(self.peak_gflops[name][threads] for name in names)
        compute = flops / (peak * 1e9)
        copied = min(2 * written, bytes)
        read, copy = self.read_gbps[threads], self.copy_gbps[threads]
        memory = ((bytes - copied) / read + copied / copy) / 1e9
        return ("compute", compute) if compute > memory else ("memory", memory)

    @property
    def buffer_bytes(self) -> int:
        """What no cache holds, and is long enough to be measured."""
        return max(256 << 20, BEYOND_CACHE * self.last_cache_bytes)

    def beside(self, memory: Mapping[str, float], threads: int) -> Machine:
        """This machine with the memory limits that were measured beside a row."""
        return dataclasses.replace(
            self,
            read_gbps={threads: memory["read_gbps"]},
            copy_gbps={threads: memory["copy_gbps"]},
        )

    def sets_beyond_cache(self, bytes: int) -> int:
        """How many sets of so many bytes are BEYOND_CACHE times the last-level cache."""
        return max(1, -(-BEYOND_CACHE * self.last_cache_bytes // max(bytes, 1)))

    def better(self, other: Machine) -> Machine:
        """The higher limits of two measurements of one machine; the thread counts are ours."""

        def higher(mine: dict[int, float], others: dict[int, float]) -> dict[int, float]:
            return {n: max(value, others.get(n, value)) for n, value in mine.items()}

        return dataclasses.replace(
            self,
            peak_gflops={
                dtype: higher(mine, other.peak_gflops.get(dtype, {}))
                for dtype, mine in self.peak_gflops.items()
            },
            read_gbps=higher(self.read_gbps, other.read_gbps),
            copy_gbps=higher(self.copy_gbps, other.copy_gbps),
        )

    def as_json(self) -> dict[str, Any]:
        """The record as `tilewright bench --json` writes it."""
        return {
            "cpu": self.cpu,
            "cores": self.cores,
            "last_cache_bytes": self.last_cache_bytes,
            "peak_gflops": {
                name: _by_threads(found) for name, found in self.peak_gflops.items()
            },
            "read_gbps": _by_threads(self.read_gbps),
            "copy_gbps": _by_threads(self.copy_gbps),
        }

    @staticmethod
    def from_json(record: Mapping[str, Any]) -> Machine:
        """The machine of a report."""

        def numbers(found: Mapping[str, float]) -> dict[int, float]:
            return {int(n): value for n, value in found.items()}

        return Machine(
            cpu=record["cpu"],
            cores=record["cores"],
            peak_gflops={name: numbers(f) for name, f in record["peak_gflops"].items()},
            read_gbps=numbers(record["read_gbps"]),
            copy_gbps=numbers(record["copy_gbps"]),
            last_cache_bytes=record["last_cache_bytes"],
        )


class MemoryGauge:
    """Measures the memory limits beside what is timed.

    A virtual machine's cores move about the socket: what two of them read together may
    double from one second to the next. A limit of another minute says nothing then.
    """

    SLICES = 5

    def __init__(self, machine: Machine) -> None:
        self._to, self._from = (
            aligned(np.ones(machine.buffer_bytes, np.uint8)) for _ in range(2)
        )

    def measure(self, threads: int) -> dict[str, float]:
        """`read_gbps` and `copy_gbps` of so many threads now, in some 150 ms."""
        from tilewright.runtime import measure_memory

        return measure_memory(self._to, self._from, threads, self.SLICES)


def aligned(array: np.ndarray) -> np.ndarray:
    """A copy of an array at a multiple of ALIGNMENT."""
    memory = np.empty(array.nbytes + ALIGNMENT, np.uint8)
    moved = np.ndarray(array.shape, array.dtype, memory, -memory.ctypes.data % ALIGNMENT)
    moved[...] = array
    return moved


def measure_machine(threads: Sequence[int]) -> Machine:
    """Measures the machine's limits at each thread count; takes some seconds for each.

    Where there is no instruction for bf16 products, bf16's limit is that of the f32
    multiply-adds which compute them. Reads and copies are of buffers of 256 MiB or of eight
    times the last cache, if that is more; reads are one stream or eight, copies those of the
    C library or of writes that pass by the caches, whichever is faster.
    """
    from tilewright.runtime import measure_limits

    found = {n: [measure_limits(n) for _ in range(_REPEATS)] for n in threads}
    first = found[threads[0]][0]
    gflops: dict[str, dict[int, float]] = {}
    for dtype, peak in first["gflops"].items():
        if peak is not None:
            gflops[dtype] = _best(found, lambda limits, dtype=dtype: limits["gflops"][dtype])
    gflops.setdefault("bf16", gflops["f32"])
    return Machine(
        cpu=first["cpu"],
        cores=len(os.sched_getaffinity(0)),
        peak_gflops=gflops,
        read_gbps=_best(found, lambda limits: limits["read_gbps"]),
        copy_gbps=_best(found, lambda limits: limits["copy_gbps"]),
        last_cache_bytes=first["last_cache_bytes"],
    )


def _by_threads(limits: dict[int, float]) -> dict[str, float]:
    return {str(n): round(value, 2) for n, value in limits.items()}


def _best(
    found: dict[int, list[dict[str, Any]]], limit: Callable[[dict[str, Any]], float]
) -> dict[int, float]:
    """A limit's best repeat by threads; more threads can do what fewer did."""
    repeats = {n: max(map(limit, measured)) for n, measured in found.items()}
    return {n: max(best for m, best in repeats.items() if m <= n) for n in repeats}


def cpu_name() -> str:
    """What the kernel calls this machine's processor."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return os.uname().machine
