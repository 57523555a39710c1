"""The cache's folder: how its files are read, written and locked.

Files appear whole, by a rename. What is read is a regular file of this user's that nobody else
can write; anything else in its place (a link, a pipe, a folder) counts as damaged. Nothing is
synced to the disk: a file that a crash of the machine cut short does not fit its checksum.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import atexit
import contextlib
import fcntl
import functools
import os
import pwd
import shutil
import stat
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from ..errors import CompileError
from .keys import VERSION

# Seconds that one process waits for another that compiles the same kernel. It then compiles
# it itself: the other may have been stopped, and on a network the lock may have been lost.
PATIENCE = 120.0
# Seconds to which uses are recorded, and after which what nobody finished is taken for left
# behind by a process that died.
HOUR = 3600.0
# The prefix of files that are being written.
WRITING = "writing-"
# No file that the cache writes is longer: what is longer is damage.
LONGEST = 1 << 30


class UnusableError(Exception):
    """Why the folder cannot be used."""


class DamagedError(Exception):
    """What is wrong with a file of the cache."""


# ---- the folder ----------------------------------------------------------------------------


def folder() -> Path:
    """Where entries lie: TILEWRIGHT_CACHE_DIR, else ~/.cache/tilewright; it need not exist.

    Raises RuntimeError where neither is known: no HOME, and no such user.
    """
    chosen = os.environ.get("TILEWRIGHT_CACHE_DIR")
    if chosen:
        return Path(chosen).absolute() / f"v{VERSION}"
    home = os.environ.get("HOME") or _home_of_user()
    if not os.path.isabs(home):
        raise RuntimeError(f"HOME is {home!r}, which is no folder's full name")
    return Path(home) / ".cache" / "tilewright" / f"v{VERSION}"


def _home_of_user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        raise RuntimeError("there is no home folder: HOME is not set") from None


def open_folder() -> Path:
    """The folder, made where it is missing. Raises UnusableError."""
    try:
        path = folder()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        status, above = path.stat(), path.parent.stat()
    except (OSError, RuntimeError) as error:
        raise UnusableError(str(error)) from error
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise UnusableError(f"{path} belongs to or can be written by other users")
    if above.st_mode & 0o002 and not above.st_mode & stat.S_ISVTX:
        raise UnusableError(f"{path.parent} can be written by other users")
    return path


_warned: set[str] = set()


def warn(reason: object) -> None:
    """Says once in a process that kernels are not cached."""
    warn_once(
        "not cached",
        f"compiled kernels are not cached on disk: {reason}. "
        "Set TILEWRIGHT_CACHE_DIR to a folder of yours.",
    )


def warn_once(kind: str, message: str) -> None:
    """A RuntimeWarning, one of a kind in a process."""
    if kind not in _warned:
        _warned.add(kind)
        warnings.warn(message, RuntimeWarning, stacklevel=3)


def make_temporary_folder() -> str:
    """A new folder, which is the caller's to remove. Raises CompileError."""
    try:
        return tempfile.mkdtemp(prefix="tilewright-")
    except OSError as error:
        raise CompileError(
            f"no folder for temporary files can be made: {error}",
            hint="set TMPDIR to a folder that can be written to",
        ) from None


def passing_folder() -> Path:
    """For artifacts that could not be cached; removed when the process ends."""
    return _passing_folder_of(os.getpid())


@functools.cache
def _passing_folder_of(owner: int) -> Path:
    path = make_temporary_folder()

    def remove() -> None:
        if os.getpid() == owner:  # not in a child that inherits what runs at the end
            shutil.rmtree(path, ignore_errors=True)

    atexit.register(remove)
    return Path(path)


# ---- files ---------------------------------------------------------------------------------


def read_file(path: Path) -> bytes:
    """The bytes of a file. Raises FileNotFoundError, DamagedError, or OSError where it
    cannot be read for a reason that may pass."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe: at once
    try:
        handle = os.open(path, flags)
    except OSError as error:
        if path.is_symlink() or stat.S_ISSOCK(path.lstat().st_mode):
            raise DamagedError("it is no regular file") from None
        if isinstance(error, PermissionError):
            raise DamagedError("it cannot be read") from None
        raise error
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise DamagedError("it is no regular file")
        if status.st_uid != os.geteuid() or status.st_mode & 0o022:
            raise DamagedError("it belongs to or can be written by other users")
        if status.st_size > LONGEST:
            raise DamagedError("it is longer than any that is written")
        with open(handle, "rb", closefd=False) as file:
            # Python allocates what is asked for, whatever the file's size.
            return file.read(status.st_size)
    finally:
        os.close(handle)


def write_file(path: Path, data: bytes) -> None:
    """Writes a file that appears whole or not at all. Raises OSError."""
    handle, temporary = tempfile.mkstemp(prefix=WRITING, dir=path.parent)
    try:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(handle, rest) :]
        finally:
            os.close(handle)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def discard(path: Path) -> None:
    """Removes whatever lies at a path, where it can."""
    try:
        os.unlink(path)
    except IsADirectoryError:
        shutil.rmtree(path, ignore_errors=True)
    except OSError:
        pass


def touch(path: Path) -> None:
    """Marks a file as used now, where that is news: its last use is an hour ago, or in the
    future, because the clock was wrong."""
    with contextlib.suppress(OSError):
        if not 0 <= time.time() - os.stat(path).st_mtime < HOUR:
            os.utime(path)


# ---- locks ---------------------------------------------------------------------------------


@contextlib.contextmanager
def locked(key: str) -> Iterator[None]:
    """One process or thread at a time, as far as locks and PATIENCE reach."""
    handle = None
    with contextlib.suppress(OSError, UnusableError):
        name = open_folder() / f"{key}.lock"
        handle = _lock_file(name)
    try:
        yield
    finally:
        if handle is not None:
            with contextlib.suppress(OSError):
                os.unlink(name)
            os.close(handle)


def _lock_file(name: Path) -> int | None:
    """Opens and locks a file that exists for as long as someone holds or awaits it; None where
    another holds it for longer than PATIENCE."""
    until = time.monotonic() + PATIENCE
    pause = 0.001
    while True:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        handle = os.open(name, flags, 0o600)
        try:
            while not try_lock(handle):
                if time.monotonic() > until:
                    os.close(handle)
                    return None
                time.sleep(pause)
                pause = min(2 * pause, 0.05)
            # Its last holder has removed it: then another file may have taken the name.
            if has_name(handle, name):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def has_name(handle: int, name: str | Path) -> bool:
    """Whether an open file is the one that has this name now."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(name))
    except FileNotFoundError:
        return False


def try_lock(handle: int) -> bool:
    """Locks an open file; false where another holds it. Raises OSError where the file system
    has no locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
