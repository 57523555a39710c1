# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What is required of speeds, and the page and picture of a report."""

from __future__ import annotations

import importlib
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tilewright.cli import bench_page, main
from tilewright.kernels import registry
from tilewright.testing import bars, bench_worker, roofline

ROOT = Path(__file__).resolve().parents[3]
MACHINE = {
    "cpu": "A CPU", "cores": 2, "last_cache_bytes": 32 << 20,
    "peak_gflops": {"f32": {"1": 100.0, "2": 200.0}, "bf16": {"1": 100.0, "2": 200.0}},
    "read_gbps": {"1": 20.0, "2": 30.0}, "copy_gbps": {"1": 15.0, "2": 20.0},
}  # fmt: skip


def row(case: str, speedup: float | None = 1.5, **changes) -> dict:
    """A row of a report; `case` is KERNEL/CASE/DTYPE."""
    kernel, name, dtype = case.split("/")
    made = {
        "kernel": kernel, "case": name, "dtype": dtype, "device": "cpu", "threads": 1,
        "median_s": 1.0, "flops": 50 * 10**9, "bytes": 10**9, "written": 0, "limit": "compute",
        "read_gbps": None, "copy_gbps": None, "limit_fraction": 0.5,
        "peers": {"torch": speedup}, "best_peer": "torch",
        "speedup_vs_best_peer": speedup, "recipes": {"torch": "matmul"},
        "max_error_over_bound": 0.5, "other_cores": 0.0,
    }  # fmt: skip
    if speedup is None:
        made |= {"peers": {}, "best_peer": None, "recipes": {}}
    return made | changes


def report(*rows: dict, **changes) -> dict:
    origin = {"command": "tilewright bench --threads 1,2", "date": "2026-01-02",
              "versions": {"numpy": "2.0", "torch": "3.0"}}  # fmt: skip
    made = {"origin": origin, "machine": MACHINE, "results": list(rows), "failures": []}
    return made | {"complete": True} | changes


def verdicts(*rows: dict) -> list[tuple[bool, bool]]:
    """Of the first row at its bars: whether it holds, and whether because of the limit."""
    return [(v.holds, v.at_limit) for v in bars.judge(rows[0], rows)]


def test_every_bar_is_of_cases_that_are_run():
    cases = [(c.kernel, c.name, c.dtype) for c in registry.bench_cases()]
    rows = [
        {"kernel": k, "case": c, "dtype": d, "threads": n} for k, c, d in cases for n in (1, 2)
    ]
    for bar in bars.BARS:
        covered = [one for one in rows if bar.covers(one)]
        assert {one["case"] for one in covered} >= set(bar.cases), bar
        assert {one["dtype"] for one in covered} >= set(bar.dtypes), bar
        assert covered, bar


def test_a_row_holds_at_the_ratio_or_near_the_limit():
    assert verdicts(row("attention/full/f32", 1.4)) == [(True, False)]
    assert verdicts(row("attention/full/f32", 1.39)) == [(False, False)]
    assert verdicts(row("attention/full/f32", 1.1, limit_fraction=0.92)) == [(True, True)]
    assert verdicts(row("attention/full/f32", 1.1, limit_fraction=0.91)) == [(False, False)]
    memory = {"limit": "memory", "limit_fraction": 0.85}
    assert verdicts(row("moe/v2lite_t1/bf16", 1.0, **memory)) == [(True, True)]
    assert verdicts(row("attention/full/f32", None)) == [(False, False)]
    assert verdicts(row("rope/t4096/bf16")) == []


def test_a_share_of_the_limit_is_the_only_way_where_it_is_asked():
    memory = {"limit": "memory", "limit_fraction": 0.84}
    assert verdicts(row("softmax/r4096_n4096/f32", 9.0, **memory)) == [(False, False)]
    memory["limit_fraction"] = 0.85
    assert verdicts(row("softmax/r4096_n4096/f32", 0.5, **memory)) == [(True, False)]
    # 1.05 times the best peer and 90 % of the peak, on one thread; on two the first alone.
    product = row("gemm/n2048/f32", 1.2, limit_fraction=0.89)
    assert verdicts(product) == [(True, False), (False, False)]
    assert verdicts(product | {"threads": 2}) == [(True, False)]


def test_threads_have_bars_of_their_own():
    assert verdicts(row("mla_decode/h16_s4096/bf16", 2.2)) == [(True, False)]
    assert verdicts(row("mla_decode/h16_s4096/bf16", 2.2, threads=2)) == [(False, False)]


def test_our_own_speed_in_another_dtype():
    half, f32 = row("gemm/n1024/f16", median_s=1.1), row("gemm/n1024/f32", median_s=1.0)
    assert verdicts(half, f32) == [(True, False)]
    assert verdicts(half | {"median_s": 1.2}, f32) == [(False, False)]
    assert verdicts(half, f32 | {"threads": 2}) == [(False, False)]
    # i8: twice f32, and no slower than PyTorch, whoever is the best peer.
    integers = row("gemm/n1024/i8", 2.0, median_s=0.5, best_peer="numpy",
                   peers={"numpy": 0.1, "torch": 0.4})  # fmt: skip
    assert verdicts(integers, f32) == [(True, False), (False, False)]


def test_the_page_says_where_it_is_from_and_what_holds():
    made = report(
        row("gemm/n512/f32", 1.25),
        row("gemm/n512/f32", 0.5, threads=2),
        row("gemm/n1024/f16", limit_fraction=0.93),
        row("moe_permute/v2lite_t512/bf16", flops=0, limit="memory"),
    )
    page = bench_page.page({"bench/results/a.json": made}, ["a.svg"])
    for words in (
        "| machine | A CPU, 2 cores, last-level cache 32 MiB |",
        "| date | 2026-01-02 |",
        "| command | `tilewright bench --threads 1,2` |",
        "| threads | 1, 2 |",
        "| versions | numpy 2.0, torch 3.0 |",
        "| report | bench/results/a.json |",
        "| reading memory, GB/s | 20.0 | 30.0 |",
        "| copying memory, both ways, GB/s | 15.0 | 20.0 |",
        "Of 3 rows with a required speed, 2 hold. Required and not measured: gemm n1024 n2048 "
        "n4096 f32, gemm n2048 f32, gemm bf16, gemm n1024 i8, gemm_skinny m1, ",
        "](a.svg)",
        "Not in the picture, for lack of arithmetic: moe_permute.",
        "| n512 | f32 | 1 | 1.00 s | 50.0 GFLOP/s | 50 % (compute) | torch: matmul | 1.25 s "
        "| 1.25 | 1 x best peer | yes |",
        "| 0.50 | 1 x best peer | **no** |",
        "| 1.50 | 0.85 x own f32 | at the limit |",
    ):
        assert words in page
    assert "busy" not in page
    assert "failed" not in page
    tables = [line for line in page.splitlines() if line.startswith("| n")]
    assert len({line.count("|") for line in tables}) == 1


def test_the_page_warns():
    made = report(
        row("gemm/n512/f32", other_cores=0.8), failures=["gemm/n1024: wrong"], complete=False
    )
    page = bench_page.page({"a": made}, ["a.svg"])
    assert "**Other processes were busy** during 1 of 1 rows, with up to 0.8 cores" in page
    assert "| ~ 1.00 s |" in page
    assert "**The run was cut short**" in page
    assert "- gemm/n1024: wrong\n" in page
    with pytest.raises(bench_page.UnusableReport, match="b: the run measured"):
        bench_page.page({"b": report()}, ["a.svg"])


def words_of(picture: Path) -> list[str | None]:
    return [t.text for t in ET.parse(picture).iter("{http://www.w3.org/2000/svg}text")]


def test_the_picture_has_limits_and_marks(tmp_path):
    made = report(
        *(row(f"gemm/n{n}/f32", threads=t) for n in (512, 1024) for t in (1, 2)),
        row("topk/r4/f32", flops=10),
    )
    first, again = tmp_path / "a.svg", tmp_path / "b.svg"
    roofline.draw(made, first)
    roofline.draw(made, again)
    assert first.read_bytes() == again.read_bytes()
    words = set(words_of(first))
    assert {
        "A CPU, 2 cores", "1 thread", "2 threads", "gemm", "hollow: best peer",
        "f32, bf16: 100 GFLOP/s", "f32, bf16: 200 GFLOP/s", "read 20.0 GB/s", "copy 15.0 GB/s",
    } <= words  # fmt: skip
    assert "topk" not in words
    with pytest.raises(roofline.CannotDraw, match="its suffix is to be one of"):
        roofline.draw(made, tmp_path / "a.txt")


@pytest.fixture
def measured(monkeypatch):
    """Runs of `tilewright bench` give this report."""
    made = report(row("gemm/n512/f32"))

    def run(kernels, device, threads, into, on_record):
        into.update(made)

    monkeypatch.setattr(bench_worker, "run", run)
    return made


def test_the_command_writes_the_page(measured, tmp_path, capsys):
    page = tmp_path / "page.md"
    assert main(["bench", "gemm", "--page", str(page)]) == 0
    assert "| report | not kept |" in page.read_text()
    assert "](page.svg)" in page.read_text()
    assert (tmp_path / "page.svg").exists()
    assert main(["bench", "--launch", "--page", str(page)]) == 2


def test_a_run_that_fails_writes_no_page(measured, tmp_path, capsys):
    measured["failures"].append("gemm: faster than the machine")
    assert main(["bench", "gemm", "--page", str(tmp_path / "page.md")]) == 1
    assert not list(tmp_path.iterdir())
    assert main(["bench", "gemm", "--page", str(tmp_path / "none" / "page.md")]) == 1
    assert "cannot write" in capsys.readouterr().err


def test_the_committed_page_is_of_its_report(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    script = importlib.import_module("benchmarks")
    written = script.PAGE.read_text()
    reports = re.findall(r"^\| report \| \[(bench/results/.*?)\]", written, re.M)
    if not reports:
        pytest.skip("`make bench` wrote docs/benchmarks.md from a run of this machine")
    page = tmp_path / "benchmarks.md"
    assert script.main([*(str(ROOT / name) for name in reports), "--page", str(page)]) == 0
    assert page.read_text() == written, "run scripts/benchmarks.py " + " ".join(reports)
    for picture in tmp_path.glob("*.svg"):
        assert words_of(picture) == words_of(script.PAGE.parent / picture.name)


def test_the_script_says_what_is_wrong(monkeypatch, tmp_path, capsys):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    script = importlib.import_module("benchmarks")
    empty = tmp_path / "empty.json"
    empty.write_text(json.dumps(report()))
    assert script.main([str(empty), "--page", str(tmp_path / "page.md")]) == 1
    assert "`empty.json`: the run measured no machine or no case" in capsys.readouterr().err
    assert script.main([str(tmp_path / "none.json")]) == 1


def test_a_limit_that_was_measured_beside_a_row_is_shown():
    beside = {"limit": "memory", "read_gbps": 25.0, "copy_gbps": 12.0}
    one = row("softmax/wide/f32", limit_fraction=0.8, median_s=0.05, **beside)
    other = row("softmax/tall/f32", limit_fraction=0.4, limit="memory")
    text = bench_page.page({"a.json": report(one, other)}, ["a.svg"])
    assert "| 80 % of 25.0 GB/s |" in text
    assert "| 40 % (memory) |" in text
