"""Archives of what a GPU machine lacks: LLVM, MLIR and lld, and our own libraries.

One holds LLVM and MLIR, in `lib/`, and in `spare/` the system's libraries that they need, of
which a machine's own are used where it has them. It is made anew only where these change, as
that takes minutes. The other holds `archives/`, our static libraries and lld's, from which the
extensions are linked, the stand-in for NVIDIA's driver in `lib/`, and a manifest.

LLVM is linked with a solver and an XML parser that the compiler never calls. Their libraries
would be a quarter of the archive; stubs that say so stand for them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import collections
import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# xz, which every Python knows, makes it smaller than zstd -19 does: 46 MiB, not 52.
LLVM_ARCHIVE = "llvm-libraries.tar.xz"
ARCHIVE = "tilewright-libraries.tar.xz"

# Every machine with a C++ compiler has these.
_OF_THE_SYSTEM = re.compile(r"(ld-linux.*|lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s))\.so\.\d+")
_STUBBED = ("libz3.so.4", "libxml2.so.2")
_EMULATORS = re.compile(r".*(Emulator|Harness)")


class PackError(RuntimeError):
    """Something that is to be packed is not there; the message says what to do."""


def pack(build: Path, to: Path, level: int) -> list[Path]:
    """Write the archives into a folder; `level` is a preset of xz.

    Raises PackError where the build is not whole.
    """
    extension = build / "python" / "tilewright" / "_compiler.so"
    if not extension.is_file():
        raise PackError(f"there is no {extension}: build the project first (`make build`)")
    found = _libraries([extension])
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        _write_llvm(to / LLVM_ARCHIVE, found, level, scratch)
        _write(to / ARCHIVE, _ours(build, scratch), level)
    return [to / LLVM_ARCHIVE, to / ARCHIVE]


def _write(archive: Path, members: dict[str, Path], level: int) -> None:
    with tarfile.open(archive, "w:xz", preset=level) as tar:
        for name, path in sorted(members.items()):
            tar.add(path, name, recursive=False)


def _write_llvm(archive: Path, found: dict[str, Path], level: int, scratch: Path) -> None:
    """The archive of others' libraries, unless it is there and of these."""
    note = archive.with_suffix(".json")
    stats = {name: (str(path), path.stat()) for name, path in sorted(found.items())}
    made_of = {"level": level} | {
        name: [path, stat.st_size, stat.st_mtime_ns] for name, (path, stat) in stats.items()
    }
    if archive.is_file() and note.is_file() and json.loads(note.read_text()) == made_of:
        return
    note.unlink(missing_ok=True)
    _write(archive, _others(found, scratch), level)
    note.write_text(json.dumps(made_of, indent=1) + "\n")


def _llvm(build: Path) -> Path:
    cache = (build / "CMakeCache.txt").read_text()
    [root] = re.findall(r"^LLVM_ROOT_DIR:\w+=(.*)$", cache, re.M)
    return Path(root)


def _ours(build: Path, scratch: Path) -> dict[str, Path]:
    """Our libraries and lld's by their names in the archive, and a manifest."""
    members = {}
    for name in ("liblldELF.a", "liblldCommon.a"):
        members[f"archives/{name}"] = _llvm(build) / "lib" / name
    for archive in (build / "lib").glob("lib*ilewright*.a"):
        if not _EMULATORS.match(archive.stem):
            members[f"archives/{archive.name}"] = archive
    stand_in = build / "lib" / "libtilewright_cuda_driver.so"
    members[f"lib/{stand_in.name}"] = stand_in
    manifest = scratch / "manifest.json"
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True
    )
    manifest.write_text(json.dumps({"commit": commit.stdout.strip() or None}) + "\n")
    return members | {manifest.name: manifest}


def _others(found: dict[str, Path], scratch: Path) -> dict[str, Path]:
    """LLVM, MLIR and what they need by their names in the archive; stubs are made in
    `scratch`."""
    members = {}
    for soname, path in found.items():
        if soname.startswith(("libLLVM", "libMLIR")):
            members[f"lib/{soname}"] = path
        elif soname in _STUBBED:
            members[f"spare/{soname}"] = _stub(soname, path, found, scratch)
        else:
            members[f"spare/{soname}"] = path
    return members


# ---- libraries -----------------------------------------------------------------------------


def _needed(path: Path) -> list[str]:
    """The libraries that a program or library names as needed, but for the system's."""
    said = subprocess.run(["readelf", "-d", path], capture_output=True, text=True, check=True)
    names = re.findall(r"\(NEEDED\).*\[(.*)\]", said.stdout)
    return [name for name in names if not _OF_THE_SYSTEM.fullmatch(name)]


def _libraries(programs: list[Path]) -> dict[str, Path]:
    """All libraries that programs need, by name; not what only stubbed ones need."""
    places: dict[str, Path] = {}
    for program in programs:
        said = subprocess.run(["ldd", program], capture_output=True, text=True, check=True)
        places |= {n: Path(at) for n, at in re.findall(r"(\S+) => (/\S+)", said.stdout)}
    found: dict[str, Path] = {}
    pending = list(programs)
    while pending:
        for name in _needed(pending.pop()):
            if name in found:
                continue
            if name not in places:
                raise PackError(f"{name} is needed and not found: is LLVM installed whole?")
            found[name] = places[name].resolve()
            if name not in _STUBBED:
                pending.append(found[name])
    return found


_SYMBOL = re.compile(r"(?:[0-9a-f]+)? +(\w) ([^\s@]+)(?:@+(\S+))?")


def _symbols(path: Path, which: str) -> list[tuple[str, str, str]]:
    """Kind, name and version of the dynamic symbols that are --`which`-only."""
    command = ["nm", "-D", f"--{which}-only", path]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    return _SYMBOL.findall(said.stdout)


def _stub(soname: str, library: Path, found: dict[str, Path], scratch: Path) -> Path:
    """A library with the symbols of another that some library here asks for: functions end
    the program with a sentence, data is zero."""
    users = [path for name, path in found.items() if name.startswith(("libLLVM", "libMLIR"))]
    wanted = {name for user in users for _, name, _ in _symbols(user, "undefined")}
    lines = ["#include <stdio.h>", "#include <stdlib.h>"]
    versions: dict[str, list[str]] = collections.defaultdict(list)
    for kind, name, version in _symbols(library, "defined"):
        if name not in wanted:
            continue
        versions[version].append(name)
        if kind in "BDR":
            lines.append(f"void *{name}[8];")
        else:
            text = f'fputs("{name}: {soname} is a stub\\n", stderr); abort();'
            lines.append(f"void {name}(void) {{ {text} }}")
    source, script, made = (scratch / (soname + end) for end in (".c", ".map", ""))
    source.write_text("\n".join(lines) + "\n")
    nodes = [
        f"{version} {{ global: {' '.join(f'{name};' for name in names)} }};"
        for version, names in versions.items()
        if version
    ]
    script.write_text("\n".join(nodes) + "\n")
    command = ["gcc", "-shared", "-fPIC", "-O1", "-w", f"-Wl,-soname,{soname}"]
    command += [f"-Wl,--version-script={script}"] if nodes else []
    subprocess.run([*command, "-o", made, source], check=True)
    return made
