"""From a kernel function to a kernel object: choices, the cache, the compiler.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import json
from collections.abc import Callable

from ..language.choices import Choices
from ..language.prim_func import PrimFunc
from . import diagnostics
from .errors import CompileError
from .kernel import Kernel
from .lower import Module, lower_prim_func


def compile(func: PrimFunc, out_idx: object = None, *, target: str = "cpu",
            pass_configs: dict | None = None, verbose: bool = False) -> Kernel:
    """Compile a `@T.prim_func` for a target.

    `out_idx` (an int or a list) names parameters that calls allocate and return. `target` is
    a device string, "auto" for this machine's. `pass_configs` are options of the compiler.
    Raises CompileError.
    """
    if not isinstance(func, PrimFunc):
        raise CompileError.here(f"tilewright.compile takes a @T.prim_func, not {func!r}",
                                hint="decorate the function with @T.prim_func")
    return build(lambda: lower_prim_func(func, out_idx), options_for(target, pass_configs))


def options_for(target: str, pass_configs: dict | None) -> dict:
    """Options of the compiler. Those that name TileLang's own passes mean nothing here."""
    if not isinstance(target, str):
        target = str(target)
    own = {k: v for k, v in (pass_configs or {}).items()
           if not str(k).startswith(("tl.", "tir.", "PassConfigKey"))}
    return {**own, "target": "cpu" if target in ("auto", "llvm", "c") else target}


def build(lower: Callable[[], Module], options: dict) -> Kernel:
    """The kernel that `lower` writes, from the cache or compiled.

    Where the kernel asks T.choose, `lower` runs once per combination until the memory plan
    fits; the last one is taken where none does.
    """
    from . import cache
    module, choices = _attempt(lower, Choices())
    if any(len(entries) > 1 for entries in choices.lists.values()):
        module, choices = _fitting(lower, module, choices, options)
    # The cache calls back on a miss only, so a hit loads no compiler.
    path = cache.artifact(module.text, options,
                          lambda output: _compile(module, options, output))
    return Kernel(module, options, path, choices.values())


def _attempt(lower: Callable[[], Module], choices: Choices) -> tuple[Module, Choices]:
    with choices:
        return lower(), choices


def _fitting(lower: Callable[[], Module], module: Module, choices: Choices,
             options: dict) -> tuple[Module, Choices]:
    """The first combination whose memory plan fits, remembered in the cache."""
    from . import cache
    first = module.text + json.dumps(choices.lists, default=repr)

    def decide() -> str:
        nonlocal module, choices
        while not _fits(module, options):
            following = choices.next()
            if following is None:
                break
            module, choices = _attempt(lower, following)
        return json.dumps(choices.taken)

    taken = json.loads(cache.record(first, options, decide))
    if taken != choices.taken:
        module, choices = _attempt(lower, Choices(taken))
    return module, choices


def _fits(module: Module, options: dict) -> bool:
    from .. import _compiler
    result = _compiler.plan(module.text, options)
    diagnostics.raise_for(result, module.text, module.name)
    return json.loads(result["plan"])["fits"]


def _compile(module: Module, options: dict, output: str) -> None:
    """Compile into the file `output`."""
    from .. import _compiler
    result = _compiler.compile(module.text, options | {"output": output})
    diagnostics.raise_for(result, module.text, module.name)
