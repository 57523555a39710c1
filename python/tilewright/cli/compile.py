"""`tilewright compile`: a kernel of a Python file, at any stage down to machine code.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import enum
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

from tilewright.cli.console import CliError, UsageError, check_file, stdout, table
from tilewright.cli.units import size

EXAMPLES = """
tilewright compile gemm.py:matmul --arg M=256 --arg N=256 --arg K=64
tilewright compile gemm.py:matmul --emit asm      [dim]assembly on stdout[/]
tilewright compile gemm.py:matmul --emit obj -o matmul.o
tilewright compile gemm.py:matmul --emit stages -o stages/  [dim]a file for each stage[/]
"""


class Emit(enum.StrEnum):
    """What to write."""

    TILE = "tile"
    LLVM = "llvm"
    ASM = "asm"
    OBJ = "obj"
    STAGES = "stages"


def compile_kernel(
    kernel: Annotated[
        str, typer.Argument(metavar="FILE.py:KERNEL", help="A kernel by its name in a file.")
    ],
    target: Annotated[str, typer.Option("--target", "-t", help="What to compile for.")] = "cpu",
    emit: Annotated[
        Emit | None, typer.Option(help="What to write; a summary where it is not given.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to write it; a folder for stages."),
    ] = None,
    arg: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="A compile-time argument, or the value of a T.const size; repeatable.",
        ),
    ] = None,
) -> None:
    """Compile a kernel and show it at one stage, or sum up what became of it.

    The kernel is a @T.prim_func, a function under @tilewright.jit, or a function that
    returns one of these. The file is imported, so its top level runs.
    """
    from tilewright.compiler.errors import CompileError

    arguments = dict(_arguments(arg or []))
    if output is not None and emit is not None:
        _check_output(output, emit)
    try:
        compiled = _compile(_find(kernel), arguments, target)
    except CompileError as error:
        raise CliError(str(error)) from None
    except (CliError, OSError):
        raise
    except Exception as error:  # of the user's own code, which makes the kernel
        raise CliError(f"making {kernel} failed: {type(error).__name__}: {error}") from None
    try:
        if emit is None:
            _summarise(compiled)
        elif emit is Emit.STAGES:
            _write_stages(compiled.stages(), output)
        else:
            _write(_emitted(compiled, emit), output)
    except CompileError as error:
        raise CliError(str(error)) from None


def _check_output(output: Path, emit: Emit) -> None:
    """Refuse at once what could not be written at the end; make the folder of stages."""
    if emit is not Emit.STAGES:
        check_file(output)
        return
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CliError(f"cannot write into {output}: {error.strerror}") from None


def _arguments(pairs: list[str]) -> Iterator[tuple[str, Any]]:
    """(name, value) of each NAME=VALUE; a value that is no Python literal is a string."""
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not (equals and name.isidentifier()):
            raise UsageError(f"--arg takes NAME=VALUE, got {pair!r}")
        try:
            yield name, ast.literal_eval(text)
        except (ValueError, SyntaxError):
            yield name, text


def _find(spec: str) -> Any:
    """The object that FILE.py:KERNEL names."""
    file, colon, name = spec.rpartition(":")
    if not colon or not name:
        raise UsageError(f"{spec!r} is no FILE.py:KERNEL, such as gemm.py:matmul")
    path = Path(file)
    if not path.is_file():
        raise UsageError(f"there is no file {file}")
    module = _import(path)
    if not hasattr(module, name):
        known = ", ".join(n for n, value in vars(module).items() if _is_kernel(value))
        raise UsageError(f"{file} has no {name}; its kernels are: {known or 'none'}")
    return getattr(module, name)


def _import(path: Path) -> ModuleType:
    """The file as a module, importing its neighbours as it would as a script."""
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise CliError(f"importing {path} failed: {type(error).__name__}: {error}") from None
    return module


def _is_kernel(value: Any) -> bool:
    from tilewright.compiler.jit import Jit
    from tilewright.compiler.kernel import Kernel
    from tilewright.language.prim_func import PrimFunc

    return isinstance(value, PrimFunc | Jit | Kernel)


def _compile(kernel: Any, arguments: dict[str, Any], target: str) -> Any:
    """The compiled kernel of an object found in a file."""
    import tilewright
    from tilewright.compiler.jit import Jit
    from tilewright.compiler.kernel import Kernel
    from tilewright.language.prim_func import PrimFunc

    if callable(kernel) and not _is_kernel(kernel):
        try:
            kernel, arguments = kernel(**arguments), {}
        except TypeError as error:
            raise UsageError(f"{error}; give arguments by --arg NAME=VALUE") from None
    if isinstance(kernel, Jit):
        try:
            return kernel.for_target(target).compile(**arguments)
        except TypeError as error:
            raise UsageError(f"{error}; give arguments by --arg NAME=VALUE") from None
    if arguments:
        raise UsageError("--arg is for functions that make kernels; this one takes none")
    if isinstance(kernel, PrimFunc):
        return tilewright.compile(kernel, target=target)
    if isinstance(kernel, Kernel):
        if kernel.target != target:
            raise UsageError(f"the kernel is compiled for {kernel.target} where it is defined")
        return kernel
    raise UsageError(f"{kernel!r} is no kernel")


def _emitted(compiled: Any, emit: Emit) -> str | bytes:
    """One form of the kernel."""
    forms = {
        Emit.TILE: compiled.ir,
        Emit.LLVM: compiled.llvm,
        Emit.ASM: compiled.asm,
        Emit.OBJ: compiled.obj,
    }
    return forms[emit]()


def _write(content: str | bytes, output: Path | None) -> None:
    """Write to a file or stdout; bytes never to a terminal."""
    data = content.encode() if isinstance(content, str) else content
    if output is None:
        if sys.stdout is None:
            raise UsageError("stdout is closed; give -o FILE")
        if isinstance(content, bytes) and sys.stdout.isatty():
            raise UsageError("an object file does not belong on a terminal; give -o FILE")
        sys.stdout.buffer.write(data)
        return
    try:
        output.write_bytes(data)
    except OSError as error:
        raise CliError(f"cannot write {output}: {error.strerror}") from None


def _write_stages(stages: dict[str, str], folder: Path | None) -> None:
    """All stages on stdout, or a file for each: 00-tile.mlir, 01-..."""
    if folder is None:
        for name, text in stages.items():
            print(f"// ---- {name} ----\n{text}")
        return
    try:
        for i, (name, text) in enumerate(stages.items()):
            (folder / f"{i:02}-{name}.mlir").write_text(text)
    except OSError as error:
        raise CliError(f"cannot write into {folder}: {error.strerror}") from None


def _summarise(compiled: Any) -> None:
    """Where the artifact is, what its memory is used for, and what was decided."""
    console = stdout()
    console.print(f"{compiled.name} for {compiled.target}: {compiled.path}", markup=False)
    plan = compiled.plan()
    shown = table("kernel", "tile", "space", "shape", "dtype", ">bytes", ">offset")
    for number, kernel in enumerate(plan["kernels"]):
        for buffer in kernel["buffers"]:
            shown.add_row(
                str(number),
                buffer["name"],
                buffer["space"],
                " x ".join(map(str, buffer["shape"])),
                buffer["dtype"],
                str(buffer["bytes"]),
                str(buffer["offset"]),
            )
        shown.add_row(
            str(number), "[bold]in all[/]", "", "", "", str(kernel["arena_bytes"]), ""
        )
    console.print(shown)
    verdict = "fits" if plan["fits"] else "does not fit"
    console.print(f"The plan {verdict} the target's budget of {size(plan['budget'])} a block.")
    for name, value in compiled.choices()["choose"].items():
        console.print(f"{name} = {value}, by T.choose", markup=False)
    for remark in compiled.remarks():
        console.print(f"remark: {remark}", markup=False)
