"""Times, rates and limits as people read them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tilewright.cli.console import table


def seconds(value: float) -> str:
    """Three significant digits with a fitting unit: `12.3 ms`."""
    unit, factor = "us", 1e6
    if value >= 1:
        unit, factor = "s", 1.0
    elif value >= 1e-3:
        unit, factor = "ms", 1e3
    scaled = value * factor
    digits = 2 if scaled < 10 else 1 if scaled < 100 else 0
    return f"{scaled:.{digits}f} {unit}"


def rate(record: Mapping[str, Any]) -> str:
    """A measurement's speed in the unit of what limits it: GFLOP/s or GB/s."""
    compute = record["limit"] == "compute"
    speed = record["flops" if compute else "bytes"] / record["median_s"] / 1e9
    return f"{speed:.{0 if speed >= 100 else 1}f} {'GFLOP/s' if compute else 'GB/s'}"


def size(count: int) -> str:
    """Bytes with a binary unit: `32 KiB`."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.3g} {unit}"
        count /= 1024
    return f"{count:.3g} GiB"


def limits_table(machine: Mapping[str, Any]):
    """The limits of a machine record, a column for each thread count."""
    counts = list(machine["read_gbps"])
    shown = table("measured limit", *(f">{n} threads" for n in counts))
    for dtype, by_threads in machine["peak_gflops"].items():
        shown.add_row(f"{dtype} GFLOP/s", *(f"{by_threads[n]:.0f}" for n in counts))
    for way in ("read", "copy"):
        shown.add_row(f"{way} GB/s", *(f"{machine[f'{way}_gbps'][n]:.1f}" for n in counts))
    return shown
