"""Faults of the compiler itself: a CompileError with a reproducer, and the process goes on.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright import CompileError, _compiler
from tilewright.compiler.diagnostics import raise_for
from tilewright.compiler.lower import lower_prim_func

OPT = Path(_compiler.__file__).parents[2] / "bin" / "tilewright-opt"

# An instruction of AVX-512 in a kernel for a machine without it: LLVM's instruction selection
# gives up by a fatal error.
IMPOSSIBLE = """
    %v = llvm.mlir.constant(dense<2.0> : vector<16xf32>) : vector<16xf32>
    %mask = llvm.mlir.constant(-1 : i16) : i16
    %r = llvm.call_intrinsic "llvm.x86.avx512.rcp14.ps.512"(%v, %v, %mask)
      : (vector<16xf32>, vector<16xf32>, i16) -> vector<16xf32>
    %e = vector.extract %r[3] : f32 from vector<16xf32>
"""
TARGET = "cpu:znver3"
REASON = "Do not know how to split the result of this operator!"


@T.prim_func
def one(A: T.Tensor((4,), "float32")):
    with T.Kernel(1):
        A[0] = 1


def impossible() -> str:
    """The IR of `one` with an instruction that its target lacks."""
    text = lower_prim_func(one).text
    assert "tile.store" in text
    return re.sub(r"(\n *)%\S+ = arith.constant 1\.0\S* : f32[^\n]*",
                  lambda m: m[0] + IMPOSSIBLE, text).replace(
        re.search(r"tile.store (%\S+),", text)[1] + ",", "%e,"
    )  # fmt: skip


def nested(depth: int) -> str:
    """A module with an attribute so deep that to parse it overflows any stack."""
    return f"module attributes {{deep = {'[' * depth}{']' * depth}}} {{}}"


def compiled(ir: str, target: str = TARGET) -> dict:
    """What the compiler says of a module's text."""
    return _compiler.compile(ir, {"target": target})


def test_a_fatal_error_of_llvm_is_a_result():
    result = compiled(impossible())
    assert not result["ok"]
    assert result["fault"] == f"code generation: {REASON}"
    assert compiled(lower_prim_func(one).text)["ok"], "the next compilation is as ever"


def test_a_stack_overflow_is_a_result():
    result = compiled(nested(2_000_000))
    assert result["fault"] == "the compiler: Segmentation fault"
    assert compiled(lower_prim_func(one).text)["ok"]


def test_it_is_reported_with_a_reproducer_that_runs():
    ir = impossible()
    with pytest.raises(CompileError) as caught:
        raise_for(compiled(ir), ir, "one", TARGET)
    error = caught.value
    assert error.message == f"internal error while compiling one: code generation: {REASON}"
    assert error.place.file == __file__
    path = re.search(r"report it with (\S+),", error.hint)[1]
    run = subprocess.run([OPT, "--run-reproducer", path], capture_output=True, text=True)
    assert run.returncode != 0
    assert f"LLVM ERROR: {REASON}" in run.stderr
    Path(path).unlink()


@pytest.mark.parametrize("target", ["cpu", "cuda:sm_80", "hip:gfx942"])
def test_the_reproducer_of_a_sound_kernel_runs_to_its_end(tmp_path, target):
    """So every pass and option in it is known to tilewright-opt."""
    file = tmp_path / "sound.mlir"
    file.write_text(_compiler.reproducer(lower_prim_func(one).text, target))
    run = subprocess.run([OPT, "--run-reproducer", file], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "llvm.func" in run.stdout
    for stage in compiled(lower_prim_func(one).text, target)["stages"]:
        assert stage in file.read_text()


def test_other_threads_compile_on():
    results: list[bool] = []

    def work() -> None:
        for _ in range(4):
            results.append(compiled(lower_prim_func(one).text)["ok"])

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        assert compiled(nested(1_000_000))["fault"]
    for thread in threads:
        thread.join()
    assert results == [True] * 12


def test_pythons_own_handlers_stay(tmp_path):
    """A crash outside of the compiler is reported by faulthandler, after a contained one."""
    script = tmp_path / "crash.py"
    script.write_text(
        "import faulthandler, ctypes\n"
        "faulthandler.enable()\n"
        "from tilewright import _compiler\n"
        "text = 'module attributes {deep = ' + '[' * 1000000\n"
        "assert _compiler.compile(text, {})['fault']\n"
        "ctypes.string_at(0)\n"
    )
    run = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert run.returncode == -11
    assert "Fatal Python error: Segmentation fault" in run.stderr
    assert "crash.py" in run.stderr


# ---- Depth and length ----------------------------------------------------------------------


def function(tmp_path: Path, name: str, body: str) -> object:
    """A prim_func with this text as its body."""
    text = (
        "import tilewright.language as T\n@T.prim_func\n"
        'def kernel(A: T.Tensor((8,), "float32"), n: T.int32):\n'
        f"    with T.Kernel(1):\n{body}"
    )
    file = tmp_path / f"{name}.py"
    file.write_text(text)
    names: dict = {}
    exec(compile(text, str(file), "exec"), names)
    return names["kernel"]


def terms(count: int) -> str:
    return f"        A[0] = {' + '.join(['A[1]'] * count)}\n"


def branches(count: int) -> str:
    return "".join(
        f"        {'el' if i else ''}if n == {i}:\n            A[0] = {i}\n"
        for i in range(count)
    )


@pytest.mark.parametrize(("body", "expected"), [(terms, 150), (branches, 77)])
def test_code_that_nests_a_hundred_deep(tmp_path, body, expected):
    a = np.ones(8, np.float32)
    tilewright.compile(function(tmp_path, body.__name__, body(150)))(a, 77)
    assert a[0] == expected


@pytest.mark.parametrize("body", [terms, branches])
def test_code_that_nests_a_thousand_deep_is_refused(tmp_path, body):
    kernel = function(tmp_path, body.__name__, body(1500))
    with pytest.raises(CompileError, match="nested too deeply") as caught:
        tilewright.compile(kernel)
    assert caught.value.place.line >= 5
    assert caught.value.rule
    assert caught.value.hint


def test_five_thousand_statements(tmp_path):
    body = "".join(f"        A[{i % 8}] = A[{(i + 1) % 8}] + {i}\n" for i in range(5000))
    kernel = function(tmp_path, "long", body)
    expected = np.zeros(8, np.float32)
    for i in range(5000):
        expected[i % 8] = expected[(i + 1) % 8] + np.float32(i)
    a, start = np.zeros(8, np.float32), time.perf_counter()
    tilewright.compile(kernel)(a, 0)
    assert time.perf_counter() - start < 60, "a second or two, on a machine that is not busy"
    assert np.array_equal(a, expected)
