"""Jobs of matrix products: each form of mma and wgmma on numbers whose sums show how the unit
aligns, cuts and rounds, and on infinities and NaNs. Fragments are given and taken as the
registers of each lane, so that a job needs no layout.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

import ml_dtypes
import numpy as np
from coverage_matrix import BITS, shape_of
from coverage_pattern import Form
from forms_elementwise import accepted, parts_of
from jobs import Job, Launch

_HEAD = ".version 9.0\n.target sm_90a\n.address_size 64\n"
# Products of a form: integers have no rounding to show.
_BLOCKS = 24
_INTEGER_BLOCKS = 4
# Columns of wgmma that are tried: the sum of an element does not depend on them.
_COLUMNS = (8, 24, 64)
_TYPES = {"f16": np.float16, "bf16": ml_dtypes.bfloat16, "tf32": np.float32,
          "f32": np.float32, "f64": np.float64, "e4m3": ml_dtypes.float8_e4m3fn,
          "e5m2": ml_dtypes.float8_e5m2}  # fmt: skip
# How far exponents of one product's elements lie apart, one after the other.
_SPREADS = (0, 0, 2, 4, 6, 10)


def _numbers(rng: np.random.Generator, kind: str, blocks: int, count: int) -> np.ndarray:
    """Elements for each of the blocks: random integers or bits of integer types; of floats
    normal ones times a power of two, more of them zero or of one size in some blocks, and
    special values in the last block but one, random bits in the last."""
    if kind not in _TYPES:
        width = max(BITS[kind], 8)
        if kind == "s32":
            # Half of them so near to the ends of the range that sums go over them.
            near = rng.integers(-2000, 2000, (blocks, count)) + (1 << 31)
            far = rng.integers(0, 1 << 32, (blocks, count))
            return np.where(rng.random((blocks, count)) < 0.5, near, far).astype(np.uint32)
        return rng.integers(0, 1 << width, (blocks, count), dtype=np.uint64).astype(
            f"u{width // 8}"
        )
    dtype = np.dtype(_TYPES[kind])
    bits = np.dtype(f"u{dtype.itemsize}")
    found = np.zeros((blocks, count), bits)
    for block in range(blocks):
        spread = _SPREADS[block % len(_SPREADS)]
        values = rng.standard_normal(count) * 2.0 ** rng.integers(-spread, spread + 1, count)
        if block % 4 == 3:
            values *= rng.random(count) < 0.3
        if block % len(_SPREADS) == 1:
            values = np.sign(values) * (1 + rng.integers(0, 8, count) / 8)
        with np.errstate(over="ignore"):
            found[block] = values.astype(dtype).view(bits)
    if kind == "tf32":
        # Bits below the mantissa, in half of the blocks.
        found[::2] &= 0xFFFFE000
    special = [0, 1 << (8 * dtype.itemsize - 1)]
    if kind != "e4m3":
        infinity = np.array([np.inf, -np.inf, np.nan], dtype).view(bits)
        special += infinity.tolist()
        special.append(special[2] + 1)  # a NaN that signals
    odd = rng.random(count) < 0.02
    found[-2][odd] = rng.choice(np.array(special, bits), int(odd.sum()))
    found[-1] = rng.integers(0, 1 << 63, count, dtype=np.uint64).astype(bits)
    return found


def _blocks(kinds: list[str]) -> int:
    return _BLOCKS if kinds[1] in _TYPES else _INTEGER_BLOCKS


def _words(rng: np.random.Generator, kind: str, count: int, blocks: int) -> np.ndarray:
    """`count` registers of 32 bits of each block."""
    elements = _numbers(rng, kind, blocks, count * 32 // max(BITS[kind], 8))
    return np.ascontiguousarray(elements).view(np.uint32).reshape(blocks, count)


def _vectors(sample: str) -> list[list[str]]:
    return [one.split(", ") for one in re.findall(r"\{([^}]*)\}", sample)]


def _move(opcode: str, base: str, threads: int, first: int, registers: list[str]) -> str:
    """Loads or stores registers, each of all threads after one another."""
    text, at = "", first
    for register in registers:
        size = 64 if register[1] == "d" else 32
        place = f"[{base}{size}+{at * threads * 4}]"
        operands = f"{register}, {place}" if opcode == "ld" else f"{place}, {register}"
        text += f"{opcode}.global.b{size} {operands};\n"
        at += size // 32
    return text


def _addresses(name: str, to: str, threads: int, words: int) -> str:
    """The block's share of an array: `to`32 and `to`64 for threads' words and doubles."""
    return (
        f"ld.param.u64 %d110, [{name}]; mov.u32 %r410, %ctaid.x; mov.u32 %r411, %tid.x;\n"
        f"mad.wide.u32 %d110, %r410, {words * threads * 4}, %d110;\n"
        f"mad.wide.u32 {to}32, %r411, 4, %d110; mad.wide.u32 {to}64, %r411, 8, %d110;\n"
    )


def _kernel(number: int, params: str, body: str) -> str:
    return (
        f".visible .entry k{number}({params})\n{{\n.reg .pred %p<4>; .reg .b32 %r<440>;\n"
        ".reg .b64 %d<140>; .reg .b64 %s32, %s64, %t32, %t64;\n" + body + "ret;\n}\n"
    )


def _size(registers: list[str]) -> int:
    return sum(2 if one[1] == "d" else 1 for one in registers)


def mma_jobs() -> Iterator[Job]:
    """One job for each type of A, a launch for each form."""
    groups: dict[str, list[Form]] = {}
    for form in accepted("mma", "mma.sync"):
        kinds = [one for one in parts_of(form) if one in BITS]
        groups.setdefault(kinds[1], []).append(form)
    for kind, forms in groups.items():
        buffers: list[np.ndarray] = []
        launches, rows, text = [], [], _HEAD
        for number, form in enumerate(forms):
            rng = np.random.default_rng(zlib.crc32(form.sample.encode()))
            d, a, b, c = _vectors(form.sample)
            kinds = [one for one in parts_of(form) if one in BITS]
            sources = [
                _words(rng, one, 32 * _size(registers), _blocks(kinds))
                for one, registers in zip(kinds[1:], (a, b, c))
            ]
            words = _size(a) + _size(b) + _size(c)
            body = _addresses("source", "%s", 32, words) + _addresses("result", "%t", 32,
                                                                      _size(d))  # fmt: skip
            body += _move("ld", "%s", 32, 0, a) + _move("ld", "%s", 32, _size(a), b)
            body += _move("ld", "%s", 32, _size(a) + _size(b), c)
            body += f"{form.sample}\n" + _move("st", "%t", 32, 0, d)
            text += _kernel(number, ".param .u64 source, .param .u64 result", body)
            launches.append(
                Launch(f"k{number}", (_blocks(kinds), 1, 1), (32, 1, 1),
                       [["buffer", len(buffers), 0], ["buffer", len(buffers) + 1, 0]])
            )  # fmt: skip
            rows.append([form.sample, len(buffers), len(buffers) + 1, BITS[kinds[0]] // 8])
            buffers.append(np.concatenate(sources, axis=1).view(np.uint8).reshape(-1))
            buffers.append(np.full(_blocks(kinds) * 32 * _size(d) * 4, 0xA5, np.uint8))
        yield Job(f"mma-{kind}", text, buffers, launches, {"rows": rows})


def wgmma_jobs() -> Iterator[Job]:
    """One job for each pair of types of A and B; memory is without swizzle, K inside."""
    groups: dict[str, list[Form]] = {}
    for form in accepted("wgmma", "wgmma.mma_async"):
        kinds = [one for one in parts_of(form) if one in BITS]
        if shape_of(["wgmma", *parts_of(form)])[1] in _COLUMNS:
            groups.setdefault("-".join(kinds[1:]), []).append(form)
    for name, forms in groups.items():
        buffers: list[np.ndarray] = []
        launches, rows, text = [], [], _HEAD
        for number, form in enumerate(forms):
            rng = np.random.default_rng(zlib.crc32(form.sample.encode()))
            kinds = [one for one in parts_of(form) if one in BITS]
            blocks = _blocks(kinds)
            columns = shape_of(["wgmma", *parts_of(form)])[1]
            d, *a = _vectors(form.sample)
            memory_a = not a
            # 64 rows and `columns` rows of 32 bytes, the first in memory or in registers.
            sources = [_words(rng, kinds[1], 512, blocks),
                       _words(rng, kinds[2], 8 * columns, blocks),
                       _words(rng, kinds[0], 128 * _size(d), blocks)]  # fmt: skip
            words = 512 + 8 * columns + 128 * _size(d)
            body = _addresses("source", "%s", 1, words)
            body += _addresses("result", "%t", 128, _size(d))
            body += "mov.u32 %r420, memory; mad.lo.u32 %r421, %r411, 4, %r420;\n"
            body += "mad.wide.u32 %d111, %r410, " + f"{words * 4}, 0;\n"
            body += "ld.param.u64 %d112, [source]; add.u64 %d112, %d112, %d111;\n"
            body += "mad.wide.u32 %d112, %r411, 4, %d112;\n"
            total = 512 + 8 * columns
            for at in range(0, total, 128):
                guard = ""
                if at + 128 > total:
                    body += f"setp.lt.u32 %p1, %r411, {total - at};\n"
                    guard = "@%p1 "
                body += f"{guard}ld.global.b32 %r422, [%d112+{4 * at}];\n"
                body += f"{guard}st.shared.b32 [%r421+{4 * at}], %r422;\n"
            if a:
                for i, register in enumerate(a[0]):
                    body += f"ld.global.b32 {register}, [%d112+{512 * i}];\n"
            for i, register in enumerate(d):
                body += f"ld.global.b32 {register}, [%d112+{4 * total + 512 * i}];\n"
            body += "fence.proxy.async; bar.sync 0;\n"
            for register, offset in (("%d1", 0), ("%d2", 2048)):
                if register == "%d1" and not memory_a:
                    continue
                bits = (128 >> 4) << 16 | (256 >> 4) << 32
                body += f"add.u32 %r423, %r420, {offset}; shr.u32 %r423, %r423, 4;\n"
                body += (
                    f"cvt.u64.u32 {register}, %r423; or.b64 {register}, {register}, {bits};\n"
                )
            body += f"wgmma.fence.sync.aligned;\n{form.sample}\n"
            body += "wgmma.commit_group.sync.aligned;\nwgmma.wait_group.sync.aligned 0;\n"
            for i, register in enumerate(d):
                body += f"st.global.b32 [%t32+{512 * i}], {register};\n"
            body = ".shared .align 128 .b8 memory[4096];\n" + body
            text += _kernel(number, ".param .u64 source, .param .u64 result", body)
            launches.append(
                Launch(f"k{number}", (blocks, 1, 1), (128, 1, 1),
                       [["buffer", len(buffers), 0], ["buffer", len(buffers) + 1, 0]])
            )  # fmt: skip
            rows.append([form.sample, len(buffers), len(buffers) + 1, BITS[kinds[0]] // 8])
            buffers.append(np.concatenate(sources, axis=1).view(np.uint8).reshape(-1))
            buffers.append(np.full(blocks * 128 * _size(d) * 4, 0xA5, np.uint8))
        yield Job(f"wgmma-{name}", text, buffers, launches, {"rows": rows})


def jobs() -> Iterator[Job]:
    yield from mma_jobs()
    yield from wgmma_jobs()
