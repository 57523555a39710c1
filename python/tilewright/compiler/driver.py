"""From a kernel function to a kernel object: choices, the cache, the compiler.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import json
import os
import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path

from ..language.choices import Choices
from ..language.prim_func import PrimFunc
from . import cache, diagnostics
from .cache.keys import digest
from .errors import CompileError
from .kernel import Kernel
from .lower import lower_prim_func
from .module import Module
from .reading import Reading


def compile(
    func: PrimFunc,
    out_idx: object = None,
    *,
    target: str = "cpu",
    target_host: object = None,
    pass_configs: dict | None = None,
    batch_invariant: bool = False,
    debug: bool | str | None = None,
    execution_backend: object = None,
    verbose: bool = False,
    compile_flags: object = None,
) -> Kernel:
    """Compile a `@T.prim_func` for a target.

    `out_idx` (an int or a list) names parameters that calls allocate and return. `target` is
    a device string (docs/devices.md), "auto" for this machine's CPU. `pass_configs` are
    options of the compiler.
    With `batch_invariant`, the compiler's choices do not make the result of a row depend on
    how many rows there are, or on its place among them (docs/semantics.md).
    With `debug` calls look for wrong accesses and raise CheckError (docs/checking.md);
    "nan" also finds where NaN and infinities arise; None leaves it to TILEWRIGHT_DEBUG.
    The remaining options are TileLang's and mean nothing here.
    Raises CompileError.
    """
    if not isinstance(func, PrimFunc):
        raise CompileError.here(
            f"tilewright.compile takes a @T.prim_func, not {func!r}",
            hint="decorate the function with @T.prim_func",
        )
    try:
        options = options_for(target, pass_configs, debug)
        reading = Reading(bool(batch_invariant), "debug" in options)
        return build(lambda: lower_prim_func(func, out_idx, reading), options)
    except CompileError as error:
        raise error.with_traceback(None) from None  # it says where; our frames add nothing


def options_for(
    target: object, pass_configs: dict | None, debug: bool | str | None = None
) -> dict:
    """Options of the compiler: a target, and `debug` in checking mode alone.

    `pass_configs` may name options of TileLang's own passes, which mean nothing here.
    """
    if not isinstance(pass_configs, dict | None):
        raise CompileError.here(
            f"pass_configs is {pass_configs!r}", hint="give a dict of options, or leave it out"
        )
    for name in pass_configs or {}:
        if not str(name).startswith(("tl.", "tir.", "PassConfigKey")):
            raise CompileError.here(
                f"pass_configs: there is no option {name!r}",
                hint="leave it out; options of TileLang (tl.*) are accepted and not needed",
            )
    return {"target": _target_of(str(target))} | _debug_options(debug)


def _target_of(name: str) -> str:
    """A device string that says for which machine, since code is compiled for one.

    For a GPU without its architecture that is the one there is, or the emulator's default.
    """
    if name in ("auto", "llvm", "c"):
        return "cpu"
    if name.endswith(":"):
        raise CompileError.here(
            f"target={name!r} names nothing behind the colon",
            hint=f"write {name[:-1]!r}, or what follows, as in 'cuda:sm_80' and 'cpu:znver4'",
        )
    if ":" in name or name.removesuffix("-emulator") not in ("cuda", "hip"):
        return name
    from ..runtime import device_name

    try:
        return device_name(name)
    except RuntimeError as error:
        raise CompileError.here(
            f"target={name!r}: {error}",
            hint=f"name the architecture to compile for a machine that is not this one, as in "
            f"{_EXAMPLES[name]!r}",
        ) from None


_EXAMPLES = {
    "cuda": "cuda:sm_80",
    "hip": "hip:gfx942",
    "cuda-emulator": "cuda-emulator:sm_80",
    "hip-emulator": "hip-emulator:gfx942",
}


def _debug_options(debug: bool | str | None) -> dict:
    asked = os.environ.get("TILEWRIGHT_DEBUG", "") if debug is None else debug
    for said, options in _DEBUG.items():
        if any(asked is s or asked == s and type(asked) is type(s) for s in said):
            return options
    where = "TILEWRIGHT_DEBUG" if debug is None else "debug"
    raise CompileError.here(
        f"{where}={asked!r}",
        rule="checking mode is on, off, or looks for NaN as well",
        hint="give True (1), False (0) or 'nan'",
    )


# What debug= and TILEWRIGHT_DEBUG may say.
_DEBUG = {
    (False, "", "0"): {},
    (True, "1"): {"debug": "accesses"},
    ("nan",): {"debug": "values"},
}


_as_objects: ContextVar[bool] = ContextVar("as_objects", default=False)


@contextlib.contextmanager
def as_objects() -> Iterator[None]:
    """Within it what is compiled becomes part of a library: `path` of the kernels is an object
    file, `symbol` its artifact there, and they cannot be called."""
    token = _as_objects.set(True)
    try:
        yield
    finally:
        _as_objects.reset(token)


def build(lower: Callable[[], Module], options: dict) -> Kernel:
    """The kernel that `lower` writes, from the cache or compiled.

    Where the kernel asks T.choose, `lower` runs once per combination until the memory plan
    fits; the last one is taken where none does. A cache hit loads no compiler.
    """
    module, choices = _attempt(lower, Choices())
    if any(len(entries) > 1 for entries in choices.lists.values()):
        # Whether a kernel is checked changes none of its choices.
        plain = {name: value for name, value in options.items() if name != "debug"}
        module, choices = _fitting(lower, module, choices, plain)
    return made(module, options, choices.values())


def made(module: Module, options: dict, choices: dict) -> Kernel:
    """The kernel of a lowered module, from the cache or compiled."""
    target = options["target"]
    if _as_objects.get():
        options = options | {"symbol": _symbol(module.text, options)}
    key = cache.key_of(module.text, options | _assembler(target), target)

    def compile_to(path: Path) -> dict:
        return _compile(module, options, str(path))

    entry = cache.obtain(key, compile_to)
    return Kernel(module, options, entry, choices, lambda: cache.apart(key, compile_to))


def _symbol(text: str, options: dict) -> str:
    """The symbol of an artifact in an object file: another one for each kernel, and the same
    wherever the kernel is compiled and its source lies, since libraries are to have the same
    bytes."""
    asked = json.dumps([_FOLDERS.sub(r"\1", text), options], sort_keys=True)
    return f"tw_artifact_{digest(asked.encode())[:32]}"


def _assembler(target: str) -> dict:
    """Which assembler says what a library's manifest has of registers: what was compiled
    without one is compiled anew where there is one."""
    if not _as_objects.get() or not target.startswith("cuda:"):
        return {}
    from .device_code import ptxas_version

    return {"assembler": ptxas_version()}


_FOLDERS = re.compile(r'^(#loc\d* = loc\(")[^"]*/', re.M)


def _attempt(lower: Callable[[], Module], choices: Choices) -> tuple[Module, Choices]:
    # Trees and values of a kernel live until it is lowered: nothing to collect among them.
    collects = gc.isenabled()
    gc.disable()
    try:
        with choices:
            return lower(), choices
    finally:
        if collects:
            gc.enable()


def _fitting(
    lower: Callable[[], Module], module: Module, choices: Choices, options: dict
) -> tuple[Module, Choices]:
    """The first combination whose memory plan fits.

    The decision is kept in the cache, as an entry with an empty artifact. Its key holds the
    first combination alone; the kernel itself is kept under its own text, so that a decision
    which no longer suits costs speed at most.
    """
    asked = f"{module.text} nearest first {json.dumps(choices.lists, default=repr)}"

    def decide(path: Path) -> dict:
        attempt = module, choices
        while not _fits(attempt[0], options):
            following = attempt[1].next()
            if following is None:
                break
            attempt = _attempt(lower, following)
        path.write_bytes(b"")
        return {
            "name": f"{module.name} (choices)",
            "target": options["target"],
            "taken": attempt[1].taken,
        }

    taken = cache.obtain(cache.key_of(asked, options, options["target"]), decide).record[
        "taken"
    ]
    if taken == choices.taken:
        return module, choices
    return _attempt(lower, Choices(taken))


def _fits(module: Module, options: dict) -> bool:
    from .. import _compiler

    result = _compiler.plan(module.text, options)
    diagnostics.raise_for(result, module.text, module.name, options["target"])
    return json.loads(result["plan"])["fits"]


def _compile(module: Module, options: dict, output: str) -> dict:
    """Compile into the file `output`; gives what the kernel object can tell later."""
    from .. import _compiler

    result = _compiler.compile(module.text, options | {"output": output})
    diagnostics.raise_for(result, module.text, module.name, options["target"])
    facts: dict = {}
    if result["image"]:
        from . import device_code

        found = device_code.inspect(result["image"], options["target"])
        facts["device_kernels"] = found and [dataclasses.asdict(entry) for entry in found]
        facts |= _assembler(options["target"])
    return facts | {
        "name": module.name,
        "target": options["target"],
        "plan": json.loads(result["plan"]),
        "choices": json.loads(result["manifest"]).get("choices", {}),
        "signature": result["signature"],
        "features": result["features"],
        "remarks": diagnostics.remarks(result),
    }
