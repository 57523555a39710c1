"""Reads the .td files: what dialects, operations and passes say of themselves.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / os.environ.get("TILEWRIGHT_BUILD_DIR", "build")
LIT = ROOT / "test" / "lit"


def _llvm() -> Path:
    """Where LLVM is: what the build was configured with, else Debian's."""
    cache = BUILD / "CMakeCache.txt"
    found = cache.is_file() and re.search(r"^LLVM_ROOT_DIR:\w+=(.+)$", cache.read_text(), re.M)
    return Path(found[1] if found else "/usr/lib/llvm-22")


LLVM = _llvm()


@functools.cache
def records(td: Path) -> dict:
    """Every record of a .td file and of what it includes, as llvm-tblgen dumps them."""
    command = [LLVM / "bin" / "llvm-tblgen", "-dump-json", f"-I{ROOT}", f"-I{LLVM / 'include'}"]
    run = subprocess.run([*command, td], check=True, capture_output=True)
    return json.loads(run.stdout)


def defined_in(td: Path, kind: str) -> list[dict]:
    """The records of class `kind` that a file itself defines, in its order."""
    of_file = records(td)
    found = [of_file[name] for name in of_file["!instanceof"].get(kind, [])]
    places = {r["!name"]: r["!locs"][0].rpartition(":") for r in found}
    own = [r for r in found if Path(places[r["!name"]][0]).name == td.name]
    return sorted(own, key=lambda r: int(places[r["!name"]][2]))


def title(td: Path) -> str:
    """What the first line of a .td file says that it holds."""
    return re.match(r"//===- \S+ - (.*?) -*===//", td.read_text())[1]


def text(description: str | None) -> str:
    """A description without the indentation that it has in the .td file."""
    return inspect.cleandoc(description or "")


def cell(content: str) -> str:
    """Text as one cell of a table."""
    return " ".join(content.split()).replace("|", "\\|")


def lit_files() -> list[Path]:
    """Every lit test."""
    return sorted(LIT.rglob("*.mlir"))


# ---- Passes ----------------------------------------------------------------------------


def pass_files() -> list[Path]:
    """The .td files with our passes, those without a target first."""
    files = ROOT.glob("compiler/*/Passes.td"), ROOT.glob("backends/*/Passes.td")
    return [td for found in files for td in sorted(found, reverse=True)]


def passes(td: Path) -> list[dict]:
    """The passes of a file, in its order."""
    return defined_in(td, "PassBase")


def cpu_pipelines() -> dict[str, list[str]]:
    """The passes that the CPU backend runs, by the name of the pipeline, in order."""
    source = (ROOT / "backends" / "cpu" / "CpuBackend.cpp").read_text()
    bodies = re.findall(r"^void CpuBackend::build(\w+)Pipeline\((.*?)^}", source, re.M | re.S)
    return {name.lower(): created_in(body, source) for name, body in bodies}


def first_passes() -> dict[str, list[str]]:
    """What the driver runs before the backend's pipelines, without checking mode and in it."""
    source = (ROOT / "driver" / "Driver.cpp").read_text()
    choice = r"if \(options\.checking == Checking::None\)(.*?;)\s+else(.*?;)"
    [(without, with_checks)] = re.findall(choice, source, re.S)
    return {
        "check": created_in(without, source),
        "checking mode": created_in(with_checks, source),
    }


def created_in(body: str, source: str) -> list[str]:
    """The passes that a function body makes, by the headers that its source includes."""
    arguments = {"Canonicalize": "canonicalize"}  # MLIR's, with options of ours
    for header in re.findall(r'#include "(\S+/Passes)\.h"', source):
        found = (base / f"{header}.td" for base in (ROOT, LLVM / "include"))
        td = next(path for path in found if path.is_file())
        definition = r'^def (\w+) *: *\w+<\s*"([\w-]+)"'
        arguments |= dict(re.findall(definition, td.read_text(), re.M))

    def argument(created: str) -> str:
        # createCanonicalizerPass makes the pass that its .td file calls Canonicalizer.
        return arguments.get(created) or arguments[created.removesuffix("Pass")]

    return [argument(created) for created in re.findall(r"create(\w+)\(", body)]


# ---- Operations ------------------------------------------------------------------------


def dialect_files() -> list[Path]:
    """The .td files of our dialects, each folder's dialect first, backends last."""
    found = [*ROOT.glob("dialects/*/*.td"), *ROOT.glob("backends/*/*.td")]
    own = [td for td in found if td.name != "Passes.td"]
    return sorted(
        own,
        key=lambda td: (
            "dialects" not in td.parts,
            td.parent,
            "Dialect" not in td.name,
            td.name,
        ),
    )


def operations(td: Path) -> dict[str, dict]:
    """The operations of a file as {"tile.gemm": record}."""
    of_file = records(td)
    return {
        f"{of_file[op['opDialect']['def']]['name']}.{op['opName']}": op
        for op in defined_in(td, "Op")
    }


def attributes(td: Path) -> dict[str, dict]:
    """The attributes of a file that IR names, as IR does: {"#tile.space": record}."""
    of_file = records(td)
    found = {}
    for attribute in defined_in(td, "AttrDef"):
        dialect, mnemonic = of_file[attribute["dialect"]["def"]]["name"], attribute["mnemonic"]
        bracketed = (attribute["assemblyFormat"] or "`<`").lstrip().startswith("`<`")
        if mnemonic:
            found[f"#{dialect}.{mnemonic}" if bracketed else f"#{dialect}<{mnemonic}>"] = (
                attribute
            )
    return found


def types(td: Path) -> dict[str, dict]:
    """The types of a file as {"!simt.channel": record}."""
    of_file = records(td)
    return {
        f"!{of_file[found['dialect']['def']]['name']}.{found['mnemonic']}": found
        for found in defined_in(td, "TypeDef")
    }


def cases(td: Path, attribute: dict) -> list[str]:
    """The keywords of an attribute that is an enumeration; none for others."""
    of_file = records(td)
    if "enum" not in attribute:
        return []
    enumerants = of_file[attribute["enum"]["def"]]["enumerants"]
    return [of_file[case["def"]]["str"] for case in enumerants]
