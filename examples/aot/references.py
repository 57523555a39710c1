"""What the programs of this example compute, and what must come out: files in a folder.

usage: references.py FOLDER/real
       references.py FOLDER/small

The real sizes are those of DeepSeek-V2-Lite and V3.2, the small ones such as an emulator runs
in seconds. A folder FUNCTION-BUILD holds the arguments of one call by the names of the
function's parameters, `NAME.bin`; of an output the exact result in float64, `NAME.value.bin`,
and how far from it an element may be, `NAME.bound.bin`. Both come from the definitions and
error bounds by which Tilewright's kernels are tested.

A file is eight 64-bit integers (kind of elements as DLPack numbers them, bits of one, rank, up
to five sizes), then the elements, all in the order of bytes of this machine. What a kernel must
not use holds NaN, or numbers of no row.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tilewright.kernels import (
    grouped_gemm,
    indexer_cases,
    mla_decode_cases,
    moe_combine,
    moe_gate_cases,
    sparse_mla_cases,
    swiglu,
    topk_cases,
)
from tilewright.kernels.online_softmax import scale_in_log2
from tilewright.testing import Expected, Tensors, gamma, numpy_dtype, output_rounding
from tilewright.testing.dtypes import dtype_name

# DLPack's number and the bits of each kind of elements.
KINDS = {"i32": (0, 32), "f32": (2, 32), "f64": (2, 64), "bf16": (4, 16), "f8e4m3fn": (10, 8)}


class Call(NamedTuple):
    """One call: FUNCTION-BUILD, its inputs by parameter, and what it must write."""

    name: str
    inputs: Tensors
    outputs: dict[str, Expected]


def reshaped(expected: Expected, shape: tuple[int, ...]) -> Expected:
    """`expected` in the shape of the kernel's output."""
    return Expected(
        np.reshape(expected.value, shape),
        np.reshape(np.broadcast_to(expected.bound, expected.value.shape), shape),
    )


def mla_decode(heads: int, lengths: tuple[int, ...]) -> Call:
    problem = mla_decode_cases.Problem("", lengths, heads=heads)
    case = mla_decode_cases.make_case(problem)
    made = case.make_inputs(case.generator())
    expected = case.expect(made)
    rows = (len(lengths), heads)
    return Call(
        f"mla_decode-h{heads}",
        {
            "Q": made["q"].reshape(*rows, problem.d),
            "Cache": made["cache"],
            "Lengths": made["lengths"],
            "Table": made["table"],
            "scale_log2": np.array(scale_in_log2(None, problem.d), np.float32),
        },
        {"Out": reshaped(expected["out"], (*rows, problem.d_v)), "Lse": expected["lse"]},
    )


def sparse_mla(heads: int, s_q: int, s_kv: int, topk: int) -> Call:
    problem = sparse_mla_cases.Problem(
        "", s_q, s_kv, topk, heads, invalid=0.1, lengths=(topk, topk // 2), sinks=(0.0, 3.0)
    )
    case = sparse_mla_cases.make_case(problem)
    made = case.make_inputs(case.generator())
    expected = case.expect(made)
    return Call(
        f"sparse_mla-h{heads}",
        {
            "Q": made["q"],
            "KV": made["kv"],
            "Indices": made["indices"],
            "Length": made["topk_length"],
            "Sink": made["attn_sink"],
            "scale_log2": np.array(scale_in_log2(None, problem.d), np.float32),
        },
        {
            "Out": expected["out"],
            "MaxLogits": expected["max_logits"],
            "Lse": expected["lse"],
        },
    )


def indexer(build: str, lengths: tuple[int, ...]) -> Call:
    dtype = {"f8": "f8e4m3fn"}.get(build, build)
    case = indexer_cases.make_case(indexer_cases.Problem("", 1, lengths=lengths, dtype=dtype))
    made = case.make_inputs(case.generator())
    batch, _, heads, d = made["q"].shape
    return Call(
        f"indexer-{build}",
        {
            "Q": made["q"].reshape(batch, heads, d),
            "Cache": made["cache"],
            # Without scales nothing is read: any array of the type stands in.
            "Scale": made.get("cache_scale", np.zeros((1, 1), np.float32)),
            "Weights": made["weights"],
            "Starts": made["lengths"],
            "Ends": made["lengths"],
            "Table": made["table"],
        },
        {"Logits": case.expect(made)["logits"]},
    )


def topk(rows: int, n: int, k: int) -> Call:
    ranges = ((0, n), (n // 8, n - n // 8))
    case = topk_cases.make_case(topk_cases.Problem("", rows, n, k, ranges=ranges))
    made = case.make_inputs(case.generator())
    names = {"x": "X", "starts": "Starts", "ends": "Ends"}
    return Call(
        "topk-default",
        {names[name]: array for name, array in made.items()},
        {"Indices": case.expect(made)["indices"]},
    )


def moe_gate(build: str, tokens: int) -> Call:
    model = {"v2lite": moe_gate_cases.V2_LITE, "v3": moe_gate_cases.V3}[build]
    case = moe_gate_cases.make_case(dataclasses.replace(model, tokens=tokens))
    made = case.make_inputs(case.generator())
    expected = case.expect(made)
    bias = made.get("bias", np.zeros(model.experts, np.float32))
    return Call(
        f"moe_gate-{build}",
        {"Logits": made["logits"], "Bias": bias},
        {"Weights": expected["weights"], "Ids": expected["ids"]},
    )


def expert_gemm(build: str, counts: tuple[int, ...], n: int, k: int) -> Call:
    case = grouped_gemm.make_case(build, counts, n, k)
    made = case.make_inputs(case.generator())
    made["b"][np.array(counts) == 0] = np.nan
    return Call(
        f"grouped_gemm-{build}",
        {"A": made["a"], "B": made["b"], "Offsets": made["offsets"]},
        {"C": case.expect(made)["out"]},
    )


def activation(build: str, tokens: int, h: int) -> Call:
    rng = np.random.default_rng(h)
    x = (2 * rng.standard_normal((tokens, 2 * h), np.float32)).astype(numpy_dtype("bf16"))
    value = swiglu.reference(x)
    bound = output_rounding(value, swiglu.error(x, value, None, None), "bf16")
    return Call(f"swiglu-{build}", {"X": x}, {"Out": Expected(value, bound)})


def combine(build: str, tokens: int, top_k: int, hidden: int) -> Call:
    rng = np.random.default_rng(hidden)
    bf16 = numpy_dtype("bf16")
    made = {
        "rows": rng.standard_normal((tokens * top_k, hidden), np.float32).astype(bf16),
        "weights": rng.random((tokens, top_k), np.float32),
        "positions": rng.permutation(tokens * top_k).reshape(tokens, top_k).astype(np.int32),
        "addend": rng.standard_normal((tokens, hidden), np.float32).astype(bf16),
    }
    value = moe_combine.reference(**made)
    magnitude = moe_combine.reference(**{name: abs(array) for name, array in made.items()})
    bound = output_rounding(value, gamma(top_k + 2) * magnitude, "bf16")
    return Call(
        f"moe_combine-{build}",
        {name.title(): array for name, array in made.items()},
        {"Out": Expected(value, bound)},
    )


def real_calls() -> Iterator[Call]:
    """Decoding with contexts of thousands of keys, and the tokens of such a batch."""
    yield mla_decode(16, (4096, 2777, 3601, 4095))
    yield mla_decode(128, (4096, 2777))
    yield sparse_mla(16, s_q=8, s_kv=8192, topk=2048)
    yield sparse_mla(128, s_q=2, s_kv=8192, topk=2048)
    yield indexer("f8", (8192, 5001))
    yield indexer("bf16", (8192, 5001))
    yield topk(rows=4, n=32768, k=2048)
    yield moe_gate("v2lite", tokens=512)
    yield moe_gate("v3", tokens=512)
    counts = (9, 0, 31, 24)
    yield expert_gemm("gate_up", counts, n=2816, k=2048)
    yield expert_gemm("down", counts, n=2048, k=1408)
    yield activation("v2lite", tokens=512, h=1408)
    yield activation("v3", tokens=512, h=2048)
    yield combine("v2lite", tokens=128, top_k=6, hidden=2048)
    yield combine("v3", tokens=64, top_k=8, hidden=7168)


def small_calls() -> Iterator[Call]:
    """The same builds with little work: what they leave free is small."""
    yield mla_decode(16, (70, 0))
    yield mla_decode(128, (65,))
    yield sparse_mla(16, s_q=2, s_kv=100, topk=40)
    yield sparse_mla(128, s_q=1, s_kv=100, topk=40)
    yield indexer("f8", (100, 0))
    yield indexer("bf16", (100, 0))
    yield topk(rows=2, n=700, k=40)
    yield moe_gate("v2lite", tokens=5)
    yield moe_gate("v3", tokens=5)
    counts = (0, 2, 0, 0)
    yield expert_gemm("gate_up", counts, n=2816, k=2048)
    yield expert_gemm("down", counts, n=2048, k=1408)
    yield activation("v2lite", tokens=3, h=1408)
    yield activation("v3", tokens=3, h=2048)
    yield combine("v2lite", tokens=3, top_k=6, hidden=2048)
    yield combine("v3", tokens=2, top_k=8, hidden=7168)


def write(path: Path, array: np.ndarray) -> None:
    """Writes a file as the module's docstring has it."""
    sizes = [*array.shape, 0, 0, 0, 0, 0][:5]
    head = np.array([*KINDS[dtype_name(array.dtype)], array.ndim, *sizes], np.int64)
    with path.open("wb") as file:
        file.write(head.tobytes())
        file.write(np.ascontiguousarray(array).tobytes())


def write_call(folder: Path, call: Call) -> None:
    """Writes the files of one call."""
    place = folder / call.name
    place.mkdir(parents=True, exist_ok=True)
    for name, array in call.inputs.items():
        write(place / f"{name}.bin", np.asarray(array))
    for name, expected in call.outputs.items():
        value = np.asarray(expected.value, np.float64)
        write(place / f"{name}.value.bin", value)
        bound = np.broadcast_to(np.asarray(expected.bound, np.float64), value.shape)
        write(place / f"{name}.bound.bin", bound)


def main() -> int:
    """Write one folder; return the exit status."""
    sizes = {"real": real_calls, "small": small_calls}
    folder = Path(sys.argv[1]) if len(sys.argv) == 2 else Path()
    if folder.name not in sizes:
        print(__doc__, file=sys.stderr)
        return 2
    for call in sizes[folder.name]():
        write_call(folder, call)
    return 0


if __name__ == "__main__":
    sys.exit(main())
