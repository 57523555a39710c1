"""Looking after the cache: what is in it, what is damaged, removing it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .bound import GROWTH, limit, remove_abandoned, scan
from .entries import read_entry, read_memo
from .files import DamagedError, discard, folder, open_folder


@dataclass(frozen=True)
class Listed:
    """A kernel in the cache, as its record has it; `used` is a time as of `time.time()`, to
    the hour, `size` in bytes."""

    key: str
    name: str
    target: str
    used: float
    size: int


@dataclass(frozen=True)
class Usage:
    """How many kernels and memos there are, the bytes of all files, and the limit."""

    kernels: int
    memos: int
    bytes: int
    limit: int


def usage() -> Usage:
    """What the cache takes. Raises OSError where it cannot be read."""
    try:
        found, rest = scan(folder())
    except FileNotFoundError:
        return Usage(0, 0, 0, limit())
    kernels = sum(name.endswith(".json") and f.first is not None for name, f in found.items())
    memos = sum(name.endswith(".memo") for name in found)
    size = sum(files.size for files in found.values())
    for entry in rest:
        with contextlib.suppress(FileNotFoundError):
            size += entry.stat(follow_symlinks=False).st_size
    return Usage(kernels, memos, size, limit())


def list_entries() -> list[Listed]:
    """Every undamaged kernel, the one used last first."""
    try:
        found, _ = scan(folder())
    except FileNotFoundError:
        return []
    listed = []
    for name, files in found.items():
        if files.first is None or not name.endswith(".json"):
            continue
        with contextlib.suppress(OSError, DamagedError):
            entry = read_entry(files.first)
            about = entry.record.get("name", ""), entry.record.get("target", "")
            listed.append(Listed(entry.key, *about, files.used, files.size))
    return sorted(listed, key=lambda entry: entry.used, reverse=True)


@dataclass(frozen=True)
class Bad:
    """A damaged file, and what is wrong with it."""

    path: Path
    reason: str


def verify(keep: bool = False) -> tuple[int, list[Bad]]:
    """Checks every file against its checksum: how many are good, and those that are not,
    which are removed unless `keep`. Raises UnusableError, or OSError where a file cannot be
    read."""
    if not folder().exists():
        return 0, []
    path = open_folder()
    good, bad = 0, []
    for name, files in sorted(scan(path)[0].items()):
        if files.first is None:
            continue
        read = read_memo if name.endswith(".memo") else read_entry
        try:
            _twice(read, files.first)
            good += 1
        except FileNotFoundError:
            continue  # another process has removed it
        except DamagedError as error:
            bad.append(Bad(files.first, str(error)))
            if not keep:
                files.remove()
    return good, bad


def _twice(read: Callable[[Path], object], path: Path) -> None:
    """Another process may remove a kernel's code while its sidecar is read."""
    try:
        read(path)
    except DamagedError:
        read(path)


def clear() -> int:
    """Removes the cache's content; how many kernels there were. Raises OSError.

    What other processes are writing and the locks they hold stay.
    """
    path = folder()
    try:
        found, rest = scan(path)
    except FileNotFoundError:
        return 0
    for files in found.values():
        for file in files.paths:
            discard(file)
            if os.path.lexists(file):
                os.unlink(file)  # says why it stays
    for entry in rest:
        if entry.name == GROWTH:
            os.unlink(entry)
        else:
            remove_abandoned(entry, time.time())
    return sum(name.endswith(".json") and f.first is not None for name, f in found.items())
