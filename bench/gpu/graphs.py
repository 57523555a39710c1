"""Graphs on a GPU: that a replay is right, and what it costs beside launches.

    python bench/gpu/graphs.py DEVICE JSON

A chain of launches is recorded once by tilewright.Graph and once by PyTorch's capture, and
replayed with new inputs in the same memory.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import tilewright
import tilewright.language as T
from tilewright import runtime

LENGTH, CHAIN, ROUNDS, REPLAYS = 4096, 64, 30, 20


@T.prim_func
def increase(A: T.Tensor((LENGTH,), "int32"), C: T.Tensor((LENGTH,), "int32")):
    """C = 3 * A + 1."""
    with T.Kernel(T.ceildiv(LENGTH, 256), threads=128) as block:
        for i in T.Parallel(256):
            C[block * 256 + i] = 3 * A[block * 256 + i] + 1


def _expected(values: np.ndarray) -> np.ndarray:
    for _ in range(CHAIN):
        values = (3 * values + 1).astype(np.int32)
    return values


def _microseconds(call: Any, wait: Any) -> float:
    """What one of the calls takes, with the device waited for at the end of several."""
    samples = []
    for _ in range(ROUNDS):
        wait()
        begun = time.perf_counter()
        for _ in range(REPLAYS):
            call()
        wait()
        samples.append((time.perf_counter() - begun) / REPLAYS)
    return 1e6 * statistics.median(samples)


def measured(device: str) -> dict[str, Any]:
    """Microseconds of the chain, launched and replayed. RuntimeError where it is wrong."""
    import torch

    kernel = tilewright.compile(increase, target=device)
    steps = [torch.zeros(LENGTH, dtype=torch.int32, device="cuda") for _ in range(CHAIN + 1)]
    values = np.random.default_rng(7).integers(-9, 9, LENGTH, np.int32)

    def chain() -> None:
        for source, target in zip(steps, steps[1:], strict=False):
            kernel(source, target)

    def check(replay: Any, what: str) -> None:
        for shift in (0, 5):
            steps[0].copy_(torch.from_numpy(values + shift))
            steps[-1].fill_(77)
            replay()
            torch.cuda.synchronize()
            if not np.array_equal(steps[-1].cpu().numpy(), _expected(values + shift)):
                raise RuntimeError(f"{what}: the last tensor of the chain is wrong")

    check(chain, "launches")
    with tilewright.Graph(device) as ours:
        chain()
    check(ours.replay, "tilewright.Graph")
    theirs = torch.cuda.CUDAGraph()
    with torch.cuda.graph(theirs):
        chain()
    check(theirs.replay, "torch.cuda.graph")
    wait = torch.cuda.synchronize
    return {
        "launches_in_chain": CHAIN,
        "launched_us": _microseconds(chain, wait),
        "replayed_us": _microseconds(ours.replay, wait),
        "replayed_by_torch_us": _microseconds(theirs.replay, wait),
    }


def main() -> int:
    """Measure, and write what came out."""
    parser = argparse.ArgumentParser(description="Graphs of launches on a GPU.")
    parser.add_argument("device")
    parser.add_argument("json", type=Path)
    asked = parser.parse_args()
    report = measured(runtime.device_name(asked.device))
    asked.json.write_text(json.dumps(report, indent=1) + "\n")
    print(report, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
