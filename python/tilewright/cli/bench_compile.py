"""`tilewright bench --compile`: code size and compile time as tiles and kernels grow, and
compile time for GPUs beside Triton.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tilewright.cli.bench_emulator import DISTURBED
from tilewright.cli.console import CliError, UsageError, stderr, stdout, table, write_json
from tilewright.cli.units import seconds


def bench_compile(kernels: Sequence[str], device: str, json: Path | None) -> None:
    """Measure kernels of `testing.compile_time.GROWTH`, by name or all; for GPUs, where no
    kernel is named, the product of `testing.compile_peers`."""
    from tilewright.testing.compile_time import GROWTH

    unknown = [name for name in kernels if name not in GROWTH]
    if unknown:
        raise UsageError(f"--compile knows {', '.join(GROWTH)}, not {', '.join(unknown)}")
    targets = [_target(name) for name in device.split(",")]
    on_gpus = [target for target in targets if not target.startswith("cpu")]
    if on_gpus and not kernels:
        if len(on_gpus) < len(targets):
            raise UsageError(f"--device {device}: give the CPU or GPUs, not both")
        _bench_peers(targets, json)
        return
    if len(targets) > 1:
        raise UsageError(f"--device {device}: kernels are measured for one target at a time")
    _bench_growth(kernels or list(GROWTH), device, json)


def _target(name: str) -> str:
    """What is compiled for, in full."""
    from tilewright import _compiler

    try:
        return _compiler.resolve_target(name)
    except ValueError as error:
        raise UsageError(f"--device {name}: {error}") from None


def _bench_growth(kernels: Sequence[str], target: str, json: Path | None) -> None:
    from tilewright.testing.compile_time import GROWTH, measure

    found, failures = [], []
    for name in kernels:
        for size in GROWTH[name][1]:
            stderr().print(f"{name} {size}", markup=False)
            try:
                found.append(measure(name, size, target))
            except RuntimeError as error:
                failures.append(str(error))
    shown = table("kernel", ">size", ">tile operations", ">LLVM instructions", ">compile time")
    for r in found:
        shown.add_row(r.kernel, str(r.size), str(r.tile), str(r.machine), seconds(r.seconds))
    if str(json) != "-":
        stdout().print(shown)
    results = [dataclasses.asdict(r) for r in found]
    write_json(json, {"target": target, "results": results, "failures": failures})
    if failures:
        raise CliError("\n".join(failures))


def _bench_peers(targets: Sequence[str], json: Path | None) -> None:
    from tilewright.testing import compile_peers
    from tilewright.testing.foreign import NoCheckout

    try:
        report = compile_peers.measure(
            targets, lambda line: stderr().print(line, markup=False, soft_wrap=True)
        )
    except (NoCheckout, RuntimeError) as error:
        raise CliError(str(error)) from None
    if str(json) != "-":
        _show_peers(report)
    write_json(json, report)


def _show_peers(report: dict[str, Any]) -> None:
    """A line for each target, stage and compiler, and what is not there."""
    machine = report["machine"]
    stdout().print(f"{machine['cpu']}, {machine['cores']} cores", markup=False)
    stdout().print(f"{report['problem']}, empty caches", markup=False)
    shown = table(
        "target", "to", "by", ">first in a process", ">later", ">first, CPU", ">later, CPU"
    )
    for r in report["results"]:
        times = ("first_wall_s", "later_wall_s", "first_cpu_s", "later_cpu_s")
        shown.add_row(r["target"], r["stage"], r["by"], *(seconds(r[name]) for name in times))
    stdout().print(shown)
    if report["other_cores"] > DISTURBED:
        stdout().print(
            f"Other processes kept {report['other_cores']:.1f} cores busy: run it again."
        )
    for said in report["missing"].values():
        stdout().print(said, markup=False)
