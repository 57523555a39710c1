"""Compiles the builds of a library, several at a time.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import inspect
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from ..compiler.driver import as_objects, compile
from ..compiler.errors import CompileError
from ..compiler.jit import Jit
from ..compiler.kernel import Kernel
from ..compiler.signature_table import Signature
from ..language.prim_func import PrimFunc
from .spec import Build, Function, Library


@dataclass(frozen=True)
class Job:
    """One build of a function for one target."""

    function: Function
    build: Build
    target: str

    def __str__(self) -> str:
        return f"{self.function.name}/{self.build.name} for {self.target}"


@dataclass(frozen=True)
class Compiled:
    """What became of a job: an object file with an artifact, and what is known of it."""

    job: Job
    path: str
    symbol: str
    signature: Signature
    facts: dict
    doc: str  # the kernel's own text


@dataclass(frozen=True)
class Failed:
    """A job that came to nothing; `reason` is for the user."""

    job: Job
    reason: str


def jobs_of(library: Library) -> list[Job]:
    """All that is to be compiled, in the order of the library."""
    return [
        Job(function, build, target)
        for function in library.functions
        for build in function.builds
        for target in build.targets
    ]


def compile_all(
    jobs: list[Job], processes: int, on_done: Callable[[Compiled | Failed], None]
) -> list[Compiled | Failed]:
    """The results of all jobs, in their order; `on_done` gets each as it comes.

    The processes are forks of this one, which has imported the kernels and must not have
    loaded the compiler.
    """
    results: dict[int, Compiled | Failed] = {}
    for index, result in _results(jobs, processes):
        results[index] = result
        on_done(result)
    return [results[i] for i in range(len(jobs))]


def _results(jobs: list[Job], processes: int) -> Iterator[tuple[int, Compiled | Failed]]:
    global _jobs
    _jobs = jobs  # forks have it; kernels cannot be sent
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(min(processes, len(jobs)) or 1, mp_context=context) as pool:
        pending = {pool.submit(_run, index): index for index in range(len(jobs))}
        try:
            for future in as_completed(pending):
                index = pending[future]
                try:
                    outcome = future.result()
                except BrokenProcessPool:
                    outcome = "the process that compiled it, or one beside it, was killed"
                yield index, _result(jobs[index], outcome)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


_jobs: list[Job] = []


def _result(job: Job, outcome: str | tuple) -> Compiled | Failed:
    return Failed(job, outcome) if isinstance(outcome, str) else Compiled(job, *outcome)


def _run(index: int) -> str | tuple:
    """In a process of its own: what Compiled holds beside the job, or why there is none."""
    job = _jobs[index]
    try:
        with as_objects():
            kernel, doc = _kernel(job)
            if not kernel.symbol:
                return (
                    f"{job.function.name}: the kernel is compiled where it is defined; take "
                    "the decorator off, or make it in a function"
                )
            if _machine(kernel.path) != _machine(sys.executable):
                return (
                    f"{job.target} is of another architecture than this machine, whose runtime "
                    "the library holds; leave the target out, or build on a machine of its kind"
                )
            return kernel.path, kernel.symbol, kernel.signature, _facts(kernel), doc
    except CompileError as error:
        return str(error)
    except Exception as error:  # of the user's own code, which makes the kernel
        return f"making the kernel failed: {type(error).__name__}: {error}"


def _machine(path: str) -> bytes:
    """The architecture that an ELF file is for, as its header has it."""
    with open(path, "rb") as file:
        return file.read(20)[18:]


def _facts(kernel: Kernel) -> dict:
    """What the manifest says of a compiled build."""
    plan = kernel.plan()
    return {
        "kernel": kernel.name,
        "features": kernel.features,
        "object_bytes": os.path.getsize(kernel.path),
        "block_memory_bytes": max((k["arena_bytes"] for k in plan["kernels"]), default=0),
        "device_kernels": kernel.device_kernels,
        "assembler": kernel.assembler,
        "choices": {name: repr(value) for name, value in kernel.choices()["choose"].items()},
    }


def _kernel(job: Job) -> tuple[Kernel, str]:
    """The kernel of a job, by whatever way it is made, and the text that it has in Python."""
    kernel, arguments = job.build.kernel, dict(job.build.arguments)
    if isinstance(kernel, Jit):
        return kernel.for_target(job.target).compile(**arguments), _doc(kernel)
    if callable(kernel) and not isinstance(kernel, PrimFunc | Kernel):
        if "target" in inspect.signature(kernel).parameters:
            arguments["target"] = job.target
        _check_arguments(kernel, arguments)
        kernel, arguments = kernel(**arguments), {}
        if isinstance(kernel, Jit):
            return kernel.for_target(job.target).compile(), _doc(kernel)
    if arguments:
        raise TypeError(
            f"{getattr(kernel, '__name__', kernel)} is a kernel as it is, which takes no "
            f"compile-time arguments ({', '.join(arguments)}); make it in a function that does"
        )
    if isinstance(kernel, PrimFunc):
        return compile(kernel, target=job.target), _doc(kernel)
    if not isinstance(kernel, Kernel):
        raise TypeError(f"{kernel!r} is no kernel")
    if kernel.target != job.target:
        raise TypeError(
            f"the kernel is for {kernel.target}; give the function that makes it a parameter "
            "`target`"
        )
    return kernel, ""


def _check_arguments(function: Callable, arguments: dict) -> None:
    """Raises TypeError where a function does not take these arguments, with what it takes."""
    taken = inspect.signature(function)
    try:
        taken.bind(**arguments)
    except TypeError as error:
        unknown = [repr(name) for name in arguments if name not in taken.parameters]
        why = f"there is no {', '.join(unknown)}" if unknown else error
        name = getattr(function, "__name__", repr(function))
        raise TypeError(f"{name}(): {why}; it takes {', '.join(taken.parameters)}") from None


def _doc(kernel: Jit | PrimFunc) -> str:
    return inspect.cleandoc(getattr(kernel, "__doc__", None) or "")
