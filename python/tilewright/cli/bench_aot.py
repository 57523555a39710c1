"""`tilewright bench --aot`: what libraries that are built ahead of time cost.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tilewright.cli.bench_emulator import DISTURBED
from tilewright.cli.console import CliError, stderr, stdout, table, write_json
from tilewright.cli.units import seconds, size


def bench_aot(json: Path | None) -> None:
    """Measure, show a table of what was asked of libraries and what they are, and one of
    images."""
    from tilewright.testing import aot_bench

    try:
        report = aot_bench.measure(
            on_step=lambda line: stderr().print(line, markup=False, soft_wrap=True)
        )
    except RuntimeError as error:
        raise CliError(str(error)) from None
    if str(json) != "-":
        _show(report)
    write_json(json, report)


def rows(report: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What was measured, what it came to, and what is asked of it."""
    launch, load, build = report["launch"], report["load"], report["build"]
    what = f"{build['kernels']} kernels for {len(build['targets'])} targets"
    return [
        ("a call from C++, empty kernel", _short(launch, 1e9, "ns"), "300 ns"),
        ("loading the library", _short(load, 1e3, "ms"), "5 ms"),
        *(
            (
                f"{k['kernel']}, {seconds(k['aot_s'])} of a thread",
                f"{k['ratio']:.3f} of the JIT's speed",
                "0.98",
            )
            for k in report["kernels"]
        ),
        (f"{what}, from nothing", _taken(build["cold"]), "5 min, 2 cores"),
        (f"{what}, again", _taken(build["warm"]), "5 s"),
    ]


def _short(times: dict[str, Any], scale: float, unit: str) -> str:
    median, least = scale * times["median_s"], scale * times["least_s"]
    return f"{median:.3g} {unit}, at best {least:.3g}"


def _taken(times: dict[str, float]) -> str:
    return f"{seconds(times['wall_s'])}; CPU {seconds(times['cpu_s'])}"


def _show(report: dict[str, Any]) -> None:
    machine = report["machine"]
    stdout().print(
        f"{machine['cpu']}, {machine['cores']} cores, {report['target']}", markup=False
    )
    shown = table("", ">measured", ">asked for")
    for row in rows(report):
        shown.add_row(*row)
    stdout().print(shown)
    images = table("image of a product", "by", "as", ">size")
    for image in report["images"]:
        images.add_row(image["target"], image["by"], image["form"], size(image["bytes"]))
    stdout().print(images)
    if report["other_cores"] > DISTURBED:
        stdout().print(
            f"Other processes kept {report['other_cores']:.1f} cores busy: run it again."
        )
    for said in report["missing"].values():
        stdout().print(said, markup=False)
