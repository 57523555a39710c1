"""Lowered kernels on disk, so that a kernel from the cache need not be read again.

Reading a long kernel takes longer than loading its code. What a lowering gives depends on the
function's file, on what its caller says (annotations, arguments, choices taken before), on
the front end and on what the function finds outside itself. All but the last are the key of a
record. What was found is kept in the record, and compared when it is to be recalled; where
it differs, or anything of it is opaque (outside.py), the kernel is read.

Errors are not kept: a wrong kernel is read each time, and its message made anew.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ..language import choices
from . import cache
from .module import Module
from .outside import Asked, OpaqueError, find, same, text_digest, token

AnyModule = TypeVar("AnyModule", bound=Module)


def lowered(
    kind: type[AnyModule],
    function: types.FunctionType,
    said: tuple,
    lower: Callable[[], tuple[AnyModule, Asked]],
) -> AnyModule:
    """The module that `lower` makes of a function, recalled where it can be.

    `said` is all that `lower` uses besides the function and the choices of the attempt.
    """
    attempt = choices.current()
    before = () if attempt is None else (list(attempt.taken.items()), dict(attempt.lists))
    try:
        key = _key(kind, function, (said, before))
    except (OpaqueError, RecursionError):
        return _found(*lower())
    record = cache.recall(key)
    if record is not None and same(function, record["found"]):
        for name, entries in record["chosen"]:
            attempt.take(name, entries)
        module = kind(**record["module"])
        module.found = [tuple(path) for path, _ in record["found"]]
        return module
    module, asked = lower()
    chosen = [] if attempt is None else list(attempt.lists.items())
    record = {
        "found": list(asked.found.items()),
        "chosen": chosen[len(before[1]) if before else 0 :],
        "module": {name: getattr(module, name) for name in kind.fields},
    }
    # Compile-time code may have changed a list that it found: then it is not kept.
    if not asked.opaque and same(function, record["found"]) and _is_plain(record["chosen"]):
        cache.remember(key, record)
    return _found(module, asked)


def _found(module: AnyModule, asked: Asked) -> AnyModule:
    module.found = list(asked.found)
    return module


def _key(kind: type, function: types.FunctionType, said: tuple) -> str:
    code = function.__code__
    # Kernels that one function makes differ in its free variables, so these are in the key.
    free = [(name, find(function, name)) for name in code.co_freevars]
    parts = (
        kind.__name__,
        sys.version,
        front_end(),
        f"{code.co_filename}:{code.co_firstlineno}",
        text_digest(function),
        token(function.__defaults__),
        token(function.__kwdefaults__),
        token(free),
        token(said),
    )
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _is_plain(value: object) -> bool:
    """Whether JSON gives it back as it is: a tuple would become a list."""
    try:
        return token(json.loads(json.dumps(value))) == token([list(pair) for pair in value])
    except (TypeError, ValueError, OpaqueError, RecursionError):
        return False


@functools.cache
def front_end() -> str:
    """Changes when a file of the language or its reader does."""
    here = Path(__file__).parent
    facts = []
    for folder in (here, here.parent / "language"):
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.name.endswith(".py"):
                status = entry.stat()
                facts.append(f"{entry.name}:{status.st_size}:{status.st_mtime_ns}")
    return " ".join(facts)
