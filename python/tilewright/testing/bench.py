# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The bench engine: library kernels beside their peers and this machine's own limits."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from tilewright.testing.case import Case, Spec, Tensors
from tilewright.testing.machine import Machine
from tilewright.testing.memory import guard
from tilewright.testing.threads import set_threads
from tilewright.testing.timing import interleaved_medians
from tilewright.testing.verify import execute, judge

OURS = "tilewright"
# A recipe this many times slower than the same peer's best is not timed further.
HOPELESS = 2.0


class WrongResult(Exception):
    """A kernel's result is not within its bound."""


@dataclasses.dataclass(frozen=True)
class Measurement:
    """One case at one thread count; the fields are those of the JSON report."""

    kernel: str
    case: str
    dtype: str
    device: str
    threads: int
    median_s: float
    flops: int
    bytes: int
    limit: str
    limit_fraction: float
    peers: dict[str, float]
    best_peer: str | None
    speedup_vs_best_peer: float | None
    max_error_over_bound: float


def bench_case(
    case: Case, device: str, threads: Sequence[int], machine: Machine
) -> list[Measurement]:
    """Checks one case, then times it and its peers at each thread count.

    Raises WrongResult where it fails its check: a wrong kernel has no speed.
    """
    set_threads(max(threads))
    sets = [_aligned(case.make_inputs(case.generator(i))) for i in range(case.rotate)]
    verdict = judge(case, sets[0], execute(case, device, sets[0]), exact=False)
    if verdict.reason:
        raise WrongResult(verdict.reason)

    def ours(inputs: Tensors) -> Callable[[], Any]:
        outputs = {name: guard(spec).view for name, spec in case.outputs(inputs).items()}
        return lambda: case.run(device, inputs, outputs)

    contestants = {(OURS, ""): [ours(inputs) for inputs in sets], **_peers(case, sets)}
    measured = []
    for count in threads:
        set_threads(count)
        medians = interleaved_medians(_hopeful(contestants))
        measured.append(_measurement(case, device, count, machine, medians, verdict.ratio))
    return measured


def _aligned(inputs: Tensors) -> Tensors:
    """The same tensors at 64-byte boundaries, for us and for the peers."""
    moved = {}
    for name, array in inputs.items():
        moved[name] = guard(Spec(array.shape, array.dtype)).view
        moved[name][...] = array
    return moved


Contestants = dict[tuple[str, str], list[Callable[[], Any]]]


def _peers(case: Case, sets: list[Tensors]) -> Contestants:
    """Every recipe that can run here; one that fails is named on stderr."""
    found: Contestants = {}
    for peer in case.peers:
        try:
            functions = [peer.prepare(inputs) for inputs in sets]
            functions[0]()
        except ImportError:
            continue  # the peer is not installed
        except Exception as error:
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            print(f"{case.id}: {peer.name} ({peer.recipe}) fails: {what}", file=sys.stderr)
            continue
        found[peer.name, peer.recipe] = functions
    return found


def _hopeful(contestants: Contestants) -> Contestants:
    """The contestants without recipes far slower than another of the same peer."""
    quick = {key: _quick(functions) for key, functions in contestants.items()}
    best: dict[str, float] = {}
    for (name, _), seconds in quick.items():
        best[name] = min(best.get(name, seconds), seconds)
    return {
        key: functions
        for key, functions in contestants.items()
        if quick[key] <= HOPELESS * best[key[0]]
    }


def _quick(functions: list[Callable[[], Any]]) -> float:
    """A rough time: the best of two calls."""
    times = []
    for _ in range(2):
        start = time.perf_counter()
        functions[0]()
        times.append(time.perf_counter() - start)
    return min(times)


def _measurement(
    case: Case,
    device: str,
    threads: int,
    machine: Machine,
    medians: dict[tuple[str, str], float],
    ratio: float,
) -> Measurement:
    ours = medians[OURS, ""]
    peers: dict[str, float] = {}
    for (name, _), seconds in medians.items():
        if name != OURS:
            peers[name] = min(peers.get(name, seconds), seconds)
    best = min(peers, key=peers.__getitem__) if peers else None
    limit, least = machine.limit(case.dtype, case.flops, case.bytes, threads)
    return Measurement(
        kernel=case.kernel,
        case=case.name,
        dtype=case.dtype,
        device=device,
        threads=threads,
        median_s=ours,
        flops=case.flops,
        bytes=case.bytes,
        limit=limit,
        limit_fraction=least / ours,
        peers=peers,
        best_peer=best,
        speedup_vs_best_peer=peers[best] / ours if best else None,
        max_error_over_bound=ratio,
    )
