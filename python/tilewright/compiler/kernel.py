"""The kernel object: what compiling gives.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import cache, diagnostics
from .cache import Entry
from .module import Module
from .signature_table import Signature, read_signature

if TYPE_CHECKING:
    from ..profiler import Profiler


class Kernel:
    """A compiled kernel. Call it with arrays: NumPy, PyTorch, or anything with DLPack.

    Arguments are the parameters in order, without the outputs, which are allocated and
    returned. Nothing is copied but arrays of the host for a GPU (docs/devices.md).

    Attributes:
        name: the function's name.
        target: what it was compiled for.
        path: the artifact, a shared object.
        config, latency, ref_latency: what an autotuner took and timed; None without one.
    """

    config: dict | None = None
    latency: float | None = None
    ref_latency: float | None = None

    def __init__(
        self,
        module: Module,
        options: dict,
        entry: Entry,
        choices: dict,
        compile_apart: Callable[[], Entry],
    ) -> None:
        self._module, self._options = module, options
        self._choices, self._record = choices, entry.record
        self._compile_apart = compile_apart
        self.name, self.target, self.path = module.name, options["target"], str(entry.artifact)

    @functools.cached_property
    def launch(self) -> Callable[..., Any]:
        """The callable of the runtime: what calling the kernel runs, without the detour."""
        from ..runtime import ArtifactError, load

        outputs = self._module.outputs or None
        try:
            return load(self.path, outputs, self.target)
        except ArtifactError as error:
            # Another process has made room in the cache since the kernel was found there, or
            # the cache lies where no code may run.
            path = str(self._compile_apart().artifact)
            try:
                launch = load(path, outputs, self.target)
            except ArtifactError:  # it is not the cache's fault
                raise error from None
            if os.path.exists(self.path):
                cache.warn(error)
            self.path = path
            return launch

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        if any(argument is None for argument in arguments):
            arguments = self._without_none(arguments)
        return self.launch(*arguments, **named)

    def _without_none(self, arguments: tuple) -> list:
        """The arguments, with an array of no use for each tensor that is None: one that the
        kernel, as it was specialised, does not touch. Others the launch refuses."""
        from ..profiler import TensorSupplyType, supplied

        inputs = [p for i, p in enumerate(self.signature.parameters) if i not in self.outputs]
        sizes: dict = {}
        for parameter, argument in zip(inputs, arguments):
            if parameter.shape is not None and argument is not None:
                sizes |= zip(parameter.shape, getattr(argument, "shape", ()))
        found = list(arguments)
        for i, (parameter, argument) in enumerate(zip(inputs, arguments)):
            if argument is None and not (parameter.reads or parameter.writes):
                with contextlib.suppress(ValueError):  # a size that no other argument gives
                    found[i] = supplied(parameter, TensorSupplyType.Zero, sizes)
        return found

    def __repr__(self) -> str:
        return f"<kernel {self.name} for {self.target}>"

    def __copy__(self) -> Kernel:
        return self

    def __deepcopy__(self, memo: object) -> Kernel:
        return self

    def __reduce__(self) -> tuple:
        """A pickle holds its IR, which is compiled, or found in the cache, where it is read."""
        from .driver import made

        return made, (self._module, self._options, self._choices)

    @property
    def symbol(self) -> str:
        """What the artifact is called in the object file that `path` is; "" where that is a
        shared object."""
        return self._options.get("symbol", "")

    @property
    def features(self) -> list[str]:
        """The instruction-set extensions that its native code uses, as LLVM names them."""
        return [name for name in self._record["features"].split(",") if name]

    @property
    def device_kernels(self) -> list[dict] | None:
        """Of an object file for a GPU: registers, bytes of stack and of spills of each of its
        kernels (device_code.py); None for CPUs, and where there is no assembler."""
        return self._record.get("device_kernels")

    @property
    def assembler(self) -> str | None:
        """What has told of `device_kernels`, with its version; None where that is LLVM."""
        return self._record.get("assembler")

    @functools.cached_property
    def signature(self) -> Signature:
        """The parameters as the launcher checks them."""
        return read_signature(self._record["signature"])

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters in order, outputs included."""
        return list(self._module.parameters)

    @property
    def outputs(self) -> tuple[int, ...]:
        """Positions of the parameters that calls allocate and return."""
        return self._module.outputs

    @functools.cached_property
    def manifest(self) -> dict:
        """The artifact's own record: signature, choices, memory, versions."""
        return json.loads(self.launch.manifest)

    def ir(self, stage: str = "tile") -> str:
        """The IR at a stage; "tile" is what the front end wrote.

        Raises KeyError with the names of the stages where there is no such one.
        """
        if stage == "tile":
            return self._module.text
        stages = self.stages()
        if stage not in stages:
            raise KeyError(f"no stage {stage!r}; there are {', '.join(stages)}")
        return stages[stage]

    def stages(self) -> dict[str, str]:
        """The IR after each stage of the compiler, in order, beginning with "tile"."""
        return {"tile": self._module.text} | self._inspected["stages"]

    def llvm(self) -> str:
        """The LLVM IR of the kernel's code."""
        return self._inspected["llvm"]

    def asm(self) -> str:
        """The assembly of the kernel's code."""
        return self._inspected["asm"]

    def get_kernel_source(self, kernel_only: bool = True) -> str:
        """The kernel's code as text, by TileLang's name: assembly, which is all of it."""
        return self.asm()

    def get_profiler(self, tensor_supply_type: object = None) -> Profiler:
        """What times and checks the kernel on arrays that it makes, a TensorSupplyType."""
        from ..profiler import Profiler, TensorSupplyType

        return Profiler(self, tensor_supply_type or TensorSupplyType.Auto)

    def run_once(self) -> Any:
        """What it returns for arrays that are made for it."""
        return self.get_profiler().run_once()

    def obj(self) -> bytes:
        """The object file of the kernel's code."""
        return self._inspected["obj"]

    def plan(self) -> dict:
        """The memory plan: a table of buffers, the arena's size, the budget, if it fits."""
        return self._record["plan"]

    def choices(self) -> dict:
        """What was decided: T.choose entries by name, and the compiler's choices."""
        return {"choose": dict(self._choices), "compiler": self._record["choices"]}

    def remarks(self) -> list[str]:
        """What the compiler has to say: guards that stay, what was not vectorised, choices."""
        chosen = [
            f"{name} = {value} was taken by T.choose" for name, value in self._choices.items()
        ]
        return chosen + self._record["remarks"]

    @functools.cached_property
    def _inspected(self) -> dict:
        """Everything that the compiler can show, made by compiling once more."""
        from .. import _compiler

        options = self._options | {"output": "", "stages": True, "emit": ["llvm", "asm", "obj"]}
        result = _compiler.compile(self._module.text, options)
        diagnostics.raise_for(result, self._module.text, self.name, self._options["target"])
        return result
