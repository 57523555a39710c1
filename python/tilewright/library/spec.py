"""What a library is to hold: from Python, or from a `kernels.toml`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import inspect
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from ..compiler.errors import CompileError
from ..language.symbols import dynamic


class SpecError(Exception):
    """What a library is to hold is not said right; the message says where."""


@dataclass(frozen=True)
class Build:
    """One build of a function: the kernel with these compile-time arguments.

    `arguments` are what the kernel's function takes, or values of its T.const sizes. A function
    that makes kernels for a target and takes `target` gets it.
    """

    name: str
    kernel: object
    arguments: Mapping[str, Any] = field(default_factory=dict)
    targets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Function:
    """A function of the library: its builds in the order in which a call considers them."""

    name: str
    builds: tuple[Build, ...]
    doc: str = ""


class Library:
    """What a library holds. `add` its functions, then `build` it.

    `name` begins all of its C names. `targets` are device strings with a model
    ("cpu:x86-64-v3", "cuda:sm_80", "hip:gfx942"), for which every function is compiled.
    `release` is the library's own version, `licence` an SPDX expression for the manifest.
    """

    def __init__(
        self,
        name: str,
        targets: Sequence[str],
        *,
        release: str = "0.1.0",
        description: str = "",
        licence: str = "",
    ) -> None:
        _check_name(name, "the library's name")
        for what, text in (
            ("release", release), ("description", description), ("licence", licence)
        ):  # fmt: skip
            if not isinstance(text, str):
                raise SpecError(f"library {name}: {what} is {text!r}; it is a string")
        if name in ("tw", "tilewright"):
            raise SpecError(f"the name {name!r} is the runtime's own; choose another one")
        for what, text in (("release", release), ("licence", licence)):
            if not re.fullmatch(r"[\w.+~:()/, -]*", text, re.ASCII):
                raise SpecError(
                    f"library {name}: {what} is {text!r}; it has letters, digits, spaces and "
                    ". _ + - ~ : ( ) / ,"
                )
        self.name, self.release, self.licence = name, release, licence
        self.description = " ".join(description.split())
        self.targets = _targets(targets, f"library {name}")
        self.functions: list[Function] = []

    def add(
        self,
        name: str,
        kernel: object,
        builds: Iterable[Mapping[str, Any]] | Mapping[str, Mapping[str, Any]] = ({},),
        *,
        arguments: Mapping[str, Any] | None = None,
        targets: Sequence[str] = (),
        doc: str = "",
    ) -> None:
        """Adds a function. `kernel` is a @T.prim_func, a function under @tilewright.jit, or one
        that makes kernels.

        Each of `builds` is a dict of compile-time arguments; a dict of them has names for
        them. Those that all builds have may stand in `arguments`; where a build has another
        value, that is meant. A call takes the first build whose parameters fit its arguments.
        `doc`, or the kernel's own text, goes into the headers.
        """
        _check_name(name, f"library {self.name}: the function's name")
        if not isinstance(doc, str):
            raise SpecError(f"{self.name}.{name}: doc is {doc!r}; it is a string")
        if any(f.name == name for f in self.functions):
            raise SpecError(f"library {self.name} has two functions {name}")
        named = dict(builds) if isinstance(builds, Mapping) else _named(builds)
        if not named:
            raise SpecError(f"{self.name}.{name} has no builds")
        for build in named:
            if not isinstance(build, str) or not build or not build.isprintable():
                raise SpecError(f"{self.name}.{name}: {build!r} is no name of a build")
        common = dict(arguments or {})
        named = {n: common | dict(a) for n, a in named.items()}
        _check_differ(named, f"{self.name}.{name}")
        chosen = _targets(targets, f"{self.name}.{name}") if targets else self.targets
        made = tuple(Build(n, kernel, a, chosen) for n, a in named.items())
        text = inspect.cleandoc(doc or getattr(kernel, "__doc__", "") or "")
        self.functions.append(Function(name, made, text))

    def only_for(self, targets: Sequence[str]) -> Library:
        """This library for some of its targets alone, without functions for none of them.

        Raises SpecError where it has a target for no function.
        """
        chosen = Library(
            self.name,
            targets,
            release=self.release,
            description=self.description,
            licence=self.licence,
        )
        for function in self.functions:
            builds = tuple(
                dataclasses.replace(b, targets=tuple(t for t in b.targets if t in targets))
                for b in function.builds
            )
            if builds[0].targets:
                chosen.functions.append(dataclasses.replace(function, builds=builds))
        known = {t: None for f in self.functions for b in f.builds for t in b.targets}
        for target in chosen.targets:
            if target not in known:
                raise SpecError(
                    f"library {self.name} is not for {target!r}; it is for {', '.join(known)}"
                )
        return chosen


def _check_differ(builds: Mapping[str, Mapping[str, Any]], where: str) -> None:
    """Refuses builds that are one twice. Sizes of one name are equal whatever is known of them,
    so that more than what == says is compared."""

    def shown(value: Any) -> object:
        facts = ("name", "minimum", "maximum", "multiple_of")
        return type(value), [getattr(value, f, None) for f in facts], repr(value)

    seen: dict[str, str] = {}
    for name, arguments in builds.items():
        key = repr(sorted((n, shown(v)) for n, v in arguments.items()))
        if key in seen:
            raise SpecError(
                f"{where}: the builds {seen[key]} and {name} have the same arguments; take one "
                "out"
            )
        seen[key] = name


def _named(builds: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Names of builds that have none: the arguments in which they differ, as "n4096_bf16"."""
    rows = [dict(arguments) for arguments in builds]
    differ = {k for row in rows for k, v in row.items() if any(r.get(k) != v for r in rows)}
    named: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        words = [
            k * (v is True)
            or f"no_{k}" * (v is False)
            or f"{k}{v}" * isinstance(v, int)
            or str(v)
            for k, v in row.items()
            if k in differ
        ]
        name = re.sub(r"\W+", "_", "_".join(words)).strip("_").lower() or "default"
        if name in named:
            name = f"{name}_{len(named)}"
        named[name] = row
    return named


def _check_name(name: object, what: str) -> None:
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise SpecError(f"{what} is {name!r}; it begins C names: letters, digits and _")


def _targets(targets: object, where: str) -> tuple[str, ...]:
    if isinstance(targets, str) or not isinstance(targets, Sequence) or not targets:
        raise SpecError(f'{where}: targets is a list such as ["cpu:x86-64-v3", "cuda:sm_80"]')
    for target in targets:
        if not isinstance(target, str) or ":" not in target or "emulator" in target:
            raise SpecError(
                f"{where}: the target {target!r} does not say for which machine; write "
                "cpu:MODEL, cuda:sm_NN or hip:gfxNNN"
            )
    if len(set(targets)) < len(targets):
        raise SpecError(f"{where}: a target is named twice")
    return tuple(targets)


# ---- files -------------------------------------------------------------------------------


def read_spec(path: str | Path) -> Library:
    """The library that a file describes: a kernels.toml, or a Python file with a `Library` at
    its top level. Raises SpecError."""
    path = Path(path)
    if not path.is_file():
        raise SpecError(f"there is no file {path}")
    if path.suffix == ".toml":
        return _read_toml(path)
    if path.suffix != ".py":
        raise SpecError(f"{path} is neither a .toml file nor a .py file")
    found = [v for v in vars(import_file(path)).values() if isinstance(v, Library)]
    if len(found) != 1:
        raise SpecError(
            f"{path} has {len(found)} libraries at its top level; it needs one: "
            'tilewright.library.Library("name", targets=[...])'
        )
    return found[0]


def import_file(path: Path) -> ModuleType:
    """A Python file as a module, which finds its neighbours as it would as a script."""
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise SpecError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except SpecError:
        raise
    except (Exception, SystemExit) as error:
        raise SpecError(f"importing {path} failed: {type(error).__name__}: {error}") from None
    return module


def _read_toml(path: Path) -> Library:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: {error}") from None
    except OSError as error:
        raise SpecError(f"cannot read {path}: {error.strerror}") from None
    _only(document, {"library", "functions"}, str(path))
    head = _table(document, "library", str(path))
    where = f"{path}: [library]"
    _only(head, {"name", "targets", "release", "description", "licence"}, where)
    if "name" not in head or "targets" not in head:
        raise SpecError(f"{where} needs name and targets")
    library = Library(head.pop("name"), head.pop("targets"), **head)
    for name, entry in _table(document, "functions", str(path)).items():
        where = f"{path}: [functions.{name}]"
        if not isinstance(entry, dict):
            raise SpecError(f"{where} is no table")
        _only(entry, {"kernel", "arguments", "builds", "targets", "doc"}, where)
        if not isinstance(entry.get("kernel"), str):
            raise SpecError(f'{where} needs kernel = "FILE.py:NAME" or "package.module:NAME"')
        builds = entry.get("builds", [{}])
        rows = builds.values() if isinstance(builds, dict) else builds
        if not isinstance(builds, list | dict) or not all(isinstance(r, dict) for r in rows):
            raise SpecError(f"{where}: builds is a list of tables, or a table of tables")
        common = entry.get("arguments", {})
        if not isinstance(common, dict):
            raise SpecError(f"{where}: arguments is a table of what all builds have")
        library.add(
            name,
            _find(entry["kernel"], path.parent, where),
            {n: _arguments(b, where) for n, b in builds.items()}
            if isinstance(builds, dict)
            else [_arguments(b, where) for b in builds],
            arguments=_arguments(common, where),
            targets=entry.get("targets", ()),
            doc=entry.get("doc", ""),
        )
    return library


def _table(document: dict, key: str, where: str) -> dict:
    table = document.get(key)
    if not isinstance(table, dict) or not table:
        raise SpecError(f"{where} needs a table [{key}]")
    return dict(table)


def _only(table: Mapping[str, object], known: set[str], where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise SpecError(
            f"{where}: there is no {unknown[0]!r}; known: {', '.join(sorted(known))}"
        )


def _arguments(build: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The arguments of a build; a table with `dynamic` is a size that each launch brings."""
    return {
        name: _size(name, value, where)
        if isinstance(value, dict) and "dynamic" in value
        else _frozen(value)
        for name, value in build.items()
    }


def _size(name: str, table: dict, where: str) -> object:
    _only(table, {"dynamic", "min", "max", "multiple_of"}, f"{where}: {name}")
    facts = {key: value for key, value in table.items() if key != "dynamic"}
    if table["dynamic"] is not True or not all(type(v) is int for v in facts.values()):
        raise SpecError(
            f"{where}: {name} = {table!r}; a size that is known at launch is "
            "{ dynamic = true }, with numbers for min, max and multiple_of where there are any"
        )
    try:
        return dynamic(name, **facts)
    except CompileError as error:
        raise SpecError(f"{where}: {error.message}; {error.hint}") from None


def _frozen(value: Any) -> Any:
    """Lists as tuples, which kernels can be told apart by."""
    if isinstance(value, list):
        return tuple(_frozen(v) for v in value)
    return {k: _frozen(v) for k, v in value.items()} if isinstance(value, dict) else value


def _find(name: str, folder: Path, where: str) -> object:
    """What "FILE.py:NAME" or "package.module:NAME" means."""
    place, colon, attribute = name.rpartition(":")
    if not colon or not place or not attribute:
        raise SpecError(f"{where}: {name!r} is neither FILE.py:NAME nor package.module:NAME")
    if place.endswith(".py"):
        file = folder / place
        if not file.is_file():
            raise SpecError(f"{where}: there is no file {file}")
        module = import_file(file)
    else:
        try:
            module = importlib.import_module(place)
        except Exception as error:
            raise SpecError(f"{where}: importing {place} failed: {error}") from None
    if not hasattr(module, attribute):
        raise SpecError(f"{where}: {place} has no {attribute}")
    return getattr(module, attribute)
