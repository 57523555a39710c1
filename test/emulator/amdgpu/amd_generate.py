"""Compiles the programs of AMD's corpus: `python amd_generate.py [NAME...]`.

Writes vectors/PROGRAM.ARCH.hsaco.gz and vectors/manifest.json. It needs clang 22 for HIP C++
and a Python with triton 3.9.0, neither of which needs a GPU or ROCm.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "ptx")]

import amd_cases  # noqa: E402
from case import vectors_of  # noqa: E402

OBJCOPY = ("llvm-objcopy-22", "/usr/lib/llvm-22/bin/llvm-objcopy")
CLANG = ("clang++-22", "/usr/lib/llvm-22/bin/clang++")
OPTIONS = (
    "-x", "hip", "-std=c++17", "-O2", "-gline-tables-only", "-ffile-compilation-dir=.",
    "-nogpuinc", "-nogpulib", "--offload-device-only", "--no-gpu-bundle-output",
)  # fmt: skip


def main(names: list[str]) -> None:
    """Compiles the named programs, or all."""
    vectors = vectors_of("gfx")
    path = vectors / "manifest.json"
    vectors.mkdir(exist_ok=True)
    entries = json.loads(path.read_text()) if path.exists() else {}
    for program, arch in sorted({(case.program, arch) for case, arch in amd_cases.PAIRS}):
        if names and program not in names:
            continue
        made = compile_program(program, arch)
        if made is None:
            print(f"{program}.{arch}: not made here")
            continue
        code, entry = made
        file = f"{program}.{arch}.hsaco.gz"
        (vectors / file).write_bytes(gzip.compress(code, 9, mtime=0))
        entries[f"{program}.{arch}"] = {
            "program": program, "arch": arch, "file": file, **entry,
        }  # fmt: skip
        path.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n")
        print(f"{file}: {len(code)} bytes")


def compile_program(program: str, arch: str) -> tuple[bytes, dict[str, Any]] | None:
    """The code object and what the manifest says of it; None without the tools."""
    if (FOLDER / "hip" / f"{program}.hip").exists():
        return compile_hip(program, arch)
    return compile_triton(program, arch)


def compile_triton(program: str, arch: str) -> tuple[bytes, dict[str, Any]] | None:
    """By Triton, which names the work-group and the LDS."""
    try:
        import triton
        import triton_programs
    except ImportError:
        return None
    code, kernels = triton_programs.compile_program(program, arch)
    return without_debug(code), {
        "command": f"triton_programs.compile_program({program!r}, {arch!r})",
        "tools": {"triton": triton.__version__},
        "kernels": kernels,
    }


def without_debug(code: bytes) -> bytes:
    """A code object without its line table, which names folders of the machine."""
    objcopy = next(filter(None, map(shutil.which, OBJCOPY)), None)
    if objcopy is None:
        return code
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "code"
        path.write_bytes(code)
        subprocess.run([objcopy, "--strip-debug", path], check=True)
        return path.read_bytes()


def clang() -> str | None:
    """A clang that compiles HIP, if there is one."""
    return next(filter(None, map(shutil.which, CLANG)), None)


def compile_hip(program: str, arch: str) -> tuple[bytes, dict[str, Any]] | None:
    """By clang; work-groups and sizes are those of the cases, which choose them."""
    compiler = clang()
    if compiler is None:
        return None
    # In the folder, so that the line table has no path of this machine.
    command = [*OPTIONS, f"--offload-arch={arch}", f"hip/{program}.hip", "-o", "-"]
    run = subprocess.run([compiler, *command], cwd=FOLDER, capture_output=True)
    if run.returncode:
        raise SystemExit(run.stderr.decode())
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
    return run.stdout, {
        "command": " ".join(["clang++-22", *command]),
        "tools": {"clang": version.splitlines()[0]},
        "kernels": {},
    }


if __name__ == "__main__":
    main(sys.argv[1:])
