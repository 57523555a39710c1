"""`tilewright bench`: library kernels beside their peers and this machine's limits.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from tilewright.cli.console import CliError, UsageError, stderr, stdout, table, write_json
from tilewright.cli.units import limits_table, rate, seconds

EXAMPLES = """
tilewright bench                              [dim]every case, one thread and all[/]
tilewright bench gemm/n1024 --threads 1       [dim]one case[/]
tilewright bench mla_decode --json mla.json   [dim]with a report[/]
"""


def bench(
    kernels: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KERNEL]...", help="Kernels, or KERNEL/CASE; all by default."),
    ] = None,
    device: Annotated[
        str, typer.Option("--device", "-d", help="The device to run on.")
    ] = "cpu",
    threads: Annotated[
        str | None,
        typer.Option(help="Thread counts, as in 1,2.", show_default="1 and all cores"),
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="Write the report to this file; - is stdout.")
    ] = None,
) -> None:
    """Measure kernels, interleaved with NumPy and PyTorch doing the same work.

    Times are medians of at least seven rounds after warm-up. A kernel is checked before it
    is timed; one that fails its check has no speed. Fails if any case fails.
    """
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

    from tilewright.kernels import registry
    from tilewright.testing import bench_worker

    counts = _thread_counts(threads)
    try:
        cases = registry.bench_cases(kernels or ())
    except ValueError as error:
        raise UsageError(str(error)) from None

    progress = Progress(
        SpinnerColumn(), MofNCompleteColumn(), TextColumn("{task.description}"),
        console=stderr(), transient=True, disable=not stderr().is_terminal,
    )  # fmt: skip
    with progress:
        task = progress.add_task("", total=len(cases) * len(counts))

        def on_result(record: dict[str, Any]) -> None:
            progress.update(task, advance=1, description=f"{record['kernel']} {record['case']}")

        try:
            report, failures = bench_worker.run(kernels or (), device, counts, on_result)
        except RuntimeError as error:
            raise CliError(str(error)) from None

    if json is None or str(json) != "-":
        _show(report)
    write_json(json, report)
    if failures or not report["results"]:
        raise CliError("\n".join(failures) or "no case was measured")


def _thread_counts(text: str | None) -> list[int]:
    """The counts of `--threads`; one and all cores where it is not given."""
    if text is None:
        return sorted({1, len(os.sched_getaffinity(0))})
    parts = text.split(",")
    if not all(part.strip().isdecimal() and int(part) for part in parts):
        raise UsageError(f"--threads takes positive numbers, as in 1,2; got {text!r}")
    return [int(part) for part in parts]


def _show(report: dict[str, Any]) -> None:
    """The machine's limits, then a line for each measurement."""
    machine = report["machine"]
    stdout().print(f"{machine['cpu']}, {machine['cores']} cores", markup=False)
    stdout().print(limits_table(machine))

    shown = table(
        "kernel", "case", "dtype", ">threads", ">time", ">rate", ">of limit", "best peer",
        ">times peer", ">error / bound",
    )  # fmt: skip
    for record in report["results"]:
        speedup = record["speedup_vs_best_peer"]
        shown.add_row(
            record["kernel"],
            record["case"],
            record["dtype"],
            str(record["threads"]),
            seconds(record["median_s"]),
            rate(record),
            f"{100 * record['limit_fraction']:.0f} %",
            record["best_peer"] or "",
            f"{speedup:.2f}" if speedup else "",
            f"{record['max_error_over_bound']:.3f}",
        )
    stdout().print(shown)
