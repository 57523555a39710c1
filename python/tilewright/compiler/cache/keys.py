"""Keys of the cache: digests of all that a compilation's result depends on.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import contextlib
import functools
import hashlib
import importlib.util
import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path

# The layout of the folder and of its files: another layout, another folder.
VERSION = 2


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def key_of(ir: str, options: Mapping, target: str) -> str:
    """The key of a compilation: 64 hexadecimal digits over all that its result depends on.

    `options` must be JSON and may hold nothing that leaves the result unchanged, such as
    a path to write to. `target` "cpu" means this machine's CPU, whose features then count.
    """
    parts = {
        "version": VERSION,
        "ir": digest(ir.encode()),
        "options": options,
        "target": target,
        "host": host_cpu() if target == "cpu" else "",
        "compiler": compiler_id(),
    }
    return digest(json.dumps(parts, sort_keys=True).encode())


@functools.cache
def host_cpu() -> str:
    """The first processor's model and features, as the kernel lists them."""
    wanted = ("vendor_id", "cpu family", "model", "flags", "Features", "CPU part")
    try:
        with open("/proc/cpuinfo") as file:
            first = file.read(1 << 14).split("\n\n")[0]
    except OSError:  # a sandbox without /proc
        return f"the machine {platform.node()}"
    fields = (line.partition(":") for line in first.splitlines())
    return "\n".join(f"{n.strip()}={v.strip()}" for n, _, v in fields if n.strip() in wanted)


@functools.cache
def compiler_id() -> str:
    """Changes when the compiler or a tool that it uses is built or installed anew."""
    spec = importlib.util.find_spec("tilewright._compiler")
    if spec is None or spec.origin is None:
        return "no compiler"
    files = [spec.origin]
    tools = Path(spec.origin).with_name("toolchain.json")
    if tools.exists():
        files += json.loads(tools.read_text())["files"]
    facts = []
    for name in files:
        path = os.path.realpath(name)
        with contextlib.suppress(FileNotFoundError):
            status = os.stat(path)
            facts.append((path, status.st_size, status.st_mtime_ns))
    return digest(json.dumps(facts).encode())
