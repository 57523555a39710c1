# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Drawn loops that carry sums and maxima from one step to the next.

cpu-split-sums divides a loop where it finds how what two parts of it leave is joined. The
steps here are those of an online softmax, with statements left out, doubled, changed or in
another order: most mean nothing, but each has one result, which is that of the same kernel
where loops are not divided (`batch_invariant`).
"""

from __future__ import annotations

import random
import zlib
from pathlib import Path

import numpy as np

import tilewright

SEEDS = 48
KINDS = "finite", "masked", "nan", "inf"
ROWS, N, C, STEPS = 8, 32, 32, 96

TEMPLATE = """
import tilewright.language as T

@T.prim_func
def loop(
    X: T.Tensor(({rows}, {columns}), "f32"),
    V: T.Tensor(({columns}, {c}), "f32"),
    Y: T.Tensor(({rows}, {columns}), "f32"),
    Out: T.Tensor((5, {rows}, {c}), "f32"),
):
    with T.Kernel(1):
        x = T.alloc_shared(({rows}, {n}), "f32")
        y = T.alloc_shared(({rows}, {n}), "f32")
        p = T.alloc_fragment(({rows}, {n}), "f32")
        v = T.alloc_shared(({n}, {c}), "f32")
        acc = T.alloc_fragment(({rows}, {c}), "f32")
        top = T.alloc_fragment(({rows},), "f32")
        before = T.alloc_fragment(({rows},), "f32")
        weight = T.alloc_fragment(({rows},), "f32")
        total = T.alloc_fragment(({rows},), "f32")
        part = T.alloc_fragment(({rows},), "f32")
        most = T.alloc_fragment(({rows},), "f32")
        count = T.alloc_fragment(({rows},), "f32")
{begin}
        for step in T.serial({steps}):
            T.copy(X[0, step * {n}], x)
            T.copy(Y[0, step * {n}], y)
            T.copy(V[step * {n}, 0], v)
{body}
        T.copy(acc, Out[0, 0, 0])
        for i, j in T.Parallel({rows}, {c}):
            Out[1, i, j] = total[i]
            Out[2, i, j] = top[i]
            Out[3, i, j] = most[i]
            Out[4, i, j] = count[i]
"""

BEGIN = {
    "acc": ("T.clear(acc)", "T.fill(acc, 3)"),
    "top": (
        "T.fill(top, -1e30)", "T.fill(top, -T.infinity('f32'))", "T.clear(top)",
        "T.copy(Y[0, 7], top)",
    ),
    "total": ("T.clear(total)", "T.fill(total, 1)", "T.copy(Y[0, 5], total)"),
    "most": ("T.clear(most)", "T.fill(most, -T.infinity('f32'))"),
    "count": ("T.clear(count)", "T.fill(count, 2)", "T.copy(Y[0, 9], count)"),
}  # fmt: skip


def _rows(*lines: str) -> str:
    return "\n".join([f"for i in T.Parallel({ROWS}):", *(f"    {line}" for line in lines)])


def _elements(*lines: str, columns: int = N) -> str:
    return "\n".join(
        [f"for i, j in T.Parallel({ROWS}, {columns}):", *(f"    {line}" for line in lines)]
    )


# Each statement in forms that are usual, and behind `None` in some that mean something else.
STEP = [
    ["T.copy(top, before)", _rows("before[i] = top[i]"), None,
     _rows("before[i] = total[i]"), _rows(f"before[i] = top[{ROWS - 1} - i]")],
    ["T.reduce_max(x, top, dim=1, clear=False)",
     "T.reduce_max(x, part, dim=1)\n" + _rows("top[i] = T.max(part[i], before[i])"),
     "T.reduce_max(x, top, dim=1, clear=False, nan_propagate=False)",
     "T.reduce_absmax(x, top, dim=1, clear=False)", None,
     _rows("top[i] = T.max(top[i], x[i, 3])"),
     "T.reduce_min(x, part, dim=1)\n" + _rows("top[i] = T.max(part[i], before[i])"),
     "T.reduce_max(x, part, dim=1)\n" + _rows("top[i] = T.max(part[i] * 0.5, before[i])"),
     _elements("y[i, j] = x[i, 31 - j]") + "\nT.reduce_max(y, top, dim=1, clear=False)",
     _elements("y[i, j] = x[7 - i, j]") + "\nT.reduce_max(y, top, dim=1, clear=False)",
     "T.reduce_max(x, top, dim=1)", "T.reduce_max(y, top, dim=1, clear=False)",
     "T.reduce_min(x, top, dim=1, clear=False)",
     _rows("top[i] = T.max(top[i], total[i])"),
     "if step % 2 == 0:\n    T.reduce_max(x, top, dim=1, clear=False)"],
    [_rows("weight[i] = T.exp2((before[i] - top[i]) * 0.5)"),
     _rows("weight[i] = T.exp2(before[i] * 0.5 - top[i] * 0.5)"), None,
     _rows("weight[i] = T.exp2((before[i] - top[i]) * 0.25)"),
     _rows("weight[i] = T.exp((before[i] - top[i]) * 0.5)"),
     _rows("weight[i] = T.exp2((top[i] - before[i]) * 0.5)"),
     _rows("weight[i] = T.exp2(before[i] - top[i])"),
     _rows(
         "weight[i] = T.cast(T.cast(T.exp2((before[i] - top[i]) * 0.5), 'bf16'), 'f32')"
     ),
     _rows("weight[i] = T.exp2((before[i] - top[i]) * 0.5) * 0.5")],
    [_elements("p[i, j] = T.exp2((x[i, j] - top[i]) * 0.5)"),
     _elements("p[i, j] = T.exp2(x[i, j] * 0.5 - top[i] * 0.5) * y[i, j]"),
     _elements("p[i, j] = T.if_then_else(y[i, j] > 0, T.exp2((x[i, j] - top[i]) * 0.5), 0)"),
     _elements("p[i, j] = -T.exp2((x[i, j] - top[i]) * 0.5) / (y[i, j] + 7)"),
     _elements(
         "p[i, j] = T.exp2((x[i, j] - top[i]) * 0.5)", "if y[i, j] > 2:", "    p[i, j] = 0"
     ),
     "T.clear(p)\n"
     + _elements("if y[i, j] > 1:", "    p[i, j] = T.exp2((x[i, j] - top[i]) * 0.5)"),
     None, _elements("p[i, j] = x[i, j]"),
     _elements("p[i, j] = T.exp2((x[i, j] - top[i]) * 0.5) * T.exp2((y[i, j] - top[i]) * 0.5)"),
     _elements("p[i, j] = T.exp2((y[i, j] - top[i]) * 0.5)"),
     _elements("p[i, j] = T.exp2((x[i, j] - before[i]) * 0.5)")
     + "\n" + _elements("p[i, j] *= weight[i]"),
     _elements("p[i, j] = T.exp2((x[i, j] - before[i]) * 0.5)"),
     _elements("p[i, j] = T.exp2((x[i, j] - top[i]) * 0.5) + 1"),
     _elements("p[i, j] = T.if_then_else(y[i, j] > 0, T.exp2((x[i, j] - top[i]) * 0.5), 1)"),
     _elements("if top[i] > 3:", "    p[i, j] = T.exp2((x[i, j] - top[i]) * 0.5)")],
    ["T.reduce_sum(p, part, dim=1)\n" + _rows("total[i] = total[i] * weight[i] + part[i]"),
     _rows("total[i] *= weight[i]") + "\nT.reduce_sum(p, total, dim=1, clear=False)", None,
     "T.reduce_sum(p, total, dim=1, clear=False)",
     _rows("total[i] = T.cast(T.cast(total[i] * weight[i], 'bf16'), 'f32')")
     + "\nT.reduce_sum(p, total, dim=1, clear=False)",
     "T.reduce_sum(p, total, dim=1)",
     "T.reduce_sum(p, total, dim=1, clear=False)\n" + _rows("total[i] *= weight[i]"),
     "T.reduce_sum(x, total, dim=1, clear=False)",
     _rows("total[i] = total[i] * weight[i] * 0.5")
     + "\nT.reduce_sum(p, total, dim=1, clear=False)",
     _rows("total[i] = total[i] * weight[i] * weight[i]")
     + "\nT.reduce_sum(p, total, dim=1, clear=False)"],
    [_elements("acc[i, j] *= weight[i]", columns=C) + "\nT.gemm(p, v, acc)",
     _elements("acc[i, j] = weight[i] * acc[i, j]", columns=C) + "\nT.gemm(p, v, acc)", None,
     "T.gemm(p, v, acc)", "T.gemm(x, v, acc)",
     "T.gemm(p, v, acc)\n" + _elements("acc[i, j] *= weight[i]", columns=C),
     _elements(f"acc[i, j] *= weight[{ROWS - 1} - i]", columns=C) + "\nT.gemm(p, v, acc)",
     _elements("acc[i, j] -= weight[i]", columns=C) + "\nT.gemm(p, v, acc)"],
    ["T.reduce_max(y, most, dim=1, clear=False)",
     "T.reduce_absmax(y, most, dim=1, clear=False)",
     "T.reduce_min(y, most, dim=1, clear=False)",
     _rows("most[i] = T.min(most[i], y[i, 1] * y[i, 2])"), None,
     "T.reduce_max(y, most, dim=1)", "T.reduce_max(p, most, dim=1, clear=False)",
     _rows("most[i] = T.max(most[i], top[i])")],
    [_rows("count[i] += 1"), "T.reduce_sum(y, count, dim=1, clear=False)",
     _rows("count[i] = (count[i] - y[i, 3]) + y[i, 1]"),
     _rows("count[i] = T.fma(y[i, 1], y[i, 2], count[i])"), None,
     _rows("count[i] += T.exp2(before[i] - before[i])"),
     _rows("count[i] += (total[i] + 1) - total[i]"),
     _rows("count[i] = count[i] * 0.5 + 1"), _rows("count[i] = 1 - count[i]"),
     _rows("count[i] += top[i]"), _rows("count[i] += before[i]"),
     _rows("if y[i, 0] > 0:", "    count[i] += 1")],
]  # fmt: skip


def drawn(seed: int) -> str:
    """The text of a kernel."""
    rng = random.Random(seed)

    def form(forms: list, one_in: int) -> str:
        usual = forms.index(None)
        is_usual = rng.randrange(one_in) != 0
        return rng.choice(forms[:usual] if is_usual else forms[usual + 1 :])

    # One in three is an online softmax, whatever forms its statements have.
    one_in = rng.choice((1000, 8, 4))
    body = [form(forms, one_in) for forms in STEP]
    if rng.randrange(3) == 0:
        at, other = rng.sample(range(len(body)), 2)
        body[at], body[other] = body[other], body[at]
    if rng.randrange(8) == 0:
        body.insert(rng.randrange(len(body)), rng.choice(body))
    if rng.randrange(8) == 0:
        body.pop(rng.randrange(len(body)))
    begin = [rng.choice(forms[:1] * 2 + forms) for forms in BEGIN.values()]
    return TEMPLATE.format(
        rows=ROWS, n=N, c=C, columns=STEPS * N, steps=STEPS,
        begin=_indented("\n".join(begin), 8), body=_indented("\n".join(body), 12),
    )  # fmt: skip


def _indented(text: str, spaces: int) -> str:
    return "\n".join(" " * spaces + line for line in text.splitlines())


def compiled(text: str, folder: Path, **options: bool):
    """The kernel of a text, which lies in a file for the compiler to read."""
    path = folder / f"loop_{zlib.crc32(text.encode()):08x}.py"
    path.write_text(text)
    names: dict = {}
    exec(compile(text, str(path), "exec"), names)
    return tilewright.compile(names["loop"], target="cpu", **options)


def is_divided(kernel) -> bool:
    """Whether several blocks do the loop's steps."""
    return any("steps of a sum of its" in str(remark) for remark in kernel.remarks())


def check(text: str, folder: Path) -> bool:
    """Whether the loop was divided; its results are those of the whole one then."""
    try:
        kernel = compiled(text, folder)
    except tilewright.CompileError as error:
        if "is read before anything is written to it" not in str(error):
            raise
        return False
    if not is_divided(kernel):
        return False
    kernels = kernel, compiled(text, folder, batch_invariant=True)
    for kind in KINDS:
        _compare(kernels, kind, np.random.default_rng(zlib.crc32(text.encode())))
    return True


def _compare(kernels, kind: str, rng: np.random.Generator) -> None:
    """Checks that two kernels have the same results of some numbers."""
    x, y = rng.uniform(-6, 6, (2, ROWS, STEPS * N)).astype(np.float32)
    # Maxima move in all steps, in each row by as much as it pleases.
    x += np.linspace(0, rng.uniform(-20, 20, ROWS), STEPS * N, dtype=np.float32).T
    v = rng.uniform(0.5, 1.5, (STEPS * N, C)).astype(np.float32)
    for row in range(0, ROWS, 2):
        first, last = sorted(rng.integers(0, STEPS * N, 2))
        if kind == "masked":
            x[row, first:last] = -np.inf
        elif kind != "finite":
            # Not in the last step: an infinity that no later step meets may be masked there.
            x[row, first % ((STEPS - 1) * N)] = kind
            y[row, last % ((STEPS - 1) * N)] = kind
    results = []
    for kernel in kernels:
        out = np.full((5, ROWS, C), np.nan, np.float32)
        kernel(x, v, y, out)
        results.append(out)
    # Terms of both signs may cancel: errors are of the size of what was summed.
    for one, other in zip(*results):
        np.testing.assert_array_equal(np.isnan(one), np.isnan(other))
        np.testing.assert_array_equal(np.isinf(one), np.isinf(other))
        one, other = one[np.isfinite(one)], other[np.isfinite(other)]
        limit = 3e-4 * (1 + np.abs(other).max(initial=0))
        assert (np.abs(one.astype(np.float64) - other) <= limit).all()


def test_drawn_loops(tmp_path: Path) -> None:
    """Some of the loops are divided, and some are not."""
    found = sum(check(drawn(seed), tmp_path) for seed in range(SEEDS))
    assert SEEDS // 6 <= found <= SEEDS * 5 // 6, found
