"""The cache of compiled kernels: hits, damage, folders that cannot be used, races.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import stat
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from tilewright.compiler import cache
from tilewright.compiler.cache import entries, keys

KEY = "ab" * 32


def _stored(tmp_path: Path, key: str = KEY, content: bytes = b"code") -> cache.Entry:
    artifact = tmp_path / "artifact.so"
    artifact.write_bytes(content)
    return cache.store(key, artifact, {"name": "gemm", "plan": [1, 2]})


def _contents(folder: Path) -> list[str]:
    """The names in the folder, but for what counts its growth."""
    return [file.name for file in folder.iterdir() if file.name != "growth"]


def test_a_stored_entry_is_found(folder, tmp_path):
    assert cache.lookup(KEY) is None
    stored = _stored(tmp_path)
    found = cache.lookup(KEY)
    assert found == stored
    assert found.artifact.read_bytes() == b"code"
    assert found.artifact.parent == folder
    assert found.record == {"name": "gemm", "plan": [1, 2]}


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
    assert _contents(folder) == []


def test_a_sidecar_cannot_name_a_file_elsewhere(folder, tmp_path):
    _stored(tmp_path)
    content = {"artifact": "../../artifact.so", "digest": "", "record": {}}
    name = f"{KEY}.json"
    (folder / name).write_bytes(entries._sealed(name, content))
    assert cache.lookup(KEY) is None
    assert (tmp_path / "artifact.so").exists()


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
    assert sorted(name.rpartition(".")[2] for name in _contents(folder)) == ["json", "so"]


def test_a_failed_compilation_leaves_nothing(folder):
    def fail(path: Path) -> dict:
        path.write_bytes(b"half")
        raise ValueError("no such operation")

    with pytest.raises(ValueError, match="no such operation") as caught:
        cache.obtain(KEY, fail)
    assert caught.value.__context__ is None
    assert _contents(folder) == []


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


def test_list_and_clear(folder, tmp_path):
    assert cache.list_entries() == []
    for i, key in enumerate(("01", "02", "03")):
        _stored(tmp_path, key * 32, b"code %d" % i)
        os.utime(folder / f"{key * 32}.json", (i, i))
    (folder / f"{'02' * 32}.json").write_text("{")
    listed = cache.list_entries()
    assert [(entry.key[:2], entry.used) for entry in listed] == [("03", 2.0), ("01", 0.0)]
    assert all(entry.size > len(b"code 0") for entry in listed)
    assert cache.clear() == 3
    assert _contents(folder) == []
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
    monkeypatch.setattr(keys, "host_cpu", lambda: "another CPU")
    others.append(cache.key_of("ir", {"debug": False}, "cpu"))
    named = cache.key_of("ir", {"debug": False}, "cpu:znver4")
    assert named == others[2], "a named target does not depend on this machine's CPU"
    monkeypatch.setattr(keys, "compiler_id", lambda: "another compiler")
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
    assert _contents(moved) == []
    folder.unlink()
    assert cache.clear() == 0, "a cache that is not there is empty"


def test_without_proc_the_host_is_named(monkeypatch):
    def refuse(*_):
        raise FileNotFoundError("/proc/cpuinfo")

    monkeypatch.setattr("builtins.open", refuse)
    assert keys.host_cpu.__wrapped__().startswith("the machine ")


def test_the_host_key_has_the_features():
    assert "flags=" in keys.host_cpu() or "Features=" in keys.host_cpu()


def test_the_cache_loads_no_compiler():
    program = (
        "import sys; from tilewright.compiler import cache; cache.key_of('', {}, 'cpu');"
        "cache.lookup('0' * 64); maps = open('/proc/self/maps').read();"
        "sys.exit('LLVM' in maps or 'MLIR' in maps or 'torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env=_environment())


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(cache.__file__).parents[3])}


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
