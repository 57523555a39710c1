"""The command line, `tilewright`.

Every command lives in a module of its own and imports what it needs when it runs, so that
`--help` and shell completion stay fast.

Exit codes: 0 when all went well, 1 when a kernel does not compile or a check fails, 2 for a
wrong command line.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable

import typer

from tilewright.cli import bench, build, cache, compile, doctor, emulate, verify
from tilewright.cli.console import CliError, print_error

EXTENSIONS = ("tilewright._compiler", "tilewright._runtime", "tilewright.emulator")

app = typer.Typer(
    name="tilewright",
    help="Compile, check and measure tile kernels.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _add(command: Callable[..., None], name: str, examples: str) -> None:
    """Register a command: its docstring is the help, one line a paragraph; then examples."""
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    text = "\n\n".join(" ".join(p.split()) for p in paragraphs)
    lines = "\n\n".join(["[bold]Examples[/]", *examples.strip().splitlines()])
    app.command(name, help=text, epilog=lines)(command)


_add(compile.compile_kernel, "compile", compile.EXAMPLES)
_add(build.build, "build", build.EXAMPLES)
_add(doctor.doctor, "doctor", doctor.EXAMPLES)
_add(verify.verify, "verify", verify.EXAMPLES)
_add(bench.bench, "bench", bench.EXAMPLES)
_add(emulate.emulate, "emulate", emulate.EXAMPLES)
app.add_typer(cache.app, name="cache")


def main(arguments: list[str] | None = None) -> int:
    """Run one command line (without the program's name); return the exit code."""
    try:
        try:
            app(args=arguments, prog_name="tilewright")
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()  # a full disk shows here, not when Python ends
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print_error(f"{place}{error.strerror or error}")
        return 1
    except ImportError as error:
        if error.name not in EXTENSIONS:
            raise
        print_error(f"{error.name} does not load: {error}\nBuild it with `make build`.")
        return 1
    except CliError as error:
        print_error(str(error))
        return error.exit_code
    return 0
