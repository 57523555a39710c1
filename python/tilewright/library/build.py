"""Builds a library: compiles, links, and writes what goes with it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import tilewright

from .header import Entry, c_header, check_alike, runtime_functions
from .hpp import cpp_header
from .manifest import manifest_of
from .names import check_names
from .objects import Compiled, Failed, Job, compile_all, jobs_of
from .packages import cmake_config, cmake_version, pkg_config
from .python_package import check_python_names, python_package
from .reachable import unreachable
from .spec import Library, SpecError
from .wheel import check_release, write_wheel


class BuildError(Exception):
    """A library that could not be built; `failures` are the builds that did not compile."""

    def __init__(self, message: str, failures: Sequence[Failed] = ()) -> None:
        super().__init__(message)
        self.failures = tuple(failures)


@dataclass(frozen=True)
class Built:
    """A library that was written: its files by name, what was compiled, and what may not be as
    it was meant."""

    folder: Path
    files: tuple[str, ...]
    compiled: tuple[Compiled, ...]
    warnings: tuple[str, ...] = ()


def build(
    library: Library,
    folder: str | Path,
    *,
    jobs: int | None = None,
    wheel: bool = False,
    on_start: Callable[[Sequence[Job]], None] = lambda jobs: None,
    on_done: Callable[[Compiled | Failed], None] = lambda result: None,
) -> Built:
    """Builds `library` into `folder`, with `jobs` processes (all cores where it is None), and
    with `wheel` a Python wheel of it.

    Nothing there is touched before all is built, and then its files are replaced one by one,
    the library's first. `on_start` gets what is compiled, `on_done` each result as it comes.
    Raises SpecError, BuildError with all that did not compile, and OSError.
    """
    check_names(library)
    if wheel:
        check_python_names(library)
        check_release(library)
    if not library.functions:
        raise SpecError(f"library {library.name} has no functions")
    folder = Path(folder)
    _check_folder(folder)
    tasks = jobs_of(library)
    on_start(tasks)
    results = compile_all(tasks, jobs or len(os.sched_getaffinity(0)), on_done)
    failures = [r for r in results if isinstance(r, Failed)]
    if failures:
        raise BuildError(
            f"{len(failures)} of {len(tasks)} builds did not compile; nothing was written",
            failures,
        )
    compiled = [r for r in results if isinstance(r, Compiled)]
    folder.mkdir(parents=True, exist_ok=True)
    with _staging(folder) as stage:
        entries = [_entry(function.name, compiled) for function in library.functions]
        _write_all(library, entries, compiled, stage, wheel)
        names = sorted(file.name for file in stage.iterdir())
        for name in names:
            os.replace(stage / name, folder / name)
    return Built(folder, tuple(names), tuple(compiled), tuple(_warnings(library, compiled)))


def _check_folder(folder: Path) -> None:
    """Raises OSError where the folder cannot be made or written: not after minutes."""
    there = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"{there} is no folder", str(folder))
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, f"{there} is not writable", str(folder))


@contextlib.contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """A folder beside what is in `folder`, on the same disk."""
    stage = Path(tempfile.mkdtemp(prefix=".building-", dir=folder))
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _warnings(library: Library, compiled: Sequence[Compiled]) -> list[str]:
    """Builds that no call comes to, whatever the device is."""
    said = []
    for function in library.functions:
        own = _of_function(function.name, compiled)
        found = [
            dict(
                unreachable([(c.job.build.name, c.signature) for c in own if c.job.target == t])
            )
            for t in own[0].job.build.targets
        ]
        said += [
            f"{function.name}: no call comes to the build {name}, since {earlier} before it "
            f"takes all that it takes; put it first, give it facts of its own, or take it out"
            for name, earlier in found[0].items()
            if all(name in others for others in found)
        ]
    return said


def _write_all(
    library: Library,
    entries: Sequence[Entry],
    compiled: Sequence[Compiled],
    stage: Path,
    wheel: bool,
) -> None:
    from .. import _compiler

    manifest = manifest_of(library, compiled, _compiler.version())
    name = library.name
    files = {
        f"{name}.h": c_header(library, entries),
        f"{name}.hpp": cpp_header(library, entries),
        f"{name}Config.cmake": cmake_config(library),
        f"{name}ConfigVersion.cmake": cmake_version(library),
        f"{name}.pc": pkg_config(library),
        "manifest.json": json.dumps(manifest, indent=1) + "\n",
    }
    for file, text in files.items():
        (stage / file).write_text(text, encoding="utf-8")
    said = _compiler.link_library(
        {
            "name": name,
            "release": library.release,
            "manifest": json.dumps(manifest, separators=(",", ":")),
            "runtime": str(runtime_archive()),
            "api": runtime_functions(),
            "archive": str(stage / f"lib{name}.a"),
            "shared_object": str(stage / f"lib{name}.so"),
            "functions": [_linked(entry, compiled) for entry in entries],
        }
    )
    if said:
        raise BuildError(said)
    if wheel:
        package = python_package(library, entries) | {"manifest.json": files["manifest.json"]}
        shared = (stage / f"lib{name}.so").read_bytes()
        write_wheel(library, {n: t.encode() for n, t in package.items()}, shared, stage)


def runtime_archive() -> Path:
    """libtilewright_runtime.a, which libraries contain."""
    return Path(tilewright.__path__[-1]).parents[1] / "lib/libtilewright_runtime.a"


def _of_function(name: str, compiled: Sequence[Compiled]) -> list[Compiled]:
    return [c for c in compiled if c.job.function.name == name]


def _entry(name: str, compiled: Sequence[Compiled]) -> Entry:
    """A function as the headers show it, with its builds' signatures for the first target."""
    own = _of_function(name, compiled)
    builds: dict[str, Compiled] = {}
    for one in own:
        builds.setdefault(one.job.build.name, one)
    doc = own[0].job.function.doc or own[0].doc
    shown = tuple((n, c.signature) for n, c in builds.items())
    entry = Entry(name, doc, shown, _alignments(own))
    check_alike(entry)
    return entry


def _alignments(compiled: Sequence[Compiled]) -> dict[tuple[str, str], dict[str, int]]:
    """What each build asks of each parameter's address on the kinds of devices."""
    asked: dict[tuple[str, str], dict[str, int]] = {}
    for one in compiled:
        kind = one.job.target.partition(":")[0]
        for p in one.signature.parameters:
            kinds = asked.setdefault((one.job.build.name, p.name), {})
            kinds[kind] = max(kinds.get(kind, 1), p.alignment)
    return asked


def _linked(entry: Entry, compiled: Sequence[Compiled]) -> dict:
    """What the linker is told of a function."""
    own = _of_function(entry.name, compiled)
    return {
        "name": entry.name,
        "parameters": entry.kinds,
        "builds": [
            {
                "name": name,
                "artifacts": [
                    (c.path, c.symbol) for c in _by_demand(own) if c.job.build.name == name
                ],
            }
            for name, _ in entry.builds
        ],
    }


def _by_demand(compiled: Sequence[Compiled]) -> list[Compiled]:
    """Artifacts for a kind of device in the order in which it is to take them: those first that
    ask more of it."""

    def demand(one: Compiled) -> tuple[int, str]:
        kind, _, model = one.job.target.partition(":")
        if kind == "cpu":
            return -len(one.facts["features"]), ""
        number = re.search(r"\d+", model)
        return -int(number[0]) if number else 0, "" if model[-1:].isalpha() else "plain"

    return sorted(compiled, key=demand)
