# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How fast library kernels must be on a CPU, and whether a report shows that they are.

A row of a report holds at the stated ratio to the best peer of the same run (or to our own
speed at another row), or at NEAR of the measured limit where that is nearer than the ratio.
Where a bar is a share of the limit itself, there is no other way to hold.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

Row = Mapping[str, Any]

# Shares of the compute and memory limits at which a kernel need not be faster.
NEAR = {"compute": 0.92, "memory": 0.85}


@dataclasses.dataclass(frozen=True)
class Bar:
    """What is asked of rows, and `least` of it.

    `of` is "peer" (times the best peer), the name of a library ("torch": times that one),
    "limit" (share of the machine's), or "own DTYPE" (times our own speed at the same case in
    that dtype). Empty `cases`, `dtypes` and `threads` stand for all.
    """

    kernel: str
    of: str
    least: float
    cases: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    threads: tuple[int, ...] = ()

    def covers(self, row: Row) -> bool:
        """Whether it is asked of the row."""
        return row["kernel"] == self.kernel and all(
            not wanted or row[name] in wanted
            for name, wanted in (
                ("case", self.cases), ("dtype", self.dtypes), ("threads", self.threads)
            )
        )  # fmt: skip

    def __str__(self) -> str:
        if self.of == "limit":
            return f"{100 * self.least:.0f} % of limit"
        ratio = f"{self.least:.2f}".rstrip("0").rstrip(".")
        return f"{ratio} x {'best peer' if self.of == 'peer' else self.of}"


# A row that several cover must hold at each.
BARS = (
    Bar("gemm", "peer", 1.0, ("n512",), ("f32",)),
    Bar("gemm", "peer", 1.05, ("n1024", "n2048", "n4096"), ("f32",)),
    Bar("gemm", "limit", 0.90, ("n2048",), ("f32",), (1,)),
    Bar("gemm", "peer", 1.0, dtypes=("bf16",)),
    Bar("gemm", "own f32", 0.85, ("n1024",), ("f16",)),
    Bar("gemm", "own f32", 2.0, ("n1024",), ("i8",)),
    Bar("gemm", "torch", 1.0, ("n1024",), ("i8",)),
    Bar("gemm_skinny", "limit", 0.80, ("m1",)),
    Bar("gemm_skinny", "peer", 1.0, ("m4", "m16")),
    Bar("attention", "peer", 1.4, dtypes=("f32",)),
    Bar("attention", "peer", 2.2, dtypes=("bf16",)),
    Bar("mla_decode", "peer", 2.0, ("h16_s4096", "h16_s32768"), threads=(1,)),
    Bar("mla_decode", "peer", 2.5, ("h16_s4096", "h16_s32768"), threads=(2,)),
    Bar("mla_decode", "peer", 1.25, ("h128_s4096", "h128_s32768")),
    Bar("sparse_mla", "peer", 1.2),
    Bar("indexer", "peer", 2.0),
    Bar("topk", "peer", 2.0),
    Bar("grouped_gemm", "peer", 1.15, ("e16_r2048",), ("bf16",)),
    Bar("grouped_gemm", "limit", 0.75, ("e64_t8",), ("bf16",)),
    Bar("moe", "peer", 1.5, ("v2lite_t1",)),
    Bar("moe", "peer", 1.15, ("v2lite_t512",)),
    Bar("softmax", "limit", 0.85),
    Bar("rmsnorm", "limit", 0.85),
)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a row reaches of a bar; `reached` is None where the report has no such figure.

    `at_limit` tells that it holds because of the limit, short of the ratio.
    """

    bar: Bar
    reached: float | None
    holds: bool
    at_limit: bool = False


def judge(row: Row, rows: Iterable[Row]) -> list[Verdict]:
    """What comes of each bar that is asked of a row, among the rows of its report."""
    return [_judge(bar, row, rows) for bar in BARS if bar.covers(row)]


def _judge(bar: Bar, row: Row, rows: Iterable[Row]) -> Verdict:
    reached = _reached(bar, row, rows)
    if reached is not None and reached >= bar.least:
        return Verdict(bar, reached, True)
    near = bar.of != "limit" and row["limit_fraction"] >= NEAR[row["limit"]]
    return Verdict(bar, reached, near, at_limit=near)


def _reached(bar: Bar, row: Row, rows: Iterable[Row]) -> float | None:
    if bar.of == "limit":
        return row["limit_fraction"]
    if bar.of == "peer":
        return row["speedup_vs_best_peer"]
    if not bar.of.startswith("own "):
        return row["peers"][bar.of] / row["median_s"] if bar.of in row["peers"] else None
    same = {"dtype": bar.of.removeprefix("own ")} | {
        name: row[name] for name in ("kernel", "case", "device", "threads")
    }
    for other in rows:
        if all(other[name] == value for name, value in same.items()):
            return (row["flops"] / row["median_s"]) / (other["flops"] / other["median_s"])
    return None
