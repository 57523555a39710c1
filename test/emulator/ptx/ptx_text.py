"""Reads and shortens PTX text, as far as the corpus needs.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_ENTRY = re.compile(r"\.entry\s+([\w$.]+)\s*\(([^)]*)\)", re.S)
_PARAM = re.compile(
    r"\.param\s+(?:\.align\s+(?P<align>\d+)\s+)?\.(?P<type>\w+)"
    r"(?P<rest>[^,\[]*)(?:\[(?P<count>\d+)\])?"
)
_SECTION = re.compile(r"^\s*\.section\s+(\.\w+)\s*\{.*?^\s*\}\s*$\n?", re.S | re.M)
_BYTES = {"8": 1, "16": 2, "32": 4, "64": 8}


def entries(text: str) -> dict[str, list[str]]:
    """The kernels of a module, each with its parameters as `u64`, `f32` or `b8[128]`."""
    found = {}
    for name, parameters in _ENTRY.findall(text):
        kinds = []
        for match in _PARAM.finditer(parameters):
            count = f"[{match['count']}]" if match["count"] else ""
            kinds.append(match["type"] + count)
        found[name] = kinds
    return found


def size(kind: str) -> int:
    """The bytes of a parameter that `entries` names."""
    match = re.fullmatch(r"[a-z]+(\d+)(?:\[(\d+)\])?", kind)
    assert match, kind
    return _BYTES[match[1]] * int(match[2] or 1)


def strip(text: str, root: Path) -> str:
    """Without debug sections, and with the paths of .file relative to `root`.

    .loc and .file stay: reports name source lines. So does .debug_str where a .loc refers
    to it (`function_name`), as ptxas would reject a label that is not there."""

    def section(match: re.Match[str]) -> str:
        labels = re.findall(r"^(\$\w+):", match[0], re.M)
        if match[1] == ".debug_str" and any(f"function_name {name}" in text for name in labels):
            return match[0]
        return ""

    def relative(match: re.Match[str]) -> str:
        path = match[2]
        if os.path.isabs(path):
            inside = Path(path).is_relative_to(root)
            path = os.path.relpath(path, root) if inside else os.path.basename(path)
        # The time stamp and the size of the source change from machine to machine.
        return f'{match[1]}"{path}"'

    text = _SECTION.sub(section, text)
    text = re.sub(r'(^\s*\.file\s+\d+\s+)"([^"]*)"[^\n]*', relative, text, flags=re.M)
    if len(text) > 30_000:  # short files keep their comments
        text = re.sub(r"[ \t]*//[^\n]*$", "", text, flags=re.M)
    text = re.sub(r"[ \t]+$", "", text, flags=re.M)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
