"""The kernels that are mutated: where their text is, and a small call of each.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

ROOT = Path(__file__).resolve().parents[3]
BF16 = ml_dtypes.bfloat16

Results = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Kernel:
    """One kernel.

    `file` is relative to the repository; `functions` names the functions whose bodies are
    mutated. `smaller` replaces text, so that tiles are small and a run takes milliseconds.
    `call(module, rng)` calls the kernel of a module and gives what it wrote.
    """

    name: str
    file: str
    functions: tuple[str, ...]
    call: Callable[[Any, np.random.Generator], Results]
    smaller: tuple[tuple[str, str], ...] = ()

    def text(self) -> str:
        """The module's text before mutation; of a page the functions themselves."""
        text = (ROOT / self.file).read_text()
        if self.file.endswith(".md"):
            text = _from_page(text, self.functions)
        for old, new in self.smaller:
            assert old in text, (self.name, old)
            text = text.replace(old, new)
        return text


def _from_page(page: str, names: tuple[str, ...]) -> str:
    """A module of some functions that the Python blocks of a page define."""
    found = {}
    for block in re.findall(r"^```python\n(.*?)^```", page, re.M | re.S):
        for node in ast.parse(block).body:
            if isinstance(node, ast.FunctionDef):
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                lines = block.splitlines()[first - 1 : node.end_lineno]
                found.setdefault(node.name, "\n".join(lines))
    imports = "import tilewright\nimport tilewright.language as T\n"
    return "\n\n".join([imports, *(found[name] for name in names)])


def normal(rng: np.random.Generator, *shape: int, dtype: Any = np.float32) -> np.ndarray:
    """Normal values of a shape."""
    return rng.standard_normal(shape, np.float32).astype(dtype)


def blank(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    """An output that holds something else before."""
    return np.full(shape, 7, dtype)


def _softmax(m: Any, rng: np.random.Generator) -> Results:
    out = blank(5, 13)
    m.softmax(normal(rng, 5, 13), out=out)
    return {"out": out}


def _rmsnorm(m: Any, rng: np.random.Generator) -> Results:
    out = blank(5, 13)
    m.rmsnorm(normal(rng, 5, 13), normal(rng, 13), out=out)
    return {"out": out}


def _swiglu(m: Any, rng: np.random.Generator) -> Results:
    out = blank(5, 11, dtype=BF16)
    m.swiglu(normal(rng, 5, 22, dtype=BF16), limit=1.0, out=out)
    return {"out": out}


def _gemm(m: Any, rng: np.random.Generator) -> Results:
    out = blank(9, 13)
    m.gemm(normal(rng, 9, 11), normal(rng, 11, 13), out=out, tile=(4, 8, 4))
    return {"out": out}


def _gemm_i8(m: Any, rng: np.random.Generator) -> Results:
    out = blank(9, 13, dtype=np.int32)
    a, b = (rng.integers(-128, 128, s).astype(np.int8) for s in ((11, 9), (13, 11)))
    m.gemm(a, b, transpose_a=True, transpose_b=True, out=out, tile=(4, 8, 4))
    return {"out": out}


def _attention(m: Any, rng: np.random.Generator) -> Results:
    out, lse = blank(1, 2, 6, 4), blank(1, 2, 6)
    q, k, v = normal(rng, 1, 2, 6, 4), normal(rng, 1, 1, 9, 4), normal(rng, 1, 1, 9, 4)
    lengths = (np.array([n], np.int32) for n in (5, 7))
    q_lengths, kv_lengths = lengths
    m.attention(
        q, k, v, causal=True, q_lengths=q_lengths, kv_lengths=kv_lengths, out=out, lse=lse
    )
    return {"out": out, "lse": lse}


def _mla_decode(m: Any, rng: np.random.Generator) -> Results:
    out, lse = blank(2, 1, 3, 4), blank(2, 3, 1)
    cache, table = normal(rng, 7, 4, 6), np.array([[3, 0, 5], [6, 1, 99]], np.int32)
    lengths = np.array([9, 3], np.int32)
    m.mla_decode(normal(rng, 2, 1, 3, 6), cache, lengths, table, d_v=4, out=out, lse=lse)
    return {"out": out, "lse": lse}


def _sparse_mla(m: Any, rng: np.random.Generator) -> Results:
    out, lse, peak = blank(2, 3, 4), blank(2, 3), blank(2, 3)
    indices = np.array([[4, 0, -1, 2, 4], [1, 99, 3, 0, 2]], np.int32)
    m.sparse_mla(normal(rng, 2, 3, 6), normal(rng, 5, 6), indices, d_v=4,
                 attn_sink=normal(rng, 3), topk_length=np.array([5, 3], np.int32), out=out,
                 max_logits=peak, lse=lse)  # fmt: skip
    return {"out": out, "lse": lse, "max_logits": peak}


def _moe_gate(m: Any, rng: np.random.Generator) -> Results:
    weights, ids = blank(5, 3), blank(5, 3, dtype=np.int32)
    m.moe_gate(normal(rng, 5, 12), 3, score="sigmoid", bias=normal(rng, 12), groups=3,
               keep_groups=2, renormalize=True, weights=weights, ids=ids)  # fmt: skip
    return {"weights": weights, "ids": ids}


def _moe_permute(m: Any, rng: np.random.Generator) -> Results:
    ids, x = rng.integers(-1, 4, (5, 2)).astype(np.int32), normal(rng, 5, 6)
    shapes = {"counts": 4, "offsets": 5, "positions": (5, 2), "slots": 14, "rows": (14, 6)}
    out = {n: np.full(s, 7, x.dtype if n == "rows" else np.int32) for n, s in shapes.items()}
    m.moe_permute(ids, x, 4, align=2, out=m.Permuted(**out))
    return out


def _moe_combine(m: Any, rng: np.random.Generator) -> Results:
    out, positions = blank(5, 6), rng.permutation(12)[:10].reshape(5, 2).astype(np.int32)
    positions[1, 1] = -1
    m.moe_combine(normal(rng, 12, 6), normal(rng, 5, 2), positions, normal(rng, 5, 6), out=out)
    return {"out": out}


def _grouped_gemm(m: Any, rng: np.random.Generator) -> Results:
    out, offsets = blank(9, 7), np.array([0, 3, 3, 8], np.int32)
    m.grouped_gemm(normal(rng, 9, 6), normal(rng, 3, 7, 6), offsets, out=out)
    return {"out": out}


def _add(m: Any, rng: np.random.Generator) -> Results:
    return {"C": m.add(normal(rng, 37), normal(rng, 37))}


def _rows(m: Any, rng: np.random.Generator) -> Results:
    return {"Y": m.softmax(normal(rng, 5, 13))}


def _product(m: Any, rng: np.random.Generator) -> Results:
    return {"C": m.matmul(normal(rng, 9, 11), normal(rng, 11, 13))}


def _silu(m: Any, rng: np.random.Generator) -> Results:
    a, b = normal(rng, 9, 11, dtype=BF16), normal(rng, 11, 13, dtype=BF16)
    return {"C": m.matmul_silu(a, b, 8)}


def _lazy(name: str, arguments: tuple, *shapes: tuple, dtype: Any = np.float32):
    """A call of a lazy kernel that returns its outputs."""

    def call(m: Any, rng: np.random.Generator) -> Results:
        kernel = getattr(m, name)(*arguments)
        made = kernel(*(normal(rng, *shape, dtype=dtype) for shape in shapes))
        return {str(i): a for i, a in enumerate(made if isinstance(made, tuple) else (made,))}

    return call


_KERNELS = "python/tilewright/kernels/"
_STYLE = "test/python/tilelang_style/"
_ROWS = (
    ("WHOLE_ROW = 8192", "WHOLE_ROW = 64"),
    ("BLOCK_ELEMENTS = 4096", "BLOCK_ELEMENTS = 26"),
)
_LONG = (
    ("WHOLE_ROW = 8192", "WHOLE_ROW = 4"),
    ("COLUMNS = 2048", "COLUMNS = 8"),
    ("BLOCK_ELEMENTS = 4096", "BLOCK_ELEMENTS = 16"),
)

CORPUS = [
    Kernel("softmax", _KERNELS + "softmax.py", ("softmax_row",), _softmax, _ROWS),
    Kernel("softmax_long", _KERNELS + "softmax.py", ("softmax_long_row",), _softmax, _LONG),
    Kernel("rmsnorm", _KERNELS + "rmsnorm.py", ("rmsnorm_row",), _rmsnorm, _ROWS),
    Kernel("rmsnorm_long", _KERNELS + "rmsnorm.py", ("rmsnorm_long_row",), _rmsnorm, _LONG),
    Kernel(
        "swiglu", _KERNELS + "swiglu.py", ("swiglu",), _swiglu,
        (("BM, BN = 16, 256", "BM, BN = 4, 8"),),
    ),
    Kernel("gemm", _KERNELS + "gemm.py", ("gemm",), _gemm),
    Kernel("gemm_i8", _KERNELS + "gemm.py", ("gemm",), _gemm_i8),
    Kernel(
        "attention", _KERNELS + "attention.py", ("attention",), _attention,
        (("[m for m in (128, 64, 32, 8, 1) if m <= rows]", "[4, 2]"),),
    ),
    Kernel(
        "mla_decode", _KERNELS + "mla_decode.py", ("mla_decode",), _mla_decode,
        (
            ("SPLIT_KEYS = 1024", "SPLIT_KEYS = 4"), ("BR = 16", "BR = 2"),
            ("[m for m in (*tallest, 64, 32, 16, 8) if m <= 16 or m < 2 * rows]", "[2]"),
            ("[n for n in (64, 32, 16, 8) if not paged or page % n == 0]", "[2]"),
        ),
    ),
    Kernel(
        "sparse_mla", _KERNELS + "sparse_mla.py", ("sparse_mla",), _sparse_mla,
        (
            ("[m for m in (*tallest, 64, 32, 16, 8) if m <= 16 or m < 2 * heads]", "[2]"),
            ("[64, 32, 16, 8]", "[4, 2]"),
        ),
    ),
    Kernel(
        "moe_gate", _KERNELS + "moe_gate.py", ("moe_gate",), _moe_gate,
        (("[16, 8, 4]", "[4, 2]"),),
    ),
    Kernel(
        "moe_permute", _KERNELS + "moe_permute.py", ("moe_permute",), _moe_permute,
        (("BE = 256", "BE = 4"), ("[16, 8, 4]", "[4, 2]")),
    ),
    Kernel(
        "moe_combine", _KERNELS + "moe_combine.py", ("moe_combine",), _moe_combine,
        (("[8, 4]", "[4, 2]"),),
    ),
    Kernel(
        "grouped_gemm", _KERNELS + "grouped_gemm.py", ("grouped_gemm",), _grouped_gemm,
        (
            ("[m for m in reversed(_rows_for(target)) if m <= row_tile]", "[2]"),
            ("[128, 64, 32]", "[4, 2]"),
            ("[longest >> i for i in range(8) if k % (longest >> i) == 0] or [32]", "[4, 2]"),
        ),
    ),
    Kernel("readme", "README.md", ("matmul",), _product, (("int = 64", "int = 8"),)),
    Kernel("tutorial_add", "docs/tutorial.md", ("add",), _add, (("1024", "16"),)),
    Kernel("tutorial_softmax", "docs/tutorial.md", ("softmax",), _rows),
    Kernel(
        "tutorial_matmul", "docs/tutorial.md", ("matmul",), _product,
        (("int = 64", "int = 8"), ("int = 32", "int = 4")),
    ),
    Kernel("tutorial_silu", "docs/tutorial.md", ("silu", "matmul_silu"), _silu),
    Kernel(
        "lazy_matmul", _STYLE + "test_gemm.py", ("lazy_matmul",),
        _lazy("lazy_matmul", (9, 13, 11, 4, 8, 4), (9, 11), (11, 13), dtype=np.float16),
    ),
    Kernel(
        "rms_norm_by_parts", _STYLE + "test_rows.py", ("rms_norm_by_parts",),
        _lazy("rms_norm_by_parts", (5, 12, 2, 4), (5, 12)),
    ),
    Kernel(
        "topk_by_rounds", _STYLE + "test_rows.py", ("topk_by_rounds",),
        _lazy("topk_by_rounds", (5, 9, 3, 2), (5, 9)),
    ),
    Kernel(
        "softmax_kernel", _STYLE + "test_rows.py", ("softmax_kernel",),
        _lazy("softmax_kernel", (3, 21), (3, 21)), (("min(1024, N)", "min(8, N)"),),
    ),
    Kernel(
        "elementwise_add", _STYLE + "test_rows.py", ("elementwise_add",),
        _lazy("elementwise_add", (5, 7, 2, 4, "float32", "float32"), (5, 7), (5, 7)),
    ),
]  # fmt: skip
