"""Loops of a kernel's code, found from its branches, and which one is the main loop.

    0   a                    loop of 1: {1, 2, 3, 4}     `5 -> 1` goes back to what
    1   b                    loop of 2: {2, 3}            dominates it
    2   mma
    3   branch to 2 if p
    4   branch to 1 if q
    5   exit

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence


@dataclasses.dataclass(frozen=True)
class Instruction:
    """One instruction: where it is, and where it may go on.

    `address` is a number that grows along the code (bytes, or lines of PTX). `opcode` has its
    modifiers. `targets` are addresses that it may jump to; it goes on with the next
    instruction where `falls`.
    """

    address: int
    opcode: str
    operands: str = ""
    targets: tuple[int, ...] = ()
    falls: bool = True


@dataclasses.dataclass(frozen=True)
class Loop:
    """A natural loop: the address of its header, and its instructions, those of loops inside
    it among them."""

    header: int
    body: tuple[Instruction, ...]

    @property
    def addresses(self) -> frozenset[int]:
        return frozenset(one.address for one in self.body)


@dataclasses.dataclass(frozen=True)
class MainLoop:
    """The loop that multiplies, and the outermost of the loops inside it."""

    loop: Loop
    inner: tuple[Loop, ...]


def find_loops(code: Sequence[Instruction]) -> list[Loop]:
    """The natural loops of a kernel, one for each header, by address."""
    blocks = _blocks(code)
    starts = [block[0].address for block in blocks]
    index = {start: i for i, start in enumerate(starts)}
    successors: list[list[int]] = []
    for i, block in enumerate(blocks):
        last = block[-1]
        following = [index[target] for target in last.targets if target in index]
        if last.falls and i + 1 < len(blocks):
            following.append(i + 1)
        successors.append(following)
    predecessors: list[list[int]] = [[] for _ in blocks]
    for i, following in enumerate(successors):
        for j in following:
            predecessors[j].append(i)
    dominators = _dominators(successors, predecessors)
    bodies: dict[int, set[int]] = {}
    for i, following in enumerate(successors):
        for header in following:
            if header in dominators.get(i, ()):
                body = bodies.setdefault(header, {header})
                body |= _reaching(i, header, predecessors)
    return [
        Loop(starts[header], tuple(one for i in sorted(body) for one in blocks[i]))
        for header, body in sorted(bodies.items())
    ]


def main_loop(
    code: Sequence[Instruction],
    multiply_adds: Callable[[Instruction], int],
    loads: Callable[[Instruction], bool],
) -> MainLoop | None:
    """The innermost loop that holds the most multiply-adds and brings their operands.

    Where operands come from global memory in a loop around the innermost (`loads` tells these
    instructions), it is that one: what brings them is part of the work. None where no loop
    multiplies.
    """
    found = find_loops(code)
    work = {loop.header: sum(map(multiply_adds, loop.body)) for loop in found}
    most = max(work.values(), default=0)
    if not most:
        return None
    candidates = [loop for loop in found if work[loop.header] == most]
    bringing = [loop for loop in candidates if any(map(loads, loop.body))]
    best = min(bringing or candidates, key=lambda loop: len(loop.body))
    inside = [loop for loop in found if loop.addresses < best.addresses]
    outermost = [
        loop for loop in inside if not any(loop.addresses < other.addresses for other in inside)
    ]
    return MainLoop(best, tuple(outermost))


def _blocks(code: Sequence[Instruction]) -> list[list[Instruction]]:
    """Basic blocks in the order of the code."""
    leaders = {target for one in code for target in one.targets}
    blocks: list[list[Instruction]] = []
    ended = True
    for one in code:
        if ended or one.address in leaders:
            blocks.append([])
        blocks[-1].append(one)
        ended = bool(one.targets) or not one.falls
    return blocks


def _dominators(
    successors: list[list[int]], predecessors: list[list[int]]
) -> dict[int, set[int]]:
    """The blocks that every path from the first one to a block goes through; of blocks that
    are reached."""
    reached, stack = set(), [0] if successors else []
    while stack:
        i = stack.pop()
        if i not in reached:
            reached.add(i)
            stack += successors[i]
    found = {i: set(reached) for i in reached}
    if reached:
        found[0] = {0}
    changed = True
    while changed:
        changed = False
        for i in sorted(reached - {0}):
            before = [found[j] for j in predecessors[i] if j in reached]
            new = set.intersection(*before) | {i}
            changed |= new != found[i]
            found[i] = new
    return found


def _reaching(latch: int, header: int, predecessors: list[list[int]]) -> set[int]:
    """The blocks from which `latch` is reached without going through `header`."""
    body, stack = {header}, [latch]
    while stack:
        i = stack.pop()
        if i not in body:
            body.add(i)
            stack += predecessors[i]
    return body
