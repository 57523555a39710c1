"""A mixture-of-experts layer, made of library kernels: DeepSeek-V2-Lite's routed experts.

    weights, ids = gate(logits)                softmax, top-6 of 64
    rows         = permute(x, ids)             the rows of an expert stand together
    hidden       = swiglu(rows @ W13[e]^T)     one grouped GEMM for gate and up projection
    y            = hidden @ W2[e]^T
    out[t]       = sum_k weights[t, k] * y[position of (t, k)]

Run it with `python examples/moe_layer.py [tokens]`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tilewright.kernels.grouped_gemm import grouped_gemm
from tilewright.kernels.moe_combine import moe_combine
from tilewright.kernels.moe_gate import moe_gate
from tilewright.kernels.moe_gate import reference as gate_reference
from tilewright.kernels.moe_gate_cases import Problem, random_inputs
from tilewright.kernels.moe_permute import moe_permute
from tilewright.kernels.swiglu import swiglu
from tilewright.testing import (
    U32,
    Case,
    Expected,
    Spec,
    Tensors,
    dot_error,
    gamma,
    numpy_dtype,
    output_rounding,
)
from tilewright.testing.peers import numpy_peer, torch_peer

HIDDEN, INNER, EXPERTS, TOP_K = 2048, 1408, 64, 6

SILU_SLOPE = 1.1  # |silu'| is at most 1.0998
BOUND = "errors of the five steps, each by its own bound, carried through the next"


def moe_layer(
    x: Any, logits: Any, w13: Any, w2: Any, *, out: Any = None, target: str = "cpu"
) -> Any:
    """The routed experts' share of the layer for `x` [tokens, hidden]; returns `out`.

    `logits` is [tokens, experts] f32, `w13` [experts, 2 inner, hidden] (gate, then up),
    `w2` [experts, hidden, inner], all but the logits of x's dtype.
    """
    weights, ids = moe_gate(logits, TOP_K, target=target)
    _, offsets, positions, _, rows = moe_permute(ids, x, len(w13), target=target)
    hidden = swiglu(grouped_gemm(rows, w13, offsets, target=target), target=target)
    y = grouped_gemm(hidden, w2, offsets, target=target)
    return moe_combine(y, weights, positions, out=out, target=target)


def make_inputs(tokens: int, rng: np.random.Generator) -> Tensors:
    """Random activations, and uniform weights that keep them near 1, in bf16."""

    def weight(*shape: int) -> np.ndarray:
        scale = np.float32((3 / shape[-1]) ** 0.5)
        made = np.empty(shape, numpy_dtype("bf16"))
        for expert in made:  # one by one: all of them in f32 would be two gigabytes
            expert[...] = (rng.random(shape[1:], np.float32) * 2 - 1) * scale
        return made

    gate = Problem("v2lite", tokens, EXPERTS, TOP_K)
    return {
        "x": rng.standard_normal((tokens, HIDDEN), np.float32).astype(numpy_dtype("bf16")),
        **random_inputs(gate, rng),
        "w13": weight(EXPERTS, 2 * INNER, HIDDEN),
        "w2": weight(EXPERTS, HIDDEN, INNER),
    }


def expect(inputs: Tensors) -> dict[str, Expected]:
    """The layer in float64, expert by expert, with a bound for each element."""
    x = inputs["x"].astype(np.float64)
    weights, ids = gate_reference(inputs["logits"], TOP_K)
    weight_error = (16 + 2 * EXPERTS) * U32 * weights
    value, error, size = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    for e in range(EXPERTS):
        tokens, slots = np.nonzero(ids == e)
        y, y_error = _expert(x[tokens], inputs["w13"][e], inputs["w2"][e])
        w, w_error = weights[tokens, slots, None], weight_error[tokens, slots, None]
        value[tokens] += w * y
        error[tokens] += w * y_error + w_error * (np.abs(y) + y_error)
        size[tokens] += w * np.abs(y)
    error += gamma(TOP_K + 2) * (size + error)
    return {"out": Expected(value, output_rounding(value, error, "bf16"))}


def _expert(rows: np.ndarray, w13: np.ndarray, w2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One expert's output [rows, hidden] in float64, and how far a right result may be."""
    w13, w2 = w13.astype(np.float64).T, w2.astype(np.float64).T
    h = rows @ w13
    h_error = output_rounding(h, dot_error(np.abs(rows), np.abs(w13)), "bf16")

    (gate, up), (gate_error, up_error) = np.split(h, 2, 1), np.split(h_error, 2, 1)
    silu = gate / (1 + np.exp(-gate))
    act = silu * up
    act_error = SILU_SLOPE * gate_error * (np.abs(up) + up_error) + np.abs(silu) * up_error
    computed = (4 * (np.abs(gate) + gate_error) + 12) * U32 * (np.abs(act) + act_error)
    act_error = output_rounding(act, act_error + computed, "bf16")

    y = act @ w2
    y_error = act_error @ np.abs(w2) + dot_error(np.abs(act) + act_error, np.abs(w2))
    return y, output_rounding(y, y_error, "bf16")


def numpy_layer(
    x: np.ndarray, logits: np.ndarray, w13: np.ndarray, w2: np.ndarray
) -> Callable[[], np.ndarray]:
    """NumPy, expert by expert, on f32 copies of everything."""

    def run() -> np.ndarray:
        scores = np.exp(logits - logits.max(1, keepdims=True))
        scores /= scores.sum(1, keepdims=True)
        ids = np.argpartition(-scores, TOP_K, axis=1)[:, :TOP_K]
        out = np.zeros_like(x)
        for e in range(EXPERTS):
            tokens = np.nonzero(ids == e)[0]
            gate, up = np.split(x[tokens] @ w13[e].T, 2, 1)
            y = (gate / (1 + np.exp(-gate)) * up) @ w2[e].T
            out[tokens] += scores[tokens, e, None] * y
        return out

    return run


def torch_layer(x: Any, logits: Any, w13: Any, w2: Any) -> Callable[[], Any]:
    """PyTorch, expert by expert, in the dtype of its inputs."""
    import torch

    def run() -> Any:
        weights, ids = torch.topk(torch.softmax(logits.float(), -1), TOP_K)
        out = torch.zeros(x.shape, dtype=torch.float32)
        for e in range(EXPERTS):
            tokens, slots = torch.where(ids == e)
            gate, up = (x[tokens] @ w13[e].T).chunk(2, -1)
            y = (torch.nn.functional.silu(gate) * up) @ w2[e].T
            out.index_add_(0, tokens, y.float() * weights[tokens, slots, None])
        return out.to(x.dtype)

    return run


def case(tokens: int) -> Case:
    """The layer as a case: checked like a library kernel, and timed beside its peers."""
    macs = tokens * TOP_K * 3 * HIDDEN * INNER
    used = min(EXPERTS, tokens * TOP_K)
    return Case(
        kernel="moe_layer",
        name=f"v2lite_t{tokens}",
        dtype="bf16",
        make_inputs=lambda rng: make_inputs(tokens, rng),
        outputs=lambda inputs: {"out": Spec((tokens, HIDDEN), numpy_dtype("bf16"))},
        expect=expect,
        run=lambda target, inputs, outputs: moe_layer(
            **inputs, out=outputs["out"], target=target
        ),
        bound=BOUND,
        flops=2 * macs,
        bytes=2 * (2 * tokens * HIDDEN + used * 3 * HIDDEN * INNER) + 4 * tokens * EXPERTS,
        macs=macs,
        peers=(
            numpy_peer("expert by expert in f32", numpy_layer, "f32"),
            torch_peer("expert by expert", torch_layer),
            torch_peer("expert by expert in f32", torch_layer, "f32"),
        ),
    )


def main() -> None:
    """Run the layer once and compare it with the reference."""
    tokens = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    inputs = make_inputs(tokens, np.random.default_rng(0))
    moe_layer(**inputs)  # compiles
    start = time.perf_counter()
    out = moe_layer(**inputs)
    seconds = time.perf_counter() - start
    expected = expect(inputs)["out"]
    worst = (np.abs(out.astype(np.float64) - expected.value) / expected.bound).max()
    print(f"{tokens} tokens in {1e3 * seconds:.1f} ms, worst error {worst:.3f} of its bound")
    assert worst <= 1.0


if __name__ == "__main__":
    main()
