"""The problems: the same work, tile, stages and threads for our compiler and for its peers.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
import math
import re

# Extents that are known when a kernel is compiled. The rows of a product and the heads of
# attention are not; of those a run on the emulator has one block's.
N = K = 4096
LENGTH = 4096

TARGETS = ("cuda:sm_80", "hip:gfx942")


@dataclasses.dataclass(frozen=True)
class Problem:
    """What is compiled, by our compiler and by each peer.

    A product is C[m, N] = A[m, K] op(B), with tile (BM, BN, BK) and B [K, N], or [N, K] with
    `transpose_b`. Attention is softmax(d^-0.5 Q K^T) V over [heads, LENGTH, d], without a
    mask, with tile (BM queries, BN keys). All accumulate in f32; results have the operands'
    dtype.
    """

    kind: str
    dtype: str
    tile: tuple[int, ...]
    stages: int
    threads: int
    transpose_b: bool = False
    d: int = 0

    @property
    def name(self) -> str:
        """As in `gemm_nt/bf16/128x128x32/s3/t128`."""
        form = f"d{self.d}" if self.kind == "attend" else "nt" if self.transpose_b else "nn"
        tile = "x".join(str(extent) for extent in self.tile)
        return f"{self.kind}_{form}/{self.dtype}/{tile}/s{self.stages}/t{self.threads}"

    @property
    def scale_log2(self) -> float:
        """What scores are multiplied with for exp2."""
        return self.d**-0.5 * math.log2(math.e)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The arrays by name, operands first, for one block's rows or one head."""
        if self.kind == "attend":
            return dict.fromkeys(("Q", "K", "V", "Out"), (1, LENGTH, self.d))
        rows = self.tile[0]
        return {
            "A": (rows, K), "B": (N, K) if self.transpose_b else (K, N), "C": (rows, N),
        }  # fmt: skip


_NAME = re.compile(
    r"(?P<kind>gemm|attend)_(?P<form>nn|nt|d\d+)/(?P<dtype>bf16|f16)/(?P<tile>\d+(x\d+)+)"
    r"/s(?P<stages>\d+)/t(?P<threads>\d+)"
)


def parse(name: str) -> Problem:
    """The problem of a name, whether or not it is one of PROBLEMS.

    Raises ValueError.
    """
    found = _NAME.fullmatch(name)
    if found:
        kind, form = found["kind"], found["form"]
        tile = tuple(map(int, found["tile"].split("x")))
        if len(tile) == (3 if kind == "gemm" else 2) and form.startswith("d") != (
            kind == "gemm"
        ):
            return Problem(
                kind, found["dtype"], tile, int(found["stages"]), int(found["threads"]),
                form == "nt", int(form[1:]) if kind == "attend" else 0,
            )  # fmt: skip
    raise ValueError(f"{name!r} names no problem; one is {PROBLEMS[0].name}")


def _product(dtype: str, threads: int, transpose_b: bool) -> Problem:
    return Problem("gemm", dtype, (128, 128, 32), 3, threads, transpose_b)


def _attention(d: int, tile: tuple[int, int], threads: int) -> Problem:
    return Problem("attend", "bf16", tile, 2, threads, d=d)


PROBLEMS = (
    _product("bf16", 128, transpose_b=False),
    _product("bf16", 256, transpose_b=False),
    _product("bf16", 128, transpose_b=True),
    _product("bf16", 256, transpose_b=True),
    _product("f16", 128, transpose_b=False),
    _product("f16", 128, transpose_b=True),
    _attention(128, (128, 64), 256),
    _attention(128, (64, 64), 128),
    _attention(64, (128, 64), 128),
    _attention(64, (64, 64), 128),
)


def select(names: list[str]) -> list[Problem]:
    """The problems whose names begin with one of `names`; all where there is none.

    Raises ValueError for a name that selects nothing.
    """
    for name in names:
        if not any(problem.name.startswith(name) for problem in PROBLEMS):
            known = ", ".join(problem.name for problem in PROBLEMS)
            raise ValueError(f"no problem's name begins with {name!r}; there are {known}")
    return [p for p in PROBLEMS if not names or p.name.startswith(tuple(names))]
