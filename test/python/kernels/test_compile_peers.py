"""`tilewright bench --compile` for GPUs: what it takes, and what it says of both compilers.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import json

import pytest

from tilewright.cli import main
from tilewright.testing import compile_peers


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--device", "cuda:sm_1"], "unknown architecture 'sm_1'"),
        (["--device", "hip:gfx942,nope"], "no backend for target 'nope'"),
        (["--device", "cpu,cuda:sm_80"], "give the CPU or GPUs, not both"),
        (["gemm", "--device", "cuda:sm_80,hip:gfx942"], "one target at a time"),
        (["gemv", "--device", "cuda:sm_80"], "not gemv"),
    ],
)
def test_a_wrong_command_line_is_refused(capsys, monkeypatch, arguments, named):
    monkeypatch.setattr(compile_peers, "measure", lambda *_: pytest.fail("it works first"))
    assert main(["bench", "--compile", *arguments]) == 2
    assert named in capsys.readouterr().err.replace("\n", " ")


def test_both_compilers_are_timed_to_each_stage(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(compile_peers, "PROCESSES", 1)
    monkeypatch.setattr(compile_peers, "LATER", 1)
    path = tmp_path / "report.json"
    targets = "cuda:sm_80,hip:gfx942"
    assert main(["bench", "--compile", "-d", targets, "--json", str(path)]) == 0
    report = json.loads(path.read_text())
    stages = [("cuda:sm_80", "ptx"), ("cuda:sm_80", "cubin"), ("hip:gfx942", "code object")]
    assert [(r["target"], r["stage"], r["by"]) for r in report["results"]] == [
        (*stage, by) for stage in stages for by in compile_peers.COMPILERS
    ]
    times = {(r["stage"], r["by"]): r for r in report["results"]}
    for by in compile_peers.COMPILERS:
        for name in ("first_wall_s", "later_wall_s", "first_cpu_s", "later_cpu_s"):
            assert 0 < times["ptx", by][name] < times["cubin", by][name]
    assert report["missing"] == {}
    out = capsys.readouterr().out
    assert "code object" in out
    assert "triton" in out


def test_a_compiler_that_is_not_installed_is_left_out(monkeypatch):
    def process(by: str, target: str) -> dict:
        if by == "triton":
            return {"missing": "there is no Python package triton: install it"}
        return {"import_s": 1.0, "runs": [{"code object": {"wall_s": s, "cpu_s": s}}
                                          for s in (3.0, 1.0, 2.0, 1.5)]}  # fmt: skip

    monkeypatch.setattr(compile_peers, "_process", process)
    report = compile_peers.measure(["hip:gfx942"])
    [ours] = report["results"]
    assert (ours["by"], ours["first_wall_s"], ours["later_cpu_s"]) == ("tilewright", 3.0, 1.5)
    assert (ours["processes"], ours["later"]) == (7, 21)
    assert "install it" in report["missing"]["triton"]


def test_what_a_process_says_when_it_fails_is_told(monkeypatch, capsys):
    monkeypatch.setattr(compile_peers, "PROBLEM", "no_such_problem")
    assert main(["bench", "--compile", "--device", "cuda:sm_80"]) == 1
    assert "no problem's name begins with 'no_such_problem'" in capsys.readouterr().err


def test_outside_a_checkout_there_are_no_problems(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(compile_peers, "FOLDER", tmp_path)
    assert main(["bench", "--compile", "--device", "cuda:sm_80"]) == 1
    assert "run this in a checkout" in capsys.readouterr().err
