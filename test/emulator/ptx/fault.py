"""What a hand-made fault is, and how to run one: a sound program, and one change to it.

Both vendors' faults share this; their programs differ in their text.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
import pytest

from tilewright.emulator import Device, EmulatorFault

ORDERS: tuple[str | int, ...] = ("forward", "reverse", 11)


@dataclass(frozen=True)
class Program:
    """A sound kernel. `arguments` makes its arguments, of which the first holds results."""

    name: str
    body: str
    arguments: Callable[[Device], list[Any]]
    expected: np.ndarray
    arch: str
    _: KW_ONLY
    grid: int = 1
    block: int = 32
    cluster: int = 1
    checks: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The whole program, as its assembler reads it."""
        raise NotImplementedError


@dataclass(frozen=True)
class Fault:
    """`changes` of a program's text that break it, or other `arguments`. It is reported by
    `rule`, at a line that has one of `at` in it; `at` is empty where the host reads
    undefined data, and where a wave has left the code. `also` are rules that may be broken
    as a consequence, maybe at earlier lines; without them, the first report is the one."""

    name: str
    program: Program
    changes: dict[str, str]
    rule: str
    at: tuple[str, ...]
    also: tuple[str, ...] = ()
    arguments: Callable[[Device], list[Any]] | None = None

    @property
    def text(self) -> str:
        text = self.program.text
        for old, new in self.changes.items():
            assert text.count(old) == 1, f"{self.name}: {text.count(old)} times {old!r}"
            text = text.replace(old, new)
        return text

    def lines(self) -> set[int]:
        """The lines at which it may be reported."""
        rows = self.text.split("\n")
        found = {n for n, row in enumerate(rows, 1) if any(part in row for part in self.at)}
        assert len(found) == len(self.at), f"{self.name}: {self.at} are at lines {found}"
        return found or {0}


def run(
    program: Program,
    order: str | int,
    code: str | bytes,
    arguments: Callable[[Device], list[Any]] | None = None,
) -> np.ndarray:
    """The results of a program, of which `code` is what a device loads; EmulatorFault where
    it is reported."""
    device = Device(program.arch, order, 1, **{"max_steps": 20_000} | program.checks)
    module = device.load(code)
    args = (arguments or program.arguments)(device)
    module.launch(
        "kernel",
        grid=program.grid,
        block=program.block,
        cluster=program.cluster,
        args=args,
    )
    return args[0].numpy(never_written=True)


def check_sound(program: Program, order: str | int, code: str | bytes) -> None:
    """The program is not reported, and its results are right."""
    got = run(program, order, code)
    assert got.dtype == program.expected.dtype
    assert (got == program.expected).all()


def check_fault(fault: Fault, order: str | int, code: str | bytes) -> None:
    """The fault is reported by its rule, where it is."""
    with pytest.raises(EmulatorFault) as caught:
        run(fault.program, order, code, fault.arguments)
    # Of code, the line of the text that it was assembled from; none outside of it.
    is_text = isinstance(code, str)
    reports = [
        (one.rule, one.line if is_text else one.source_line) for one in caught.value.faults
    ]
    wanted = {(fault.rule, line) for line in fault.lines()}
    assert {rule for rule, _ in reports} <= {fault.rule, *fault.also}, str(caught.value)
    assert wanted & set(reports if fault.also else reports[:1]), str(caught.value)


def check_names(faults: Iterable[Fault]) -> dict[str, Program]:
    """The faults' programs by their names, of which each is the name of one alone."""
    programs = {fault.program.name: fault.program for fault in faults}
    names = [fault.name for fault in faults]
    assert len(set(names)) == len(names)
    assert len({id(fault.program) for fault in faults}) == len(programs)
    return programs


def words(count: int, *more: Any, source: int | None = None) -> Callable[[Device], list[Any]]:
    """Arguments: `count` words of results, an input of the numbers from 0 on (`source` of
    them, or as many), and what else there is."""

    def make(device: Device) -> list[Any]:
        numbers = np.arange(source or count, dtype=np.uint32)
        return [device.empty(count, np.uint32), device.array(numbers), *more]

    return make


def counted(count: int) -> np.ndarray:
    """The numbers from 0 on."""
    return np.arange(count, dtype=np.uint32)
