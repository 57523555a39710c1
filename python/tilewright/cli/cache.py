"""`tilewright cache`: compiled kernels on disk.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import time

import typer

from tilewright.cli.console import CliError, stdout, table
from tilewright.cli.units import size

EXAMPLES = """
tilewright cache list
TILEWRIGHT_CACHE_DIR=/tmp/mine tilewright cache clear
"""

app = typer.Typer(
    help="Compiled kernels on disk: in TILEWRIGHT_CACHE_DIR, or else ~/.cache/tilewright.",
    no_args_is_help=True,
)


@app.command("list")
def list_entries() -> None:
    """List the kernels in the cache, the newest first."""
    from tilewright.compiler import cache

    entries = cache.list_entries()
    if entries:
        shown = table("kernel", "target", ">size", "compiled", "key")
        for entry in entries:
            when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.created))
            shown.add_row(entry.name, entry.target, size(entry.size), when, entry.key[:16])
        stdout().print(shown)
    total = sum(entry.size for entry in entries)
    print(f"{len(entries)} kernels, {size(total)}, in {cache.folder()}")


@app.command("clear")
def clear() -> None:
    """Remove every kernel from the cache; each is compiled again when it is next used."""
    from tilewright.compiler import cache

    try:
        print(f"removed {cache.clear()} kernels from {cache.folder()}")
    except OSError as error:
        raise CliError(f"cannot clear {error.filename}: {error.strerror}") from None
