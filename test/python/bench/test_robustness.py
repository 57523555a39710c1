"""bench/robustness: kernels in other words do the same work, and are other words.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import numpy as np
import pytest

from tilewright.kernels import gemm, registry

FOLDER = Path(__file__).resolve().parents[3] / "bench" / "robustness"

# Plain modules that import each other by name, as `python bench/robustness` runs them.
sys.path.insert(0, str(FOLDER))
import comparison  # noqa: E402
import rewrite  # noqa: E402
import variant  # noqa: E402

sys.path.remove(str(FOLDER))

KERNELS = list(dict.fromkeys(name.partition("/")[0] for name in comparison.CASES))


def rewritten(name: str, body: str, parameters: str = "A, B, scale") -> str:
    """The body of a macro after one rewriting."""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    module = ast.parse(f"@T.macro\ndef m({parameters}):\n{lines}\n")
    rewrite.REWRITINGS[name](module)
    ast.fix_missing_locations(module)
    return "\n".join(ast.unparse(statement) for statement in module.body[0].body)


def test_statements_turn_around_as_far_as_they_depend_on_nothing():
    body = """
x = T.alloc_shared((8,), dtype)
y = T.alloc_shared((8,), dtype)
T.copy(A[0], x)
T.copy(B[0], y)
for i in T.Parallel(8):
    x[i] += y[i]
T.copy(x, A[0])
T.clear(y)"""
    assert rewritten("reorder", body).splitlines() == [
        "y = T.alloc_shared((8,), dtype)",
        "T.copy(B[0], y)",
        "x = T.alloc_shared((8,), dtype)",
        "T.copy(A[0], x)",
        "for i in T.Parallel(8):",
        "    x[i] += y[i]",
        "T.clear(y)",
        "T.copy(x, A[0])",
    ]


@pytest.mark.parametrize(
    "body",
    [
        "T.copy(A[0], x)\nT.copy(x, A[8])",  # the second writes what the first reads
        "v = T.reshape(x, (2, 4))\nT.clear(x)\nT.reduce_sum(v, y, dim=1)",  # x and v are one
        "absorb(x, y)\nT.copy(y, A[0])",  # a macro may write all that it is given
        "first = found[0]\nT.clear(found)",
        "lo, hi = 0, 1\nlo = lo + hi",
    ],
)
def test_statements_that_depend_stay(body):
    assert rewritten("reorder", body) == ast.unparse(ast.parse(body))


def test_operands_are_exchanged():
    assert rewritten("commute", "x[i + 1] = T.max(x[i], 0) * scale - y") == (
        "x[1 + i] = scale * T.max(0, x[i]) - y"
    )


def test_loops_are_joined():
    body = """
for i, j in T.Parallel(4, 8):
    x[i, j] = y[i, j] * 2
for r, c in T.Parallel(4, 8):
    z[r, c] = x[r, c]"""
    assert rewritten("elementwise", body, "x, y, z").splitlines() == [
        "for i, j in T.Parallel(4, 8):",
        "    x[i, j] = y[i, j] * 2",
        "    z[i, j] = x[i, j]",
    ]


@pytest.mark.parametrize("second", ["z[r, c] = x[c, r]", "z[r, c] = x[r, c + 1]", "z[c] = 1"])
def test_loops_whose_iterations_meet_stay(second):
    body = (
        "for i, j in T.Parallel(8, 8):\n    x[i, j] = y[i, j]\n"
        f"for r, c in T.Parallel(8, 8):\n    {second}"
    )
    assert rewritten("elementwise", body, "x, y, z") == body


def test_loops_are_split():
    two = "for i in T.Parallel(8):\n    x[i] *= 2\n    y[i] = x[i]"
    assert rewritten("elementwise", two, "x, y").count("T.Parallel") == 2
    nested = "for i in T.Parallel(8):\n    x[i] = T.exp2((x[i] - y[i]) * scale)"
    assert rewritten("elementwise", nested, "x, y, scale").splitlines() == [
        "for i in T.Parallel(8):",
        "    x[i] = (x[i] - y[i]) * scale",
        "for i in T.Parallel(8):",
        "    x[i] = T.exp2(x[i])",
    ]
    # The outer half needs x as it was: a store between would be seen.
    twice = "for i in T.Parallel(8):\n    x[i] = (x[i] + 1) * x[i]"
    assert rewritten("elementwise", twice, "x") == twice
    # A tile of a shorter type would round between.
    assert (
        rewritten("elementwise", nested.replace("x", "prob"), "prob, y, scale").count("Par")
        == 1
    )


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_variant_shares_no_name_with_the_kernel(kernel, tmp_path):
    made = variant.Variant(kernel, "fused", tmp_path)
    original = ast.parse(Path(made.original.__file__).read_text())
    changed = ast.parse(made.path.read_text())
    before, after = (
        [f for f in rewrite.device_functions(m) if rewrite.is_kernel(f)]
        for m in (original, changed)
    )
    assert len(before) == len(after) > 0
    names = [
        {name for f in kernels for name in rewrite._bound(f)} for kernels in (before, after)
    ]
    factories = [f for f in original.body if any(map(rewrite.is_kernel, ast.walk(f)))]
    parameters = {argument.arg for f in factories for argument in f.args.args}
    assert names[0] & names[1] <= parameters | {"e0", "e1", "e2"}
    for one, other in zip(before, after, strict=True):
        assert len(other.args.args) == len(one.args.args) + len(rewrite.EXTRA)
        assert ast.dump(one) != ast.dump(other)


SMALL = ("gemm/odd_nt/f32", "softmax/odd/bf16", "mla_decode/ragged_paged/bf16",
         "grouped_gemm/ragged/f32")  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind"), [*((name, "fused") for name in SMALL), (SMALL[1], "rewritten")]
)
def test_variants_are_right(name, kind, tmp_path):
    (case,) = registry.verify_cases([name])
    made = variant.Variant(case.kernel, kind, tmp_path)
    assert comparison.check(case, made, case.make_inputs(case.generator())) == ""


def test_the_extra_work_is_done_and_the_library_stays_as_it_is(tmp_path):
    made = variant.Variant("gemm", "fused", tmp_path)
    a = np.full((5, 7), 2, np.float32)
    b = np.full((7, 3), 3, np.float32)
    with made.in_place():
        assert (gemm.gemm(a, b) == 42).all()
        made.module.EXTRA = (2.0, 1.0, float("inf"))
        assert (gemm.gemm(a, b) == 85).all()
        made.module.EXTRA = (1.0, 0.0, 40.0)
        assert (gemm.gemm(a, b) == 40).all()
    assert (gemm.gemm(a, b) == 42).all()


def test_what_is_wrong_is_said(tmp_path, monkeypatch):
    (case,) = registry.verify_cases(["softmax/odd/bf16"])
    made = variant.Variant("softmax", "fused", tmp_path)
    made.module.EXTRA = (1.5, 0.0, float("inf"))
    inputs = case.make_inputs(case.generator())
    assert "beyond the bound" in comparison.check(case, made, inputs)
    slow = comparison.Result("c", "fused", 1.0, 2.0, 0.5, 0.0)
    assert [slow.holds, slow.__class__("c", "fused", 1.0, 1.0, 0.95, 0.0).holds] == [
        False,
        True,
    ]
    assert not comparison.Result("c", "fused", 1.0, 1.0, 1.0, 0.0, "all wrong").holds


def test_cases_are_those_of_the_benchmarks():
    assert [case.id for case in comparison.chosen(["softmax"])] == ["softmax/r4096_n4096/f32"]
    assert len(comparison.chosen([])) == len(comparison.CASES)
    with pytest.raises(ValueError, match="no case is named"):
        comparison.chosen(["moe"])
