"""The demo's table of one source on three machines.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from pathlib import Path

import pytest

from tilewright.kernels import registry

ROOT = Path(__file__).resolve().parents[3]
CASE = "softmax/n100/f32"


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch):
    """examples/demo_devices.py."""
    path = ROOT / "examples" / "demo_devices.py"
    spec = importlib.util.spec_from_file_location("demo_devices", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "demo_devices", module)
    spec.loader.exec_module(module)
    return module


def test_a_line_for_each_kernel_and_device(demo, monkeypatch) -> None:
    chosen = {CASE: "5 rows of 100", "moe_gate/v2lite_one_token/f32": "a token"}
    monkeypatch.setattr(demo, "CASES", chosen)
    shown, failures = demo.new_table(), []
    demo.run(shown, failures)
    assert failures == []
    assert shown.row_count == len(chosen) * len(demo.DEVICES)
    instructions = list(shown.columns[4].cells)
    assert [text == "" for text in instructions] == [True, False, False] * 2


def test_every_case_is_one(demo) -> None:
    for name in demo.CASES:
        assert len(registry.verify_cases([name])) == 1, name


@pytest.mark.parametrize("machine", ["cpu", "cuda-emulator:sm_80", "hip-emulator:gfx942"])
def test_a_wrong_result_is_a_failure(demo, machine) -> None:
    (case,) = registry.verify_cases([CASE])
    right = demo.measure(case, machine)
    assert right.failure == ""
    assert right.error <= 1
    assert (right.instructions is None) == (machine == "cpu")

    def wrong(target, inputs, outputs):
        case.run(target, inputs, outputs)
        for array in outputs.values():
            array[0, 0] += 1

    assert (
        "beyond the bound"
        in demo.measure(dataclasses.replace(case, run=wrong), machine).failure
    )


def test_a_kernel_that_fails_is_a_failure(demo, monkeypatch) -> None:
    (case,) = registry.verify_cases([CASE])

    def failing(target, inputs, outputs):
        raise RuntimeError("no such GPU")

    monkeypatch.setattr(demo, "CASES", {CASE: ""})
    monkeypatch.setattr(
        demo.registry, "verify_cases", lambda names: [dataclasses.replace(case, run=failing)]
    )
    shown, failures = demo.new_table(), []
    demo.run(shown, failures)
    assert failures == [f"{CASE} on {d}: RuntimeError: no such GPU" for d in demo.DEVICES]
