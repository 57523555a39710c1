"""Barriers and masks that nothing needs, shown from the IR alone.

Barriers: `insert-barriers` takes any two accesses of a tile for a conflict, wherever its
threads are. Where a loop nest and the one behind the barrier have the same extents and are
dealt out alike, the k-th iteration of both is the same thread's. If all that conflicts is at
the positions of the iterations, each thread meets only itself, and the barrier orders what
is in order.

Masks: of a turn that is not everybody's, in a nest that stores only to registers; of an item
beyond the last; of a store of the block's own value by one thread; of an index that is read
from memory, such as a page's number. They are asked for after `bounds` has found that without
the mask every access is inside of its memory.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator

from .origins import barrier_of
from .seeds import Fault
from .waves import FIRST_WAVE, LAYOUT, of_first_wave, wave_in, wave_of

_ACCESS = re.compile(
    r"(?P<op>memref\.load|memref\.store|tile\.load|tile\.store) (?:%[\w#-]+, )?"
    r"(?P<memory>%[\w#]+)\[(?P<indices>[^\]]*)\]"
)
# Operations with memory that are no accesses; what is not known here may conflict.
_HARMLESS = re.compile(
    r"tile\.(alloc|cast|parallel)|memref\.dim|simt\.(channel|put|get|release|once|barrier)\b"
)
_OPERATION = re.compile(r"\b(tile|simt|memref|vector)\.\w+ ")
_TILE = re.compile(r'(%\w+) = tile\.alloc ".*?" at (\d+) .*: memref<((?:\d+x)+)(\w+)')
_REDUCTION = re.compile(
    r"simt\.warp_reduce \w+ (?P<source>%[\w#]+) into (?P<result>%[\w#]+) dim (?P<dim>\d)"
    r"(?P<how>.*) : "
)
_NEST = re.compile(r"tile\.parallel \((?P<ivs>[^)]*)\) in (?P<how>.*) \{")


def why_needless(texts: dict[str, str], fault: Fault) -> str | None:
    """Why the kernel of these stages does not need what the fault takes out; None where that
    is not shown."""
    if fault.kind in ("barrier", "wait", "fence"):
        return _why_no_barrier(texts, fault)
    lines = texts[fault.stage].split("\n")
    if fault.stage == "distribute" and fault.what.startswith("scf.if"):
        text = Text(texts[fault.stage])
        body = lines[fault.line : text._closing(fault.line - 1)]
        if not any(_EFFECT.search(line) for line in body):
            return "it fills registers that nobody reads"
    if fault.kind == "mask" and _is_from_data(lines, fault.line - 1):
        return "its index comes from data, and is inside wherever they are right"
    if fault.stage == "pipeline-loops" and fault.kind == "mask":
        return "nobody takes the item beyond the last, whose stage is free"
    if fault.what == "simt.once":
        end = Text(texts[fault.stage])._closing(fault.line - 1)
        if all(re.search(r"\b(tile|memref)\.store ", line) for line in lines[fault.line : end]):
            return "all threads store one value, which is the block's"
    return None


def _is_from_data(lines: list[str], number: int) -> bool:
    """Whether an index of the access on a line, or its condition, comes out of memory."""
    line = lines[number]
    found = re.search(r"\[(%[^\]]*)\] inbounds", line) or re.search(r"\bif (%\w+)", line)
    asked = re.findall(r"%\w+", found[1]) if found else []
    seen: set[str] = set()
    while asked:
        name = asked.pop()
        if name in seen:
            continue
        seen.add(name)
        made = re.compile(rf"\s*(?:{name} = |(?:scf\.for|tile\.pipelined) {name} = )(.*)")
        for above in reversed(lines[:number]):
            if found := made.match(above):
                if re.match(r"(tile|memref|llvm)\.load", found[1]):
                    return True
                if not found[1].startswith(("memref.dim", "tile.from_pointer")):
                    asked += re.findall(r"%\w+", found[1].partition(" iter_args")[0])
                break
    return False


def _why_no_barrier(texts: dict[str, str], fault: Fault) -> str | None:
    text, number = Text(texts["insert-barriers"]), barrier_of(texts, fault)
    if number is None:
        return None
    if re.search(r"simt\.(get|put)\b", text.lines[number]):
        return None
    if text.is_needless(number):
        return "each thread meets only what it wrote itself"
    if "hip-convert-to-rocdl" in texts and text.is_needless(number, of_waves=True):
        return (
            "lanes meet only what lanes of their wave wrote, which go in lockstep on AMD's GPUs"
        )
    return None


def is_free_of_stores(texts: dict[str, str], wait: Fault) -> bool:
    """Whether no wave meets what another one stored in front of the barrier of a wait, as
    far as to the next barrier: so that stores may be under way at this one."""
    number = barrier_of(texts, wait)
    return number is not None and Text(texts["insert-barriers"]).is_free_of_stores(number)


_EFFECT = re.compile(
    r"(memref|vector)\.store .*space<(shared|global)>|tile\.(store|atomic)|simt\.vector_store|"
    r"simt\.copy_async|atomic_rmw"
)


@dataclasses.dataclass(frozen=True)
class Memory:
    """What an access names: the line that defines it and its bytes of the block's memory.

    `place` is None for global memory, and for what is not understood. `channel` is the line of
    the channel whose stage it is, which is filled where it `is_put`.
    """

    line: int
    name: str
    is_global: bool
    place: tuple[int, int] | None = None
    channel: int | None = None
    is_put: bool = False


@dataclasses.dataclass(frozen=True)
class Access:
    """An access to memory that threads share. `owner` names the nest whose iterations make
    it at their own positions, by what deals it out; None for any other. `wave` says how an
    element's index gives the wave that makes the access; None where it does not. The bytes of
    its tile up to `of_first_wave` are the first wave's alone.
    """

    memory: Memory
    is_write: bool
    owner: str | None
    wave: tuple | None = None
    of_first_wave: int = 0


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _bytes(tile: re.Match) -> tuple[int, int]:
    """Where the tile of a `tile.alloc` begins and ends."""
    begin, shape, element = int(tile[2]), tile[3].split("x")[:-1], tile[4]
    bits = int(re.search(r"\d+", element)[0])  # of f8E4M3FN, 8
    return begin, begin + math.prod(map(int, shape)) * max(bits // 8, 1)


class Text:
    """A stage behind `insert-barriers`, before channels are lowered."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")

    def is_needless(self, barrier: int, of_waves: bool = False) -> bool:
        """Whether no two threads, or waves, meet where the barrier of this line is not."""
        before, after = (list(self._reach(barrier, step, set())) for step in (-1, 1))
        if None in before or None in after:
            return False
        pairs = ((a, b) for a in before for b in after)
        if "global" not in self.lines[barrier]:  # which orders shared memory alone
            pairs = ((a, b) for a, b in pairs if not a.memory.is_global)
        return not any(self._meet(a, b, of_waves) for a, b in pairs)

    def is_free_of_stores(self, barrier: int) -> bool:
        """Whether no access behind the barrier of this line meets a store in front of it of
        another wave; in a loop the barrier may be gone by more than once."""
        line = self.lines[barrier]
        if "simt.barrier" not in line:
            return False
        passed = Text("\n".join(self.lines))
        passed.lines[barrier] = " " * _indent(line) + "passed"
        before, after = (list(passed._reach(barrier, step, set())) for step in (-1, 1))
        if None in before or None in after:
            return False
        stores = [a for a in before if a.is_write and not a.memory.is_global]
        return not any(passed._meet(a, b, of_waves=True) for a in stores for b in after)

    def _meet(self, a: Access, b: Access, of_waves: bool = False) -> bool:
        first, second = a.memory, b.memory
        if not (a.is_write or b.is_write) or first.is_global != second.is_global:
            return False
        # A channel orders its items, but not what an iteration does with its own.
        if first.channel is not None and first.channel == second.channel:
            if first.is_put or second.is_put:
                return False
        if first.place and second.place:
            if first.place[1] <= second.place[0] or second.place[1] <= first.place[0]:
                return False
        if of_waves and a.wave is not None and a.wave == b.wave:
            if first == second or a.wave == FIRST_WAVE:
                return False
        if of_waves and first.place and second.place:
            end = min(first.place[1], second.place[1])
            for one, other in ((a, b), (b, a)):
                begin = other.memory.place[0]
                if one.wave == FIRST_WAVE and end <= begin + other.of_first_wave:
                    return False
        return not (first == second and a.owner is not None and a.owner == b.owner)

    def _memory(self, name: str, number: int, is_global: bool) -> Memory:
        """What `name` stands for on a line: its last definition in a region that is open."""
        inner = _indent(self.lines[number])
        for above in range(number - 1, -1, -1):
            line = self.lines[above]
            if not line.strip():
                continue
            inner = min(inner, _indent(line))
            if _indent(line) > inner:
                continue
            base = re.escape(name.split("#")[0])
            if re.match(rf"\s*{base}(:\d+)? = ", line):
                return self._defined(name, above, is_global)
            if re.match(rf"\s*\^bb0\(.*{base}:", line):
                index = re.findall(r"(%\w+):", line).index(name)
                channel = re.search(r"simt\.put (%\w+)", self.lines[above - 1])
                return self._staged(name, channel[1], above, index)
        return Memory(0, name, is_global)

    def _defined(self, name: str, line: int, is_global: bool) -> Memory:
        text = self.lines[line]
        if found := _TILE.search(text):
            return Memory(line, name, is_global, _bytes(found))
        if found := re.search(r"simt\.get (%\w+)\[", text):
            index = int(name.partition("#")[2] or 0)
            return self._staged(name, found[1], line, index)
        return Memory(line, name, is_global)

    def _staged(self, name: str, channel: str, line: int, index: int) -> Memory:
        """The stage of a channel's buffer: all of the buffer."""
        made = self._memory(channel, line, False).line
        buffers = re.search(r"simt\.channel ([^:]*) :", self.lines[made])[1].split(", ")
        buffer = self._memory(buffers[index], made, False)
        is_put = self.lines[line].lstrip().startswith("^bb0")
        return Memory(line, name, False, buffer.place, made, is_put)

    def _reach(self, start: int, step: int, seen: set[int]) -> Iterator[Access | None]:
        """Accesses from line `start` on to the next barrier, on every way. None stands for an
        operation that is not understood."""
        indent, number = _indent(self.lines[start]), start + step
        while True:
            line = self.lines[number]
            if not line.strip():
                number += step
                continue
            if _indent(line) < indent:
                yield from self._leave(number, step, seen)
                return
            if re.search(r"simt\.(barrier|get)\b", line):
                if _indent(line) == indent:
                    return
                # Of a region that may be passed by: what is on the other side of it is not met.
                here = _indent(line)
                while not self.lines[number].strip() or _indent(self.lines[number]) >= here:
                    number += step
                continue
            if _indent(line) == indent:
                if number in seen:
                    return
                seen.add(number)
            yield from self._accesses(number)
            number += step

    def _leave(self, number: int, step: int, seen: set[int]) -> Iterator[Access | None]:
        """Goes on where a block ends, at the line of its parent or the one that closes it."""
        head = number if step < 0 else self._opening(number)
        line = self.lines[head]
        if "tile.kernel" in line:
            return
        if "scf.for" in line:  # also from the other end of the body
            other = self._closing(head) if step < 0 else head
            body = _indent(line) + 2
            inner = other - 1 if step < 0 else other + 1
            while _indent(self.lines[inner]) != body or inner in seen:
                if inner in seen or _indent(self.lines[inner]) < body:
                    break
                yield from self._accesses(inner)
                inner += step
            else:
                if not re.search(r"simt\.(barrier|get)", self.lines[inner]):
                    seen.add(inner)
                    yield from self._accesses(inner)
                    yield from self._reach(inner, step, seen)
        elif "scf.if" not in line:
            yield None
            return
        yield from self._reach(number, step, seen)

    def _closing(self, head: int) -> int:
        indent = _indent(self.lines[head])
        return next(
            i
            for i in range(head + 1, len(self.lines))
            if self.lines[i].startswith(" " * indent + "}")
        )

    def _opening(self, end: int) -> int:
        indent = _indent(self.lines[end])
        return next(
            i
            for i in range(end - 1, -1, -1)
            if _indent(self.lines[i]) == indent and self.lines[i].rstrip().endswith("{")
        )

    def _accesses(self, number: int) -> Iterator[Access | None]:
        line = self.lines[number]
        found = _ACCESS.search(line)
        if found:
            is_global = found["op"].startswith("tile.") or "tile.space<global>" in line
            memory = self._memory(found["memory"], number, is_global)
            if not self._is_own(memory):
                yield Access(memory, "store" in found["op"], *self._owner(number, found))
        elif found := _REDUCTION.search(line):
            source, result = found["source"], found["result"]
            for name in (source, result):
                memory = self._memory(name, number, False)
                if not self._is_own(memory):
                    wave = self._reduced(found, number) if name == result else None
                    yield Access(memory, name == result, None, wave)
        elif found := re.search(r"tile\.gemm (%[\w#]+), (%[\w#]+) into (%[\w#]+)", line):
            for name in found.groups():
                memory = self._memory(name, number, False)
                if not self._is_own(memory):
                    yield Access(memory, name == found[3], None)
        elif _OPERATION.search(line) and not _HARMLESS.search(line):
            yield None

    def _is_own(self, memory: Memory) -> bool:
        """Whether each thread has memory of its own."""
        line = self.lines[memory.line]
        return "tile.alloc" in line and "#tile.space<local>" in line

    def _reduced(self, reduction: re.Match, number: int) -> tuple | None:
        """The wave that has a row's result, of rows of a fragment with a layout."""
        fragment = self.lines[self._memory(reduction["source"], number, False).line]
        layout = LAYOUT.search(fragment)
        if not layout or reduction["dim"] != "1" or "partial" in reduction["how"]:
            return None
        shape = re.search(r"memref<(\d+)x(\d+)x", fragment)
        return shape and wave_of(
            layout[1], ["row"], ["row", "column"], [int(shape[1]), int(shape[2])]
        )

    def _owner(self, number: int, access: re.Match) -> tuple[str | None, tuple | None, int]:
        """The nest around a line, where the access is at the position of its iteration, the
        wave where the nest's layout tells it, and which bytes are the first wave's."""
        depth = _indent(self.lines[number])
        for above in range(number - 1, -1, -1):
            line = self.lines[above]
            if line.strip() and _indent(line) < depth:
                depth = _indent(line)
                if line.strip() == "simt.once {":
                    return "the first thread", FIRST_WAVE, 0
                if nest := _NEST.search(line):
                    owner = nest["how"] if access["indices"] == nest["ivs"] else None
                    wave = wave_in(nest, access["indices"].split(", "))
                    return owner, wave, of_first_wave(nest, access, self.lines[number])
        return None, None, 0
