# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What this machine can do at best, measured: the limits that speeds are quoted against."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

# Types that are computed in another's arithmetic where the machine has none of their own.
_WIDENED = {"bf16": "f32", "f16": "f32"}


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
    """Measures the machine's limits at each thread count; takes about a second."""
    from tilewright.runtime import measure_limits

    limits = {count: measure_limits(count) for count in threads}
    first = limits[threads[0]]
    computed = [dtype for dtype, peak in first["gflops"].items() if peak is not None]
    return Machine(
        cpu=first["cpu"],
        cores=len(os.sched_getaffinity(0)),
        peak_gflops={d: {n: limits[n]["gflops"][d] for n in threads} for d in computed},
        read_gbps={n: limits[n]["read_gbps"] for n in threads},
    )
