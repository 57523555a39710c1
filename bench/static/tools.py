"""Assemblers, disassemblers and peers: where they are, and how to get one that is missing.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import shutil
import sysconfig
from pathlib import Path
from types import ModuleType

LLVM = "/usr/lib/llvm-22/bin"


class MissingTool(RuntimeError):
    """Something that has to be installed; the message says how."""


def _packages() -> Path:
    return Path(sysconfig.get_path("purelib"))


def _find(names: tuple[str, ...], folders: tuple[str | Path, ...], install: str) -> str:
    """The first program of one of the names on the PATH, then in the folders."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *map(str, folders)])
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    raise MissingTool(f"there is no {names[0]}: {install}")


def _of_cuda() -> tuple[str | Path, ...]:
    """Folders of a CUDA toolkit, and of the wheels that requirements-ptxas.lock names."""
    toolkit = Path(os.environ.get("CUDA_HOME", "/usr/local/cuda"), "bin")
    return toolkit, *_packages().glob("nvidia/cu*/bin")


_CUDA = "install a CUDA 13 toolkit, or `.venv/bin/pip install -r requirements-ptxas.lock`"
_PEERS = "`.venv/bin/pip install -r requirements-compilers.lock`"


@functools.cache
def ptxas() -> str:
    """NVIDIA's assembler, the one that `tilewright doctor` names."""
    from tilewright.compiler.tools import find_all

    found = find_all()["ptxas"]["path"]
    if found is None:
        raise MissingTool(f"there is no ptxas: {_CUDA}")
    return found


@functools.cache
def nvcc() -> str:
    """NVIDIA's compiler, which TileLang's CUDA C++ goes through."""
    return _find(("nvcc",), _of_cuda(), _CUDA)


@functools.cache
def nvdisasm() -> str:
    """NVIDIA's disassembler, which Triton's wheel carries."""
    wheel = _packages() / "triton" / "backends" / "nvidia" / "bin"
    return _find(("nvdisasm",), (wheel, *_of_cuda()), f"it comes with Triton, {_PEERS}")


@functools.cache
def objdump() -> str:
    """LLVM's disassembler."""
    return _find(("llvm-objdump-22", "llvm-objdump"), (LLVM,), "apt-get install llvm-22")


@functools.cache
def readelf() -> str:
    """LLVM's reader of the metadata of code objects."""
    return _find(("llvm-readelf-22", "llvm-readelf"), (LLVM,), "apt-get install llvm-22")


@functools.cache
def peer(name: str) -> ModuleType:
    """The module peer_`name`, whose package must be installed."""
    if importlib.util.find_spec(name) is None:
        raise MissingTool(f"there is no Python package {name}: {_PEERS}")
    return importlib.import_module(f"peer_{name}")
