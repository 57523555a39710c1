"""The stand-in for HIP's runtime: C programs, HIP programs and Triton's launcher run on it
unchanged.

HIP's headers and the part of AMD's device library that they need are in Triton's package.

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

import amd_generate
import bundles
import pytest

from tilewright.emulator import library

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ROOT / "test" / "emulator" / "driver"
STUB = library.path(library.AMD).parent / "hip-stub"
ARCHS = ["gfx90a", "gfx942", "gfx950", "gfx1100", "gfx1201"]


def triton_folder() -> Path:
    """Of Triton's AMD part, with headers and device libraries."""
    found = importlib.util.find_spec("triton")
    assert found is not None, "triton is in requirements-compilers.lock"
    return Path(found.origin).parent / "backends" / "amd"


def clang(*arguments: str | Path) -> None:
    compiler = amd_generate.clang()
    assert compiler is not None, "clang-22 is in scripts/debian-packages.txt"
    subprocess.run(
        [compiler, "-x", "hip", "-nogpulib", "-nogpuinc", "-O1", *arguments], check=True
    )


def device_code(source: Path, arch: str, output: Path, *options: str | Path) -> bytes:
    """The linked code object of a HIP source."""
    clang(
        "--offload-device-only", "--no-gpu-bundle-output", f"--offload-arch={arch}", *options,
        source, "-o", output,
    )  # fmt: skip
    return output.read_bytes()


def run(program: list[str | Path], arch: str, **more: str) -> subprocess.CompletedProcess:
    """A program that is to find the stand-in instead of HIP."""
    environment = {"LD_LIBRARY_PATH": str(STUB), "TILEWRIGHT_EMULATOR_ARCH": arch, **more}
    return subprocess.run(
        program, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300
    )


# ---- a C program ------------------------------------------------------------------


@pytest.fixture(scope="module")
def vector_add(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C program, and beside it its kernels for each GPU, and bundles of them."""
    folder = tmp_path_factory.mktemp("hip")
    subprocess.run(
        ["cc", "-O1", "-Wall", "-Wextra", f"-isystem{triton_folder() / 'include'}",
         SOURCES / "hip_vector_add.c", "-o", folder / "vector_add", f"-L{STUB}", "-lamdhip64"],
        check=True,
    )  # fmt: skip
    include = f"-I{ROOT / 'test' / 'emulator' / 'amdgpu' / 'hip'}"
    codes = {
        bundles.target(arch): device_code(
            SOURCES / "vector_add.hip", arch, folder / f"{arch}.hsaco", include
        )
        for arch in ARCHS
    }
    (folder / "all.bundle").write_bytes(bundles.bundle(codes))
    (folder / "all.ccob").write_bytes(bundles.compress(bundles.bundle(codes), 3))
    only = {name: code for name, code in codes.items() if name.endswith("gfx1100")}
    (folder / "gfx1100.bundle").write_bytes(bundles.bundle(only))
    return folder / "vector_add"


CASES = ["launches", "errors", "graphs", "events", "memory", "boxes", "device", "images"]


@pytest.mark.parametrize("case", CASES)
def test_c_program(vector_add: Path, case: str) -> None:
    done = run([vector_add, vector_add.parent / "gfx942.hsaco", case], "gfx942")
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("done\n")


def test_captures(tmp_path: Path) -> None:
    program = tmp_path / "captures"
    subprocess.run(
        ["cc", "-O1", "-Wall", "-Wextra", "-DHIP", f"-isystem{triton_folder() / 'include'}",
         SOURCES / "captures.c", "-o", program, f"-L{STUB}", "-lamdhip64"],
        check=True,
    )  # fmt: skip
    assert run([program], "gfx942").stdout == "done\n"


@pytest.mark.parametrize("arch", ARCHS)
def test_launches_on_each_gpu(vector_add: Path, arch: str) -> None:
    done = run([vector_add, vector_add.parent / f"{arch}.hsaco", "launches"], arch)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("arch", "said"),
    [
        ("gfx942", "(gfx942), gfx942:sramecc+:xnack-, 64 lanes, 65536 bytes"),
        ("gfx950", "(gfx950), gfx950:sramecc+:xnack-, 64 lanes, 163840 bytes"),
        ("gfx1201", "(gfx1201), gfx1201, 32 lanes, 65536 bytes"),
    ],
)
def test_device(vector_add: Path, arch: str, said: str) -> None:
    done = run([vector_add, vector_add.parent / f"{arch}.hsaco", "device"], arch)
    assert said in done.stdout


def test_default_device(vector_add: Path) -> None:
    """gfx942, where the environment names none."""
    done = run([vector_add, vector_add.parent / "gfx942.hsaco", "device"], "")
    assert "(gfx942)" in done.stdout


@pytest.mark.parametrize("file", ["all.bundle", "all.ccob"])
@pytest.mark.parametrize("arch", ["gfx942", "gfx1201"])
@pytest.mark.parametrize("case", ["launches", "images"])
def test_bundle(vector_add: Path, file: str, arch: str, case: str) -> None:
    """The device's own entry is taken, from a file and from memory."""
    path = vector_add.parent / file
    done = run([vector_add, path, case], arch)
    assert done.returncode == 0, done.stdout


def test_bundle_without_the_device(vector_add: Path) -> None:
    done = run([vector_add, vector_add.parent / "gfx1100.bundle", "launches"], "gfx942")
    assert "hipErrorNoBinaryForGpu" in done.stdout
    assert "none for gfx942" in done.stderr
    assert "hipv4-amdgcn-amd-amdhsa--gfx1100" in done.stderr
    done = run([vector_add, vector_add.parent / "gfx1100.hsaco", "launches"], "gfx942")
    assert "hipErrorNoBinaryForGpu" in done.stdout
    assert "for gfx1100, and the device is gfx942" in done.stderr


def test_fault(vector_add: Path) -> None:
    done = run(
        [vector_add, vector_add.parent / "gfx942.hsaco", "faults"], "gfx942",
        TILEWRIGHT_EMULATOR_ORDER="reverse",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "out-of-bounds" in done.stderr
    assert "in wild, block (0, 0, 0)" in done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("TILEWRIGHT_EMULATOR_ARCH", "gfx803", "there is no device gfx803"),
        ("TILEWRIGHT_EMULATOR_CHECKS", "no-such-thing", "no-such-thing"),
        ("TILEWRIGHT_EMULATOR_ORDER", "sideways", "sideways"),
        ("TILEWRIGHT_EMULATOR_ORDER", "99999999999999999999", "99999999999999999999"),
        ("TILEWRIGHT_EMULATOR_THREADS", "-1", "THREADS: -1 is not a number from 0 to 65535"),
        ("TILEWRIGHT_EMULATOR_STEPS", "1e6", "STEPS: 1e6 is not a number from 0 to"),
    ],
)
def test_wrong_environment(vector_add: Path, variable: str, value: str, said: str) -> None:
    path = vector_add.parent / "gfx942.hsaco"
    done = run([vector_add, path, "device"], **{"arch": "gfx942", variable: value})
    assert "hipErrorNoDevice" in done.stdout
    assert said in done.stderr


# ---- HIP programs -----------------------------------------------------------------


@pytest.fixture(scope="module", params=["plain", "compressed"])
def hip_program(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A program with kernels for two GPUs in it."""
    folder = tmp_path_factory.mktemp("program")
    source = SOURCES / "hip_program.hip"
    include = f"-isystem{triton_folder() / 'include'}"
    codes = {
        bundles.target(arch): device_code(
            source, arch, folder / f"{arch}.hsaco", include,
            "-include", SOURCES / "device_library.h",
            "-Xclang", "-mlink-builtin-bitcode",
            "-Xclang", str(triton_folder() / "lib" / "ockl.bc"),
        )
        for arch in ("gfx942", "gfx1100")
    }  # fmt: skip
    made = bundles.bundle(codes)
    (folder / "bundle").write_bytes(
        made if request.param == "plain" else bundles.compress(made, 3)
    )
    clang(
        "--offload-host-only", include, "-Wall", "-Wextra", "-c", source,
        "-Xclang", "-fcuda-include-gpubinary", "-Xclang", folder / "bundle",
        "-o", folder / "host.o",
    )  # fmt: skip
    program = folder / "program"
    subprocess.run(
        ["c++", folder / "host.o", "-o", program, f"-L{STUB}", "-lamdhip64"], check=True
    )
    return program


@pytest.mark.parametrize("arch", ["gfx942", "gfx1100"])
def test_hip_program(hip_program: Path, arch: str) -> None:
    done = run([hip_program], arch)
    assert done.stdout == "done\n"
    assert done.returncode == 0
    assert "out-of-bounds" in done.stderr


def test_hip_program_without_the_device(hip_program: Path) -> None:
    done = run([hip_program], "gfx90a")
    assert "hipErrorNoBinaryForGpu" in done.stdout
    assert "--offload-arch=gfx90a" in done.stderr


# ---- the interface ----------------------------------------------------------------


def test_types() -> None:
    subprocess.run(
        ["c++", "-std=c++17", "-fsyntax-only", "-Wno-invalid-offsetof", f"-I{ROOT}",
         f"-isystem{triton_folder() / 'include'}", SOURCES / "hip_types.cpp"],
        check=True,
    )  # fmt: skip


def test_exports_nothing_else() -> None:
    symbols = subprocess.run(
        ["nm", "-D", "--defined-only", STUB / "libamdhip64.so"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    names = [line.split()[-1] for line in symbols.splitlines()]
    assert "hipMalloc" in names
    assert "__hipRegisterFatBinary" in names
    assert all(re.match(r"hip[A-Z]|__hip[A-Z]", name) for name in names)


def test_every_call_is_hips() -> None:
    """What is exported is declared in HIP's headers, called by compiled programs, or for who
    knows of the stand-in."""
    header = triton_folder() / "include" / "hip" / "hip_runtime_api.h"
    declared = header.read_text() + header.with_name("hip_deprecated.h").read_text()
    compiled = {"__hipRegisterFatBinary", "__hipRegisterFunction", "__hipRegisterVar",
                "__hipRegisterManagedVar", "__hipUnregisterFatBinary"}  # fmt: skip
    own = {"hipTilewrightDevice", "hipTilewrightInstructions", "hipTilewrightReport"}
    symbols = subprocess.run(
        ["nm", "-D", "--defined-only", STUB / "libamdhip64.so"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    unknown = [
        name
        for name in (line.split()[-1] for line in symbols.splitlines())
        if name not in compiled | own and not re.search(rf"\b{name}\b", declared)
    ]
    assert unknown == []


@pytest.mark.parametrize("name", ["libamdhip64.so", "libamdhip64.so.6", "libamdhip64.so.7"])
def test_names_that_loaders_ask_for(name: str) -> None:
    stub = ctypes.CDLL(str(STUB / name))
    assert not hasattr(stub, "hipNoSuchThing")
    version = ctypes.c_int()
    assert stub.hipRuntimeGetVersion(ctypes.byref(version)) == 0
    assert version.value // 10000000 == 7


@pytest.mark.parametrize("arch", ARCHS)
def test_triton(arch: str, tmp_path: Path) -> None:
    triton_folder()
    done = run(
        [sys.executable, SOURCES / "triton_launch.py", "hip"], arch,
        TRITON_LIBHIP_PATH=str(STUB / "libamdhip64.so"), TRITON_CACHE_DIR=str(tmp_path),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.splitlines()
    assert f"arch='{arch}'" in first
    assert rest == ["add", "softmax", "matmul"]
