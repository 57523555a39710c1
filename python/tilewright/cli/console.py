"""What the commands share: the two consoles, and errors that end a command.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import json
import math
import os
from pathlib import Path
from typing import Any


class CliError(Exception):
    """Ends a command with a message on stderr and an exit code."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class UsageError(CliError):
    """A wrong command line: exit code 2."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=2)


@functools.cache
def stdout():
    """The console for results. Where it is no terminal, tables keep their full width."""
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=160)


@functools.cache
def stderr():
    """The console for errors and progress."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def print_error(message: str) -> None:
    """`error: ...` on stderr, the message as it is (no markup, no emoji, no wrapping)."""
    stderr().print("[bold red]error:[/] ", end="")
    stderr().print(message, markup=False, emoji=False, soft_wrap=True)


def table(*columns: str, title: str | None = None):
    """A table in the style of all commands; a column named `>x` is right-aligned."""
    from rich import box
    from rich.table import Table

    made = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column in columns:
        justify = "right" if column.startswith(">") else "left"
        made.add_column(column.lstrip(">"), justify=justify)
    return made


def check_file(path: Path, shown: Path | None = None) -> None:
    """Refuse at once a file that could not be written at the end.

    Messages name `shown` where the file itself is only on the way to that one.
    """
    existed = path.exists()
    if existed and not (path.is_file() or path.is_dir()):
        return  # a pipe or a device, where opening it may already mean something
    try:
        with open(path, "ab"):
            pass
        if not existed:
            path.unlink()
    except OSError as error:
        raise CliError(f"cannot write {shown or path}: {error.strerror}") from None


def check_json(path: Path | None) -> None:
    """As `check_file`, for what `write_json` takes."""
    if path is not None and str(path) != "-":
        check_file(_scratch(path), path)


def _scratch(path: Path) -> Path:
    """The file that becomes `path` when it is whole."""
    if not path.name or path.is_dir():
        raise CliError(f"cannot write {path}: it is a folder; give a file")
    return path.with_name(path.name + ".part")


def write_json(path: Path | None, value: Any) -> None:
    """Write a report whole or not at all; nothing for None, stdout for `-`."""
    if path is None:
        return
    text = json.dumps(_finite(value), indent=1, allow_nan=False) + "\n"
    if str(path) == "-":
        print(text, end="")
        return
    scratch = _scratch(path)
    try:
        scratch.write_text(text)
        os.replace(scratch, path)
    except OSError as error:
        raise CliError(f"cannot write {path}: {error.strerror}") from None


def _finite(value: Any) -> Any:
    """The value with null for infinities and NaN, which JSON has no words for."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
