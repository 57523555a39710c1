# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How fast the emulators execute matrix products and attention of other compilers."""

from __future__ import annotations

import dataclasses
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tilewright.testing import foreign
from tilewright.testing.bench import WrongResult
from tilewright.testing.machine import cpu_name
from tilewright.testing.threads import OtherProcesses
from tilewright.testing.timing import MIN_ROUNDS, interleaved_samples

PROGRAMS = ("triton_matmul_f16", "triton_attend_d64", "triton_attend_d128", "tilelang_matmul")
# The matrix instructions of each: mma.sync, wgmma, MFMA and WMMA.
ARCHS = ("sm_80", "sm_90a", "gfx942", "gfx1100")
# What is loaded in a new process, of each vendor.
STARTED = (("triton_matmul_f16", "sm_80"), ("triton_matmul_f16", "gfx942"))
# The longest of the corpus whose length is near 4,000 lines.
PARSED = ("tilelang_attend_causal", "sm_80")
# A grid is repeated so often along z, which these programs do not look at: each block runs
# that many times, and writes the same results.
REPLICAS = 16
MMA = ("mma.", "wmma.mma", "wgmma.mma_async", "v_mfma", "v_wmma")

# Start-up as a program sees it that has imported the package: the library is not loaded.
STARTUP = """
import sys, time
from tilewright.emulator import Device
program = sys.stdin.buffer.read()
start = time.perf_counter()
Device(sys.argv[1]).load(program)
print(time.perf_counter() - start)
"""


@dataclasses.dataclass(frozen=True)
class Measurement:
    """One program on one number of threads; the fields are those of the JSON report.

    Counts are of one launch. `mma_instructions` are among `warp_instructions`, and
    `warp_instructions_per_s` is without them; both it and `multiply_adds_per_s` are over
    `median_s`, the whole time of the launch, MMA or not.

    `mma_s` is the part of a launch in matrix instructions, and `outside_s` the rest; where
    several threads run, of one thread on average. They are from launches of their own, which
    looking at the clock makes a little slower. `multiply_adds_per_mma_s` and
    `warp_instructions_per_outside_s` are what is done in each part over its time.

    `speedup` is the time of one thread over this one, where one thread was measured.
    `other_cores` is how many cores other processes kept busy meanwhile.
    """

    program: str
    arch: str
    threads: int
    blocks: int
    warp_instructions: int
    mma_instructions: int
    multiply_adds: int
    rounds: int
    median_s: float
    warp_instructions_per_s: float
    multiply_adds_per_s: float
    mma_s: float
    outside_s: float
    warp_instructions_per_outside_s: float
    multiply_adds_per_mma_s: float
    speedup: float | None
    max_error_over_bound: float
    other_cores: float


def select(names: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Programs and architectures of PROGRAM or PROGRAM/ARCH; all where there is no name.

    Raises ValueError for a name that selects nothing."""
    pairs = [
        (program, arch)
        for program in PROGRAMS
        for arch in ARCHS
        if program in (known := foreign.corpus(arch)[1]) and arch in known[program].archs
    ]
    for name in names:
        if not any(name in (program, f"{program}/{arch}") for program, arch in pairs):
            known = ", ".join(PROGRAMS)
            raise ValueError(f"no emulated program {name!r}; there are {known}")
    return [(p, a) for p, a in pairs if not names or p in names or f"{p}/{a}" in names]


def new_report(threads: Sequence[int]) -> dict[str, Any]:
    """A report with nothing in it; `complete` when every program was run."""
    return {
        "machine": {"cpu": cpu_name(), "cores": len(os.sched_getaffinity(0))},
        "threads": list(threads),
        "startup": [],
        "parse": None,
        "results": [],
        "failures": [],
        "complete": False,
    }


def measure_startup(program: str, arch: str) -> dict[str, Any]:
    """Seconds, in a new process, to load the library, make a device, and load a program."""
    corpus, _ = foreign.corpus(arch)
    text = corpus.program_of(program, arch)
    given = text.encode() if isinstance(text, str) else text
    command = [sys.executable, "-c", STARTUP, arch]
    paths = [str(Path(foreign.tilewright.__file__).parents[1]), os.environ.get("PYTHONPATH")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    found = [
        float(
            subprocess.run(
                command, input=given, env=environment, check=True, capture_output=True
            ).stdout
        )
        for _ in range(MIN_ROUNDS)
    ]
    return {"program": program, "arch": arch, "median_s": statistics.median(found)}


def measure_parse() -> dict[str, Any]:
    """Seconds to load a long program on a device."""
    from tilewright.emulator import Device

    corpus, cases = foreign.corpus()
    name, arch = PARSED
    text = corpus.ptx(cases[name].program, arch)
    device = Device(arch)
    found = []
    for _ in range(MIN_ROUNDS + 1):
        start = time.perf_counter()
        module = device.load(text)
        found.append(time.perf_counter() - start)
        module.unload()
    lines = text.count("\n")
    return {
        "program": name,
        "arch": arch,
        "lines": lines,
        "bytes": len(text.encode()),
        "median_s": statistics.median(found[1:]),  # the first warms up
    }


def bench_program(program: str, arch: str, threads: Sequence[int]) -> list[Measurement]:
    """Checks one program, then times it with each number of threads, in turns.

    Every check that is on by default is on. Raises WrongResult where the result is not within
    its bound or the emulator reports a fault: a wrong run has no speed.
    """
    from tilewright.emulator import EmulatorError

    _, cases = foreign.corpus(arch)
    try:
        runs = {count: _Run(cases[program], arch, count) for count in threads}
        parts = {count: _measure_parts(cases[program], arch, count) for count in threads}
        worst = max(run.check() for run in runs.values())
        others = OtherProcesses()
        samples = interleaved_samples(
            {count: [run.launch] for count, run in runs.items()},
            {count: run.look for count, run in runs.items()},
        )
        busy = others.cores()
    except EmulatorError as error:
        raise WrongResult(str(error)) from None
    medians = {count: statistics.median(times) for count, times in samples.items()}
    return [
        Measurement(
            program=program,
            arch=arch,
            threads=count,
            **runs[count].rates(seconds, *parts[count]),
            rounds=len(samples[count]),
            median_s=seconds,
            speedup=medians[1] / seconds if 1 in medians else None,
            max_error_over_bound=worst,
            other_cores=busy,
        )
        for count, seconds in medians.items()
    ]


def _measure_parts(case: Any, arch: str, threads: int) -> tuple[float, float]:
    """Seconds of a launch in matrix instructions, and outside of them."""
    run = _Run(case, arch, threads, time_products=True)
    found = []
    for _ in range(MIN_ROUNDS):
        run.launch()
        report = run.report
        mma = report["product_seconds"] / min(threads, math.prod(report["grid"]))
        found.append((mma, report["seconds"] - mma))
    return statistics.median(mma for mma, _ in found), statistics.median(o for _, o in found)


class _Run:
    """A case on a device with a number of threads, launched twice to warm up."""

    def __init__(self, case: Any, arch: str, threads: int, time_products: bool = False) -> None:
        from tilewright.emulator import Device

        self._corpus, _ = foreign.corpus(arch)
        self._case = _replicated(case)
        self._device = Device(arch, threads=threads, time_products=time_products)
        self.launch, self._buffers = self._corpus.prepare(self._case, arch, self._device)
        self.launch()
        start = time.perf_counter()
        self.launch()
        self.look = time.perf_counter() - start

    def check(self) -> float:
        """The worst error over its bound; raises WrongResult where one is beyond it."""
        arrays = {name: buffer.numpy() for name, buffer in self._buffers.items()}
        if wrong := self._corpus.mismatches(self._case, arrays):
            raise WrongResult("; ".join(wrong))
        return foreign.worst_error(self._case, arrays)

    @property
    def report(self) -> dict[str, Any]:
        return self._device.report

    def rates(self, seconds: float, mma_s: float, outside_s: float) -> dict[str, Any]:
        """What a launch executes, and that over the seconds which it, and each part, takes."""
        report = self.report
        executed, products = report["warp_instructions"], report["multiply_adds"]
        mma = sum(o["executions"] for o in report["opcodes"] if o["name"].startswith(MMA))
        return {
            "blocks": math.prod(report["grid"]),
            "warp_instructions": executed,
            "mma_instructions": mma,
            "multiply_adds": products,
            "warp_instructions_per_s": (executed - mma) / seconds,
            "multiply_adds_per_s": products / seconds,
            "mma_s": mma_s,
            "outside_s": outside_s,
            "warp_instructions_per_outside_s": (executed - mma) / outside_s,
            "multiply_adds_per_mma_s": products / mma_s,
        }


def _replicated(case: Any) -> Any:
    """The case with a grid of REPLICAS times the blocks."""

    def launches(arch: str) -> list[Any]:
        return [
            dataclasses.replace(launch, grid=(*launch.grid[:2], launch.grid[2] * REPLICAS))
            for launch in case.launches(arch)
        ]

    return dataclasses.replace(case, launches=launches)
