"""`tilewright cache`: compiled kernels on disk.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from tilewright.cli.console import CliError, stdout, table, write_json
from tilewright.cli.units import size

app = typer.Typer(
    help="Compiled kernels on disk: in TILEWRIGHT_CACHE_DIR, or else ~/.cache/tilewright. "
    "They take TILEWRIGHT_CACHE_SIZE bytes (or 512M, 2G, ...) at most, 1G by default; what was "
    "used longest ago is removed first.",
    no_args_is_help=True,
)

Json = Annotated[Path | None, typer.Option(help="Write the report to this file; - is stdout.")]


@contextlib.contextmanager
def _folder_errors() -> Iterator[None]:
    """A folder that cannot be used, as an error of the command."""
    from tilewright.compiler.cache import UnusableError

    try:
        yield
    except (UnusableError, RuntimeError) as error:
        raise CliError(f"the cache cannot be used: {error}") from None


@app.command("list")
def list_entries(json: Json = None) -> None:
    """List the kernels in the cache, the one used last first."""
    from tilewright.compiler import cache

    with _folder_errors():
        entries, folder = cache.list_entries(), cache.folder()
    if str(json) != "-":
        if entries:
            shown = table("kernel", "target", ">size", "last used", "key")
            for entry in entries:
                when = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used))
                shown.add_row(entry.name, entry.target, size(entry.size), when, entry.key[:16])
            stdout().print(shown)
        total = sum(entry.size for entry in entries)
        print(f"{len(entries)} kernels, {size(total)}, in {folder}")
    write_json(
        json,
        {"folder": str(folder), "kernels": [dataclasses.asdict(entry) for entry in entries]},
    )


@app.command("size")
def show_size(json: Json = None) -> None:
    """Show how much the cache takes, and how much it may take."""
    from tilewright.compiler import cache

    with _folder_errors():
        usage, folder = cache.usage(), cache.folder()
    if str(json) != "-":
        print(
            f"{usage.kernels} kernels and {usage.memos} records of reading kernels take "
            f"{size(usage.bytes)} of {size(usage.limit)}, in {folder}"
        )
    write_json(json, {"folder": str(folder), **dataclasses.asdict(usage)})


@app.command("verify")
def verify(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave damaged files where they are.")
    ] = False,
    json: Json = None,
) -> None:
    """Check every file against its checksum; damaged ones are removed.

    Fails where any is damaged. Damaged files are never loaded, whether verified or not.
    """
    from tilewright.compiler import cache

    with _folder_errors():
        good, bad = cache.verify(keep)
        folder = cache.folder()
    if str(json) != "-":
        print(f"{good} files are good, in {folder}")
    damaged = [{"file": entry.path.name, "reason": entry.reason} for entry in bad]
    write_json(json, {"folder": str(folder), "good": good, "damaged": damaged})
    if bad:
        lines = [f"{entry.path.name}: {entry.reason}" for entry in bad]
        what = "damaged" if keep else "damaged and removed"
        raise CliError("\n".join([f"{len(bad)} {what}:", *lines]))


@app.command("clear")
def clear() -> None:
    """Remove every kernel from the cache; each is compiled again when it is next used."""
    from tilewright.compiler import cache

    try:
        with _folder_errors():
            print(f"removed {cache.clear()} kernels from {cache.folder()}")
    except OSError as error:
        raise CliError(f"cannot clear {error.filename}: {error.strerror}") from None
