"""What a process pays before its first kernel runs, each figure the median of fresh processes.

    .venv/bin/python bench/startup.py [--processes 9]

- import: `import tilewright`.
- compile: the kernel with an empty cache on disk, the compiler not loaded yet.
- cached: the same kernel in a new process, from the cache that the first one filled.
- launch: one call of a kernel that does nothing, with three NumPy arguments (one process
  each, the mean of 20,000 calls): `kernel(a, b, c)`, and `kernel.launch(a, b, c)`.

The build tree's package is used where PYTHONPATH has it (`build/python`).

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile

KERNELS = {
    "gemm": (
        "from tilewright.kernels import gemm",
        "gemm.gemm_kernel(1024, 1024, 'f32', 'f32', False, False, (64, 64, 64), 'cpu')",
    ),
    "mla_decode": (
        "from tilewright.kernels import mla_decode",
        "mla_decode.mla_decode_kernel(1, 16, 512, 64, 64, 'bf16', True, 'cpu')",
    ),
}
TIMED = """
import time
{before}
start = time.perf_counter()
{timed}
print(time.perf_counter() - start)
"""
LAUNCH = """
import time
import numpy as np
import tilewright
import tilewright.language as T

@T.prim_func
def nothing(A: T.Tensor((8,), "float32"), B: T.Tensor((8,), "float32"),
            C: T.Tensor((8,), "float32")):
    with T.Kernel(1):
        pass

kernel = tilewright.compile(nothing)
call = kernel{launch}
a, b, c = (np.zeros(8, np.float32) for _ in range(3))
for _ in range(2000):
    call(a, b, c)
start = time.perf_counter()
for _ in range(20000):
    call(a, b, c)
print((time.perf_counter() - start) / 20000)
"""


def seconds(program: str, cache: str) -> float:
    """What a program prints, run in a process of its own with this cache."""
    environment = os.environ | {"TILEWRIGHT_CACHE_DIR": cache}
    # From a file, not by -c: a kernel is read from its source.
    path = os.path.join(cache, "program.py")
    with open(path, "w") as file:
        file.write(program)
    output = subprocess.run(
        [sys.executable, path], env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return float(output.stdout)


def report(what: str, times: list[float]) -> None:
    """One line: the median, the least and the greatest."""
    times = sorted(times)
    low, middle, high = times[0], statistics.median(times), times[-1]
    print(f"{what:24} {middle * 1e3:9.4f} ms   ({low * 1e3:.4f} to {high * 1e3:.4f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--processes", type=int, default=9, help="processes per figure")
    count = parser.parse_args().processes

    def repeated(program: str) -> list[float]:
        found = []
        for _ in range(count):
            with tempfile.TemporaryDirectory(prefix="tilewright-startup-") as cache:
                found.append(seconds(program, cache))
        return found

    report("import", repeated(TIMED.format(before="", timed="import tilewright")))
    for name, (before, timed) in KERNELS.items():
        program = TIMED.format(before=before, timed=timed)
        compiled, cached = [], []
        for _ in range(count):
            with tempfile.TemporaryDirectory(prefix="tilewright-startup-") as cache:
                compiled.append(seconds(program, cache))
                cached.append(seconds(program, cache))
        report(f"{name}, compile", compiled)
        report(f"{name}, cached", cached)
    report("launch, kernel(...)", repeated(LAUNCH.format(launch="")))
    report("launch, kernel.launch", repeated(LAUNCH.format(launch=".launch")))


if __name__ == "__main__":
    main()
