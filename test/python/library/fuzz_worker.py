"""Run by test_fuzz.py in a process of its own, which a crash would end.

usage: fuzz_worker.py LIBSAMPLE LOG EXAMPLES

Draws descriptors, most of them wrong, and calls the library's functions with them. What is
drawn stands in LOG before each call.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ctypes
import itertools
import mmap
import sys
from collections import Counter
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

path, log_path, examples = sys.argv[1:]
library = ctypes.CDLL(path)
library.sample_last_error.restype = ctypes.c_char_p
log = open(log_path, "w+")  # noqa: SIM115 - it stays open
OK, INVALID, ARGUMENT = 0, 1, 2

# Kernels read and write inside of this memory alone; what lies about it is only asked about.
SIZE = 1 << 12
ARENA = mmap.mmap(-1, SIZE)
BASE = ctypes.addressof(ctypes.c_char.from_buffer(ARENA))

HUGE = [1 << 31, 1 << 40, (1 << 62) - 1, 1 << 62, (1 << 63) - 1, -1, -(1 << 63)]
SIZES = st.sampled_from([1, 2, 3, 4, 5, 8, 0, *HUGE])
STRIDES = st.sampled_from([1, 2, 3, 4, 8, 0, -1, -2, -4, *HUGE])
FLOAT, BFLOAT, INT = (2, 32, 1), (4, 16, 1), (0, 32, 1)


class CTensor(ctypes.Structure):
    """sample_tensor."""

    _fields_ = (
        ("data", ctypes.c_void_p), ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32), ("rank", ctypes.c_int32),
        ("type_code", ctypes.c_uint8), ("type_bits", ctypes.c_uint8),
        ("type_lanes", ctypes.c_uint16), ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)), ("byte_offset", ctypes.c_uint64),
    )  # fmt: skip


@dataclass(frozen=True)
class Descriptor:
    """What is drawn of a tensor; `rank` may be another number than there are sizes."""

    address: int
    device: tuple[int, int]
    rank: int
    dtype: tuple[int, int, int]
    shape: tuple[int, ...] | None
    strides: tuple[int, ...] | None
    offset: int

    def made(self) -> CTensor:
        """The structure. Arrays have room for any rank that is allowed."""
        sizes = ctypes.c_int64 * 16
        tensor = CTensor(self.address, *self.device, self.rank, *self.dtype)
        if self.shape is not None:
            tensor.shape = sizes(*self.shape)
        if self.strides is not None:
            tensor.strides = sizes(*self.strides)
        tensor.byte_offset = self.offset
        return tensor

    def elements(self) -> list[int] | None:
        """Addresses of the elements, in order; None where some are not in the arena, or nobody
        can say."""
        if self.shape is None or self.rank != len(self.shape) or min(self.shape, default=1) < 0:
            return None
        if 0 in self.shape:
            return []
        if max(self.shape, default=1) > SIZE:
            return None
        strides = self.strides
        if strides is None:
            products = itertools.accumulate(self.shape[:0:-1], lambda a, b: a * b, initial=1)
            strides = tuple(products)[::-1][: len(self.shape)]
        elif len(strides) < len(self.shape):
            return None
        item = self.dtype[1] // 8
        start = self.address + self.offset
        ends = [s * (n - 1) * item for n, s in zip(self.shape, strides)]
        low = start + sum(e for e in ends if e < 0)
        high = start + sum(e for e in ends if e > 0) + item
        if low < BASE or high > BASE + SIZE or item == 0:
            return None
        steps = [range(n) for n in self.shape]
        return [
            start + item * sum(i * s for i, s in zip(index, strides))
            for index in itertools.product(*steps)
        ]


def good(shape: tuple[int, ...], dtype: tuple[int, int, int]) -> st.SearchStrategy:
    """Contiguous descriptors."""
    places = st.integers(0, SIZE // 256 - 1).map(lambda i: BASE + 256 * i)
    return places.map(lambda at: Descriptor(at, (1, 0), len(shape), dtype, shape, None, 0))


def changed(descriptor: Descriptor) -> st.SearchStrategy:
    """With one field that is something else, and often wrong; None is a null pointer."""
    rank = len(descriptor.shape or ())
    dtypes = [FLOAT, BFLOAT, INT, (2, 32, 2), (0, 0, 0), (255, 255, 65535)]
    values = {
        "address": st.sampled_from([0, 1, BASE + 2, BASE + SIZE - 4, 1 << 47, (1 << 64) - 4]),
        "device": st.sampled_from([(1, 7), (2, 0), (10, 1), (3, 0), (0, 0), (-1, -1)]),
        "rank": st.sampled_from([0, 1, 2, 3, 16, 17, 1 << 30, -1, -(1 << 31)]),
        "dtype": st.sampled_from(dtypes),
        "shape": st.tuples(*[SIZES] * rank) | st.none(),
        "strides": st.tuples(*[STRIDES] * rank),
        "offset": st.sampled_from([4, 8, 1, 1 << 20, 1 << 63, (1 << 64) - 4]),
    }
    fields = st.sampled_from(sorted(values))
    other = fields.flatmap(
        lambda field: values[field].map(lambda value: replace(descriptor, **{field: value}))
    )
    return other | st.integers(0, 9).flatmap(lambda i: other if i else st.none())


def descriptors(shape: tuple[int, ...], dtype: tuple[int, int, int]) -> st.SearchStrategy:
    """Two tensors of a function, of which none, one or both have a field changed, or two."""
    one = good(shape, dtype)
    once = one.flatmap(changed)
    twice = once.flatmap(lambda d: st.none() if d is None else changed(d))
    return st.one_of(st.tuples(one, one), st.tuples(once, one), st.tuples(one, once),
                     st.tuples(once, once), st.tuples(one, twice))  # fmt: skip


def shapes(rank: int) -> st.SearchStrategy:
    """Small ones."""
    return st.tuples(*[st.integers(0, 5)] * rank)


AFFINE = st.tuples(
    st.tuples(shapes(2), st.sampled_from([FLOAT, BFLOAT])).flatmap(lambda d: descriptors(*d)),
    st.tuples(st.floats(width=32), st.integers(-(1 << 31), (1 << 31) - 1), st.integers(-1, 2)),
)
ACCUMULATE = st.tuples(shapes(1).flatmap(lambda d: descriptors(d, INT)), st.just(()))
seen: Counter[str] = Counter()


def call(name: str, *arguments) -> int:
    """A status that there is, and for a failure a message."""
    status = library[name](*arguments)
    assert 0 <= status <= 8, status
    message = library.sample_last_error().decode()
    assert status == OK or 0 < len(message) < 2048, (status, message)
    return status


@settings(
    max_examples=int(examples), derandomize=True, deadline=None, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(st.tuples(st.just("affine"), AFFINE) | st.tuples(st.just("accumulate"), ACCUMULATE))
def calls(drawn) -> None:
    """Any descriptor gives a status; what is accepted is right, and writes what it may."""
    name, (tensors, scalars) = drawn
    log.seek(0)
    log.truncate()
    log.write(f"{name}{(*tensors, *scalars)}")
    log.flush()
    made = [None if t is None else t.made() for t in tensors]
    passed = [None if t is None else ctypes.byref(t) for t in made]
    if scalars:
        scale, shift, on = scalars
        passed += [ctypes.c_float(scale), ctypes.c_int32(shift), ctypes.c_int32(on)]
    text = ctypes.create_string_buffer(b"\xff" * 64, 64)
    room = ctypes.c_uint64(len(drawn[0]) * 5)
    explained = call(f"sample_{name}_explain", text, room, None, *passed)
    assert text.raw[room.value :] == b"\xff" * (64 - room.value), "it writes behind `size`"
    bytes_ = ctypes.c_uint64()
    assert call(f"sample_{name}_workspace", ctypes.byref(bytes_), None, *passed) == explained

    elements = [None if t is None else t.elements() for t in tensors]
    if None in elements:
        seen["lies" if explained == OK else "refused"] += 1
        return
    [read, written] = elements
    ARENA[:] = bytes(range(256)) * (SIZE // 256)
    before = bytes(ARENA)
    status = call(f"sample_{name}", None, *passed)
    assert status == explained
    width = tensors[1].dtype[1] // 8
    allowed = {at + i - BASE for at in written for i in range(width)}
    touched = {i for i, (a, b) in enumerate(zip(before, ARENA[:])) if a != b}
    if status != OK:
        assert status in (INVALID, ARGUMENT) or any(t.device[0] != 1 for t in tensors)
        assert not touched, "a call that is refused writes"
        seen["refused"] += 1
        return
    assert touched <= allowed, "it writes what is not the tensor's"
    assert len(set(written)) == len(written), "elements of the result share memory"
    assert not {at + i - BASE for at in read for i in range(width)} & allowed, "shared memory"
    seen["empty" if not written else "ran"] += 1
    if name == "affine" and not scalars[2]:
        for source, to in zip(read, written):
            value = before[source - BASE : source - BASE + width]
            assert ARENA[to - BASE : to - BASE + width] == value, "not what was read"


calls()
print(dict(seen))
