"""A launch and the process around it: threads, forks, signals, faults, prints, speed.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tilewright import runtime
from tilewright.testing import launch_kernels
from tilewright.testing.machine import aligned

from .artifacts import Scalar

torch = pytest.importorskip("torch")


SLEEP_BODY = """
#include <unistd.h>
---
  usleep(words[0] * 1000);
"""


def test_the_gil_is_released(kernel):
    sleep = kernel([Scalar("ms", "i32")], body=SLEEP_BODY)
    threads = [threading.Thread(target=sleep, args=(200,)) for _ in range(4)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.perf_counter() - start < 0.6


def test_many_threads_launch(add):
    failures = []

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(100):
            a = rng.random((rng.integers(1, 9), rng.integers(1, 9)), np.float32)
            c = np.full_like(a, np.nan)
            add(a, 1.0, c)
            if not np.array_equal(c, a + np.float32(1)):
                failures.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_ctrl_c_takes_effect(kernel):
    # A test run in the background ignores SIGINT.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    sleep = kernel([Scalar("ms", "i32")], body=SLEEP_BODY)
    timer = threading.Timer(0.05, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        sleep(300)
    timer.join()
    signal.signal(signal.SIGINT, before)


def test_a_fault_is_reported(kernel):
    check = kernel(
        [Scalar("page", "i32")],
        body='if (words[0] > 9) host->fault(context, "page out of range", "mla.py:7:3", 4);',
        name="mla",
    )
    check(9)
    with pytest.raises(
        runtime.KernelFault, match=r"^mla.py:7:3: mla: page out of range \(block 4\)$"
    ):
        check(10)
    check(9)


PRINT_BODY = """
struct env { const tw_host_v1 *host; void *context; };
static void show(void *p, int64_t begin, int64_t end, void *arena) {
  struct env *e = p;
  (void)arena;
  for (int64_t i = begin; i < end; ++i)
    e->host->print(e->context, "row", TW_PRINT_I64, i * i, i);
}
---
  struct env e = {host, context};
  return host->parallel_for(context, 8, show, &e, 0);
"""


def test_prints_go_to_sys_stdout(kernel, capsys):
    kernel([], body=PRINT_BODY)()
    lines = capsys.readouterr().out.splitlines()
    assert sorted(lines) == sorted(f"row: {i * i} (block {i})" for i in range(8))


def test_results_do_not_depend_on_threads(add):
    a = np.random.default_rng(0).random((300, 17), np.float32)
    results = []
    for threads in (1, 2, 3, 8):
        runtime.set_num_threads(threads)
        assert runtime.num_threads() == threads
        c = np.full_like(a, np.nan)
        add(a, 0.1, c)
        results.append(c)
    runtime.set_num_threads(0)
    for c in results[1:]:
        np.testing.assert_array_equal(c, results[0])


@pytest.mark.parametrize("value", [-1, 2**40, "two"])
def test_wrong_numbers_of_threads(value):
    with pytest.raises((ValueError, TypeError, OverflowError)):
        runtime.set_num_threads(value)


def _python(program: str, **environment: str) -> subprocess.CompletedProcess:
    path = str(Path(runtime.__file__).parents[2])
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=True,
    )


def test_the_environment_sets_the_threads():
    program = "from tilewright import runtime; print(runtime.num_threads())"
    assert _python(program, TILEWRIGHT_NUM_THREADS="3").stdout == "3\n"
    pinned = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]);" + program
    assert _python(pinned).stdout == "1\n"
    wrong = _python(program, TILEWRIGHT_NUM_THREADS="many")
    assert wrong.stdout == f"{len(os.sched_getaffinity(0))}\n"
    assert "ignoring TILEWRIGHT_NUM_THREADS='many'" in wrong.stderr


def test_the_runtime_loads_no_compiler():
    program = (
        "import sys; from tilewright import runtime; maps = open('/proc/self/maps').read();"
    )
    program += "sys.exit('LLVM' in maps or 'MLIR' in maps or 'torch' in sys.modules)"
    _python(program)


def test_a_forked_child_can_launch(add):
    a, c = np.ones((64, 64), np.float32), np.zeros((64, 64), np.float32)
    runtime.set_num_threads(2)
    add(a, 1.0, c)
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        add(a, 2.0, c)
        os._exit(0 if np.array_equal(c, a + 2) else 1)
    assert os.waitpid(child, 0)[1] == 0
    runtime.set_num_threads(0)


# ---- speed ---------------------------------------------------------------------------------


def _microseconds(call, rounds: int = 7, calls: int = 1000) -> float:
    """Of this thread's own time, so that other processes have no part in it."""
    times = []
    for _ in range(rounds):
        start = time.thread_time()
        for _ in range(calls):
            call()
        times.append((time.thread_time() - start) / calls * 1e6)
    return min(times)


@pytest.mark.parametrize(
    ("convert", "bar"), [(lambda a: a, 1.5), (torch.from_numpy, 3.0)], ids=["numpy", "torch"]
)
@pytest.mark.parametrize("way", ["launch", "kernel", "eager"])
def test_an_empty_launch_takes_little_time(convert, bar, way):
    """The bars are for a kernel; finding the kernel of an eager call may double them."""
    arrays = [convert(np.zeros(s, np.float32)) for s in ((4, 5), (5, 6), (4, 6))]
    eager = launch_kernels.with_arguments
    kernel = eager.compile(*arrays)
    call = {"launch": kernel.launch, "kernel": kernel, "eager": eager}[way]
    assert _microseconds(lambda: call(*arrays)) < bar * (2 if way == "eager" else 1)


def test_measured_limits():
    limits = runtime.measure_limits(1)
    assert set(limits) == {
        "cpu", "threads", "last_cache_bytes", "gflops", "read_gbps", "copy_gbps",
    }  # fmt: skip
    assert set(limits["gflops"]) == {"f32", "bf16", "i8"}
    # No core since AVX2 does less than 1 or more than 10,000.
    assert 1 < limits["gflops"]["f32"] < 10_000
    assert 0.1 < limits["read_gbps"] < 1_000
    assert 0.1 < limits["copy_gbps"] < 1_000
    assert limits["last_cache_bytes"] == 0 or limits["last_cache_bytes"] >= 1 << 19
    if limits["gflops"]["i8"]:
        assert 1 < limits["gflops"]["i8"] < 40_000
    with pytest.raises(ValueError, match="expected 1 to 1024 threads"):
        runtime.measure_limits(0)


def test_memory_measured_between_arrays_of_the_caller():
    to, source = (aligned(np.ones(1 << 20, np.uint8)) for _ in range(2))
    found = runtime.measure_memory(to, source, 2, 1)
    assert found.keys() == {"read_gbps", "copy_gbps"}
    assert all(0.1 < value < 10_000 for value in found.values())
    source[:] = np.arange(1 << 20) % 251
    runtime.measure_memory(to, source, 2, 1)
    assert np.array_equal(to, source)
    with pytest.raises(ValueError, match="as many bytes"):
        runtime.measure_memory(to, source[:-1], 1, 1)
    with pytest.raises(ValueError, match="multiples of 64"):
        runtime.measure_memory(to[8:], source[8:], 1, 1)
    with pytest.raises(ValueError, match="1 to 1000 slices"):
        runtime.measure_memory(to, source, 1, 0)
    with pytest.raises(ValueError, match="expected 1 to 1024 threads, not 0"):
        runtime.measure_memory(to, source, 0, 1)
    to.setflags(write=False)
    with pytest.raises(ValueError, match="read-only|read only|not writable"):
        runtime.measure_memory(to, source, 1, 1)
