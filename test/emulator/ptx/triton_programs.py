"""Triton kernels of the corpus, and how to compile them without a GPU.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import triton
import triton.language as tl
from triton_attention import attend, attend_descriptors
from triton_matmul import matmul, matmul_descriptors, matmul_device_descriptors
from triton_training import (
    attend_backward,
    dot_fp4,
    dot_scaled,
    dropout,
    gather,
    layer_norm_backward,
    matmul_int4,
    matmul_persistent,
    recurrence,
)

SWIZZLES = ("none", "32B", "64B", "128B")


@triton.jit
def add(x, y, out, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = at < n
    tl.store(out + at, tl.load(x + at, mask=mask) + tl.load(y + at, mask=mask), mask=mask)


@triton.jit
def softmax(x, out, columns, stride, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    at = tl.arange(0, BLOCK)
    v = tl.load(x + row * stride + at, mask=at < columns, other=-float("inf"))
    e = tl.exp(v - tl.max(v, 0))
    tl.store(out + row * stride + at, e / tl.sum(e, 0), mask=at < columns)


@triton.jit
def layer_norm(x, weight, bias, out, mean_out, columns, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    total = tl.zeros([BLOCK], tl.float32)
    for start in range(0, columns, BLOCK):
        at = start + tl.arange(0, BLOCK)
        total += tl.load(x + row * columns + at, mask=at < columns, other=0).to(tl.float32)
    mean = tl.sum(total, 0) / columns
    square = tl.zeros([BLOCK], tl.float32)
    for start in range(0, columns, BLOCK):
        at = start + tl.arange(0, BLOCK)
        v = tl.load(x + row * columns + at, mask=at < columns, other=0).to(tl.float32)
        v = tl.where(at < columns, v - mean, 0)
        square += v * v
    scale = 1 / tl.sqrt(tl.sum(square, 0) / columns + eps)
    tl.store(mean_out + row, mean)
    for start in range(0, columns, BLOCK):
        at = start + tl.arange(0, BLOCK)
        mask = at < columns
        v = tl.load(x + row * columns + at, mask=mask, other=0).to(tl.float32)
        v = (v - mean) * scale * tl.load(weight + at, mask=mask) + tl.load(bias + at, mask=mask)
        tl.store(out + row * columns + at, v, mask=mask)


@triton.jit
def histogram(x, bins, block_bins, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    v = tl.load(x + at, mask=at < n, other=0)
    tl.atomic_add(bins + v, 1, mask=at < n)
    counts = tl.histogram(v, 64, mask=at < n)
    tl.store(block_bins + tl.program_id(0) * 64 + tl.arange(0, 64), counts)


@triton.jit
def scans(x, sums, products, n, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    r = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    c = tl.arange(0, COLUMNS)[None, :]
    v = tl.load(x + r * n + c, mask=c < n, other=0.0)
    tl.store(sums + r * n + c, tl.cumsum(v, 1), mask=c < n)
    tl.store(products + r * n + c, tl.cumprod(1 + v * 0.01, 1, reverse=True), mask=c < n)


@triton.jit
def sort(x, out, top, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    r = tl.arange(0, ROWS)[:, None]
    c = tl.arange(0, COLUMNS)[None, :]
    base = tl.program_id(0) * ROWS * COLUMNS
    v = tl.load(x + base + r * COLUMNS + c)
    tl.store(out + base + r * COLUMNS + c, tl.sort(v))
    best = tl.topk(v, 8)
    k = tl.arange(0, 8)[None, :]
    tl.store(top + tl.program_id(0) * ROWS * 8 + r * 8 + k, best)


@triton.jit
def atomics(x, cells, floats, lock, ordered, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = at < n
    v = tl.load(x + at, mask=mask, other=0)
    cell = at % 4
    tl.atomic_add(cells + cell, v, mask=mask)
    tl.atomic_min(cells + 4 + cell, v, mask=mask)
    tl.atomic_max(cells + 8 + cell, v, mask=mask, sem="relaxed")
    tl.atomic_xor(cells + 12 + cell, v, mask=mask, scope="sys")
    tl.atomic_or(cells + 16 + cell, v & 0xFF, mask=mask)
    tl.atomic_and(cells + 20 + cell, v | 0xFF, mask=mask, sem="release")
    tl.atomic_add(floats + cell, v.to(tl.float32) * 0.5, mask=mask)
    tl.atomic_max(floats + 4 + cell, v.to(tl.float32), mask=mask)
    # A lock around an update that is no single atomic.
    while tl.atomic_cas(lock, 0, 1, sem="acquire") == 1:
        pass
    seen = tl.load(ordered, volatile=True)
    tl.store(ordered, seen * 2 % 1000003 + 1)
    tl.debug_barrier()
    tl.atomic_xchg(lock, 0, sem="release")


@triton.jit
def first_greater(a, i, b, j):
    take = (a > b) | ((a == b) & (i < j))
    return tl.where(take, a, b), tl.where(take, i, j)


@triton.jit
def reductions(x, at_max, at_min, pair_value, pair_index, bits, COLUMNS: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, COLUMNS)
    v = tl.load(x + row * COLUMNS + c)
    tl.store(at_max + row, tl.argmax(v, 0))
    tl.store(at_min + row, tl.argmin(v, 0))
    value, index = tl.reduce((v, c), 0, first_greater)
    tl.store(pair_value + row, value)
    tl.store(pair_index + row, index)
    tl.store(bits + row, tl.xor_sum(v.to(tl.int32, bitcast=True), 0))


@triton.jit
def elementwise(x, y, out, ints, N: tl.constexpr):
    at = tl.program_id(0) * N + tl.arange(0, N)
    a, b = tl.load(x + at), tl.load(y + at)
    i = tl.load(ints + at)
    base = out + at * 12
    tl.store(base, tl.exp(a))
    tl.store(base + 1, tl.log(b))
    tl.store(base + 2, tl.sin(a) + tl.cos(a))
    tl.store(base + 3, tl.sqrt_rn(b))
    tl.store(base + 4, tl.div_rn(a, b))
    tl.store(base + 5, tl.rsqrt(b))
    tl.store(base + 6, tl.erf(a))
    tl.store(base + 7, tl.floor(a) + tl.ceil(b))
    tl.store(base + 8, tl.sigmoid(a))
    tl.store(base + 9, (i // 7 + i % 5).to(tl.float32))
    tl.store(base + 10, tl.umulhi(i.to(tl.uint32), 0x9E3779B9).to(tl.float32))
    tl.store(base + 11, tl.rand(7, at))


@dataclass(frozen=True)
class Program:
    """A kernel with its types; `constants` are compile-time arguments."""

    kernel: Any
    signature: dict[str, str]
    constants: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)
    # Integers that are multiples of 16, so that rows can be loaded in vectors.
    divisible: tuple[str, ...] = ()


def _signature(types: str) -> dict[str, str]:
    """`x: *fp32, n: i32` as a dictionary; `;` parts arguments, as types hold commas."""
    return dict(part.strip().split(": ") for part in types.split(";"))


MATMUL = "a: {0}; b: {0}; c: {1}; m: i32; n: i32; k: i32"
ATTEND = "q: {0}; k: {0}; v: {0}; out: {0}; length: i32; scale: fp32"


def _matmul(
    kind: str, out: str, block: tuple[int, int, int], ragged: bool = False, **options: Any
) -> Program:
    constants = dict(zip(("BM", "BN", "BK"), block))
    signature = _signature(MATMUL.format(kind, out))
    return Program(matmul, signature, constants, options, () if ragged else ("n", "k"))


def _attend(d: int, **options: Any) -> Program:
    constants = {"D": d, "BM": 64, "BN": 32, "CAUSAL": True}
    return Program(attend, _signature(ATTEND.format("*fp16")), constants, options)


PROGRAMS = {
    "triton_add": Program(
        add, _signature("x: *fp32; y: *fp32; out: *fp32; n: i32"), {"BLOCK": 256}
    ),
    "triton_softmax": Program(
        softmax, _signature("x: *fp32; out: *fp32; columns: i32; stride: i32"), {"BLOCK": 1024}
    ),
    "triton_layer_norm": Program(
        layer_norm,
        _signature(
            "x: *bf16; weight: *fp32; bias: *fp32; out: *bf16; mean_out: *fp32; columns: i32;"
            "eps: fp32"
        ),
        {"BLOCK": 256},
    ),
    "triton_histogram": Program(
        histogram, _signature("x: *i32; bins: *i32; block_bins: *i32; n: i32"), {"BLOCK": 256}
    ),
    "triton_scan": Program(
        scans,
        _signature("x: *fp32; sums: *fp32; products: *fp32; n: i32"),
        {"ROWS": 4, "COLUMNS": 256},
    ),
    "triton_sort": Program(
        sort, _signature("x: *i32; out: *i32; top: *i32"), {"ROWS": 4, "COLUMNS": 128}
    ),
    "triton_atomics": Program(
        atomics,
        _signature("x: *i32; cells: *i32; floats: *fp32; lock: *i32; ordered: *i32; n: i32"),
        {"BLOCK": 128},
    ),
    "triton_reduce": Program(
        reductions,
        _signature(
            "x: *fp32; at_max: *i32; at_min: *i32; pair_value: *fp32; pair_index: *i32;"
            "bits: *i32"
        ),
        {"COLUMNS": 512},
    ),
    "triton_elementwise": Program(
        elementwise, _signature("x: *fp32; y: *fp32; out: *fp32; ints: *i32"), {"N": 128}
    ),
    "triton_matmul_f16": _matmul("*fp16", "*fp16", (64, 64, 32), num_stages=3, num_warps=4),
    "triton_matmul_bf16": _matmul("*bf16", "*fp32", (128, 64, 64), num_stages=4, num_warps=8),
    "triton_matmul_tf32": _matmul("*fp32", "*fp32", (64, 32, 32), ragged=True, num_warps=4),
    "triton_matmul_s8": _matmul("*i8", "*i32", (64, 64, 64), num_stages=3, num_warps=4),
    "triton_matmul_e5m2": _matmul("*fp8e5", "*fp32", (64, 64, 64), num_stages=3, num_warps=4),
    "triton_matmul_e4m3": _matmul("*fp8e4nv", "*fp32", (64, 64, 64), num_stages=3, num_warps=4),
    "triton_attend_d64": _attend(64, num_stages=2, num_warps=4),
    "triton_attend_d128": _attend(128, num_stages=3, num_warps=4),
    "triton_matmul_host_descriptor": Program(
        matmul_descriptors,
        _signature(
            "a: tensordesc<fp16[64, 64]>; b: tensordesc<fp16[64, 128]>;"
            "c: tensordesc<fp16[64, 128]>; k: i32"
        ),
        {"BM": 64, "BN": 128, "BK": 64},
        {"num_stages": 3, "num_warps": 4},
    ),
    "triton_matmul_device_descriptor": Program(
        matmul_device_descriptors,
        _signature(MATMUL.format("*fp16", "*fp16")),
        {"BM": 64, "BN": 64, "BK": 32},
        {"num_stages": 3, "num_warps": 4},
    ),
    "triton_attend_specialised": Program(
        attend_descriptors,
        _signature(
            "q: tensordesc<fp16[64, 64]>; k: tensordesc<fp16[64, 64]>;"
            "v: tensordesc<fp16[64, 64]>; out: tensordesc<fp16[64, 64]>;"
            "length: i32; scale: fp32"
        ),
        {"D": 64, "BM": 64, "BN": 64},
        {"num_stages": 2, "num_warps": 4},
    ),
    "triton_recurrence": Program(
        recurrence, _signature("a: *fp32; b: *fp32; out: *fp32; back: *fp32"), {"BLOCK": 1024}
    ),
    "triton_gather": Program(
        gather,
        _signature(
            "x: *fp32; rows: *i32; columns: *i32; by_rows: *fp32; by_columns: *fp32; top: *fp32"
        ),
        {},
    ),
    "triton_dropout": Program(
        dropout,
        _signature("x: *fp32; out: *fp32; normal: *fp32; n: i32; p: fp32; seed: i32"),
        {"BLOCK": 256},
    ),
    "triton_layer_norm_backward": Program(
        layer_norm_backward,
        _signature(
            "dx: *fp32; dy: *fp32; dw: *fp32; db: *fp32; x: *fp32; w: *fp32; mean: *fp32;"
            "rstd: *fp32; locks: *i32; columns: i32"
        ),
        {"GROUP": 4, "BLOCK": 128},
    ),
    "triton_attend_backward": Program(
        attend_backward,
        _signature(
            "q: *fp16; k: *fp16; v: *fp16; dout: *fp16; dk: *fp32; dv: *fp32; lse: *fp32;"
            "delta: *fp32; scale: fp32; length: i32"
        ),
        {"BM": 32, "BN": 64, "D": 64},
    ),
    "triton_dot_scaled": Program(
        dot_scaled,
        _signature("a: *fp8e4nv; sa: *u8; b: *fp8e4nv; sb: *u8; c: *fp32"),
        {"M": 128, "N": 64, "K": 128},
    ),
    "triton_dot_fp4": Program(
        dot_fp4,
        _signature("a: *u8; sa: *u8; b: *bf16; c: *fp32"),
        {"M": 128, "N": 64, "K": 128},
    ),
    "triton_matmul_int4": Program(
        matmul_int4,
        _signature("a: *fp16; b: *i32; scales: *fp16; c: *fp32"),
        {"M": 64, "N": 64, "K": 128, "BK": 32},
    ),
    "triton_matmul_persistent": Program(
        matmul_persistent,
        _signature(
            "a: tensordesc<fp16[64, 64]>; b: tensordesc<fp16[64, 64]>;"
            "c: tensordesc<fp16[64, 64]>; m: i32; n: i32; k: i32"
        ),
        {"BLOCKS": 4, "BM": 64, "BN": 64, "BK": 64},
        {"num_stages": 3, "num_warps": 4},
    ),
}


def compile_program(program: str, arch: str) -> tuple[str | bytes, dict[str, Any]]:
    """The PTX or the code object, and the launch facts of its kernel."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    given = PROGRAMS[program]
    # In the order of the kernel's arguments.
    types = {name: given.signature.get(name, "constexpr") for name in given.kernel.arg_names}
    attributes = {
        (i,): [["tt.divisibility", 16]]
        for i, (name, kind) in enumerate(types.items())
        if kind.startswith("*") or name in given.divisible
    }
    source = ASTSource(given.kernel, types, given.constants, attributes)
    options = dict(given.options)
    if arch.startswith("gfx"):
        # LDS is smaller than shared memory, and waves hold more in registers.
        if "num_stages" in options:
            options["num_stages"] = 2
        lanes = 64 if arch.startswith("gfx9") else 32
        target = GPUTarget("hip", arch, lanes)
    else:
        lanes = 32
        target = GPUTarget("cuda", int(arch[3:5]), lanes)
    made = triton.compile(source, target=target, options=options)
    facts = made.metadata
    words = made.asm["hsaco" if arch.startswith("gfx") else "ptx"]
    descriptors = [
        {"swizzle": SWIZZLES[meta["swizzle"]], "box": list(reversed(meta["block_size"]))}
        for meta in getattr(facts, "tensordesc_meta", None) or []
        if meta
    ]
    # A kernel that specialises its warps has more of them than were asked for.
    threads = lanes * facts.num_warps
    if isinstance(words, str):
        for line in words.splitlines():
            if line.strip().startswith(".reqntid"):
                threads = int(line.split()[1].rstrip(","))
    kernel = {
        "block": [threads, 1, 1],
        "cluster": [1, 1, 1],
        "shared": facts.shared,
        "descriptors": descriptors,
        "global_scratch": getattr(facts, "global_scratch_size", 0),
    }
    return words, {facts.name: kernel}
