# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The bench engine: library kernels beside their peers and this machine's own limits."""

from __future__ import annotations

import dataclasses
import itertools
import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tilewright.testing.case import Case, Tensors
from tilewright.testing.contest import (
    OURS,
    Experience,
    Field,
    Key,
    best_of_each,
    quick_look,
    worth_rounds,
)
from tilewright.testing.machine import Machine, MemoryGauge, aligned, measure_machine
from tilewright.testing.memory import guard
from tilewright.testing.threads import OtherProcesses, set_threads
from tilewright.testing.timing import interleaved_samples
from tilewright.testing.verify import execute, judge

# Takes the turn before ours where memory limits the row.
GAUGE: Key = ("memory", "")

# What lies over a limit by more than noise shows that the limit was measured too low.
BEYOND = 1.02


class WrongResult(Exception):
    """A kernel's result is not within its bound."""


@dataclasses.dataclass(frozen=True)
class Measurement:
    """One case at one thread count; the fields are those of the JSON report.

    `rounds` has, for us and each peer, how many rounds its time is the median of; 0 for a
    peer that was too slow to be the best, whose time is that of a quick look. `looks` has
    the quick look at every recipe, None where earlier looks had shown it to be far slower
    than others of its library; `recipes` names the one behind each peer's time.
    `written` are those of the bytes that are writes; `sets` is how many sets of tensors the
    calls went through in rotation. `read_gbps` and `copy_gbps` are the memory limits beside
    the row, medians of its rounds, where memory limits it with any number of the threads;
    then `limit_fraction` is the median of its rounds too. `other_cores` is how many cores
    other processes kept busy during the rounds.
    """

    kernel: str
    case: str
    dtype: str
    device: str
    threads: int
    median_s: float
    flops: int
    bytes: int
    written: int
    read_gbps: float | None
    copy_gbps: float | None
    limit: str
    limit_fraction: float
    peers: dict[str, float]
    best_peer: str | None
    speedup_vs_best_peer: float | None
    max_error_over_bound: float
    rounds: dict[str, int]
    recipes: dict[str, str]
    looks: dict[str, dict[str, float | None]]
    sets: int
    other_cores: float

    @property
    def beyond(self) -> bool:
        """Whether it is faster than the machine was measured to be."""
        return self.limit_fraction > BEYOND

    def objection(self) -> str:
        """What is wrong with a measurement that is beyond its limit."""
        return (
            f"{self.kernel}/{self.case}/{self.dtype}: with {self.threads} threads it took "
            f"{1 / self.limit_fraction:.2f} times the least time that the {self.limit} of this "
            "machine allows, after both were measured again: the limit or the time is wrong"
        )


def bench_case(
    case: Case,
    device: str,
    threads: Sequence[int],
    machine: Machine,
    experience: Experience | None = None,
    on_machine: Callable[[Machine], None] = lambda machine: None,
) -> Iterator[Measurement]:
    """Checks one case, then times it and its peers: a measurement for each thread count.

    The most threads come first: what a look then finds hopeless took the least time.
    `experience` is that of the run so far. A case that memory limits goes through as many
    sets of tensors as no cache can hold. Where a time lies beyond a limit, the machine and
    the time are measured again; `on_machine` is given the better limits, and a measurement
    that is still `beyond` shows that something is wrong. Raises WrongResult where the case
    fails its check: a wrong kernel has no speed.
    """
    experience = experience or Experience()
    set_threads(max(threads))
    inputs = _aligned(case.make_inputs(case.generator()))
    verdict = judge(case, inputs, execute(case, device, inputs), exact=False)
    if verdict.reason:
        raise WrongResult(verdict.reason)
    written = case.written_bytes(inputs)
    work = (case.dtype, case.flops, case.bytes, written)
    rotate = case.rotate
    gauge = None
    if any(machine.limit(*work, n)[0] == "memory" for n in threads):
        gauge = MemoryGauge(machine)
        rotate = max(rotate, machine.sets_beyond_cache(case.bytes))
    # What matters of further sets is that they are other memory, not other numbers.
    sets = [inputs, *(_aligned(inputs) for _ in range(1, rotate))]

    def ours(inputs: Tensors) -> Callable[[], Any]:
        outputs = {name: guard(spec).view for name, spec in case.outputs(inputs).items()}
        return lambda: case.run(device, inputs, outputs)

    field = Field(case, sets, [ours(inputs) for inputs in sets])

    def measure(count: int) -> Measurement:
        looks, hopeless = _look(field, experience, count, machine.limit(*work, count)[1])
        chosen = {key: field.functions[key] for key in worth_rounds(looks)}
        memory: list[dict[str, float]] = []
        turns = dict(looks)
        if gauge:
            chosen = {GAUGE: [lambda: memory.append(gauge.measure(count))], **chosen}
            turns[GAUGE] = quick_look(chosen[GAUGE])
            memory.clear()
        others = OtherProcesses()
        samples = interleaved_samples(chosen, turns)
        samples.pop(GAUGE, None)
        return Measurement(
            kernel=case.kernel,
            case=case.name,
            dtype=case.dtype,
            device=device,
            threads=count,
            flops=case.flops,
            bytes=case.bytes,
            written=written,
            max_error_over_bound=verdict.ratio,
            **_limit(machine, work, count, samples[OURS], memory),
            **_times(samples, looks),
            looks=_by_library(looks | dict.fromkeys(hopeless)),
            sets=len(sets),
            other_cores=others.cores(),
        )

    for count in sorted(threads, reverse=True):
        measured = measure(count)
        if measured.beyond:
            machine = machine.better(measure_machine(threads))
            on_machine(machine)
            measured = measure(count)
        yield measured


def _aligned(inputs: Tensors) -> Tensors:
    """The same tensors at 64-byte boundaries, for us and for the peers."""
    return {name: aligned(array) for name, array in inputs.items()}


def _look(
    field: Field, experience: Experience, threads: int, least: float
) -> tuple[dict[Key, float], list[Key]]:
    """A look at every contestant with `threads` threads, and the recipes not worth one.

    A library all of whose other recipes fail is looked at, hopeless or not.
    """

    def look(wanted: list[Key]) -> dict[Key, float]:
        field.prepare(wanted)
        set_threads(threads)  # after a peer was imported, which `prepare` may do
        return field.look(wanted)

    hopeless = [k for k in field.peers if experience.hopeless(field.case, k, threads, least)]
    looks = look([OURS, *(key for key in field.peers if key not in hopeless)])
    seen = {name for name, _ in looks}
    looks |= look([key for key in hopeless if key[0] not in seen])
    experience.learn(field.case, looks, threads, least)
    return looks, [key for key in hopeless if key not in looks]


def _limit(
    machine: Machine,
    work: tuple[str, int, int, int],
    threads: int,
    seconds: list[float],
    memory: list[dict[str, float]],
) -> dict[str, Any]:
    """The limit of a row that took so many `seconds` in its rounds, and how near it came.

    `memory` are the limits beside each round, none for a row that they do not limit.
    """
    rounds = [machine.beside(limits, threads) for limits in memory] or [machine]
    fractions = (
        machine.limit(*work, threads)[1] / taken
        for machine, taken in zip(itertools.cycle(rounds), seconds)
    )
    typical = {
        way: statistics.median(limits[way] for limits in memory) if memory else None
        for way in ("read_gbps", "copy_gbps")
    }
    row = machine.beside(typical, threads) if memory else machine
    return {
        **typical,
        "limit": row.limit(*work, threads)[0],
        "limit_fraction": statistics.median(fractions),
    }


def _times(samples: dict[Key, list[float]], looks: dict[Key, float]) -> dict[str, Any]:
    """The times of a measurement: medians, and looks for libraries that had no rounds."""
    medians = {key: statistics.median(times) for key, times in samples.items()}
    timed = best_of_each(medians)
    rough = best_of_each({key: s for key, s in looks.items() if key[0] not in timed})
    ours = medians[timed.pop(OURS[0])]
    best = min(timed, key=lambda name: medians[timed[name]], default=None)
    return {
        "median_s": ours,
        "peers": {name: medians[key] for name, key in timed.items()}
        | {name: looks[key] for name, key in rough.items()},
        "best_peer": best,
        "speedup_vs_best_peer": medians[timed[best]] / ours if best else None,
        "rounds": {
            name: len(samples.get(key, ()))
            for name, key in {OURS[0]: OURS, **timed, **rough}.items()
        },
        "recipes": {name: key[1] for name, key in {**timed, **rough}.items()},
    }


def _by_library(looks: dict[Key, float | None]) -> dict[str, dict[str, float | None]]:
    """The looks at the peers' recipes, by library."""
    found: dict[str, dict[str, float | None]] = {}
    for key, seconds in looks.items():
        if key != OURS:
            found.setdefault(key[0], {})[key[1]] = seconds
    return found
