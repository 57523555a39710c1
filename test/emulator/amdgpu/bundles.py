"""Bundles of code objects, as clang-offload-bundler makes them: "Clang Offload Bundler" of
clang's manual has the formats.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import struct
import zlib

HOST = "host-x86_64-unknown-linux-gnu-"
MAGIC = b"__CLANG_OFFLOAD_BUNDLE__"


def target(gpu: str) -> str:
    """The name of an entry for "gfx942" or "gfx942:xnack+"."""
    return f"hipv4-amdgcn-amd-amdhsa--{gpu}"


def bundle(codes: dict[str, bytes], align: int = 4096) -> bytes:
    """Code objects by their entries' names, after an empty one for the host."""
    entries = {HOST: b"", **codes}
    length = len(MAGIC) + 8 + sum(24 + len(name) for name in entries)
    listed, body = struct.pack("<Q", len(entries)), b""
    for name, code in entries.items():
        body += bytes(-(length + len(body)) % align)
        listed += struct.pack("<QQQ", length + len(body), len(code), len(name)) + name.encode()
        body += code
    return MAGIC + listed + body


def compress(plain: bytes, version: int) -> bytes:
    """A bundle with zlib's compression."""
    packed = zlib.compress(plain)
    sizes = {1: "<I", 2: "<II", 3: "<QQ"}[version]
    total = 4 + 4 + struct.calcsize(sizes) + 8 + len(packed)
    lengths = (len(plain),) if version == 1 else (total, len(plain))
    return (
        b"CCOB"
        + struct.pack("<HH", version, 0)
        + struct.pack(sizes, *lengths)
        + bytes(8)
        + packed
    )
