"""Programs that show, by running the cases, that nobody notices what a mask keeps out.

A probe is the sound text with something beside a mask that would be noticed: that traps, or
gives wrong results. `None` stands for a line that there is no probe for.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

#: Of each type its NaN, its greatest number and its least one, as bits.
_EXTREMES = {
    "f32": ("0x7FC00000", "0x7F7FFFFF", "0xFF7FFFFF"),
    "bf16": ("0x7FC0", "0x7F7F", "0xFF7F"),
    "f16": ("0x7E00", "0x7BFF", "0xFBFF"),
}
_TRAP = 'scf.if {} {{ "llvm.intr.trap"() : () -> () }}'
_BRANCH = re.compile(r"\s*scf\.if (?P<condition>%[\w#]+) \{$")
_SELECT = re.compile(
    r"\s*(?P<result>%\w+) = arith\.select (?P<condition>%\w+), (?P<value>%\w+), "
    r"(?P<other>%\w+) : (?P<type>(?:vector<[\dx]+)?(?P<element>\w+)>?)$"
)
_STORE = re.compile(
    r"\s*(?P<dialect>memref|tile)\.store (?P<value>%[\w#-]+), (?P<memory>%[\w#]+)"
    r"(?P<indices>\[[^\]]*\])(?P<inbounds> inbounds \[[^\]]*\])?(?: \{[^}]*\})? : "
    r"(?P<type>memref<(?:[?\d]+x)*(?P<element>\w+)[,>].*)$"
)
# What a branch whose stores are compared may hold beside them.
_PURE = re.compile(
    r"\s*(?:(?:%[\w:]+ = )?(?:arith|math)\.[\w.]+ |"
    r"%\w+ = (?:memref|tile)\.(?:load|dim) |%\w+ = vector\.(?:load|extract) |"
    r"(?:%[\w:]+ = )?scf\.(?:for|if|yield) |scf\.yield$|\} else \{$|\}$)"
)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _closing(lines: list[str], number: int) -> int:
    end = " " * _indent(lines[number]) + "}"
    return next(i for i in range(number + 1, len(lines)) if lines[i].startswith(end))


def _names(line: str) -> list[str]:
    return re.findall(r"%[\w#]+", line)


# ---- Values that are selected ---------------------------------------------------------------


def spoiled(text: str, line: int) -> list[str] | None:
    """Texts with extreme numbers in place of the other value of a selection: where all cases
    are right with each of them, it does not matter what a mask lets in."""
    lines = text.split("\n")
    found = _SELECT.match(lines[line - 1])
    if not found or found["element"] not in _EXTREMES:
        return None
    texts = []
    for bits in _EXTREMES[found["element"]]:
        value = f"dense<{bits}>" if found["type"].startswith("vector") else bits
        start, end = found.span("other")
        changed = lines[line - 1][:start].lstrip() + "%spoiled" + lines[line - 1][end:]
        constant = f"%spoiled = arith.constant {value} : {found['type']} "
        texts.append("\n".join([*lines[: line - 1], constant + changed, *lines[line:]]))
    return texts


def is_of_dropped_loads(text: str, line: int) -> bool:
    """Whether a selection of an index is one of loads alone whose values a selection with the
    same condition drops: without it they are of other elements where they are dropped."""
    lines = text.split("\n")
    found = _SELECT.match(lines[line - 1])
    if not found or found["type"] != "index":
        return False
    following = list(
        itertools.takewhile(
            lambda one: not one.strip() or _indent(one) >= _indent(lines[line - 1]),
            lines[line:],
        )
    )

    def users(name: str) -> Iterator[str]:
        return (one for one in following if name in _names(one))

    for user in users(found["result"]):
        load = re.match(r"\s*(%\w+) = (?:memref|vector)\.load %[\w#]+\[[^\]]*\]", user)
        if not load:
            return False
        for dropped in users(load[1]):
            if dropped is user:
                continue
            select = _SELECT.match(dropped)
            if not select or select["condition"] != found["condition"]:
                return False
            if load[1] == select["other"]:
                return False
    return True


# ---- Stores of all threads ------------------------------------------------------------------


def compared(text: str, line: int) -> str | None:
    """The text in which threads that a branch keeps out do what is in it, and trap where what
    they would store is not what is there by then: behind a barrier, and in front of another.

    None where the branch has effects beside stores, or what it stores to is written again
    before the next barrier, or was since the last one: then it matters when they store.
    """
    lines = text.split("\n")
    found = _BRANCH.match(lines[line - 1])
    if not found:
        return None
    end = _closing(lines, line - 1)
    if lines[end].strip() != "}":
        return None
    body, memories, names = [], set(), itertools.count()
    for one in lines[line:end]:
        if store := _STORE.match(one):
            memories.add(store["memory"])
            body.append(" ".join(_comparison(store, next(names))))
        elif not one.strip() or _PURE.match(one):
            body.append(one)
        else:
            return None
    if not memories or _is_written_near(lines, line - 1, end, memories):
        return None
    probe = [
        "simt.barrier global",
        "%probe_true = arith.constant true",
        f"%probe = arith.xori {found['condition']}, %probe_true : i1",
        "scf.if %probe {",
        *body,
        "}",
        "simt.barrier global",
    ]
    return "\n".join([*lines[: end + 1], *probe, *lines[end + 1 :]])


def _comparison(store: re.Match, number: int) -> Iterator[str]:
    there, differs = f"%there{number}", f"%differs{number}"
    element = store["element"]
    yield (
        f"{there} = {store['dialect']}.load {store['memory']}{store['indices']}"
        f"{store['inbounds'] or ''} : {store['type']}"
    )
    compare = "cmpi ne" if re.match(r"i\d|index", element) else "cmpf une"
    yield f"{differs} = arith.{compare}, {there}, {store['value']} : {element}"
    yield _TRAP.format(differs)


def _is_written_near(lines: list[str], begin: int, end: int, memories: set[str]) -> bool:
    """Whether something else may write to `memories` between the barriers around a branch, or
    read them in front of it: a store that comes early is seen there."""
    depth = _indent(lines[begin])
    for step, number in ((-1, begin - 1), (1, end + 1)):
        for line in _lines_near(lines, number, step, depth, set()):
            if line is None:
                return True
            uses = r"store|atomic|copy_async|\bput\b|warp_reduce" + (
                "|load" if step < 0 else ""
            )
            if re.search(uses, line) and memories & set(_names(line)):
                return True
    return False


def _lines_near(
    lines: list[str], number: int, step: int, depth: int, seen: set[int]
) -> Iterator[str | None]:
    """Lines from `number` on, which stands so deep, to the next barrier on every way. None
    stands for one that is not understood; loops that were `seen` are not gone through again."""
    while 0 <= number < len(lines):
        line = lines[number]
        here = _indent(line) if line.strip() else depth
        if here < depth:
            head = number if step < 0 else _opening(lines, number)
            if re.search(r"tile\.kernel|func", lines[head]):
                return
            if "scf.for" in lines[head]:  # at the end of a body comes its beginning
                if head not in seen:
                    seen.add(head)
                    other = _closing(lines, head) if step < 0 else head
                    yield from _lines_near(lines, other + step, step, depth, seen)
            elif "scf.if" not in lines[head] and "} else {" not in lines[head]:
                yield None
            depth = here
        elif "simt.barrier" in line:
            if here == depth:
                return
            # Of a region that may be passed by: what is on the other side of it is not.
            while not lines[number].strip() or _indent(lines[number]) >= here:
                number += step
            continue
        else:
            yield line
        number += step


def _opening(lines: list[str], end: int) -> int:
    return next(
        i
        for i in range(end - 1, -1, -1)
        if _indent(lines[i]) == _indent(lines[end]) and lines[i].rstrip().endswith("{")
    )


# ---- Registers ------------------------------------------------------------------------------

_REGISTERS = re.compile(
    r"\s*(?P<tile>%\w+) = tile\.alloc .* : (?P<type>memref<(?P<count>\d+)x(?P<element>\w+), "
    r"#tile\.space<local>>)$"
)


def with_spoiled_registers(text: str) -> list[str]:
    """Texts of `distribute` whose threads begin with extreme numbers in their registers: LLVM
    takes what is at hand for those that were never written, which may do no harm."""
    return [
        "\n".join(_spoilt(line, number, which) for number, line in enumerate(text.split("\n")))
        for which in range(3)
    ]


def _spoilt(line: str, number: int, which: int) -> str:
    found = _REGISTERS.match(line)
    if not found or found["element"] not in _EXTREMES:
        return line
    value, bits = f"%extreme{number}", _EXTREMES[found["element"]][which]
    stores = [f"{value} = arith.constant {bits} : {found['element']}"]
    for i in range(int(found["count"])):
        at = f"%register{number}_{i}"
        stores.append(f"{at} = arith.constant {i} : index")
        stores.append(f"memref.store {value}, {found['tile']}[{at}] : {found['type']}")
    return " ".join([line.lstrip(), *stores])
