# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The kernels of the library by name, and where their cases come from.

A module of cases defines `verify_cases()` and `bench_cases()`, each giving a list of
`tilewright.testing.Case`: the kernel's own module, or `<kernel>_cases` where they are many.
A module may bench under several kernel names (gemm and gemm_skinny).
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence

from tilewright.testing.case import Case

# The modules of cases, in the order in which they are reported.
MODULES = (
    "gemm_cases",
    "gemm_batched",
    "softmax",
    "rmsnorm",
    "rmsnorm_residual",
    "swiglu",
    "act_quant",
    "swiglu_quant",
    "rope",
    "attention_cases",
    "mla_decode_cases",
    "indexer_cases",
    "topk_cases",
    "sparse_mla_cases",
    "dsa_cases",
    "moe_gate_cases",
    "moe_permute",
    "grouped_gemm",
    "grouped_gemm_scaled_cases",
    "moe_combine",
    "moe_cases",
)


def _cases(kind: str, kernels: Sequence[str]) -> list[Case]:
    """The cases of every module, kept to the kernel names asked for (all when empty)."""
    found: list[Case] = []
    for module in MODULES:
        found += getattr(importlib.import_module(f"tilewright.kernels.{module}"), kind)()
    return select(found, kernels)


def select(cases: Iterable[Case], kernels: Sequence[str]) -> list[Case]:
    """The cases whose kernel name, or `kernel/case` prefix of their id, is asked for.

    Raises ValueError for a name that selects nothing, with the names there are.
    """
    cases = list(cases)
    if not kernels:
        return cases
    matches = {
        wanted: [c for c in cases if f"{c.id}/".startswith(f"{wanted}/")] for wanted in kernels
    }
    for wanted, chosen in matches.items():
        if not chosen:
            known = ", ".join(dict.fromkeys(c.kernel for c in cases))
            raise ValueError(f"no case is named {wanted!r}; the kernels are {known}")
    return [c for c in cases if any(c in chosen for chosen in matches.values())]


def one_of_each(cases: Iterable[Case]) -> list[Case]:
    """The first case of each kernel and dtype that does some work."""
    found: dict[tuple[str, str], Case] = {}
    for case in cases:
        if case.bytes:
            found.setdefault((case.kernel, case.dtype), case)
    return list(found.values())


def verify_cases(kernels: Sequence[str] = ()) -> list[Case]:
    """Small, odd and hostile cases: what `tilewright verify` runs."""
    return _cases("verify_cases", kernels)


def bench_cases(kernels: Sequence[str] = ()) -> list[Case]:
    """Real sizes with peers: what `tilewright bench` times."""
    return _cases("bench_cases", kernels)
