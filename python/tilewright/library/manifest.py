"""The manifest of a library: what was built, from what, with what.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from ..compiler.cache.keys import digest
from ..compiler.signature_table import Signature
from .objects import Compiled
from .spec import Library

SCHEMA = 1


def manifest_of(library: Library, compiled: Sequence[Compiled], compiler: str) -> dict:
    """What manifest.json holds; docs/manifest.schema.json is its schema. The same library and
    compiler give the same manifest, on any machine."""
    return {
        "schema": SCHEMA,
        "name": library.name,
        "release": library.release,
        "description": library.description,
        "licence": library.licence,
        "compiler": compiler,
        "functions": [
            {
                "name": f"{library.name}_{function.name}",
                "builds": [
                    {
                        "name": build.name,
                        "arguments": {k: repr(v) for k, v in build.arguments.items()},
                        "artifacts": [
                            _artifact(c)
                            for c in compiled
                            if c.job.function is function and c.job.build is build
                        ],
                    }
                    for build in function.builds
                ],
            }
            for function in library.functions
        ],
    }


def _artifact(compiled: Compiled) -> dict:
    return {
        "target": compiled.job.target,
        "content": digest(Path(compiled.path).read_bytes()),
        **compiled.facts,
        **signature_record(compiled.signature),
    }


def signature_record(signature: Signature) -> dict:
    """Parameters and sizes, as JSON."""
    return {
        "parameters": [
            {
                "name": p.name,
                "kind": "scalar" if p.shape is None else "tensor",
                "dtype": p.dtype,
                **({"shape": list(p.shape)} if p.shape is not None else {}),
                **({"strides": list(p.strides)} if p.strides else {}),
                **({"reads": p.reads, "writes": p.writes} if p.shape is not None else {}),
                **({"alignment": p.alignment} if p.shape is not None else {}),
                **({"alias": p.alias} if p.alias else {}),
                **({"size": p.size} if p.size else {}),
            }
            for p in signature.parameters
        ],
        "sizes": [dataclasses.asdict(size) for size in signature.sizes],
    }
