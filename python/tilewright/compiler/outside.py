"""What a lowering finds outside the text it reads: values of names and of modules' attributes.

A lowering may be recalled from the disk (memo.py) where all that it found is found again, so
each find is noted, by value: its path and a token, a text that differs where the value does.

    ("BLOCK",)                            a name that the kernel's function sees
    ("absorb", "FLOOR")                   a name that the macro found as `absorb` sees
    (".tilewright.language", "copy")      an attribute of a module

Values without a token (objects of a user's class) and calls whose result may change (a user's
function) make the lowering opaque: it is never recalled.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import builtins
import hashlib
import math
import sys
import types
from collections.abc import Iterable, Iterator

from ..language.choices import Choice
from ..language.dtypes import Constant, DType, python_number
from ..language.macros import Macro, by_reference
from ..language.prim_func import PrimFunc
from ..language.registry import Operation, Rejected
from ..language.symbols import Const, Dim, SizeExpr
from ..language.types import TensorType
from .source import keep_text

MISSING = object()
Path = tuple[str, ...]


class OpaqueError(Exception):
    """A value that no text stands for."""


# ---- finding -------------------------------------------------------------------------------


def find(function: types.FunctionType, name: str) -> object:
    """The value of a name that is not the function's own, as it is now, or MISSING."""
    free = function.__code__.co_freevars
    if name in free:
        try:
            return function.__closure__[free.index(name)].cell_contents
        except ValueError:
            return MISSING  # not bound yet
    if name in function.__globals__:
        return function.__globals__[name]
    return getattr(builtins, name, MISSING)


def _place(function: types.FunctionType, name: str) -> dict | types.CellType | None:
    """What holds the value that `find` gives, and may get another one; None for builtins."""
    free = function.__code__.co_freevars
    if name in free:
        return function.__closure__[free.index(name)]
    return function.__globals__ if name in function.__globals__ else None


class Asked:
    """What one lowering has found: `found` has tokens by path, in order.

    Where `opaque` is set, some have none, or there is more that has no path.
    """

    def __init__(self, function: types.FunctionType) -> None:
        self.found: dict[Path, str | None] = {}
        self.opaque = False
        self._paths: dict[types.FunctionType, Path] = {function: ()}

    def name(self, function: types.FunctionType, name: str) -> object:
        """As `find`, and noted."""
        value = find(function, name)
        path = self._paths.get(function)
        if path is None:  # it came in a container, or as a result
            self.opaque = True
        elif value is not MISSING:
            self._note((*path, name), value)
        return value

    def attribute(self, base: object, name: str, value: object) -> None:
        """Note the attribute of a module; those of other values follow from the values."""
        if type(base) is types.ModuleType:
            if sys.modules.get(base.__name__) is base:
                self._note((f".{base.__name__}", name), value)
            else:
                self.opaque = True

    def call(self, callee: object, arguments: Iterable[object]) -> None:
        """Note that Python called something, while compiling."""
        # A function among the arguments may be called: sorted(sizes, key=...).
        passed = any(callable(x) and not isinstance(x, type) for x in arguments)
        self.opaque |= passed or not _is_pure(callee)

    def _note(self, path: Path, value: object) -> None:
        if path in self.found:
            return
        try:
            self.found[path] = None if self.opaque else token(value)
        except (OpaqueError, RecursionError):
            self.found[path], self.opaque = None, True
        function = _function(value)
        if function is not None:
            self._paths.setdefault(function, path)


def same(function: types.FunctionType, found: Iterable[tuple[Iterable[str], str]]) -> bool:
    """Whether a lowering of `function` would find the same now."""
    paths, tokens = zip(*found) if found else ((), ())
    for expected, (_, _, value) in zip(tokens, found_at(function, paths)):
        try:
            if value is MISSING or token(value) != expected:
                return False
        except (OpaqueError, RecursionError):
            return False
    return True


def found_at(
    function: types.FunctionType, paths: Iterable[Iterable[str]]
) -> Iterator[tuple[Path, dict | types.CellType | None, object]]:
    """What a lowering of `function` would find at each path now, and what holds it: None where
    that is no namespace or cell, or the front end's own."""
    functions: dict[Path, types.FunctionType | None] = {(): function}
    for path in map(tuple, paths):  # JSON has made them lists
        *base, name = path
        place: dict | types.CellType | None = None
        if len(path) == 2 and path[0][0] == ".":
            module = sys.modules.get(path[0][1:])
            value = getattr(module, name, MISSING)
            if name in getattr(module, "__dict__", ()) and not _is_own(module.__name__):
                place = vars(module)
        else:
            owner = functions.get(tuple(base))
            value = MISSING if owner is None else find(owner, name)
            place = None if value is MISSING else _place(owner, name)
        functions[path] = _function(value)
        yield path, place, value


def _function(value: object) -> types.FunctionType | None:
    """The Python function whose text a lowering reads where `value` is called."""
    if isinstance(value, (Macro, PrimFunc)):
        value = value.function
    return value if isinstance(value, types.FunctionType) else None


# ---- tokens --------------------------------------------------------------------------------

_LONGEST = 1 << 14  # characters of a token


def token(value: object) -> str:
    """A text that is the same for the same value, in every process. Raises OpaqueError."""
    value = python_number(value)
    form = _FORMS.get(type(value))
    if form is None:
        if isinstance(value, type):  # its own type may be any metaclass
            form = _type
        elif type(value).__module__ == "torch" and type(value).__name__ == "dtype":
            form = str
        else:
            raise OpaqueError
    text = form(value)
    if len(text) > _LONGEST:
        raise OpaqueError
    return text


def _tokens(values: Iterable[object]) -> str:
    return ",".join(map(token, values))


def _dict(value: dict) -> str:
    return "{" + ",".join(f"{token(k)}:{token(v)}" for k, v in value.items()) + "}"


def _dim(value: Dim) -> str:
    return f"dim({value.name},{value.minimum},{value.maximum},{value.multiple_of})"


def _tensor(value: TensorType) -> str:
    shape, strides = token(value.shape), token(value.strides)
    return f"tensor({shape},{value.dtype},{strides},{value.alias})"


def _type(value: type) -> str:
    if value.__module__.partition(".")[0] not in ("builtins", "numpy", "ml_dtypes", _OURS):
        raise OpaqueError
    return f"type({value.__module__}.{value.__qualname__})"


def _module(value: types.ModuleType) -> str:
    if sys.modules.get(value.__name__) is not value:
        raise OpaqueError
    return f"module({value.__name__})"


def _builtin(value: types.BuiltinFunctionType) -> str:
    if value.__self__ is not None and not isinstance(value.__self__, types.ModuleType):
        return f"method({token(value.__self__)}.{value.__name__})"
    return f"builtin({value.__module__}.{value.__qualname__})"


def _def(function: types.FunctionType) -> str:
    """A function is its text and its defaults; what it finds outside has paths of its own."""
    if _is_front_end(function):
        return f"def({function.__module__}.{function.__qualname__})"
    code = function.__code__
    text = (
        f"def({code.co_filename}:{code.co_firstlineno},{function.__qualname__},"
        f"{text_digest(function)},{token(function.__defaults__)},"
        f"{token(function.__kwdefaults__)}"
    )
    return f"{text},{sorted(by_reference(function))})"


_OURS = __name__.partition(".")[0]


def _is_front_end(function: object) -> bool:
    """Whether it belongs to the language or its reader, which every record is bound to."""
    return _is_own(getattr(function, "__module__", None) or "")


def _is_own(module: str) -> bool:
    return module.startswith((f"{_OURS}.language", f"{_OURS}.compiler"))


_digests: dict[str, tuple[list[str], str]] = {}


def text_digest(function: types.FunctionType) -> str:
    """A digest of the file that holds a function. Raises OpaqueError where there is none."""
    file = function.__code__.co_filename
    lines = keep_text(function)
    if not lines:
        raise OpaqueError
    known = _digests.get(file)
    if known is None or known[0] is not lines:
        digest = hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
        _digests[file] = known = (lines, digest[:16])
    return known[1]


_FORMS = {
    **dict.fromkeys((type(None), bool, int, float, complex, str, bytes, type(...)), repr),
    **dict.fromkeys((DType, Operation, Rejected), repr),
    tuple: lambda x: f"({_tokens(x)},)",
    list: lambda x: f"[{_tokens(x)}]",
    dict: _dict,
    set: lambda x: "{" + ",".join(sorted(map(token, x))) + "}",
    frozenset: lambda x: "frozen{" + ",".join(sorted(map(token, x))) + "}",
    Constant: lambda x: f"constant({x.dtype},{x.value!r})",
    Dim: _dim,
    SizeExpr: lambda x: f"size({x.operator},{_tokens(x.operands)})",
    Const: lambda x: f"const({x.name},{_tokens(x.operands)})",
    TensorType: _tensor,
    Choice: lambda x: f"choice({x.name!r},{token(x.entries)})",
    types.ModuleType: _module,
    types.BuiltinFunctionType: _builtin,
    types.FunctionType: _def,
    Macro: lambda x: f"macro {_def(x.function)}",
    PrimFunc: lambda x: f"prim_func {_def(x.function)}",
}

# ---- calls ---------------------------------------------------------------------------------

_PURE = frozenset(
    (abs, all, any, bool, dict, divmod, enumerate, float, frozenset, int, isinstance, len)
    + (list, max, min, pow, range, repr, reversed, round, set, slice, sorted, str, sum)
    + (tuple, zip)
)
_PLAIN = (bool, int, float, str, bytes, tuple, list, dict, set, frozenset)


def _is_pure(callee: object) -> bool:
    """Whether calling it again with equal arguments gives an equal result.

    Methods of containers may change them: what was found is compared once more at the end.
    """
    if isinstance(callee, type):
        return callee in _PURE or _is_front_end(callee)
    if isinstance(callee, types.BuiltinFunctionType):
        owner = callee.__self__
        return callee in _PURE or owner is math or isinstance(owner, _PLAIN)
    return _is_front_end(callee)
