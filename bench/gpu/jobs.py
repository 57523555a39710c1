"""What a GPU is given to do so that its answer can be compared: programs with all their data.

A job is PTX, the memory that it works on, and launches. It needs no more than NumPy, so that
the machine that has the GPU needs no more either. Jobs and their results are folders of .npz
files, one each; nothing in them is pickled.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Extent = tuple[int, int, int]


@dataclass(frozen=True)
class Launch:
    """One launch of a kernel. Each of `args` is [kind, ...]: ["buffer", index, offset] an
    address, ["bytes", hexadecimal] a value, ["map", options] a tensor map, whose options are
    the parameters of driver.Driver.tensor_map."""

    kernel: str
    grid: Extent
    block: Extent
    args: list[list[Any]]
    cluster: Extent = (1, 1, 1)
    shared: int = 0
    cooperative: bool = False


@dataclass
class Job:
    """A program and what it is run on. `buffers` are the bytes of memory before the launches;
    `about` is whatever the one who made the job wants to find in it again."""

    name: str
    ptx: str
    buffers: list[np.ndarray]
    launches: list[Launch]
    about: dict[str, Any] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Writes FOLDER/NAME.npz."""
        head = {
            "name": self.name,
            "ptx": self.ptx,
            "launches": [asdict(one) for one in self.launches],
            "about": self.about,
        }
        _save(folder / f"{self.name}.npz", head, dict(enumerate(self.buffers)))

    @staticmethod
    def load(path: Path) -> Job:
        head, buffers = _load(path)
        launches = [
            Launch(**{k: tuple(v) if k in ("grid", "block", "cluster") else v
                      for k, v in one.items()})
            for one in head["launches"]
        ]  # fmt: skip
        return Job(
            head["name"], head["ptx"], [buffers[i] for i in sorted(buffers)], launches,
            head["about"],
        )  # fmt: skip

    def digest(self) -> str:
        """Tells whether a result belongs to this job."""
        found = hashlib.sha256(self.ptx.encode())
        for one in self.launches:
            found.update(json.dumps(asdict(one), sort_keys=True).encode())
        for buffer in self.buffers:
            found.update(buffer.tobytes())
        return found.hexdigest()


@dataclass
class Result:
    """What became of a job: the buffers that its launches changed, by their index, what it
    printed, and what went wrong, if something did."""

    name: str
    digest: str
    buffers: dict[int, np.ndarray] = field(default_factory=dict)
    text: str = ""
    error: str = ""

    def save(self, folder: Path) -> None:
        """Writes FOLDER/NAME.npz."""
        head = {"name": self.name, "digest": self.digest, "text": self.text,
                "error": self.error}  # fmt: skip
        _save(folder / f"{self.name}.npz", head, self.buffers)

    @staticmethod
    def load(path: Path) -> Result:
        head, buffers = _load(path)
        return Result(**head, buffers=buffers)


def changed(job: Job, after: list[np.ndarray]) -> dict[int, np.ndarray]:
    """The buffers that are not what they were."""
    return {i: new for i, new in enumerate(after) if not np.array_equal(new, job.buffers[i])}


def _save(path: Path, head: dict[str, Any], buffers: Mapping[int, np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = np.frombuffer(json.dumps(head).encode(), np.uint8)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez_compressed(file, head=text, **{f"b{i}": one for i, one in buffers.items()})
    partial.rename(path)


def _load(path: Path) -> tuple[dict[str, Any], dict[int, np.ndarray]]:
    with np.load(path) as data:
        head = json.loads(data["head"].tobytes())
        return head, {int(key[1:]): data[key] for key in data.files if key != "head"}
