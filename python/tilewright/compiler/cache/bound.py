"""How much the cache may take, and what is removed to make room.

What was used longest ago goes first. A file's time of change says when it was last used, to the
hour: access times are switched off on many file systems, and writing one for each use would
cost more than the use. No scan of the folder is on the way of a compilation but one in many:
the length of the file `growth` counts what was stored since the last, in pages. It grows by
appending, which needs no lock.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import contextlib
import os
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from .files import HOUR, WRITING, discard, has_name, try_lock, warn_once

DEFAULT_LIMIT = 1 << 30
PAGE = 4096
GROWTH = "growth"
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def limit() -> int:
    """How many bytes the cache may take: TILEWRIGHT_CACHE_SIZE, else 1 GiB; 0 is no cache.

    What is no size is reported once, and the default taken.
    """
    text = os.environ.get("TILEWRIGHT_CACHE_SIZE", "")
    if not text.strip():
        return DEFAULT_LIMIT
    parsed = re.fullmatch(r"\s*(\d{1,15})\s*([KMGT]?)(?:i?B)?\s*", text, re.I | re.A)
    if parsed is None:
        warn_once(
            "size",
            f"TILEWRIGHT_CACHE_SIZE={text!r} is no size; 1 GiB is taken. A size is a number of "
            "bytes, or one with K, M, G or T, as in 512M; 0 switches the cache off.",
        )
        return DEFAULT_LIMIT
    return int(parsed[1]) * UNITS[parsed[2].upper()]


def grown(path: Path, size: int, key: str) -> None:
    """Called when `size` bytes were stored under `key`: now and then, makes room.

    The cache is then brought to seven eighths of its limit, so that the eighth is what may be
    stored before it is scanned again. Of `key` nothing is removed.
    """
    slack = limit() // 8
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        flags |= os.O_NOFOLLOW | os.O_NONBLOCK
        handle = os.open(path / GROWTH, flags, 0o600)
    except OSError:
        discard(path / GROWTH)  # a folder or a link in its place
        return
    try:
        os.write(handle, b"." * -(-size // PAGE))
        if os.fstat(handle).st_size * PAGE >= slack and _alone(handle):
            os.ftruncate(handle, 0)
            _trim(path, limit() - slack, key)
    except OSError:
        pass
    finally:
        os.close(handle)


def _alone(handle: int) -> bool:
    """Whether no other process makes room now; where nothing can be locked, two may."""
    try:
        return try_lock(handle)
    except OSError:
        return True


@dataclass
class Files:
    """The files of one kernel, or one memo."""

    first: Path | None = None  # what is removed first: without it the others are not found
    others: list[Path] = field(default_factory=list)
    size: int = 0
    used: float = 0.0

    @property
    def paths(self) -> list[Path]:
        """All of them, in the order in which they are removed."""
        return ([self.first] if self.first else []) + self.others

    def remove(self) -> None:
        """Removes them, where that can be done."""
        for path in self.paths:
            discard(path)


def scan(path: Path) -> tuple[dict[str, Files], list[os.DirEntry]]:
    """Kernels and memos by name, and what is neither: locks, files that are being written."""
    found: dict[str, Files] = {}
    rest = []
    for entry in os.scandir(path):
        stem, suffix = os.path.splitext(entry.name)
        if suffix not in (".json", ".memo", ".so"):
            rest.append(entry)
            continue
        name = stem.partition("-")[0] + ".json" if suffix == ".so" else entry.name
        with contextlib.suppress(FileNotFoundError):
            status = entry.stat(follow_symlinks=False)
            files = found.setdefault(name, Files())
            files.size += status.st_size
            if suffix == ".so":
                files.others.append(Path(entry.path))
                # Without a sidecar it counts by its own time.
                files.used = files.used if files.first else max(files.used, status.st_mtime)
            else:
                files.first, files.used = Path(entry.path), status.st_mtime
    return found, rest


def _trim(path: Path, target: int, key: str) -> None:
    """Removes what was used longest ago until `target` bytes are left, and what processes
    that died have left behind."""
    now = time.time()
    found, rest = scan(path)
    for entry in rest:
        remove_abandoned(entry, now)
    for name, files in list(found.items()):
        if files.first is None and now - files.used > HOUR:
            found.pop(name).remove()
        elif files.used > now:  # the clock was wrong, then or now
            files.used = now
            with contextlib.suppress(OSError):
                os.utime(files.paths[0], follow_symlinks=False)
    total = sum(files.size for files in found.values())
    for name, files in sorted(found.items(), key=lambda item: item[1].used):
        if total <= target:
            break
        if name.partition(".")[0] != key and files.first is not None:
            files.remove()
            total -= files.size


def remove_abandoned(entry: os.DirEntry, now: float) -> None:
    """Removes a lock that nobody holds, and a file that nobody finished writing."""
    with contextlib.suppress(OSError):
        if entry.name.startswith(WRITING):
            if now - entry.stat(follow_symlinks=False).st_mtime > HOUR:
                os.unlink(entry)
        elif entry.name.endswith(".lock"):
            handle = os.open(entry, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                if try_lock(handle) and has_name(handle, entry.path):
                    os.unlink(entry)
            finally:
                os.close(handle)
