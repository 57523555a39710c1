"""Checks of tensor maps: every number of dimensions with every swizzle, loaded to shared
memory as the manual lays it out and stored from there, and every type with what lies outside.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
from forms_harness import Bench, check, map_text

_TYPES = {
    "u8": np.uint8, "u16": np.uint16, "u32": np.uint32, "s32": np.int32, "u64": np.uint64,
    "s64": np.int64, "f16": np.float16, "bf16": ml_dtypes.bfloat16, "f32": np.float32,
    "f64": np.float64, "tf32": np.float32,
}  # fmt: skip
# One thread loads a box to %r1, shows the 2048 bytes there, and stores them to another tensor.
_START = """ld.param.u64 %d100, [results]; mov.u32 %r1, memory; mov.u32 %r2, barrier;
mov.b64 %d1, from; cvta.param.u64 %d1, %d1; mov.b64 %d2, to; cvta.param.u64 %d2, %d2;
mbarrier.init.shared.b64 [%r2], 1; fence.mbarrier_init.release.cluster; fence.proxy.async;
mov.u32 %r3, 0;
"""
_SHARED = ".shared .align 1024 .b8 memory[2048]; .shared .align 8 .b64 barrier;"
_LOAD = "shared::cluster.global.mbarrier::complete_tx::bytes"


def _swizzled(data: bytes, span: int) -> bytes:
    """The 16-byte units of each line of 128 bytes exchanged: by as many bits of the line's
    number as a unit's number in `span` bytes has."""
    if span == 0:
        return data
    units = span // 16
    moved = bytearray(len(data))
    for at in range(0, len(data), 16):
        unit = at // 16
        # 32 bytes: every second line; 64: every fourth; 128: every eighth.
        to = unit ^ (at // 128 % units)
        moved[16 * to : 16 * to + 16] = data[at : at + 16]
    return bytes(moved)


def _copy(bench: Bench, tensor: np.ndarray, box: tuple[int, ...], start: tuple[int, ...],
          kind: str, swizzle: str, fill: str) -> tuple[bytes, np.ndarray]:  # fmt: skip
    """What a load of the box leaves in shared memory, and the other tensor after a store of
    it; dimensions start with the inner one, as the instruction has them."""
    device = bench.device()
    source = device.array(tensor)
    target = device.array(np.zeros_like(tensor))
    results = device.zeros(2048, np.uint8)
    rank = tensor.ndim
    maps = {
        name: device.tensor_map(
            data, dtype=kind, sizes=tensor.shape[::-1], strides=tensor.strides[::-1][1:],
            box=box, element_strides=[1] * rank, swizzle=swizzle, fill=fill,
        )
        for name, data in (("from", source), ("to", target))
    }  # fmt: skip
    count = int(np.prod(box)) * tensor.itemsize
    place = "{" + ", ".join(str(one) for one in start) + "}"
    text = _START + f"mbarrier.arrive.expect_tx.shared.b64 _, [%r2], {count};\n"
    text += f"cp.async.bulk.tensor.{rank}d.{_LOAD} [%r1], [%d1, {place}], [%r2];\n"
    text += "W: mbarrier.try_wait.parity.shared.b64 %p1, [%r2], 0; @!%p1 bra W;\n"
    for i in range(0, count, 4):
        text += f"ld.shared.b32 %r9, [%r1+{i}]; st.global.b32 [%d100+{i}], %r9;"
    text += (
        f"cp.async.bulk.tensor.{rank}d.global.shared::cta.bulk_group [%d2, {place}], [%r1];\n"
    )
    text += "cp.async.bulk.commit_group; cp.async.bulk.wait_group 0;\n"
    bench.run(text, {"results": results, **maps}, block=1, shared=_SHARED, device=device)
    bench.statements.add(map_text(rank, swizzle, kind, fill))
    return results.numpy().tobytes()[:count], target.numpy()


@check
def swizzles(bench: Bench) -> None:
    for rank in range(1, 6):
        for swizzle in ("none", "32B", "64B", "128B"):
            span = 0 if swizzle == "none" else int(swizzle[:-1])
            inner = (span or 64) // 4
            box = (inner, 4, 2, 2, 1)[:rank]
            shape = (inner + 4, 6, 3, 2, 2)[:rank]
            start = (4, 2, 1, 0, 1)[:rank]
            count = int(np.prod(shape))
            tensor = (np.arange(count, dtype=np.uint32) * 7 + 3).reshape(shape[::-1])
            loaded, stored = _copy(bench, tensor, box, start, "u32", swizzle, "zero")
            place = tuple(slice(s, s + b) for s, b in zip(start[::-1], box[::-1]))
            assert loaded == _swizzled(tensor[place].tobytes(), span), (rank, swizzle)
            expected = np.zeros_like(tensor)
            expected[place] = tensor[place]
            assert (stored == expected).all(), (rank, swizzle)


@check
def element_types(bench: Bench) -> None:
    """A box half of which is outside: zeros or NaN, which are not stored."""
    for kind, made in _TYPES.items():
        for fill in ("zero", "nan"):
            dtype = np.dtype(made)
            if fill == "nan" and dtype.kind in "iu":
                continue
            inner = 32 // dtype.itemsize
            tensor = np.arange(1, 4 * inner + 1).astype(dtype).reshape(4, inner)
            loaded, stored = _copy(bench, tensor, (inner, 4), (0, 2), kind, "none", fill)
            got = np.frombuffer(loaded, dtype).reshape(4, inner)
            assert (got[:2] == tensor[2:]).all(), kind
            outside = got[2:].astype(np.float64)
            assert (np.isnan(outside) if fill == "nan" else outside == 0).all(), (kind, fill)
            assert (stored[2:] == tensor[2:]).all(), kind
            assert (stored[:2].astype(np.float64) == 0).all(), kind
