"""bench/gpu/session.py: packed here, unpacked and built in another folder, and tried there on
the stand-in for the driver. What needs a GPU is tried on the CPU as far as that goes.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import json
import lzma
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "bench" / "gpu"
BUILD = ROOT / os.environ.get("TILEWRIGHT_BUILD_DIR", "build")

# Plain modules that import each other by name, as `python bench/gpu/session.py` runs them.
sys.path.insert(0, str(FOLDER))
import packing  # noqa: E402
import session  # noqa: E402
import unpacking  # noqa: E402

sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def trial(tmp_path_factory) -> tuple[Path, dict]:
    """The folder in which a session worked, and its report."""
    folder = tmp_path_factory.mktemp("session")
    made = ["pack", "--build", str(BUILD), "--to", str(folder / "dist"), "--level", "0"]
    assert session.main(made) == 0
    run = subprocess.run(
        [sys.executable, FOLDER / "session.py", "run", "--device", "cuda-emulator:sm_80",
         "--archive", folder / "dist", "--work", folder / "work", "--out", folder / "out",
         "--small", "--smoke", "--programs", "4"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    [path] = (folder / "out").iterdir()
    assert path.name.endswith("-cuda-emulator-sm-80-session.json")
    return folder / "work", json.loads(path.read_text())


def test_a_session_verifies_and_measures(trial):
    _, report = trial
    verified = report["verify"]
    assert verified["passed"] == verified["cases"] >= 30
    assert {one["kernel"] for one in report["results"]} == {
        "gemm", "attention", "softmax", "rmsnorm", "mla_decode", "sparse_mla", "grouped_gemm",
    }  # fmt: skip
    for one in report["results"]:
        assert one["median_s"] > 0
        assert one["rounds"] >= 15
        assert one["clock"] == "host"
        assert one["peers"] == {}
        assert 0 <= one["error_over_bound"] <= 1
    assert verified["failed"] == []
    assert verified["not_done"] == {}
    assert set(report["measured_on"]["absent"]) == {"torch", "triton"}
    assert report["failures"] == report["left_out"] == []
    assert set(report["steps_s"]) == {
        "unpack", "build", "verify", "measure", "same tiles", "programs",
    }  # fmt: skip
    assert report["programs"] == {"said": "4 programs, 0 failures kept", "status": 0}
    assert report["same_tiles"] == "needs a GPU"


def test_the_extensions_are_built_without_headers_of_llvm(trial):
    work, _ = trial
    commands = (work / "build" / "compile_commands.json").read_text()
    assert "Compiler.cpp" in commands
    assert "llvm" not in commands.lower()
    assert "mlir" not in commands.lower()


def test_nothing_of_llvm_is_taken_from_the_machine(trial):
    work, _ = trial
    code = "from tilewright import _compiler, _runtime; print(open('/proc/self/maps').read())"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=unpacking.environment(work), capture_output=True, text=True, check=True,
    )  # fmt: skip
    mapped = {line.split()[-1] for line in run.stdout.splitlines() if "/" in line}
    ours = {Path(at).name for at in mapped if at.startswith(str(work))}
    assert {"_compiler.so", "_runtime.so", "libLLVM.so.22.1", "libMLIR.so.22.1"} <= ours
    assert not [at for at in mapped if "llvm-22" in at or at.startswith(str(BUILD))]


@pytest.mark.parametrize("name", packing._STUBBED)
def test_a_stub_says_that_it_is_one(trial, name):
    work, _ = trial
    function = {"libz3.so.4": "Z3_mk_config", "libxml2.so.2": "xmlNewDoc"}[name]
    code = f"import ctypes; ctypes.CDLL({str(work / 'spare' / name)!r}).{function}()"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode < 0
    assert f"{function}: {name} is a stub" in run.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--archive", "nowhere"], "there is no nowhere/llvm-libraries.tar.xz"),
        (["pack", "--build", "nowhere"], "build the project first"),
    ],
)
def test_what_is_missing_is_told(capsys, monkeypatch, tmp_path, arguments, said):
    monkeypatch.chdir(tmp_path)
    assert session.main(arguments) == 1
    assert said in capsys.readouterr().err


def test_a_machine_without_tools_is_refused(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(unpacking, "_PACKAGES", {"no_such_module": "some-package"})
    with pytest.raises(unpacking.SetupError, match=r"lacks cmake, g\+\+, some-package"):
        unpacking.require_tools()


@pytest.mark.parametrize(
    "arguments", [["pack", "--level", "10"], ["run", "--minutes", "x"], []]
)
def test_a_wrong_command_line_is_refused(arguments):
    with pytest.raises(SystemExit) as end:
        session.main(arguments)
    assert end.value.code == 2


def test_a_damaged_archive_is_told(tmp_path):
    archive = tmp_path / packing.LLVM_ARCHIVE
    for content in (b"no archive", lzma.compress(bytes(range(256)) * 99)[:-9]):
        archive.write_bytes(content)
        with pytest.raises(unpacking.SetupError, match=rf"{packing.LLVM_ARCHIVE}: \w+"):
            unpacking.unpack(tmp_path, tmp_path / "work")


# ---- what needs a GPU, on the CPU ----------------------------------------------------------

ON_THE_CPU = """
import json, sys, torch
sys.path.insert(0, sys.argv[1])
import measure, workloads
from tilewright.testing.check import check_outputs
from tilewright.testing.peers import to_torch

place = measure.OnGpu.__new__(measure.OnGpu)
place._torch = torch
worst = {}
for case in workloads.small():
    given = case.make_inputs(case.generator())
    inputs = {name: to_torch(array) for name, array in given.items()}
    # The interpreter multiplies no bf16.
    halves = {n: t.half() if t.dtype == torch.bfloat16 else t for n, t in inputs.items()}
    out = next(iter(case.outputs(given)))
    expected, spec = case.expect(given)[out], case.outputs(given)[out]
    for library, tensors in (("torch", inputs), ("triton", halves)):
        for call in measure.peers.recipes(library, case, tensors).values():
            found = call()
            if library == "triton":
                at = {"gemm": 2, "attention": 3, "softmax": 1, "rmsnorm": 2}[case.kernel]
                array = call.args[at].double().numpy()
            else:
                array = place.get(found.reshape(spec.shape), spec.dtype).astype("f8")
            error = abs(array - expected.value).max() / abs(expected.value).max()
            name = f"{case.kernel} {library}"
            worst[name] = max(error, worst.get(name, 0))
print(json.dumps(worst))
"""


def test_peers_compute_what_is_compared():
    """PyTorch's recipes on its CPU tensors, Triton's kernels in its interpreter."""
    run = subprocess.run(
        [sys.executable, "-c", ON_THE_CPU, FOLDER],
        env=os.environ | {"TRITON_INTERPRET": "1", "PYTHONPATH": str(ROOT / "python")},
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    worst = json.loads(run.stdout)
    kernels = ("gemm", "attention", "softmax", "rmsnorm")
    assert {f"{kernel} {library}" for kernel in kernels for library in ("torch", "triton")} | {
        "mla_decode torch", "sparse_mla torch", "grouped_gemm torch",
    } == set(worst)  # fmt: skip
    assert max(worst.values()) < 4 * 2.0**-8, worst  # a few roundings to bf16
