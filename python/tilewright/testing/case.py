# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The case record: one piece of work for a library kernel, the same on every device.

A case says which tensors go in, what must come out, how far from it a result may be,
and what the work costs. It names no device: `verify` runs it on any target string, and
`bench` times it beside its peers.
"""

from __future__ import annotations

import dataclasses
import math
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Tensors = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Spec:
    """Shape and dtype of one output; `dtype` is a NumPy or ml_dtypes dtype."""

    shape: tuple[int, ...]
    dtype: np.dtype


@dataclasses.dataclass(frozen=True, eq=False)
class Expected:
    """What one output must hold.

    `value` has the output's shape, in float64 (or integers for integer outputs).
    `bound` is the largest absolute error allowed for each element, broadcast to that
    shape; where it is 0 the element must equal `value` rounded once to the output's
    dtype. Infinities and NaN must stand exactly where `value`, rounded, has them.
    `untouched`, where given, marks elements the kernel must not write at all.
    `exact_on_integers` is False for an output that no integers make exact, such as a
    logarithm: its bound then holds for them too.
    """

    value: np.ndarray
    bound: np.ndarray | float = 0.0
    untouched: np.ndarray | None = None
    exact_on_integers: bool = True


@dataclasses.dataclass(frozen=True)
class Layout:
    """How a case lays a tensor out in memory; the default is dense and 64-byte aligned.

    `skew` moves the first element by that many elements from a 64-byte boundary;
    `row_padding` adds that many elements after each row (the last dimension).
    """

    skew: int = 0
    row_padding: int = 0


@dataclasses.dataclass(frozen=True)
class Peer:
    """One recipe of one peer library.

    `prepare(inputs)` converts the inputs to the peer's preferred layout and dtype,
    untimed, and gives the function to time. It raises ImportError where the library is
    not installed. Several recipes may share a `name`; the fastest counts.
    """

    name: str
    recipe: str
    prepare: Callable[[Tensors], Callable[[], Any]]


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    """One device-neutral record of work.

    `make_inputs(rng)` draws the input tensors; scalars and flags live in the closures.
    `outputs(inputs)` gives the specification of every output.
    `expect(inputs)` gives an `Expected` for every output, from the naive reference.
    `run(target, inputs, outputs)` calls the library kernel, writing into `outputs`.
    `bound` is the text of the error bound that `expect` computes.
    `flops`, `bytes` and `macs` follow from the definition: each input read once, each
    output written once, useful work only; an emulator uses `macs` as the cost.

    `integers`, for gemm-like cases, holds makers of inputs on which every intermediate
    value is exact in the kernel's types, so that the result must be bit-exact.
    `drop_term(inputs)` gives inputs from which one term of the contraction is removed,
    to prove that the check on integers notices.
    `check(inputs, outputs)`, where given, replaces the element-wise comparison (for
    outputs that are right up to order); it returns a sentence for what is wrong, or None.
    `written` are the bytes of `bytes` that are writes, all elements of the outputs where not
    given. `rotate` is how many sets of tensors `bench` cycles through at least; what memory
    limits goes through as many as no cache can hold.
    """

    kernel: str
    name: str
    dtype: str
    make_inputs: Callable[[np.random.Generator], Tensors]
    outputs: Callable[[Tensors], dict[str, Spec]]
    expect: Callable[[Tensors], dict[str, Expected]]
    run: Callable[[str, Tensors, Tensors], None]
    bound: str
    flops: int
    bytes: int
    macs: int
    integers: tuple[Callable[[np.random.Generator], Tensors], ...] = ()
    drop_term: Callable[[Tensors], Tensors] | None = None
    check: Callable[[Tensors, Tensors], str | None] | None = None
    layouts: Mapping[str, Layout] = dataclasses.field(default_factory=dict)
    peers: tuple[Peer, ...] = ()
    written: int | None = None
    rotate: int = 1

    @property
    def id(self) -> str:
        """The case's name in reports: kernel, case and dtype."""
        return f"{self.kernel}/{self.name}/{self.dtype}"

    def written_bytes(self, inputs: Tensors) -> int:
        """How many bytes the case writes."""
        if self.written is not None:
            return self.written
        return sum(math.prod(s.shape) * s.dtype.itemsize for s in self.outputs(inputs).values())

    def generator(self, variation: int = 0) -> np.random.Generator:
        """The random generator of this case: the same on every machine and run."""
        return np.random.default_rng([zlib.crc32(self.id.encode()), variation])
