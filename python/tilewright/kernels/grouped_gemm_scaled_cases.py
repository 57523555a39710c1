# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases of the grouped GEMM in DeepGEMM's layouts: plain, fp8 and fp4 operands, odd shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from tilewright.kernels.grouped_gemm_scaled import (
    DEPTH,
    FP4,
    FP4_DEPTH,
    FP8,
    PLAIN,
    RUN,
    dequantised,
    grouped_gemm_contiguous,
    grouped_gemm_masked,
    reference,
)
from tilewright.pairs import pack_pairs
from tilewright.testing import (
    Case,
    Expected,
    Peer,
    Spec,
    Tensors,
    exact_operands,
    gamma,
    numpy_dtype,
    output_rounding,
    smallest_normal,
)
from tilewright.testing.peers import to_torch

BOUND = "gamma_t |a'||b'| + u(c) |c|, t = min(k, 128) + ceil(k / 128) + 3"
CONTIGUOUS, MASKED = "contiguous", "masked"

_DTYPE = {FP8: "f8e4m3fn", FP4: "f4e2m1fn"}


def layout_of(counts: tuple[int, ...]) -> np.ndarray:
    """The group of each row of the contiguous layout: counts, each rounded up to whole runs."""
    parts = [np.full(-(-c // RUN) * RUN, -1, np.int32) for c in counts]
    for g, (part, count) in enumerate(zip(parts, counts, strict=True)):
        part[:count] = g
    return np.concatenate(parts)


def bound_of(
    a: np.ndarray, b: np.ndarray, c: np.ndarray, groups: np.ndarray, dtype: str
) -> Any:
    """The bound of c for a' [rows, k] and b' in float64."""
    k = a.shape[1]
    error = np.zeros_like(c)
    tiny = smallest_normal("f32")
    for g in range(len(b)):
        some = groups == g
        sizes, weights = np.abs(a[some]), np.abs(b[g]).T
        error[some] = gamma(min(k, DEPTH) + -(-k // DEPTH) + 3) * (sizes @ weights)
        error[some] += tiny * (sizes.sum(1)[:, None] + weights.sum(0) + k)
    return output_rounding(c, error, dtype)


def make_case(
    name: str,
    counts: tuple[int, ...],
    n: int,
    k: int,
    *,
    kind: str = FP8,
    layout: str = CONTIGUOUS,
    most: int = 0,
    dtype: str = "bf16",
    scales: str = "f32",
    peers: bool = False,
) -> Case:
    """One product; what belongs to no group is NaN. `dtype` is that of plain operands."""
    masked = layout == MASKED
    groups = len(counts)
    if masked:
        belongs = np.full((groups, most), -1, np.int32)
        for g, count in enumerate(counts):
            belongs[g, :count] = g
        lead: tuple[int, ...] = (groups, most)
        listed = np.array(counts, np.int32)
    else:
        belongs = listed = layout_of(counts)
        lead = (len(listed),)
    rows = belongs.reshape(-1)
    live = belongs >= 0
    a_dtype = numpy_dtype(dtype if kind == PLAIN else "f8e4m3fn")
    out = dtype if kind == PLAIN else "bf16"
    blocks = -(-k // DEPTH)
    a_scales = (*lead, blocks)
    b_scales = (groups, n, k // FP4_DEPTH) if kind == FP4 else (groups, -(-n // DEPTH), blocks)

    def completed(a: np.ndarray, b: np.ndarray, powers: Callable[..., np.ndarray]) -> Tensors:
        """The inputs from operands in float64 or exact types and drawn powers of two."""
        a = a.astype(a_dtype)
        a[~live] = np.nan
        inputs = {"a": a, "listed": listed}
        inputs["b"] = pack_pairs(b) if kind == FP4 else b.astype(a_dtype)
        if kind != PLAIN:
            made = numpy_dtype(scales)
            inputs["a_scale"] = powers(a_scales).astype(made)
            inputs["a_scale"][~live] = np.nan
            inputs["b_scale"] = powers(b_scales).astype(
                numpy_dtype("f8e8m0fnu") if kind == FP4 else made
            )
        return inputs

    def make_inputs(rng: np.random.Generator) -> Tensors:
        a = rng.standard_normal((*lead, k), np.float32)
        b = rng.standard_normal((groups, n, k), np.float32)
        if kind == PLAIN:
            return completed(a, b, np.ones)
        whole = scales != "f32" or kind == FP4

        def powers(shape: tuple[int, ...]) -> np.ndarray:
            drawn = rng.uniform(-6, 2, shape)
            return np.exp2(np.round(drawn) if whole else drawn).astype(np.float32)

        return completed(16 * a, 2 * b if kind == FP4 else 16 * b, powers)

    def integers(rng: np.random.Generator) -> Tensors:
        """Operands and scales with which every sum is a whole number below 2^24."""
        if kind == FP4:
            a = rng.integers(-8, 9, (*lead, k)).astype(np.float32)
            b = rng.choice([-2.0, -1, 0, 1, 2, 3, 4, 6], (groups, n, k)).astype(np.float32)
        else:
            operand = dtype if kind == PLAIN else "f8e4m3fn"
            a, b = exact_operands(rng, (*lead, k), (groups, n, k), 2 * k, operand)
        return completed(a, b, lambda shape: 2.0 ** rng.integers(0, 2, shape))

    def drop_term(inputs: Tensors) -> Tensors:
        a = inputs["a"].copy()
        a[..., k // 2] = 0
        return {**inputs, "a": a}

    def expect(inputs: Tensors) -> dict[str, Expected]:
        operands = (inputs.get(t) for t in ("a", "b", "a_scale", "b_scale"))
        with np.errstate(invalid="ignore"):
            a, b = dequantised(*operands)
        a = a.reshape(-1, k)
        c = reference(a, b, rows)
        bound = bound_of(a, b, c, rows, out)
        untouched = np.broadcast_to(~live[..., None], (*lead, n))
        shape = (*lead, n)
        return {
            "out": Expected(
                c.reshape(shape), bound.reshape(shape), untouched if untouched.any() else None
            )
        }

    mean = max(1, sum(counts) // max(1, sum(1 for c in counts if c)))

    def run(target: str, inputs: Tensors, outputs: Tensors) -> None:
        function = grouped_gemm_masked if masked else grouped_gemm_contiguous
        a, b, listed = (inputs[t] for t in ("a", "b", "listed"))
        scale = {t: inputs[t] for t in ("a_scale", "b_scale") if t in inputs}
        function(a, b, listed, **scale, expected_rows=mean, out=outputs["out"], target=target)

    macs = sum(counts) * n * k
    used = sum(1 for c in counts if c)
    weight_bits = {PLAIN: 8 * a_dtype.itemsize, FP8: 8, FP4: 4}[kind]
    row_written = n * numpy_dtype(out).itemsize  # of rows that no group has, nothing
    row_bytes = k * a_dtype.itemsize + row_written + 4 * blocks
    return Case(
        kernel="grouped_gemm",
        name=name,
        dtype=_DTYPE.get(kind, dtype),
        make_inputs=make_inputs,
        outputs=lambda inputs: {"out": Spec((*lead, n), numpy_dtype(out))},
        expect=expect,
        run=run,
        bound=BOUND,
        flops=2 * macs,
        bytes=sum(counts) * row_bytes + used * n * k * weight_bits // 8,
        macs=macs,
        written=sum(counts) * row_written,
        integers=(integers,) if macs else (),
        drop_term=drop_term if macs else None,
        peers=_peers(counts, masked) if peers else (),
    )


def _peers(counts: tuple[int, ...], masked: bool) -> tuple[Peer, ...]:
    """Loops over the groups with operands dequantised beforehand, to f32 and to bf16."""

    def parts(inputs: Tensors, dtype: Any) -> list[tuple[np.ndarray, np.ndarray]]:
        with np.errstate(invalid="ignore"):
            a, b = dequantised(*(inputs[t] for t in ("a", "b", "a_scale", "b_scale")))
        starts = np.cumsum([0, *(-(-c // RUN) * RUN for c in counts)])
        found = []
        for g, count in enumerate(counts):
            some = a[g, :count] if masked else a[starts[g] : starts[g] + count]
            if count:
                found.append((some.astype(dtype), b[g].astype(dtype)))
        return found

    def numpy_loop(inputs: Tensors) -> Callable[[], Any]:
        pairs = parts(inputs, np.float32)
        return lambda: [some @ weight.T for some, weight in pairs]

    def torch_loop(inputs: Tensors) -> Callable[[], Any]:
        import torch

        pairs = [(to_torch(x), to_torch(w)) for x, w in parts(inputs, ml_dtypes.bfloat16)]
        return lambda: [torch.nn.functional.linear(some, weight) for some, weight in pairs]

    def torch_grouped_mm(inputs: Tensors) -> Callable[[], Any]:
        import torch

        pairs = parts(inputs, ml_dtypes.bfloat16)
        a = to_torch(np.concatenate([some for some, _ in pairs]))
        b = to_torch(np.stack([weight for _, weight in pairs]))
        ends = torch.tensor(np.cumsum([len(some) for some, _ in pairs]), dtype=torch.int32)
        return lambda: torch._grouped_mm(a, b.transpose(1, 2), offs=ends)

    return (
        Peer("numpy", "loop of matmuls, dequantised to f32", numpy_loop),
        Peer("torch", "loop of linear, dequantised to bf16", torch_loop),
        Peer("torch", "_grouped_mm, dequantised to bf16", torch_grouped_mm),
    )


def verify_cases() -> list[Case]:
    """Ragged and empty groups in both layouts, with every kind of operands."""
    ragged, few = (3, 0, 130, 0, 17), (1, 0, 7, 5)
    cases = []
    for kind in (FP8, FP4, PLAIN):
        cases += [
            make_case(f"contiguous_{kind}", ragged, 72, 160, kind=kind),
            make_case(f"masked_{kind}", few, 72, 288, kind=kind, layout=MASKED, most=9),
        ]
    e8m0 = {"scales": "f8e8m0fnu"}
    return [
        *cases,
        make_case("contiguous_plain", ragged, 40, 50, kind=PLAIN, dtype="f32"),
        make_case("masked_plain", few, 40, 50, kind=PLAIN, dtype="f32", layout=MASKED, most=9),
        make_case("contiguous_ue8m0", (5, 19), 136, 200, **e8m0),
        make_case("masked_ue8m0", (2, 0, 1), 136, 200, layout=MASKED, most=5, **e8m0),
        make_case(
            "masked_ue8m0_fp4", (2, 0, 1), 40, 96, kind=FP4, layout=MASKED, most=5, **e8m0
        ),
        make_case("contiguous_odd", (9,), 33, 131),
        make_case("masked_all_empty", (0, 0), 32, 64, layout=MASKED, most=4),
        make_case("no_rows", (0, 0), 32, 64),
    ]


def bench_cases() -> list[Case]:
    """The rows of grouped_gemm's cases, with scaled operands."""
    rng = np.random.default_rng(16)
    uneven = tuple(map(int, rng.multinomial(2048, rng.dirichlet(np.full(16, 8.0)))))
    routed = np.bincount(rng.random((8, 64)).argsort(1)[:, :6].ravel(), minlength=64)
    routed = tuple(map(int, routed))
    decode = {"layout": MASKED, "most": 8, "peers": True}
    return [
        make_case("contiguous_e16_r2048", uneven, 1024, 1024, peers=True),
        make_case("masked_e64_t8", routed, 2816, 2048, **decode),
        make_case("masked_e64_t8", routed, 2816, 2048, kind=FP4, **decode),
    ]
