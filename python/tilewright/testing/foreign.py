# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Other compilers' GPU programs, of a checkout's test/emulator, for the emulators."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import tilewright

FOLDER = Path(tilewright.__file__).resolve().parents[2] / "test" / "emulator" / "ptx"


class NoCheckout(RuntimeError):
    """The programs are not there: the package runs outside a checkout."""


def corpus(arch: str = "sm_80") -> tuple[ModuleType, dict[str, Any]]:
    """The corpus's module `case`, and the cases of the vendor of `arch` by name. Raises
    NoCheckout."""
    if not (FOLDER / "case.py").is_file():
        raise NoCheckout(
            f"the emulated programs are in test/emulator/ptx of a checkout of Tilewright, and "
            f"there is no {FOLDER}: run this in a checkout"
        )
    # They are plain modules that import each other by name.
    folders = [str(FOLDER), str(FOLDER.parent / "amdgpu")]
    cases = "amd_cases" if arch.startswith("gfx") else "cases"
    sys.path[:0] = folders
    try:
        return importlib.import_module("case"), importlib.import_module(cases).BY_NAME
    finally:
        for folder in folders:
            sys.path.remove(folder)


def compiler(program: str) -> str:
    """What compiled a program of the corpus."""
    prefix = program.partition("_")[0]
    known = {"triton": "Triton", "tilelang": "TileLang", "hip": "clang"}
    return known.get(prefix, "nvcc")


def error_over_bound(actual: np.ndarray, value: np.ndarray, bound: Any) -> float:
    """The worst error over its bound; infinite where it is beyond one of zero, or a NaN."""
    with np.errstate(invalid="ignore", divide="ignore"):
        got = actual.astype(np.float64)
        expected = value.astype(np.float64)
        error = np.where(got == expected, 0.0, np.abs(got - expected))
        ratio = np.where(error == 0, 0.0, error / bound)
    ratio[np.isnan(got) & np.isnan(expected)] = 0.0
    return float(np.where(np.isnan(ratio), np.inf, ratio).max(initial=0.0))


def worst_error(case: Any, arrays: dict[str, np.ndarray]) -> float:
    """The worst error over its bound of a case's arrays, as they are after it ran."""
    return max(
        error_over_bound(arrays[name], expected.value, expected.bound)
        for name, expected in case.reference(case.inputs()).items()
    )
