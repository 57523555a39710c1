"""zstd by its own library, which is packed as well: Python 3.12 has no module for it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ctypes
from pathlib import Path

_LEVEL, _WORKERS = 100, 400  # ZSTD_c_compressionLevel, ZSTD_c_nbWorkers


def _library(path: Path | str) -> ctypes.CDLL:
    library = ctypes.CDLL(str(path))
    size, pointer = ctypes.c_size_t, ctypes.c_void_p
    for name, result, parameters in (
        ("ZSTD_compressBound", size, (size,)),
        ("ZSTD_createCCtx", pointer, ()),
        ("ZSTD_freeCCtx", size, (pointer,)),
        ("ZSTD_CCtx_setParameter", size, (pointer, ctypes.c_int, ctypes.c_int)),
        ("ZSTD_compress2", size, (pointer, pointer, size, ctypes.c_char_p, size)),
        ("ZSTD_decompress", size, (pointer, size, ctypes.c_char_p, size)),
        ("ZSTD_getFrameContentSize", ctypes.c_ulonglong, (ctypes.c_char_p, size)),
        ("ZSTD_isError", ctypes.c_uint, (size,)),
        ("ZSTD_getErrorName", ctypes.c_char_p, (size,)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, parameters
    return library


def _checked(library: ctypes.CDLL, result: int) -> int:
    if library.ZSTD_isError(result):
        raise ValueError(f"zstd: {library.ZSTD_getErrorName(result).decode()}")
    return result


def compress(data: bytes, level: int, workers: int, library: Path | str) -> bytes:
    """A frame of `data`, at a level of 1 to 19."""
    zstd = _library(library)
    context = zstd.ZSTD_createCCtx()
    try:
        _checked(zstd, zstd.ZSTD_CCtx_setParameter(context, _LEVEL, level))
        _checked(zstd, zstd.ZSTD_CCtx_setParameter(context, _WORKERS, workers))
        room = ctypes.create_string_buffer(zstd.ZSTD_compressBound(len(data)))
        size = zstd.ZSTD_compress2(context, room, len(room), data, len(data))
        return ctypes.string_at(room, _checked(zstd, size))
    finally:
        zstd.ZSTD_freeCCtx(context)


def decompress(data: bytes, library: Path | str) -> bytes:
    """What `compress` was given. Raises ValueError for what is no such frame."""
    zstd = _library(library)
    size = zstd.ZSTD_getFrameContentSize(data, len(data))
    if size >= 2**64 - 2:  # unknown, or no frame at all
        raise ValueError("zstd: this is no frame that says how large it is")
    room = ctypes.create_string_buffer(size)
    return ctypes.string_at(
        room, _checked(zstd, zstd.ZSTD_decompress(room, size, data, len(data)))
    )
