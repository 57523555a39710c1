# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What this machine can do at best, measured: the limits that speeds are quoted against."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# Types that are computed in another's arithmetic where the machine has none of their own.
_WIDENED = {"bf16": "f32", "f16": "f32"}
# What disturbs a measurement makes a limit too low: the better one counts.
_REPEATS = 2


@dataclasses.dataclass(frozen=True)
class Machine:
    """Measured limits: `peak_gflops[dtype][threads]` and `read_gbps[threads]`."""

    cpu: str
    cores: int
    peak_gflops: dict[str, dict[int, float]]
    read_gbps: dict[int, float]

    def limit(self, dtype: str, flops: int, bytes: int, threads: int) -> tuple[str, float]:
        """What bounds the work, "compute" or "memory", and the least seconds it can take."""
        names = {dtype, _WIDENED.get(dtype, dtype)} & self.peak_gflops.keys() or {"f32"}
        peak = max(self.peak_gflops[name][threads] for name in names)
        compute = flops / (peak * 1e9)
        memory = bytes / (self.read_gbps[threads] * 1e9)
        return ("compute", compute) if compute > memory else ("memory", memory)

    def as_json(self) -> dict[str, Any]:
        """The record as `tilewright bench --json` writes it."""
        return {
            "cpu": self.cpu,
            "cores": self.cores,
            "peak_gflops": {
                name: {str(n): round(x, 2) for n, x in by_threads.items()}
                for name, by_threads in self.peak_gflops.items()
            },
            "read_gbps": {str(n): round(x, 2) for n, x in self.read_gbps.items()},
        }


def measure_machine(threads: Sequence[int]) -> Machine:
    """Measures the machine's limits at each thread count; takes some seconds.

    Where there is no instruction for bf16 products, bf16's limit is that of the f32
    multiply-adds which compute them. Reads are of a buffer of 128 MiB or of four times the
    last cache, if that is more.
    """
    from tilewright.runtime import measure_limits

    found = {n: [measure_limits(n) for _ in range(_REPEATS)] for n in threads}
    gflops: dict[str, dict[int, float]] = {}
    for dtype, peak in found[threads[0]][0]["gflops"].items():
        if peak is not None:
            gflops[dtype] = _best(found, lambda limits, dtype=dtype: limits["gflops"][dtype])
    gflops.setdefault("bf16", gflops["f32"])
    return Machine(
        cpu=found[threads[0]][0]["cpu"],
        cores=len(os.sched_getaffinity(0)),
        peak_gflops=gflops,
        read_gbps=_best(found, lambda limits: limits["read_gbps"]),
    )


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
