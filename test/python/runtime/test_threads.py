"""Many threads of one process compile, recall and launch at once.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

import tilewright
import tilewright.language as T

THREADS = 6


def scaled_sum(rows: int, factor: int) -> T.prim_func:
    """Row sums times a factor, through tiles of a block and a second kernel."""

    @T.prim_func
    def kernel(X: T.Tensor((rows, 40), "int32"), Y: T.Tensor((rows,), "int32")):
        Part = T.alloc_global((rows,), "int32")
        with T.Kernel(T.ceildiv(rows, 8)) as block:
            x = T.alloc_shared((8, 40), "int32")
            y = T.alloc_fragment((8,), "int32")
            T.copy(X[block * 8, 0], x)
            T.reduce_sum(x, y, dim=1)
            T.copy(y, Part[block * 8])
        with T.Kernel(T.ceildiv(rows, 16)) as block:
            for i in T.Parallel(16):
                Y[block * 16 + i] = Part[block * 16 + i] * factor

    return kernel


def mismatched(extent: int) -> T.prim_func:
    """A kernel that copies four elements to another number of them."""

    @T.prim_func
    def kernel(X: T.Tensor((8,), "int32")):
        with T.Kernel(1):
            tile = T.alloc_shared((extent,), "int32")
            T.copy(X[0:4], tile)

    return kernel


def check(kernel: Callable, rows: int, factor: int, seed: int) -> None:
    x = np.random.default_rng(seed).integers(-99, 99, (rows, 40), np.int32)
    y = np.full(rows, -1, np.int32)
    kernel(x, y)
    assert np.array_equal(y, x.sum(1, dtype=np.int32) * np.int32(factor))


def at_once(work: Callable[[int], None]) -> None:
    """`work(number)` in each of the threads; the first failure is raised."""
    failures: list[BaseException] = []
    start = threading.Barrier(THREADS)

    def run(number: int) -> None:
        try:
            start.wait()
            work(number)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TILEWRIGHT_CACHE_DIR", str(tmp_path))


@pytest.mark.usefixtures("empty_cache")
def test_one_kernel_compiled_by_all():
    def work(number: int) -> None:
        check(tilewright.compile(scaled_sum(50, 3)), 50, 3, number)

    at_once(work)


@pytest.mark.usefixtures("empty_cache")
def test_different_kernels_and_errors_beside_them():
    def work(number: int) -> None:
        for step in range(3):
            factor = 10 * number + step
            kernel = tilewright.compile(scaled_sum(33, factor))
            check(kernel, 33, factor, number)
            with pytest.raises(ValueError, match="X"):
                kernel(np.zeros((34, 40), np.int32), np.zeros(33, np.int32))

            with pytest.raises(tilewright.CompileError, match=rf"\b{9 + factor}\b"):
                tilewright.compile(mismatched(9 + factor))

    at_once(work)


def test_launches_while_the_number_of_threads_changes():
    kernel = tilewright.compile(scaled_sum(1000, 7))
    before = tilewright.num_threads()

    def work(number: int) -> None:
        for step in range(40):
            if number == 0:
                tilewright.set_num_threads(1 + step % 3)
            check(kernel, 1000, 7, number)

    try:
        at_once(work)
    finally:
        tilewright.set_num_threads(before)


@pytest.mark.usefixtures("empty_cache")
def test_a_jit_kernel_is_first_called_by_all():
    @tilewright.jit
    def double(X):
        n = T.const("n")
        X: T.Tensor((n,), "float32")
        Y = T.empty((n,), "float32")
        with T.Kernel(T.ceildiv(n, 64)) as block:
            for i in T.Parallel(64):
                Y[block * 64 + i] = X[block * 64 + i] * 2
        return Y

    def work(number: int) -> None:
        for n in (number + 1, 100, 65):
            x = np.arange(n, dtype=np.float32)
            assert np.array_equal(double(x), 2 * x)

    at_once(work)
