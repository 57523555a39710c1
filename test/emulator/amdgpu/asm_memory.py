"""Loads, stores and atomic operations of global, flat, buffer and private memory.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from asm_integer import bits, s32, u64
from asm_lds import pair, signed
from asm_rows import CDNA, U32, U64, Family, Inputs, Row

# How each space spells an access of a register at an offset: loads, stores.
SPACES = {
    "global": ("{name} {data}, v13, s[26:27]{offset}", "{name} v13, {data}, s[26:27]{offset}"),
    "flat": ("{name} {data}, v[14:15]{offset}", "{name} v[14:15], {data}{offset}"),
    "buffer": ("{name} {data}, v13, s[28:31], {zero} offen{offset}",) * 2,
    "scratch": ("{name} {data}, v11, off{offset}", "{name} v11, {data}, off{offset}"),
}


class Speller:
    """Accesses of one space with the names of one generation."""

    def __init__(self, space: str, gpus: tuple[str, ...]) -> None:
        self.space, self.gpus = space, gpus
        self.is_old = gpus[0] in CDNA
        self.zero = "null" if gpus == ("gfx1201",) else "0"

    def load(self, name: str, data: str, offset: int = 0) -> str:
        text = self._access(SPACES[self.space][0], "load_" + name, data, offset)
        return f"{text}; {{vm}}" + self._late()

    def store(self, name: str, data: str, offset: int = 0) -> str:
        text = self._access(SPACES[self.space][1], "store_" + name, data, offset)
        return f"{text}; {{stores}}" + self._late()

    def atomic(self, name: str, result: str, data: str) -> str:
        """With a result or, where it is empty, without."""
        if self.space == "buffer":
            text = self._access(SPACES["buffer"][0], "atomic_" + name, data, 0)
            text = f"v_mov_b32_e32 v6, v2; {text} {{ret}}" if result else text
        else:
            data = f"{result}, {{place}}, {data}" if result else f"{{place}}, {data}"
            place = "v13" if self.space == "global" else "v[14:15]"
            tail = ", s[26:27]" if self.space == "global" else ""
            text = f"{self.space}_atomic_{name} {data.replace('{place}', place)}{tail}"
            text += " {ret}" if result else ""
        return f"{text}; {'{vm}' if result else '{stores}'}" + self._late()

    def _late(self) -> str:
        return "; {lds}" if self.space == "flat" else ""

    def _access(self, form: str, name: str, data: str, offset: int) -> str:
        where = f" offset:{offset}" if offset else ""
        return form.format(name=f"{self.space}_{name}", data=data, offset=where, zero=self.zero)


def named(speller: Speller, old: str, new: str) -> str:
    return old if speller.is_old else new


# What loads bring of the dword `a`, and where.
LOADS: list[tuple[str, str, Callable]] = [
    ("ubyte", "u8", lambda a: a & U32(0xFF)),
    ("sbyte", "i8", lambda a: bits(signed(a, 8))),
    ("ushort", "u16", lambda a: a & U32(0xFFFF)),
    ("sshort", "i16", lambda a: bits(signed(a, 16))),
]
HALVES: list[tuple[str, str, Callable]] = [
    ("ubyte_d16", "d16_u8", lambda a: a & U32(0xFF)),
    ("sbyte_d16", "d16_i8", lambda a: signed(a, 8).astype(np.int16).view(np.uint16)),
    ("short_d16", "d16_b16", lambda a: a & U32(0xFFFF)),
    ("ubyte_d16_hi", "d16_hi_u8", lambda a: a & U32(0xFF)),
    ("sbyte_d16_hi", "d16_hi_i8", lambda a: signed(a, 8).astype(np.int16).view(np.uint16)),
    ("short_d16_hi", "d16_hi_b16", lambda a: a & U32(0xFFFF)),
]
STORES = [("byte", "b8", 0xFF, 0), ("short", "b16", 0xFFFF, 0),
          ("byte_d16_hi", "d16_hi_b8", 0xFF, 16),
          ("short_d16_hi", "d16_hi_b16", 0xFFFF, 16)]  # fmt: skip


def accesses(speller: Speller) -> Iterator[Row]:
    """Of every size: stored as a whole and loaded in part, and the other way."""
    gpus = speller.gpus
    word, two = named(speller, "dword", "b32"), named(speller, "dwordx2", "b64")
    three, four = named(speller, "dwordx3", "b96"), named(speller, "dwordx4", "b128")
    whole = speller.store(word, "v2")
    for old, new, function in LOADS:
        text = f"{whole}; " + speller.load(named(speller, old, new), "v6")
        yield Row(text, lambda x, f=function: f(x.a), gpus)
    for old, new, function in HALVES:
        is_high = "hi" in old
        text = f"v_mov_b32_e32 v6, v4; {whole}; " + speller.load(named(speller, old, new), "v6")
        # CDNA's memory with error correction does not keep the other half.
        if speller.is_old:
            text += f"; v_lsh{'rrev' if is_high else 'lrev'}_b32_e32 v6, 16, v6"

        def half(x: Inputs, f: Callable = function, high: bool = is_high) -> np.ndarray:
            new = f(x.a).astype(U32)
            if speller.is_old:
                return new << U32(0 if high else 16)
            return x.b & U32(0xFFFF) | new << U32(16) if high else x.b & U32(0xFFFF0000) | new

        yield Row(text, half, gpus)
    for old, new, mask, shift in STORES:
        text = f"{speller.store(two, 'v[2:3]')}; "
        text += f"{speller.store(named(speller, old, new), 'v8', 4)}; "

        def patched(x: Inputs, mask: int = mask, shift: int = shift) -> np.ndarray:
            field = u64(x.c >> U32(shift) & U32(mask))
            return x.aa & ~(U64(mask) << U64(32)) | field << U64(32)

        yield Row(text + speller.load(two, "v[6:7]"), patched, gpus, True)
    # Wide ones.
    yield Row(
        f"{speller.store(four, 'v[2:5]', 16)}; {speller.load(three, 'v[20:22]', 16)}; "
        "v_mov_b32_e32 v6, v22; v_mov_b32_e32 v7, v21",
        lambda x: pair(x.b, x.aa >> U64(32)), gpus, True,
    )  # fmt: skip
    yield Row(
        f"{speller.store(four, 'v[2:5]')}; {speller.store(three, 'v[2:4]', 4)}; "
        f"{speller.load(four, 'v[20:23]')}; v_mov_b32_e32 v6, v23; v_mov_b32_e32 v7, v20",
        lambda x: pair(x.b, x.a), gpus, True,
    )  # fmt: skip


# (old, new, what is there after it, of b in memory and a); the wide names have x2 and 64.
ATOMICS: list[tuple[str, str, str, Callable]] = [
    ("add", "add", "u", lambda a, b: b + a), ("sub", "sub", "u", lambda a, b: b - a),
    ("smin", "min", "i", np.minimum), ("umin", "min", "u", np.minimum),
    ("smax", "max", "i", np.maximum), ("umax", "max", "u", np.maximum),
    ("and", "and", "b", lambda a, b: a & b), ("or", "or", "b", lambda a, b: a | b),
    ("xor", "xor", "b", lambda a, b: a ^ b), ("swap", "swap", "b", lambda a, b: a),
    ("inc", "inc", "u", lambda a, b: np.where(b >= a, b * 0, b + b.dtype.type(1))),
    ("dec", "dec", "u",
     lambda a, b: np.where((b == 0) | (b > a), a, b - b.dtype.type(1))),
]  # fmt: skip


def atomics(speller: Speller) -> Iterator[Row]:
    """Of 32 bits with what was there, of 64 without."""
    word, two = named(speller, "dword", "b32"), named(speller, "dwordx2", "b64")
    for old, new, kind, function in ATOMICS:

        def narrow(x: Inputs, f: Callable = function, kind: str = kind) -> np.ndarray:
            return pair(x.b, bits(f(s32(x.a), s32(x.b))) if kind == "i" else f(x.a, x.b))

        def wide(x: Inputs, f: Callable = function, kind: str = kind) -> np.ndarray:
            return f(x.aa.view(np.int64), x.bb.view(np.int64)) if kind == "i" else f(x.aa, x.bb)

        name = named(speller, old, f"{new}_{kind}32")
        result = "v6"
        yield Row(
            f"{speller.store(word, 'v4')}; "
            + speller.atomic(name, result, "v6" if speller.space == "buffer" else "v2")
            + f"; {speller.load(word, 'v7')}", narrow, speller.gpus, True,
        )  # fmt: skip
        name = named(speller, f"{old}_x2", f"{new}_{kind}64")
        yield Row(
            f"{speller.store(two, 'v[4:5]')}; {speller.atomic(name, '', 'v[2:3]')}; "
            + speller.load(two, "v[6:7]"), wide, speller.gpus, True,
        )  # fmt: skip
    # v[2:3]: what is put there, and the comparand; that is made b's in every second lane.
    yield Row(
        "v_and_b32_e32 v7, 1, v10; v_cmp_eq_u32_e32 {vcc}, 1, v7; s_nop 4; "
        "v_mov_b32_e32 v20, v2; v_cndmask_b32_e32 v21, v3, v4, {vcc}; "
        f"{speller.store(word, 'v4')}; "
        + speller.atomic(named(speller, "cmpswap", "cmpswap_b32"), "", "v[20:21]")
        + f"; {speller.load(word, 'v6')}; v_mov_b32_e32 v7, 0",
        lambda x: np.where(
            (np.arange(x.a.size) % 2 == 1) | ((x.aa >> U64(32)).astype(U32) == x.b), x.a, x.b
        ), speller.gpus,
    )  # fmt: skip


# Atomic operations on floats that are integers: by the kind, what each GPU calls them.
_OLD, _NEW = ("add", "min", "max"), ("add", "min_num", "max_num")
FLOAT_NAMES: dict[tuple[str, str], tuple[str, ...]] = {
    **{("f32", gpu): ("add",) for gpu in ("gfx90a", "gfx942", "gfx950")},
    ("f32", "gfx1100"): _OLD, ("f32", "gfx1201"): _NEW,
    **{("f64", gpu): _OLD for gpu in CDNA},
}  # fmt: skip
FLOAT_OPERATIONS = {"add": np.add, "min": np.minimum, "max": np.maximum}


def float_atomics(space: str) -> Iterator[Row]:
    """On f32 and f64."""
    for (kind, gpu), names in FLOAT_NAMES.items():
        # gfx90a has those of f32 in global memory and buffers alone.
        if (kind, gpu, space) == ("f32", "gfx90a", "flat"):
            continue
        is_wide = kind == "f64"
        gpus = CDNA if gpu in CDNA else (gpu,)
        speller = Speller(space, gpus)
        a, b, to = ("v[20:21]", "v[22:23]", "v[6:7]") if is_wide else ("v20", "v22", "v6")
        size = named(speller, *(("dwordx2", "b64") if is_wide else ("dword", "b32")))
        dtype = np.float64 if is_wide else np.float32
        for name in names:
            text = (
                f"v_cvt_{kind}_i32_e32 {a}, v2; v_cvt_{kind}_i32_e32 {b}, v4; "
                f"{speller.store(size, b)}; {speller.atomic(f'{name}_{kind}', '', a)}; "
                + speller.load(size, to)
            )

            def reference(x: Inputs, name: str = name, dtype: type = dtype) -> np.ndarray:
                function = FLOAT_OPERATIONS[name.removesuffix("_num")]
                result = function(s32(x.b).astype(dtype), s32(x.a).astype(dtype))
                return result.view(U64 if dtype is np.float64 else U32)

            yield Row(text, reference, (gpu,), is_wide)


SPELLERS = [
    Speller(space, gpus)
    for space in SPACES
    for gpus in (CDNA, ("gfx1100",), ("gfx1201",))
]  # fmt: skip
FAMILY = Family(
    "memory",
    [
        row
        for speller in SPELLERS
        for row in (
            *accesses(speller),
            *(atomics(speller) if speller.space != "scratch" else ()),
        )
    ]
    + [row for space in ("global", "flat", "buffer") for row in float_atomics(space)],
)
