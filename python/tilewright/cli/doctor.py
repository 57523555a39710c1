"""`tilewright doctor`: what is installed, what each backend needs, what this machine can do.

Everything is looked for, nothing is assumed: a doctor that fails on a broken installation
would be of no use.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import os
import platform
import re
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

import tilewright
from tilewright.cli import probe
from tilewright.cli.console import CliError, check_json, stdout, table, write_json
from tilewright.cli.units import limits_table, size
from tilewright.compiler import tools

EXAMPLES = """
tilewright doctor                      [dim]everything; takes a few seconds[/]
tilewright doctor --no-measure         [dim]without the machine's measured limits[/]
tilewright doctor --json machine.json  [dim]the same as a report[/]
"""

# What decides which instructions a kernel can use, of all the features a CPU lists.
CPU_FEATURES = (
    "avx2", "fma", "f16c", "avx512f", "avx512_bf16", "avx512_fp16", "avx512_vnni", "avx_vnni",
    "amx_tile", "amx_bf16", "amx_int8",
)  # fmt: skip

PACKAGES = ("numpy", "ml_dtypes", "typer", "rich", "torch")


# For each backend: a target to try, the tools that compiling needs, those that running does.
BACKENDS = {
    "cpu": ("cpu", (), ()),
    "cuda": ("cuda:sm_80", ("ptxas",), ("libcuda.so.1",)),
    "hip": ("hip:gfx942", (), ("libamdhip64.so",)),
}


def doctor(
    measure: Annotated[
        bool, typer.Option(help="Measure this machine's limits, which takes some seconds.")
    ] = True,
    json: Annotated[
        Path | None, typer.Option(help="Write the report to this file; - is stdout.")
    ] = None,
) -> None:
    """Say what is installed, what each backend needs, and what this machine can do.

    Fails where the CPU backend cannot compile a kernel and run it.
    """
    check_json(json)
    extensions = {name: _extension_problem(name) for name in ("_runtime", "_compiler")}
    report: dict[str, Any] = {
        "tilewright": tilewright.__version__,
        "python": platform.python_version(),
        "packages": {name: _package_version(name) for name in PACKAGES},
        "extensions": extensions,
        "tools": tools.find_all(),
        "cpu": cpu(),
    }
    report["backends"] = {name: _backend(name, report) for name in BACKENDS}
    if not report["backends"]["cpu"]["lacks"]:
        report["cpu"]["target"] = tilewright.compile(probe.product("f32")).manifest["target"]
        report["atoms"] = {dtype: _atoms(dtype) for dtype in probe.PRODUCTS}
    if measure and not extensions["_runtime"]:
        report["limits"] = _limits(report["cpu"]["cores"])
    if json is None or str(json) != "-":
        _show(report)
    write_json(json, report)
    if report["backends"]["cpu"]["lacks"]:
        raise CliError("the CPU backend does not work: " + report["backends"]["cpu"]["lacks"])


def _backend(name: str, report: dict[str, Any]) -> dict[str, Any]:
    """What a backend needs, and what it lacks here, found by trying it: None for nothing."""
    target, to_compile, to_run = BACKENDS[name]
    broken = [f"{n}: {problem}" for n, problem in report["extensions"].items() if problem]
    absent = [n for n in (*to_compile, *to_run) if not report["tools"][n]["path"]]
    if broken:
        lacks = "; ".join(broken)
    else:
        lacks = _try(target, run=not absent) or ", ".join(absent) or None
    return {"needs": [*to_compile, *to_run], "lacks": lacks}


def _try(target: str, run: bool) -> str | None:
    """Why a small product cannot be compiled for a target, or run on it; None if it can."""
    import numpy as np

    try:
        kernel = tilewright.compile(probe.product("f32"), target=target)
        if run:
            a = np.full((probe.SIZE, probe.SIZE), 2, np.float32)
            c = np.zeros_like(a)
            kernel(a, a, c)
            if not (c == 4 * probe.SIZE).all():
                return "a product that it runs is wrong"
    except (tilewright.CompileError, RuntimeError, ValueError) as error:
        return str(error).splitlines()[0]
    return None


def _package_version(name: str) -> str | None:
    """The version of an installed package, found without importing it."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _extension_problem(name: str) -> str | None:
    """Why an extension module of ours does not load, or None when it does."""
    try:
        importlib.import_module(f"tilewright.{name}")
    except ImportError as error:
        return str(error)
    return None


def cpu() -> dict[str, Any]:
    """Model, cores, caches in bytes, and features of this machine's CPU."""
    fields: dict[str, str] = {}
    lines: list[str] = []
    with contextlib.suppress(OSError):  # a sandbox without /proc
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    for line in lines:
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    flags = fields.get("flags", "").split()
    family = [f"{n} {fields[n]}" for n in ("cpu family", "model", "stepping") if n in fields]
    return {
        "model": ", ".join([fields.get("model name", platform.machine()), *family]),
        "cores": len(os.sched_getaffinity(0)),
        "caches": _caches(),
        "features": [f for f in CPU_FEATURES if f in flags],
    }


def _caches() -> dict[str, int]:
    """Data caches of the first core: {"L1": bytes, ...}."""
    found = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        if (index / "type").read_text().strip() != "Instruction":
            size = (index / "size").read_text().strip().removesuffix("K")
            found["L" + (index / "level").read_text().strip()] = int(size) * 1024
    return found


def _limits(cores: int) -> dict[str, Any]:
    """What this machine was just measured to reach, with one thread and with all."""
    from tilewright.testing.machine import measure_machine

    return measure_machine(sorted({1, cores})).as_json()


def _atoms(dtype: str) -> str:
    """The instruction that products of a dtype use on this CPU."""
    remarks = "\n".join(tilewright.compile(probe.product(dtype)).remarks())
    found = re.search(r"#\w+\.atom<[^>]*>", remarks)
    return found.group() if found else "no atom"


def _show(report: dict[str, Any]) -> None:
    """The report as tables."""
    packages = table("package", "version")
    packages.add_row("tilewright", report["tilewright"])
    packages.add_row("Python", report["python"])
    for name, version in report["packages"].items():
        packages.add_row(name, version or "[dim]not installed[/]")
    for name, problem in report["extensions"].items():
        packages.add_row(f"tilewright.{name}", escape(problem) if problem else "built")
    stdout().print(packages)

    shown = table("tool", "version", "where", "")
    for name, tool in report["tools"].items():
        place = tool["path"] or "[dim]not found[/]"
        shown.add_row(name, tool["version"] or "", place, tool["purpose"])
    stdout().print(shown)

    shown = table("backend", "needs", "state")
    for name, backend in report["backends"].items():
        lacks = backend["lacks"]
        state = f"[yellow]{escape(lacks)}[/]" if lacks else "[green]works[/]"
        shown.add_row(name, ", ".join(backend["needs"]), state)
    stdout().print(shown)

    machine = report["cpu"]
    caches = ", ".join(f"{name} {size(count)}" for name, count in machine["caches"].items())
    stdout().print(f"{machine['model']}, {machine['cores']} cores, {caches}", markup=False)
    stdout().print(" ".join(machine["features"]), markup=False)
    if "target" in machine:
        stdout().print(f"target {machine['target']}", markup=False)
    for dtype, atom in report.get("atoms", {}).items():
        stdout().print(f"{dtype:5} products use {atom}", markup=False)
    if "limits" in report:
        stdout().print(limits_table(report["limits"]))
