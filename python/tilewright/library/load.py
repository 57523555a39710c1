"""Gives the functions of a built library back to Python.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from ..runtime import ArtifactError, Kernel, LaunchError, open_library


def load(path: str | os.PathLike[str], device: str | None = None) -> LoadedLibrary:
    """The library in the shared object `path` (libNAME.so), for `device`: a device string, this
    machine's CPU where it is None.

    Raises ArtifactError where the file is no library of this version.
    """
    return LoadedLibrary(os.fspath(path), device or "cpu")


class LoadedLibrary:
    """A library's functions, as attributes and by iteration.

    Attributes:
        name, release: the library's own.
        device: where its functions run.
        manifest: what it says of itself (docs/manifest.schema.json).
    """

    def __init__(self, path: str, device: str) -> None:
        self._path = path
        name, release, manifest, functions = open_library(path, device)
        self.name, self.release, self.device = name, release, device
        self.manifest: dict[str, Any] = json.loads(manifest)
        self._functions = {
            whole.removeprefix(f"{name}_"): LoadedFunction(whole, device, builds)
            for whole, builds in functions
        }

    def __getattr__(self, name: str) -> LoadedFunction:
        functions = self.__dict__.get("_functions")
        if functions is None:
            raise AttributeError(name)
        if name not in functions:
            raise AttributeError(
                f"the library {self.name} has no function {name!r}; it has "
                f"{', '.join(functions)}"
            )
        return functions[name]

    def __iter__(self) -> Iterator[LoadedFunction]:
        return iter(self._functions.values())

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._functions]

    def __repr__(self) -> str:
        return f"<library {self.name} {self.release} for {self.device}>"


class LoadedFunction:
    """A function of a library. It takes all of its parameters, outputs included: the arrays of
    launch.md. A call runs the first build that takes them; raises LaunchError where none does.

    Attributes:
        name: as C knows it.
        builds: the kernels by name; None where the library has no code for the device.
    """

    def __init__(self, name: str, device: str, builds: list[tuple[str, Kernel | str]]) -> None:
        self.name = name
        self.builds = {n: k if isinstance(k, Kernel) else None for n, k in builds}
        self._reasons = [f"{n}: {k}" for n, k in builds if not isinstance(k, Kernel)]
        self._kernels = [(n, k) for n, k in builds if isinstance(k, Kernel)]
        if not self._kernels:
            self._missing = f"{name}: the library has no code for {device}: " + "; ".join(
                self._reasons
            )

    def __call__(self, *arguments: Any) -> None:
        if not self._kernels:
            raise ArtifactError(self._missing)
        if len(self._kernels) == 1:
            return self._kernels[0][1](*arguments)
        reasons = []
        for name, kernel in self._kernels:
            try:
                return kernel(*arguments)
            except LaunchError as error:
                reasons.append(f"  not {name}: {error}")
        raise LaunchError(
            "\n".join([f"{self.name}: none of its builds takes these arguments", *reasons])
        )

    def __repr__(self) -> str:
        return f"<function {self.name} with {len(self.builds)} builds>"
