# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases of attention: odd, ragged, masked and hostile ones, and real sizes with peers."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tilewright.kernels.attention import attend_all, attention, visible_keys
from tilewright.testing import (
    ATTENTION_BOUND,
    Case,
    Expected,
    Layout,
    Peer,
    Spec,
    Tensors,
    numpy_dtype,
    odd_integers,
    selecting_operands,
)
from tilewright.testing.peers import numpy_peer, torch_peer


def _peers(causal: bool, dtype: str) -> tuple[Peer, ...]:
    """PyTorch's fused attention, and matmul, softmax, matmul."""

    def numpy_by_parts(
        q: np.ndarray, k: np.ndarray, v: np.ndarray, *_: Any
    ) -> Callable[[], Any]:
        group = q.shape[1] // k.shape[1]
        scale = np.float32(q.shape[3] ** -0.5)
        hidden = np.triu(np.full((q.shape[2], k.shape[2]), -np.inf, np.float32), 1)

        def head(b: int, h: int) -> np.ndarray:
            scores = q[b, h] @ k[b, h // group].T
            scores *= scale
            if causal:
                scores += hidden
            scores -= scores.max(-1, keepdims=True)
            np.exp(scores, out=scores)
            out = scores @ v[b, h // group]
            return np.divide(out, scores.sum(-1, keepdims=True), out=out)

        return lambda: [head(b, h) for b in range(q.shape[0]) for h in range(q.shape[1])]

    def torch_sdpa(q: Any, k: Any, v: Any, *_: Any) -> Callable[[], Any]:
        import torch

        fused = functools.partial(
            torch.nn.functional.scaled_dot_product_attention, q, k, v, is_causal=causal
        )
        return functools.partial(fused, enable_gqa=True) if q.shape[1] != k.shape[1] else fused

    def torch_by_parts(q: Any, k: Any, v: Any, *_: Any) -> Callable[[], Any]:
        import torch

        group = q.shape[1] // k.shape[1]
        k, v = (x.repeat_interleave(group, 1) for x in (k, v))
        hidden = torch.full((q.shape[2], k.shape[2]), -math.inf, dtype=q.dtype).triu(1)

        def run() -> Any:
            scores = q @ k.mT * q.shape[3] ** -0.5
            if causal:
                scores += hidden
            return torch.softmax(scores, -1) @ v

        return run

    peers = (
        numpy_peer("matmul, exp, matmul in f32", numpy_by_parts, "f32"),
        torch_peer("scaled_dot_product_attention", torch_sdpa),
        torch_peer("matmul, softmax, matmul", torch_by_parts),
    )
    if dtype == "f32":
        return peers
    return (*peers, torch_peer("scaled_dot_product_attention in f32", torch_sdpa, "f32"))


def make_case(
    name: str,
    s_q: int,
    s_kv: int,
    d: int,
    dtype: str = "f32",
    *,
    batch: int = 1,
    heads: int = 1,
    kv_heads: int = 0,
    d_v: int = 0,
    causal: bool = False,
    scale: float | None = None,
    q_lengths: tuple[int, ...] | None = None,
    kv_lengths: tuple[int, ...] | None = None,
    spread: float = 1.0,
    spoil: Callable[[Tensors], None] | None = None,
    by_tokens: bool = False,
    layouts: dict[str, Layout] | None = None,
    peers: bool = False,
) -> Case:
    """Normal values times `spread`; what lies past a length is NaN.

    `kv_heads` is `heads` where it is 0, and `d_v` is `d`. `spoil` puts hostile values into
    random inputs. With `by_tokens`, tensors are [batch, s, heads, d], seen transposed.
    """
    kv_heads, d_v = kv_heads or heads, d_v or d
    made = numpy_dtype(dtype)
    lengths = {
        "q_lengths": np.array(q_lengths or (s_q,) * batch, np.int32),
        "kv_lengths": np.array(kv_lengths or (s_kv,) * batch, np.int32),
    }
    options = {"causal": causal, "scale": scale}
    seen = np.array(
        [visible_keys(s_q, *pair, causal) for pair in zip(*lengths.values(), strict=True)]
    ).reshape(batch, s_q)

    def turned(tensors: Tensors) -> Tensors:
        """Between the kernel's order of dimensions and the case's."""
        turn = by_tokens
        return {n: a.swapaxes(1, 2) if turn and a.ndim == 4 else a for n, a in tensors.items()}

    def poisoned(inputs: Tensors) -> Tensors:
        for b in range(batch):
            inputs["q"][b, :, lengths["q_lengths"][b] :] = np.nan
            for x in "kv":
                inputs[x][b, :, lengths["kv_lengths"][b] :] = np.nan
        inputs = {name: np.ascontiguousarray(a) for name, a in turned(inputs).items()}
        return {**inputs, **lengths}

    def make_inputs(rng: np.random.Generator) -> Tensors:
        shapes = {"q": (heads, s_q, d), "k": (kv_heads, s_kv, d), "v": (kv_heads, s_kv, d_v)}
        inputs = {
            x: (spread * rng.standard_normal((batch, *shape), np.float32)).astype(made)
            for x, shape in shapes.items()
        }
        if spoil:
            spoil(inputs)
        return poisoned(inputs)

    def integers(rng: np.random.Generator) -> Tensors:
        q = np.empty((batch, heads, s_q, d), made)
        k = np.empty((batch, kv_heads, s_kv, d), made)
        for b in range(batch):
            targets = rng.integers(0, np.maximum(seen[b], 1), (heads, s_q))
            last = int(lengths["q_lengths"][b]) - 1
            if last >= 0:
                targets[:, last] = max(int(seen[b, last]) - 1, 0)
            factor = d**-0.5 if scale is None else scale
            q[b], k[b] = selecting_operands(rng, targets, s_kv, factor, d, dtype)
        v = odd_integers(rng, (batch, kv_heads, s_kv, d_v), dtype)
        return poisoned({"q": q, "k": k, "v": v})

    def drop_term(inputs: Tensors) -> Tensors:
        v = inputs["v"].copy()
        for b, length in enumerate(inputs["kv_lengths"]):
            # The key that the last query sees last.
            turned({"v": v})["v"][b, :, max(length - 1, 0)] = 0
        return {**inputs, "v": v}

    def expect(inputs: Tensors) -> dict[str, Expected]:
        found = attend_all(**turned(inputs), **options, dtype=dtype)

        def joined(output: str, field: str, shape: tuple[int, ...]) -> np.ndarray:
            parts = [[getattr(getattr(h, output), field) for h in heads] for heads in found]
            return np.array(parts).reshape(shape)

        shape = (batch, heads, s_q)
        out = {part: joined("out", part, (*shape, d_v)) for part in ("value", "bound")}
        return {
            "out": Expected(**turned(out)),
            "lse": Expected(
                joined("lse", "value", shape),
                joined("lse", "bound", shape),
                exact_on_integers=False,
            ),
        }

    pairs = heads * int(seen.sum())
    rows = heads * int((seen > 0).sum())
    keys = kv_heads * int(lengths["kv_lengths"].sum())
    return Case(
        kernel="attention",
        name=name,
        dtype=dtype,
        make_inputs=make_inputs,
        outputs=lambda inputs: {
            "out": Spec(
                (batch, s_q, heads, d_v) if by_tokens else (batch, heads, s_q, d_v), made
            ),
            "lse": Spec((batch, heads, s_q), np.dtype(np.float32)),
        },
        expect=expect,
        run=lambda target, inputs, outputs: attention(
            **turned(inputs), **turned(outputs), **options, target=target
        ),
        bound=ATTENTION_BOUND,
        flops=2 * (d + d_v) * pairs,
        bytes=(rows + keys) * (d + d_v) * made.itemsize + 4 * rows,
        macs=(d + d_v) * pairs,
        # With a single key every row is the same, and nothing can be swapped.
        integers=(integers,) if pairs and s_kv > 1 and not spoil else (),
        drop_term=drop_term,
        layouts=layouts or {},
        peers=_peers(causal, dtype) if peers else (),
    )


def _not_a_number(inputs: Tensors) -> None:
    """A NaN among the keys and one among the values: only rows that see them show them."""
    inputs["k"][0, 0, 40, 3] = np.nan
    inputs["v"][0, 1, 30, 2] = np.nan


#: Rows that no vector's boundary divides.
SKEWED = {"q": Layout(1, 3), "k": Layout(2, 5), "v": Layout(3, 1), "out": Layout(1, 7)}


def verify_cases() -> list[Case]:
    """Small, odd and hostile attention."""
    dtypes = ("f32", "bf16", "f16")
    ragged = {
        "batch": 4,
        "heads": 2,
        "q_lengths": (50, 1, 23, 0),
        "kv_lengths": (70, 33, 0, 12),
    }
    return [
        *(make_case("odd", 37, 53, 64, d, batch=2, heads=3) for d in dtypes),
        *(make_case("odd_causal", 150, 150, 64, d, heads=2, causal=True) for d in dtypes),
        *(make_case(f"d{d}", 35, 67, d, causal=True) for d in (24, 48, 96, 100, 136)),
        make_case("gqa", 45, 45, 128, "bf16", batch=2, heads=6, kv_heads=2, causal=True),
        make_case("mqa_longer_keys", 19, 300, 64, "bf16", heads=4, kv_heads=1, causal=True),
        *(make_case("ragged", 50, 70, 64, d, **ragged) for d in ("f32", "bf16")),
        *(make_case("ragged_causal", 50, 70, 64, d, causal=True, **ragged) for d in dtypes),
        *(
            make_case("mla", 40, 75, 192, d, heads=3, d_v=128, causal=True, by_tokens=True)
            for d in ("f32", "bf16")
        ),
        make_case("narrow_keys", 20, 45, 24, "bf16", batch=2, heads=2, d_v=56),
        make_case("row_padding", 21, 50, 40, batch=2, heads=2, kv_heads=1, layouts=SKEWED),
        make_case("few_queries", 5, 90, 64, "bf16", heads=3, causal=True),
        make_case("queries_without_keys", 300, 40, 64, causal=True),
        make_case("one_query", 1, 517, 128, "bf16", heads=2),
        make_case("one_key", 33, 1, 32),
        make_case("large_scores", 40, 200, 64, spread=12.0),
        make_case("own_scale", 40, 90, 64, "bf16", scale=0.3),
        make_case("nan", 60, 60, 64, heads=2, causal=True, spoil=_not_a_number),
        make_case("no_queries", 0, 40, 64),
        make_case("no_keys", 20, 0, 64),
        make_case("no_batch", 4, 4, 64, batch=0, q_lengths=(), kv_lengths=()),
    ]


def bench_cases() -> list[Case]:
    """The sizes of the benchmark table."""
    return [
        case
        for d in ("f32", "bf16")
        for case in (
            make_case("causal_h8_s2048_d128", 2048, 2048, 128, d, heads=8, causal=True,
                      peers=True),
            make_case("full_h8_s2048_d64", 2048, 2048, 64, d, heads=8, peers=True),
            make_case("gqa_h32_kv8_s1024_d128", 1024, 1024, 128, d, heads=32, kv_heads=8,
                      causal=True, peers=True),
        )
    ]  # fmt: skip
