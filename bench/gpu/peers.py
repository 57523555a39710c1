"""PyTorch (with cuBLAS and FlashAttention) and Triton on the inputs of a case, on the GPU.

A recipe is a function to be timed; of several of one library the fastest counts.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tilewright.kernels.rmsnorm import EPS
from tilewright.testing.case import Case

Recipes = dict[tuple[str, str], Callable[[], Any]]


def recipes(library: str, case: Case, inputs: dict[str, Any]) -> Recipes:
    """What a library has for a case, for inputs that are tensors on the GPU.

    Raises ImportError where the library is not installed.
    """
    make = LIBRARIES[library].get(case.kernel)
    if make:
        return make(case, inputs)
    # Recipes of the CPU's benchmark, where the case has them: PyTorch's run on any device.
    own = [peer for peer in case.peers if peer.name == library]
    return {(library, peer.recipe): peer.prepare(inputs) for peer in own}


# ---- PyTorch -------------------------------------------------------------------------------


def _torch_product(case: Case, inputs: dict[str, Any]) -> Recipes:
    import torch

    a, b = inputs["a"], inputs["b"]
    b = b.T if case.name.endswith("nt") else b
    out = torch.empty((a.shape[0], b.shape[1]), dtype=a.dtype, device=a.device)
    return {("torch", "matmul (cuBLAS)"): functools.partial(torch.matmul, a, b, out=out)}


def _torch_attention(case: Case, inputs: dict[str, Any]) -> Recipes:
    from torch.nn.functional import scaled_dot_product_attention as attend

    q, k, v = (inputs[name] for name in "qkv")
    causal = case.name.endswith("causal")
    return {("torch", "SDPA"): functools.partial(attend, q, k, v, is_causal=causal)}


def _torch_softmax(case: Case, inputs: dict[str, Any]) -> Recipes:
    import torch

    return {("torch", "softmax"): functools.partial(torch.softmax, inputs["x"], -1)}


def _torch_rmsnorm(case: Case, inputs: dict[str, Any]) -> Recipes:
    from torch.nn.functional import rms_norm

    x, weight = inputs["x"], inputs["weight"]
    call = functools.partial(rms_norm, x, (x.shape[1],), weight, EPS)
    return {("torch", "rms_norm"): call}


def _torch_decoding(case: Case, inputs: dict[str, Any]) -> Recipes:
    """Recipes for full caches of one length, which are made contiguous beforehand."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention as attend

    q, cache, table = inputs["q"][:, 0], inputs["cache"], inputs["table"].long()
    length, page = int(inputs["lengths"][0]), cache.shape[1]
    k = cache[table[:, : length // page]].reshape(len(q), length, cache.shape[2])
    v, scale = k[..., :512].contiguous(), q.shape[-1] ** -0.5

    def by_parts() -> Any:
        scores = torch.bmm(q, k.mT).float() * scale
        return torch.bmm(torch.softmax(scores, -1).to(q.dtype), v)

    # The heads of a request are the queries of one head.
    sdpa = functools.partial(attend, q[:, None], k[:, None], v[:, None])
    return {("torch", "bmm, softmax, bmm"): by_parts, ("torch", "SDPA"): sdpa}


def _torch_sparse(case: Case, inputs: dict[str, Any]) -> Recipes:
    """All entries count in the lists of a workload."""
    import torch

    q, kv, indices = inputs["q"], inputs["kv"], inputs["indices"].long()
    scale = q.shape[-1] ** -0.5

    def by_parts() -> Any:
        rows = kv[indices]
        scores = torch.bmm(q, rows.mT).float() * scale
        return torch.bmm(torch.softmax(scores, -1).to(q.dtype), rows[..., :512])

    return {("torch", "gather, bmm, softmax, bmm"): by_parts}


def _torch_experts(case: Case, inputs: dict[str, Any]) -> Recipes:
    """Recipes for groups of one size."""
    import torch

    a, b, ends = inputs["a"], inputs["b"].mT, inputs["offsets"][1:]
    batched = a.view(len(b), -1, a.shape[1])
    found: Recipes = {("torch", "bmm (cuBLAS)"): functools.partial(torch.bmm, batched, b)}
    if hasattr(torch, "_grouped_mm"):
        found["torch", "_grouped_mm"] = lambda: torch._grouped_mm(a, b, offs=ends)
    return found


_OF_PYTORCH = {
    "gemm": _torch_product,
    "attention": _torch_attention,
    "softmax": _torch_softmax,
    "rmsnorm": _torch_rmsnorm,
    "mla_decode": _torch_decoding,
    "sparse_mla": _torch_sparse,
    "grouped_gemm": _torch_experts,
}


# ---- Triton --------------------------------------------------------------------------------

# Tile, stages, warps: what tutorials take on GPUs since sm_80.
_PRODUCTS = (
    ((128, 256, 64), 3, 8), ((128, 128, 64), 3, 8), ((128, 128, 64), 4, 4),
    ((128, 128, 32), 4, 4), ((64, 128, 64), 4, 4),
)  # fmt: skip
_ATTENTIONS = (((128, 64), 3, 4), ((128, 64), 3, 8), ((128, 128), 2, 8), ((64, 64), 3, 4))


def _triton_product(case: Case, inputs: dict[str, Any]) -> Recipes:
    import torch
    import triton_kernels

    a, b, transpose_b = inputs["a"], inputs["b"], case.name.endswith("nt")
    m, k = a.shape
    n = b.shape[0] if transpose_b else b.shape[1]
    c = torch.empty((m, n), dtype=a.dtype, device=a.device)
    found: Recipes = {}
    for (bm, bn, bk), stages, warps in _PRODUCTS:
        if m % bm or n % bn or k % bk:
            continue
        call = functools.partial(
            triton_kernels.product[(m // bm * (n // bn),)], a, b, c, m, n, k,
            TRANSPOSE_B=transpose_b, BM=bm, BN=bn, BK=bk, GROUP=8,
            num_stages=stages, num_warps=warps,
        )  # fmt: skip
        found["triton", f"{bm}x{bn}x{bk}, {stages} stages, {warps} warps"] = call
    return found


def _triton_attention(case: Case, inputs: dict[str, Any]) -> Recipes:
    """Without a mask; the kernel is that of bench/static."""
    if case.name.endswith("causal"):
        return {}
    folder = str(Path(__file__).resolve().parents[1] / "static")
    if folder not in sys.path:
        sys.path.append(folder)
    import peer_triton
    import torch

    q, k, v = (inputs[name] for name in "qkv")
    batch, heads, length, d = q.shape
    out = torch.empty_like(q)
    found: Recipes = {}
    for (bm, bn), stages, warps in _ATTENTIONS:
        if length % bm or length % bn:
            continue
        call = functools.partial(
            peer_triton.attend[(length // bm, batch * heads)], q, k, v, out, LENGTH=length,
            D=d, SCALE_LOG2=d**-0.5 * 1.4426950408889634, BM=bm, BN=bn,
            num_stages=stages, num_warps=warps,
        )  # fmt: skip
        found["triton", f"{bm}x{bn}, {stages} stages, {warps} warps"] = call
    return found


def _row_kernel(name: str, case: Case, inputs: dict[str, Any]) -> Recipes:
    import torch
    import triton
    import triton_kernels

    x = inputs["x"]
    rows, n = x.shape
    y, width = torch.empty_like(x), triton.next_power_of_2(n)
    given = (x, y, n) if name == "softmax" else (x, inputs["weight"], y, n, EPS)
    kernel = getattr(triton_kernels, name)[(rows,)]
    return {
        ("triton", f"a row, {warps} warps"): functools.partial(
            kernel, *given, WIDTH=width, num_warps=warps
        )
        for warps in (4, 8, 16)
    }


_OF_TRITON = {
    "gemm": _triton_product,
    "attention": _triton_attention,
    "softmax": functools.partial(_row_kernel, "softmax"),
    "rmsnorm": functools.partial(_row_kernel, "rmsnorm"),
}

LIBRARIES = {"torch": _OF_PYTORCH, "triton": _OF_TRITON}
