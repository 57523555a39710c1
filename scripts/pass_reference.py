"""Writes docs/passes.md: every pass, from the .td files that declare it.

    .venv/bin/python scripts/pass_reference.py

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import ods

HEAD = """# Passes

Written by `scripts/pass_reference.py` from the `Passes.td` files. `tilewright-opt FILE.mlir
--PASS` runs one pass; `tilewright compile FILE.py:KERNEL --emit stages` shows a kernel on its
way through the pipelines of its target. [pipelines.md](pipelines.md) has those of all targets,
[cpu.md](cpu.md), [target-cuda.md](target-cuda.md) and [target-hip.md](target-hip.md) tell how
passes work together.
"""

PIPELINES = """
## The CPU's pipelines

As `backends/cpu/CpuBackend.cpp` builds them. After the first one the tiles have their final
form and the memory plan is known, which is where `T.choose` looks. The second one goes down to
the LLVM dialect. Before them, for every target, comes the check of what is certain to be wrong,
or in [checking mode](checking.md) the pass that has it found at run time. Names without a link
are MLIR's own passes.

| pipeline | passes in order |
| --- | --- |
"""

# What a pass runs on, by the class it inherits.
ANCHORS = {
    "::mlir::OperationPass<>": "any operation",
    "::mlir::OperationPass<::mlir::ModuleOp>": "a module",
    "::mlir::OperationPass<::mlir::func::FuncOp>": "each function",
}


def all_passes() -> list[tuple[Path, list[dict]]]:
    """The passes of each file that has some."""
    return [(td, ods.passes(td)) for td in ods.pass_files()]


def pipelines() -> Iterator[str]:
    """The table of the CPU's pipelines."""
    ours = {p["argument"] for _, passes in all_passes() for p in passes}
    for name, arguments in {**ods.first_passes(), **ods.cpu_pipelines()}.items():
        links = [f"[`{a}`](#{a})" if a in ours else f"`{a}`" for a in arguments]
        yield f"| {name} | {' → '.join(links)} |\n"


def is_tested(argument: str) -> bool:
    """Whether a lit test runs a pass by its name."""
    option = re.compile(rf"^// RUN:.*[ (,]--?{argument}(?![\w-])", re.M)
    return any(option.search(file.read_text()) for file in ods.lit_files())


def described(record: dict, of_file: dict) -> str:
    """The section of one pass."""
    argument = record["argument"]
    parts = [f"### `{argument}`\n\n{record['summary']}.\n"]
    if record["description"]:
        parts.append(f"\n{ods.text(record['description'])}\n")
    options = [of_file[o["def"]] for o in record["options"]]
    if options:
        parts.append("\n| option | type | default | meaning |\n| --- | --- | --- | --- |\n")
        parts += [
            f"| `{o['argument']}` | `{o['type']}` | `{o['defaultValue']}` "
            f"| {ods.cell(o['description'])} |\n"
            for o in options
        ]
    statistics = [of_file[s["def"]] for s in record["statistics"]]
    if statistics:
        parts.append("\n| statistic | meaning |\n| --- | --- |\n")
        parts += [f"| `{s['name']}` | {ods.cell(s['description'])} |\n" for s in statistics]
    tested = "A lit test runs" if is_tested(argument) else "No lit test runs"
    parts.append(f"\nRuns on {ANCHORS[record['baseClass']]}. {tested} it by name.\n")
    return "".join(parts)


def page() -> str:
    """The whole page."""
    parts = [HEAD, PIPELINES, *pipelines()]
    for td, passes in all_passes():
        parts.append(f"\n## `{td.parent.relative_to(ods.ROOT)}`\n")
        parts += [f"\n{described(record, ods.records(td))}" for record in passes]
    return "".join(parts)


if __name__ == "__main__":
    (ods.ROOT / "docs" / "passes.md").write_text(page())
