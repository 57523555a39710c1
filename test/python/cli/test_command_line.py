"""The command line's own promises: help, exit codes, errors on stderr, reports.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tilewright.cli import console, main, units

COMMANDS = ["compile", "build", "doctor", "verify", "bench", "emulate", "cache"]


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one command line."""
    code = main(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_help_names_every_command(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert all(name in out for name in COMMANDS)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c != "cache"])
def test_help_of_a_command_has_examples(capsys, command):
    code, out, _ = run(capsys, command, "--help")
    assert code == 0
    assert "Examples" in out
    assert out.count(f"tilewright {command}") >= 3  # the usage line and two examples


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["verify", "--nonsense"], "--nonsense"),
        (["verify", "no_such_kernel"], "no_such_kernel"),
        (["verify", "softmax", "--device", "tpu:v4"], "no backend for target 'tpu:v4'"),
        (["verify", "softmax", "--device", "cpu:z80"], "unknown CPU model 'z80'"),
        (["bench", "no_such_kernel"], "no_such_kernel"),
        (["bench", "--threads", "1,none"], "1,none"),
        (["bench", "--threads", "0"], "'0'"),
        (["compile", "no_colon.py"], "no_colon.py"),
        (["compile", "absent.py:kernel"], "absent.py"),
        (["compile", "x.py:k", "--emit", "tea"], "tea"),
        (["nonsense"], "nonsense"),
    ],
)
def test_a_wrong_command_line_is_code_2_on_stderr(capsys, arguments, named):
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert named in err
    assert out == ""


def test_smoke_runs_one_case_of_each_kernel_and_dtype(capsys):
    code, out, _ = run(capsys, "verify", "--smoke", "softmax", "moe_gate", "--json", "-")
    assert code == 0
    ran = [(r["kernel"], r["case"].rpartition("/")[2]) for r in json.loads(out)["results"]]
    softmax = [("softmax", dtype) for dtype in ("f32", "bf16", "f16")]
    assert ran == [*softmax, ("moe_gate", "f32")]


def test_errors_keep_brackets(capsys):
    console.print_error("takes [KERNEL] and [red]")
    assert capsys.readouterr().err == "error: takes [KERNEL] and [red]\n"


def test_json_is_written_whole_or_not_at_all(tmp_path):
    target = tmp_path / "report.json"
    console.write_json(target, {"results": [1.5, float("inf")]})
    assert json.loads(target.read_text(), parse_constant=pytest.fail) == {
        "results": [1.5, None]
    }
    with pytest.raises(console.CliError, match="cannot write"):
        console.write_json(tmp_path / "absent" / "report.json", {})
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


def test_json_into_a_folder(tmp_path):
    for folder in (tmp_path, Path("/")):
        with pytest.raises(console.CliError, match="it is a folder"):
            console.write_json(folder, {})


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["verify", "softmax"], "--json"),
        (["bench", "softmax"], "--json"),
        (["doctor", "--measure"], "--json"),
        (["compile", "kernel.py:k", "--emit", "asm"], "-o"),
        (["compile", "kernel.py:k", "--emit", "stages"], "-o"),
    ],
    ids=["verify", "bench", "doctor", "compile", "stages"],
)
def test_a_file_that_cannot_be_written_is_refused_before_any_work(
    capsys, tmp_path, monkeypatch, arguments, option
):
    monkeypatch.chdir(tmp_path)
    for module, work in (
        ("tilewright.testing.verify", "verify"),
        ("tilewright.testing.bench_worker", "run"),
        ("tilewright.cli.doctor", "_limits"),
        ("tilewright.cli.compile", "_find"),
    ):
        monkeypatch.setattr(f"{module}.{work}", lambda *_: pytest.fail("it works first"))
    (tmp_path / "file").write_text("")
    code, out, err = run(capsys, *arguments, option, "file/report")
    assert (code, out) == (1, "")
    assert err.startswith("error: cannot write ")
    assert "file/report: Not a directory" in err
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_asking_whether_a_file_can_be_written_leaves_it_as_it_is(tmp_path):
    known, absent = tmp_path / "known.json", tmp_path / "absent.json"
    known.write_text("kept")
    for path in (known, absent):
        console.check_json(path)
        console.check_file(path)
    assert known.read_text() == "kept"
    assert [p.name for p in tmp_path.iterdir()] == ["known.json"]


def test_a_full_disk_is_one_line_and_code_1():
    for arguments in (["cache", "list"], ["--help"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "tilewright", *arguments],
                stdout=full, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
        assert (done.returncode, done.stderr) == (1, "error: No space left on device\n")


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("import sys; sys.exit(3)", [], "SystemExit: 3"),
        ("def k(n): raise ValueError('n is odd')", ["--arg", "n=1"], "ValueError: n is odd"),
    ],
)
def test_a_fault_of_the_users_file_is_one_line(capsys, tmp_path, text, arguments, message):
    (tmp_path / "faulty.py").write_text(text)
    code, _, err = run(capsys, "compile", f"{tmp_path}/faulty.py:k", *arguments)
    assert code == 1
    assert err.startswith("error: ")
    assert err.endswith(f"{message}\n")
    assert err.count("\n") == 1


def test_the_cache(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("TILEWRIGHT_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("TILEWRIGHT_CACHE_SIZE", "2M")
    from tilewright.compiler import cache

    artifact = tmp_path / "kernel.so"
    artifact.write_bytes(b"code")
    key = "0123456789abcdef" * 4
    entry = cache.store(key, artifact, {"name": "softmax", "target": "cpu:znver4"})
    cache.remember("fe" * 32, {"name": "softmax"})
    code, out, _ = run(capsys, "cache", "list")
    assert code == 0
    assert "softmax" in out
    assert "cpu:znver4" in out
    assert "1 kernels" in out
    code, out, _ = run(capsys, "cache", "list", "--json", "-")
    (listed,) = json.loads(out)["kernels"]
    assert (listed["key"], listed["name"]) == (key, "softmax")
    code, out, _ = run(capsys, "cache", "size")
    assert (code, out.startswith("1 kernels and 1 records")) == (0, True)
    assert " of 2 MiB, in " in out
    code, out, _ = run(capsys, "cache", "verify")
    assert (code, out) == (0, f"2 files are good, in {tmp_path}/v2\n")

    entry.artifact.write_bytes(b"cade")
    for options, what in ([["--keep"], "damaged"], [[], "damaged and removed"]):
        code, _, err = run(capsys, "cache", "verify", *options)
        assert code == 1
        assert err == f"error: 1 {what}:\n{key}.json: its code does not fit its checksum\n"
    assert not entry.artifact.exists()
    assert run(capsys, "cache", "verify")[0] == 0
    code, out, _ = run(capsys, "cache", "clear")
    assert (code, out) == (0, f"removed 0 kernels from {tmp_path}/v2\n")
    code, out, _ = run(capsys, "cache", "size", "--json", "-")
    assert json.loads(out) == {
        "folder": f"{tmp_path}/v2", "kernels": 0, "memos": 0, "bytes": 0, "limit": 2 << 20,
    }  # fmt: skip


def test_a_cache_that_cannot_be_used(capsys, tmp_path, monkeypatch):
    monkeypatch.delenv("TILEWRIGHT_CACHE_DIR")
    monkeypatch.setenv("HOME", "here")
    for command in ("list", "size", "verify", "clear"):
        code, _, err = run(capsys, "cache", command)
        assert code == 1
        assert err.startswith("error: the cache cannot be used: HOME is 'here', which is no")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.5, "2.50 s"),
        (0.0123, "12.3 ms"),
        (0.4567, "457 ms"),
        (3.2e-6, "3.20 us"),
        (0, "0.00 us"),
    ],
)
def test_seconds_have_three_digits(value, text):
    assert units.seconds(value) == text


def test_rate_is_in_the_unit_of_the_limit():
    record = {"flops": 4_000_000_000, "bytes": 500_000_000, "median_s": 0.5, "limit": "compute"}
    assert units.rate(record) == "8.0 GFLOP/s"
    assert units.rate(record | {"limit": "memory"}) == "1.0 GB/s"


def test_help_loads_no_numpy_and_no_compiler():
    program = (
        "import sys\nfrom tilewright.cli import main\nmain(['--help'])\n"
        "heavy = {'numpy', 'torch', 'tilewright._compiler', 'tilewright._runtime'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_module_and_script_are_the_same_command():
    script = os.path.join(os.path.dirname(sys.executable), "tilewright")
    texts = [
        subprocess.run([*command, "cache", "list"], capture_output=True, text=True).stdout
        for command in ([sys.executable, "-m", "tilewright"], [script])
    ]
    assert texts[0] == texts[1] != ""


def test_bench_launch(capsys, monkeypatch):
    from tilewright.cli import bench_launch

    monkeypatch.setattr(bench_launch, "ROUNDS", 3)
    monkeypatch.setattr(bench_launch, "CALLS", 50)
    code, out, _ = run(capsys, "bench", "--launch", "--json", "-")
    assert code == 0
    report = json.loads(out)
    assert {(r["way"], r["arguments"]) for r in report["results"]} == {
        (way, arguments)
        for way in ("kernel.launch", "kernel(...)", "eager call")
        for arguments in ("none", "3 NumPy arrays", "3 PyTorch tensors")
    }
    assert all(0 < r["least_s"] <= r["median_s"] < 1e-2 for r in report["results"])
    code, out, _ = run(capsys, "bench", "--launch")
    assert code == 0
    for text in ("3 PyTorch tensors", "TileLang 0.1.6", "13185 ns", report["source"]):
        assert text in out
    code, _, err = run(capsys, "bench", "--launch", "gemm")
    assert code == 2
    assert "--launch takes no kernels" in err
