"""Artifacts made from C by gcc: what the runtime's tests load where no compiler is needed.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[3]
DTYPES = [
    "bool",
    "i8",
    "i16",
    "i32",
    "i64",
    "u8",
    "u16",
    "u32",
    "u64",
    "f16",
    "bf16",
    "f32",
    "f64",
    "f8e4m3fn",
    "f8e5m2",
    "f8e4m3fnuz",
    "f8e5m2fnuz",
    "f8e4m3b11fnuz",
    "f8e8m0fnu",
]
_CODES = [*DTYPES, "f4e2m1fn"]  # which has no array of its own
MAGIC = int.from_bytes(b"TWSIG1\0\0", "little")
CONST, SYMBOL, CONTIGUOUS, ANY = range(4)


@dataclass
class Symbol:
    """A size that a launch determines, with what must hold of it."""

    name: str
    minimum: int = 0
    maximum: int = -1
    multiple_of: int = 1


@dataclass
class Tensor:
    """A tensor parameter; dims are numbers or symbols' names, access "r", "w" or "rw"."""

    name: str
    dtype: str
    dims: list
    access: str = "r"
    strides: list | None = None
    align: int = 1
    alias: str | None = None


@dataclass
class Scalar:
    """A scalar parameter, which may define a symbol."""

    name: str
    dtype: str
    symbol: str | None = None


@dataclass
class _Strings:
    data: bytearray = field(default_factory=bytearray)

    def add(self, text: str) -> int:
        offset = len(self.data)
        self.data += text.encode() + b"\0"
        return offset


def signature(params: list, symbols: list[Symbol] = ()) -> list[int]:
    """The signature table of abi.h as 64-bit words."""
    strings = _Strings()
    names = [s.name for s in symbols]
    positions = {p.name: i for i, p in enumerate(params)}
    header = 8 + 4 * len(symbols) + 8 * len(params)
    symbol_words = [
        w for s in symbols for w in (strings.add(s.name), s.minimum, s.maximum, s.multiple_of)
    ]
    param_words, dim_words, launch_words = [], [], 0
    for p in params:
        dtype = _CODES.index(p.dtype)
        if isinstance(p, Scalar):
            rank = -1 - names.index(p.symbol) if p.symbol else 0
            param_words += [1, strings.add(p.name), dtype, rank, 1, 1, 0, 0]
            launch_words += 1
            continue
        flags = ("r" in p.access) + 2 * ("w" in p.access)
        alias = positions[p.alias] + 1 if p.alias else 0
        first = header + len(dim_words)
        param_words += [
            0, strings.add(p.name), dtype, len(p.dims), flags, p.align, first, alias,
        ]  # fmt: skip
        for dim in [*p.dims, *(p.strides or ["contiguous"] * len(p.dims))]:
            if dim in ("contiguous", "any"):
                dim_words += [CONTIGUOUS if dim == "contiguous" else ANY, 0]
            elif isinstance(dim, str):
                dim_words += [SYMBOL, names.index(dim)]
            else:
                dim_words += [CONST, dim]
        launch_words += 1 + 2 * len(p.dims)
    start = header + len(dim_words)
    length = len(strings.data)
    text = bytes(strings.data) + b"\0" * (-length % 8)
    string_words = [
        int.from_bytes(text[i : i + 8], "little", signed=True) for i in range(0, len(text), 8)
    ]
    total = start + len(string_words)
    head = [MAGIC, total, len(params), len(symbols), start, length, launch_words, 0]
    return head + symbol_words + param_words + dim_words + string_words


def source(name: str, params: list, symbols: list[Symbol], body: str, target: str) -> str:
    """A C file of an artifact. `body` is that of the launch function, which may name
    `host`, `context` and `words`; what precedes a line "---" in it stands before it."""
    words = ", ".join(f"{w}ll" for w in signature(params, symbols))
    before, _, inside = body.rpartition("---")
    return f"""
#include "tilewright/abi.h"
{before}
static int32_t launch(const tw_host_v1 *host, void *context, const uint64_t *words) {{
  (void)host, (void)context, (void)words;
  {inside}
  return 0;
}}
static const int64_t table[] = {{{words}}};
static const tw_image_v1 images[] = {{{{"{target}", launch, 0, 0}}}};
__attribute__((visibility("default"))) const tw_artifact_v1 tw_artifact = {{
    sizeof(tw_artifact_v1), TW_ABI_VERSION, "{name}", table, "{{}}", 1, images}};
"""


def build(
    folder: Path,
    params: list,
    symbols: list[Symbol] = (),
    body: str = "",
    *,
    name: str = "kernel",
    target: str = "cpu",
) -> Path:
    """Compile an artifact into `folder`; its path."""
    text = source(name, params, list(symbols), body, target)
    return compile_source(text, folder / f"{name}.so")


def compile_source(text: str, path: Path) -> Path:
    """Compile a C file of an artifact into `path`, which is returned."""
    subprocess.run(
        ["gcc", "-x", "c", "-", "-shared", "-fPIC", "-O2", "-I", ROOT / "runtime/include",
         "-fvisibility=hidden", "-o", path],
        input=text,
        text=True,
        check=True,
    )  # fmt: skip
    return path


# add(A, by, C): C = A + by, of any strides of A, a block for each row.
ADD_PARAMS = [
    Tensor("A", "f32", ["m", "n"], strides=["any", "any"]),
    Scalar("by", "f32"),
    Tensor("C", "f32", ["m", "n"], "w"),
]
ADD_SYMBOLS = [Symbol("m"), Symbol("n")]
ADD_BODY = """
#include <string.h>
struct env { const float *a; float *c; float by; int64_t n, s0, s1; };
static void add_rows(void *p, int64_t begin, int64_t end, void *arena) {
  struct env *e = p;
  (void)arena;
  for (int64_t i = begin; i < end; ++i)
    for (int64_t j = 0; j < e->n; ++j)
      e->c[i * e->n + j] = e->a[i * e->s0 + j * e->s1] + e->by;
}
---
  struct env e = {(const float *)words[0], (float *)words[6], 0,
                  words[2], words[3], words[4]};
  memcpy(&e.by, &words[5], 4);
  return host->parallel_for(context, words[1], add_rows, &e, 0);
"""
