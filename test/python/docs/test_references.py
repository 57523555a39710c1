"""The pages that scripts write from the .td files and pipelines are up to date.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def script(name: str, monkeypatch: pytest.MonkeyPatch):
    """A script of the repository as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module(name)


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("pass_reference", "passes.md"),
        ("operation_reference", "operations.md"),
        ("pipelines", "pipelines.md"),
    ],
)
def test_page_is_up_to_date(name, page, monkeypatch):
    written = (ROOT / "docs" / page).read_text()
    assert written == script(name, monkeypatch).page(), f"run scripts/{name}.py"


def test_portability_is_told_of_every_kernel(monkeypatch):
    from tilewright.kernels import registry

    portability = script("portability", monkeypatch)
    summary = json.loads(portability.SUMMARY.read_text())
    assert portability.PAGE.read_text() == portability.page(summary), (
        "run scripts/portability.py"
    )
    assert set(summary["kernels"]) == {case.kernel for case in registry.verify_cases()}


def test_what_fails_is_on_the_page_of_portability(monkeypatch):
    portability = script("portability", monkeypatch)
    results = [
        {"kernel": "gemm", "case": f"odd/{d}", "device": "cpu", "status": s,
         "max_error_over_bound": r}
        for d, s, r in (("f32", "pass", 0.5), ("bf16", "fail", None), ("f16", "pass", 0.25))
    ]  # fmt: skip
    summary = portability.summarise([{"results": results}], "2026-01-02")
    page = portability.page(summary)
    assert "| gemm | **2 of 3**, 0.50 |" in page
    assert "- gemm on `cpu`, odd/bf16: fail" in page
    assert "| run on | 2026-01-02 |" in page
    assert "--smoke" not in page


def test_devices_that_were_not_run_again_stay_on_the_page_of_portability(monkeypatch):
    portability = script("portability", monkeypatch)

    def report(device: str, status: str, *dtypes: str) -> dict:
        return {"results": [
            {"kernel": "gemm", "case": f"odd/{dtype}", "device": device, "status": status,
             "max_error_over_bound": 0.5}
            for dtype in dtypes
        ]}  # fmt: skip

    first = [report("cpu", "pass", "f32", "f16"), report("cuda", "fail", "f32", "f16")]
    former = portability.summarise(first, "2026-01-02")
    summary = portability.summarise([report("cuda", "pass", "f32")], "2026-01-03", former)
    page = portability.page(summary)
    assert "| gemm | 2, 0.50 | 1, 0.50 |" in page
    assert "| run on | 2026-01-02 | 2026-01-03 |" in page
    assert "On `cuda` it is one case of each kernel and dtype" in page


def test_every_pass_is_run(monkeypatch):
    pipelines = script("pipelines", monkeypatch)
    ods = pipelines.ods
    declared = {p["argument"] for td in ods.pass_files() for p in ods.passes(td)}
    run = {step.name for t in pipelines.TARGETS.values() for step in pipelines.steps_of(t)}
    assert declared - run == set(sum(ods.first_passes().values(), []))


def test_the_sources_have_the_pipelines_of_the_cpu(monkeypatch):
    pipelines = script("pipelines", monkeypatch)
    written = [a for passes in pipelines.ods.cpu_pipelines().values() for a in passes]
    assert written == [step.name for step in pipelines.steps_of(pipelines.TARGETS["cpu"])]


def test_a_pipeline_is_read_with_its_nesting(monkeypatch):
    pipelines = script("pipelines", monkeypatch)
    steps = pipelines.parse(
        "builtin.module(func.func(a{x=1 y=u,v}),b,builtin.module(c{},func.func(d)),e-f)"
    )
    assert [(s.name, s.scope, s.options) for s in steps] == [
        ("a", "func.func", ("x=1", "y=u,v")),
        ("b", "builtin.module", ()),
        ("c", "builtin.module/builtin.module", ()),
        ("d", "func.func", ()),
        ("e-f", "builtin.module", ()),
    ]


def test_orders_are_merged(monkeypatch):
    pipelines = script("pipelines", monkeypatch)
    lists = [[(name, "") for name in text] for text in ("abcde", "axcye", "axcze")]
    order = pipelines.merged(lists)
    assert len(order) == 8
    for one in lists:
        assert [step for step in order if step in one] == one


def test_every_operation_is_on_the_page(monkeypatch):
    reference = script("operation_reference", monkeypatch)
    page = reference.page()
    operations = [
        name for td in reference.ods.dialect_files() for name in reference.ods.operations(td)
    ]
    assert len(operations) > 20
    for name in operations:
        assert page.count(f"### `{name}`\n") == 1, name


def test_what_the_cpu_cannot_lower_is_no(monkeypatch):
    reference = script("operation_reference", monkeypatch)
    example = 'func.func @f() {\n  "tile.unknown"() : () -> ()\n  return\n}\n'
    unknown = {"description": f"```mlir\n{example}```"}
    assert reference.lowered_by("tile.unknown", {"tile.unknown": unknown}) == "no"
