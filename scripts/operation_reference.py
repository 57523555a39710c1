"""Writes docs/operations.md: every operation, attribute and type, from the .td files.

    .venv/bin/python scripts/operation_reference.py

Needs a build: whether the CPU backend lowers an operation is found out by letting
`tilewright-opt` lower the example of its description.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import re
import subprocess
from collections.abc import Iterator

import ods

HEAD = """# Operations

Written by `scripts/operation_reference.py` from the `.td` files of the dialects. What the
language's operations mean, rounding included, is in [semantics.md](semantics.md); why the
dialect is as it is, in [rationale-tile.md](rationale-tile.md).
"""

STATUS = """
## Status

Found in the tree, not typed:

- **constraints tested**: how many of the numbered constraints some `test/lit/**/*-errors.mlir`
  breaks, of those that a verifier can see;
- **lowered on the CPU by**: which pass of ours removes it when the CPU's pipelines run on the
  example of its description, as it stands or inside a kernel, or on an example that becomes it;
  "no" where the pipelines fail on these;
- **lit tested**: whether a lit test other than those of errors names it. Every example is
  printed and parsed again by `test/lit/ods` besides.

| operation | constraints tested | lowered on the CPU by | lit tested |
| --- | --- | --- | --- |
"""

# Names an operation where a test breaks a constraint; the same as in test/lit/ods.
BROKEN = re.compile(r"(?:'([\w.]+)' op|// ([\w.]+)) \(C(\d+)\)")


def examples(record: dict) -> list[str]:
    """The text of each ```mlir block of a description."""
    return re.findall(r"```mlir\n(.*?)```", ods.text(record["description"]), re.S)


# ---- Constraints -----------------------------------------------------------------------


def checked_constraints(record: dict) -> set[int]:
    """The numbers of the constraints that a verifier can see."""
    section = record["description"].partition("Constraints:")[2].partition("Example")[0]
    constraints = re.findall(r"- \(C(\d+)\)((?:(?!- \(C).)*)", section, re.S)
    return {int(n) for n, text in constraints if "(Not checked:" not in " ".join(text.split())}


def broken_constraints() -> set[tuple[str, int]]:
    """The (operation, number) of every constraint that a test breaks."""
    tests = (file.read_text() for file in ods.lit_files() if file.stem.endswith("-errors"))
    found = (match for text in tests for match in BROKEN.findall(text))
    return {(quoted or named, int(number)) for quoted, named, number in found}


# ---- Lowering --------------------------------------------------------------------------


def in_a_kernel(example: str) -> str:
    """The example with the body of each public function inside a kernel of one block.

    What the function returned is printed, since a kernel gives nothing.
    """

    def wrap(function: re.Match) -> str:
        head, body, result = function.groups()
        sink = f'tile.print "result" {result}\n' if result else ""
        return (
            f"{head} {{\n%one = arith.constant 1 : index\n"
            f"tile.kernel (%block) in (%one) {{{body}{sink}}}\nreturn\n}}"
        )

    function = r"(func\.func @\w+\([^{}]*?\))(?: -> [^{}]*?)? \{(\n.*?)^ *return *(.*?)\n\}"
    return re.sub(function, wrap, example, flags=re.M | re.S)


@functools.cache
def dumps(example: str) -> list[tuple[str, str]]:
    """(pass, IR after it) of the CPU's pipelines on an example; empty where they fail."""
    arguments = [f"--{a}" for passes in ods.cpu_pipelines().values() for a in passes]
    arguments[arguments.index("--select-atoms")] += "=target=cpu:x86-64-v4"
    options = ["--mlir-disable-threading", "--mlir-print-ir-after-all"]
    run = subprocess.run(
        [ods.BUILD / "bin" / "tilewright-opt", *options, *arguments, "-"],
        input=example,
        capture_output=True,
        text=True,
    )
    if run.returncode:
        return []
    parts = re.split(r"^// -----// IR Dump After \w+ \(([\w-]+)\).*$", run.stderr, flags=re.M)
    return list(zip(parts[1::2], parts[2::2])) + [("the end", run.stdout)]


def pass_that_removes(name: str, example: str) -> str | None:
    """The pass after which no operation `name` is left; None where there is no such one."""
    used = mention(name)
    last, seen = None, bool(used.search(example))
    for argument, ir in dumps(example):
        if used.search(ir):
            last, seen = None, True
        elif seen:
            last = last or argument
    return last


def lowered_by(name: str, operations: dict[str, dict]) -> str:
    """The cell of the status table about the CPU."""
    ours = {p["argument"] for td in ods.pass_files() for p in ods.passes(td)}
    # MLIR's passes remove what is unused. Where that took the operation out of its own
    # example, the example of one that becomes it tells.
    for record in [operations[name], *operations.values()]:
        for example in examples(record):
            for form in (example, in_a_kernel(example)):
                found = pass_that_removes(name, form)
                if found in ours:
                    return f"`{found}`"
    return "no"


# ---- The page --------------------------------------------------------------------------


def mention(name: str) -> re.Pattern:
    """Finds an operation in IR, outside comments."""
    return re.compile(rf"^(?! *//).*(?<![\w.#!]){re.escape(name)}(?![\w.])", re.M)


def status(operations: dict[str, dict]) -> Iterator[str]:
    """The rows of the status table."""
    broken = broken_constraints()
    tests = [f.read_text() for f in ods.lit_files() if not f.stem.endswith("-errors")]
    for name, record in sorted(operations.items()):
        checked = checked_constraints(record)
        done = sum((name, number) in broken for number in checked)
        tested = "yes" if any(mention(name).search(text) for text in tests) else "no"
        link = f"[`{name}`](#{name.replace('.', '')})"
        lowered = lowered_by(name, operations)
        yield f"| {link} | {done} of {len(checked)} | {lowered} | {tested} |\n"


def described(name: str, record: dict, cases: list[str]) -> str:
    """The section of an operation, attribute or type; `cases`: keywords of an enumeration."""
    parts = [f"### `{name}`", f"_{record['summary']}_" if record["summary"] else ""]
    parts.append(ods.text(record["description"]))
    if cases:
        parts.append(f"One of {', '.join(f'`{case}`' for case in cases)}.")
    return "\n" + "\n\n".join(filter(None, parts)) + "\n"


def page() -> str:
    """The whole page."""
    parts = []
    operations = {}
    for td in ods.dialect_files():
        of_file = ods.operations(td)
        operations |= of_file
        dialects = [
            ods.text(dialect["description"]) for dialect in ods.defined_in(td, "Dialect")
        ]
        sections = of_file | ods.attributes(td) | ods.types(td)
        if dialects or sections:
            parts.append(f"\n## {ods.title(td)}\n")
            parts += [f"\n{description}\n" for description in dialects]
            parts += [described(name, r, ods.cases(td, r)) for name, r in sections.items()]
    return "".join([HEAD, STATUS, *status(operations), *parts])


if __name__ == "__main__":
    (ods.ROOT / "docs" / "operations.md").write_text(page())
