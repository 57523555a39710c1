"""`tilewright verify`: library kernels and examples against their naive references.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from tilewright.cli.console import (
    CliError,
    UsageError,
    check_json,
    stderr,
    stdout,
    table,
    write_json,
)
from tilewright.cli.devices import check_devices

EXAMPLES = """
tilewright verify                           [dim]everything, on the CPU[/]
tilewright verify mla_decode softmax        [dim]two kernels[/]
tilewright verify gemm/odd --json out.json  [dim]the cases of one name[/]
tilewright verify -d cpu -d cpu:x86-64-v3   [dim]two devices[/]
tilewright verify --smoke -d hip-emulator:gfx950    [dim]one case of each kernel and dtype[/]
tilewright verify --debug moe_permute       [dim]in checking mode: wrong accesses are faults[/]
"""


def verify(
    kernels: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KERNEL]...", help="Kernels, or KERNEL/CASE; all by default."),
    ] = None,
    device: Annotated[
        list[str] | None,
        typer.Option("--device", "-d", help="A device to run on; may be given repeatedly."),
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="Write the report to this file; - is stdout.")
    ] = None,
    smoke: Annotated[
        bool,
        typer.Option("--smoke", help="Run one case of each kernel and dtype, not all."),
    ] = False,
    debug: Annotated[
        bool,
        typer.Option("--debug", help="Compile kernels for checking mode (docs/checking.md)."),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show failures only.")] = False,
) -> None:
    """Check kernels against naive float64 references, element by element.

    Every output is poisoned before a run and memory around every tensor is guarded;
    gemm-like kernels also run on integers, where the result must be exact. Fails if any
    case fails.
    """
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

    from tilewright.kernels import registry
    from tilewright.testing import verify as engine

    try:
        cases = registry.verify_cases(kernels or ())
    except ValueError as error:
        raise UsageError(str(error)) from None
    if smoke:
        cases = registry.one_of_each(cases)

    devices = device or ["cpu"]
    check_devices(devices)
    check_json(json)
    to_stdout = json is not None and str(json) == "-"
    progress = Progress(
        SpinnerColumn(), MofNCompleteColumn(), TextColumn("{task.description}"),
        console=stderr(), transient=True, disable=not stderr().is_terminal,
    )  # fmt: skip
    shown = table("kernel", "case", "device", "", ">error / bound", ">seconds", "")
    results = []
    with _checking(debug), progress:
        task = progress.add_task("", total=len(cases) * len(devices))

        def on_result(result) -> None:
            progress.update(task, advance=1, description=f"{result.kernel} {result.case}")

        results = engine.verify(cases, devices, on_result)
    for result in results:
        if not (quiet and result.status == engine.PASS):
            shown.add_row(*_row(result, engine))
    console = stderr() if to_stdout else stdout()
    if shown.rows:
        console.print(shown)
    counts = {s: sum(r.status == s for r in results) for s in _STYLES}
    console.print(", ".join(f"{n} {s}" for s, n in counts.items()))
    write_json(json, engine.report(results))
    if not results or counts["fail"]:
        raise CliError(f"{counts['fail']} of {len(results)} cases fail")


@contextlib.contextmanager
def _checking(asked: bool) -> Iterator[None]:
    """Lets kernels that are compiled inside be for checking mode, where it is asked for."""
    name = "TILEWRIGHT_DEBUG"
    before = os.environ.get(name)
    if asked:
        os.environ[name] = "1"
    try:
        yield
    finally:
        if asked:
            del os.environ[name]
            os.environ.update({} if before is None else {name: before})


_STYLES = {"pass": "green", "fail": "bold red", "unsupported": "yellow"}


def _row(result, engine) -> list[str]:
    """One line of the table; a pass shows its bound, anything else its reason."""
    from rich.markup import escape

    style = _STYLES[result.status]
    ratio = f"{result.max_error_over_bound:.3f}" if result.status != "unsupported" else ""
    about = result.bound if result.status == engine.PASS else result.reason
    return [
        result.kernel, escape(result.case), result.device, f"[{style}]{result.status}[/]",
        ratio, f"{result.seconds:.3f}", escape(about or ""),
    ]  # fmt: skip
