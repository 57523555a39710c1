"""Programs and driver libraries that backends use: where they are, which version.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ctypes
import glob
import os
import re
import shutil
import subprocess
import sysconfig
from typing import NamedTuple


class Tool(NamedTuple):
    """A program, or a shared library when `library` is set, and what it is for."""

    name: str
    purpose: str
    folders: tuple[str, ...] = ()
    library: bool = False


TOOLS = (
    Tool(
        "ptxas",
        "assembles PTX",
        ("$CUDA_HOME/bin", "/usr/local/cuda/bin", "$PURELIB/nvidia/cu*/bin"),
    ),
    Tool("libcuda.so.1", "runs kernels on NVIDIA GPUs", library=True),
    Tool("libamdhip64.so", "runs kernels on AMD GPUs", library=True),
)


def find_all() -> dict[str, dict[str, str | None]]:
    """Every tool with its purpose, its place (None when absent) and its version."""
    found = {}
    for tool in TOOLS:
        place = _find_library(tool.name) if tool.library else _find_program(tool)
        version = program_version(place) if place and not tool.library else None
        found[tool.name] = {"purpose": tool.purpose, "path": place, "version": version}
    return found


def find_program(name: str) -> str | None:
    """Where a program of `TOOLS` is; None where it is absent."""
    return _find_program(next(tool for tool in TOOLS if tool.name == name))


def _find_program(tool: Tool) -> str | None:
    """The first executable of that name in the tool's folders, then on the PATH."""
    variables = {
        "$CUDA_HOME": os.environ.get("CUDA_HOME", "/usr/local/cuda"),
        "$PURELIB": sysconfig.get_path("purelib"),
    }
    for folder in tool.folders:
        for name, value in variables.items():
            folder = folder.replace(name, value)
        for place in sorted(glob.glob(os.path.join(folder, tool.name))):
            if os.access(place, os.X_OK):
                return place
    return shutil.which(tool.name)


def _find_library(name: str) -> str | None:
    """The library's name when the dynamic linker finds it."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return None
    return name


def program_version(place: str) -> str | None:
    """The first version number a program prints for --version."""
    try:
        run = subprocess.run([place, "--version"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"\b[vV]?(\d+(?:\.\d+)+)", run.stdout)
    return match.group(1) if match else None
