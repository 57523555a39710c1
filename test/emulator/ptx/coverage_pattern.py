"""What a pattern of PTX instructions is, and the forms that it stands for.

A pattern is a mnemonic in which

    {a,b}   alternatives that each get a row of the table
    <a,b>   alternatives that are listed in the row; one may be empty
    (a)     what an instruction needs to be complete and the form leaves open

and the operands of an instruction in short: `T` a register of the last type of the mnemonic,
`T0` of its first, `W` of twice the width of the last, `h r d q p` a register of 16, 32, 64 or
128 bits or a predicate, `Nx` a vector of N registers of class x, `[x]` an address; anything
else is itself. Which of the forms the emulator accepts, it is asked (coverage.py).

`beyond` are those of newer architectures than a device may have: of them the unit tests
execute all that the decoder takes, and say which. `known` are no instructions, but what some
of them depend on.

`open` are modifiers that the form does not look at: those of another pattern. `default` are
modifiers that an instruction has where it names no other of theirs.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

SCOPES = ("cta", "cluster", "gpu", "sys")
ORDERS = ("weak", "volatile", "mmio", "relaxed", "acquire", "release", "acq_rel", "sc")
SPACES = ("global", "shared", "shared::cluster", "local", "param", "const")
# Where data is cached; `L2::cache_hint` has a policy as operand.
HINTS = (
    "ca", "cg", "cs", "lu", "cv", "wb", "wt", "nc", "L1::evict_first", "L1::evict_last",
    "L1::evict_normal", "L1::evict_unchanged", "L1::no_allocate", "L2::64B", "L2::128B",
    "L2::256B", "L2::cache_hint", "L2::evict_first", "L2::evict_last", "L2::evict_normal",
)  # fmt: skip
TYPES = frozenset((
    "pred", "b8", "b16", "b32", "b64", "b128", "u8", "u16", "u32", "u64", "s8", "s16",
    "s32", "s64", "f16", "bf16", "tf32", "f32", "f64", "f16x2", "bf16x2", "f32x2", "u16x2",
    "s16x2", "e4m3", "e5m2", "e4m3x2", "e5m2x2", "e2m1x2", "e2m3x2", "e3m2x2", "ue8m0x2",
    "b1", "u4", "s4", "u2", "s2",
))  # fmt: skip
# Modifiers whose order tells instructions apart.
ORDERED = TYPES | {"row", "col"}


# Modifiers whose order says nothing, and those that it matters for.
Key = tuple[frozenset[str], tuple[str, ...]]


@dataclass(frozen=True)
class Form:
    """One form: the row that it belongs to, what it is called there, an instruction of it,
    and what tells instructions of it from others."""

    family: str
    row: str
    name: str
    mnemonic: str
    sample: str
    pattern: Pattern
    opcode: str
    key: Key


@dataclass(frozen=True)
class Pattern:
    """A pattern of the table below. `body` makes all of a sample where one instruction is
    not enough."""

    family: str
    text: str
    operands: str | Callable[[list[str]], str]
    open: frozenset[str] = frozenset()
    default: tuple[tuple[str, frozenset[str]], ...] = ()
    body: str = ""
    beyond: bool = False
    known: bool = False

    def _expand(self) -> Iterator[tuple[list[str], str, str, list[str]]]:
        """All modifiers with the opcode first, the row, the name in it, and the modifiers
        that the form looks at."""
        pieces = re.findall(r"[{<(][^}>)]*[}>)]|[^{<(]+", self.text)
        choices = [p[1:-1].split(",") if p[0] in "{<(" else [p] for p in pieces]
        for chosen in itertools.product(*choices):
            whole = row = looked = ""
            named = []
            for piece, one in zip(pieces, chosen):
                one = f".{one}" if one[:1] in ("#", "%") else one
                whole += one
                row += one if piece[0] not in "<(" else ""
                named += [one.strip(".")] if piece[0] == "<" and one else []
                looked += one if piece[0] != "(" else ""
            yield _parts(whole), row.replace("..", "."), ".".join(named), _parts(looked)

    def forms(self) -> Iterator[Form]:
        for parts, row, name, looked in self._expand():
            if callable(self.operands):
                operands = self.operands(parts)
            else:
                operands = expand_operands(self.operands, parts)
            mnemonic = ".".join(one for one in parts if one[0] not in "#%")
            sample = f"{mnemonic} {operands};"
            if self.body:
                sample = self.body.replace("@", sample)
            key = self.key(looked[1:])
            yield Form(self.family, row.strip("."), name or "-", mnemonic, sample, self,
                       looked[0], key)  # fmt: skip

    def key(self, modifiers: list[str]) -> Key:
        """What is left of an instruction's modifiers when those that are open are away."""
        seen = [one for one in modifiers if one not in self.open]
        for default, others in self.default:
            if not others.intersection(seen):
                seen.append(default)
        ordered = tuple(one for one in seen if one in ORDERED)
        return frozenset(one for one in seen if one not in ORDERED), ordered


def _parts(mnemonic: str) -> list[str]:
    return [part for part in re.split(r"\.(?![xyz]\b)", mnemonic) if part]


def register_class(kind: str) -> str:
    """h, r, d, q or p for a type."""
    if kind == "pred":
        return "p"
    if kind[0] in "eu" and "m" in kind:
        return "h"
    bits = int(re.search(r"\d+", kind)[0]) * (2 if kind.endswith("x2") else 1)  # type: ignore[index]
    return "h" if bits <= 16 else "r" if bits == 32 else "d" if bits == 64 else "q"


def expand_operands(text: str, parts: list[str]) -> str:
    types = [one for one in parts if one in TYPES]
    wide = {"h": "r", "r": "d", "d": "q"}
    vector = next((int(p[1:]) for p in parts if p in ("v2", "v4", "v8")), 1)
    count = itertools.count()

    def register(kind: str) -> str:
        return f"%{kind}{next(count)}"

    def one(token: str) -> str:
        token = token.strip()
        if token.startswith("[") and token[1:-1] in ("d", "r"):
            return f"[{register(token[1:-1])}]"
        if token in ("p|p", "r|p"):
            return "|".join(register(kind) for kind in token.split("|"))
        if token in ("h", "r", "d", "q", "p", "f", "g"):
            return register(token)
        if match := re.fullmatch(r"(\d+)([hrdq])", token):
            return "{" + ", ".join(register(match[2]) for _ in range(int(match[1]))) + "}"
        if token in ("T", "V", "W") or re.fullmatch(r"T\d", token):
            kind = register_class(types[int(token[1:])] if token[1:] else types[-1])
            if token == "V" and vector > 1:
                return "{" + ", ".join(register(kind) for _ in range(vector)) + "}"
            return register(wide[kind] if token == "W" and "wide" in parts else kind)
        return token

    return ", ".join(one(token) for token in text.split(",")) if text else ""


def opened(*groups: tuple[str, ...] | str) -> frozenset[str]:
    """Modifiers that a form leaves open."""
    found: set[str] = set()
    for group in groups:
        found.update(group.split(",") if isinstance(group, str) else group)
    return frozenset(found)
