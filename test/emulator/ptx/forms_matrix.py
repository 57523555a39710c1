"""Checks of wmma and wgmma: every shape, type and layout that the decoder takes, against
NumPy's products of small numbers, which are exact.

Fragments of wmma are opaque, so it is loaded, multiplied and stored. Those of wgmma are laid
out as the manual's figures have it: warp w has rows 16 w to 16 w + 15, lane l rows l / 4 and
l / 4 + 8 of them, and columns in pairs from 2 (l % 4) on.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import ml_dtypes
import numpy as np
from coverage_matrix import BITS, shape_of
from coverage_pattern import Form
from forms_elementwise import accepted, parts_of
from forms_harness import Bench, check

_FLOATS = {
    "f16": np.float16, "bf16": ml_dtypes.bfloat16, "tf32": np.float32, "f32": np.float32,
    "f64": np.float64, "e4m3": ml_dtypes.float8_e4m3fn, "e5m2": ml_dtypes.float8_e5m2,
    "s32": np.int32, "s8": np.int8, "u8": np.uint8,
}  # fmt: skip


def _matrix(rng: np.random.Generator, kind: str, rows: int, columns: int) -> np.ndarray:
    """Small numbers of a type, as float64."""
    if kind == "b1":
        return rng.integers(0, 2, (rows, columns)).astype(np.float64)
    if kind in ("u8", "u4"):
        return rng.integers(0, 16 if kind == "u4" else 256, (rows, columns)).astype(np.float64)
    if kind in ("s8", "s4"):
        half = 8 if kind == "s4" else 128
        return rng.integers(-half, half, (rows, columns)).astype(np.float64)
    if kind == "s32":
        return rng.integers(-1000, 1000, (rows, columns)).astype(np.float64)
    return rng.integers(-4, 5, (rows, columns)) / 4.0


def _pack(matrix: np.ndarray, kind: str) -> np.ndarray:
    """The bytes of a matrix by rows."""
    bits = BITS[kind]
    if bits >= 8:
        return np.ascontiguousarray(matrix.astype(_FLOATS[kind])).view(np.uint8).reshape(-1)
    per = 8 // bits
    whole = (matrix.astype(np.int64) & ((1 << bits) - 1)).reshape(-1, per)
    return sum(whole[:, i] << bits * i for i in range(per)).astype(np.uint8)


def _unpack(data: np.ndarray, kind: str, rows: int, columns: int) -> np.ndarray:
    return data.view(_FLOATS[kind]).reshape(rows, columns).astype(np.float64)


def _by(matrix: np.ndarray, layout: str) -> np.ndarray:
    """As it lies in memory by rows or by columns."""
    return np.ascontiguousarray(matrix if layout == "row" else matrix.T)


# wmma.


class _Product:
    """One wmma.mma, with its loads and its store."""

    def __init__(self, form: Form, number: int) -> None:
        rng = np.random.default_rng(number)
        parts = parts_of(form)
        self.form, self.mnemonic = form, form.mnemonic
        self.m, self.n, self.k = shape_of(["wmma", *parts])
        self.shape = next(one for one in parts if re.match(r"m\d", one))
        self.layouts = [one for one in parts if one in ("row", "col")]
        kinds = [one for one in parts if one in BITS]
        self.d, self.c = kinds[0], kinds[-1]
        self.source = kinds[1] if len(kinds) == 4 else "f16"
        self.space = ("global", "shared", "")[number % 3]
        self.outer = ("row", "col")[number % 2]
        self.inputs = [
            _matrix(rng, self.source, self.m, self.k),
            _matrix(rng, self.source, self.k, self.n),
            _matrix(rng, self.c, self.m, self.n),
        ]

    def expected(self) -> np.ndarray:
        a, b, c = self.inputs
        if self.source == "b1":
            for_and = "and" in parts_of(self.form)
            product = a @ b if for_and else a @ (1 - b) + (1 - a) @ b
        else:
            product = a @ b
        return c + product


@check
def wmma(bench: Bench) -> None:
    """Layouts of A and B are those of the product; that of C and D, and the space, go round."""
    family = list(accepted("wmma", "wmma.mma"))
    moves = list(accepted("wmma", "wmma.load") + accepted("wmma", "wmma.store"))
    done: set[str] = set()
    number = 0
    # Each product as often as its loads and its store have forms that were not seen yet.
    for form in family:
        for _ in range(6):
            product = _Product(form, number)
            number += 1
            new = set(_multiply(bench, product)) - done
            done |= new
            if not new:
                break
    left = {f.mnemonic for f in moves} - {_cta(one) for one in done}
    assert not left, sorted(left)[:20]


def _cta(mnemonic: str) -> str:
    return mnemonic.replace("shared::cta", "shared")


def _multiply(bench: Bench, one: _Product) -> Iterator[str]:
    """Runs a product; gives the mnemonics of its loads and its store."""
    layouts = [*one.layouts, one.outer, one.outer]
    kinds = [one.source, one.source, one.c, one.d]
    sizes = [(one.m, one.k), (one.k, one.n), (one.m, one.n), (one.m, one.n)]
    device = bench.device()
    arrays, offset, places = {}, 0, []
    for name, matrix, layout, kind in zip("abc", one.inputs, layouts, kinds):
        data = _pack(_by(matrix, layout), kind)
        arrays[name] = device.array(data)
        places.append((offset, data.size))
        offset += -(-data.size // 128) * 128
    out = one.m * one.n * BITS[one.d] // 8
    arrays["d"] = device.zeros(out, np.uint8)
    places.append((offset, out))
    text, used = "mov.u32 %r200, memory; mov.u32 %r201, %tid.x; shl.b32 %r202, %r201, 2;\n", []
    registers = _registers(one)
    space = f".{one.space}" if one.space else ""
    for i, name in enumerate("abcd"):
        start, size = places[i]
        text += f"ld.param.u64 %d{60 + i}, [{name}];\n"
        at = f"[%d{60 + i}]"
        if one.space == "shared":
            text += _words(f"ld.global.b32 %r203, [%d{60 + i}", size,
                           f"st.shared.b32 [%r200+{start}") if name != "d" else ""  # fmt: skip
            at = f"[%r200+{start}]"
    text += "bar.warp.sync -1;\n"
    for i, name in enumerate("abcd"):
        start, size = places[i]
        at = f"[%r200+{start}]" if one.space == "shared" else f"[%d{60 + i}]"
        rows, columns = sizes[i]
        stride = columns if layouts[i] == "row" else rows
        what = "store" if name == "d" else "load"
        mnemonic = f"wmma.{what}.{name}.sync.aligned.{layouts[i]}.{one.shape}{space}.{kinds[i]}"
        used.append(mnemonic)
        if name == "d":
            vectors = [registers[x] for x in "dabc"]
            text += f"{one.mnemonic} {', '.join(vectors)};\n"
            text += f"{mnemonic} {at}, {registers['d']}, {stride};\nbar.warp.sync -1;\n"
        else:
            text += f"{mnemonic} {registers[name]}, {at}, {stride};\n"
    if one.space == "shared":
        start, size = places[3]
        text += _words(f"ld.shared.b32 %r203, [%r200+{start}", size, "st.global.b32 [%d63")
    memory = f".shared .align 128 .b8 memory[{offset + out}];"
    bench.run(text, arrays, shared=memory, device=device)
    got = _unpack(
        arrays["d"].numpy(), one.d, *(sizes[3] if one.outer == "row" else sizes[3][::-1])
    )
    got = got if one.outer == "row" else got.T
    assert (got == one.expected()).all(), (one.mnemonic, one.space, one.outer)
    return iter(used)


def _words(load: str, size: int, store: str) -> str:
    """Copies bytes by words, lane 0 all of them."""
    text = "setp.ne.u32 %p0, %r201, 0;\n"
    for i in range(0, size, 4):
        text += f"@!%p0 {load.rstrip(']')}+{i}]; @!%p0 {store.rstrip(']')}+{i}], %r203;\n"
    return text


def _registers(one: _Product) -> dict[str, str]:
    """The fragments, as the form's own sample has them."""
    vectors = re.findall(r"\{[^}]*\}", one.form.sample)
    return dict(zip("dabc", vectors))


# wgmma.


def _wgmma_memory(matrix: np.ndarray, kind: str) -> tuple[np.ndarray, int, int]:
    """Rows of a matrix that is contiguous along k, without swizzle: core matrices of 8 rows
    and 16 bytes, those along k after one another; and the offsets between cores along k
    (leading) and along the rows (stride)."""
    data = _pack(matrix, kind).reshape(matrix.shape[0], -1)
    rows, width = data.shape
    cores = data.reshape(rows // 8, 8, width // 16, 16).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(cores).reshape(-1), 128, 128 * (width // 16)


def _fragments(matrix: np.ndarray, kind: str) -> np.ndarray:
    """A's registers: of 128 threads, words."""
    data = _pack(matrix, kind).reshape(64, -1).view(np.uint32)  # words along k
    words = np.zeros((128, data.shape[1] // 4 * 2), np.uint32)
    for thread in range(128):
        warp, lane = divmod(thread, 32)
        order = [(half, row) for half in range(data.shape[1] // 4) for row in (0, 8)]
        for i, (half, row) in enumerate(order):
            words[thread, i] = data[16 * warp + lane // 4 + row, lane % 4 + 4 * half]
    return words


def _accumulator(words: np.ndarray, kind: str, n: int) -> np.ndarray:
    """D from the words of 128 threads."""
    result = np.zeros((64, n))
    elements = words.view(_FLOATS[kind]).reshape(128, -1).astype(np.float64)
    thread = np.arange(128)[:, None]
    at = np.arange(elements.shape[1])[None, :]
    rows = 16 * (thread // 32) + thread % 32 // 4 + 8 * (at // 2 % 2)
    result[rows, 8 * (at // 4) + 2 * (thread % 4) + at % 2] = elements
    return result


@check
def wgmma(bench: Bench) -> None:
    """Every N of a type in one kernel, A from memory and from registers."""
    by_types: dict[str, list[Form]] = {}
    for form in accepted("wgmma", "wgmma.mma_async"):
        by_types.setdefault(re.sub(r"n\d+k", "nk", form.mnemonic), []).append(form)
    for number, forms in enumerate(by_types.values()):
        _multiply_group(bench, forms, np.random.default_rng(number))


def _multiply_group(bench: Bench, forms: list[Form], rng: np.random.Generator) -> None:
    parts = parts_of(forms[0])
    kinds = [one for one in parts if one in BITS]
    d, a, b = kinds
    k = 256 // BITS[a]
    left, right = _matrix(rng, a, 64, k), _matrix(rng, b, 256, k)
    memory_a, leading, stride_a = _wgmma_memory(left, a)
    memory_b, _, stride_b = _wgmma_memory(right, b)
    assert memory_a.size == 2048
    assert memory_b.size == 8192
    device = bench.device()
    shapes = [shape_of(["wgmma", *parts_of(form)]) for form in forms]
    counts = [n * 64 * BITS[d] // 32 // 128 for _, n, _ in shapes]
    arrays = {
        "memory": device.array(np.concatenate([memory_a, memory_b])),
        "fragments": device.array(_fragments(left, a)),
        "results": device.zeros((sum(counts), 128), np.uint32),
    }
    text = "ld.param.u64 %d60, [memory]; ld.param.u64 %d61, [fragments];\n"
    text += (
        "ld.param.u64 %d62, [results]; mov.u32 %r400, %tid.x; mov.u32 %r401, shared_memory;\n"
    )
    text += "mad.wide.u32 %d63, %r400, 16, %d60; mad.wide.u32 %d62, %r400, 4, %d62;\n"
    text += "mad.wide.u32 %d64, %r400, 16, %d61; shl.b32 %r402, %r400, 4;"
    text += "add.u32 %r402, %r402, %r401;\n"
    for i in range(5):
        text += f"ld.global.v2.b64 {{%d70, %d71}}, [%d63+{2048 * i}];"
        text += f"st.shared.v2.b64 [%r402+{2048 * i}], {{%d70, %d71}};\n"
    text += "ld.global.v4.b32 {%r200, %r201, %r202, %r203}, [%d64];\n"
    text += "fence.proxy.async; bar.sync 0;\n"
    for register, offset, stride in ((1, 0, stride_a), (2, 2048, stride_b)):
        bits = (leading >> 4) << 16 | (stride >> 4) << 32
        text += f"add.u32 %r403, %r401, {offset}; shr.u32 %r403, %r403, 4;"
        text += f"cvt.u64.u32 %d{register}, %r403;"
        text += f"or.b64 %d{register}, %d{register}, {bits};\n"
    offset = 0
    for form, count in zip(forms, counts):
        # D is zero before, and added to.
        text += "".join(f"mov.b32 %r{i}, 0;" for i in range(count))
        text += f"\nwgmma.fence.sync.aligned;\n{form.sample}\n"
        text += "wgmma.commit_group.sync.aligned; \nwgmma.wait_group.sync.aligned 0;\n"
        for i in range(count):
            text += f"st.global.b32 [%d62+{512 * (offset + i)}], %r{i};\n"
        offset += count
    shared = ".shared .align 128 .b8 shared_memory[10240];"
    bench.run(text, arrays, block=128, shared=shared, device=device)
    results = arrays["results"].numpy()
    product = left @ right.T
    offset = 0
    for form, (_, n, _), count in zip(forms, shapes, counts):
        words = np.ascontiguousarray(results[offset : offset + count].T)
        offset += count
        assert (_accumulator(words, d, n) == product[:, :n]).all(), form.sample[:90]
