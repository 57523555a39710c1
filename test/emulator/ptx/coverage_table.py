"""Evidence as a table in Markdown.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coverage import Evidence

_HEAD = """# What shows that the PTX emulator is right

Made by `python test/emulator/ptx/coverage.py`; a test fails where it is stale. It lists every
form of every instruction that the emulator accepts, as the patterns of
`test/emulator/ptx/coverage_forms.py` and its neighbours spell them, and what evidence there
is for it:

- **foreign**: a program that nvcc, Triton or TileLang compiled executes it, and its results
  are right. How many programs do, and one of them.
- **own test**: no such program does, but a GoogleTest of `test/unit/emulator/ptx`, by a launch
  that breaks no rule, or a check of `test_forms.py`, which compares each form's result with
  fractions, Python's integers or NumPy. Names of tests that between them execute all of the
  row's.
- **hardware vector**: results recorded on a GPU. None so far.
- **none**.

That an instruction was executed is read from the emulator's statistics, not from texts. A
form leaves open what its row does not speak of: `atom.add` by scope, for example, counts in
any state space, and has rows by state space, too. In `#name` a `#` marks what operands tell.
`map` stands for the tensor maps that copies are made by: dimensions and swizzle, elements and
what lies outside.

"""


def render(evidence: list[Evidence]) -> str:
    """The document."""
    families: dict[str, list[Evidence]] = collections.defaultdict(list)
    for one in evidence:
        families[one.form.family].append(one)
    text = _HEAD + table_row(
        "family", "forms", "foreign", "own test", "hardware vector", "none"
    )
    text += table_row("---", "---:", "---:", "---:", "---:", "---:")
    for family, members in [*families.items(), ("**all**", evidence)]:
        text += table_row(family, *(str(count) for count in _counts(members)))
    for family, members in families.items():
        text += f"\n## {family}\n\n" + table_row("instruction", "foreign", "own test", "none")
        text += table_row("---", "---", "---", "---")
        rows: dict[str, list[Evidence]] = collections.defaultdict(list)
        for one in members:
            rows[one.form.row].append(one)
        for row, inside in rows.items():
            text += table_row(f"`{row}`", _foreign(inside), _own(inside), _none(inside))
    return text


def table_row(*cells: str) -> str:
    """A row of a table in Markdown."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _counts(members: list[Evidence]) -> tuple[int, int, int, int, int]:
    foreign = sum(1 for one in members if one.foreign)
    own = sum(1 for one in members if one.own and not one.foreign)
    return len(members), foreign, own, 0, len(members) - foreign - own


def _foreign(members: list[Evidence]) -> str:
    members = [one for one in members if one.foreign]
    if not members:
        return ""
    programs = set().union(*(one.foreign for one in members))
    example = cover(members, lambda one: one.foreign)[0]
    count = f"{len(programs)} programs, such as" if len(programs) > 1 else ""
    return f"{_names(members)}: {count} {example}".replace(":  ", ": ")


def _own(members: list[Evidence]) -> str:
    members = [one for one in members if one.own and not one.foreign]
    if not members:
        return ""
    return f"{_names(members)}: {', '.join(cover(members, lambda one: one.own))}"


def _none(members: list[Evidence]) -> str:
    members = [one for one in members if not one.own and not one.foreign]
    return _names(members) if members else ""


def cover(members: list[Evidence], of: Callable[[Evidence], set[str]]) -> list[str]:
    """Few names that between them are in `of` of all members; of equals the one that is in
    the least, which says most about it."""
    left = list(members)
    chosen = []
    spread = collections.Counter(name for one in members for name in of(one))
    while left:
        counts = collections.Counter(name for one in left for name in of(one))
        best = min(counts, key=lambda name: (-counts[name], spread[name], name))
        chosen.append(best)
        left = [one for one in left if best not in of(one)]
    return chosen


def _names(members: list[Evidence]) -> str:
    return " ".join(f"`{name}`" for name in compress(one.form.name for one in members))


def compress(names: Iterable[str]) -> list[str]:
    """Names such as `rn.f32`, those that differ in one place put together: `{rn,rz}.f32`."""
    terms = [tuple((part,) for part in name.split(".")) for name in dict.fromkeys(names)]
    while merged := _merge(terms):
        terms = merged
    return [".".join(_alternatives(parts) for parts in term) for term in terms]


Term = tuple[tuple[str, ...], ...]


def _merge(terms: Sequence[Term]) -> list[Term] | None:
    """The terms with all those put together that differ in one place, the last where there
    are several; None where there are none."""
    widest = max((len(term) for term in terms), default=0)
    for place in range(1, widest + 1):
        groups: dict[tuple, list[Term]] = collections.defaultdict(list)
        for term in terms:
            at = len(term) - place
            rest = (term[:at], term[at + 1 :]) if at >= 0 else (term, None)
            groups[rest].append(term)
        if len(groups) == len(terms):
            continue
        merged = []
        for group in groups.values():
            at = len(group[0]) - place
            if len(group) == 1:
                merged.append(group[0])
                continue
            parts = tuple(dict.fromkeys(part for term in group for part in term[at]))
            merged.append((*group[0][:at], parts, *group[0][at + 1 :]))
        return merged
    return None


def _alternatives(parts: tuple[str, ...]) -> str:
    if len(parts) == 1:
        return parts[0]
    if len(parts) > 3 and all(part.isdigit() for part in parts):
        numbers = sorted(int(part) for part in parts)
        step = numbers[1] - numbers[0]
        if numbers == list(range(numbers[0], numbers[-1] + 1, step)):
            return f"{numbers[0]}..{numbers[-1]}"
    return "{" + ",".join(parts) + "}"
