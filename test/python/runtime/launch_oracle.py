"""What a launch must say of arguments, by the definitions of docs/launch.md and by brute force:
the bytes of every element are enumerated.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import itertools
from dataclasses import dataclass, field

from .artifacts import Scalar, Symbol, Tensor


@dataclass
class Given:
    """An array as it is passed: strides in elements, `address` that of element zero."""

    dtype: str
    item: int
    shape: list[int]
    strides: list[int]
    address: int
    writable: bool = True

    @property
    def empty(self) -> bool:
        return 0 in self.shape

    def starts(self) -> list[int]:
        """The address of each element's first byte."""
        return [
            self.address + self.item * sum(i * s for i, s in zip(index, self.strides))
            for index in itertools.product(*map(range, self.shape))
        ]

    def bytes(self) -> set[int]:
        """The addresses of all bytes."""
        return {start + byte for start in self.starts() for byte in range(self.item)}

    def nested(self) -> bool:
        """Whether each dimension steps over all that those of smaller strides cover."""
        covered = 1
        for stride, size in sorted((abs(s), n) for s, n in zip(self.strides, self.shape)):
            if size > 1:
                if stride < covered:
                    return False
                covered += stride * (size - 1)
        return True


@dataclass
class Verdict:
    """What a launch must do: one of `faults` (patterns of messages) where there are any, else
    succeed with `words` (None: any), or, where `maybe`, say one of those instead."""

    faults: list[str] = field(default_factory=list)
    maybe: list[str] = field(default_factory=list)
    words: list[int | None] = field(default_factory=list)


class _Sizes:
    """Symbols and what they were found to be."""

    def __init__(self, symbols: list[Symbol]) -> None:
        self.facts = {symbol.name: symbol for symbol in symbols}
        self.found: dict[str, int] = {}

    def fits(self, symbol: str, value: int) -> bool:
        facts = self.facts[symbol]
        if symbol in self.found:
            return self.found[symbol] == value
        self.found[symbol] = value
        highest = facts.maximum if facts.maximum >= 0 else value
        return facts.minimum <= value <= highest and value % facts.multiple_of == 0


def judge(params: list, symbols: list[Symbol], given: list[Given | int]) -> Verdict:
    """The verdict on a launch with these arguments: `Given` for tensors, numbers else."""
    sizes, verdict = _Sizes(symbols), Verdict()
    for param, argument in zip(params, given):
        if isinstance(param, Scalar):
            verdict.words.append(argument)
            continue
        strides, faults = _check(param, argument, sizes)
        if faults:
            # An argument is judged by those before it: what follows has no say.
            verdict.faults = [f"argument '{param.name}' {fault}" for fault in faults]
            return verdict
        address = None if argument.empty else argument.address
        verdict.words += [address, *argument.shape, *strides]
    _check_overlaps(params, given, verdict)
    return verdict


def _check(param: Tensor, given: Given, sizes: _Sizes) -> tuple[list[int], list[str]]:
    """The strides that the kernel sees, and the faults."""
    if given.dtype != param.dtype:
        return [], ["has dtype"]
    if len(given.shape) != len(param.dims):
        return [], [rf"has {len(given.shape)} dimensions?, shape"]
    faults = []
    for d, (size, dim) in enumerate(zip(given.shape, param.dims)):
        if not (sizes.fits(dim, size) if isinstance(dim, str) else size == dim):
            faults.append(rf"has size {size} in dimension {d};")
    strides = list(given.strides)
    contiguous = 1
    for d in reversed(range(len(strides))):
        rule = param.strides[d] if param.strides else "contiguous"
        expected = {"any": strides[d], "contiguous": contiguous}.get(rule, rule)
        if given.shape[d] > 1 and not given.empty and strides[d] != expected:
            faults.append(rf"has stride {strides[d]} in dimension {d}; expected {expected}")
        strides[d] = expected
        contiguous = expected * given.shape[d]
    if "w" in param.access and not given.writable:
        faults.append("is read-only")
    past = given.address % param.align
    if past and not given.empty:
        faults.append(rf"starts {past} bytes past a multiple of {param.align};")
    return strides, faults


def _check_overlaps(params: list, given: list[Given | int], verdict: Verdict) -> None:
    tensors = [(p, g) for p, g in zip(params, given) if isinstance(p, Tensor)]
    for param, argument in tensors:
        if "w" not in param.access:
            continue
        message = f"argument '{param.name}' has elements that share memory"
        starts = argument.starts()
        if len(argument.bytes()) < len(starts) * argument.item:
            verdict.faults.append(message)
        elif not argument.nested():
            verdict.maybe.append(message)
        for other, reads in tensors:
            if other is param:
                continue
            message = f"argument '{param.name}' shares memory with argument '{other.name}'"
            mine, theirs = argument.bytes(), reads.bytes()
            if mine & theirs:
                verdict.faults.append(message)
            elif mine and theirs and min(mine) <= max(theirs) and min(theirs) <= max(mine):
                verdict.maybe.append(message)
