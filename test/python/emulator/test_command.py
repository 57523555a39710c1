"""`tilewright emulate`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from emulator import programs
from tilewright.cli import main


@pytest.fixture
def scale(tmp_path: Path) -> Path:
    path = tmp_path / "scale.ptx"
    path.write_text(programs.SCALE)
    return path


def run(capsys: pytest.CaptureFixture, *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `tilewright emulate`."""
    code = main(["emulate", *(str(a) for a in arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def launch(*args: str, grid: str = "2", block: str = "128") -> list[str]:
    """Options of a launch of the scale kernel."""
    options = ["--kernel", "scale", "--grid", grid, "--block", block]
    return options + [word for arg in args for word in ("--arg", arg)]


def test_list(capsys, scale):
    code, out, _ = run(capsys, scale)
    assert code == 0
    assert "scale" in out
    rows = [line.split() for line in out.splitlines()]
    assert ["2", "a", ".f32", "4", "16"] in rows
    assert ["3", "n", ".u32", "4", "20"] in rows


def test_run(capsys, scale):
    code, out, err = run(
        capsys, scale, *launch("out:f32:4", "range:f32:4", "f32:1.5", "i32:4"), "--order", 7
    )
    assert (code, err) == (0, "")
    assert "argument 0, out:\n[0.  1.5 3.  4.5]" in out


def test_save_and_files(capsys, scale, tmp_path):
    x = np.random.default_rng(0).standard_normal((20, 10)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    code, _, err = run(
        capsys, scale, *launch("out:f32:20x10", f"file:{tmp_path}/x.npy", "f32:2", "u32:200"),
        "--save", tmp_path / "results",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert (np.load(tmp_path / "results" / "arg0.npy") == 2 * x).all()


def test_inout_and_random(capsys, scale):
    given = launch("inout:ones:f32:3", "random:f32:2:5", "f32:1", "u32:2")
    code, out, _ = run(capsys, scale, *given)
    assert code == 0
    expected = np.random.default_rng(5).standard_normal(2).astype(np.float32)
    assert out.splitlines()[-1] == str(np.append(expected, np.float32(1)))


def test_fault(capsys, scale):
    code, _, err = run(
        capsys, scale, *launch("out:f32:100", "zeros:f32:99", "f32:2", "i32:100")
    )
    assert code == 1
    for part in ("error: out-of-bounds", "argument 1, x", "ld.global.f32", "scale.cu:7"):
        assert part in err


def test_undefined_output(capsys, scale):
    code, out, err = run(capsys, scale, *launch("out:f32:3", "zeros:f32:2", "f32:2", "i32:2"))
    assert code == 1
    assert "argument 0, out" in out
    assert "4 of them were never written, the first at byte 8" in err


def test_report_text(capsys, scale):
    args = launch("out:f32:256", "ones:f32:256", "f32:2", "i32:256")
    code, out, _ = run(capsys, scale, *args, "--report", "text")
    assert code == 0
    for part in ("warp instructions", "ld.global.f32", "scale.cu:7", "sectors"):
        assert part in out


def test_report_json(capsys, scale):
    args = launch("out:f32:256", "ones:f32:256", "f32:2", "i32:256")
    code, out, _ = run(capsys, scale, *args, "--report", "json")
    assert code == 0
    report = json.loads(out)
    assert report["kernel"] == "scale"
    assert any(row["name"] == "mul.f32" and row["executions"] == 8 for row in report["opcodes"])


def test_report_html(capsys, scale, tmp_path):
    args = launch("out:f32:256", "ones:f32:256", "f32:2", "i32:256")
    code, _, _ = run(capsys, scale, *args, "--report", tmp_path / "r.html")
    assert code == 0
    page = (tmp_path / "r.html").read_text()
    assert page.startswith("<!doctype html>")
    for part in ("ld.global.f32 %f2, [%rd4]", "scale.cu:7", "Memory accesses"):
        assert part in page
    assert "http" not in page


def test_trace(capsys, scale):
    args = launch("out:f32:256", "ones:f32:256", "f32:2", "i32:256")
    code, out, _ = run(capsys, scale, *args, "--trace", "1:3")
    assert code == 0
    traced = [line for line in out.splitlines() if "mul.f32" in line]
    assert len(traced) == 1
    assert "%f3 = 2 2 2 2" in traced[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--kernel", "other"], "no kernel other; it has: scale"),
        (launch("f32:1"), "takes 4 arguments, not 1"),
        (launch("out:f32:x", "f32:1", "f32:1", "i32:1"), "a shape is numbers"),
        (launch("out:f3:4", "f32:1", "f32:1", "i32:1"), "no dtype 'f3'"),
        (launch("u8:256", "f32:1", "f32:1", "i32:1"), "256 is no uint8"),
        (launch("what", "f32:1", "f32:1", "i32:1"), "starts with one of"),
        (launch("f32:1", "out:f32:1", "f32:1", "i32:1"), "takes 8 bytes, and float32 has 4"),
        (launch("u64:0", "u64:0", "f32:1", "i32:0", grid="0,y"), "--grid takes"),
        (launch("u64:0", "u64:0", "f32:1", "i32:0", block="2048"), "at most 1024"),
        (launch("u64:0", "u64:0", "f32:1", "i32:0", grid="2,0"), "has no blocks"),
        ([*launch("u64:0", "u64:0", "f32:1", "i32:0"), "--trace", "0"], "BLOCK:WARP"),
        ([*launch("u64:0", "u64:0", "f32:1", "i32:0"), "--trace", "2:0"], "no such block"),
        (
            [*launch("u64:0", "u64:0", "f32:1", "i32:0"), "--trace", "1:4"],
            "a block has 4 warps",
        ),
        ([*launch("u64:0", "u64:0", "f32:1", "i32:0"), "--report", "x.txt"], "--report is"),
        ([*launch("u64:0", "u64:0", "f32:1", "i32:0"), "--shared", str(2**33)], str(2**33)),
        (["--threads", "-1"], "equal to 0"),
        (["--max-steps", "-5"], "equal to 0"),
        # What the message quotes is shown as it is, also where it looks like an emoji.
        (launch("u64:abc", "u64:0", "f32:1", "i32:0"), "--arg u64:abc: "),
        (launch("out:f32:99999999999", "u64:0", "f32:1", "i32:0"), "--arg out:f32:99999999999"),
        (launch("f32:1", "arg:1", "f32:1", "i32:1"), "an argument before it"),
        (launch("tensormap:4:f32:1", "u64:0", "f32:1", "i32:1"), "stands before an array"),
        (launch("tensormap:4x4:out:f32:8", "u64:0", "f32:1", "i32:1"), "has 1 sizes, not 2"),
        (launch("tensormap:4,64C:out:f32:8", "u64:0", "f32:1", "i32:1"), "not '64C'"),
        (launch("file:SELF", "u64:0", "f32:1", "i32:1"), "no .npy file"),
        (["--no-check", "this"], "no check 'this'"),
        (["--order", "sideways"], "forward, reverse or a seed"),
    ],
)
def test_wrong_command_line(capsys, scale, options, message):
    options = [option.replace("SELF", str(scale)) for option in options]
    code, out, err = run(capsys, scale, *options)
    assert (code, out) == (2, "")
    assert message in err


def test_no_ptx(capsys, tmp_path):
    (tmp_path / "bad.ptx").write_text(programs.HEADER + "what is this\n")
    code, _, err = run(capsys, tmp_path / "bad.ptx")
    assert code == 1
    assert "bad.ptx: line 4" in err
    code, _, err = run(capsys, tmp_path / "none.ptx")
    assert code == 2
    assert "there is no file" in err
    code, _, err = run(capsys, tmp_path)
    assert code == 2
    assert "is a folder" in err
    code, _, err = run(capsys, os.devnull)
    assert code == 1
    assert "line 1, column 1" in err


def test_same_array_twice(capsys, scale):
    code, out, err = run(capsys, scale, *launch("inout:range:f32:4", "arg:0", "f32:3", "i32:4"))
    assert (code, err) == (0, "")
    assert "[0. 3. 6. 9.]" in out


def test_tensor_map(capsys, tmp_path):
    """A box of 2 x 16 at (16, 1) of a tensor of 3 x 32."""
    (tmp_path / "box.ptx").write_text(programs.BOX)
    args = ["--arg", "tensormap:2x16,none:range:f32:3x32", "--arg", "out:f32:2x16"]
    code, out, err = run(capsys, tmp_path / "box.ptx", "--kernel", "box", *args)
    assert (code, err) == (0, "")
    expected = np.arange(96, dtype=np.float32).reshape(3, 32)[1:, 16:]
    assert str(expected) in out


def test_no_check(capsys, scale, tmp_path):
    (tmp_path / "race.ptx").write_text(programs.RACE)
    args = ["--kernel", "race", "--block", "64", "--arg", "out:u32:64"]
    code, _, err = run(capsys, tmp_path / "race.ptx", *args)
    assert code == 1
    assert "race: " in err
    checks = ["--no-check", "shared-races", "--no-check", "uninitialised"]
    code, _, err = run(capsys, tmp_path / "race.ptx", *args, *checks)
    assert code == 0
