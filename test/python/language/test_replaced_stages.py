"""IR that was changed by hand takes the place of a stage.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re

import numpy as np
import pytest

import tilewright.language as T
from tilewright import _compiler
from tilewright.compiler.lower import lower_prim_func
from tilewright.runtime import load


@T.prim_func
def add_one(A: T.Tensor((8,), "float32")):
    with T.Kernel(1):
        for i in T.Parallel(8):
            A[i] = A[i] + 1.0


IR = lower_prim_func(add_one).text
TARGETS = ["cpu", "cuda-emulator:sm_80", "hip-emulator:gfx942"]


def compiled(target: str, **options: object) -> dict:
    return _compiler.compile(IR, {"target": target, **options})


def stages(target: str) -> dict[str, str]:
    return compiled(target, stages=True)["stages"]


def errors(result: dict) -> str:
    assert not result["ok"]
    return "\n".join(d["message"] for d in result["diagnostics"] if d["severity"] == "error")


def code(result: dict) -> str:
    """The LLVM IR without places in a source file, which count among its metadata."""
    assert result["ok"], errors(result)
    text = re.sub(r"![0-9]+", "!", re.sub(r",? !dbg ![0-9]+", "", result["llvm"]))
    return "".join(line for line in text.splitlines(True) if not line.startswith(("!", ";")))


@pytest.mark.parametrize("target", TARGETS)
def test_every_stage_goes_on_as_it_was(target):
    sound = code(compiled(target, emit=["llvm"]))
    for stage, text in stages(target).items():
        assert code(compiled(target, emit=["llvm"], replace=(stage, text))) == sound, stage


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("stage", ["cse", "cse-2"])
def test_an_edited_stage_runs(target, stage, tmp_path):
    edited = stages(target)[stage].replace("1.000000e+00", "4.000000e+00")
    path = tmp_path / "kernel.so"
    result = compiled(target, output=str(path), replace=(stage, edited))
    assert result["ok"], errors(result)
    values = np.arange(8, dtype=np.float32)
    load(path, None, target)(values)
    assert values.tolist() == [i + 4 for i in range(8)]


def test_what_replaces_a_stage_is_verified():
    text = stages("cuda-emulator:sm_80")["lower-channels"]
    barrier = "tile.parallel (%arg2) in (8) {\n simt.barrier"
    edited = re.sub(r"tile\.parallel \(%\w+\) in \(8\) .*\{", barrier, text)
    assert edited != text
    said = errors(compiled("cuda-emulator:sm_80", replace=("lower-channels", edited)))
    assert "'simt.barrier' op (C1)" in said


@pytest.mark.parametrize(
    ("stage", "text", "said"),
    [
        ("cse", "func.func @add_one(", "expected"),
        ("cse-7", IR, "no stage 'cse-7'"),
        ("prove-bounds", "func.func @other() { return }", "no stage 'prove-bounds'"),
        ("cse", "func.func @other() { return }", "it has no function 'add_one'"),
        ("outline-kernels", "func.func @other() { return }", "it has no function 'add_one'"),
        (
            "cse",
            "func.func @add_one(%n: i64) { return }",
            "it has other parameters of 'add_one'",
        ),
    ],
    ids=["no IR", "no stage", "another function", "kernel", "lowered", "parameters"],
)
def test_a_wrong_replacement_is_an_error(stage, text, said):
    assert said in errors(compiled("cpu", replace=(stage, text)))
