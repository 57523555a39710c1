# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What libraries that are built ahead of time cost: `tilewright bench --aot`.

    python -m tilewright.testing.aot_bench [--kernels N]

Measured are a call from C++ of an empty kernel, loading a library in a fresh process, kernels
a millisecond beside the JIT's, building many kernels from nothing and again, and the sizes of
images beside other compilers'. The report is JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tilewright
from tilewright.testing import aot_kernels, aot_sizes
from tilewright.testing.threads import OtherProcesses

ROUNDS, CALLS = 25, 20000  # of the empty kernel
LOADS = 21
TURNS = 61  # of a kernel and the JIT's
KERNELS = 100

PROGRAM = Path(__file__).with_name("aot_bench.cpp")


class NoCompiler(RuntimeError):
    """There is no C++ compiler; the message says what to install."""


def measure(
    kernels: int = KERNELS, on_step: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """The report; `kernels` are how many the large library has. `on_step` gets what is done
    next.

    Raises NoCompiler, and RuntimeError where a build or a program fails.
    """
    compiler = shutil.which(os.environ.get("CXX", "g++"))
    if compiler is None:
        raise NoCompiler(
            "there is no g++, which compiles the program that is measured: "
            "apt-get install g++, or name a compiler in CXX"
        )
    others = OtherProcesses()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        on_step("a library and a C++ program")
        target = _host()
        _called(folder, target)
        program, shared = _compile(compiler, folder)
        report: dict[str, Any] = {"machine": _machine(), "target": target}
        on_step("launches and loading")
        report["launch"] = _launch(program)
        report["load"] = _load(program, folder / "libaotbench.so")
        on_step("kernels beside the JIT's")
        report["kernels"] = _beside_jit(shared, target)
        on_step(f"{kernels} kernels for {len(aot_kernels.TARGETS)} targets")
        report["build"] = _many(folder, kernels)
    on_step("images")
    report["images"], report["missing"] = aot_sizes.measure()
    return report | {"other_cores": others.cores()}


def _machine() -> dict[str, Any]:
    from tilewright.testing.machine import cpu_name

    return {"cpu": cpu_name(), "cores": len(os.sched_getaffinity(0))}


def _host() -> str:
    """The CPU target of this machine."""
    from tilewright import _compiler

    return _compiler.resolve_target("cpu")


# ---- building ------------------------------------------------------------------------------


def _build(spec: Path, output: Path, cache: Path | None = None) -> dict[str, float]:
    """Runs `tilewright build` and tells how long it took, by the clock and of processors."""
    before, begun = _children_cpu(), time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-m", "tilewright", "build", spec, "-o", output],
        env=aot_sizes.environment() | ({"TILEWRIGHT_CACHE_DIR": str(cache)} if cache else {}),
        capture_output=True,
        text=True,
    )
    taken = {"wall_s": time.perf_counter() - begun, "cpu_s": _children_cpu() - before}
    if run.returncode:
        raise RuntimeError(f"tilewright build: {run.stderr.strip()}")
    return taken


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _called(folder: Path, target: str) -> None:
    """Builds the library whose functions are called."""
    spec = folder / "called.py"
    spec.write_text(
        "from tilewright.testing import aot_kernels\n"
        f"library = aot_kernels.called({target!r})\n"
    )
    _build(spec, folder)


def _many(folder: Path, kernels: int) -> dict[str, Any]:
    """From nothing, and when nothing changed."""
    spec, output, cache = folder / "many.toml", folder / "many", folder / "cache"
    spec.write_text(aot_kernels.many(kernels))
    first, again = _build(spec, output, cache), _build(spec, output, cache)
    return {
        "kernels": kernels,
        "targets": aot_kernels.TARGETS,
        "cold": first,
        "warm": again,
        "bytes": (output / "libmany.so").stat().st_size,
    }


def _compile(compiler: str, folder: Path) -> tuple[Path, Path]:
    """The program with the archive in it, and the shared object on the shared library."""
    program, shared = folder / "aot_bench", folder / "aot_bench.so"
    common = [compiler, "-std=c++17", "-O2", f"-I{folder}", str(PROGRAM)]
    for command in (
        [*common, "-o", program, folder / "libaotbench.a", "-pthread", "-ldl",
         "-Wl,--export-dynamic-symbol=tw_thread_pool_v2"],
        [*common, "-shared", "-fPIC", "-o", shared, f"-L{folder}", "-laotbench",
         f"-Wl,-rpath,{folder}"],
    ):  # fmt: skip
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError(f"{compiler}: {run.stderr.strip()}")
    return program, shared


# ---- calling -------------------------------------------------------------------------------


def _numbers(*command: object) -> list[float]:
    """What a program prints."""
    run = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(f"{command[0]}: {run.stderr.strip() or run.returncode}")
    return [float(line) for line in run.stdout.split()]


def _launch(program: Path) -> dict[str, Any]:
    """An empty kernel of three tensors: time of the calling thread."""
    times = _numbers(program, "launch", ROUNDS, CALLS)
    return {
        "median_s": statistics.median(times), "least_s": min(times), "rounds": ROUNDS,
        "calls": CALLS,
    }  # fmt: skip


def _load(program: Path, library: Path) -> dict[str, Any]:
    """dlopen in processes of its own, of a file that the system has in memory."""
    times = [t for _ in range(LOADS) for t in _numbers(program, "load", library)]
    return {
        "median_s": statistics.median(times), "least_s": min(times), "processes": LOADS,
        "bytes": library.stat().st_size,
    }  # fmt: skip


def _beside_jit(shared: Path, target: str) -> list[dict[str, Any]]:
    """Kernels on one thread, from C++ and from Python in turns, on the same arrays. Both write
    the same bits, or RuntimeError is raised."""
    import numpy as np

    library = ctypes.CDLL(str(shared))
    compiled = aot_kernels.kernels(target)
    g, r = aot_kernels.GEMM, aot_kernels.RMSNORM
    draw = np.random.default_rng(1).standard_normal
    cases = {
        "gemm": ([(g["m"], g["k"]), (g["k"], g["n"])], (g["m"], g["n"]), g),
        "rmsnorm": ([(r["rows"], r["n"]), (r["n"],)], (r["rows"], r["n"]), r),
    }
    found = []
    with _one_thread(library):
        for name, (inputs, output, sizes) in cases.items():
            arrays = [draw(shape, np.float32) for shape in inputs]
            jit, aot = np.zeros(output, np.float32), np.zeros(output, np.float32)
            entry, kernel = library[f"run_{name}"], compiled[name]
            numbers = [ctypes.c_long(size) for size in sizes.values()]
            pointers = [ctypes.c_void_p(a.ctypes.data) for a in (*arrays, aot)]

            def from_cpp(entry=entry, passed=(*pointers, *numbers)):
                entry(*passed)

            def from_python(kernel=kernel, passed=(*arrays, jit)):
                kernel(*passed)

            times = _turns({"jit": from_python, "aot": from_cpp})
            if jit.tobytes() != aot.tobytes():
                raise RuntimeError(f"{name}: the library's result is not the JIT's")
            medians = {by: statistics.median(taken) for by, taken in times.items()}
            found.append(
                {
                    "kernel": name,
                    **{f"{by}_s": median for by, median in medians.items()},
                    "ratio": medians["jit"] / medians["aot"],
                    "rounds": TURNS,
                }
            )
    return found


@contextlib.contextmanager
def _one_thread(library: ctypes.CDLL) -> Iterator[None]:
    tilewright.set_num_threads(1)
    library.run_threads(1)
    try:
        yield
    finally:
        library.run_threads(0)
        tilewright.set_num_threads(0)


def _turns(calls: dict[str, Callable[[], None]]) -> dict[str, list[float]]:
    """Seconds of this thread in rounds, in which the calls take turns; who begins changes."""
    for call in calls.values():
        for _ in range(3):
            call()
    times: dict[str, list[float]] = {by: [] for by in calls}
    order = list(calls)
    for _ in range(TURNS):
        for by in order:
            begun = time.thread_time()
            calls[by]()
            times[by].append(time.thread_time() - begun)
        order.reverse()
    return times


def main() -> None:
    """Prints the report."""
    parser = argparse.ArgumentParser(description="Libraries built ahead of time, measured.")
    parser.add_argument("--kernels", type=int, default=KERNELS, help="of the large library")
    asked = parser.parse_args()
    report = measure(asked.kernels, lambda line: print(line, file=sys.stderr))
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
