# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases of `tilewright.kernels.gemm`: what it is verified and measured with."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tilewright.kernels.gemm import Tile, gemm, reference
from tilewright.testing import (
    DOT_BOUND,
    Case,
    Expected,
    Layout,
    Peer,
    Spec,
    Tensors,
    dot_bound,
    exact_operands,
    numpy_dtype,
)
from tilewright.testing.peers import numpy_peer, torch_peer
from tilewright.testing.threads import on_all_cores

# References are made by so many columns at a time, which caches hold better than all.
_REFERENCE_COLUMNS = 512


def _peers(dtype: str, transpose_b: bool) -> tuple[Peer, ...]:
    """NumPy and PyTorch in the operands' dtype, and in f32 where that may be faster."""

    def numpy_matmul(a: np.ndarray, b: np.ndarray) -> Callable[[], Any]:
        b = b.T if transpose_b else b
        c = np.empty((a.shape[0], b.shape[1]), np.float32)
        return lambda: np.matmul(a, b, out=c)

    def torch_matmul(a: Any, b: Any) -> Callable[[], Any]:
        import torch

        b = b.T if transpose_b else b
        c = torch.empty((a.shape[0], b.shape[1]), dtype=a.dtype)
        return lambda: torch.matmul(a, b, out=c)

    def torch_linear(a: Any, b: Any) -> Callable[[], Any]:
        import torch

        weight = b if transpose_b else b.T.contiguous()
        return lambda: torch.nn.functional.linear(a, weight)

    def torch_int_mm(a: Any, b: Any) -> Callable[[], Any]:
        import torch

        return lambda: torch._int_mm(a, b)

    def torch_int_mm_column_major(a: Any, b: Any) -> Callable[[], Any]:
        return torch_int_mm(a, b.T.contiguous().T)

    peers = [numpy_peer("matmul in f32", numpy_matmul, "f32")]
    if dtype == "i8":
        return (
            *peers,
            torch_peer("_int_mm", torch_int_mm),
            torch_peer("_int_mm, b column-major", torch_int_mm_column_major),
        )
    peers += [torch_peer("matmul", torch_matmul), torch_peer("linear", torch_linear)]
    if dtype != "f32":
        peers.append(torch_peer("matmul in f32", torch_matmul, "f32"))
    return tuple(peers)


def make_case(
    name: str,
    m: int,
    n: int,
    k: int,
    dtype: str = "f32",
    *,
    kernel: str = "gemm",
    out: str | None = None,
    transpose_a: bool = False,
    transpose_b: bool = False,
    tile: Tile | None = None,
    split_k: int = 1,
    layouts: dict[str, Layout] | None = None,
    spoil: Callable[[Tensors], None] | None = None,
    peers: bool = False,
    rotate: int = 1,
) -> Case:
    """One product. `spoil` puts hostile values into the random inputs."""
    out = out or ("i32" if dtype == "i8" else dtype)
    shape_a = (k, m) if transpose_a else (m, k)
    shape_b = (n, k) if transpose_b else (k, n)
    flags = {"transpose_a": transpose_a, "transpose_b": transpose_b}

    def integers(rng: np.random.Generator, swapped: bool = False) -> Tensors:
        a, b = exact_operands(rng, shape_a, shape_b, k, dtype, swapped=swapped)
        return {"a": a, "b": b}

    def make_inputs(rng: np.random.Generator) -> Tensors:
        if dtype == "i8":
            return integers(rng)
        made = numpy_dtype(dtype)
        inputs = {
            "a": rng.standard_normal(shape_a, np.float32).astype(made),
            "b": rng.standard_normal(shape_b, np.float32).astype(made),
        }
        if spoil:
            spoil(inputs)
        return inputs

    def drop_term(inputs: Tensors) -> Tensors:
        # The last term in which A and B both have something to say.
        a = np.array(inputs["a"])
        terms = a if transpose_a else a.T
        b_terms = inputs["b"].T if transpose_b else inputs["b"]
        live = np.flatnonzero(terms.any(1) & b_terms.any(1))
        terms[live[-1]] = 0
        return {**inputs, "a": a}

    def expect(inputs: Tensors) -> dict[str, Expected]:
        if dtype == "i8":
            return {"out": Expected(reference(**inputs, **flags))}
        a = inputs["a"].T if transpose_a else inputs["a"]
        b = inputs["b"].T if transpose_b else inputs["b"]
        a64 = a.astype(np.float64)
        c, bound = np.empty((m, n)), np.empty((m, n))

        def columns(first: int) -> None:
            some = slice(first, first + _REFERENCE_COLUMNS)
            c[:, some] = reference(a64, b[:, some])
            b64 = b[:, some].astype(np.float64)
            bound[:, some] = dot_bound(a64, b64, c[:, some], out)

        on_all_cores(columns, range(0, n, _REFERENCE_COLUMNS))
        return {"out": Expected(c, bound)}

    def run(target: str, inputs: Tensors, outputs: Tensors) -> None:
        out = outputs["out"]
        gemm(**inputs, **flags, out=out, tile=tile, split_k=split_k, target=target)

    exact = () if spoil or 0 in (m, n, k) else (integers,)
    if exact and dtype != "i8":
        exact += (functools.partial(integers, swapped=True),)
    itemsize = numpy_dtype(dtype).itemsize
    return Case(
        kernel=kernel,
        name=name,
        dtype=dtype,
        make_inputs=make_inputs,
        outputs=lambda inputs: {"out": Spec((m, n), numpy_dtype(out))},
        expect=expect,
        run=run,
        bound="exact" if dtype == "i8" else DOT_BOUND,
        flops=2 * m * n * k,
        bytes=(m * k + k * n) * itemsize + m * n * numpy_dtype(out).itemsize,
        macs=m * n * k,
        integers=exact,
        drop_term=drop_term,
        layouts=layouts or {},
        peers=_peers(dtype, transpose_b) if peers else (),
        rotate=rotate,
    )


def _not_a_number(inputs: Tensors) -> None:
    """A NaN and infinities in A: only their own rows of C may show them."""
    inputs["a"][3, 5] = np.nan
    inputs["a"][7, 0] = np.inf
    inputs["a"][11, 2], inputs["a"][11, 9] = np.inf, -np.inf


def _extremes(inputs: Tensors) -> None:
    """Denormals, signed zeros, and products that overflow only where they must."""
    a, b = inputs["a"], inputs["b"]
    a[1], a[2], a[4, ::2] = 1e-40, -0.0, 1e20
    b[:, 3], b[:, 4] = 1e-40, 1e19


def verify_cases() -> list[Case]:
    """Small, odd and hostile products."""
    aligned = {name: Layout() for name in ("a", "b", "out")}
    skewed = {name: Layout(skew=1 + i) for i, name in enumerate(aligned)}
    cases = [
        make_case(f"odd_{'t' if ta else 'n'}{'t' if tb else 'n'}", 67, 45, 83, dtype,
              transpose_a=ta, transpose_b=tb)
        for dtype in ("f32", "bf16", "f16", "i8")
        for ta in (False, True)
        for tb in (False, True)
    ]  # fmt: skip
    tiles = ((24, 24, 24), (48, 48, 48), (100, 100, 50))
    cases += [make_case(f"tile_{t[0]}", 2 * t[0] + 5, t[0] + 3, 131, tile=t) for t in tiles]
    cases += [
        make_case("tile_96_136_24", 200, 150, 77, "bf16", tile=(96, 136, 24)),
        make_case("tile_136_96_100", 150, 200, 99, "i8", tile=(136, 96, 100)),
        make_case("smaller_than_a_tile", 3, 2, 5),
        make_case("one_row", 1, 129, 300, "bf16", transpose_b=True),
        *[
            make_case(f"m{m}", m, 77, 530, dtype, kernel="gemm_skinny", transpose_b=True)
            for m, dtype in (
                *((m, "bf16") for m in (1, 2, 3, 4, 9, 16)),
                *((1, "f32"), (2, "f16"), (7, "i8")),
            )
        ],
        make_case("one_column", 129, 1, 300),
        make_case("long_k", 19, 23, 4099, "bf16"),
        make_case("split_k", 19, 70, 1030, "bf16", transpose_b=True, split_k=3),
        make_case("split_k_f32", 35, 64, 300, tile=(32, 64, 32), split_k=4),
        make_case("more_splits_than_steps", 19, 23, 90, "i8", tile=(16, 32, 32), split_k=5),
        make_case("whole_tiles", 256, 256, 128),
        make_case("f32_from_bf16", 65, 70, 90, "bf16", out="f32"),
        make_case("misaligned", 33, 37, 41, layouts=skewed),
        make_case("misaligned_nt", 33, 37, 41, "bf16", transpose_b=True, layouts=skewed),
        make_case("nan_and_infinity", 40, 30, 20, spoil=_not_a_number),
        make_case("nan_and_infinity", 40, 30, 20, "bf16", spoil=_not_a_number),
        make_case("extremes", 40, 30, 20, spoil=_extremes),
        make_case("no_rows", 0, 16, 16),
        make_case("no_columns", 16, 0, 16),
        make_case("no_terms", 5, 7, 0),
    ]
    return cases


def bench_cases() -> list[Case]:
    """Square products, and products with few rows as in decoding."""
    sizes = {
        "f32": (512, 1024, 2048, 4096), "bf16": (1024, 2048), "f16": (1024,), "i8": (1024,)
    }  # fmt: skip
    cases = [make_case(f"n{n}", n, n, n, d, peers=True) for d, ns in sizes.items() for n in ns]
    # 128 MB of weights each: four of them are in no cache, as in a model.
    cases += [
        make_case(f"m{m}", m, 8192, 8192, "bf16", kernel="gemm_skinny", transpose_b=True,
              peers=True, rotate=4)
        for m in (1, 4, 16)
    ]  # fmt: skip
    return cases
