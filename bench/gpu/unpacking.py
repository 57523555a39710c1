"""The other end of packing.py: libraries from the archives, and extensions for this Python.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import importlib.util
import json
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

from packing import ARCHIVE, LLVM_ARCHIVE, ROOT

# What the package and the build of its extensions import, by what installs it.
_PACKAGES = {
    "numpy": "numpy", "ml_dtypes": "ml_dtypes", "typer": "typer", "rich": "rich",
    "pybind11": "pybind11",
}  # fmt: skip


class SetupError(RuntimeError):
    """This machine cannot be made ready; the message says what it lacks."""


def require_tools() -> None:
    """Raises SetupError with all that this machine lacks."""
    missing = [tool for tool in ("cmake", "g++") if shutil.which(tool) is None]
    packages = [p for name, p in _PACKAGES.items() if importlib.util.find_spec(name) is None]
    if missing or packages:
        raise SetupError(
            f"this machine lacks {', '.join(missing + packages)}: install programs, and for "
            f"{sys.executable} the packages (requirements.lock)"
        )


def unpack(source: Path, work: Path) -> dict[str, Any]:
    """Unpack the archives of a folder into `work`; give their manifest."""
    for name in (LLVM_ARCHIVE, ARCHIVE):
        archive = source / name
        if not archive.is_file():
            raise SetupError(f"there is no {archive}: make it on a build machine with `pack`")
        try:
            with tarfile.open(archive, "r:xz") as tar:
                tar.extractall(work)
        except (OSError, EOFError, lzma.LZMAError, tarfile.TarError) as error:
            raise SetupError(f"{archive}: {error}") from None
    for spare in (work / "spare").iterdir():
        if not _is_here(spare.name):
            shutil.copyfile(spare, work / "lib" / spare.name)
    for name in ("libLLVM", "libMLIR"):
        [library] = (work / "lib").glob(f"{name}.so.*")
        link = work / "lib" / f"{name}.so"
        link.unlink(missing_ok=True)
        link.symlink_to(library.name)
    return json.loads((work / "manifest.json").read_text())


def _is_here(soname: str) -> bool:
    """Whether the machine has a library; asked in a process that may load what it likes."""
    code = f"import ctypes; ctypes.CDLL({soname!r})"
    return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def build(work: Path) -> None:
    """The extensions for the Python that runs this, in `work`/python/tilewright."""
    folder = work / "build"
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    for command in (
        ["cmake", *generator, "-S", str(Path(__file__).parent / "bindings"), "-B", str(folder),
         f"-DUNPACKED={work}", f"-DPython_EXECUTABLE={sys.executable}"],
        ["cmake", "--build", str(folder), "--parallel", str(len(os.sched_getaffinity(0)))],
    ):  # fmt: skip
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            lines = (run.stdout + run.stderr).strip().splitlines()
            raise SetupError("\n".join([f"{' '.join(command)} failed:", *lines[-30:]]))


def environment(work: Path) -> dict[str, str]:
    """What processes that use the package of this checkout with these extensions run in."""
    return os.environ | {
        "PYTHONPATH": str(ROOT / "python"),
        "TILEWRIGHT_BUILD_DIR": str(work),
        "TILEWRIGHT_CACHE_DIR": str(work / "cache"),
    }
