"""Many processes and one cache: each kernel is compiled once, and whoever is killed at whatever
point leaves nothing behind that another one would trip over.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import contextlib
import fcntl
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from tilewright.compiler import cache
from tilewright.compiler.cache import bound, files, keys

KEY = "ab" * 32
CODE = b"code of a kernel" * 20
RECORD = {"name": "k", "plan": [1, 2]}
fork = multiprocessing.get_context("fork")


def _compile(path: Path) -> dict:
    path.write_bytes(CODE)
    return RECORD


def _obtain() -> None:
    entry = cache.obtain(KEY, _compile)
    assert (entry.artifact.read_bytes(), entry.record) == (CODE, RECORD)


def _child(work: Callable[[], object]) -> int:
    """Runs `work` in a process of its own; its status, minus the signal that killed it."""
    child = os.fork()
    if child == 0:
        status = 1
        with contextlib.suppress(BaseException):
            signal.alarm(60)
            work()
            status = 0
        os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


# ---- compiled once -------------------------------------------------------------------------


def _compile_slowly(path: Path, log: str) -> dict:
    with open(log, "a") as file:
        file.write("x")
    time.sleep(0.2)
    return _compile(path)


def _obtain_slowly(log: str) -> None:
    entry = cache.obtain(KEY, lambda path: _compile_slowly(path, log))
    assert entry.artifact.read_bytes() == CODE


def test_of_eight_processes_one_compiles(folder, tmp_path):
    log = tmp_path / "log"
    processes = [fork.Process(target=_obtain_slowly, args=(str(log),)) for _ in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert log.read_text() == "x"
    assert not list(folder.glob("*.lock"))


def test_of_several_threads_one_compiles(folder, tmp_path):
    log = tmp_path / "log"
    threads = [threading.Thread(target=_obtain_slowly, args=(log,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.read_text() == "x"


def test_where_one_fails_to_compile_the_next_tries(folder, tmp_path):
    log = tmp_path / "log"

    def fail_first(path: Path) -> dict:
        with open(log, "a") as file:
            file.write("x")
            first = file.tell() == 1
        time.sleep(0.05)
        if first:
            raise ValueError
        return _compile(path)

    def work() -> None:
        with contextlib.suppress(ValueError):
            cache.obtain(KEY, fail_first)

    processes = [fork.Process(target=work) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert log.read_text() == "xx"


PROGRAM = """
import sys
import numpy as np
import tilewright
import tilewright.language as T
from tilewright.compiler import driver

compiled = []
real = driver._compile
driver._compile = lambda *arguments: compiled.append(1) or real(*arguments)

@tilewright.jit
def double(A):
    N = T.const("N")
    A: T.Tensor((N,), "float32")
    C = T.empty((N,), "float32")
    with T.Kernel(1):
        for i in T.serial(N):
            C[i] = A[i] + A[i]
    return C

a = np.arange(5, dtype=np.float32)
assert (double(a) == 2 * a).all()
print(len(compiled))
"""


def test_real_processes_compile_a_real_kernel_once(folder, tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    processes = [
        subprocess.Popen(
            [sys.executable, tmp_path / "program.py"],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        for _ in range(3)
    ]
    counts = [process.communicate()[0] for process in processes]
    assert sorted(counts) == [b"0\n", b"0\n", b"1\n"]


# ---- killed --------------------------------------------------------------------------------

# The calls by which the cache changes or looks at its folder. Being killed before the next of
# them is being killed after this one.
CALLS = {
    os: ["mkdir", "open", "write", "close", "fstat", "stat", "replace", "unlink", "utime",
         "ftruncate", "scandir"],
    fcntl: ["flock"],
}  # fmt: skip


class _Killer:
    """Kills the process at one of its calls; a write is cut in the middle."""

    def __init__(self, at: int) -> None:
        self.left = at
        for module, names in CALLS.items():
            for name in names:
                setattr(module, name, self._wrapped(getattr(module, name)))

    def _wrapped(self, function):
        def call(*arguments, **named):
            self.left -= 1
            if self.left == 0:
                if function is REAL_WRITE:
                    handle, data = arguments
                    function(handle, data[: len(data) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **named)

        return call


REAL_WRITE = os.write


def _remember() -> None:
    cache.remember(KEY, RECORD)


def _over_the_bound() -> None:
    """Stores a kernel that another one must make room for."""
    os.environ["TILEWRIGHT_CACHE_SIZE"] = "1500"
    _obtain()


def _old_entries() -> None:
    for number in range(5):
        cache.remember(f"{number:064x}", RECORD)


def _damaged() -> None:
    _obtain()
    (cache.folder() / f"{KEY}.json").write_bytes(b"{")


@pytest.mark.parametrize(
    ("before", "work", "least"),
    [
        (lambda: None, _obtain, 20),
        (lambda: None, _remember, 8),
        (_obtain, _obtain, 5),
        (_damaged, _obtain, 20),
        (_old_entries, _over_the_bound, 25),
        (_obtain, cache.clear, 4),
    ],
    ids=["compiling", "remembering", "looking up", "replacing", "making room", "clearing"],
)
def test_killed_at_any_call(folder, tmp_path, monkeypatch, before, work, least):
    calls = 0
    while True:
        calls += 1
        monkeypatch.setenv("TILEWRIGHT_CACHE_DIR", str(tmp_path / f"cache{calls}"))
        before()
        status = _child(lambda at=calls: (_Killer(at), work()))
        assert status in (0, -signal.SIGKILL)
        assert cache.verify(keep=True)[1] == [] or before is _damaged, calls
        began = time.monotonic()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            _obtain()
        assert time.monotonic() - began < 5, "nobody waits for the dead"
        assert cache.lookup(KEY) is not None
        assert cache.recall(KEY) in (None, RECORD)
        bound._trim(cache.folder(), 1 << 30, KEY)
        assert not list(cache.folder().glob("*.lock")), "nobody holds it"
        if status == 0:
            break
    assert calls > least, "the calls of the cache are intercepted"


def test_killed_while_compiling(folder):
    def die(path: Path) -> dict:
        path.write_bytes(CODE[:7])
        os.kill(os.getpid(), signal.SIGKILL)

    assert _child(lambda: cache.obtain(KEY, die)) == -signal.SIGKILL
    _obtain()
    assert cache.lookup(KEY) is not None


def test_a_waiting_process_goes_on_when_the_one_that_compiles_is_killed(folder):
    def hang(path: Path) -> dict:
        time.sleep(60)

    first = fork.Process(target=cache.obtain, args=(KEY, hang))
    first.start()
    while not list(folder.glob("*.lock")):
        time.sleep(0.01)
    second = fork.Process(target=_obtain)
    second.start()
    time.sleep(0.1)
    os.kill(first.pid, signal.SIGKILL)
    second.join(20)
    assert second.exitcode == 0
    first.join()


# ---- processes that undo each other's work -------------------------------------------------


def test_processes_that_store_remove_and_clear_at_once(folder, monkeypatch):
    """Whatever they do to each other, each gets its own kernels."""
    monkeypatch.setenv("TILEWRIGHT_CACHE_SIZE", "4K")

    def work(seed: int) -> None:
        warnings.simplefilter("error")
        for round in range(60):
            number = (seed * 7 + round) % 12
            code = b"%d" % number * 100

            def compile(path: Path, code: bytes = code) -> dict:
                path.write_bytes(code)
                return {"code": code.decode()}

            entry = cache.obtain(f"{number:064x}", compile)
            assert entry.record == {"code": code.decode()}
            with contextlib.suppress(FileNotFoundError):  # room was made
                assert entry.artifact.read_bytes() == code
            if round % 20 == 19 and seed == 0:
                cache.clear()
            if round % 20 == 9 and seed == 1:
                assert cache.verify()[1] == []

    processes = [fork.Process(target=work, args=(seed,)) for seed in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0


# ---- versions side by side -----------------------------------------------------------------


def test_two_compilers_side_by_side(folder, monkeypatch):
    entries = {}
    for compiler in ("first", "second", "first"):
        monkeypatch.setattr(keys, "compiler_id", lambda compiler=compiler: compiler)
        key = cache.key_of("ir", {}, "cpu")

        def compile(path: Path, compiler: str = compiler) -> dict:
            assert compiler not in entries, "it is compiled once by each"
            path.write_text(compiler)
            return {"name": compiler}

        entry = entries.setdefault(compiler, cache.obtain(key, compile))
        assert cache.obtain(key, compile) == entry
        assert entry.artifact.read_text() == compiler
    assert len({entry.artifact for entry in entries.values()}) == 2


@pytest.mark.parametrize("version", [1, 3])
def test_another_layout_has_another_folder(folder, monkeypatch, version):
    _obtain()
    other = folder.with_name(f"v{version}")
    with monkeypatch.context() as patch:
        patch.setattr(files, "VERSION", version)
        assert cache.lookup(KEY) is None
        _obtain()
        assert cache.folder() == other
        cache.clear()
    assert cache.lookup(KEY) is not None
    # An entry of version 1, as it was written then, is none of version 2.
    (folder / f"{KEY}.json").write_text('{"artifact": "x.so", "checksum": "0", "record": {}}')
    assert cache.lookup(KEY) is None
