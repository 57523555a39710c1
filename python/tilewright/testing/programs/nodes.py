# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Nodes of a program's representation, and their form in JSON.

A node is a frozen dataclass whose fields are plain values, tuples and other nodes. In JSON
it is an object with its class name under "node", so that a program drawn today can be read
after operations have been added.
"""

from __future__ import annotations

import dataclasses
from typing import Any

_CLASSES: dict[str, type] = {}


def node(cls: type) -> type:
    """Make a class a frozen dataclass that JSON can hold."""
    made = dataclasses.dataclass(frozen=True)(cls)
    _CLASSES[cls.__name__] = made
    return made


def encode(value: Any) -> Any:
    """A node, or what stands in its fields, as JSON."""
    if dataclasses.is_dataclass(value):
        fields = {f.name: encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"node": type(value).__name__, **fields}
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    return value


def decode(value: Any) -> Any:
    """The node that `encode` wrote. Raises KeyError where JSON names no known class."""
    if isinstance(value, dict):
        cls = _CLASSES[value["node"]]
        return cls(**{k: decode(v) for k, v in value.items() if k != "node"})
    if isinstance(value, list):
        return tuple(decode(item) for item in value)
    return value


def walk(value: Any):
    """Every node inside a node or a tuple of nodes, itself included, in order."""
    if dataclasses.is_dataclass(value):
        yield value
        for field in dataclasses.fields(value):
            yield from walk(getattr(value, field.name))
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from walk(item)
