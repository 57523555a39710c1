"""What becomes of one mutant: an error at its place, or the result of the reference.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
import importlib.util
import math
import os
import sys
import tempfile
import traceback
import types
import zlib
from pathlib import Path

import numpy as np

import tilewright
from tilewright import CompileError

from .corpus import CORPUS, Results
from .mutations import Mutant
from .text import Run
from .values import Excluded

KERNELS = {kernel.name: kernel for kernel in CORPUS}


@dataclasses.dataclass
class Verdict:
    """How a mutant ended.

    `outcome` is one of:
        error: a CompileError at the mutated statement;
        error at use: one where a name that the statement defines is used;
        right: the result agrees with the reference;
        argument: an exception of the launch that names an argument, of a mutated signature;
        Python's own: an exception that Python raises where it runs the statement itself, the
            decorator or annotation of a function, or where it uses what that defines;
        undefined, undecided: the reference finds that the program has no one result;
        unknown: the program uses what the reference does not cover;
        WRONG ...: anything else, which is a fault.
    `text` says more.
    """

    outcome: str
    text: str = ""

    @property
    def is_wrong(self) -> bool:
        return self.outcome.startswith("WRONG")


def judge(mutant: Mutant) -> Verdict:
    """Compiles and runs a mutant, and its text on the reference."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        file = Path(folder) / "mutant.py"
        file.write_text(mutant.text)
        try:
            results = _really(mutant, file)
        except CompileError as error:
            return _placed(mutant, file, error)
        except Exception as error:
            if isinstance(error, (tilewright.LaunchError, TypeError, ValueError)):
                if mutant.of_signature and any(n in str(error) for n in mutant.arguments):
                    return Verdict("argument", f"{type(error).__name__}: {error}")
            text = f"{type(error).__name__}: {error}"
            if _is_pythons_own(error, mutant, file):
                return Verdict("Python's own", text)
            return Verdict("WRONG exception", text)
        return compared(mutant, results)


def _really(mutant: Mutant, file: Path) -> Results:
    """The results of the compiled mutant."""
    spec = importlib.util.spec_from_file_location("mutant", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutant"] = module
    spec.loader.exec_module(module)
    return _called(mutant, module)


def _called(mutant: Mutant, module: types.ModuleType) -> Results:
    rng = np.random.default_rng(zlib.crc32(mutant.kernel.encode()))
    return KERNELS[mutant.kernel].call(module, rng)


def explained(mutant: Mutant, ended: Verdict) -> Verdict:
    """The verdict on a mutant whose run ended the process, or did not end.

    Where the program means nothing, that is what may happen: it does not end on the
    reference either, or checking mode reports what it did before it can do harm. Otherwise
    `ended` stands.
    """
    if ended.outcome == "WRONG hang":
        try:
            reference(mutant)
        except Excluded as excluded:
            return Verdict(type(excluded).__name__.lower(), f"{ended.text}; {excluded}")
        return ended
    os.environ["TILEWRIGHT_DEBUG"] = "1"
    try:
        with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
            file = Path(folder) / "mutant.py"
            file.write_text(mutant.text)
            _really(mutant, file)
    except tilewright.CheckError as error:
        return Verdict("undefined", f"{ended.text}; checking mode: {error}")
    except Exception:
        return ended
    finally:
        del os.environ["TILEWRIGHT_DEBUG"]
    return ended


# ---- Errors ---------------------------------------------------------------------------------


def _placed(mutant: Mutant, file: Path, error: CompileError) -> Verdict:
    text = str(error)
    if "internal error" in error.message:
        return Verdict("WRONG internal error", text)
    if not (error.rule or error.hint):
        return Verdict("WRONG message: no way out", text)
    places = [p for p in (error.place, *error.callers) if p and Path(p.file) == file]
    lines = {p.line for p in places}
    if any(mutant.first <= line <= mutant.last for line in lines):
        return Verdict("error", text)
    if lines & mutant.uses:
        return Verdict("error at use", text)
    return Verdict("WRONG place", f"expected {mutant.first}-{mutant.last}\n{text}")


def _is_pythons_own(error: Exception, mutant: Mutant, file: Path) -> bool:
    """Whether Python itself raised it, at the statement: a decorator, an annotation."""
    frames = traceback.extract_tb(error.__traceback__)
    at_end = frames[-1]
    is_ours = at_end.filename.startswith(str(Path(tilewright.__file__).parent))
    if is_ours and at_end.name == "__getattr__":  # the module says that it has no such name
        at_end = frames[-2]
    return Path(at_end.filename) == file and (
        mutant.first <= at_end.lineno <= mutant.last or at_end.lineno in mutant.uses
    )


# ---- Results --------------------------------------------------------------------------------


def reference(mutant: Mutant) -> tuple[Run, Results]:
    """The mutant's text, run as Python."""
    run = Run()
    return run, _called(mutant, run.load(mutant.text, "reference.py"))


def compared(mutant: Mutant, results: Results) -> Verdict:
    """The compiled results beside those of the reference."""
    try:
        run, expected = reference(mutant)
    except Excluded as excluded:
        return Verdict(type(excluded).__name__.lower(), str(excluded))
    except NotImplementedError as error:
        return Verdict("unknown", str(error))
    except Exception as error:
        return Verdict("WRONG acceptance", f"reference: {type(error).__name__}: {error}")
    open_elements = 0
    for name, actual in results.items():
        if expected[name].size == 0:  # shares memory with nothing
            if actual.shape != expected[name].shape:
                text = f"{name}: shape {actual.shape}, not {expected[name].shape}"
                return Verdict("WRONG result", text)
            continue
        array = next(a for given, a in run.outputs if np.shares_memory(given, expected[name]))
        if array.values.size != actual.size:
            return Verdict("WRONG result", f"{name}: shape {actual.shape}, not {array.shape}")
        flat = (x.ravel() for x in (array.values, array.errors, array.defined))
        for i, (value, error, defined) in enumerate(zip(*flat)):
            if not defined or error == math.inf:
                open_elements += 1
                continue
            got = float(actual.ravel()[i])
            same = got == value or math.isnan(got) and math.isnan(value)
            if not same and not abs(got - value) <= error:
                return Verdict("WRONG result", f"{name}[{i}] is {got}, not {value} +- {error}")
    count = sum(a.size for a in results.values())
    if count and open_elements == count:
        return Verdict("undefined", "no element is defined")
    return Verdict(
        "right", f"{open_elements} of {count} elements are open" * bool(open_elements)
    )
