"""Entries of the cache that were cut short, overwritten, replaced or moved: each is a miss, and
the next kernel stored in its place is found.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import random
import socket
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from tilewright.compiler import cache

KEY, OTHER = "ab" * 32, "cd" * 32
CODE = bytes(range(64))
RECORD = {"name": "gemm", "plan": [1, 2], "text": "größe"}


def _compile(path: Path) -> dict:
    path.write_bytes(CODE)
    return RECORD


def _stored(kind: str, key: str = KEY) -> Path:
    """Stores a kernel, or a memo; gives the file of that kind."""
    if kind == "memo":
        cache.remember(key, RECORD)
        return cache.folder() / f"{key}.memo"
    entry = cache.obtain(key, _compile)
    return entry.artifact if kind == "code" else cache.folder() / f"{key}.json"


def _found(kind: str, key: str = KEY) -> object:
    """What a process finds; it is right or None."""
    if kind == "memo":
        record = cache.recall(key)
        assert record in (None, RECORD)
        return record
    entry = cache.lookup(key)
    if entry is not None:
        assert (entry.artifact.read_bytes(), entry.record) == (CODE, RECORD)
    return entry


def _is_replaced(kind: str) -> None:
    """The damage is gone: what is stored in its place is found."""
    assert cache.verify(keep=True)[1] == []
    _stored(kind)
    assert _found(kind) is not None


KINDS = ["record", "code", "memo"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_cut_short(folder, kind):
    file = _stored(kind)
    data = file.read_bytes()
    for length in range(0, len(data), 3):
        file.write_bytes(data[:length])
        assert _found(kind) is None
        _stored(kind)
    _is_replaced(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit(folder, kind):
    file = _stored(kind)
    data = bytearray(file.read_bytes())
    rng = random.Random(kind)
    for _ in range(100):
        bit = rng.randrange(8 * len(data))
        data[bit // 8] ^= 1 << bit % 8
        file.write_bytes(data)
        # JSON has escapes in which a letter's case means nothing; in code every bit counts.
        assert _found(kind) is None or kind != "code"
        data[bit // 8] ^= 1 << bit % 8
        _stored(kind)
    _is_replaced(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_reading_takes_no_more_memory_than_the_file(folder, kind):
    _stored(kind)
    tracemalloc.start()
    try:
        assert _found(kind) is not None
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_with_more_behind_it(folder, kind):
    file = _stored(kind)
    file.write_bytes(file.read_bytes() + b"\0")
    assert _found(kind) is None
    _is_replaced(kind)


def _links_to(target: Callable[[Path], None]) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        other = path.with_name("elsewhere")
        target(other)
        path.symlink_to(other)

    return make


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


def _folder_with_a_file(path: Path) -> None:
    path.mkdir()
    (path / "file").write_text("x")


IN_THE_WAY = {
    "empty file": Path.touch,
    "folder": Path.mkdir,
    "folder with a file": _folder_with_a_file,
    "pipe": os.mkfifo,
    "socket": _socket,
    "link to nothing": _links_to(lambda path: None),
    "link to itself": lambda path: path.symlink_to(path),
    "link to a folder": _links_to(Path.mkdir),
    "a terabyte of nothing": _sparse,
}


@pytest.mark.parametrize("what", IN_THE_WAY)
@pytest.mark.parametrize("kind", KINDS)
def test_something_else_in_the_place_of_a_file(folder, kind, what, monkeypatch):
    file = _stored(kind)
    monkeypatch.chdir(folder)
    file.unlink()
    IN_THE_WAY[what](file)
    assert _found(kind) is None
    _is_replaced(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_to_a_good_file_is_not_followed(folder, kind, tmp_path):
    file = _stored(kind)
    file.rename(tmp_path / file.name)
    file.symlink_to(tmp_path / file.name)
    assert _found(kind) is None
    assert (tmp_path / file.name).exists()
    _is_replaced(kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write(folder, kind, mode):
    _stored(kind).chmod(mode)
    assert _found(kind) is None
    _is_replaced(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_another_user(folder, kind, monkeypatch):
    """To a process of another user id our files are another's; the folder is its own."""
    file = _stored(kind)
    if os.geteuid() == 0:
        os.chown(file, 12345, -1)
    else:
        status = os.stat(file)
        stranger = os.stat_result((*status[:4], status.st_uid + 1, *status[5:]))
        monkeypatch.setattr(os, "fstat", lambda handle: stranger)
    assert _found(kind) is None
    monkeypatch.undo()


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_cannot_be_read(folder, kind, monkeypatch):
    real, file = os.open, _stored(kind)

    def refuse(path, flags, *more, **named):
        if Path(path) == file and not flags & os.O_CREAT:
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", refuse)
    assert _found(kind) is None
    monkeypatch.undo()
    monkeypatch.setenv("TILEWRIGHT_CACHE_DIR", str(folder.parent))
    _is_replaced(kind)


def test_an_error_that_may_pass_removes_nothing(folder, monkeypatch):
    for kind in KINDS:
        _stored(kind)
    real = os.open

    def exhausted(path, flags, *more, **named):
        if not flags & os.O_DIRECTORY:
            raise OSError(24, "Too many open files")
        return real(path, flags, *more, **named)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", exhausted)
        assert cache.lookup(KEY) is None
        assert cache.recall(KEY) is None
    assert _found("record")
    assert _found("memo")


def test_a_file_under_another_key_is_not_taken(folder):
    record, memo = _stored("record"), _stored("memo")
    for file in (record, memo):
        (folder / f"{OTHER}{file.suffix}").write_bytes(file.read_bytes())
        (folder / f"{OTHER}{file.suffix}").chmod(0o600)
    assert cache.lookup(OTHER) is None
    assert cache.recall(OTHER) is None


def test_a_memo_is_no_record_and_a_record_no_memo(folder):
    record, memo = _stored("record"), _stored("memo")
    first, second = record.read_bytes(), memo.read_bytes()
    record.write_bytes(second)
    memo.write_bytes(first)
    assert cache.lookup(KEY) is None
    assert cache.recall(KEY) is None


def test_code_of_another_compilation_of_the_same_kernel_is_not_taken(folder, tmp_path):
    code = _stored("code")
    (tmp_path / "other").write_bytes(b"other")
    other = cache.store(OTHER, tmp_path / "other", RECORD)
    code.write_bytes(other.artifact.read_bytes())
    assert cache.lookup(KEY) is None
    assert cache.lookup(OTHER) is not None


@pytest.mark.parametrize("name", ["growth", f"{KEY}.lock"])
@pytest.mark.parametrize("what", [w for w in IN_THE_WAY if w != "a terabyte of nothing"])
def test_something_else_in_the_place_of_a_lock_or_counter(folder, name, what, monkeypatch):
    folder.mkdir(parents=True, mode=0o700)
    monkeypatch.chdir(folder)
    IN_THE_WAY[what](folder / name)
    for kind in KINDS:
        _stored(kind)
        assert _found(kind) is not None


def test_verify_names_what_is_damaged_and_removes_it(folder):
    good = _stored("record", OTHER)
    memo, code = _stored("memo"), _stored("code")
    memo.write_bytes(b"{")
    code.write_bytes(b"other code")
    for keep in (True, False):
        count, bad = cache.verify(keep)
        assert count == 1
        assert {(entry.path.name, entry.reason) for entry in bad} == {
            (f"{KEY}.json", "its code does not fit its checksum"),
            (f"{KEY}.memo", "it is cut short or overwritten"),
        }
        assert memo.exists() == code.exists() == keep
    assert cache.verify() == (1, [])
    assert good.exists()
