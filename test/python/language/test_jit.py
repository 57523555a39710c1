"""Eager and lazy kernels, choices, the kernel object.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import itertools
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright import CompileError
from tilewright.compiler import driver
from tilewright.compiler.eager import lower_eager
from tilewright.language.choices import Choices

REPOSITORY = Path(__file__).parents[3]


@tilewright.jit
def scaled(A, factor: T.float32, block: int = 64, relu: bool = False):
    M = T.const("M")
    n = T.dynamic("n")
    A: T.Tensor((n, M), "float32")
    B = T.empty((n, M), "float32")
    Rows = T.empty((n,), "float32")
    with T.Kernel(n) as row:
        x = T.alloc_fragment((M,), "float32")
        total = T.alloc_fragment((1,), "float32")
        T.copy(A[row, 0], x)
        for i in T.Parallel(M):
            x[i] = x[i] * factor
            if relu:
                x[i] = T.max(x[i], 0)
        T.reduce_sum(x, total)
        T.copy(x, B[row, 0])
        Rows[row] = total[0]
    return Rows, B


def test_eager_outputs_and_run_time_scalars():
    def kernels():
        return [k for family in scaled._kernels.values() for k in family.kernels.values()]

    others = len(kernels())
    a = np.arange(-6, 6, dtype=np.float32).reshape(3, 4)
    for factor in (2.0, 3.5):
        rows, b = scaled(a, factor)
        assert np.array_equal(b, a * np.float32(factor))
        assert np.array_equal(rows, b.sum(1))
    rows, b = scaled(a, 1.0, relu=True)
    assert np.array_equal(b, np.maximum(a, 0))
    # One kernel for every n and factor; another for each M and Python value.
    before = kernels()
    scaled(np.zeros((9, 4), np.float32), 7.0)
    assert before == kernels()
    assert len(before) == others + 2


def test_eager_arguments_bind_as_python_does():
    a = np.zeros((2, 4), np.float32)
    with pytest.raises(TypeError, match="lacks factor"):
        scaled(a)
    with pytest.raises(TypeError, match="blck is no parameter"):
        scaled(a, 1.0, blck=3)
    with pytest.raises(TypeError, match="takes 4 arguments"):
        scaled(a, 1.0, 2, False, 5)
    with pytest.raises(ValueError, match="A has 1 dimensions and is declared with 2"):
        scaled(a[0], 1.0)


def test_equal_values_of_other_types_are_other_kernels():
    @tilewright.jit(out_idx=[0])
    def constant(value):
        @T.prim_func
        def kernel(Out: T.Tensor((1,), "float32")):
            with T.Kernel(1):
                Out[0] = 1 if value is True else 2

        return kernel

    assert constant(True)()[0] == 1
    assert constant(1)()[0] == 2
    assert constant([1, 2]) is constant([1, 2])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("    with T.Kernel(1):\n        A[0] = 1", "the parameter A has no type yet"),
        ("    M = T.const('M')\n    with T.Kernel(M) as i:\n        pass", "M of T.const has"),
        ("    A: T.Tensor((4,), 'float32')\n    C = T.empty((4,), 'float32')\n"
         "    with T.Kernel(1):\n        A[0] = 1", "the output C of T.empty is not returned"),
        ("    A: T.Tensor((4,), 'float32')\n    with T.Kernel(1):\n        A[0] = 1\n"
         "    return A", "returns something other than its outputs"),
        ("    A: 4\n    with T.Kernel(1):\n        A[0] = 1", "A is declared as 4"),
        ("    A: T.Tensor((4,), 'float32')\n    A: T.Tensor((4,), 'float32')\n"
         "    with T.Kernel(1):\n        A[0] = 1", "A is declared twice"),
    ],
)  # fmt: skip
def test_wrong_eager_kernels(tmp_path, body, message):
    path = tmp_path / "wrong_kernel.py"
    path.write_text(f"import tilewright.language as T\ndef kernel(A):\n{body}\n")
    names: dict = {}
    exec(compile(path.read_text(), str(path), "exec"), names)
    with pytest.raises(CompileError) as caught:
        lower_eager(names["kernel"], {}, {"A": np.zeros(4, np.float32)}, {})
    assert message in caught.value.message
    assert caught.value.hint
    assert caught.value.place.file == str(path)


def test_a_function_that_is_no_kernel():
    @tilewright.jit
    def nothing():
        return 3

    with pytest.raises(CompileError, match="nothing is no kernel: it has no T.Kernel"):
        nothing()


def test_source_that_is_not_there():
    names: dict = {}
    exec(compile("def f(A):\n  pass", "<nowhere>", "exec"), names)
    with pytest.raises(CompileError, match="the source of f is not available"):
        tilewright.jit(names["f"])(1)


def test_unknown_options_are_refused():
    with pytest.raises(CompileError, match="there is no option 'fast'"):
        tilewright.jit(pass_configs={"fast": True})
    tilewright.jit(pass_configs={"tl.disable_tma_lower": True})


# -- choices ----------------------------------------------------------------------------------


def test_choices_go_through_the_nearest_combinations_first():
    found, choices = [], Choices()
    while choices is not None:
        with choices:
            found.append((T.choose("A", [1, 2]), T.choose("B", ["x", "y", "z"])))
        choices = choices.next()
    assert found == [(1, "x"), (1, "y"), (2, "x"), (1, "z"), (2, "y"), (2, "z")]


def test_all_combinations_come_once_by_their_distance():
    lists, found, choices = ([0, 1], [0, 1, 2], [0], [0, 1, 2, 3]), [], Choices()
    while choices is not None:
        with choices:
            found.append(tuple(T.choose(str(i), entries) for i, entries in enumerate(lists)))
        choices = choices.next()
    assert found == sorted(itertools.product(*lists), key=lambda place: (sum(place), place))


def test_lists_that_depend_on_choices_are_gone_through_in_turn():
    sizes, found, choices = (2, 4, 1, 5), [], Choices()
    while choices is not None:
        with choices:
            first = T.choose("first", [0, 1, 2, 3])
            found.append((first, T.choose("second", list(range(sizes[first])))))
        choices = choices.next()
    assert set(found) == {(a, b) for a in range(4) for b in range(sizes[a])}
    assert len(found) < 2 * sum(sizes)


def test_many_choices_are_not_listed_beforehand():
    choices = Choices()
    for _ in range(100):
        with choices:
            for number in range(40):
                T.choose(f"choice {number}", list(range(40)))
        choices = choices.next()
    assert sum(choices.taken.values()) == 2


def chosen_kernel():
    BM = T.choose("BM", [1 << 20, 512, 64])

    @T.prim_func
    def kernel(A: T.Tensor((64,), "float32")):
        BN = T.choose("BN", [4, 2])
        with T.Kernel(1):
            tile = T.alloc_shared((BM, BN), "float32")
            T.clear(tile)
            for i in T.serial(64):
                A[i] = tile[0, 0] + BM * 10 + BN

    return kernel


def test_the_first_choice_that_fits_is_taken():
    kernel = tilewright.compile(chosen_kernel())
    assert kernel.choices()["choose"] == {"BM": 512, "BN": 4}
    assert kernel.plan()["fits"]
    assert "BM = 512 was taken by T.choose" in kernel.remarks()
    a = np.zeros(64, np.float32)
    kernel(a)
    assert np.all(a == 5124)
    assert tilewright.compile(chosen_kernel()).choices() == kernel.choices()


def test_the_last_choice_is_taken_where_none_fits(monkeypatch):
    monkeypatch.setattr(driver, "_fits", lambda module, options: False)
    monkeypatch.setattr(driver.cache, "obtain", _without_cache)
    module = driver._attempt(lambda: driver.lower_prim_func(chosen_kernel()), Choices())
    _, choices = driver._fitting(
        lambda: driver.lower_prim_func(chosen_kernel()), *module, {"target": "cpu"}
    )
    assert choices.values() == {"BM": 64, "BN": 2}


def _without_cache(key, compile_):
    import types

    return types.SimpleNamespace(record=compile_(Path("/dev/null")))


# -- the kernel object ------------------------------------------------------------------------


def test_kernel_object():
    kernel = scaled.compile(np.zeros((2, 4), np.float32), 1.0)
    assert kernel.name == "scaled"
    assert kernel.parameters == ["A", "factor", "B", "Rows"]
    assert kernel.ir().startswith("func.func @scaled(%A: memref<?x4xf32")
    assert kernel.ir("tile") == kernel.ir()
    assert list(kernel.stages())[0] == "tile"
    with pytest.raises(KeyError, match="no stage 'nothing'; there are tile, "):
        kernel.ir("nothing")
    assert ".text" in kernel.asm()
    assert "define" in kernel.llvm()
    assert kernel.obj().startswith(b"\x7fELF")
    buffers = kernel.plan()["kernels"][0]["buffers"]
    assert {b["name"] for b in buffers} >= {"x", "total"}
    assert kernel.manifest["name"] == "scaled"


def test_compile_errors_carry_no_frames_of_the_front_end():
    @T.prim_func
    def kernel(A: T.Tensor((4,), "float32")):
        with T.Kernel(1):
            A[0, 0] = 1

    with pytest.raises(CompileError) as caught:
        tilewright.compile(kernel)
    files = [Path(entry.path).name for entry in caught.traceback]
    assert files == ["test_jit.py", "driver.py"]


def test_import_is_light():
    code = (
        "import time; t = time.process_time(); import tilewright, tilewright.language\n"
        "import sys; t = time.process_time() - t\n"
        "print(t, *(m for m in ('torch', 'numpy', 'tilewright._compiler') if m in sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(REPOSITORY / "python"), "PATH": ""},
    )  # fmt: skip
    seconds, *modules = run.stdout.split()
    assert modules == []
    assert float(seconds) < 0.25


def test_the_front_end_is_quick():
    import time

    kernel = chosen_kernel()
    with Choices():
        driver.lower_prim_func(kernel)
        start = time.perf_counter()
        driver.lower_prim_func(kernel)
    assert time.perf_counter() - start < 0.015


@tilewright.jit
def scaled_groups(A, S, group: int = 16):
    M, N = T.const("M N")  # TileLang takes spaces too
    shape = [M, N]
    groups = (N + group - 1) // group
    A: T.Tensor(shape, "float32")
    S: T.Tensor((M, T.ceildiv(N, group)), "float32")
    B = T.empty(shape, "float32")
    with T.Kernel(M, groups) as (i, g):
        for j in T.Parallel(group):
            B[i, g * group + j] = A[i, g * group + j] * S[i, g]
    return B


def test_expressions_of_const_sizes():
    rng = np.random.default_rng(3)
    a, s = rng.standard_normal((3, 37), np.float32), rng.standard_normal((3, 3), np.float32)
    expected = a * np.repeat(s, 16, axis=1)[:, :37]
    assert np.array_equal(scaled_groups(a, s), expected)
    with pytest.raises(ValueError, match="S"):
        scaled_groups(a, s[:, :2].copy())


def test_a_const_size_has_no_value_before_its_parameter():
    @tilewright.jit
    def early(A):
        n = T.const("n")
        if n > 4:
            pass
        A: T.Tensor((n,), "float32")
        with T.Kernel(1):
            A[0] = 0

    with pytest.raises(CompileError, match="n of T.const has no value yet"):
        early(np.zeros(8, np.float32))


@pytest.mark.parametrize(
    ("size", "stride", "message"),
    [
        ("M * 1.5", "N", "the size (M * 1.5) of B is 6.0"),
        ("M - 5", "N", "the size (M - 5) of B is -1"),
        ("M * 2**62", "N", "the size (M * 4611686018427387904) of B is 18446744073709551616"),
        ("M // 0", "N", "(M // 0) has no value where M = 4, N = 4"),
        ("M", "N / 2", "the stride (N / 2) of B is 2.0"),
    ],
)
def test_expressions_that_are_no_sizes(size, stride, message, tmp_path):
    file = tmp_path / "no_sizes.py"
    file.write_text(
        "import tilewright\nimport tilewright.language as T\n\n\n"
        "@tilewright.jit\n"
        "def kernel(A, B):\n"
        "    M, N = T.const('M N')\n"
        "    A: T.Tensor((M, N), 'float32')\n"
        f"    B: T.StridedTensor(({size}, N), ({stride}, 1), 'float32')\n"
        "    with T.Kernel(1):\n"
        "        B[0, 0] = A[0, 0]\n"
    )
    kernel = runpy.run_path(str(file))["kernel"]
    with pytest.raises(CompileError) as caught:
        kernel(np.zeros((4, 4), np.float32), np.zeros((4, 4), np.float32))
    assert message in caught.value.message
    assert caught.value.place.line == 9
    assert caught.value.rule


def test_numpy_numbers_are_python_numbers():
    n, block, table = np.int64(50), np.int32(16), np.array([2, 0, 1])

    @tilewright.jit(out_idx=[1])
    def lazy(factor):
        @T.prim_func
        def kernel(A: T.Tensor((n,), "float32"), B: T.Tensor(n, "float32")):
            with T.Kernel(T.ceildiv(n, block), threads=np.int64(64)) as b:
                x = T.alloc_shared((block,), "float32")
                T.copy(A[b * block], x)
                for i in T.Parallel(block):
                    x[i] = x[i] * factor + table[0]
                T.copy(x, B[b * block])

        return kernel

    a = np.arange(50, dtype=np.float32)
    assert np.array_equal(lazy(np.float32(0.5))(a), a / 2 + 2)
    rows, b = scaled(a.reshape(10, 5), np.float32(2), np.int64(32), relu=np.bool_(True))
    assert np.array_equal(b, a.reshape(10, 5) * 2)


def test_a_lazy_kernel_called_with_arrays_says_what_it_takes():
    @tilewright.jit(out_idx=[1])
    def lazy(n):
        raise AssertionError

    with pytest.raises(TypeError, match="takes Python values, not arrays"):
        lazy(np.zeros(3, np.float32))


def test_a_dtype_is_made_from_any_spelling():
    assert T.dtype("float16") is T.float16
    assert T.dtype(np.dtype(np.int8)) is T.int8
    assert T.dtype(T.bfloat16).bits == 16
    with pytest.raises(CompileError, match="half-float"):
        T.dtype("half-float")


def test_an_array_that_may_be_left_out():
    @tilewright.jit
    def biased(A, Bias=None):
        n = T.dynamic("n")
        A: T.Tensor((n,), "float32")
        Out = T.empty((n,), "float32")
        if Bias is not None:
            Bias: T.Tensor((n,), "float32")
        with T.Kernel(n) as i:
            Out[i] = A[i] * 2 if Bias is None else A[i] + Bias[i]
        return Out

    a = np.arange(5, dtype=np.float32)
    assert np.array_equal(biased(a), a * 2)
    assert np.array_equal(biased(a, a + 1), a * 2 + 1)
    assert np.array_equal(biased(a, Bias=None), a * 2)


def test_an_output_is_returned_once():
    @tilewright.jit
    def twice(A):
        A: T.Tensor((4,), "float32")
        B = T.empty((4,), "float32")
        with T.Kernel(4) as i:
            B[i] = A[i]
        return B, B

    with pytest.raises(CompileError, match="the output B is returned twice"):
        twice(np.zeros(4, np.float32))


def test_a_target_that_ends_in_a_colon_is_refused():
    with pytest.raises(CompileError, match="'cuda-emulator:' names nothing behind the colon"):
        tilewright.jit(target="cuda-emulator:")(lambda: None)
