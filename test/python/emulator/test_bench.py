"""`tilewright bench --emulator`, and the demo's table of emulated kernels.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from tilewright.cli import main
from tilewright.testing import emulator_bench as engine
from tilewright.testing import foreign

ROOT = Path(__file__).resolve().parents[3]
PROGRAM, ARCH = "triton_matmul_f16", "sm_80"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The grid of the corpus, not a multiple of it."""
    monkeypatch.setattr(engine, "REPLICAS", 1)


def wrong_cases(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    """Puts a changed case in the place of the program's own."""
    corpus, cases = foreign.corpus()
    changed = cases | {PROGRAM: dataclasses.replace(cases[PROGRAM], **changes)}
    monkeypatch.setattr(foreign, "corpus", lambda *arch: (corpus, changed))


def test_names_select() -> None:
    assert {arch for _, arch in engine.select()} == set(engine.ARCHS)
    assert engine.select([PROGRAM]) == [(PROGRAM, arch) for arch in engine.ARCHS]
    # TileLang's are of one vendor.
    assert {arch for _, arch in engine.select(["tilelang_matmul"])} == {"sm_80", "sm_90a"}
    assert engine.select([f"{PROGRAM}/sm_90a"]) == [(PROGRAM, "sm_90a")]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["triton_matmul"], "no emulated program 'triton_matmul'"),
        (["--threads", "0"], "'0'"),
        (["--device", "cpu:zen3"], "--device"),
    ],
)
def test_a_wrong_command_line(capsys, arguments, named) -> None:
    assert main(["bench", "--emulator", *arguments]) == 2
    captured = capsys.readouterr()
    assert named in captured.err
    assert captured.out == ""


def test_without_a_checkout_it_says_what_is_missing(monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.setattr(foreign, "FOLDER", tmp_path)
    assert main(["bench", "--emulator"]) == 1
    error = capsys.readouterr().err
    assert f"there is no {tmp_path}" in error
    assert "checkout" in error


def test_the_table_and_the_report(small, capsys, tmp_path) -> None:
    path = tmp_path / "report.json"
    name = f"{PROGRAM}/{ARCH}"
    assert main(["bench", "--emulator", name, "--threads", "1,2", "--json", str(path)]) == 0
    captured = capsys.readouterr()
    assert captured.err == f"[1/1] {name}\n"
    assert PROGRAM in captured.out
    assert "whole time of a launch" in captured.out

    report = json.loads(path.read_text())
    assert report.keys() == engine.new_report([1, 2]).keys()
    assert report["complete"] is True
    assert report["failures"] == []
    assert report["threads"] == [1, 2]
    assert [one["arch"] for one in report["startup"]] == ["sm_80", "gfx942"]
    assert all(one["median_s"] > 0 for one in report["startup"])
    assert report["parse"]["lines"] >= 4000
    assert report["parse"]["median_s"] > 0
    one, two = report["results"]
    fields = {field.name for field in dataclasses.fields(engine.Measurement)}
    for record in (one, two):
        assert record.keys() == fields
        assert record["rounds"] >= 5
        assert record["blocks"] == 6
        # 6 blocks of 4 warps; 16x8x16 products of a 64x64 tile over 160 of k.
        assert record["mma_instructions"] == 6 * (64 * 64 * 160) // (16 * 8 * 16)
        assert record["multiply_adds"] == record["mma_instructions"] * 16 * 8 * 16
        others = record["warp_instructions"] - record["mma_instructions"]
        assert record["warp_instructions_per_s"] * record["median_s"] == pytest.approx(others)
        products = record["multiply_adds"]
        assert record["multiply_adds_per_s"] * record["median_s"] == pytest.approx(products)
        # Neither part is nothing.
        assert record["mma_s"] > 0
        assert record["outside_s"] > 0
        assert record["warp_instructions_per_outside_s"] == others / record["outside_s"]
        assert record["multiply_adds_per_mma_s"] == products / record["mma_s"]
        assert 0 <= record["max_error_over_bound"] <= 1
    assert (one["threads"], two["threads"]) == (1, 2)
    assert one["speedup"] == 1
    assert two["speedup"] == pytest.approx(one["median_s"] / two["median_s"])


def test_the_parts_of_a_code_object(small) -> None:
    [found] = engine.bench_program(PROGRAM, "gfx942", [1])
    assert found.mma_instructions > 0
    assert found.multiply_adds == 6 * 64 * 64 * 160
    assert found.mma_s > 0
    assert found.outside_s > 0


def test_a_grid_is_repeated() -> None:
    _, cases = foreign.corpus()
    [before] = cases[PROGRAM].launches(ARCH)
    [after] = engine._replicated(cases[PROGRAM]).launches(ARCH)
    assert after == dataclasses.replace(before, grid=(*before.grid[:2], engine.REPLICAS))


def test_a_wrong_result_has_no_speed(small, monkeypatch, capsys) -> None:
    corpus, cases = foreign.corpus()
    zeros = corpus.Expected(np.zeros((100, 144)), 0.0)
    wrong_cases(monkeypatch, reference=lambda given: {"c": zeros})
    assert main(["bench", "--emulator", f"{PROGRAM}/{ARCH}", "--json", "-"]) == 1
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    assert report["results"] == []
    [failure] = report["failures"]
    assert failure.startswith(f"{PROGRAM}/{ARCH}: {PROGRAM}: c[0, 0] is")


def test_a_fault_has_no_speed(small, monkeypatch) -> None:
    wrong_cases(monkeypatch, outputs={"c": ((50, 144), np.float16)})  # half of what it writes
    with pytest.raises(engine.WrongResult, match="out-of-bounds"):
        engine.bench_program(PROGRAM, ARCH, [1])


def test_errors_over_bounds() -> None:
    value = np.array([1.0, 2.0, np.nan, np.inf])
    assert foreign.error_over_bound(value, value, 0) == 0
    assert foreign.error_over_bound(value + [0, 0.25, 0, 0], value, 0.5) == 0.5
    assert foreign.error_over_bound(value + [0, 0.25, 0, 0], value, 0) == np.inf
    assert foreign.error_over_bound(np.array([np.nan]), np.array([1.0]), 1) == np.inf


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch):
    """examples/demo_emulator.py."""
    path = ROOT / "examples" / "demo_emulator.py"
    spec = importlib.util.spec_from_file_location("demo_emulator", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "demo_emulator", module)
    spec.loader.exec_module(module)
    return module


def test_the_demo_has_a_line_for_each_program(demo) -> None:
    shown, failures = demo.new_table(), []
    demo.run(shown, failures)
    assert failures == []
    assert shown.row_count == len(demo.PROGRAMS)


def test_the_demo_tells_wrong_results_and_faults(demo, monkeypatch) -> None:
    corpus, _ = foreign.corpus()
    zeros = corpus.Expected(np.zeros((100, 144)), 0.0)
    with monkeypatch.context() as patch:
        wrong_cases(patch, reference=lambda given: {"c": zeros})
        found = demo.execute(PROGRAM, ARCH)
        assert found.error == np.inf
        assert found.failure
    wrong_cases(monkeypatch, outputs={"c": ((50, 144), np.float16)})
    found = demo.execute(PROGRAM, ARCH)
    assert found.faults > 0
    assert "out-of-bounds" in found.failure
