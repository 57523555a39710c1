# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What `tilewright bench` reports beside its measurements: where a report comes from, and
limits that are the same for all of it."""

from __future__ import annotations

import datetime
import importlib.metadata
import platform
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tilewright.testing.machine import Machine

Record = dict[str, Any]

# Peers and what kernels are compiled with, by the names of their packages.
PACKAGES = ("numpy", "torch", "ml_dtypes")


def new_report() -> Record:
    """A report with nothing in it; `complete` when every case was run."""
    return {
        "origin": None,
        "machine": None,
        "results": [],
        "failures": [],
        "complete": False,
    }


def origin(kernels: Sequence[str], device: str, threads: Sequence[int]) -> Record:
    """Where a report comes from: the command, the date and the versions of what ran."""
    options = [] if device == "cpu" else ["--device", device]
    options += ["--threads", ",".join(map(str, threads))]
    return {
        "command": shlex.join(["tilewright", "bench", *kernels, *options]),
        "date": datetime.date.today().isoformat(),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """The versions of what takes part in a measurement, of what is installed."""
    import tilewright
    from tilewright import _compiler

    found = {
        "tilewright": _revision(tilewright.__version__),
        "LLVM": _compiler.version().rpartition("LLVM ")[2],
        "Python": platform.python_version(),
    }
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    if blas := _blas():
        found["numpy"] += f" with {blas}"
    found["Linux"] = platform.release()
    return found


def _revision(version: str) -> str:
    """The version, and in a checkout the commit, with a `+` where files were changed."""
    root = Path(__file__).parents[3]
    command = ["git", "-C", str(root), "describe", "--always", "--exclude=*", "--dirty=+"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return version
    return f"{version} ({done.stdout.strip()})"


def _blas() -> str:
    """The library behind NumPy's products, as NumPy says."""
    import numpy as np

    built = np.show_config(mode="dicts")["Build Dependencies"].get("blas", {})
    return f"{built.get('name', '')} {built.get('version', '')}".strip()


def restate(report: Record) -> None:
    """Gives all results of a report the limits of its machine, which got better since, but
    for the memory limits that were measured beside a row."""
    if not report["results"]:
        return
    machine = Machine.from_json(report["machine"])
    for result in report["results"]:
        work = [result[name] for name in ("dtype", "flops", "bytes", "written", "threads")]
        beside = {way: result.get(way) for way in ("read_gbps", "copy_gbps")}
        own = machine.beside(beside, result["threads"]) if all(beside.values()) else machine
        limit, least = own.limit(*work)
        if own is machine or limit == "compute":
            result["limit"], result["limit_fraction"] = limit, least / result["median_s"]


def lift_limits(report: Record, result: Record) -> None:
    """Gives the machine of a report the memory limits that were measured beside a result,
    where they are higher: what was seen once in a run is what the machine can do."""
    for way in ("read_gbps", "copy_gbps"):
        if beside := result.get(way):
            limits, threads = report["machine"][way], str(result["threads"])
            limits[threads] = max(limits[threads], round(beside, 2))
