"""Records of what a running program did wrong, the same for every device.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

Dim3 = tuple[int, int, int]


@dataclass(frozen=True)
class OtherAccess:
    """The earlier access of a race.

    `access` is "read", "write" or "update" (an atomic); the other fields are as in `Fault`.
    `iteration` is empty where it was in another block.
    """

    access: str
    block: Dim3 = (0, 0, 0)
    iteration: dict[str, int] = field(default_factory=dict)
    instruction: str = ""
    file: str = ""
    source_line: int = 0


@dataclass(frozen=True)
class Fault:
    """One place where a program broke a rule.

    `rule` is its name ("out-of-bounds"), `explanation` what it says, `message` what happened.
    `kernel` and `block` say where it was; `file` and `source_line` name the source, where
    that is known. `kernel` is empty where the host read undefined data. `repeated` counts
    further times at the same place.

    Of an emulated program: `thread`, and the `line` of its text (or the offset in its code)
    with the `instruction` there; `line` is 0 where the host was.

    Of a kernel in checking mode: `iteration`, the variables of the loops around and their
    values, the outermost first; `instruction`, the operation ("T.gemm", "" for an element);
    the tile or tensor `memory` and the `index` in it; the `other` access of a race.
    """

    rule: str
    explanation: str
    message: str
    kernel: str = ""
    block: Dim3 = (0, 0, 0)
    thread: Dim3 = (0, 0, 0)
    line: int = 0
    instruction: str = ""
    file: str = ""
    source_line: int = 0
    repeated: int = 0
    iteration: dict[str, int] = field(default_factory=dict)
    memory: str = ""
    index: tuple[int, ...] = ()
    other: OtherAccess | None = None


def of_records(text: str) -> list[Fault]:
    """The faults of a JSON array of records."""
    return [_fault(record) for record in json.loads(text)]


def _fault(record: dict[str, Any]) -> Fault:
    fields = _with_tuples(record)
    if fields.get("other") is not None:
        fields["other"] = OtherAccess(**_with_tuples(fields["other"]))
    return Fault(**fields)


def _with_tuples(record: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in record.items()}
