"""`tilewright build`: a library of kernels, ahead of time.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tilewright.cli.console import CliError, UsageError, stderr, stdout, table
from tilewright.cli.units import size

if TYPE_CHECKING:
    from tilewright.library import Built
    from tilewright.library.objects import Compiled, Failed, Job

EXAMPLES = """
tilewright build kernels.toml -o dist      [dim]libNAME.so, libNAME.a, NAME.h, ... in dist/[/]
tilewright build kernels.py -o dist -j 8   [dim]a Library defined in Python[/]
tilewright build kernels.toml -o dist -t cpu:x86-64-v3   [dim]for one of its targets[/]
tilewright build kernels.toml -o dist --wheel   [dim]and a wheel for pip install[/]
"""


def build(
    spec: Annotated[
        Path, typer.Argument(metavar="SPEC", help="A kernels.toml, or a .py with a Library.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder to write; it is made.")
    ],
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            "-t",
            metavar="TARGET",
            help="One of SPEC's targets, repeatable.",
            show_default="all of them",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", min=1, help="How many compile at a time.", show_default="all cores"
        ),
    ] = None,
    wheel: Annotated[
        bool, typer.Option("--wheel", help="Write a Python wheel as well.")
    ] = False,
) -> None:
    """Build a library of kernels that C and C++ programs link and ship.

    Writes libNAME.so and libNAME.a, with native code for every CPU target and compressed
    images for every GPU; NAME.h and NAME.hpp; NAMEConfig.cmake and NAME.pc; manifest.json.
    What is built needs libc alone: no Python, no compiler, no GPU toolkit. With --wheel, there
    is a package for Python's users, with functions that take anybody's arrays, and operators
    of PyTorch.

    What was compiled before comes from the cache. A build that fails does not stop the
    others; all are reported, and then nothing is written. Exit code 1 means that, 2 a wrong
    SPEC. docs/libraries.md has what SPEC may say.
    """  # fmt: skip
    from tilewright.library import BuildError, SpecError, read_spec
    from tilewright.library import build as build_library

    try:
        library = read_spec(spec)
        if target:
            library = library.only_for(target)
        with _Progress() as progress:
            built = build_library(
                library, output, jobs=jobs, wheel=wheel, on_start=progress.start,
                on_done=progress.show,
            )  # fmt: skip
    except SpecError as error:
        raise UsageError(str(error)) from None
    except BuildError as error:
        reasons = [f"{f.job}: {f.reason}" for f in error.failures]
        raise CliError("\n".join([*reasons, str(error)])) from None
    except KeyboardInterrupt:
        raise CliError("interrupted; nothing was written", 130) from None
    except OSError as error:
        raise CliError(f"cannot write into {output}: {error.strerror}") from None
    _show(built)


class _Progress:
    """How many of the builds are done: a bar where stderr is a terminal, a line for every
    tenth of them elsewhere."""

    def __init__(self) -> None:
        from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

        self._bar = Progress(
            SpinnerColumn(), MofNCompleteColumn(), TextColumn("{task.description}"),
            console=stderr(), transient=True, disable=not stderr().is_terminal,
        )  # fmt: skip
        self._done = self._total = self._failed = 0

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def start(self, jobs: Sequence[Job]) -> None:
        """Shows that so many builds begin. The processes are forked before the bar's thread
        starts."""
        self._total = len(jobs)

    def show(self, result: Compiled | Failed) -> None:
        from tilewright.library.objects import Failed

        if self._done == 0:
            self._bar.start()
            self._task = self._bar.add_task("compiling", total=self._total)
        self._done += 1
        self._failed += isinstance(result, Failed)
        failed = f", {self._failed} failed" if self._failed else ""
        self._bar.update(self._task, completed=self._done, description=f"{result.job}{failed}")
        if self._bar.disable and (self._done * 10 // self._total) > (
            (self._done - 1) * 10 // self._total
        ):
            stderr().print(f"[{self._done}/{self._total}] compiled{failed}", markup=False)


def _show(built: Built) -> None:
    """What was written, and how large."""
    shown = table("file", ">size")
    for name in built.files:
        shown.add_row(name, size((built.folder / name).stat().st_size))
    stdout().print(shown)
    stdout().print(f"{len(built.compiled)} builds, in {built.folder}", markup=False)
    for said in built.warnings:
        stderr().print(f"warning: {said}", markup=False, soft_wrap=True)
