"""Compiled kernels on disk, each compiled once on a machine.

An entry is a sidecar `KEY.json`, which holds the compiler's record of the kernel (a dict
for JSON: manifest, plan, choices, remarks, ...), and the artifact it names, a shared
object. The sidecar appears by one rename when both are on the disk, and its checksum
covers both: whatever does not fit it counts as absent and is removed. The folder is the
user's alone (0700), because what lies in it is code to run. Where it cannot be used,
kernels compile all the same, into a temporary folder, and one warning says why.

Beside the entries lie records without an artifact, `KEY.memo`: lowered kernels (memo.py).

Nothing here loads the compiler.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import contextlib
import fcntl
import functools
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import stat
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

# The layout of the folder and of the sidecar: another layout, another folder.
VERSION = 1


@dataclass(frozen=True)
class Entry:
    """A compiled kernel: `artifact` is a shared object to load, `record` what the
    compiler said of it. `created` is a time as of `time.time()`, `size` in bytes."""

    key: str
    artifact: Path
    record: dict
    created: float
    size: int

    @property
    def name(self) -> str:
        """The kernel's name, as its record has it."""
        return self.record.get("name", "")

    @property
    def target(self) -> str:
        """What it was compiled for, as its record has it."""
        return self.record.get("target", "")


# ---- keys ----------------------------------------------------------------------------------


def key_of(ir: str, options: Mapping, target: str) -> str:
    """The key of a compilation: 64 hexadecimal digits over all that its result depends on.

    `options` must be JSON and may hold nothing that leaves the result unchanged, such as
    a path to write to. `target` "cpu" means this machine's CPU, whose features then count.
    """
    parts = {
        "version": VERSION,
        "ir": hashlib.sha256(ir.encode()).hexdigest(),
        "options": options,
        "target": target,
        "host": host_cpu() if target == "cpu" else "",
        "compiler": compiler_id(),
    }
    return _digest(json.dumps(parts, sort_keys=True).encode())


@functools.cache
def host_cpu() -> str:
    """The first processor's model and features, as the kernel lists them."""
    wanted = ("vendor_id", "cpu family", "model", "flags", "Features", "CPU part")
    try:
        with open("/proc/cpuinfo") as file:
            first = file.read(1 << 14).split("\n\n")[0]
    except OSError:  # a sandbox without /proc
        return f"the machine {platform.node()}"
    fields = (line.partition(":") for line in first.splitlines())
    return "\n".join(f"{n.strip()}={v.strip()}" for n, _, v in fields if n.strip() in wanted)


@functools.cache
def compiler_id() -> str:
    """Changes when the compiler or a tool that it uses is built or installed anew."""
    spec = importlib.util.find_spec("tilewright._compiler")
    if spec is None or spec.origin is None:
        return "no compiler"
    files = [spec.origin]
    tools = Path(spec.origin).with_name("toolchain.json")
    if tools.exists():
        files += json.loads(tools.read_text())["files"]
    facts = []
    for name in files:
        path = os.path.realpath(name)
        with contextlib.suppress(FileNotFoundError):
            status = os.stat(path)
            facts.append((path, status.st_size, status.st_mtime_ns))
    return _digest(json.dumps(facts).encode())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# ---- the folder ----------------------------------------------------------------------------


class _UnusableError(Exception):
    """Why the folder cannot be used."""


def folder() -> Path:
    """Where entries lie: TILEWRIGHT_CACHE_DIR, else ~/.cache/tilewright; it need not exist."""
    chosen = os.environ.get("TILEWRIGHT_CACHE_DIR")
    root = Path(chosen) if chosen else Path.home() / ".cache" / "tilewright"
    return root / f"v{VERSION}"


def _open_folder() -> Path:
    """The folder, made where it is missing. Raises _UnusableError."""
    try:
        path = folder()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        status = path.stat()
    except (OSError, RuntimeError) as error:  # RuntimeError: there is no home
        raise _UnusableError(str(error)) from error
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o022:
        raise _UnusableError(f"{path} belongs to or can be written by other users")
    return path


_warned = False


def _warn(reason: object) -> None:
    """Says once in a process that kernels are not cached."""
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(
            f"compiled kernels are not cached on disk: {reason}. "
            "Set TILEWRIGHT_CACHE_DIR to a folder of yours.",
            RuntimeWarning,
            stacklevel=2,
        )


@functools.cache
def _passing_folder() -> tempfile.TemporaryDirectory:
    """For artifacts that could not be cached; removed when the process ends."""
    return tempfile.TemporaryDirectory(prefix="tilewright-")


# ---- entries -------------------------------------------------------------------------------


def _checksum(artifact: bytes, record: dict) -> str:
    return _digest(artifact + json.dumps(record, sort_keys=True).encode())


# What reading a damaged entry raises.
_DAMAGED = (OSError, ValueError, KeyError, TypeError, RecursionError)


def _read(sidecar: Path) -> Entry:
    """The entry of a sidecar. Raises one of _DAMAGED where it is damaged."""
    document = json.loads(sidecar.read_text())
    artifact = sidecar.with_name(os.path.basename(document["artifact"]))
    record = document["record"]
    data = artifact.read_bytes()
    if _checksum(data, record) != document["checksum"]:
        raise ValueError("wrong checksum")
    status = sidecar.stat()
    return Entry(sidecar.stem, artifact, record, status.st_mtime, len(data) + status.st_size)


def _remove(path: Path, key: str) -> None:
    """Removes the files of a key, the sidecar first."""
    for file in [path / f"{key}.json", *path.glob(f"{key}-*.so")]:
        with contextlib.suppress(OSError):
            file.unlink()


def lookup(key: str) -> Entry | None:
    """The entry of a key, its checksum verified, or None. A damaged entry is removed."""
    try:
        path = _open_folder()
    except _UnusableError:
        return None
    try:
        return _read(path / f"{key}.json")
    except FileNotFoundError:
        # No sidecar, or one whose artifact is gone.
        return None
    except _DAMAGED:
        _remove(path, key)
        return None


def _write(path: Path, data: bytes) -> None:
    """Writes a file that appears whole or not at all."""
    handle, temporary = tempfile.mkstemp(prefix="writing-", dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def store(key: str, artifact: Path, record: dict) -> Entry:
    """Puts an artifact and its record into the cache.

    Where the cache cannot be used (read-only, full, not ours) the artifact is kept in a
    temporary folder for as long as the process lives, and one warning says so.
    """
    data = artifact.read_bytes()
    document = {
        # The content in the name: a sidecar never meets another compilation's artifact.
        "artifact": f"{key}-{_digest(data)[:16]}.so",
        "checksum": _checksum(data, record),
        "record": record,
    }
    text = json.dumps(document).encode()
    try:
        path = _open_folder()
        _write(path / document["artifact"], data)
        _write(path / f"{key}.json", text)
    except (OSError, _UnusableError) as error:
        _warn(error)
        path = Path(_passing_folder().name)
        (path / document["artifact"]).write_bytes(data)
        (path / f"{key}.json").write_bytes(text)
    return _read(path / f"{key}.json")


@contextlib.contextmanager
def _locked(key: str) -> Iterator[None]:
    """One process or thread at a time; where files cannot be locked, without that."""
    handle = None
    with contextlib.suppress(OSError, _UnusableError):
        name = _open_folder() / f"{key}.lock"
        handle = _lock_file(name)
    try:
        yield
    finally:
        if handle is not None:
            with contextlib.suppress(OSError):
                name.unlink()
            os.close(handle)


def _lock_file(name: Path) -> int:
    """Opens and locks a file that exists for as long as someone holds or awaits it."""
    while True:
        handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            # Its last holder has removed it: then another file may have taken the name.
            if os.path.exists(name) and os.path.samestat(os.fstat(handle), os.stat(name)):
                return handle
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def obtain(key: str, compile: Callable[[Path], dict]) -> Entry:
    """The entry of a key. On a miss `compile(path)` writes the artifact to `path` and
    returns the record; of several processes that miss one key, one compiles.

    What `compile` raises passes through, and nothing is stored.
    """
    entry = lookup(key)
    if entry is not None:
        return entry
    with _locked(key):
        entry = lookup(key)
        if entry is not None:
            return entry
        with tempfile.TemporaryDirectory(prefix="tilewright-") as temporary:
            artifact = Path(temporary) / "kernel.so"
            return store(key, artifact, compile(artifact))


# ---- records of their own ------------------------------------------------------------------


def remember(key: str, record: dict) -> None:
    """Keeps a record (a dict for JSON) that has no artifact, where the folder can be used.

    Unlike an entry it only saves time: nothing is said where it cannot be kept.
    """
    text = json.dumps(record)
    document = {"checksum": _digest(text.encode()), "record": text}
    with contextlib.suppress(OSError, _UnusableError):
        _write(_open_folder() / f"{key}.memo", json.dumps(document).encode())


def recall(key: str) -> dict | None:
    """The record that was kept under a key, or None. A damaged one is removed."""
    try:
        file = _open_folder() / f"{key}.memo"
        document = json.loads(file.read_text())
        if _digest(document["record"].encode()) != document["checksum"]:
            raise ValueError("wrong checksum")
        return json.loads(document["record"])
    except (FileNotFoundError, _UnusableError):
        return None
    except _DAMAGED:
        with contextlib.suppress(OSError):
            file.unlink()
        return None


# ---- looking after the cache ---------------------------------------------------------------


def list_entries() -> list[Entry]:
    """Every undamaged entry, the newest first."""
    entries = []
    for sidecar in folder().glob("*.json"):
        with contextlib.suppress(*_DAMAGED):
            entries.append(_read(sidecar))
    return sorted(entries, key=lambda entry: entry.created, reverse=True)


def clear() -> int:
    """Removes the cache's content; how many entries there were. Raises OSError."""
    path = folder().resolve()  # it may be a link, which rmtree refuses
    count = len(list(path.glob("*.json")))
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(path)
    return count
