"""Writes docs/pipelines.md: which passes a kernel goes through for each target, in order.

    .venv/bin/python scripts/pipelines.py

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import ods

#: One target of each backend; that of the CPU is no machine's own.
TARGETS = {"cpu": "cpu:x86-64-v3", "cuda": "cuda:sm_80", "hip": "hip:gfx942"}

HEAD = """# Pipelines

Written by `scripts/pipelines.py` from the pipelines that the compiler itself writes into a
reproducer, for {targets}.
A column's passes, from top to bottom, are what a kernel goes through for that target; a line
with several marks is one pass that targets share. [passes.md](passes.md) describes each pass;
MLIR's own have no link. After the last line come LLVM and the linker. [cpu.md](cpu.md),
[target-cuda.md](target-cuda.md) and [target-hip.md](target-hip.md) tell how it works;
`tilewright compile FILE.py:KERNEL --target cuda:sm_80 --emit stages` shows a kernel after each
line.

"""

TABLE = """| pass | runs on | {columns} | options |
| --- | --- | {rules} | --- |
"""

SCOPES = {
    "builtin.module": "the module",
    "func.func": "each function",
    "builtin.module/builtin.module": "the device module",
}

# The pass that a reproducer ends with: LLVM and the linker.
EMIT = "emit-object"


class Step(NamedTuple):
    """A pass in a pipeline: its name, what it runs on, and options that are ours."""

    name: str
    scope: str
    options: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What makes two steps of different targets the same line."""
        return self.name, self.scope


def parse(pipeline: str) -> list[Step]:
    """The steps of a textual pipeline, such as `builtin.module(func.func(cse),inline{x=1})`."""
    tokens = re.findall(r"[\w.-]+|\{[^}]*\}|[(),]", pipeline)
    steps: list[Step] = []
    scopes: list[str] = []
    for token, following in zip(tokens, [*tokens[1:], ""]):
        if following == "(":
            scopes.append(token)
        elif token == ")":
            scopes.pop()
        elif token[0] == "{":
            steps[-1] = steps[-1]._replace(options=tuple(token[1:-1].split()))
        elif token not in "(,":
            nested = [s for s in scopes if s == "builtin.module"]
            scope = "/".join(nested) if scopes[-1] == "builtin.module" else scopes[-1]
            steps.append(Step(token, scope))
    return steps


def steps_of(target: str) -> list[Step]:
    """The passes that a kernel goes through for a target."""
    from tilewright import _compiler

    text = _compiler.reproducer("module {}\n", target)
    found = re.search(r'pipeline: "(.*)"', text)
    return [step for step in parse(found[1]) if step.name != EMIT]


def merged(lists: Iterable[list[tuple[str, str]]]) -> list[tuple[str, str]]:
    """One order that holds each list in its own order, and what lists share only once."""
    result: list[tuple[str, str]] = []
    for one in lists:
        matcher = difflib.SequenceMatcher(None, result, one, autojunk=False)
        joined: list[tuple[str, str]] = []
        for _, first, last, start, end in matcher.get_opcodes():
            same = result[first:last] == one[start:end]
            joined += result[first:last] + ([] if same else one[start:end])
        result = joined
    return result


def marks(steps: list[Step], order: list[tuple[str, str]]) -> list[Step | None]:
    """The step of each line of the order, None where the target does not run that pass."""
    rest = list(steps)
    found = [rest.pop(0) if rest and rest[0].key == line else None for line in order]
    assert not rest, rest
    return found


def rows() -> Iterator[tuple[tuple[str, str], list[Step | None]]]:
    """Each line of the table: the pass, and the step of each target."""
    all_steps = {name: steps_of(target) for name, target in TARGETS.items()}
    order = merged([[s.key for s in steps] for steps in all_steps.values()])
    columns = [marks(steps, order) for steps in all_steps.values()]
    yield from zip(order, map(list, zip(*columns)))


def _options(found: list[Step | None], ours: bool) -> str:
    """Options of one of our passes, with their targets where they are not the same."""
    if not ours:
        return ""
    by_target = {
        name: ", ".join(f"`{o}`" for o in step.options)
        for name, step in zip(TARGETS, found)
        if step and step.options
    }
    if len(set(by_target.values())) == 1:
        return next(iter(by_target.values()))
    return "; ".join(f"{name}: {options}" for name, options in by_target.items())


def summary(lines: list[tuple[tuple[str, str], list[Step | None]]]) -> str:
    """How many passes targets share, whatever their place in the order."""
    targets: dict[str, set[str]] = {}
    for (name, _), found in lines:
        targets.setdefault(name, set()).update(t for t, s in zip(TARGETS, found) if s)
    of = [frozenset(who) for who in targets.values()]
    every, gpus = of.count(frozenset(TARGETS)), of.count(frozenset({"cuda", "hip"}))
    alone = {name: of.count(frozenset({name})) for name in TARGETS}
    return (
        f"Of {len(of)} different passes {every} run for all three targets, {gpus} for GPUs\n"
        f"alone, {alone['cpu']} for the CPU alone, {alone['cuda']} for NVIDIA's GPUs and "
        f"{alone['hip']} for AMD's. A pass that has\ntwo lines runs at another place of the "
        "order, on other operations, or once more.\n"
    )


def page() -> str:
    """The whole page."""
    ours = {p["argument"] for td in ods.pass_files() for p in ods.passes(td)}
    names = ", ".join(f"`{target}`" for target in TARGETS.values())
    parts = [HEAD.format(targets=names)]
    lines = list(rows())
    parts.append(summary(lines))
    rules = " | ".join(":---:" for _ in TARGETS)
    parts.append("\n" + TABLE.format(columns=" | ".join(TARGETS), rules=rules))
    for (name, scope), found in lines:
        shown = f"[`{name}`](passes.md#{name})" if name in ours else f"`{name}`"
        ticks = " | ".join("●" if step else "" for step in found)
        options = _options(found, name in ours)
        parts.append(f"| {shown} | {SCOPES[scope]} | {ticks} | {options} |\n")
    return "".join(parts)


if __name__ == "__main__":
    (Path(ods.ROOT) / "docs" / "pipelines.md").write_text(page())
