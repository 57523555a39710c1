"""Compiles a kernel into an object of a library, and writes its image unpacked to the output.

usage: object.py TARGET OBJECT

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import ctypes
import shutil
import sys
from pathlib import Path

import tilewright
import tilewright.language as T
from tilewright.compiler.driver import as_objects
from tilewright.testing.aot_sizes import frames

n = T.dynamic("n")


@T.prim_func
def twice(X: T.Tensor((n,), "float32"), Y: T.Tensor((n,), "float32")):
    Middle = T.alloc_global((n,), "float32")
    with T.Kernel(T.ceildiv(n, 64)) as block:
        for i in T.Parallel(64):
            Middle[block * 64 + i] = X[block * 64 + i] + 1
    with T.Kernel(T.ceildiv(n, 64)) as block:
        for i in T.Parallel(64):
            Y[block * 64 + i] = Middle[block * 64 + i] * 2


target, path = sys.argv[1:]
with as_objects():
    kernel = tilewright.compile(twice, target=target)
shutil.copy(kernel.path, path)
data = Path(path).read_bytes()
found = frames(data)
if not found:
    print("no image")
    sys.exit()
[(packed, size)] = found
start = data.index(b"\x28\xb5\x2f\xfd")
assert data[start + 4] >> 2 & 1, "the frame has no checksum"
image = ctypes.create_string_buffer(size)
unpack = ctypes.CDLL("libzstd.so.1").ZSTD_decompress
unpack.restype = ctypes.c_size_t
sizes = ctypes.c_size_t(size), ctypes.c_size_t(packed)
assert unpack(image, sizes[0], data[start : start + packed], sizes[1]) == size
sys.stdout.buffer.write(image.raw)
