# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases of the whole mixture-of-experts layer, and DeepSeek-V2-Lite's with peers."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tilewright.kernels import moe_gate as gates
from tilewright.kernels import moe_gate_cases
from tilewright.kernels import swiglu as activations
from tilewright.kernels.moe import moe, reference
from tilewright.testing import (
    U32,
    Case,
    Expected,
    Peer,
    Spec,
    Tensors,
    gamma,
    numpy_dtype,
    unit_roundoff,
)
from tilewright.testing.peers import torch_peer
from tilewright.testing.threads import on_all_cores


@dataclasses.dataclass(frozen=True)
class Problem:
    """One layer; `shared` is the inner size of the shared experts together, 0 for none."""

    name: str
    tokens: int
    hidden: int
    inner: int
    experts: int
    top_k: int
    shared: int = 0
    dtype: str = "bf16"
    gate: tuple[tuple[str, Any], ...] = ()

    @property
    def options(self) -> dict[str, Any]:
        return {"top_k": self.top_k, **dict(self.gate)}

    @property
    def gate_problem(self) -> moe_gate_cases.Problem:
        return moe_gate_cases.Problem(
            self.name, self.tokens, self.experts, self.top_k, options=self.gate
        )


DRAWN = 1 << 20  # values looked up at a time


def draw(rng: np.random.Generator, shape: tuple[int, ...], size: float, dtype: str) -> Any:
    """Uniform values in [-size, size), of 8 bits each: gigabytes are drawn in a second."""
    levels = (np.arange(-128, 128) * (size / 128)).astype(numpy_dtype(dtype))
    drawn = np.frombuffer(rng.bytes(int(np.prod(shape))), np.uint8)
    values = np.empty(len(drawn), levels.dtype)
    # A part at a time: NumPy makes an index of 8 bytes of each.
    for part in (slice(i, i + DRAWN) for i in range(0, len(drawn), DRAWN)):
        values[part] = levels[drawn[part]]
    return values.reshape(shape)


def make_inputs(problem: Problem, rng: np.random.Generator) -> Tensors:
    """Weights of a trained layer's size; tokens whose choice is not clear are drawn again."""
    p = problem
    # Variance is kept through both products: uniform in [-s, s) has s^2 / 3.
    wide, narrow = (3 / p.hidden) ** 0.5, (3 / p.inner) ** 0.5
    inputs = {
        "x": draw(rng, (p.tokens, p.hidden), 3**0.5, p.dtype),
        "router": draw(rng, (p.experts, p.hidden), wide, p.dtype),
        "gate_up": draw(rng, (p.experts, 2 * p.inner, p.hidden), wide, p.dtype),
        "down": draw(rng, (p.experts, p.hidden, p.inner), narrow, p.dtype),
    }
    if p.shared:
        inputs["shared_gate_up"] = draw(rng, (2 * p.shared, p.hidden), wide, p.dtype)
        narrow = (3 / p.shared) ** 0.5
        inputs["shared_down"] = draw(rng, (p.hidden, p.shared), narrow, p.dtype)
    unclear = np.arange(p.tokens)
    while len(unclear):
        logits = inputs["x"][unclear].astype(np.float64) @ inputs["router"].astype(np.float64).T
        unclear = unclear[~moe_gate_cases.decided(p.gate_problem, logits, None, margin=1e-3)]
        inputs["x"][unclear] = draw(rng, (len(unclear), p.hidden), 3**0.5, p.dtype)
    return inputs


def expect(problem: Problem, inputs: Tensors) -> dict[str, Expected]:
    """`out` with the bound that moe's docstring derives; its products are made in f32."""
    p = problem
    out = reference(**inputs, **p.options)
    x = inputs["x"].astype(np.float64)
    router = inputs["router"].astype(np.float64)
    weights, ids = gates.reference(x @ router.T, **p.options)
    logit_error = gamma(p.hidden + 1) * (np.abs(x) @ np.abs(router.T)).max(1, keepdims=True)
    weight_error = weights * (p.gate_problem.error + 2 * logit_error)
    error = np.zeros_like(out)
    total = np.zeros_like(out)
    places = {e: np.nonzero(ids == e) for e in np.unique(ids)}

    def rows(e: int) -> tuple[np.ndarray, np.ndarray]:
        token, _ = places[e]
        return expert_error(inputs["x"][token], inputs["gate_up"][e], inputs["down"][e], p)

    for (token, slot), (y, dy) in zip(places.values(), on_all_cores(rows, places), strict=True):
        w, dw = (a[token, slot][:, None] for a in (weights, weight_error))
        np.add.at(error, token, w * dy + dw * np.abs(y))
        np.add.at(total, token, w * np.abs(y))
    if p.shared:
        y, dy = expert_error(inputs["x"], inputs["shared_gate_up"], inputs["shared_down"], p)
        error += dy
        total += np.abs(y)
    error += gamma(p.top_k + 2) * total
    bound = error + unit_roundoff(p.dtype) * (np.abs(out) + error)
    return {"out": Expected(out, bound * (1 + gamma(p.hidden)))}


def expert_error(
    x: np.ndarray, gate_up: np.ndarray, down: np.ndarray, problem: Problem
) -> tuple[np.ndarray, np.ndarray]:
    """y of one expert's rows and its error d(y), computed in f32."""
    u = unit_roundoff(problem.dtype)
    x, gate_up, down = (a.astype(np.float32) for a in (x, gate_up, down.T))
    h = x @ gate_up.T
    dh = gamma(x.shape[1] + 1) * (np.abs(x) @ np.abs(gate_up.T)) + u * np.abs(h)
    g, up = np.split(h, 2, axis=1)
    dg, du = np.split(dh, 2, axis=1)
    a = activations.reference(h)
    silu = np.abs(activations.reference(np.concatenate([g, np.ones_like(g)], 1)))
    da = 1.1 * dg * (np.abs(up) + du) + silu * du
    da += np.abs(a) * (U32 * (4 * np.abs(g) + 12) + u)
    a, da = a.astype(np.float32), da.astype(np.float32)
    y = a @ down
    dy = gamma(a.shape[1] + 1) * (np.abs(a) @ np.abs(down)) + u * np.abs(y)
    return y, dy + 4 * np.sqrt(da**2 @ down**2)


def run(problem: Problem, target: str, inputs: Tensors, results: Tensors) -> None:
    moe(**inputs, **results, **problem.options, target=target)


def outputs(problem: Problem, inputs: Tensors) -> dict[str, Spec]:
    return {"out": Spec((problem.tokens, problem.hidden), numpy_dtype(problem.dtype))}


def make_case(problem: Problem, peers: tuple[Peer, ...] = ()) -> Case:
    """The record of one layer; bytes count the experts that tokens reach at most."""
    p = problem
    rows = p.tokens * p.top_k
    one = 3 * p.hidden * p.inner
    macs = rows * one + p.tokens * p.hidden * (3 * p.shared + p.experts)
    reached = min(p.experts, rows)
    weights = reached * one + p.hidden * (3 * p.shared + p.experts)
    return Case(
        kernel="moe",
        name=p.name,
        dtype=p.dtype,
        make_inputs=functools.partial(make_inputs, p),
        outputs=functools.partial(outputs, p),
        expect=functools.partial(expect, p),
        run=functools.partial(run, p),
        bound="d(out) of tilewright.kernels.moe",
        flops=2 * macs,
        bytes=(weights + 2 * p.tokens * p.hidden) * numpy_dtype(p.dtype).itemsize,
        macs=macs,
        peers=peers,
    )


def _peers(top_k: int) -> tuple[Peer, ...]:
    """Ways in which model libraries run the experts in PyTorch on a CPU."""

    def swiglu(h: Any) -> Any:
        import torch

        gate, up = h.chunk(2, dim=-1)
        return torch.nn.functional.silu(gate) * up

    def layer(experts: Callable[..., Any]) -> Callable[..., Callable[[], Any]]:
        def prepare(x: Any, router: Any, gate_up: Any, down: Any, *shared: Any) -> Any:
            import torch

            linear = torch.nn.functional.linear
            router = router.float()

            def call() -> Any:
                scores = linear(x.float(), router).softmax(-1)
                weights, ids = scores.topk(top_k, dim=-1)
                out = experts(x, ids, weights, gate_up, down)
                return out + linear(swiglu(linear(x, shared[0])), shared[1]) if shared else out

            return call

        return prepare

    def loop(x: Any, ids: Any, weights: Any, gate_up: Any, down: Any) -> Any:
        import torch

        linear, out = torch.nn.functional.linear, torch.zeros_like(x)
        for e in ids.unique().tolist():
            token, slot = (ids == e).nonzero(as_tuple=True)
            y = linear(swiglu(linear(x[token], gate_up[e])), down[e])
            out.index_add_(0, token, (y * weights[token, slot, None]).to(x.dtype))
        return out

    def grouped(x: Any, ids: Any, weights: Any, gate_up: Any, down: Any) -> Any:
        import torch

        flat = ids.reshape(-1)
        order = flat.argsort(stable=True)
        counts = torch.bincount(flat, minlength=len(gate_up))
        ends = counts.cumsum(0).to(torch.int32)
        h = torch._grouped_mm(x[order // ids.shape[1]], gate_up.transpose(1, 2), offs=ends)
        y = torch._grouped_mm(swiglu(h), down.transpose(1, 2), offs=ends)
        back = torch.empty_like(y)
        back[order] = y * weights.reshape(-1, 1)[order].to(y.dtype)
        return back.view(*ids.shape, -1).sum(1)

    def sorted_loop(x: Any, ids: Any, weights: Any, gate_up: Any, down: Any) -> Any:
        import torch

        linear, flat = torch.nn.functional.linear, ids.reshape(-1)
        order = flat.argsort(stable=True)
        counts = torch.bincount(flat, minlength=len(gate_up)).tolist()
        rows = x[order // ids.shape[1]].split(counts)
        parts = [
            linear(swiglu(linear(some, gate_up[e])), down[e])
            for e, some in enumerate(rows)
            if len(some)
        ]
        back = torch.empty((len(flat), x.shape[1]), dtype=x.dtype)
        back[order] = torch.cat(parts)
        return torch.bmm(weights.to(x.dtype)[:, None], back.view(*ids.shape, -1))[:, 0]

    return (
        torch_peer("loop over the experts with index_add", layer(loop)),
        torch_peer("sorted rows, loop of linear", layer(sorted_loop)),
        torch_peer("sorted rows, _grouped_mm", layer(grouped)),
        torch_peer("sorted rows, loop of linear, in f32", layer(sorted_loop), "f32"),
    )


def verify_cases() -> list[Case]:
    """Small layers, with experts that no token reaches."""
    v3_gate = (
        ("score", "sigmoid"),
        ("groups", 4),
        ("keep_groups", 2),
        ("renormalize", True),
        ("route_scale", 2.5),
    )
    return [
        make_case(Problem("small", 37, 96, 40, experts=8, top_k=2)),
        make_case(Problem("small", 21, 96, 40, experts=8, top_k=2, dtype="f32")),
        make_case(Problem("few_tokens", 3, 128, 72, experts=64, top_k=6, shared=144)),
        make_case(Problem("v3_gate", 30, 64, 48, experts=16, top_k=3, shared=24, gate=v3_gate)),
    ]


def bench_cases() -> list[Case]:
    """A layer of DeepSeek-V2-Lite: 64 experts of 1408, 2 shared."""
    peers = _peers(6)
    return [
        make_case(
            Problem(f"v2lite_t{tokens}", tokens, 2048, 1408, 64, 6, shared=2 * 1408), peers
        )
        for tokens in (1, 512)
    ]
