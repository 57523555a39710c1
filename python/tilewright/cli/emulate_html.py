"""What an emulated launch executed, as a page that needs nothing but itself.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from tilewright.cli import emulate_report as rows_of

STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 76em; padding: 0 1em }
h1 { font-size: 1.4em } h2 { font-size: 1.1em; margin: 2em 0 .5em }
table { border-collapse: collapse; width: 100% }
th { text-align: left; font-weight: 600; border-bottom: 1px solid #8888; position: sticky;
     top: 0; background: Canvas }
td, th { padding: .15em .8em .15em 0; vertical-align: top }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
td.code { font-family: ui-monospace, monospace; font-size: 12px; white-space: pre-wrap }
tr:nth-child(even) { background: #8881 }
.bar { background: linear-gradient(#d97706, #d97706) no-repeat; background-size: 0 100% }
p.note { opacity: .7 }
:root { color-scheme: light dark }
"""


def page(report: dict[str, Any]) -> str:
    """The report as HTML."""
    parts = [
        _table(("", ""), [(escape(a), escape(b)) for a, b in rows_of.summary(report)]),
        "<h2>Instructions</h2>",
        _opcodes(report),
    ]
    sources = rows_of.sources(report)
    if sources:
        most = max(n for *_, n in sources)
        parts += [
            "<h2>Source lines</h2>",
            _table(
                ("source line", "n:executions"),
                [(escape(f"{f}:{line}"), _bar(n, most)) for f, line, n in sources],
            ),
        ]
    parts += [_accesses(report), "<h2>The text</h2>", _listing(report)]
    title = escape(f"{report['kernel']} on {report['device']}")
    return (
        f"<!doctype html>\n<html lang=en><meta charset=utf-8><title>{title}</title>\n"
        f"<style>{STYLE}</style>\n<h1>{title}</h1>\n" + "\n".join(p for p in parts if p) + "\n"
    )


def _opcodes(report: dict[str, Any]) -> str:
    most = max((row["executions"] for row in report["opcodes"]), default=0)
    return _table(
        ("instruction", "n:executions"),
        [(escape(r["name"]), _bar(r["executions"], most)) for r in report["opcodes"]],
    )


def _accesses(report: dict[str, Any]) -> str:
    rows = rows_of.accesses(report)
    if not rows:
        return ""
    note = (
        "<p class=note>Of global memory, sectors of 32 bytes that were moved, and that the "
        "bytes asked for need; of shared memory, cycles of the banks that were taken, and that "
        "are needed without conflicts.</p>"
    )
    body = [
        (
            str(row["line"]), f"code:{escape(rows_of.instruction(row))}", row["space"],
            f"{row['executions']:,}", f"{row['taken']:,}", f"{row['needed']:,}",
            escape(rows_of.place(row)),
        )
        for row in rows
    ]  # fmt: skip
    columns = ("n:line", "access", "memory", "n:executions", "n:taken", "n:needed", "source")
    return "<h2>Memory accesses</h2>" + note + _table(columns, body)


def _listing(report: dict[str, Any]) -> str:
    """Every executed line in the order of the text."""
    most = max((line["executions"] for line in report["lines"]), default=0)
    body = [
        (
            str(line["line"]), f"code:{escape(rows_of.instruction(line))}",
            _bar(line["executions"], most),
            f"{line['lanes'] / max(line['executions'], 1):.1f}", escape(rows_of.place(line)),
        )
        for line in report["lines"]
    ]  # fmt: skip
    columns = ("n:line", "instruction", "n:executions", "n:lanes", "source")
    return _table(columns, body)


def _bar(value: int, most: int) -> str:
    """A number over a bar of its share."""
    return f"bar:{100 * value / most if most else 0:.1f}:{value:,}"


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of cells that are HTML; a column `n:x` holds numbers, cells `code:x` text of
    instructions, and `bar:SHARE:x` a number with a bar."""
    columns = list(columns)
    numeric = [column.startswith("n:") for column in columns]
    names = [column.removeprefix("n:") for column in columns]
    head = "".join(f"<th{' class=n' * n}>{name}" for name, n in zip(names, numeric))
    body = "".join(
        "<tr>" + "".join(_cell(cell, n) for cell, n in zip(row, numeric)) for row in rows
    )
    return f"<table>{f'<tr>{head}' if any(names) else ''}{body}</table>"


def _cell(cell: str, numeric: bool) -> str:
    if cell.startswith("code:"):
        return f"<td class=code>{cell.removeprefix('code:')}"
    if cell.startswith("bar:"):
        _, share, value = cell.split(":", 2)
        return f'<td class="n bar" style="background-size:{share}% 2px">{value}'
    return f"<td{' class=n' * numeric}>{cell}"
