"""Compiles the programs of the corpus to PTX: `python generate.py [NAME...]`.

Writes vectors/PROGRAM.ARCH.ptx, gzipped where it is long, and vectors/manifest.json. It
needs nvcc and a Python with triton 3.9.0 and tilelang 0.1.15, none of which needs a GPU;
what the tools at hand cannot make stays as it is.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import cases
import ptx_text
from case import FOLDER, VECTORS

# Longer files are gzipped.
LONG = 60_000

# Names of internal linkage hold a hash of the source's path: compiled in the same folder, a
# program is the same to the byte.
WORK = Path("/tmp/tilewright-ptx-corpus")


def main(names: list[str]) -> None:
    """Compiles the named programs, or all."""
    path = VECTORS / "manifest.json"
    VECTORS.mkdir(exist_ok=True)
    entries = json.loads(path.read_text()) if path.exists() else {}
    for program, arch in sorted({(case.program, arch) for case, arch in cases.PAIRS}):
        if names and program not in names:
            continue
        made = compile_program(program, arch)
        if made is None:
            print(f"{program}.{arch}: not made here")
            continue
        text, entry = made
        entry = {"program": program, "arch": arch, "file": write(program, arch, text), **entry}
        entries[f"{program}.{arch}"] = entry
        path.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n")
        print(f"{entry['file']}: {len(text)} characters")


def compile_program(program: str, arch: str) -> tuple[str, dict[str, Any]] | None:
    """The PTX of a program and what the manifest says about it; None without the tools."""
    if (FOLDER / "cuda" / f"{program}.cu").exists():
        made = compile_cuda(program, arch)
    elif program.startswith("triton_"):
        made = compile_triton(program, arch)
    elif program.startswith("tilelang_"):
        made = compile_tilelang(program, arch)
    else:
        raise SystemExit(f"nothing knows how to make {program}")
    if made is None:
        return None
    text, entry = made
    for kernel, params in ptx_text.entries(text).items():
        entry["kernels"].setdefault(kernel, {})["params"] = params
    return text, entry


def compile_cuda(program: str, arch: str) -> tuple[str, dict[str, Any]] | None:
    """By nvcc; blocks and sizes are those of the cases, which choose them."""
    if not find_nvcc():
        return None
    options = ["-ptx", "-lineinfo", f"-arch={arch}"]
    shutil.copytree(FOLDER / "cuda", WORK / "cuda", dirs_exist_ok=True)
    text = nvcc(f"cuda/{program}.cu", options)
    kernels: dict[str, Any] = {}
    for case in cases.ALL:
        if case.program == program and arch in case.archs:
            for launch in case.launches(arch):
                kernels.setdefault(
                    launch.kernel,
                    {"block": launch.block, "cluster": launch.cluster, "shared": launch.shared},
                )
    command = f"nvcc {' '.join(options)} cuda/{program}.cu"
    return text, {"command": command, "tools": {"nvcc": nvcc_version()}, "kernels": kernels}


def compile_triton(program: str, arch: str) -> tuple[str, dict[str, Any]] | None:
    """By Triton, which names the block, the shared memory and the tensor descriptors."""
    try:
        import triton
        import triton_programs
    except ImportError:
        return None
    text, kernels = triton_programs.compile_program(program, arch)
    command = f"triton_programs.compile_program({program!r}, {arch!r})"
    tools = {"triton": triton.__version__}
    return ptx_text.strip(text, FOLDER), {
        "command": command,
        "tools": tools,
        "kernels": kernels,
    }


def compile_tilelang(program: str, arch: str) -> tuple[str, dict[str, Any]] | None:
    """By TileLang to CUDA C++, and from there by nvcc with the headers of the wheel."""
    if not find_nvcc():
        return None
    try:
        import tilelang
        import tilelang_programs
    except ImportError:
        return None
    source, kernels = tilelang_programs.lower(program, arch)
    package = Path(tilelang.__file__).parent
    include = [package / "src", package / "3rdparty" / "cutlass" / "include"]
    options = [
        "-ptx",
        "-lineinfo",
        f"-arch={arch}",
        "-std=c++17",
        "--expt-relaxed-constexpr",
        "-w",
    ]
    WORK.mkdir(exist_ok=True)
    (WORK / f"{program}.cu").write_text(source)
    text = nvcc(f"{program}.cu", [*options, *(f"-I{at}" for at in include)])
    command = f"tilelang_programs.lower({program!r}, {arch!r}); nvcc {' '.join(options)}"
    tools = {"tilelang": tilelang.__version__, "nvcc": nvcc_version()}
    return text, {"command": command, "tools": tools, "kernels": kernels}


@functools.cache
def find_nvcc() -> str | None:
    """On the PATH, of a CUDA toolkit, or of the wheels that requirements-ptxas.lock names."""
    folders = [Path(os.environ.get("CUDA_HOME", "/usr/local/cuda"), "bin")]
    folders += Path(sysconfig.get_path("purelib"), "nvidia").glob("cu*/bin")
    return shutil.which("nvcc") or shutil.which("nvcc", path=os.pathsep.join(map(str, folders)))


def nvcc(source: str, options: list[str]) -> str:
    """The stripped PTX of one file in the work folder."""
    subprocess.run([find_nvcc(), *options, source, "-o", "out.ptx"], check=True, cwd=WORK)
    return ptx_text.strip((WORK / "out.ptx").read_text(), WORK)


def nvcc_version() -> str:
    """As in `13.0.88`."""
    text = subprocess.run(
        [find_nvcc(), "--version"], check=True, capture_output=True, text=True
    )
    match = re.search(r"V([\d.]+)", text.stdout)
    assert match
    return match[1]


def write(program: str, arch: str, text: str) -> str:
    """Writes one vector and gives its file name; the same bytes for the same text."""
    plain = VECTORS / f"{program}.{arch}.ptx"
    packed = VECTORS / f"{program}.{arch}.ptx.gz"
    plain.unlink(missing_ok=True)
    packed.unlink(missing_ok=True)
    if len(text) <= LONG:
        plain.write_text(text)
        return plain.name
    packed.write_bytes(gzip.compress(text.encode(), mtime=0))
    return packed.name


if __name__ == "__main__":
    main(sys.argv[1:])
