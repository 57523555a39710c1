"""How checking mode is asked for and what it leaves as it is.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import os

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright import _compiler, cli, emulator
from tilewright.compiler import driver
from tilewright.faults import Fault
from tilewright.kernels import registry
from tilewright.testing import verify

from .programs import numbers


def scaled(debug, by: float = 2.0):
    """A kernel that reads element `at` of a tile of 8, which must be below 8."""

    @tilewright.jit(debug=debug)
    def kernel(A, at):
        A: T.Tensor((8,), "float32")
        at: T.int32
        B = T.empty((4,), "float32")
        with T.Kernel(4) as bx:
            s = T.alloc_shared((8,), "float32")
            T.copy(A, s)
            B[bx] = s[at] * by
        return B

    return kernel


def test_a_fault_is_a_kernel_fault_with_records():
    with pytest.raises(tilewright.KernelFault) as raised:
        scaled(True)(numbers(8), 8)
    [fault] = raised.value.faults
    assert fault.message == "s[8] is read, outside its shape (8,) in dimension 0"
    assert fault.repeated == 3  # in blocks 1 to 3
    assert str(raised.value).endswith("  and 3 more times here")


def test_a_launch_after_a_fault_is_sound():
    kernel = scaled(True)
    with pytest.raises(tilewright.CheckError):
        kernel(numbers(8), -1)
    assert (kernel(numbers(8), 3) == numbers(8)[3] * 2).all()


@pytest.mark.parametrize(("said", "is_checked"), [("1", True), ("nan", True), ("0", False)])
def test_the_environment_asks_for_it(monkeypatch, said, is_checked):
    monkeypatch.setenv("TILEWRIGHT_DEBUG", said)
    kernel = scaled(None).compile(numbers(8), 0)
    assert ("tile.check_access" in kernel.ir("check-accesses")) if is_checked else (
        "check-accesses" not in kernel.stages()
    )  # fmt: skip
    assert ("tile.check_value" in kernel.stages().get("check-accesses", "")) == (said == "nan")


def test_debug_goes_before_the_environment(monkeypatch):
    monkeypatch.setenv("TILEWRIGHT_DEBUG", "1")
    assert "check-accesses" not in scaled(False).compile(numbers(8), 0).stages()


@pytest.mark.parametrize("debug", ["yes", 2, 1.0])
def test_other_values_are_refused(debug):
    with pytest.raises(tilewright.CompileError, match="(?s)debug=.*rule: checking mode"):
        scaled(debug)


def test_compile_takes_it():
    @T.prim_func
    def kernel(A: T.Tensor((8,), "float32"), B: T.Tensor((8,), "float32")):
        with T.Kernel(1):
            s = T.alloc_shared((8,), "float32")
            T.copy(s, B)

    checked = tilewright.compile(kernel, debug=True)
    with pytest.raises(tilewright.CheckError, match=r"s\[0\] is read by T.copy before"):
        checked(numbers(8), numbers(8))


def test_kernels_after_a_fault_do_not_run():
    @tilewright.jit(debug=True)
    def kernel(A, at, B):
        A: T.Tensor((8,), "float32")
        at: T.int32
        B: T.Tensor((8,), "float32")
        with T.Kernel(1):
            s = T.alloc_shared((8,), "float32")
            T.copy(A, s)
            B[0] = s[at]
        with T.Kernel(8) as bx:
            B[bx] = 1.0

    b = np.zeros(8, np.float32)
    with pytest.raises(tilewright.CheckError):
        kernel(numbers(8), 9, b)
    assert not b.any()


def test_choices_are_those_of_the_kernel_itself():
    def kernel(debug):
        @tilewright.jit(debug=debug)
        def chosen(A):
            n = T.const("n")
            A: T.Tensor((n,), "float32")
            B = T.empty((n,), "float32")
            block = T.choose("block", [1 << 22, 1 << 10])
            with T.Kernel(T.ceildiv(n, block)) as bx:
                s = T.alloc_shared((block,), "float32")
                for i in T.Parallel(block):
                    s[block - 1 - i] = A[bx * block + i] * 2.0
                T.copy(s, B[bx * block])
            return B

        return chosen.compile(n=64).choices()["choose"]

    assert kernel(True) == kernel(False) == {"block": 1 << 10}


def test_what_would_go_outside_of_a_tensor_is_not_read():
    @tilewright.jit(debug=True)
    def kernel(A):
        A: T.Tensor((20, 5), "float32")
        B = T.empty((20, 5), "float32")
        with T.Kernel(3) as bx:
            f = T.alloc_fragment((8, 8), "float32")
            for i, j in T.Parallel(8, 8):
                if bx * 8 + i < 20 and j < 5:
                    f[i, j] = A[bx * 8 + i, j] + 1.0
            T.copy(f, B[bx * 8, 0])
        return B

    a = numbers(20, 5)
    np.testing.assert_array_equal(kernel(a), a + 1)


def test_a_side_that_is_not_chosen_is_not_read():
    @tilewright.jit(debug=True)
    def kernel(A):
        A: T.Tensor((8,), "int32")
        B = T.empty((8,), "int32")
        with T.Kernel(1):
            s = T.alloc_shared((8,), "int32")
            for i in T.Parallel(8):
                if i % 2 == 0:
                    s[i] = A[i]
            for i in T.Parallel(8):
                B[i] = s[i] if i % 2 == 0 and s[i] > 3 else -1
        return B

    np.testing.assert_array_equal(
        kernel(np.arange(8, dtype=np.int32)), [-1, -1, -1, -1, 4, -1, 6, -1]
    )


def test_the_emulators_have_the_same_records():
    assert emulator.Fault is Fault


def test_elements_of_interleaved_tensors_are_apart():
    @tilewright.jit(debug=True)
    def kernel(A, B):
        A: T.StridedTensor((16,), (2,), "float32")
        B: T.StridedTensor((16,), (2,), "float32")
        with T.Kernel(16) as bx:
            A[bx] = A[bx] + B[15 - bx]

    both = numbers(32)
    right = both[::2] + both[1::2][::-1]
    kernel(both[::2], both[1::2])
    assert (both[::2] == right).all()


def test_results_do_not_depend_on_threads_nor_do_reports():
    said = set()
    try:
        for threads in (1, 2):
            tilewright.set_num_threads(threads)
            with pytest.raises(tilewright.CheckError) as raised:
                scaled(True)(numbers(8), 8)
            said.add(str(raised.value))
    finally:
        tilewright.set_num_threads(0)
    assert len(said) == 1


SAMPLE = ["gemm", "softmax", "moe_permute", "mla_decode", "moe_gate", "act_quant"]


@pytest.fixture
def built(monkeypatch):
    """The options of every kernel that is built."""
    options = []
    build = driver.build
    monkeypatch.setattr(
        driver, "build", lambda lower, asked: options.append(asked) or build(lower, asked)
    )
    return options


@pytest.mark.parametrize("name", SAMPLE)
def test_a_library_kernel_is_not_reported(name, monkeypatch, built):
    monkeypatch.setenv("TILEWRIGHT_DEBUG", "1")
    cases = [case for case in registry.verify_cases([name]) if case.bytes]
    smallest = min(cases, key=lambda case: case.bytes + case.flops)
    # The library keeps kernels by target; under this name it has none that are not checked.
    result = verify.verify_case(smallest, _compiler.resolve_target("cpu"))
    assert result.status == verify.PASS, result.reason
    assert [options["debug"] for options in built] == ["accesses"] * max(len(built), 1)


def test_the_command_line_verifies_under_checking(capsys, built):
    cases = [case for case in registry.verify_cases(["swiglu"]) if case.bytes]
    case = min(cases, key=lambda case: case.bytes)
    assert cli.main(["verify", "--debug", "--device", "cpu:x86-64-v3", case.id]) == 0
    assert "1 pass, 0 fail" in capsys.readouterr().out
    assert built[0] == {"target": "cpu:x86-64-v3", "debug": "accesses"}
    assert "TILEWRIGHT_DEBUG" not in os.environ
