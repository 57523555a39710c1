"""Code does not grow with tiles, and grows in proportion to statements.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import json

import pytest

from tilewright.cli import main
from tilewright.testing.compile_time import GROWTH, measure

TARGET = "cpu:x86-64-v3"


def machine(name: str, size: int) -> int:
    return measure(name, size, TARGET, repeat=1).machine


@pytest.mark.parametrize("name", ["gemm", "rows", "attention"])
def test_a_larger_fragment_is_no_more_code(name):
    assert 100 < machine(name, 256) <= 2 * machine(name, 64)


def test_code_grows_in_proportion_to_statements():
    first, second, third = (machine("statements", n) for n in (10, 20, 40))
    assert first < second
    assert third - second == pytest.approx(2 * (second - first), rel=0.05)


def test_every_kernel_and_size_is_measured(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(GROWTH, "gemm", (GROWTH["gemm"][0], (16, 32)))
    report = tmp_path / "report.json"
    assert main(["bench", "--compile", "gemm", "--json", str(report)]) == 0
    results = json.loads(report.read_text())["results"]
    assert [(r["kernel"], r["size"]) for r in results] == [("gemm", 16), ("gemm", 32)]
    assert all(r["seconds"] > 0 and r["machine"] > r["tile"] > 0 for r in results)
    assert "LLVM instructions" in capsys.readouterr().out


def test_an_unknown_kernel_is_named(capsys):
    assert main(["bench", "--compile", "gemv"]) == 2
    assert "gemv" in capsys.readouterr().err


def test_an_unknown_target_is_named(capsys):
    assert main(["bench", "--compile", "--device", "nope"]) == 2
    assert "no backend for target 'nope'" in capsys.readouterr().err.replace("\n", " ")
