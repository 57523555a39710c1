# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How long a product takes to compile for GPUs, beside Triton: `tilewright bench --compile`.

Processes of ours and of Triton's take turns, each of which compiles the same product of
bench/static a few times, always with an empty cache on disk. The first time in a process is
what a program waits for its first kernel; the later ones are what each further kernel costs.
Imports are not in either, for both compilers.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tilewright
from tilewright.testing.foreign import NoCheckout
from tilewright.testing.threads import OtherProcesses

FOLDER = Path(tilewright.__file__).resolve().parents[2] / "bench" / "static"
PROBLEM = "gemm_nn/bf16/128x128x32/s3/t128"
COMPILERS = ("tilewright", "triton")
PROCESSES, LATER = 7, 3


@dataclasses.dataclass(frozen=True)
class Timed:
    """One compiler's time to one stage of the code: medians, in seconds.

    `first` are the first compilations of processes, `later` those that follow in them; `wall`
    is the clock, `cpu` the time of processors, of programs that are started as well.
    """

    target: str
    by: str
    stage: str
    first_wall_s: float
    later_wall_s: float
    first_cpu_s: float
    later_cpu_s: float
    processes: int
    later: int


def measure(
    targets: Sequence[str], on_process: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """The report: `results` are `Timed` as dicts, by target, stage and compiler.

    A compiler that is not installed is left out, and `missing` says how to get it. Raises
    NoCheckout outside a checkout, RuntimeError where a process fails.
    """
    if not (FOLDER / "timed.py").is_file():
        raise NoCheckout(
            f"the problems are in bench/static of a checkout of Tilewright, and there is no "
            f"{FOLDER}: run this in a checkout"
        )
    missing: dict[str, str] = {}
    runs: dict[tuple[str, str], list[list[dict]]] = {}
    imports: dict[str, list[float]] = {}
    others = OtherProcesses()
    for number in range(1, PROCESSES + 1):
        for target in targets:
            for by in COMPILERS:
                if by in missing:
                    continue
                on_process(f"[{number}/{PROCESSES}] {target} {by}")
                told = _process(by, target)
                if "missing" in told:
                    missing[by] = told["missing"]
                    continue
                runs.setdefault((target, by), []).append(told["runs"])
                imports.setdefault(by, []).append(told["import_s"])
    results = [one for (target, by), found in runs.items() for one in _timed(target, by, found)]
    results.sort(key=lambda one: (targets.index(one.target), one.stage == "cubin"))
    return {
        "problem": PROBLEM,
        **_versions(),
        "other_cores": others.cores(),
        "import_s": {by: statistics.median(times) for by, times in imports.items()},
        "results": [dataclasses.asdict(one) for one in results],
        "missing": missing,
    }


def _process(by: str, target: str) -> dict[str, Any]:
    """What a process of bench/static/timed.py says."""
    package = str(Path(tilewright.__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    run = subprocess.run(
        [sys.executable, str(FOLDER / "timed.py"), by, target, PROBLEM, str(1 + LATER)],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    if run.returncode:
        last = (run.stderr.strip().splitlines() or [f"status {run.returncode}"])[-1]
        raise RuntimeError(f"{by} for {target}: {last}")
    return json.loads(run.stdout)


def _timed(target: str, by: str, found: list[list[dict]]) -> list[Timed]:
    """The medians of one compiler and target; `found` has the runs of each process."""
    made = []
    for stage in found[0][0]:
        first = [runs[0][stage] for runs in found]
        later = [run[stage] for runs in found for run in runs[1:]]
        medians = [
            statistics.median(one[what] for one in some)
            for what in ("wall_s", "cpu_s")
            for some in (first, later)
        ]
        made.append(Timed(target, by, stage, *medians, len(first), len(later)))
    return made


def _versions() -> dict[str, Any]:
    """What was measured, and on what."""
    from tilewright import _compiler
    from tilewright.compiler.tools import find_all
    from tilewright.testing.machine import cpu_name

    try:
        triton = importlib.metadata.version("triton")
    except importlib.metadata.PackageNotFoundError:
        triton = None
    return {
        "machine": {"cpu": cpu_name(), "cores": len(os.sched_getaffinity(0))},
        "compiler": _compiler.version(),
        "triton": triton,
        "ptxas": find_all()["ptxas"]["version"],
    }
