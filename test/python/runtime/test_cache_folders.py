"""Folders that cannot be used, or hardly: kernels compile all the same, and one warning says
why they are not cached.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import contextlib
import errno
import fcntl
import os
import pwd
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright.compiler import cache
from tilewright.compiler.cache import files

KEY = "ab" * 32
CODE = b"code" * 5000
ROOT = os.geteuid() == 0


def _compile(path: Path) -> dict:
    path.write_bytes(CODE)
    return {"name": "k"}


def _works(key: str = KEY) -> cache.Entry:
    """A kernel, right whether cached or not; and a memo, right or absent."""
    entry = cache.obtain(key, _compile)
    assert (entry.artifact.read_bytes(), entry.record) == (CODE, {"name": "k"})
    cache.remember(key, {"name": "m"})
    assert cache.recall(key) in (None, {"name": "m"})
    return entry


def _works_with_one_warning(reason: str, entries: int = 3) -> None:
    with pytest.warns(RuntimeWarning, match=reason) as caught:
        found = [_works(f"{number:064x}") for number in range(entries)]
    assert len(caught) == 1
    assert str(caught[0].message).startswith("compiled kernels are not cached on disk: ")
    assert "TILEWRIGHT_CACHE_DIR" in str(caught[0].message)
    assert not found[-1].artifact.is_relative_to(cache.folder())


def _works_silently() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert _works() == _works()
    assert cache.lookup(KEY) is not None


@contextlib.contextmanager
def _disk(folder: Path, options: str) -> Iterator[bool]:
    """A file system of its own at the cache's root; false where this user cannot mount one."""
    root = folder.parent
    root.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"mode=0700,{options}", "none", str(root)]
    mounted = ROOT and subprocess.run(command, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(root)], check=True)  # code may be mapped


# ---- disks ---------------------------------------------------------------------------------


def test_a_full_disk(folder, monkeypatch):
    with _disk(folder, "size=64k") as mounted:
        if not mounted:
            real, left = os.write, [2 * len(CODE)]

            def write(handle, data):
                if not left[0]:
                    raise OSError(errno.ENOSPC, "No space left on device")
                count = real(handle, data[: left[0]])
                left[0] -= count
                return count

            monkeypatch.setattr(os, "write", write)
        _works_with_one_warning("No space left", entries=5)
        assert cache.lookup(f"{0:064x}") is not None
        assert cache.verify()[1] == []
        assert not list(folder.glob("writing-*"))


def test_a_disk_without_inodes(folder, monkeypatch):
    with _disk(folder, "size=10m,nr_inodes=9") as mounted:
        if not mounted:
            real, left = os.open, [9]

            def open(path, flags, *more, **named):
                left[0] -= bool(flags & os.O_CREAT)
                if flags & os.O_CREAT and left[0] < 0 and str(folder) in str(path):
                    raise OSError(errno.ENOSPC, "No space left on device")
                return real(path, flags, *more, **named)

            monkeypatch.setattr(os, "open", open)
        _works_with_one_warning("No space left", entries=8)
        assert cache.verify()[1] == []


def test_a_read_only_folder_still_hits(folder):
    with _disk(folder, "size=1m") as mounted:
        _works()
        files._warned.clear()
        if mounted:
            subprocess.run(["mount", "-o", "remount,ro", str(folder.parent)], check=True)
        else:
            folder.chmod(0o500)
        _works_silently()
        _works_with_one_warning("Read-only" if mounted else "Permission denied")
        if mounted:
            subprocess.run(["mount", "-o", "remount,rw", str(folder.parent)], check=True)
        folder.chmod(0o700)


def test_a_disk_from_which_no_code_runs(folder):
    """What is found in the cache and cannot be loaded is compiled apart."""

    @T.prim_func
    def copy(A: T.Tensor((4,), "float32"), C: T.Tensor((4,), "float32")):
        with T.Kernel(1):
            for i in T.serial(4):
                C[i] = A[i]

    a = np.arange(4, dtype=np.float32)
    with _disk(folder, "size=1m,noexec") as mounted:
        kernel = tilewright.compile(copy, out_idx=1)
        if mounted:
            with pytest.warns(RuntimeWarning, match="cannot be loaded"):
                assert (kernel(a) == a).all()
        else:
            assert (kernel(a) == a).all()


def test_a_kernel_removed_after_it_was_found(folder):
    """Another process may make room between the two."""

    @T.prim_func
    def copy(A: T.Tensor((4,), "int32"), C: T.Tensor((4,), "int32")):
        with T.Kernel(1):
            for i in T.serial(4):
                C[i] = A[i]

    a = np.arange(4, dtype=np.int32)
    kernel, second = (tilewright.compile(copy, out_idx=1) for _ in range(2))
    assert (second(a) == a).all()
    cache.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (kernel(a) == a).all()
    assert (second(a) == a).all(), "what is loaded stays loaded"


# ---- file systems without locks ------------------------------------------------------------


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF])
def test_a_file_system_without_locks(folder, monkeypatch, number):
    def refuse(handle, how):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    _works_silently()


# ---- names ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["with space", "größe 漢字 😀", "a'b\"c$(d);&|*?[x]\n", b"\xff\xfe"]
)
def test_any_name_of_a_folder(tmp_path, monkeypatch, name):
    monkeypatch.setenv("TILEWRIGHT_CACHE_DIR", os.path.join(tmp_path, os.fsdecode(name)))

    @T.prim_func
    def copy(A: T.Tensor((4,), "int64"), C: T.Tensor((4,), "int64")):
        with T.Kernel(1):
            for i in T.serial(4):
                C[i] = A[i]

    a = np.arange(4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kernel = tilewright.compile(copy, out_idx=1)
        assert (kernel(a) == a).all()
        _works_silently()
    assert Path(kernel.path).is_relative_to(cache.folder())


def test_a_relative_folder_is_that_of_the_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TILEWRIGHT_CACHE_DIR", "here")
    assert _works().artifact.is_relative_to(tmp_path / "here")


def test_a_folder_whose_name_is_too_long(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("TILEWRIGHT_CACHE_DIR", str(tmp_path / ("x" * 300)))
    _works_with_one_warning("File name too long")


def test_a_folder_whose_files_have_too_long_names(folder, tmp_path, monkeypatch):
    deep = tmp_path
    while len(str(deep)) < 3900:
        deep /= "x" * 90
    monkeypatch.setenv("TILEWRIGHT_CACHE_DIR", str(deep) + "/" + "y" * (4040 - len(str(deep))))
    _works_with_one_warning("File name too long")


# ---- whose folder --------------------------------------------------------------------------


def test_the_home_folder_is_the_default(monkeypatch):
    monkeypatch.delenv("TILEWRIGHT_CACHE_DIR")
    monkeypatch.setenv("HOME", "/somewhere")
    assert cache.folder() == Path("/somewhere/.cache/tilewright/v2")
    for unset in ("", None):
        if unset is None:
            monkeypatch.delenv("HOME")
        else:
            monkeypatch.setenv("HOME", unset)
        home = pwd.getpwuid(os.getuid()).pw_dir
        assert cache.folder() == Path(home) / ".cache/tilewright/v2"


def test_no_home_at_all(folder, monkeypatch):
    monkeypatch.delenv("TILEWRIGHT_CACHE_DIR")
    monkeypatch.delenv("HOME")

    def unknown(number):
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.warns(RuntimeWarning, match="there is no home folder") as caught:
        entries = [_works(), _works("cd" * 32)]
    assert len(caught) == 1
    assert all(entry.artifact.exists() for entry in entries)


def test_a_home_that_is_not_there(folder, monkeypatch):
    monkeypatch.delenv("TILEWRIGHT_CACHE_DIR")
    monkeypatch.setenv("HOME", "/dev/null/home")
    _works_with_one_warning("Not a directory")


def test_no_folder_for_temporary_files(folder, tmp_path, monkeypatch):
    """What the compiler writes on the way is nowhere; a hit needs no such folder."""

    @T.prim_func
    def kernel(A: T.Tensor((3,), "float32")):
        with T.Kernel(1):
            A[0] = 9

    entry = _works()
    gone = str(tmp_path / "gone")
    with monkeypatch.context() as patch:
        patch.setattr(files.tempfile, "tempdir", gone)
        assert cache.obtain(KEY, _compile) == entry
        with pytest.raises(
            tilewright.CompileError, match=f"temporary files .*{gone}"
        ) as caught:
            tilewright.compile(kernel)
        assert "set TMPDIR" in caught.value.hint
        # And where what is compiled has no other place than that.
        patch.setenv("TILEWRIGHT_CACHE_LIMIT", "0")
        with pytest.raises(tilewright.CompileError, match=f"temporary files .*{gone}"):
            tilewright.compile(kernel)
    with monkeypatch.context() as patch:
        patch.setenv("TMPDIR", gone)  # which LLVM reads by itself
        with pytest.raises(tilewright.CompileError, match=f"file in '{gone}': .*set TMPDIR to"):
            tilewright.compile(kernel, target="hip:gfx942")
    tilewright.compile(kernel, target="hip:gfx942")
    a = np.zeros(3, np.float32)
    tilewright.compile(kernel)(a)
    assert a[0] == 9


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_that_others_can_write(folder, mode):
    folder.mkdir(parents=True)
    folder.chmod(mode)
    _works_with_one_warning("can be written by other users")
    assert not list(folder.iterdir())


def test_a_folder_in_one_that_all_can_write(folder):
    folder.mkdir(parents=True, mode=0o700)
    folder.parent.chmod(0o777)
    _works_with_one_warning("can be written by other users")
    folder.parent.chmod(0o1777)  # as /tmp is: nobody renames another's files
    _works_silently()


def test_a_folder_of_another_user(folder, monkeypatch):
    folder.mkdir(parents=True, mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    _works_with_one_warning("belongs to or can be written by other users")
    assert not list(folder.iterdir())


def test_a_child_does_not_remove_what_its_parent_uses(folder, monkeypatch):
    monkeypatch.setenv("TILEWRIGHT_CACHE_SIZE", "0")
    entry = _works()
    program = "import os, sys\nfrom tilewright.compiler.cache import files\n"
    program += "made = files.passing_folder()\n"
    program += "if os.fork() == 0: sys.exit()\n"
    program += "os.wait(); print(made.exists(), made)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    exists, _, path = done.stdout.strip().partition(" ")
    assert exists == "True", done.stderr
    assert not Path(path).exists(), "it is removed in the end"
    assert entry.artifact.exists()
