"""What may be taken out of the IR of a stage: one barrier, wait, fence, commit or mask.

A stage is the text that `Kernel.stages()` gives. Lines keep their numbers: what is taken out
leaves an empty line, and what is put in stands on the line of what uses it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator

Lines = list[str]
# (line, what becomes of the lines from there on, how it is described)
Change = tuple[int, Lines, str]


@dataclasses.dataclass(frozen=True)
class Fault:
    """One thing taken out of one stage.

    `kind` is what it was, `line` where it stood (from 1), `what` its text, `text` the stage
    without it.
    """

    stage: str
    kind: str
    line: int
    what: str
    text: str = dataclasses.field(repr=False)


# ---- Operations taken out -------------------------------------------------------------------


def _removed(pattern: str) -> Callable[[Lines], Iterator[Change]]:
    """Operations of one line, which give no value."""
    operation = re.compile(rf"^\s*{pattern}\s*$")

    def changes(lines: Lines) -> Iterator[Change]:
        for number, line in enumerate(lines):
            if operation.match(line):
                yield number, [""], line.strip()

    return changes


def _closing(lines: Lines, number: int) -> int:
    """The line on which the region that line `number` opens is closed."""
    indent = len(lines[number]) - len(lines[number].lstrip())
    end = re.compile(rf"^ {{{indent}}}}}")
    return next(i for i in range(number + 1, len(lines)) if end.match(lines[i]))


def _puts(lines: Lines) -> Iterator[Change]:
    """Items that are not put in."""
    for number, line in enumerate(lines):
        if line.lstrip().startswith("simt.put "):
            count = _closing(lines, number) - number + 1
            yield number, [""] * count, line.strip().rstrip("{ ")


def _onces(lines: Lines) -> Iterator[Change]:
    """What one thread does, done by all."""
    for number, line in enumerate(lines):
        if line.strip() == "simt.once {":
            end = _closing(lines, number)
            yield number, ["", *lines[number + 1 : end], ""], "simt.once"


# ---- Masks that are always true -------------------------------------------------------------


def _inbounds(lines: Lines) -> Iterator[Change]:
    """A dimension that an access is not guarded in."""
    for number, line in enumerate(lines):
        found = re.search(r"inbounds \[([\w, ]+)\]", line)
        if not found:
            continue
        guards = found[1].split(", ")
        operation = line.split(" = ")[-1].split()[0]
        for dim, guard in enumerate(guards):
            if guard == "false":
                trusted = ", ".join([*guards[:dim], "true", *guards[dim + 1 :]])
                changed = f"{line[: found.start(1)]}{trusted}{line[found.end(1) :]}"
                yield number, [changed], f"{operation}, dimension {dim}"


def _conditions(operation: str) -> Callable[[Lines], Iterator[Change]]:
    """`if %c` of an operation that may have none."""
    conditional = re.compile(rf"^\s*(%[\w:]+ = )?{operation} .*?(?P<guard> if %[\w#]+)")

    def changes(lines: Lines) -> Iterator[Change]:
        for number, line in enumerate(lines):
            if found := conditional.match(line):
                start, end = found.span("guard")
                yield (
                    number,
                    [line[:start] + line[end:]],
                    re.sub(r"^\s*%\S+ = ", "", found[0]).strip(),
                )

    return changes


_TRUE = {
    "scf": "arith.constant true",
    "arith": "arith.constant true",
    "llvm": "llvm.mlir.constant(true) : i1",
}


def _always(pattern: str) -> Callable[[Lines], Iterator[Change]]:
    """A condition, the group `condition` of the pattern, that is true."""
    conditional = re.compile(pattern)

    def changes(lines: Lines) -> Iterator[Change]:
        for number, line in enumerate(lines):
            if found := conditional.match(line):
                start, end = found.span("condition")
                true = _TRUE[found["dialect"]]
                changed = f"%seeded = {true} {line[:start].lstrip()}%seeded{line[end:]}"
                yield number, [changed], line.strip().rstrip("{ ")

    return changes


_BRANCHES = _always(r"^\s*(%\w+ = )?(?P<dialect>scf)\.if (?P<condition>%\w+) ")
_SELECTIONS = _always(r"^\s*(%\w+ = )?(?P<dialect>arith)\.select (?P<condition>%\w+), ")


def _made_by(
    pattern: str, masks: Callable[[Lines], Iterator[Change]] = _BRANCHES
) -> Callable[[Lines], Iterator[Change]]:
    """Masks whose condition is made by an operation that matches the pattern, in which THREAD
    is the thread's number."""
    source = re.compile(pattern)

    def changes(lines: Lines) -> Iterator[Change]:
        made: dict[str, str] = {}
        threads: set[str] = set()
        for number, line in enumerate(lines):
            if defined := re.match(r"^\s*(%\w+) = (arith\.\w+ .*|simt\.thread_id)", line):
                made[defined[1]] = defined[2]
                if defined[2] == "simt.thread_id":
                    threads.add(defined[1])
            for _, changed, what in masks([line]):
                condition = made.get(re.search(r"\.(?:if|select) (%\w+)", line)[1], "")
                words = (
                    "THREAD" if w in threads else w for w in re.split(r"(%\w+)", condition)
                )
                if source.match("".join(words)):
                    yield number, changed, f"{what}: {condition}"

    return changes


def _conditional_puts(lines: Lines) -> Iterator[Change]:
    """Puts behind `lower-channels`: branches that begin with a look at a stage."""
    for number, line in enumerate(lines):
        if any("memref.subview" in li for li in lines[number + 1 : number + 5]):
            yield from ((number, new, what) for _, new, what in _BRANCHES([line]))


def _clamps(lines: Lines) -> Iterator[Change]:
    """The number of the item that is loaded ahead, not kept below that of items."""
    for number, line in enumerate(lines):
        last = lines[number - 1]  # the number of the last item, one less than their count
        found = re.match(r"^\s*%\w+ = (arith\.minui (%\w+), (%\w+)) : index", line)
        if found and re.match(rf"^\s*{found[3]} = arith\.subi %\w+, %c1", last):
            changed = line.replace(found[1], f"arith.addi {found[2]}, %nothing")
            nothing = "%nothing = arith.constant 0 : index "
            yield number, [nothing + changed.lstrip()], line.strip()


def _limits(lines: Lines) -> Iterator[Change]:
    """The row of an operand, not kept inside of its tile."""
    for number, line in enumerate(lines):
        if found := re.match(r"^\s*%\w+ = (arith\.minui (%\w+), %\w+) : index", line):
            changed = line.replace(found[1], f"arith.addi {found[2]}, %nothing")
            nothing = "%nothing = arith.constant 0 : index "
            yield number, [nothing + changed.lstrip()], line.strip()


def _copies(lines: Lines) -> Iterator[Change]:
    """Copies and loads of the LLVM dialect that are not told to read nothing."""
    select = r"^\s*(?P<value>%\w+) = (?P<dialect>llvm)\.select (?P<condition>%\w+), "
    for number, line in enumerate(lines):
        found = re.match(select, line)
        if not found:
            continue
        # LLVM's own selections, of values, have no part in accesses.
        copies = any(
            "nvvm.cp.async.shared" in li and f", {found['value']} :" in li
            for li in lines[number : number + 4]
        )
        if copies or "!llvm.ptr" in line:
            yield from ((number, new, what) for _, new, what in _always(select)([line]))


def _buffers(lines: Lines) -> Iterator[Change]:
    """Accesses to buffers that are not told to stay outside, and buffers without an end."""
    outside = r", %[\w:]+, %c-2147483648_i32"
    offset = _always(rf"^\s*(%\w+ = )(?P<dialect>arith)\.select (?P<condition>%\w+){outside}")
    for number, line in enumerate(lines):
        yield from ((number, new, what) for _, new, what in offset([line]))
        if found := re.match(
            r"^\s*%\w+ = rocdl\.make\.buffer\.rsrc %\w+, %\w+, (%\w+), ", line
        ):
            start, end = found.span(1)
            most = "%most = arith.constant 2147483647 : i64 "
            yield number, [most + line[:start].lstrip() + "%most" + line[end:]], line.strip()


def _weakened(lines: Lines) -> Iterator[Change]:
    """Barriers that do not order global memory any more."""
    for number, line in enumerate(lines):
        if line.strip() == "simt.barrier global":
            yield number, [line.replace(" global", "")], "global, of simt.barrier global"


# ---- Stages ---------------------------------------------------------------------------------

# Of each pass that makes synchronisation or masks: what of them, and how it is taken out. A
# thing is taken out where it is made, and again behind the passes that give it another form.
RULES: dict[str, list[tuple[str, Callable[[Lines], Iterator[Change]]]]] = {
    "prove-bounds": [("mask", _inbounds)],
    "isolate-effects": [("mask", _onces)],
    "pipeline-loops": [
        ("put", _puts),
        ("release", _removed(r"simt\.release .*")),
        ("mask", _conditions("simt.put")),
        ("mask", _clamps),
    ],
    "insert-barriers": [
        ("barrier", _removed(r"simt\.barrier( global)?")),
        ("fence", _weakened),
    ],
    "lower-channels": [
        ("barrier", _removed(r"simt\.barrier( global)?")),
        ("wait", _removed(r"simt\.wait_copies .*")),
        ("commit", _removed(r"simt\.commit_copies")),
        ("mask", _conditional_puts),
    ],
    "distribute": [
        ("mask", _made_by(r"arith\.cmpi (ult|eq), THREAD, ")),
        ("mask", _made_by(r"arith\.cmpi ult, %\w+, %c\d")),
        ("mask", _made_by(r"arith\.(cmpi ult, %\w+, %c\d|andi)", _SELECTIONS)),
        ("mask", _limits),
    ],
    "hip-buffer-accesses": [("mask", _buffers)],
    "lower-access": [
        ("mask", _made_by(r"arith\.(andi|cmpi ult, (?!THREAD)%\w+, %dim)")),
        ("mask", _conditions(r"simt\.copy_async")),
        ("mask", _conditions(r"simt\.vector_load")),
    ],
    "cuda-convert-to-nvvm": [
        ("barrier", _removed(r"nvvm\.barrier0?")),
        ("wait", _removed(r"nvvm\.cp\.async\.wait\.group .*")),
        ("commit", _removed(r"nvvm\.cp\.async\.commit\.group")),
        ("fence", _removed(r"llvm\.fence .*")),
        ("mask", _copies),
    ],
    "hip-convert-to-rocdl": [
        ("barrier", _removed(r"rocdl\.s\.barrier")),
        ("wait", _removed(r"rocdl\.s\.waitcnt .*")),
        ("fence", _removed(r"llvm\.fence .*")),
        ("mask", _copies),
    ],
}


def seed(stage: str, text: str) -> Iterator[Fault]:
    """Every fault of a stage, in the order of its text."""
    lines = text.split("\n")
    for kind, rule in RULES[stage]:
        for number, changed, what in rule(lines):
            faulty = [*lines[:number], *changed, *lines[number + len(changed) :]]
            yield Fault(stage, kind, number + 1, what, "\n".join(faulty))
