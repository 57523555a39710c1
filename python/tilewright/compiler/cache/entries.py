"""What the cache keeps: compiled kernels, and records that only save time.

A kernel is two files: `KEY-DIGEST.so`, its code, and `KEY.json`, which names it, has its
digest, and holds the compiler's record of the kernel (a dict for JSON: plan, choices, remarks,
...). `KEY.json` appears when both are there, and its checksum covers its own name, so that no
file passes for another. Beside them lie records without code, `KEY.memo`: lowered kernels
(memo.py).

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .bound import grown, limit
from .files import (
    DamagedError,
    UnusableError,
    discard,
    locked,
    make_temporary_folder,
    open_folder,
    passing_folder,
    read_file,
    touch,
    warn,
    write_file,
)
from .keys import digest


@dataclass(frozen=True)
class Entry:
    """A compiled kernel: `artifact` is a shared object to load, `record` what the
    compiler said of it."""

    key: str
    artifact: Path
    record: dict


# ---- files with a checksum -----------------------------------------------------------------


def _sealed(name: str, content: dict) -> bytes:
    """The bytes of a file of this name that holds a dict for JSON."""
    text = json.dumps(content)
    return json.dumps({"checksum": _checksum(name, text), "content": text}).encode()


def _unsealed(path: Path) -> dict:
    """What a sealed file holds. Raises as read_file does."""
    data = read_file(path)
    try:
        document = json.loads(data)
        text = document["content"]
        if document["checksum"] != _checksum(path.name, text):
            raise DamagedError("it does not fit its checksum")
        return json.loads(text)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise DamagedError("it is cut short or overwritten") from None


def _checksum(name: str, text: str) -> str:
    return digest(f"{name}\n{text}".encode("utf-8", "surrogatepass"))


# ---- compiled kernels ----------------------------------------------------------------------


def read_entry(sidecar: Path) -> Entry:
    """The entry of a `KEY.json`. Raises as read_file does, DamagedError also where the code is
    missing or is not what was stored."""
    content = _unsealed(sidecar)
    try:
        artifact = sidecar.with_name(content["artifact"])
        expected, record = content["digest"], content["record"]
    except (KeyError, TypeError, ValueError):
        raise DamagedError("it says nothing of a kernel") from None
    try:
        code = read_file(artifact)
    except FileNotFoundError:
        raise DamagedError("its code is missing") from None
    except DamagedError as error:
        raise DamagedError(f"its code: {error}") from None
    if digest(code) != expected:
        raise DamagedError("its code does not fit its checksum")
    return Entry(sidecar.stem, artifact, record)


def _remove(sidecar: Path) -> None:
    """Removes the files of a compiled kernel, the sidecar first."""
    for file in (sidecar, *sidecar.parent.glob(f"{sidecar.stem}-*.so")):
        discard(file)


def lookup(key: str) -> Entry | None:
    """The entry of a key, its checksums verified, or None. A damaged entry is removed."""
    if limit() == 0:
        return None
    try:
        sidecar = open_folder() / f"{key}.json"
        entry = read_entry(sidecar)
        touch(sidecar)
        return entry
    except DamagedError:
        _remove(sidecar)
    except (OSError, UnusableError):
        pass
    return None


def store(key: str, artifact: Path, record: dict) -> Entry:
    """Puts an artifact and its record into the cache; the artifact is moved or copied.

    Where the cache cannot be used (read-only, full, not ours) the artifact is kept in a
    temporary folder for as long as the process lives, and one warning says so.
    """
    code = artifact.read_bytes()
    checksum = digest(code)
    # The content in the name: a sidecar never meets another compilation's artifact.
    name = f"{key}-{checksum[:16]}.so"
    sidecar = f"{key}.json"
    text = _sealed(sidecar, {"artifact": name, "digest": checksum, "record": record})
    try:
        path = open_folder()
        write_file(path / name, code)
        write_file(path / sidecar, text)
    except (OSError, UnusableError) as error:
        warn(error)
        path = passing_folder()
        os.replace(artifact, path / name)
    else:
        grown(path, len(code) + len(text), key)
    return Entry(key, path / name, json.loads(json.dumps(record)))


def obtain(key: str, compile: Callable[[Path], dict]) -> Entry:
    """The entry of a key. On a miss `compile(path)` writes the artifact to `path` and
    returns the record; of several processes that miss one key, one compiles.

    What `compile` raises passes through, and nothing is stored.
    """
    if limit() == 0:
        return apart(key, compile)
    entry = lookup(key)
    if entry is not None:
        return entry
    with locked(key):
        entry = lookup(key)
        if entry is not None:
            return entry
        temporary = make_temporary_folder()
        try:
            artifact = Path(temporary) / "kernel.so"
            return store(key, artifact, compile(artifact))
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def apart(key: str, compile: Callable[[Path], dict]) -> Entry:
    """As obtain, without the cache: compiled anew, kept while the process lives."""
    handle, name = tempfile.mkstemp(prefix=f"{key}-", suffix=".so", dir=passing_folder())
    os.close(handle)
    os.unlink(name)  # whether the compiler has written a file can be seen
    return Entry(key, Path(name), compile(Path(name)))


# ---- records of their own ------------------------------------------------------------------


def read_memo(path: Path) -> dict:
    """The record of a `KEY.memo`. Raises as read_file does."""
    return _unsealed(path)


def remember(key: str, record: dict) -> None:
    """Keeps a record (a dict for JSON) that has no artifact, where the folder can be used.

    Unlike an entry it only saves time: nothing is said where it cannot be kept.
    """
    if limit() == 0:
        return
    name = f"{key}.memo"
    data = _sealed(name, record)
    with contextlib.suppress(OSError, UnusableError):
        path = open_folder()
        write_file(path / name, data)
        grown(path, len(data), key)


def recall(key: str) -> dict | None:
    """The record that was kept under a key, or None. A damaged one is removed."""
    if limit() == 0:
        return None
    try:
        file = open_folder() / f"{key}.memo"
        record = read_memo(file)
        touch(file)
        return record
    except DamagedError:
        discard(file)
    except (OSError, UnusableError):
        pass
    return None
