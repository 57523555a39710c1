"""Assertions in the IR of threads: that accesses are inside of their memory, masks true.

An emulator knows allocations: a row that is read beyond its end, or a tile that is written
beyond its own, is one that lies inside of a larger one. Here each index is compared with the
extent of its dimension, and what is outside traps.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

#: The stage whose text is instrumented: threads, and single accesses without guards.
STAGE = "lower-access"
#: Behind this stage accesses to AMD's buffers have offsets, and no indices.
BUFFERS = "hip-buffer-accesses"

_MEMORY = r"(?P<memory>%[\w#]+)\[(?P<indices>[^\]]*)\]"
_TYPE = r"memref<(?P<shape>(?:[?\d]+x)*)(?P<element>\w+)[,>]"
_VECTOR = r"vector<(?P<count>\d+)x"
_ACCESSES = [
    re.compile(rf"memref\.(?:load|store) .*?{_MEMORY}.* : (?P<type>{_TYPE}.*)$"),
    re.compile(rf"memref\.atomic_rmw .*?{_MEMORY} : \(\w+, (?P<type>{_TYPE}.*)\) ->"),
    re.compile(rf"memref\.generic_atomic_rmw {_MEMORY} : (?P<type>{_TYPE}.*)$"),
    re.compile(rf"vector\.(?:load|store) .*?{_MEMORY}.* : (?P<type>{_TYPE}.*), {_VECTOR}"),
    re.compile(
        rf"simt\.vector_load {_MEMORY}.*?(?: if (?P<guard>%\w+))?[^%]* : "
        rf"(?P<type>{_TYPE}.*), {_VECTOR}"
    ),
    re.compile(
        rf"simt\.copy_async (?P<count>\d+) of {_MEMORY}.*?(?: if (?P<guard>%\w+))? to .* : "
        rf"(?P<type>{_TYPE}.*), memref<"
    ),
    re.compile(
        rf"simt\.copy_async (?P<count>\d+) of .* to {_MEMORY}.* : memref<.*>, "
        rf"(?P<type>{_TYPE}.*)$"
    ),
]


def asserted(text: str) -> str:
    """The text with an assertion in front of each access to shared or global memory."""
    names = (f"%bound{i}" for i in itertools.count())
    lines = []
    for line in text.split("\n"):
        checks = ""
        for pattern in _ACCESSES:
            found = pattern.search(line)
            if found and "#tile.space<local>" not in found["type"]:
                checks += " ".join(_check(found, names)) + " "
        lines.append(checks + line.lstrip() if checks else line)
    return "\n".join(lines)


def are_all_known(text: str) -> bool:
    """Whether `asserted` knows every access of the text to shared or global memory, but for
    operands of matrix instructions, which are of tiles and have no guards. Those of AMD's
    buffers are not known: their indices are offsets by then."""
    access = re.compile(r"\b(?:memref|vector|simt|rocdl)\.[\w.]*(?:load|store|copy|atomic)")
    harmless = re.compile(
        r"#tile\.space<local>|simt\.(?:commit_copies|wait_copies|load_matrix)\b"
    )
    return all(
        any(pattern.search(line) for pattern in _ACCESSES) or harmless.search(line)
        for line in text.split("\n")
        if access.search(line)
    )


_BUFFER = re.compile(
    r"\s*(?P<buffer>%\w+) = rocdl\.make\.buffer\.rsrc %\w+, %\w+, (?P<end>%\w+),"
)
_BUFFER_ACCESS = re.compile(
    r"rocdl\.raw\.ptr\.buffer\.(?:load|store %\w+,) (?P<buffer>%\w+), (?P<offset>%\w+), .* : "
    r"(?:vector<(?P<count>\d+)x)?i(?P<bits>\d+)"
)


def probed(text: str, line: int) -> str | None:
    """The text with a trap where the mask of a line is false, or where an access is beyond the
    end of the buffer that it makes; None where it does neither."""
    lines = text.split("\n")
    if made := _BUFFER.match(lines[line - 1]):
        return "\n".join(_ended(one, made, number) for number, one in enumerate(lines))
    found = re.search(r"(?:\.if|\.select| if) (%\w+)[ ,]", lines[line - 1])
    if not found:
        return None
    probe = (
        f"%true_probe = arith.constant true %probe = arith.xori {found[1]}, %true_probe : i1 "
        'scf.if %probe { "llvm.intr.trap"() : () -> () } '
    )
    lines[line - 1] = probe + lines[line - 1].lstrip()
    return "\n".join(lines)


def _ended(line: str, made: re.Match, number: int) -> str:
    """The line with a trap in front where it is an access beyond the end of the buffer. Offsets
    that were chosen outside are negative."""
    access = _BUFFER_ACCESS.search(line)
    if not access or access["buffer"] != made["buffer"]:
        return line
    size = int(access["count"] or 1) * int(access["bits"]) // 8
    at, bytes_, upto, past = (f"%{name}{number}" for name in ("at", "bytes", "upto", "past"))
    probe = (
        f"{at} = arith.extsi {access['offset']} : i32 to i64 "
        f"{bytes_} = arith.constant {size} : i64 {upto} = arith.addi {at}, {bytes_} : i64 "
        f"{past} = arith.cmpi sgt, {upto}, {made['end']} : i64 "
        f'scf.if {past} {{ "llvm.intr.trap"() : () -> () }} '
    )
    return probe + line.lstrip()


def _first_type(text: str) -> str:
    """The type that the text begins with, of those that it names."""
    depth = 0
    for at, letter in enumerate(text):
        depth += {"<": 1, ">": -1}.get(letter, 0)
        if letter == ">" and depth == 0:
            return text[: at + 1]
    return text


def _check(found: re.Match, names: Iterator[str]) -> Iterator[str]:
    groups = found.groupdict()
    indices = [i.strip() for i in found["indices"].split(",") if i.strip()]
    extents = found["shape"].split("x")[:-1]
    assert len(indices) == len(extents), found.string
    memref, inside = _first_type(found["type"]), None
    for dim, (index, extent) in enumerate(zip(indices, extents)):
        limit, below = next(names), next(names)
        count = int(groups.get("count") or 1) if dim == len(indices) - 1 else 1
        if extent == "?":
            at, size, less = next(names), next(names), next(names)
            yield f"{at} = arith.constant {dim} : index"
            yield f"{size} = memref.dim {found['memory']}, {at} : {memref}"
            yield f"{less} = arith.constant {count - 1} : index"
            yield f"{limit} = arith.subi {size}, {less} : index"
        else:
            yield f"{limit} = arith.constant {max(int(extent) - count + 1, 0)} : index"
        yield f"{below} = arith.cmpi ult, {index}, {limit} : index"
        if inside:
            both = next(names)
            yield f"{both} = arith.andi {inside}, {below} : i1"
            below = both
        inside = below
    if inside is None:
        return
    true, outside = next(names), next(names)
    yield f"{true} = arith.constant true"
    yield f"{outside} = arith.xori {inside}, {true} : i1"
    if groups.get("guard"):
        wrong = next(names)
        yield f"{wrong} = arith.andi {outside}, {found['guard']} : i1"
        outside = wrong
    yield f'scf.if {outside} {{ "llvm.intr.trap"() : () -> () }}'
