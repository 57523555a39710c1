"""Votes of lanes, executed: nothing in the language makes them yet, so they are put into IR.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import re

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright import _compiler, runtime

THREADS = 128
LANES = {"cuda-emulator:sm_80": 32, "hip-emulator:gfx942": 64}
MARK = 12345  # stands where the vote is put


@T.prim_func
def marked(A: T.Tensor((THREADS,), "int64"), B: T.Tensor((THREADS,), "int64")):
    with T.Kernel(1, threads=THREADS):
        for i in T.Parallel(THREADS):
            B[i] = A[i] + MARK


def voting(ir: str, kind: str) -> str:
    """`ir` with a vote on whether A is not zero in place of the sum."""
    [(result, operand)] = re.findall(rf"(%\w+) = arith\.addi (%\w+), %c{MARK}_i64 : i64", ir)
    bits = "i64" if kind == "ballot" else "i1"
    vote = f"""
      %none = arith.constant 0 : i64
      %says = arith.cmpi ne, {operand}, %none : i64
      %vote = simt.vote {kind} %says : {bits}
      {result} = arith.{"ori %vote, %none" if bits == "i64" else "extui %vote"} : """
    vote += "i64" if bits == "i64" else "i1 to i64"
    return re.sub(rf"{result} = arith\.addi .*", vote, ir)


def expected(says: np.ndarray, kind: str, lanes: int) -> np.ndarray:
    """What each thread gets."""
    warps = says.reshape(-1, lanes)
    if kind == "ballot":
        bits = np.left_shift(np.uint64(1), np.arange(lanes, dtype=np.uint64))
        votes = np.where(warps, bits, np.uint64(0)).sum(axis=1, dtype=np.uint64)
        votes = votes.view(np.int64)
    else:
        votes = (warps.any(axis=1) if kind == "any" else warps.all(axis=1)).astype(np.int64)
    return np.repeat(votes, lanes)


@pytest.mark.parametrize("gpu", LANES)
@pytest.mark.parametrize("kind", ["any", "all", "ballot"])
def test_every_lane_gets_the_vote(tmp_path, gpu, kind):
    kernel = tilewright.compile(marked, target=gpu)
    path = tmp_path / "votes.so"
    options = {"target": gpu, "output": str(path)}
    changed = voting(kernel.ir("distribute"), kind)
    result = _compiler.compile(kernel.ir(), options | {"replace": ("distribute", changed)})
    assert result["ok"], result
    launch = runtime.load(path, [1], gpu)
    generator = np.random.default_rng(5)
    for says in (
        generator.random(THREADS) < 0.5,
        np.zeros(THREADS, bool),
        np.ones(THREADS, bool),
        np.arange(THREADS) == 37,
        np.arange(THREADS) != 101,
    ):
        got = launch(says.astype(np.int64) * 7)
        np.testing.assert_array_equal(got, expected(says, kind, LANES[gpu]))
