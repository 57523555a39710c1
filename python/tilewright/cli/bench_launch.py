"""`tilewright bench --launch`: what the way from Python into a kernel costs.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tilewright.cli.bench_emulator import DISTURBED
from tilewright.cli.console import stdout, table, write_json

ROUNDS, CALLS = 25, 4000

# What others have published, of an empty kernel launched from Python with PyTorch tensors: the
# time of a launch on the host, of a CUDA device that the source does not name. Triton's and
# TileLang's 19 arguments are 5 tensors and 14 numbers.
SOURCE = "https://github.com/meta-pytorch/tritonbench/pull/669"
PUBLISHED = [
    {"launcher": "Triton 3.5.0", "arguments": "none", "median_s": 5.73395e-6},
    {"launcher": "Triton 3.5.0", "arguments": "19", "median_s": 13.1848e-6},
    {"launcher": "TileLang 0.1.6", "arguments": "none", "median_s": 2.77909e-6},
    {"launcher": "TileLang 0.1.6", "arguments": "19", "median_s": 5.63353e-6},
]


def bench_launch(json: Path | None) -> None:
    """Measure launches of empty kernels, show them beside what others have published."""
    busy = os.getloadavg()[0] - 1
    results = measure()
    if str(json) != "-":
        _show(results)
        if busy > DISTURBED:
            stdout().print(f"Other processes kept {busy:.1f} cores busy: run it again.")
    write_json(json, {"results": results, "published": PUBLISHED, "source": SOURCE})


def measure() -> list[dict[str, Any]]:
    """A record of each way to launch with each kind of arguments: the median over rounds of
    the mean time of a call, and the least."""
    import numpy as np

    from tilewright.testing import launch_kernels

    arrays = [np.zeros(shape, np.float32) for shape in ((4, 5), (5, 6), (4, 6))]
    kinds: dict[str, list] = {"none": [], "3 NumPy arrays": arrays}
    try:
        import torch
    except ImportError:  # it is no dependency
        pass
    else:
        kinds["3 PyTorch tensors"] = [torch.from_numpy(array) for array in arrays]
    results = []
    for arguments, given in kinds.items():
        eager = launch_kernels.with_arguments if given else launch_kernels.without_arguments
        kernel = eager.compile(*given)
        ways: dict[str, Callable] = {"kernel.launch": kernel.launch, "kernel(...)": kernel}
        ways["eager call"] = eager
        for way, call in ways.items():
            times = sorted(_round(call, given) for _ in range(ROUNDS))
            results.append(
                {
                    "way": way,
                    "arguments": arguments,
                    "median_s": statistics.median(times),
                    "least_s": times[0],
                }
            )
    return results


def _round(call: Callable, given: list) -> float:
    """Of this thread's own time, in which an empty kernel runs: others have no part in it."""
    start = time.thread_time()
    for _ in range(CALLS):
        call(*given)
    return (time.thread_time() - start) / CALLS


def _show(results: list[dict[str, Any]]) -> None:
    shown = table("empty kernel launched by", "arguments", ">median", ">least")
    for record in results:
        times = (f"{1e9 * record[name]:.0f} ns" for name in ("median_s", "least_s"))
        shown.add_row(record["way"], record["arguments"], *times)
    for record in PUBLISHED:
        median = f"{1e9 * record['median_s']:.0f} ns"
        shown.add_row(record["launcher"], record["arguments"], median, "published")
    stdout().print(shown)
    stdout().print(
        f"Published: on the host of a CUDA device, {SOURCE}", markup=False, soft_wrap=True
    )
