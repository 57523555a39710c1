"""Tensor copies: loads, stores and reductions of rank 1 to 5, and a multicast.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from case import Arrays, Case, Expected, Launch, TensorMap
from numerics import BF16

HOPPER = ("sm_90a",)
DTYPES = {
    "u8": np.uint8,
    "u16": np.uint16,
    "u32": np.uint32,
    "s32": np.int32,
    "f16": np.float16,
    "bf16": BF16,
    "f32": np.float32,
}


@dataclass(frozen=True)
class Box:
    """A tensor, a box of it, and where the blocks' boxes are; the inner dimension is first
    in `sizes` and everywhere else."""

    dtype: str
    sizes: tuple[int, ...]
    box: tuple[int, ...]
    at: tuple[int, ...]
    step: tuple[int, ...]
    blocks: int
    swizzle: str = "none"
    fill: str = "zero"
    every: tuple[int, ...] | None = None

    @property
    def type(self) -> np.dtype:
        return np.dtype(DTYPES[self.dtype])

    @property
    def taken(self) -> tuple[int, ...]:
        """The elements along each dimension: a box that takes every second one has half."""
        every = self.every or (1,) * len(self.box)
        return tuple(-(-b // e) for b, e in zip(self.box, every))

    @property
    def bytes(self) -> int:
        return int(np.prod(self.taken)) * self.type.itemsize

    def map(self, array: str) -> TensorMap:
        pitch = np.cumprod((self.type.itemsize, *self.sizes[:-1]))[1:]
        return TensorMap(
            array,
            self.dtype,
            self.sizes,
            tuple(int(p) for p in pitch),
            self.box,
            self.swizzle,
            self.every,
            self.fill,
        )

    def places(self, block: int) -> tuple[np.ndarray, np.ndarray]:
        """For each byte's element of the raw box, in memory's order: the flat index into the
        tensor, and whether it is inside."""
        every = self.every or (1,) * len(self.box)
        index = np.zeros((1,), np.int64)
        inside = np.ones((1,), bool)
        pitch = 1
        for d, (size, taken, stride) in enumerate(zip(self.sizes, self.taken, every)):
            c = self.at[d] + self.step[d] * block + np.arange(taken) * stride
            index = (c[:, None] * pitch + index).reshape(-1)
            inside = (((c >= 0) & (c < size))[:, None] & inside).reshape(-1)
            pitch *= size
        # A swizzle moves pieces of 16 bytes within rows of 32, 64 or 128.
        per = 16 // self.type.itemsize
        pieces = np.arange(-(-index.size // per))
        width = {"none": 1, "32B": 2, "64B": 4, "128B": 8}[self.swizzle]
        moved = pieces ^ ((pieces >> 3) % width)
        order = (moved[:, None] * per + np.arange(per)).reshape(-1)[: index.size]
        # The element at place `order[i]` of the raw box is the i-th; inverted by argsort.
        back = np.argsort(order)
        return index[back], inside[back]


LOADS = {
    "line": Box("f32", (1000,), (256,), (-16,), (256,), 5),
    "bytes": Box("u8", (208, 37), (64, 9), (-16, -2), (64, 9), 4),
    "wide": Box("f16", (200, 50), (64, 32), (-8, -3), (72, 17), 3, "128B"),
    "middle": Box("bf16", (104, 61), (32, 40), (80, 5), (-32, 9), 3, "64B"),
    "narrow": Box("f32", (36, 45), (8, 33), (-4, 20), (12, -3), 3, "32B"),
    "space": Box("s32", (12, 7, 5), (8, 3, 2), (-4, -1, -1), (8, 3, 2), 3),
    "holes": Box(
        "f16", (16, 5, 4, 3), (16, 2, 3, 2), (-8, 4, -1, 2), (8, 0, 1, 0), 3, fill="nan"
    ),
    "deep": Box(
        "f32", (8, 5, 4, 3, 2), (8, 2, 2, 2, 2), (0, -1, 2, 0, 1), (0, 1, 0, 1, -1), 4, "32B"
    ),
    "every_second": Box("f16", (64, 40), (64, 16), (0, 3), (0, 8), 3, every=(1, 2)),
    "far": Box("u16", (64, 10), (64, 4), (0, 10), (0, 100), 2, "128B"),
}
STORES = {
    "line": Box("f32", (1000,), (256,), (16,), (256,), 5),
    "wide": Box("f16", (200, 50), (64, 32), (8, 3), (64, 32), 2, "128B"),
    "middle": Box("bf16", (104, 61), (32, 40), (80, 5), (-32, 0), 3, "64B"),
    "narrow": Box("f32", (36, 45), (8, 33), (4, 20), (8, 0), 5, "32B"),
    "space": Box("s32", (12, 7, 5), (4, 3, 2), (4, 1, 0), (4, 3, 2), 3),
    "grid": Box("u16", (16, 5, 4, 3), (8, 2, 3, 2), (8, 1, 2, 0), (8, 2, 3, 2), 2),
    "deep": Box(
        "u32", (8, 5, 4, 3, 2), (8, 2, 2, 2, 2), (0, 1, 2, 0, 1), (0, 2, 0, 2, 0), 2, "32B"
    ),
}
OPERATIONS = ("add", "min", "max", "and", "or", "xor")
REDUCTIONS = {
    "add_f32": Box("f32", (36, 45), (32, 8), (8, 40), (0, 0), 3, "128B"),
    "add_f16": Box("f16", (64, 10), (32, 8), (48, 4), (0, 0), 3, "64B"),
    "add_u32": Box("u32", (36, 45), (32, 8), (8, 3), (0, 0), 3),
    "min_s32": Box("s32", (36, 45), (32, 8), (8, 3), (0, 0), 3),
    "max_bf16": Box("bf16", (64, 10), (32, 8), (48, 4), (0, 0), 3),
    "and_u32": Box("u32", (36, 45), (32, 8), (8, 3), (0, 0), 3, "128B"),
    "or_u32": Box("u32", (36, 45), (32, 8), (8, 3), (0, 0), 3),
    "xor_u32": Box("u32", (36, 45), (32, 8), (8, 3), (0, 0), 3),
}


def _random(rng: np.random.Generator, dtype: np.dtype, shape: Any) -> np.ndarray:
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max, shape, dtype, endpoint=True)
    return rng.integers(-100, 100, shape).astype(dtype)  # sums of a few are exact


def _coordinates(values: tuple[int, ...]) -> bytes:
    return struct.pack("<5i", *values, *(0,) * (5 - len(values)))


def _tensor(rng: np.random.Generator, box: Box) -> np.ndarray:
    return _random(rng, box.type, box.sizes[::-1])


def _load_inputs(rng: np.random.Generator) -> Arrays:
    return {name: _tensor(rng, box) for name, box in LOADS.items()}


def _exact(value: np.ndarray) -> Expected:
    return Expected(value if value.dtype.kind in "iu" else value.astype(np.float64))


def _load(inputs: Arrays) -> dict[str, Expected]:
    found = {}
    for name, box in LOADS.items():
        raw = []
        for block in range(box.blocks):
            index, inside = box.places(block)
            values = inputs[name].reshape(-1)[np.where(inside, index, 0)]
            outside = np.array(np.nan if box.fill == "nan" else 0, box.type)
            raw.append(np.where(inside, values, outside))
        found[f"{name}_out"] = _exact(np.array(raw).astype(box.type))
    return found


def _raw(rng: np.random.Generator, box: Box) -> np.ndarray:
    return _random(rng, box.type, (box.blocks, box.bytes // box.type.itemsize))


def _store_inputs(rng: np.random.Generator) -> Arrays:
    tensors = {name: _tensor(rng, box) for name, box in STORES.items()}
    return tensors | {f"{name}_in": _raw(rng, box) for name, box in STORES.items()}


def _store(inputs: Arrays) -> dict[str, Expected]:
    found = {}
    for name, box in STORES.items():
        tensor = inputs[name].copy()
        for block in range(box.blocks):
            index, inside = box.places(block)
            tensor.reshape(-1)[index[inside]] = inputs[f"{name}_in"][block][inside]
        found[name] = _exact(tensor)
    return found


def _reduce_inputs(rng: np.random.Generator) -> Arrays:
    tensors = {name: _tensor(rng, box) for name, box in REDUCTIONS.items()}
    return tensors | {f"{name}_in": _raw(rng, box) for name, box in REDUCTIONS.items()}


def _reduce(inputs: Arrays) -> dict[str, Expected]:
    functions: dict[str, Any] = {
        "add": np.add,
        "min": np.minimum,
        "max": np.maximum,
        "and": np.bitwise_and,
        "or": np.bitwise_or,
        "xor": np.bitwise_xor,
    }
    found = {}
    for name, box in REDUCTIONS.items():
        tensor = inputs[name].copy()
        flat = tensor.reshape(-1)
        for block in range(box.blocks):
            index, inside = box.places(block)
            given = inputs[f"{name}_in"][block][inside]
            flat[index[inside]] = functions[name.split("_")[0]](flat[index[inside]], given)
        found[name] = _exact(tensor)
    return found


def _launch(kernel: str, name: str, box: Box, other: str) -> Launch:
    args: list[Any] = [box.map(name), _coordinates(box.at)]
    if kernel == "reduce":
        args += [np.int32(OPERATIONS.index(name.split("_")[0]))]
    else:
        args += [_coordinates(box.step), np.int32(len(box.sizes))]
    args += [np.int32(box.bytes), other]
    return Launch(kernel, (box.blocks, 1, 1), (32, 1, 1), args, shared=box.bytes)


def _multicast(inputs: Arrays) -> dict[str, Expected]:
    x = inputs["x"]  # two clusters of 32 rows each
    raw = np.full((8, 1280), 7, np.uint32)
    for block in range(8):
        rows = x[block // 4 * 32 : block // 4 * 32 + 32]
        raw[block, :1024] = rows[:, :32].reshape(-1)
        if block % 4 in (0, 2):
            raw[block, 1024:] = rows[:8, 16:48].reshape(-1)
    return {"out": Expected(raw)}


def _outputs(boxes: dict[str, Box]) -> dict[str, tuple[tuple[int, ...], Any]]:
    return {
        f"{name}_out": ((box.blocks, box.bytes // box.type.itemsize), box.type)
        for name, box in boxes.items()
    }


def _case(name: str, **parts: Any) -> Case:
    return Case(name=name, program="tma", archs=HOPPER, **parts)


CASES = [
    _case(
        "tma_load",
        make_inputs=_load_inputs,
        outputs=_outputs(LOADS),
        launches=lambda arch: [_launch("load", n, box, f"{n}_out") for n, box in LOADS.items()],
        reference=_load,
        covers="loads of rank 1 to 5, swizzles, boxes partly and wholly outside, both fills",
    ),
    _case(
        "tma_store",
        make_inputs=_store_inputs,
        outputs={},
        launches=lambda arch: [
            _launch("store", n, box, f"{n}_in") for n, box in STORES.items()
        ],
        reference=_store,
        covers="stores of rank 1 to 5 that end at the tensor's edges",
    ),
    _case(
        "tma_reduce",
        make_inputs=_reduce_inputs,
        outputs={},
        launches=lambda arch: [
            _launch("reduce", n, box, f"{n}_in") for n, box in REDUCTIONS.items()
        ],
        reference=_reduce,
        covers="cp.reduce.async.bulk.tensor add min max and or xor",
    ),
    _case(
        "tma_multicast",
        make_inputs=lambda rng: {"x": rng.integers(0, 2**32, (64, 48), np.uint32)},
        outputs={"out": ((8, 1280), np.uint32)},
        launches=lambda arch: [
            Launch(
                "multicast",
                (8, 1, 1),
                (32, 1, 1),
                [TensorMap("x", "u32", (48, 64), (192,), (32, 8)), "out"],
                cluster=(4, 1, 1),
            )
        ],
        reference=_multicast,
        covers="multicast to all and to some blocks of a cluster",
    ),
]
