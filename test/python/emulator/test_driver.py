"""The stand-in for the CUDA driver: a C program and Triton's launcher run on it unchanged.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tilewright.emulator import library

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ROOT / "test" / "emulator" / "driver"
STUB = library.path(library.NVIDIA).parent / "cuda-stub"
# A Python that has Triton, where this one has not.
FOREIGN = os.environ.get("TILEWRIGHT_FOREIGN_PYTHON")


def cuda_include() -> Path:
    """The folder of cuda.h, which Triton's package has."""
    found = importlib.util.find_spec("triton")
    assert found is not None, "triton is in requirements-compilers.lock"
    return Path(found.origin).parent / "backends" / "nvidia" / "include"


def environment(arch: str, **more: str) -> dict[str, str]:
    """Of a program that is to find the stand-in instead of a driver."""
    return {
        **os.environ,
        "LD_LIBRARY_PATH": str(STUB),
        "TILEWRIGHT_EMULATOR_ARCH": arch,
        **more,
    }


@pytest.fixture(scope="module")
def vector_add(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C program, compiled with cuda.h, which only this test needs."""
    program = tmp_path_factory.mktemp("driver") / "vector_add"
    subprocess.run(
        ["cc", "-O1", "-Wall", "-Wextra", f"-isystem{cuda_include()}", SOURCES / "vector_add.c",
         "-o", program, f"-L{STUB}", "-lcuda"],
        check=True,
    )  # fmt: skip
    return program


def run(program: Path, case: str, arch: str = "sm_90a", **more: str):
    """One case of the C program."""
    return subprocess.run(
        [program, SOURCES / "vector_add.ptx", case],
        env=environment(arch, **more), capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize(
    "case", ["launches", "graphs", "memory", "device", "images", "libraries", "boxes"]
)
def test_c_program(vector_add: Path, case: str) -> None:
    done = run(vector_add, case)
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("done\n")


def test_captures(tmp_path: Path) -> None:
    program = tmp_path / "captures"
    subprocess.run(
        ["cc", "-O1", "-Wall", "-Wextra", f"-isystem{cuda_include()}", SOURCES / "captures.c",
         "-o", program, f"-L{STUB}", "-lcuda"],
        check=True,
    )  # fmt: skip
    done = subprocess.run(
        [program], env=environment("sm_80"), capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "done\n"


def test_architecture(vector_add: Path) -> None:
    assert "(sm_80), major 8" in run(vector_add, "device", "sm_80").stdout
    assert "clusters need sm_90" in run(vector_add, "launches", "sm_80").stderr
    refused = run(vector_add, "device", "sm_70")
    assert "CUDA_ERROR_NO_DEVICE" in refused.stdout
    assert "no device sm_70" in refused.stderr


def test_fault(vector_add: Path) -> None:
    done = run(vector_add, "faults", TILEWRIGHT_EMULATOR_ORDER="reverse")
    assert done.returncode == 0, done.stdout
    assert "out-of-bounds" in done.stderr
    assert "st.global.u32 [%rd1+4000], %r1" in done.stderr


def test_wrong_environment(vector_add: Path) -> None:
    done = run(vector_add, "device", TILEWRIGHT_EMULATOR_CHECKS="no-such-thing")
    assert "no-such-thing" in done.stderr
    done = run(vector_add, "device", TILEWRIGHT_EMULATOR_ORDER="sideways")
    assert "sideways" in done.stderr


def test_types() -> None:
    subprocess.run(
        ["c++", "-std=c++17", "-fsyntax-only", "-Wno-invalid-offsetof", f"-I{ROOT}",
         f"-isystem{cuda_include()}", SOURCES / "types.cpp"],
        check=True,
    )  # fmt: skip


def test_exports_nothing_else() -> None:
    symbols = subprocess.run(
        ["nm", "-D", "--defined-only", STUB / "libcuda.so.1"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    names = [line.split()[-1] for line in symbols.splitlines()]
    assert "cuMemAlloc_v2" in names
    assert "cuLaunchKernelEx" in names
    assert all(re.match(r"cu[A-Z]", name) for name in names)
    emulator = subprocess.run(
        ["nm", "-D", "--defined-only", library.path(library.NVIDIA)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    names = [line.split()[-1].partition("@")[0] for line in emulator.splitlines()]
    assert {n for n in names if not n.startswith("tw_emulator_")} <= {"TILEWRIGHT_EMULATOR_1"}


def test_names_of_the_header() -> None:
    """Each name that cuda.h maps to another, for what the stand-in has, is there."""
    stub = ctypes.CDLL(str(STUB / "libcuda.so.1"))
    mapped = re.findall(
        r"^\s*#\s*define\s+(cu\w+)\s+(?:__CUDA_API_PT[DS][SZ]\()?(cu\w+)",
        (cuda_include() / "cuda.h").read_text(errors="replace"),
        re.MULTILINE,
    )
    # Of CUDA 13 alone, or with structures that are not modelled.
    absent = {"cuStreamGetCaptureInfo_v3", "cuGraphAddDependencies_v2"}
    missing = [
        (name, target)
        for name, target in mapped
        if hasattr(stub, name) and not hasattr(stub, target) and target not in absent
    ]
    assert not missing


def foreign_python() -> str | None:
    """A Python with Triton."""
    return FOREIGN or (sys.executable if importlib.util.find_spec("triton") else None)


@pytest.mark.parametrize("arch", ["sm_80", "sm_90a"])
def test_triton(arch: str, tmp_path: Path) -> None:
    python = foreign_python()
    assert python is not None, "triton is in requirements-compilers.lock"
    done = subprocess.run(
        [python, SOURCES / "triton_launch.py", "cuda"],
        env=environment(
            arch,
            TRITON_LIBCUDA_PATH=str(STUB),
            TRITON_PTXAS_PATH=str(STUB / "ptxas"),
            TRITON_PTXAS_BLACKWELL_PATH=str(STUB / "ptxas"),
            TRITON_CACHE_DIR=str(tmp_path),
        ),
        cwd=tmp_path, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    expected = ["add", "softmax", "matmul"] + ["copy_tiles"] * (arch == "sm_90a")
    assert done.stdout.split("\n")[1:-1] == expected
