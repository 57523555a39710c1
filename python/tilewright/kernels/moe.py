# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A whole mixture-of-experts layer, composed of the library's kernels.

The feed-forward layer of DeepSeek-V2 (arXiv 2405.04434, section 2.2) and V3:

    weights, ids = moe_gate(x @ router^T)                   logits in f32
    y[t, k]  = down[e] @ swiglu(gate_up[e] @ x[t])          e = ids[t, k]
    out[t]   = sum_k weights[t, k] y[t, k] + shared(x[t])   shared: one expert for all tokens

    x              [tokens, hidden]              bf16, f16 or f32
    router         [experts, hidden]             all weights of x's dtype
    gate_up        [experts, 2 * inner, hidden]  the gate's half first
    down           [experts, hidden, inner]
    shared_gate_up [2 * shared, hidden], shared_down [hidden, shared]   optional
    out            [tokens, hidden]

Each product and activation is rounded to x's dtype, but for the logits; the sum over k is
in f32, with the shared part added before its one rounding.

Bound: errors of each step as its own module states them, carried through the next ones.
With h, a, y the values after gate_up, swiglu and down, u the dtype's unit roundoff and
d(.) the error of a value:

    d(h)   = gamma_(hidden + 1) |x| |gate_up| + u |h|
    d(a)   = 1.1 d(g) (|u| + d(u)) + |silu(g)| d(u) + |a| (4u32 |g| + 12u32 + u)
    d(y)   = gamma_(inner + 1) |a| |down| + 4 sqrt(d(a)^2 down^2) + u |y|
    d(out) = sum |w| d(y) + d(w) |y| + gamma_(top_k + 2) sum |w| |y| + u |out|,
             and as much for the shared part, with d(w) = moe_gate's bound + 2 d(logits) |w|

The root stands for a sum over `inner`: the d(a) are roundings of different numbers, and 4
times the root of the sum of their squares is 6.9 standard deviations of such a sum. The sum
itself, 37 times as large at 1408, would hide a wrong weight.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tilewright.kernels import moe_gate as gates
from tilewright.kernels import swiglu as activations
from tilewright.kernels.gemm import gemm
from tilewright.kernels.grouped_gemm import grouped_gemm
from tilewright.kernels.moe_combine import moe_combine
from tilewright.kernels.moe_gate import moe_gate
from tilewright.kernels.moe_permute import moe_permute
from tilewright.kernels.swiglu import swiglu
from tilewright.testing.threads import on_all_cores


def reference(
    x: np.ndarray,
    router: np.ndarray,
    gate_up: np.ndarray,
    down: np.ndarray,
    shared_gate_up: np.ndarray | None = None,
    shared_down: np.ndarray | None = None,
    *,
    top_k: int,
    **gate: Any,
) -> np.ndarray:
    """`out` of the definition in float64, one expert at a time."""
    x = x.astype(np.float64)
    weights, ids = gates.reference(x @ router.astype(np.float64).T, top_k, **gate)
    out = np.zeros_like(x)
    places = {e: np.nonzero(ids == e) for e in np.unique(ids)}

    def rows(e: int) -> np.ndarray:
        return expert(x[places[e][0]], gate_up[e], down[e])

    for (token, slot), y in zip(places.values(), on_all_cores(rows, places), strict=True):
        np.add.at(out, token, weights[token, slot][:, None] * y)
    return out if shared_gate_up is None else out + expert(x, shared_gate_up, shared_down)


def expert(x: np.ndarray, gate_up: np.ndarray, down: np.ndarray) -> np.ndarray:
    """One expert's rows in float64."""
    h = x @ gate_up.astype(np.float64).T
    return activations.reference(h) @ down.astype(np.float64).T


def moe(
    x: Any,
    router: Any,
    gate_up: Any,
    down: Any,
    shared_gate_up: Any = None,
    shared_down: Any = None,
    *,
    top_k: int,
    out: Any = None,
    target: str = "cpu",
    **gate: Any,
) -> Any:
    """The layer on `x` [tokens, hidden]: `out` [tokens, hidden], made where not given.

    Shapes and dtypes are those of the module's docstring; `gate` holds options of moe_gate
    (score, bias, groups, ...). Raises ValueError where shapes or dtypes do not fit together.
    """
    logits = gemm(x, router, transpose_b=True, out_dtype="f32", target=target)
    weights, ids = moe_gate(logits, top_k, **gate, target=target)
    permuted = moe_permute(ids, x, len(gate_up), target=target)
    h = grouped_gemm(permuted.rows, gate_up, permuted.offsets, target=target)
    y = grouped_gemm(swiglu(h, target=target), down, permuted.offsets, target=target)
    shared = None
    if shared_gate_up is not None:
        h = gemm(x, shared_gate_up, transpose_b=True, target=target)
        shared = gemm(swiglu(h, target=target), shared_down, transpose_b=True, target=target)
    return moe_combine(y, weights, permuted.positions, shared, out=out, target=target)
