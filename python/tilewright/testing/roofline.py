# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A picture of a report: speeds by arithmetic intensity, under the limits of the machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tilewright.testing.machine import Machine

Row = Mapping[str, Any]

# Work with less arithmetic than this, in flops a byte, has no place in the picture.
LEAST_INTENSITY = 0.05

# Colours repeat after ten kernels, and then have other marks.
_MARKS = "os^Dv<>ph*"


class CannotDraw(RuntimeError):
    """A picture cannot be drawn; the message says what to change."""


def intensity(row: Row) -> float:
    """Flops for each byte that moves, by the definition of the work."""
    return row["flops"] / row["bytes"]


def drawn(rows: Iterable[Row]) -> list[Row]:
    """The rows that do enough arithmetic to be in the picture."""
    return [row for row in rows if intensity(row) >= LEAST_INTENSITY]


def check(path: Path) -> None:
    """Raises CannotDraw where matplotlib is not installed or cannot write such a file."""
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError:
        raise CannotDraw(
            "the picture is drawn with matplotlib, which is not installed: run "
            "`pip install matplotlib`"
        ) from None
    known = FigureCanvasBase.get_supported_filetypes()
    if path.suffix[1:] not in known:
        raise CannotDraw(f"{path} is no picture: its suffix is to be one of {', '.join(known)}")


def draw(report: Mapping[str, Any], path: Path) -> None:
    """Draws a report of `tilewright bench` to a file, whose suffix names the format.

    A panel for each number of threads: the limits as lines, our kernels as filled marks,
    and the best peer at the same work as a hollow one above or below. The same report gives
    the same bytes as SVG. Raises CannotDraw.
    """
    check(path)
    import matplotlib
    from matplotlib.figure import Figure

    rows = drawn(report["results"])
    machine = Machine.from_json(report["machine"])
    counts = sorted({row["threads"] for row in rows}) or sorted(machine.read_gbps)
    kernels = list(dict.fromkeys(row["kernel"] for row in rows))
    # Words stay words, and names of clip paths follow from a salt in place of a random one.
    settings = {"svg.fonttype": "none", "svg.hashsalt": "tilewright", "font.size": 9}
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(1.6 + 5.2 * len(counts), 5.2), layout="constrained")
        figure.suptitle(f"{machine.cpu}, {machine.cores} cores")
        panels = figure.subplots(1, len(counts), sharey=True, squeeze=False)[0]
        for panel, count in zip(panels, counts):
            some = [row for row in rows if row["threads"] == count]
            _limits(panel, machine, count, [intensity(row) for row in rows])
            for row in some:
                _mark(panel, row, kernels.index(row["kernel"]))
            panel.set_title("1 thread" if count == 1 else f"{count} threads")
            panel.set_xlabel("flops a byte")
        panels[0].set_ylabel("GFLOP/s")
        _legend(figure, kernels)
        date = {"Date": None} if path.suffix == ".svg" else {}
        figure.savefig(path, metadata=date, dpi=150)


def _limits(panel: Any, machine: Machine, count: int, places: list[float]) -> None:
    """The lines that no kernel can be above."""
    low, high = min([*places, 1.0]) / 1.5, max([*places, 1.0]) * 3
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlim(low, high)
    panel.grid(which="major", linewidth=0.4, alpha=0.5)
    top = max(peaks[count] for peaks in machine.peak_gflops.values())
    slopes = {"read": machine.read_gbps[count], "copy": machine.copy_gbps[count]}
    for style, (name, gbps) in zip(("-", "--"), slopes.items()):
        end = min(high, top / gbps)
        panel.plot([low, end], [low * gbps, end * gbps], style, color="0.3", linewidth=1)
        panel.plot([], [], style, color="0.3", label=f"{name} {gbps:.1f} GB/s")
    panel.legend(loc="lower right", frameon=False)
    for peak in dict.fromkeys(peaks[count] for peaks in machine.peak_gflops.values()):
        same = [name for name, other in machine.peak_gflops.items() if other[count] == peak]
        start = peak / max(slopes.values())
        panel.plot([start, high], [peak, peak], "-", color="0.3", linewidth=1)
        label = f"{', '.join(same)}: {peak:.0f} GFLOP/s"
        panel.text(high / 1.1, peak * 1.04, label, ha="right", va="bottom")


def _mark(panel: Any, row: Row, number: int) -> None:
    """A kernel, and the best peer on a thread to it."""
    colour, mark = _look(number)
    at, ours = intensity(row), row["flops"] / row["median_s"] / 1e9
    if row["best_peer"]:
        peer = row["flops"] / row["peers"][row["best_peer"]] / 1e9
        panel.plot([at, at], [peer, ours], "-", color=colour, linewidth=0.6)
        hollow = {"markerfacecolor": "white", "markeredgecolor": colour}
        panel.plot([at], [peer], mark, markersize=4, **hollow)
    panel.plot([at], [ours], mark, color=colour, markersize=5.5)


def _look(number: int) -> tuple[str, str]:
    return f"C{number % 10}", _MARKS[(number + number // 10) % len(_MARKS)]


def _legend(figure: Any, kernels: list[str]) -> None:
    """Names of the marks, beside the panels."""
    from matplotlib.lines import Line2D

    def entry(label: str, colour: str, mark: str, face: str) -> Any:
        return Line2D(
            [], [], linestyle="", marker=mark, color=colour, markerfacecolor=face, label=label
        )

    entries = [entry(name, *_look(i), _look(i)[0]) for i, name in enumerate(kernels)]
    entries.append(entry("hollow: best peer", "0.3", "o", "white"))
    figure.legend(handles=entries, loc="outside right upper", frameon=False)
