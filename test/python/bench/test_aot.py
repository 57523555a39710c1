"""`tilewright bench --aot` on small numbers: what the report holds, not how fast anything is.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from tilewright.cli import bench_aot, main
from tilewright.testing import aot_bench, aot_kernels, aot_sizes


def test_the_report(monkeypatch):
    """Of one kernel for a CPU and a GPU, without peers: one test, as it takes seconds."""
    monkeypatch.setattr(aot_bench, "ROUNDS", 3)
    monkeypatch.setattr(aot_bench, "CALLS", 100)
    monkeypatch.setattr(aot_bench, "LOADS", 2)
    monkeypatch.setattr(aot_bench, "TURNS", 1)
    monkeypatch.setattr(aot_kernels, "TARGETS", ("cpu:x86-64-v3", "cuda:sm_80"))
    monkeypatch.setattr(aot_sizes, "TARGETS", ("cuda:sm_80",))
    monkeypatch.setattr(aot_sizes, "PEERS", ())
    report = aot_bench.measure(kernels=1)

    assert 0 < report["launch"]["least_s"] <= report["launch"]["median_s"] < 1e-3
    assert 0 < report["load"]["least_s"] <= report["load"]["median_s"]
    assert [k["kernel"] for k in report["kernels"]] == ["gemm", "rmsnorm"]
    assert all(min(k["jit_s"], k["aot_s"], k["ratio"]) > 0 for k in report["kernels"])
    # The second build compiles nothing.
    assert 0 < report["build"]["warm"]["cpu_s"] < report["build"]["cold"]["cpu_s"]
    plain, packed = report["images"]
    assert (plain["form"], packed["form"]) == ("PTX", "PTX, in a library")
    assert 1000 < packed["bytes"] < plain["bytes"] / 3
    assert report["missing"] == {}

    shown = bench_aot.rows(report)
    assert [asked for _, _, asked in shown] == [
        "300 ns", "5 ms", "0.98", "0.98", "5 min, 2 cores", "5 s",
    ]  # fmt: skip
    assert shown[-1][0] == "1 kernels for 2 targets, again"
    assert re.fullmatch(r"\S+ ns, at best \S+", shown[0][1])


def test_frames_of_zstd():
    sample_frame = bytes.fromhex("28b52ffd2003190000616263")  # abc, in one raw block
    other = b"\x28\xb5\x2f\xfd\xff no frame"
    assert aot_sizes.frames(other + sample_frame + b"behind") == [(len(sample_frame), 3)]
    assert aot_sizes.frames(sample_frame[:-1]) == []


def test_no_two_kernels_are_alike():
    functions = tomllib.loads(aot_kernels.many(100))["functions"]
    assert len({(f["kernel"], json.dumps(f["builds"])) for f in functions.values()}) == 100


def test_without_a_compiler(monkeypatch, capsys):
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert shutil.which("no-such-compiler") is None
    assert main(["bench", "--aot"]) == 1
    assert "there is no g++" in capsys.readouterr().err


def test_other_options_are_refused(capsys):
    assert main(["bench", "--aot", "gemm"]) == 2
    assert "--aot takes no kernels" in capsys.readouterr().err


def test_a_program_that_fails_says_so(tmp_path: Path):
    script = tmp_path / "fails"
    script.write_text("#!/bin/sh\necho broken >&2\nexit 3\n")
    script.chmod(0o755)
    with pytest.raises(RuntimeError, match="broken"):
        aot_bench._numbers(script)
