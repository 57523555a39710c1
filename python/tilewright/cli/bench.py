"""`tilewright bench`: library kernels beside their peers and this machine's limits.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from tilewright.cli import bench_aot, bench_compile, bench_emulator, bench_launch
from tilewright.cli.console import (
    CliError,
    UsageError,
    check_file,
    check_json,
    stderr,
    stdout,
    table,
    write_json,
)
from tilewright.cli.units import limits_table, rate, seconds

EXAMPLES = """
tilewright bench                              [dim]every case, one thread and all[/]
tilewright bench gemm/n1024 --threads 1       [dim]one case[/]
tilewright bench mla_decode --json mla.json   [dim]with a report[/]
tilewright bench --page bench.md              [dim]with a page and a picture, bench.svg[/]
tilewright bench --launch                     [dim]what it takes to launch a kernel[/]
tilewright bench --emulator                   [dim]the emulators, on other compilers' programs[/]
tilewright bench --compile                    [dim]code size and compile time as kernels grow[/]
tilewright bench --compile -d cuda:sm_80,hip:gfx942   [dim]compile time for GPUs beside Triton[/]
tilewright bench --aot                        [dim]what libraries built ahead of time cost[/]
"""  # noqa: E501


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
    page: Annotated[
        Path | None,
        typer.Option(help="Write a Markdown page to this file, and a picture beside it."),
    ] = None,
    launch: Annotated[
        bool, typer.Option("--launch", help="Measure launches of empty kernels instead.")
    ] = False,
    emulator: Annotated[
        bool,
        typer.Option(
            "--emulator",
            help="Measure the emulators instead: KERNEL is PROGRAM or PROGRAM/ARCH of their "
            "tests. Needs a checkout.",
        ),
    ] = False,
    compile: Annotated[
        bool,
        typer.Option(
            "--compile",
            help="Measure the compiler as tiles and kernels grow; for GPUs (one, or more "
            "between commas) beside Triton on a product, unless KERNEL is given. Nothing runs.",
        ),
    ] = False,
    aot: Annotated[
        bool,
        typer.Option(
            "--aot", help="Measure libraries that are built ahead of time instead. Needs g++."
        ),
    ] = False,
) -> None:
    """Measure kernels, interleaved with NumPy and PyTorch doing the same work.

    Times are medians of at least seven rounds after warm-up. A kernel is checked before it
    is timed; one that fails its check has no speed. Fails if any case fails, or is faster
    than this machine was measured, twice, to be. Then --page is not written.

    With --launch, empty kernels are launched with NumPy arrays and PyTorch tensors; beside
    them is what others have published.

    The report is written anew after each measurement. Ctrl-C shows what there is.

    With --emulator, matrix products and attention that Triton and TileLang compiled run on
    the emulators, with the checks that are on by default: instructions a second but for MMA,
    over the whole time and over that outside MMA; multiply-adds a second, over the whole time
    and over that in MMA; speed-up by threads, start-up, and the time to load a long program.

    With --aot, a library is built and called from C++: launches, loading, kernels beside the
    JIT's; and building 100 kernels for 5 targets, which takes a minute or two.
    """
    check_json(json)
    if page and (launch or emulator or compile or aot):
        raise UsageError(
            "--page is of kernels: it goes with no --launch, --emulator, --compile, --aot"
        )
    if aot:
        if kernels or emulator or compile or launch or device != "cpu" or threads:
            raise UsageError("--aot takes no kernels and no other options but --json")
        bench_aot.bench_aot(json)
        return
    if launch:
        if kernels or emulator or compile or device != "cpu" or threads:
            raise UsageError("--launch takes no kernels and no other options but --json")
        bench_launch.bench_launch(json)
        return
    if compile:
        bench_compile.bench_compile(kernels or (), device, json)
        return
    if emulator:
        if device != "cpu":
            raise UsageError("--emulator runs on this machine: leave --device out")
        bench_emulator.bench_emulator(kernels or (), _thread_counts(threads), json)
        return
    from tilewright.kernels import registry
    from tilewright.testing import bench_worker

    counts = _thread_counts(threads)
    if page:
        _check_page(page)
    try:
        cases = registry.bench_cases(kernels or ())
    except ValueError as error:
        raise UsageError(str(error)) from None

    report = bench_worker.new_report()
    to_stdout = str(json) == "-"
    ended: CliError | None = None
    try:
        with _Progress(len(cases)) as progress:

            def on_record(record: dict[str, Any]) -> None:
                progress.show(record)
                if not to_stdout:
                    write_json(json, report)

            bench_worker.run(kernels or (), device, counts, report, on_record)
    except bench_worker.WorkerDied as error:
        ended = CliError(str(error))
    except KeyboardInterrupt:
        ended = CliError(f"interrupted: {len(report['results'])} measurements done", 130)

    if not to_stdout:
        _show(report)
    write_json(json, report)
    if ended:
        raise ended
    if report["failures"] or not report["results"]:
        raise CliError("\n".join(report["failures"]) or "no case was measured")
    if page:
        from tilewright.cli import bench_page

        bench_page.write(page, {f"`{json}`" if json else "not kept": report})


def _check_page(page: Path) -> None:
    """Refuses at once a page that could not be written at the end."""
    from tilewright.testing import roofline

    check_file(page)
    try:
        roofline.check(page.with_suffix(".svg"))
    except roofline.CannotDraw as error:
        raise CliError(str(error)) from None


class _Progress:
    """Which case runs: a bar where stderr is a terminal, a line for each case elsewhere."""

    def __init__(self, cases: int) -> None:
        from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

        self._cases = cases
        self._begun = 0
        self._bar = Progress(
            SpinnerColumn(), MofNCompleteColumn(), TextColumn("{task.description}"),
            console=stderr(), transient=True, disable=not stderr().is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task("this machine", total=cases)

    def __enter__(self) -> _Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, record: dict[str, Any]) -> None:
        """Follows the records of the worker, of which those with only a case begin it."""
        if "case" not in record or "kernel" in record:
            return
        self._bar.update(self._task, completed=self._begun, description=record["case"])
        self._begun += 1
        if self._bar.disable:
            line = f"[{self._begun}/{self._cases}] {record['case']}"
            stderr().print(line, markup=False, soft_wrap=True)


def _thread_counts(text: str | None) -> list[int]:
    """The counts of `--threads`; one and all cores where it is not given."""
    if text is None:
        return sorted({1, len(os.sched_getaffinity(0))})
    parts = text.split(",")
    if not all(part.strip().isdecimal() and int(part) for part in parts):
        raise UsageError(f"--threads takes positive numbers, as in 1,2; got {text!r}")
    return [int(part) for part in parts]


def _show(report: dict[str, Any]) -> None:
    """The machine's limits, then a line for each measurement; nothing of what is not there."""
    machine = report["machine"]
    if not machine:
        return
    stdout().print(f"{machine['cpu']}, {machine['cores']} cores", markup=False)
    stdout().print(limits_table(machine))

    shown = table(
        "kernel", "case", "dtype", ">threads", ">time", ">rate", ">of limit", "best peer",
        ">times peer", ">error / bound",
    )  # fmt: skip
    cases = [(r["kernel"], r["case"], r["dtype"]) for r in report["results"]]
    order = {case: number for number, case in enumerate(dict.fromkeys(cases))}
    for record in sorted(
        report["results"],
        key=lambda r: (order[r["kernel"], r["case"], r["dtype"]], r["threads"]),
    ):
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
    others = max((record["other_cores"] for record in report["results"]), default=0.0)
    if others > bench_emulator.DISTURBED:
        stdout().print(f"Other processes kept up to {others:.1f} cores busy: run it again.")
