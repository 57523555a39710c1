"""Cases of the Triton programs that use matrix units: products and attention.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from typing import Any

import numpy as np
from case import Arrays, Case, Expected, Launch, TensorMap, manifest
from cases_triton import BOTH, launch
from numerics import BF16, E4M3, E5M2, dot, rounding, tf32

HOPPER = ("sm_90a",)


def matrix(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Random numbers of a format; those of int8 are of its whole range."""
    if dtype == np.int8:
        return rng.integers(-128, 128, shape, np.int8)
    return rng.standard_normal(shape).astype(np.float32).astype(dtype)


def product(a: np.ndarray, b: np.ndarray, out: Any) -> Expected:
    """a @ b as a matrix unit may compute it."""
    if a.dtype == np.int8:
        return Expected(a.astype(np.int32) @ b.astype(np.int32))
    expected = dot(a, b, out)
    if a.dtype.itemsize == 1:
        # wgmma keeps 13 bits below the largest of 32 products, and of the sum: two units, as
        # terms of both signs are cut towards zero.
        magnitude = np.abs(a.astype(np.float64)) @ np.abs(b.astype(np.float64))
        return Expected(expected.value, expected.bound + magnitude * 2.0**-11)
    return expected


def _matmul(
    kind: str, dtype: Any, out: Any, sizes: tuple[int, int, int], blocks: int, archs: Any = BOTH
) -> Case:
    m, n, k = sizes
    name = f"triton_matmul_{kind}"

    def inputs(rng: np.random.Generator) -> Arrays:
        made = {"a": matrix(rng, (m, k), dtype), "b": matrix(rng, (k, n), dtype)}
        # The unit drops what tf32 does not have: no product shall depend on how.
        return {key: tf32(v) for key, v in made.items()} if kind == "tf32" else made

    args = ("a", "b", "c", np.int32(m), np.int32(n), np.int32(k))
    return Case(
        name=name,
        program=name,
        archs=archs,
        make_inputs=inputs,
        outputs={"c": ((m, n), out)},
        launches=lambda arch: launch(name, arch, (blocks, 1, 1), *args),
        reference=lambda given: {"c": product(given["a"], given["b"], out)},
        covers=f"mma.sync (sm_80) and wgmma (sm_90a) of {kind}, cp.async in stages",
    )


def attention(q: np.ndarray, k: np.ndarray, v: np.ndarray, causal: bool) -> Expected:
    """Softmax attention of [heads, length, d]; probabilities were rounded to f16."""
    q, k, v = (x.astype(np.float64) for x in (q, k, v))
    scale = q.shape[-1] ** -0.5
    scores = q @ k.swapaxes(1, 2) * scale
    sizes = np.abs(q) @ np.abs(k).swapaxes(1, 2) * scale
    if causal:
        hidden = np.triu(np.ones(scores.shape[-2:], bool), 1)
        scores[:, hidden] = -np.inf
    p = np.exp(scores - scores.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    value = p @ v
    # Scores err by their dot products; the exponentials and sums by a few units more.
    error = sizes.max() * (q.shape[-1] + 8) * 2.0**-23 + 2.0**-17
    bound = (p @ np.abs(v)) * (2.0**-11 + 2 * error)
    return Expected(value, bound + rounding(np.abs(value) + bound, np.float16))


def _attention_inputs(heads: int, length: int, d: int) -> Any:
    return lambda rng: {name: matrix(rng, (heads, length, d), np.float16) for name in "qkv"}


def _attend(d: int, length: int) -> Case:
    name = f"triton_attend_d{d}"
    args = ("q", "k", "v", "out", np.int32(length), np.float32(d**-0.5))
    grid = (-(-length // 64), 2, 1)
    return Case(
        name=name,
        program=name,
        archs=BOTH,
        make_inputs=_attention_inputs(2, length, d),
        outputs={"out": ((2, length, d), np.float16)},
        launches=lambda arch: launch(name, arch, grid, *args),
        reference=lambda given: {"out": attention(*(given[x] for x in "qkv"), causal=True)},
        covers="causal attention; on sm_90a the probabilities enter wgmma from registers",
    )


def descriptor(program: str, index: int, array: str, shape: tuple[int, int]) -> list[Any]:
    """A descriptor argument of a row-major f16 matrix: the tensor map, then its sizes and
    its strides in elements, as Triton's launcher passes them."""
    entry = manifest().get(f"{program}.sm_90a")
    if entry is None:
        return []
    [facts] = entry["kernels"].values()
    made = facts["descriptors"][index]
    rows, columns = shape
    tensor = TensorMap(
        array,
        "f16",
        sizes=(columns, rows),
        strides=(2 * columns,),
        box=tuple(made["box"]),
        swizzle=made["swizzle"],
    )
    return [tensor, np.int32(rows), np.int32(columns), np.int64(columns), np.int64(1)]


def _host_descriptor(arch: str) -> list[Launch]:
    name = "triton_matmul_host_descriptor"
    shapes = {"a": (100, 200), "b": (200, 152), "c": (100, 152)}
    args = [descriptor(name, i, *item) for i, item in enumerate(shapes.items())]
    return launch(name, arch, (2, 2, 1), *sum(args, []), np.int32(200))


def _specialised(arch: str) -> list[Launch]:
    name = "triton_attend_specialised"
    args = [descriptor(name, i, x, (2 * 192, 64)) for i, x in enumerate(("q", "k", "v", "out"))]
    more = (np.int32(192), np.float32(0.125))
    return launch(name, arch, (3, 2, 1), *sum(args, []), *more)


def _device_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "a": matrix(rng, (100, 136), np.float16),
        "b": matrix(rng, (152, 136), np.float16),
        # 128 bytes per descriptor and block.
        "scratch": np.zeros(6 * 384, np.uint8),
    }


CASES = [
    _matmul("f16", np.float16, np.float16, (100, 144, 160), 6),
    _matmul("bf16", BF16, np.float32, (200, 112, 208), 4),
    _matmul("tf32", np.float32, np.float32, (70, 45, 75), 4),
    _matmul("s8", np.int8, np.int32, (100, 96, 208), 4),
    _matmul("e5m2", E5M2, np.float32, (100, 96, 208), 4),
    _matmul("e4m3", E4M3, np.float32, (100, 96, 208), 4, HOPPER),
    _attend(64, 150),
    _attend(128, 100),
    Case(
        name="triton_matmul_host_descriptor",
        program="triton_matmul_host_descriptor",
        archs=HOPPER,
        make_inputs=lambda rng: {
            "a": matrix(rng, (100, 200), np.float16),
            "b": matrix(rng, (200, 152), np.float16),
        },
        outputs={"c": ((100, 152), np.float16)},
        launches=_host_descriptor,
        reference=lambda given: {"c": product(given["a"], given["b"], np.float16)},
        covers="tensor maps as parameters, TMA loads and stores past the edges, mbarriers",
    ),
    Case(
        name="triton_matmul_device_descriptor",
        program="triton_matmul_device_descriptor",
        archs=HOPPER,
        make_inputs=_device_inputs,
        outputs={"c": ((100, 152), np.float16)},
        launches=lambda arch: launch(
            "triton_matmul_device_descriptor",
            arch,
            (2, 3, 1),
            *("a", "b", "c", np.int32(100), np.int32(152), np.int32(136)),
        ),
        reference=lambda given: {"c": product(given["a"], given["b"].T, np.float16)},
        covers="tensormap.replace, tensormap.cp_fenceproxy, fence.proxy.tensormap",
    ),
    Case(
        name="triton_attend_specialised",
        program="triton_attend_specialised",
        archs=HOPPER,
        make_inputs=_attention_inputs(2, 192, 64),
        outputs={"out": ((2, 192, 64), np.float16)},
        launches=_specialised,
        reference=lambda given: {"out": attention(*(given[x] for x in "qkv"), causal=False)},
        covers="specialised warps: setmaxnreg, named barriers, partitions by shared memory",
    ),
]
