"""The forms of matrix instructions, whose operands are vectors of as many registers as the
fragments of a lane take.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Iterator

from coverage_pattern import Pattern

BITS = {"f64": 64, "tf32": 32, "f32": 32, "s32": 32, "f16": 16, "bf16": 16, "e4m3": 8,
        "e5m2": 8, "s8": 8, "u8": 8, "s4": 4, "u4": 4, "b1": 1}  # fmt: skip


def _vector(count: int, kind: str, first: int) -> str:
    return "{" + ", ".join(f"%{kind}{first + i}" for i in range(count)) + "}"


def _fragment(elements: int, kind: str, first: int) -> str:
    """The registers of a lane for a share of so many elements."""
    if kind == "f64":
        return _vector(elements, "d", first)
    return _vector(max(elements * BITS[kind] // 32, 1), "r", first)


def shape_of(parts: list[str]) -> tuple[int, int, int]:
    shape = next(part for part in parts if part[0] == "m" and part[1:2].isdigit())
    m, rest = shape[1:].split("n")
    n, k = rest.split("k")
    return int(m), int(n), int(k)


def _mma(parts: list[str]) -> str:
    m, n, k = shape_of(parts)
    d, a, b, c = [part for part in parts if part in BITS]
    return ", ".join([
        _fragment(m * n // 32, d, 0), _fragment(m * k // 32, a, 20),
        _fragment(n * k // 32, b, 40), _fragment(m * n // 32, c, 60),
    ])  # fmt: skip


def _wgmma(parts: list[str]) -> str:
    m, n, k = shape_of(parts)
    d, a, _ = [part for part in parts if part in BITS]
    in_registers = "#a-registers" in parts
    source = _fragment(m * k // 128, a, 200) if in_registers else "%d1"
    operands = [_fragment(m * n // 128, d, 0), source, "%d2", "1"]
    if d != "s32":
        operands += ["1", "1"]
    if BITS[a] == 16:
        operands += ["0"] if in_registers else ["0", "0"]
    return ", ".join(operands)


# Registers of wmma's A and B by type and rows or columns; those of C have eight elements.
_WMMA = {
    "f16": {16: 8, 32: 8, 8: 8}, "bf16": {16: 4, 32: 8, 8: 2}, "tf32": {16: 4},
    "f64": {8: 1}, "s8": {16: 2, 32: 4, 8: 1}, "u8": {16: 2, 32: 4, 8: 1},
    "s4": {8: 1}, "u4": {8: 1}, "b1": {8: 1},
}  # fmt: skip


def _wmma_registers(matrix: str, shape: tuple[int, int, int], kind: str) -> tuple[int, str]:
    m, n, _ = shape
    if matrix in "ab":
        return _WMMA[kind].get(m if matrix == "a" else n, 0), "d" if kind == "f64" else "r"
    count = m * n // 32
    return (count // 2 if kind == "f16" else count), "d" if kind == "f64" else "r"


def _wmma_move(parts: list[str]) -> str:
    kind = next(part for part in parts if part in BITS)
    count, register = _wmma_registers(parts[2], shape_of(parts), kind)
    fragment = _vector(count, register, 0)
    operands = [fragment, "[%d9]"] if parts[1] == "load" else ["[%d9]", fragment]
    return ", ".join([*operands, "%r40"])


def _wmma(parts: list[str]) -> str:
    shape = shape_of(parts)
    kinds = [part for part in parts if part in BITS]
    d, a, b, c = kinds if len(kinds) == 4 else (kinds[0], "f16", "f16", kinds[1])
    operands = []
    for matrix, kind, first in (("d", d, 0), ("a", a, 20), ("b", b, 40), ("c", c, 60)):
        count, register = _wmma_registers(matrix, shape, kind)
        operands.append(_vector(count, register, first))
    return ", ".join(operands)


def patterns() -> Iterator[Pattern]:
    """Those of the family."""
    family = "Matrix moves"
    yield Pattern(family, "ldmatrix.sync.aligned.m8n8.<x1,x2,x4><,.trans><.shared,>.b16",
                  lambda parts: f"{_vector(int(parts[4][1]), 'r', 0)}, [%d0]")  # fmt: skip
    yield Pattern(family, "stmatrix.sync.aligned.m8n8.<x1,x2,x4><,.trans><.shared,>.b16",
                  lambda parts: f"[%d0], {_vector(int(parts[4][1]), 'r', 0)}")  # fmt: skip
    yield Pattern(family, "movmatrix.sync.aligned.m8n8.trans.b16", "r, r")

    family = "mma"
    mma = "mma.sync.aligned"
    yield Pattern(
        family, f"{mma}.{{m8n8k4,m16n8k4,m16n8k8,m16n8k16}}.row.col<,.rn>.f64.f64.f64.f64", _mma
    )
    yield Pattern(
        family,
        f"{mma}.m8n8k4.<row,col>.<row,col>.<f16,f32>.f16.f16.<f16,f32>",
        lambda parts: ", ".join(
            (_vector(4 if parts[-4] == "f16" else 8, "r", 0), _vector(2, "r", 20),
             _vector(2, "r", 40), _vector(4 if parts[-1] == "f16" else 8, "r", 60))
        ),
    )  # fmt: skip
    yield Pattern(family, f"{mma}.{{m16n8k4,m16n8k8}}.row.col.f32.tf32.tf32.f32", _mma)
    yield Pattern(
        family, f"{mma}.{{m16n8k8,m16n8k16}}.row.col.<f16,f32>.f16.f16.<f16,f32>", _mma
    )
    yield Pattern(family, f"{mma}.{{m16n8k8,m16n8k16}}.row.col.f32.bf16.bf16.f32", _mma)
    eighths = "<e4m3,e5m2>.<e4m3,e5m2>"
    yield Pattern(
        family, f"{mma}.{{m16n8k16,m16n8k32}}.row.col.<f16,f32>.{eighths}.<f16,f32>", _mma
    )
    for shapes, kinds in (
        ("m8n8k16,m16n8k16,m16n8k32", "s8,u8"),
        ("m8n8k32,m16n8k32,m16n8k64", "s4,u4"),
    ):
        yield Pattern(
            family, f"{mma}.{{{shapes}}}.row.col<,.satfinite>.s32.<{kinds}>.<{kinds}>.s32", _mma
        )
    yield Pattern(
        family,
        f"{mma}.{{m8n8k128,m16n8k128,m16n8k256}}.row.col.s32.b1.b1.s32.<xor,and>.popc",
        _mma,
    )

    family = "wmma"
    spaces = "<.global,.shared,>"
    wide = "m16n16k16,m32n8k16,m8n32k16"
    for shapes, kinds in ((wide, "f16,bf16,s8,u8"), ("m16n16k8", "tf32"), ("m8n8k4", "f64"),
                          ("m8n8k32", "s4,u4"), ("m8n8k128", "b1")):  # fmt: skip
        yield Pattern(
            family, f"wmma.load.<a,b>.sync.aligned.<row,col>.{{{shapes}}}{spaces}.<{kinds}>",
            _wmma_move,
        )  # fmt: skip
    for shapes, kinds in ((wide, "f16,f32,s32"), ("m16n16k8", "f32"), ("m8n8k4", "f64"),
                          ("m8n8k32", "s32"), ("m8n8k128", "s32")):  # fmt: skip
        for what in ("load.c", "store.d"):
            yield Pattern(
                family, f"wmma.{what}.sync.aligned.<row,col>.{{{shapes}}}{spaces}.<{kinds}>",
                _wmma_move,
            )  # fmt: skip
    layouts = "<row,col>.<row,col>"
    for shapes, rest in (
        (f"{{{wide}}}", ".<f16,f32>.<f16,f32>"),
        (f"{{{wide}}}", ".f32.bf16.bf16.f32"),
        (f"{{{wide}}}", ".s32.<s8.s8,u8.u8>.s32<,.satfinite>"),
        ("m16n16k8", ".f32.tf32.tf32.f32"),
        ("m8n8k4", "<,.rn>.f64.f64.f64.f64"),
        ("m8n8k32", ".s32.<s4.s4,u4.u4>.s32<,.satfinite>"),
    ):
        yield Pattern(family, f"wmma.mma.sync.aligned.{layouts}.{shapes}{rest}", _wmma)
    yield Pattern(
        family, "wmma.mma.<xor,and>.popc.sync.aligned.row.col.m8n8k128.s32.b1.b1.s32", _wmma
    )

    family = "wgmma"
    columns = ",".join(str(8 * i) for i in range(1, 33))
    start = "wgmma.mma_async.sync.aligned"
    where = "<#a-registers,#a-descriptor>"
    for k, kinds in (
        (16, "{f16,f32}.{f16.f16}"), (16, "{f32}.{bf16.bf16}"), (8, "{f32}.{tf32.tf32}"),
        (32, "{f16,f32}.{e4m3,e5m2}.{e4m3,e5m2}"),
        (32, "{s32}.{s8,u8}.{s8,u8}"), (32, "{s32}.{s8,u8}.{s8,u8}.{satfinite}"),
        (256, "{s32}.{b1}.{b1}.and.popc"),
    ):  # fmt: skip
        yield Pattern(family, f"{start}.m64n<{columns}>k{k}.{kinds}.{where}", _wgmma)
    yield Pattern(family, "wgmma.fence.sync.aligned", "")
    yield Pattern(family, "wgmma.commit_group.sync.aligned", "")
    yield Pattern(family, "wgmma.wait_group.sync.aligned", "0")
