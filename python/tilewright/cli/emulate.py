"""`tilewright emulate`: a kernel of a PTX file or an AMD code object on the emulator.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from tilewright.cli import emulate_arguments, emulate_report
from tilewright.cli.console import CliError, UsageError, stdout, table, write_json

EXAMPLES = """
tilewright emulate add.ptx                    [dim]its kernels and their parameters[/]
tilewright emulate add.ptx --kernel add --grid 8 --block 128 --arg random:f32:1000 --arg random:f32:1000 --arg out:f32:1000 --arg i32:1000
tilewright emulate add.hsaco --kernel add ...  [dim]a code object of an AMD GPU[/]
tilewright emulate add.ptx ... --report text  [dim]instructions, bank conflicts, sectors[/]
tilewright emulate add.ptx ... --report add.html
tilewright emulate add.ptx ... --trace 0:1    [dim]what warp 1 of block 0 executes[/]
"""  # noqa: E501

HTML = (".html", ".htm")
# By EF_AMDGPU_MACH in the flags of a code object's header.
AMD_MACHINES = {
    0x3F: "gfx90a",
    0x4C: "gfx942",
    0x4F: "gfx950",
    0x41: "gfx1100",
    0x4E: "gfx1201",
}
CHECKS = ("uninitialised", "shared-races", "proxy-fences", "global-races")


def emulate(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="PTX text, or an AMD code object.")
    ],
    kernel: Annotated[
        str | None, typer.Option("--kernel", "-k", help="The kernel; without it, a list.")
    ] = None,
    grid: Annotated[
        str, typer.Option(metavar="X[,Y[,Z]]", help="Blocks, or clusters' blocks, of the grid.")
    ] = "1",
    block: Annotated[str, typer.Option(metavar="X[,Y[,Z]]", help="Threads of a block.")] = "1",
    cluster: Annotated[
        str | None,
        typer.Option(metavar="X[,Y[,Z]]", help="Blocks of a cluster; as the kernel requires."),
    ] = None,
    shared: Annotated[int, typer.Option(min=0, help="Bytes of dynamic shared memory.")] = 0,
    cooperative: Annotated[
        bool, typer.Option("--cooperative", help="Blocks may wait for all others of the grid.")
    ] = False,
    arg: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ARGUMENT",
            help="The next argument: f32:1.5, i32:7, bytes:HEX; zeros:f16:1024x64, "
            "ones:..., range:..., random:f32:1000\\[:SEED], file:x.npy; out:f32:1000, which is "
            "shown afterwards, as is inout: before another array; arg:N, argument N's array "
            "again; tensormap:64x64,128B: before an array is a tensor map of it, with its box, "
            "swizzle (none, 32B, 64B, 128B) and fill (zero, nan).",
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Save arguments that are shown as argN.npy there."),
    ] = None,
    arch: Annotated[
        str | None, typer.Option(help="The device; what the text is for, by default.")
    ] = None,
    order: Annotated[
        str, typer.Option(help="Of warps and blocks: forward, reverse, or a seed.")
    ] = "forward",
    threads: Annotated[int, typer.Option(min=0, help="Of this machine; 0 is all.")] = 0,
    no_check: Annotated[
        list[str] | None,
        typer.Option(metavar="CHECK", help=f"Leave a check out: {', '.join(CHECKS[:3])}."),
    ] = None,
    check: Annotated[
        list[str] | None,
        typer.Option(metavar="CHECK", help=f"Check more: {CHECKS[3]}."),
    ] = None,
    max_steps: Annotated[
        int, typer.Option(min=0, help="Instructions that a warp may execute; 0 is any number.")
    ] = 0,
    report: Annotated[
        str | None,
        typer.Option(metavar="text|json|FILE.html", help="Say what was executed."),
    ] = None,
    trace: Annotated[
        str | None,
        typer.Option(metavar="BLOCK:WARP", help="Print each instruction of a warp."),
    ] = None,
) -> None:
    """Run a kernel of a PTX file or of an AMD code object on an emulated GPU, and say what it
    does wrong.

    Without --kernel, list the kernels of the file and their parameters. Reports of what the
    kernel breaks go to stderr.
    """
    from tilewright.emulator import Device, EmulatorError

    program = _read(file)
    chosen = _checks(no_check or [], check or [])
    if report is not None and not report.endswith((".json", *HTML)):
        if report not in ("text", "json"):
            raise UsageError(f"--report is text, json, FILE.json or FILE.html, not {report!r}")
    try:
        device = Device(
            arch or _arch_of(program),
            _order(order),
            threads,
            statistics=report is not None,
            max_steps=max_steps,
            **chosen,
        )
        module = device.load(program)
    except EmulatorError as error:
        raise CliError(f"{file}: {error}") from None
    if kernel is None:
        _list(module)
        return
    if kernel not in module.kernels:
        known = ", ".join(module.kernels) or "none"
        raise UsageError(f"{file} has no kernel {kernel}; it has: {known}")
    arguments = emulate_arguments.make(device, module.kernels[kernel], arg or [])
    blocks, threads_of = _extent("grid", grid), _extent("block", block)
    problem = _launch(
        module, kernel, arguments, blocks, threads_of,
        cluster=_extent("cluster", cluster) if cluster else None,
        shared=shared, cooperative=cooperative, trace=_trace(trace, blocks, threads_of),
    )  # fmt: skip
    print(device.output, end="")
    problems = [problem] if problem else []
    if not (report == "json" and save is None):
        problems += emulate_arguments.show(arguments, save)
    if report is not None:
        _report(device, report)
    if problems:
        raise CliError("\n\n".join(problems))


def _read(file: Path) -> str | bytes:
    """PTX as text, a code object (or a bundle of them) as it is. What is named as one is taken
    for one, so that a damaged file is called that and not bad PTX."""
    if not file.exists():
        raise UsageError(f"there is no file {file}")
    if file.is_dir():
        raise UsageError(f"{file} is a folder, not a file")
    data = file.read_bytes()
    is_named = file.suffix in (".hsaco", ".co")
    if is_named or data.startswith((b"\x7fELF", b"__CLANG_OFFLOAD_BUNDLE__", b"CCOB")):
        return data
    return data.decode(errors="replace")


def _arch_of(text: str | bytes) -> str:
    """The device that a code object is for, gfx942 of a bundle; that of a text's .target, the
    first that runs it."""
    if isinstance(text, bytes):
        if not text.startswith(b"\x7fELF"):
            return "gfx942"
        # Other machines' get the emulator's own message, from any device of AMD's.
        flags = int.from_bytes(text[48:52], "little") & 0xFF
        return AMD_MACHINES.get(flags, "gfx942")
    found = re.search(r"^\s*\.target\s+sm_(\d+)(\w?)", text, re.MULTILINE)
    if not found:
        return "sm_90a"
    number, suffix = int(found.group(1)), found.group(2)
    if suffix:
        return f"sm_{number}{suffix}"
    return next((f"sm_{n}" for n in (80, 86, 89, 90) if n >= number), f"sm_{number}")


def _order(text: str) -> str | int:
    if text in ("forward", "reverse"):
        return text
    if text.isdigit():
        return int(text)
    raise UsageError(f"--order is forward, reverse or a seed, not {text!r}")


def _checks(without: list[str], more: list[str]) -> dict[str, bool]:
    """Keyword arguments of the device for checks that are named."""
    for name in [*without, *more]:
        if name not in CHECKS:
            raise UsageError(f"there is no check {name!r}; there are: {', '.join(CHECKS)}")
    return {
        **{name.replace("-", "_"): True for name in more},
        **{name.replace("-", "_"): False for name in without},
    }


def _extent(name: str, text: str) -> tuple[int, ...]:
    """Numbers between commas, or between the letter x."""
    parts = re.split(r"[,x]", text.strip("()"))
    if not 1 <= len(parts) <= 3 or not all(p.strip().isdigit() for p in parts):
        raise UsageError(f"--{name} takes one to three numbers between commas, not {text!r}")
    return tuple(int(p) for p in parts)


def _trace(text: str | None, grid: tuple[int, ...], block: tuple[int, ...]) -> Any:
    """What module.launch takes to print a warp's instructions."""
    if text is None:
        return None
    place, colon, warp = text.rpartition(":")
    if not colon or not warp.isdigit():
        raise UsageError(f"--trace takes BLOCK:WARP, such as 0:1 or 2,0,0:3, not {text!r}")

    at = _extent("trace", place)
    extents = (*grid, 1, 1)[:3]
    if any(index >= count for index, count in zip(at, extents)):
        raise UsageError(f"--trace {text}: the grid of {extents} has no such block")
    warps = -(-math.prod(block) // 32)
    if int(warp) >= warps:
        raise UsageError(f"--trace {text}: a block has {warps} warps, counted from 0")

    def write(line: int, instruction: str) -> None:
        print(f"{line:6} {' '.join(instruction.split())}")

    return at, int(warp), write


def _list(module: Any) -> None:
    """The kernels and their parameters."""
    if not module.kernels:
        print("the file has no kernels")
    for kernel in module.kernels.values():
        bounds = [f"{kernel.shared_bytes} bytes of shared memory"] * (kernel.shared_bytes > 0)
        for about, threads in (
            ("blocks of", kernel.required_threads),
            ("blocks of at most", kernel.max_threads),
            ("clusters of", kernel.required_cluster),
        ):
            if threads:
                bounds.append(f"{about} {', '.join(str(n) for n in threads)}")
        shown = table(">", "parameter", "type", ">bytes", ">offset", title=kernel.name)
        for index, parameter in enumerate(kernel.parameters):
            declared = str(parameter).replace(f" {parameter.name}", "")
            shown.add_row(
                str(index), parameter.name, declared.replace("[", "\\["), str(parameter.bytes),
                str(parameter.offset),
            )  # fmt: skip
        stdout().print(shown)
        if bounds:
            stdout().print("; ".join(bounds), markup=False)


def _launch(
    module: Any, kernel: str, arguments: list[Any], grid: Any, block: Any, **options: Any
):
    """Runs the kernel; the reports of its faults, if any."""
    from tilewright.emulator import EmulatorError, EmulatorFault

    try:
        module.launch(
            kernel, grid, block, args=[argument.value for argument in arguments], **options
        )
    except EmulatorFault as fault:
        return str(fault)
    except TypeError as error:  # arguments that do not fit
        raise UsageError(str(error)) from None
    except EmulatorError as error:  # a launch that no device would take
        raise UsageError(str(error)) from None
    return None


def _report(device: Any, where: str) -> None:
    found = device.report
    if where == "text":
        emulate_report.show(found)
    elif where == "json":
        write_json(Path("-"), found)
    elif where.endswith(".json"):
        write_json(Path(where), found)
    else:
        from tilewright.cli import emulate_html

        Path(where).write_text(emulate_html.page(found))
