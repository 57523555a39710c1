"""Ctrl-C: a real SIGINT to a process that compiles or launches.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import tilewright

PYTHON = Path(tilewright.__file__).parents[1]

# A kernel of many blocks, each of some milliseconds.
SLOW = """
import sys, time, threading
import numpy as np
import tilewright
import tilewright.language as T

@T.prim_func
def slow(A: T.Tensor((T.dynamic("n"),), "int32"), steps: T.int32):
    with T.Kernel(T.dynamic("n")) as b:
        x = T.alloc_var("int32", 1)
        for i in T.serial(steps):
            x = x * 1664525 + i
        A[b] = T.max(x, 1)

kernel = tilewright.compile(slow)
a = np.zeros(100_000, np.int32)
start = time.perf_counter()
kernel(a[:8], 1_000_000)
steps = int(1_000_000 * 8 * 0.004 / (time.perf_counter() - start))  # a block of 4 ms
a[:] = 0
"""


def interrupted(tmp_path: Path, script: str, after: float = 0.5, **environment: str) -> str:
    """The output of a script that gets SIGINT a while after it has printed "ready"."""
    file = tmp_path / "script.py"
    file.write_text(textwrap.dedent(script))
    variables = os.environ | {"PYTHONPATH": str(PYTHON)} | environment
    process = subprocess.Popen(
        [sys.executable, "-u", file],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=variables,
        # A test run in the background ignores SIGINT, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout.readline() == "ready\n", process.stdout.read()
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    return output


@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_launch_ends_at_the_next_block(tmp_path, threads):
    output = interrupted(
        tmp_path,
        SLOW
        + """
print("ready")
try:
    kernel(a, steps)
except KeyboardInterrupt:
    ran = np.count_nonzero(a)
    assert 0 < ran < 10_000, ran
    start = time.perf_counter()
    kernel(a[:8], 10)  # device and kernel are usable
    assert (a[:8] > 0).all()
    print("interrupted")
""",
        TILEWRIGHT_NUM_THREADS=threads,
    )
    assert output == "interrupted\n"


def test_a_handler_that_does_not_raise_lets_it_run(tmp_path):
    output = interrupted(
        tmp_path,
        SLOW
        + """
import signal
signal.signal(signal.SIGINT, lambda *_: print("seen"))
print("ready")
kernel(a[:1500], steps)  # the machine may have been busy when steps were counted
print(np.count_nonzero(a))
""",
    )
    assert output == "seen\n1500\n"


def test_a_launch_of_another_thread_goes_on(tmp_path):
    """Python gives signals to the main thread; it waits here, and the launch is not ended."""
    output = interrupted(
        tmp_path,
        SLOW
        + """
thread = threading.Thread(target=kernel, args=(a[:600], steps))
thread.start()
print("ready")
try:
    while True:
        time.sleep(0.01)
except KeyboardInterrupt:
    print("main")
thread.join()
print(np.count_nonzero(a))
""",
    )
    assert output == "main\n600\n"


def test_a_compilation_ends_at_the_next_pass(tmp_path):
    """The cache then holds nothing of it and no lock."""
    body = "".join(f"        A[{i % 64}] = A[{(i + 1) % 64}] * {i}\\n" for i in range(8000))
    output = interrupted(
        tmp_path,
        f'''
import os, time
import tilewright
import tilewright.language as T
from pathlib import Path
from tilewright.compiler.lower import lower_prim_func
from tilewright.compiler import driver

text = """
import tilewright.language as T

@T.prim_func
def kernel(A: T.Tensor((64,), "float32")):
    with T.Kernel(1):
{body}
"""
file = Path(__file__).with_name("kernel.py")
file.write_text(text)
names = {{}}
exec(compile(text, str(file), "exec"), names)
module = lower_prim_func(names["kernel"])
print("ready")
start = time.perf_counter()
try:
    driver.build(lambda: module, driver.options_for("cpu", None))
    print("finished")
except KeyboardInterrupt:
    assert time.perf_counter() - start < 30
    left = [p.name for p in Path(os.environ["TILEWRIGHT_CACHE_DIR"]).iterdir()]
    assert not any(name.endswith((".lock", ".json", ".so")) for name in left), left
    print("interrupted")
''',
        TILEWRIGHT_CACHE_DIR=str(tmp_path / "cache"),
    )
    assert output == "interrupted\n"


ENDLESS = """
import numpy as np
import tilewright
import tilewright.language as T

@T.prim_func
def endless(A: T.Tensor((2,), "int32")):
    with T.Kernel(1, threads=32):
        while A[0] == 0:
            A[1] = A[1] + 1

kernel = tilewright.compile(endless, target="{device}")
try:
    kernel(np.zeros(2, np.int32))
except tilewright.CheckError as error:
    print(error.faults[0].rule, "script.py:" in str(error))
a = np.array([1, 5], np.int32)
kernel(a)
print(a)
"""


@pytest.mark.parametrize("gpu", ["cuda-emulator:sm_80", "hip-emulator:gfx942"])
def test_a_bound_of_steps_ends_what_nothing_interrupts(tmp_path, gpu):
    file = tmp_path / "script.py"
    file.write_text(ENDLESS.format(device=gpu))
    variables = {"PYTHONPATH": str(PYTHON), "TILEWRIGHT_EMULATOR_STEPS": "20000"}
    said = subprocess.run(
        [sys.executable, file], env=os.environ | variables, capture_output=True, text=True
    )
    assert said.stdout == "limit True\n[1 5]\n", said.stderr
