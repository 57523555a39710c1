"""The cache of compiled kernels: hits, damage, folders that cannot be used, races.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import json
import multiprocessing
import os
import stat
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest

from tilewright.compiler import cache

KEY = "ab" * 32


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache folder of the test's own, and no warning given yet."""
    monkeypatch.setenv("TILEWRIGHT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "_warned", False)
    return tmp_path / "cache" / "v1"


def _stored(tmp_path: Path, key: str = KEY, content: bytes = b"code") -> cache.Entry:
    artifact = tmp_path / "artifact.so"
    artifact.write_bytes(content)
    return cache.store(key, artifact, {"name": "gemm", "plan": [1, 2]})


def test_a_stored_entry_is_found(folder, tmp_path):
    assert cache.lookup(KEY) is None
    stored = _stored(tmp_path)
    found = cache.lookup(KEY)
    assert found == stored
    assert found.artifact.read_bytes() == b"code"
    assert found.artifact.parent == folder
    assert (found.name, found.record["plan"]) == ("gemm", [1, 2])


def test_the_folder_is_the_users_alone(folder, tmp_path):
    _stored(tmp_path)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("damage", ["artifact", "truncated", "sidecar", "record", "empty"])
def test_a_damaged_entry_is_a_miss_and_is_removed(folder, tmp_path, damage):
    entry = _stored(tmp_path)
    sidecar = folder / f"{KEY}.json"
    if damage == "artifact":
        entry.artifact.write_bytes(b"cade")
    elif damage == "truncated":
        entry.artifact.write_bytes(b"co")
    elif damage == "sidecar":
        sidecar.write_text(sidecar.read_text()[:-9])
    elif damage == "record":
        sidecar.write_text(sidecar.read_text().replace("gemm", "gemn"))
    else:
        sidecar.write_bytes(b"")
    assert cache.lookup(KEY) is None
    assert list(folder.iterdir()) == []


def test_a_sidecar_cannot_name_a_file_elsewhere(folder, tmp_path):
    _stored(tmp_path)
    sidecar = folder / f"{KEY}.json"
    document = json.loads(sidecar.read_text())
    document["artifact"] = "../../artifact.so"
    sidecar.write_text(json.dumps(document))
    assert cache.lookup(KEY) is None


def test_obtain_compiles_once(folder):
    calls = []

    def compile(path: Path) -> dict:
        calls.append(path)
        path.write_bytes(b"code")
        return {"name": "k"}

    first = cache.obtain(KEY, compile)
    second = cache.obtain(KEY, compile)
    assert first == second
    assert len(calls) == 1
    assert not calls[0].parent.exists()
    assert sorted(f.suffix for f in folder.iterdir()) == [".json", ".so"]


def test_a_failed_compilation_leaves_nothing(folder):
    def fail(path: Path) -> dict:
        path.write_bytes(b"half")
        raise ValueError("no such operation")

    with pytest.raises(ValueError, match="no such operation") as caught:
        cache.obtain(KEY, fail)
    assert caught.value.__context__ is None
    assert list(folder.iterdir()) == []


def _file_in_the_way(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("")


def _open_to_others(path: Path) -> None:
    path.mkdir(parents=True)
    path.chmod(0o777)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [(_file_in_the_way, "File exists"), (_open_to_others, "written by other users")],
)
def test_an_unusable_folder_means_no_cache_and_one_warning(folder, spoil, reason):
    spoil(folder)

    def compile(path: Path) -> dict:
        path.write_bytes(b"code")
        return {"name": "k"}

    with pytest.warns(RuntimeWarning, match=reason) as caught:
        entries = [cache.obtain(key * 32, compile) for key in ("01", "02")]
    assert len(caught) == 1
    assert "TILEWRIGHT_CACHE_DIR" in str(caught[0].message)
    for entry in entries:
        assert entry.artifact.read_bytes() == b"code"
        assert not entry.artifact.is_relative_to(folder)


def test_a_full_disk_means_no_cache(folder, tmp_path, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.warns(RuntimeWarning, match="No space left"):
        entry = _stored(tmp_path)
    assert entry.artifact.read_bytes() == b"code"
    assert list(folder.iterdir()) == []


def test_a_read_only_cache_still_hits(folder, tmp_path):
    stored = _stored(tmp_path)
    folder.chmod(0o500)
    try:
        assert cache.lookup(KEY) == stored
    finally:
        folder.chmod(0o700)


def _compile_slowly(path: Path, log: str) -> dict:
    with open(log, "a") as file:
        file.write("x")
    time.sleep(0.2)
    path.write_bytes(b"code")
    return {"name": "k"}


def _obtain_in_process(log: str) -> None:
    entry = cache.obtain(KEY, lambda path: _compile_slowly(path, log))
    assert entry.artifact.read_bytes() == b"code"


def test_of_several_processes_one_compiles(folder, tmp_path):
    log = tmp_path / "log"
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_obtain_in_process, args=(str(log),)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert log.read_text() == "x"
    assert not list(folder.glob("*.lock"))


def test_of_several_threads_one_compiles(folder, tmp_path):
    log = tmp_path / "log"
    threads = [threading.Thread(target=_obtain_in_process, args=(log,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.read_text() == "x"


def test_list_and_clear(folder, tmp_path):
    assert cache.list_entries() == []
    for i, key in enumerate(("01", "02", "03")):
        _stored(tmp_path, key * 32, b"code %d" % i)
        os.utime(folder / f"{key * 32}.json", (i, i))
    (folder / f"{'02' * 32}.json").write_text("{")
    entries = cache.list_entries()
    assert [entry.key[:2] for entry in entries] == ["03", "01"]
    assert all(entry.size > len(b"code 0") for entry in entries)
    assert cache.clear() == 3
    assert cache.list_entries() == []
    assert cache.lookup("01" * 32) is None


def test_keys_depend_on_every_part(monkeypatch):
    base = cache.key_of("ir", {"debug": False}, "cpu")
    assert base == cache.key_of("ir", {"debug": False}, "cpu")
    assert len(base) == 64
    others = [
        cache.key_of("ir2", {"debug": False}, "cpu"),
        cache.key_of("ir", {"debug": True}, "cpu"),
        cache.key_of("ir", {"debug": False}, "cpu:znver4"),
    ]
    monkeypatch.setattr(cache, "host_cpu", lambda: "another CPU")
    others.append(cache.key_of("ir", {"debug": False}, "cpu"))
    named = cache.key_of("ir", {"debug": False}, "cpu:znver4")
    assert named == others[2], "a named target does not depend on this machine's CPU"
    monkeypatch.setattr(cache, "compiler_id", lambda: "another compiler")
    others.append(cache.key_of("ir", {"debug": False}, "cpu"))
    assert len({base, *others}) == len(others) + 1


def test_a_sidecar_nested_without_end_is_a_miss(folder, tmp_path):
    _stored(tmp_path)
    (folder / f"{KEY}.json").write_text("[" * 100_000)
    assert cache.list_entries() == []
    assert cache.lookup(KEY) is None
    assert _stored(tmp_path).artifact.parent == folder


def test_clear_follows_a_link(folder, tmp_path):
    _stored(tmp_path)
    moved = tmp_path / "elsewhere"
    folder.rename(moved)
    folder.symlink_to(moved)
    assert cache.clear() == 1
    assert cache.list_entries() == []
    assert not moved.exists()
    folder.unlink()
    assert cache.clear() == 0, "a cache that is not there is empty"


def test_without_proc_the_host_is_named(monkeypatch):
    def refuse(*_):
        raise FileNotFoundError("/proc/cpuinfo")

    monkeypatch.setattr("builtins.open", refuse)
    assert cache.host_cpu.__wrapped__().startswith("the machine ")


def test_the_host_key_has_the_features():
    assert "flags=" in cache.host_cpu() or "Features=" in cache.host_cpu()


def test_the_cache_loads_no_compiler():
    program = (
        "import sys; from tilewright.compiler import cache; cache.key_of('', {}, 'cpu');"
        "cache.lookup('0' * 64); maps = open('/proc/self/maps').read();"
        "sys.exit('LLVM' in maps or 'MLIR' in maps or 'torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env=_environment())


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(cache.__file__).parents[2])}


def test_a_warning_turned_into_an_error_does_not_lose_the_lock(folder):
    _open_to_others(folder)

    def compile(path: Path) -> dict:
        path.write_bytes(b"code")
        return {}

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning):
            cache.obtain(KEY, compile)
    folder.chmod(0o700)
    assert cache.obtain(KEY, compile).artifact.parent == folder
