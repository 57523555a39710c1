"""Kernels of the library beside PyTorch and Triton on a GPU: the last step of session.py.

    python bench/gpu/measure.py DEVICE JSON [--seconds 300] [--small] [--only gemm/n4096 ...]

A kernel is checked, element by element, against the float64 reference before it is timed. Then
a quick look picks each library's best recipe, and ours and those take turns. On a GPU a call
is timed by CUDA events, after a pass over a buffer that is larger than the L2 cache; on an
emulator, for a trial of the script, by the host's clock and without peers.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import peers
import workloads

from tilewright import runtime
from tilewright.testing.case import Case
from tilewright.testing.check import check_outputs
from tilewright.testing.peers import to_torch

OURS = ("tilewright", "")
# Rounds of a case: at least so many, then until the time or the most is reached.
LEAST_ROUNDS, MOST_ROUNDS, SECONDS = 15, 200, 1.5
LOOKS = 3
_FLUSHED = 256 << 20

Call = Callable[[], Any]


class OnGpu:
    """Tensors on the GPU, timed by events."""

    clock = "CUDA events"

    def __init__(self) -> None:
        import torch

        self._torch = torch
        self._larger_than_l2 = torch.empty(_FLUSHED, dtype=torch.int8, device="cuda")
        self.about = {
            "name": torch.cuda.get_device_name(),
            "torch": torch.__version__,
            "cuda": torch.version.cuda,
            "absent": {},
        }

    def put(self, array: np.ndarray) -> Any:
        """An array as a tensor there."""
        return to_torch(np.ascontiguousarray(array)).cuda()

    def get(self, tensor: Any, dtype: np.dtype) -> np.ndarray:
        """The tensor's elements, bit by bit."""
        flat = tensor.contiguous().view(self._torch.uint8).cpu().numpy()
        return flat.view(dtype).reshape(tensor.shape)

    def seconds(self, call: Call) -> float:
        """What one call takes, with nothing of its data in a cache."""
        first, last = (self._torch.cuda.Event(enable_timing=True) for _ in range(2))
        self._larger_than_l2.zero_()
        first.record()
        call()
        last.record()
        last.synchronize()
        return first.elapsed_time(last) / 1e3

    def recipes(self, case: Case, inputs: dict[str, Any]) -> peers.Recipes:
        """What peers have; one that is not installed is noted as absent."""
        found: peers.Recipes = {}
        for library in peers.LIBRARIES:
            try:
                found |= peers.recipes(library, case, inputs)
            except ImportError as error:
                self.about["absent"][library] = str(error)
        return found


class OnHost:
    """NumPy's arrays, copied to the device in each call: a trial of the script, no speed."""

    clock = "host"
    about = {"absent": {"torch": "needs a GPU", "triton": "needs a GPU"}}

    def put(self, array: np.ndarray) -> np.ndarray:
        """The array itself."""
        return np.ascontiguousarray(array)

    def get(self, array: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """The array itself."""
        return array

    def seconds(self, call: Call) -> float:
        """What one call takes."""
        begun = time.perf_counter()
        call()
        return time.perf_counter() - begun

    def recipes(self, case: Case, inputs: dict[str, Any]) -> peers.Recipes:
        """None."""
        return {}


def measured(case: Case, device: str, place: OnGpu | OnHost) -> dict[str, Any]:
    """The record of a case. Raises RuntimeError where our result is wrong."""
    given = case.make_inputs(case.generator())
    specs = case.outputs(given)
    inputs = {name: place.put(array) for name, array in given.items()}
    outputs = {n: place.put(np.full(s.shape, 77, s.dtype)) for n, s in specs.items()}

    def ours() -> None:
        case.run(device, inputs, outputs)

    ours()
    found = {name: place.get(tensor, specs[name].dtype) for name, tensor in outputs.items()}
    verdict = check_outputs(found, case.expect(given), specs, exact=False)
    if verdict.reason:
        raise RuntimeError(verdict.reason)

    calls, looks, broken = _contestants(place, {OURS: ours} | place.recipes(case, inputs))
    samples: dict[tuple[str, str], list[float]] = {key: [] for key in calls}
    ends = time.monotonic() + SECONDS
    order = list(calls)
    for number in range(MOST_ROUNDS):
        if number >= LEAST_ROUNDS and time.monotonic() > ends:
            break
        for key in order[number % len(order) :] + order[: number % len(order)]:
            samples[key].append(place.seconds(calls[key]))
    medians = {key: statistics.median(times) for key, times in samples.items()}
    mine = medians.pop(OURS)
    return {
        "kernel": case.kernel, "case": case.name, "dtype": case.dtype, "clock": place.clock,
        "rounds": len(samples[OURS]), "median_s": mine,
        "tflops": case.flops / mine / 1e12, "gbytes_per_s": case.bytes / mine / 1e9,
        "peers": {
            library: {"recipe": recipe, "median_s": seconds, "ratio": seconds / mine}
            for (library, recipe), seconds in medians.items()
        },
        "looks": looks, "broken": broken, "error_over_bound": verdict.ratio,
    }  # fmt: skip


def _contestants(
    place: OnGpu | OnHost, recipes: dict[tuple[str, str], Call]
) -> tuple[dict[tuple[str, str], Call], dict[str, float], dict[str, str]]:
    """Each library's fastest recipe, what the looks at all took, and what did not run."""
    looks: dict[tuple[str, str], float] = {}
    broken: dict[str, str] = {}
    for key, call in recipes.items():
        try:
            looks[key] = min(place.seconds(call) for _ in range(LOOKS))
        except Exception as error:  # a peer's recipe may not suit this GPU
            if key == OURS:
                raise
            broken[": ".join(key)] = f"{type(error).__name__}: {error}".splitlines()[0]
    best = {
        library: min((k for k in looks if k[0] == library), key=lambda k: looks[k])
        for library, _ in looks
    }
    told = {": ".join(filter(None, key)): seconds for key, seconds in looks.items()}
    return {key: recipes[key] for key in best.values()}, told, broken


def main() -> int:
    """Measure in the time that there is; 1 where a kernel is wrong or does not run."""
    parser = argparse.ArgumentParser(description="Kernels on a GPU beside PyTorch and Triton.")
    parser.add_argument("device")
    parser.add_argument("json", type=Path)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--only", nargs="+", default=[""], metavar="KERNEL[/CASE]",
                        help="cases whose names begin so")  # fmt: skip
    asked = parser.parse_args()
    ends = time.monotonic() + asked.seconds
    device = runtime.device_name(asked.device)
    place = OnHost() if "emulator" in device else OnGpu()
    report: dict[str, Any] = {
        "measured_on": place.about, "results": [], "failures": [], "left_out": [],
    }  # fmt: skip
    for case in workloads.small() if asked.small else workloads.real():
        if not f"{case.kernel}/{case.name}/{case.dtype}".startswith(tuple(asked.only)):
            continue
        if time.monotonic() > ends:
            report["left_out"].append(case.id)
            continue
        try:
            record = measured(case, device, place)
        except Exception as error:  # the next case may do better
            report["failures"].append(f"{case.id}: {type(error).__name__}: {error}")
            print(report["failures"][-1], file=sys.stderr, flush=True)
        else:
            report["results"].append(record)
            _show(record)
        asked.json.write_text(json.dumps(report, indent=1) + "\n")
    return 1 if report["failures"] else 0


def _show(record: dict[str, Any]) -> None:
    beside = ", ".join(
        f"{library} {1e6 * peer['median_s']:.1f} us ({peer['ratio']:.2f}x ours)"
        for library, peer in record["peers"].items()
    )
    name = f"{record['kernel']}/{record['case']}/{record['dtype']}"
    print(f"{name}: {1e6 * record['median_s']:.1f} us; {beside or 'no peers'}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
