"""Jobs of single instructions: every elementwise form on special values with special values,
and on random bits. A job is one instruction, in many lanes; results are bits.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import random
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import coverage
import coverage_forms
import numpy as np
from coverage_pattern import TYPES, Form, register_class
from forms_elementwise import parts_of
from forms_exact import FORMATS, Number, encode
from hardware import assemble
from jobs import Job, Launch

from tilewright import emulator

FAMILIES = ("Integer arithmetic", "Floating-point arithmetic", "Comparison and selection",
            "Conversion", "Bits")  # fmt: skip
_LANES = 512
_SIDE = 16  # that many special values of two operands meet each other
_PER_MODULE = 24

_INTEGERS = [0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000,
             0xFFFFFFFF, 1 << 63, (1 << 63) - 1, (1 << 64) - 1]  # fmt: skip
# Shifts, positions and lengths of bit fields.
_COUNTS = [0, 1, 4, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 255, 256]


def _floats(kind: str) -> list[int]:
    """Special values of a format: zeros, infinities, NaNs with payloads, subnormal numbers,
    the largest and the least, and numbers that lie between integers."""
    form = FORMATS[kind]
    infinity = ((1 << form.exponent) - 1) << form.mantissa
    sign = 1 << (form.exponent + form.mantissa)
    quiet = 1 << (form.mantissa - 1)

    def number(value: Fraction) -> int:
        return encode(kind, Number(value < 0, abs(value))) >> form.low

    bits = [
        0, sign, infinity, sign | infinity, infinity | quiet | 1, sign | infinity | 1,
        1, sign | quiet, infinity - 1, sign | 1 << form.mantissa, number(Fraction(1)),
        number(Fraction(-3, 2)), number(Fraction(5, 2)), number(Fraction(-1)),
        number(Fraction(1)) - 1, (1 << form.mantissa) - 1,
    ]  # fmt: skip
    return [one << form.low for one in bits]


def _random(kind: str, rng: random.Random) -> int:
    """Random bits, or a number of middling size."""
    if kind not in FORMATS:
        return rng.getrandbits(64) >> rng.choice((0, 0, 32, rng.randrange(64)))
    form = FORMATS[kind]
    if rng.random() < 0.4:
        return rng.getrandbits(form.bits)
    value = Fraction(rng.randrange(-(1 << 26), 1 << 26), 1 << rng.randrange(10, 36))
    return encode(kind, Number(value < 0, abs(value)))


def _operand(kind: str, position: int, lanes: int) -> list[int]:
    """Values of an operand in all lanes. `kind` is a type, or "count"."""
    rng = random.Random(zlib.crc32(f"{kind} {position}".encode()))
    if lanes > _LANES:
        return list(range(lanes))
    if kind.endswith("x2") and kind[:-2] in FORMATS:
        low, high = _operand(kind[:-2], position, lanes), _operand(kind[:-2], 3, lanes)
        return [a | b << 16 for a, b in zip(low, high)]
    special = _floats(kind) if kind in FORMATS else _COUNTS if kind == "count" else _INTEGERS
    met = _SIDE * _SIDE
    if position == 0:
        found = [special[i % _SIDE] for i in range(met)]
    elif position == 1:
        found = [special[i // _SIDE] for i in range(met)]
    else:
        found = [rng.choice(special) for _ in range(met)]
    if kind == "count":
        return found + [rng.choice((rng.randrange(40), rng.getrandbits(32)))
                        for _ in range(lanes - met)]  # fmt: skip
    found += [_random(kind, rng) for _ in range(lanes - met)]
    if position == 1:
        # Now and then the two are equal, or opposite.
        first = _operand(kind, 0, lanes)
        for i in range(met, lanes, 16):
            found[i] = first[i]
        if kind in FORMATS:
            for i in range(met + 8, lanes, 16):
                found[i] = first[i] ^ 1 << (FORMATS[kind].bits - 1)
    return found


@dataclass(frozen=True)
class Row:
    """One instruction, the kinds of its operands, and how many lanes it runs in."""

    text: str
    result: str
    sources: tuple[tuple[str, str], ...]  # register and kind
    lanes: int


_BITS = {"h": 16, "r": 32, "d": 64, "p": 1}


def _width(kind: str) -> int:
    if kind in FORMATS:
        return FORMATS[kind].bits
    digits = re.search(r"\d+", kind)
    assert digits is not None
    if kind[0] == "e":
        return 16
    return int(digits.group()) * (2 if kind.endswith("x2") else 1)


def row_of(form: Form) -> Row | None:
    """The row of a form; None where it has no result of its own (carries), or takes others."""
    carries = "cc" in form.mnemonic.split(".") or form.opcode in ("addc", "subc", "madc")
    if carries or "%q" in form.sample:
        return None
    operands = [one.strip() for one in form.sample.split(" ", 1)[1].rstrip(";").split(",")]
    result, *rest = operands
    if "|" in result:
        result = result.split("|")[0]
    sources = [one for one in rest if one.startswith("%")]
    kinds = [one for one in parts_of(form) if one in TYPES and one != "pred"]
    exhaustive = len(sources) == 1 and bool(kinds) and _exhaustive(form, kinds[-1])
    found = []
    for position, register in enumerate(sources):
        bits = _BITS[register[1]]
        fitting = [one for one in kinds if max(_width(one), 16) == bits]
        kind = fitting[-1] if fitting else f"b{max(bits, 8)}"
        if form.opcode in ("slct",):
            kind = kinds[0] if position < 2 else kinds[1]
        if form.opcode in ("fma", "mad", "add", "sub") and len(set(kinds)) == 2 and fitting:
            kind = fitting[-1]
        if form.opcode in ("shl", "shr", "shf", "bfe", "bfi", "szext", "bmsk", "fns", "prmt"):
            kind = "count" if register[1] == "r" and position == len(sources) - 1 else kind
            if form.opcode in ("bfe", "bfi") and position >= len(sources) - 2:
                kind = "count"
        if form.opcode == "prmt":
            kind = "u32"
        if register[1] == "p":
            kind = "pred"
        found.append((register, kind))
    return Row(form.sample, result, tuple(found), 1 << 16 if exhaustive else _LANES)


def _atomic_rows() -> Iterator[Row]:
    """Atomic operations of each lane on a word of its own: what was there, and what is."""
    whole = ("u32", "s32", "u64", "s64")
    kinds = {
        **dict.fromkeys(("min", "max"), (*whole, "f16", "f16x2", "bf16", "bf16x2")),
        "add": ("u32", "s32", "u64", "f32", "f64", "f16", "f16x2", "bf16", "bf16x2"),
        "inc": ("u32",), "dec": ("u32",), "exch": ("b32", "b64"),
        **dict.fromkeys(("and", "or", "xor"), ("b32", "b64")),
    }  # fmt: skip
    places = {
        "global": "add.u64 %d120, %d101, 0; mad.wide.u32 %d120, %r100, {size}, %d120;",
        "shared": "mov.u32 %r120, %tid.x; mov.u32 %r121, memory; "
        "mad.lo.u32 %r121, %r120, 8, %r121; cvt.u64.u32 %d120, %r121;",
    }  # fmt: skip
    for space, place in places.items():
        for operation, types in kinds.items():
            for kind in types:
                letter = register_class(kind)
                size = _BITS[letter] // 8
                noftz = (
                    ".noftz" if kind[0] in "fb" and "16" in kind and operation == "add" else ""
                )
                mnemonic = f"atom.{space}.{operation}{noftz}.{kind}"
                start = (
                    place.format(size=size) + f" st.{space}.b{8 * size} [%d120], %{letter}1; "
                )
                swap = f"{mnemonic} %{letter}0, [%d120], %{letter}2;"
                sources = ((f"%{letter}1", kind), (f"%{letter}2", kind))
                yield Row(start + swap, f"%{letter}0", sources, _LANES)
                after = f"{start}{swap} ld.{space}.b{8 * size} %{letter}0, [%d120];"
                yield Row(after, f"%{letter}0", sources, _LANES)


def _exhaustive(form: Form, kind: str) -> bool:
    """Whether all 65536 operands are tried: of approximations of halves, and of packed
    conversions."""
    return form.opcode in ("ex2", "tanh") and kind in ("f16", "bf16") or kind[0] == "e"


def _kernel(number: int, row: Row) -> str:
    """A kernel that runs a row in every lane; it reads 8 bytes of each operand."""
    shared = ".shared .align 8 .b8 memory[2048];" if "memory" in row.text else ""
    lines = [f".visible .entry k{number}(.param .u64 source, .param .u64 results)", "{",
             ".reg .pred %p<40>; .reg .b16 %h<64>; .reg .b32 %r<200>; .reg .b64 %d<140>;",
             shared, "ld.param.u64 %d100, [source]; ld.param.u64 %d101, [results];",
             "mov.u32 %r100, %tid.x; mov.u32 %r101, %ctaid.x;",
             "mad.lo.u32 %r100, %r101, 256, %r100;",
             "mad.wide.u32 %d100, %r100, 8, %d100;"]  # fmt: skip
    for position, (register, _) in enumerate(row.sources):
        lines.append(f"ld.global.b64 %d110, [%d100+{8 * row.lanes * position}];")
        if register[1] == "d":
            lines.append(f"mov.b64 {register}, %d110;")
        elif register[1] == "r":
            lines.append(f"cvt.u32.u64 {register}, %d110;")
        elif register[1] == "h":
            lines.append(f"cvt.u16.u64 {register}, %d110;")
        else:
            lines.append("cvt.u32.u64 %r110, %d110; and.b32 %r110, %r110, 1;")
            lines.append(f"setp.ne.b32 {register}, %r110, 0;")
    lines.append(row.text)
    result = row.result
    if result[1] == "p":
        lines.append(f"selp.b32 %r111, 1, 0, {result};")
        result = "%r111"
    size = _BITS[result[1]]
    lines.append(f"mad.wide.u32 %d101, %r100, {size // 8}, %d101;")
    lines.append(f"st.global.b{size} [%d101], {result}; ret;")
    lines.append("}")
    return "\n".join(lines) + "\n"


_HEAD = ".version 9.0\n.target sm_90a\n.address_size 64\n"


@functools.cache
def rows() -> tuple[tuple[str, tuple[Row, ...]], ...]:
    """All rows, by family."""
    device = emulator.Device("sm_90a")
    found: dict[str, dict[str, Row]] = {family: {} for family in FAMILIES}
    for pattern in coverage_forms.all_patterns():
        if pattern.family not in FAMILIES or pattern.beyond:
            continue
        for form in pattern.forms():
            if not coverage.accepts(device, form):
                continue
            row = row_of(form)
            if row is not None:
                found[pattern.family].setdefault(row.text, row)
    found["Atomic operations"] = {row.text: row for row in _atomic_rows()}
    return tuple((family, tuple(by_text.values())) for family, by_text in found.items())


def jobs() -> Iterator[Job]:
    """Modules of several kernels, each a row; what ptxas does not take is left out, and
    listed in the job."""
    for family, all_rows in rows():
        for start in range(0, len(all_rows), _PER_MODULE):
            batch = all_rows[start : start + _PER_MODULE]
            refused: dict[str, str] = {}
            while True:
                kept = [row for row in batch if row.text not in refused]
                ptx = _HEAD + "".join(_kernel(i, row) for i, row in enumerate(kept))
                wrong = assemble(ptx) if kept else []
                if not wrong:
                    break
                lines = ptx.split("\n")
                for line, message in wrong:
                    refused[_refused(lines, line, kept)] = message
            name = family.lower().replace(" ", "-").replace("floating-point", "float")
            made = [(row, _source((row.lanes, *(kind for _, kind in row.sources))))
                    for row in kept]  # fmt: skip
            job = module_of(f"row-{name}-{start // _PER_MODULE:03}", made)
            job.about["refused"] = refused
            yield job


def module_of(name: str, rows: list[tuple[Row, np.ndarray]]) -> Job:
    """A job of rows with their operands: a kernel each, one launch each."""
    ptx = _HEAD + "".join(_kernel(i, row) for i, (row, _) in enumerate(rows))
    sources: dict[bytes, int] = {}
    buffers: list[np.ndarray] = []
    launches, listed = [], []
    for i, (row, operands) in enumerate(rows):
        data = np.ascontiguousarray(operands).view(np.uint8).reshape(-1)
        if data.tobytes() not in sources:
            sources[data.tobytes()] = len(buffers)
            buffers.append(data)
        source = sources[data.tobytes()]
        size = _BITS[row.result[1]] // 8 if row.result[1] != "p" else 4
        launches.append(
            Launch(f"k{i}", (row.lanes // 256, 1, 1), (256, 1, 1),
                   [["buffer", source, 0], ["buffer", len(buffers), 0]])
        )  # fmt: skip
        listed.append([row.text, source, len(buffers), size])
        # No result is all of this.
        buffers.append(np.full(size * row.lanes, 0xA5, np.uint8))
    return Job(name, ptx, buffers, launches, {"rows": listed})


def _refused(lines: list[str], line: int, kept: list[Row]) -> str:
    """The row that the text has at a line."""
    texts = {row.text for row in kept}
    for at in range(line - 1, len(lines)):
        if lines[at] in texts:
            return lines[at]
    raise AssertionError(f"line {line} is of no row: {lines[line - 1]}")


def _source(kinds: tuple) -> np.ndarray:
    lanes, *operands = kinds
    values = [
        [one & 1 for one in _operand("u32", i, lanes)] if kind == "pred"
        else _operand(kind, i, lanes)
        for i, kind in enumerate(operands)
    ]  # fmt: skip
    return np.array(values, dtype=np.uint64).view(np.uint8).reshape(-1)
