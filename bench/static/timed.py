"""One process of `tilewright bench --compile`: how long a compiler takes for a problem.

    python bench/static/timed.py (tilewright|triton) TARGET PROBLEM COUNT

It imports the compiler, and then compiles the problem COUNT times, each time with an empty
cache on disk. Standard output gets one line of JSON: `import_s`, and in `runs` for each time
the seconds to each stage of the code, of the clock (`wall_s`) and of processors (`cpu_s`, with
programs that the compiler starts). Where the compiler is missing, `missing` says how to get it.

To PTX is ours: all of `tilewright.compile`, from the Python function to an artifact that can be
launched; Triton's: `triton.compile` up to its stage `ptx`, by its own clock. To a cubin it is
both with the same ptxas; to a code object all of either function.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import problems
import tools
from problems import Problem

Times = dict[str, dict[str, float]]


def _cpu(whose: int) -> float:
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


class Stopwatch:
    """Seconds since it was made: of the clock, this process, programs that it waited for."""

    def __init__(self) -> None:
        self._begun = self._now()

    def read(self) -> tuple[float, float, float]:
        """The three numbers."""
        return tuple(now - begun for now, begun in zip(self._now(), self._begun))

    @staticmethod
    def _now() -> tuple[float, float, float]:
        own, others = _cpu(resource.RUSAGE_SELF), _cpu(resource.RUSAGE_CHILDREN)
        return time.perf_counter(), own, others


def _ours() -> Callable[[Problem, str], Times]:
    import ours

    from tilewright.kernels.gemm import gemm_kernel
    from tilewright.testing.gpu_code import device_code

    def compile_once(problem: Problem, target: str) -> Times:
        gemm_kernel.cache_clear()
        watch = Stopwatch()
        kernel = ours.gemm(problem, target)
        wall, own, others = watch.read()
        compiled = {"wall_s": wall, "cpu_s": own + others}
        if not target.startswith("cuda:"):
            return {"code object": compiled}
        [code] = device_code(Path(kernel.path).read_bytes())
        watch = Stopwatch()
        with tempfile.TemporaryDirectory() as folder:
            text, arch = Path(folder, "kernel.ptx"), target.removeprefix("cuda:")
            text.write_bytes(code)
            command = [tools.ptxas(), f"-arch={arch}", "-o", str(text.with_suffix(".cubin"))]
            subprocess.run([*command, str(text)], check=True)
        wall, own, others = watch.read()
        cubin = {
            "wall_s": compiled["wall_s"] + wall,
            "cpu_s": compiled["cpu_s"] + own + others,
        }
        return {"ptx": compiled, "cubin": cubin}

    return compile_once


def _triton() -> Callable[[Problem, str], Times]:
    os.environ["TRITON_PTXAS_PATH"] = tools.ptxas()
    peer = tools.peer("triton")
    from triton import knobs

    def compile_once(problem: Problem, target: str) -> Times:
        told: list[Any] = []
        knobs.compilation.listener = lambda **found: told.append(found["times"])
        watch = Stopwatch()
        peer.compiled(problem, target)
        wall, own, others = watch.read()
        compiled = {"wall_s": wall, "cpu_s": own + others}
        if not target.startswith("cuda:"):
            return {"code object": compiled}
        [times] = told
        micro = times.ir_initialization
        for stage, taken in times.lowering_stages:
            if stage != "cubin":
                micro += taken
        # Of programs that it starts there is ptxas alone.
        return {"ptx": {"wall_s": micro / 1e6, "cpu_s": own}, "cubin": compiled}

    return compile_once


COMPILERS = {"tilewright": _ours, "triton": _triton}


@contextlib.contextmanager
def empty_cache() -> Iterator[None]:
    """Both compilers keep code in a new folder inside."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("TILEWRIGHT_CACHE_DIR", "TRITON_CACHE_DIR"):
            os.environ[name] = folder
        yield


def main() -> None:
    """Measure and print."""
    by, target, name, count = sys.argv[1:]
    [problem] = problems.select([name])
    begun = time.perf_counter()
    try:
        compile_once = COMPILERS[by]()
    except tools.MissingTool as error:
        print(json.dumps({"missing": str(error)}))
        return
    imported = time.perf_counter() - begun
    runs = []
    for _ in range(int(count)):
        with empty_cache():
            runs.append(compile_once(problem, target))
    print(json.dumps({"import_s": imported, "runs": runs}))


if __name__ == "__main__":
    main()
