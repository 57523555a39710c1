"""The cache's bound: what was used longest ago goes first, whatever the clock says.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import fcntl
import os
import time
import warnings
from pathlib import Path

import pytest

from tilewright.compiler import cache
from tilewright.compiler.cache import bound, files

HOUR = 3600.0


def _key(number: int) -> str:
    return f"{number:064x}"


def _store(number: int, size: int = 8000) -> cache.Entry:
    def compile(path: Path) -> dict:
        path.write_bytes(bytes(size))
        return {"name": f"k{number}"}

    return cache.obtain(_key(number), compile)


def _used(number: int, when: float, suffix: str = "json") -> None:
    """Says that an entry was last used at a time."""
    os.utime(cache.folder() / f"{_key(number)}.{suffix}", (when, when))


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", 1 << 30),
        (" ", 1 << 30),
        ("0", 0),
        ("1000000", 1_000_000),
        ("512M", 512 << 20),
        ("2g", 2 << 30),
        ("3 KiB", 3 << 10),
        ("1TB", 1 << 40),
        ("7B", 7),
    ],
)
def test_sizes(folder, monkeypatch, text, size):
    monkeypatch.setenv("TILEWRIGHT_CACHE_SIZE", text)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cache.limit() == size


@pytest.mark.parametrize("text", ["many", "-1", "1.5G", "1e9", "10X", "9" * 5000, "٣"])
def test_what_is_no_size_is_said_once_and_the_default_taken(folder, monkeypatch, text):
    monkeypatch.setenv("TILEWRIGHT_CACHE_SIZE", text)
    with pytest.warns(RuntimeWarning, match="is no size; 1 GiB is taken") as caught:
        assert [cache.limit(), cache.limit()] == [1 << 30, 1 << 30]
    assert len(caught) == 1
    assert text in str(caught[0].message)


def test_size_zero_switches_the_cache_off(folder, monkeypatch):
    monkeypatch.setenv("TILEWRIGHT_CACHE_SIZE", "0")
    entries = [_store(1), _store(1)]
    cache.remember(_key(2), {})
    assert cache.recall(_key(2)) is None
    assert cache.lookup(_key(1)) is None
    assert not folder.exists()
    assert entries[0].artifact != entries[1].artifact
    assert all(entry.artifact.read_bytes() == bytes(8000) for entry in entries)


def test_the_bound_holds_while_kernels_are_stored(folder, monkeypatch):
    limit = 200_000
    monkeypatch.setenv("TILEWRIGHT_CACHE_SIZE", str(limit))
    for number in range(100):
        _store(number)
        cache.remember(_key(number), {"text": "x" * 1000})
        assert _bytes(folder) < limit + 8000 + 2000
        assert cache.lookup(_key(number)) is not None, "what was stored last stays"
    assert _bytes(folder) > limit // 2, "no more is removed than must be"


def test_a_kernel_larger_than_the_bound_stays_until_the_next(folder, monkeypatch):
    monkeypatch.setenv("TILEWRIGHT_CACHE_SIZE", "1000")
    for number in range(3):
        _store(number)
        assert [cache.lookup(_key(n)) is not None for n in range(number + 1)] == [
            *[False] * number,
            True,
        ]


def test_most_stores_do_not_scan_the_folder(folder, monkeypatch):
    monkeypatch.setenv("TILEWRIGHT_CACHE_SIZE", "1600K")  # an eighth is 25 kernels
    scans, real = [], bound.scan
    monkeypatch.setattr(bound, "scan", lambda path: scans.append(path) or real(path))
    for number in range(200):
        _store(number)
    assert 4 <= len(scans) <= 16


def _trim(to: int) -> list[int]:
    """Makes room; the numbers of the kernels that are left."""
    bound._trim(cache.folder(), to, "")
    left = cache.folder().glob("*.json")
    return sorted(int(file.stem, 16) for file in left)


def test_what_was_used_longest_ago_goes_first(folder):
    now = time.time()
    for number in range(10):
        _store(number)
        _used(number, now - (10 - number) * 24 * HOUR)
    cache.lookup(_key(0))
    cache.lookup(_key(4))
    assert _trim(to=34_000) == [0, 4, 8, 9]


def test_memos_and_kernels_share_the_bound(folder):
    now = time.time()
    for number in range(4):
        _store(number)
        cache.remember(_key(number), {"text": "x" * 8000})
        _used(number, now - number * HOUR)
        _used(number, now - number * HOUR, "memo")
    assert _trim(to=34_000) == [0, 1]
    assert sorted(int(file.stem, 16) for file in folder.glob("*.memo")) == [0, 1]


def test_a_use_is_written_once_an_hour(folder):
    _store(1)
    sidecar = folder / f"{_key(1)}.json"
    now = time.time()
    for ago, written in ((0.5 * HOUR, False), (2 * HOUR, True), (-2 * HOUR, True)):
        _used(1, now - ago)
        cache.lookup(_key(1))
        assert (abs(sidecar.stat().st_mtime - now) < 60) == written


def test_times_of_access_play_no_part(folder):
    now = time.time()
    for number in range(4):
        _store(number)
        file = folder / f"{_key(number)}.json"
        os.utime(file, (now - number * HOUR, now - (4 - number) * 24 * HOUR))
    assert _trim(to=17_000) == [2, 3]


def test_a_clock_that_was_ahead(folder):
    """Uses that the clock puts into the future count as of now, and age from then on."""
    now = time.time()
    for number in range(4):
        _store(number)
        _used(number, now - number * HOUR)
    _used(2, now + 1000 * 24 * HOUR)
    assert _trim(to=26_000) == [0, 1, 2]
    assert abs((folder / f"{_key(2)}.json").stat().st_mtime - now) < 60
    _used(2, now - 5 * HOUR)
    assert _trim(to=17_000) == [0, 1]


@pytest.mark.parametrize("clock", [0.0, 4e9])
def test_a_clock_that_is_wrong_while_kernels_are_stored(folder, monkeypatch, clock):
    monkeypatch.setenv("TILEWRIGHT_CACHE_SIZE", "200K")
    for number in range(10):
        _store(number)
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: clock)
        for number in range(10, 60):
            assert _store(number).artifact.read_bytes() == bytes(8000)
    for number in range(60, 100):
        assert _store(number).artifact.read_bytes() == bytes(8000)
    assert _bytes(folder) < 220_000


def test_what_dead_processes_left_is_removed_in_time(folder):
    entry = _store(1)
    others = [folder / name for name in ("writing-abc", f"{_key(2)}-{'0' * 16}.so")]
    for file in others:
        file.write_bytes(b"half")
    lock, held = folder / f"{_key(3)}.lock", folder / f"{_key(4)}.lock"
    lock.touch()
    with held.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _trim(to=1 << 20)
        assert all(file.exists() for file in others), "they may be unfinished yet"
        assert held.exists()
        assert not lock.exists()
    for file in others:
        os.utime(file, (0, 0))
    _trim(to=1 << 20)
    assert not any(file.exists() for file in (*others, held))
    assert cache.lookup(_key(1)) == entry


def test_the_bound_holds_without_locks(folder, monkeypatch):
    def refuse(handle, how):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setenv("TILEWRIGHT_CACHE_SIZE", "200K")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in range(60):
            _store(number)
    assert _bytes(folder) < 220_000


def test_a_folder_that_vanishes_while_room_is_made(folder, monkeypatch):
    monkeypatch.setenv("TILEWRIGHT_CACHE_SIZE", "10K")
    real = bound.scan

    def scan(path):
        found = real(path)
        cache.clear()
        return found

    monkeypatch.setattr(bound, "scan", scan)
    for number in range(5):
        assert _store(number).record == {"name": f"k{number}"}


def test_usage(folder):
    assert cache.usage() == cache.usage().__class__(0, 0, 0, 1 << 30)
    _store(1)
    cache.remember(_key(1), {})
    usage = cache.usage()
    assert (usage.kernels, usage.memos) == (1, 1)
    assert usage.bytes == _bytes(folder)


def test_no_wait_for_a_process_that_was_stopped(folder, monkeypatch):
    monkeypatch.setattr(files, "PATIENCE", 0.1)
    folder.mkdir(parents=True, mode=0o700)
    with (folder / f"{_key(1)}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert _store(1).record == {"name": "k1"}
    assert cache.lookup(_key(1)) is not None
