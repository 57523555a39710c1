"""The shared library in this folder, by ctypes: arrays become tensors, statuses exceptions.

A part of every package that `tilewright build --wheel` writes. It needs Python alone.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import ctypes
import math
import operator
import os
import weakref

_FOLDER = os.path.dirname(os.path.abspath(__file__))
NAME = os.path.basename(_FOLDER)
_c = ctypes.CDLL(os.path.join(_FOLDER, f"lib{NAME}.so"))

_HOST, _CUDA, _ROCM = 1, 2, 10  # as DLPack numbers them


class _Tensor(ctypes.Structure):
    """The library's tensor, which is DLPack's."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("rank", ctypes.c_int32),
        ("type_code", ctypes.c_uint8),
        ("type_bits", ctypes.c_uint8),
        ("type_lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    )


# ---- errors ------------------------------------------------------------------------------

_ERRORS = {1: ValueError, 2: ValueError, 5: MemoryError}
_last_error = _c[f"{NAME}_last_error"]
_last_error.restype = ctypes.c_char_p


def _check(status):
    """Raises what a status means, with the library's own message."""
    if status:
        raise _ERRORS.get(status, RuntimeError)(_last_error().decode(errors="replace"))


# ---- tensors -----------------------------------------------------------------------------

_is_capsule = ctypes.pythonapi.PyCapsule_IsValid
_is_capsule.argtypes = (ctypes.py_object, ctypes.c_char_p)
_capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_capsule_pointer.argtypes = (ctypes.py_object, ctypes.c_char_p)
_capsule_pointer.restype = ctypes.c_void_p

# Of DLManagedTensorVersioned: a version (two 32-bit words), two pointers, flags, the tensor.
_FLAGS_AT, _TENSOR_AT = 24, 32
_READ_ONLY = 1

_KINDS = {"i": 0, "u": 1, "f": 2, "b": 6}  # of __array_interface__, as DLPack's codes
# Elements that it has no letter for are known by the name of the array's dtype.
_NAMED = {
    "bfloat16": (4, 16),
    "float8_e4m3b11fnuz": (9, 8),
    "float8_e4m3fn": (10, 8),
    "float8_e4m3fnuz": (11, 8),
    "float8_e5m2": (12, 8),
    "float8_e5m2fnuz": (13, 8),
    "float8_e8m0fnu": (14, 8),
}


def _from_dlpack(value, stream, where):
    """(address of the tensor, what keeps it, whether it is read-only) of an array with
    `__dlpack__`, whose work is done before that of `stream`, a handle."""
    if getattr(value, "is_neg", bool)():  # PyTorch's, which DLPack does not know
        raise TypeError(f"{where} is a view that negates; pass its resolve_neg()")
    device = value.__dlpack_device__()[0]
    given = {}
    if device == _CUDA:
        given["stream"] = stream or 1  # the default stream
    elif device == _ROCM:
        given["stream"] = stream or 0
    try:
        try:
            capsule = value.__dlpack__(max_version=(1, 0), **given)
        except TypeError:  # it is older than versions
            capsule = value.__dlpack__(**given)
    except Exception as error:
        raise TypeError(f"{where}: {error}") from error
    if _is_capsule(capsule, b"dltensor"):
        return _capsule_pointer(capsule, b"dltensor"), capsule, False
    address = _capsule_pointer(capsule, b"dltensor_versioned")
    major = ctypes.c_uint32.from_address(address).value
    if major != 1:
        raise TypeError(f"{where} is given by version {major} of DLPack; 1 is known here")
    flags = ctypes.c_uint64.from_address(address + _FLAGS_AT).value
    return address + _TENSOR_AT, capsule, bool(flags & _READ_ONLY)


def _from_interface(value, described, device_type, where):
    """The same of an array with `__array_interface__` or `__cuda_array_interface__`."""
    order, kind, size = described["typestr"][0], *_split(described["typestr"])
    if kind in _KINDS and order != ">":
        code, bits = _KINDS[kind], 8 * size
    else:
        code, bits = _NAMED.get(str(getattr(value, "dtype", "")), (None, 0))
    if code is None:
        raise TypeError(f"{where} has elements of the type {described['typestr']!r}")
    if not isinstance(described.get("data"), tuple) or described.get("mask") is not None:
        raise TypeError(f"{where} has a mask, or no address in its array interface")
    address, read_only = described["data"]
    shape = tuple(described["shape"])
    sizes = ctypes.c_int64 * len(shape)
    tensor = _Tensor(address, device_type, 0, len(shape), code, bits, 1, sizes(*shape))
    strides = described.get("strides")
    if strides is not None:
        if any(stride % size for stride in strides):
            raise ValueError(f"{where}: its strides are no whole numbers of elements")
        tensor.strides = sizes(*(stride // size for stride in strides))
    return ctypes.addressof(tensor), tensor, bool(read_only)


def _split(typestr):
    return typestr[1], int(typestr[2:])


def _tensor(value, stream, where):
    """The tensor of any array."""
    described = getattr(value, "__array_interface__", None)
    if described is not None:
        return _from_interface(value, described, _HOST, where)
    if hasattr(value, "__dlpack__"):
        return _from_dlpack(value, stream, where)
    described = getattr(value, "__cuda_array_interface__", None)
    if described is not None:
        return _from_interface(value, described, _CUDA, where)
    raise TypeError(
        f"{where} is {type(value).__name__}; it takes arrays with __dlpack__, "
        "__array_interface__ or __cuda_array_interface__"
    )


def _memory(value, stream, where):
    """((address, bytes), what keeps it) of a contiguous array that may be written."""
    address, keep, read_only = _tensor(value, stream, where)
    tensor = _Tensor.from_address(address)
    shape = tensor.shape[: tensor.rank]
    expected = 1
    for dim in reversed(range(tensor.rank)) if tensor.strides else ():
        if shape[dim] > 1 and tensor.strides[dim] != expected:
            raise ValueError(f"{where} is not contiguous")
        expected *= shape[dim]
    if read_only:
        raise ValueError(f"{where} is read-only")
    bytes_ = math.prod(shape) * tensor.type_bits * tensor.type_lanes // 8
    begin = ctypes.c_void_p((tensor.data or 0) + tensor.byte_offset)
    return (begin, ctypes.c_uint64(bytes_)), keep


# ---- scalars -----------------------------------------------------------------------------


def _scalar(value, kind, where):
    """A number as the C type `kind`."""
    if kind == "bool":
        return ctypes.c_int32(bool(value))
    c_type = getattr(ctypes, f"c_{kind}")
    try:
        number = float(value) if kind in ("float", "double") else operator.index(value)
    except (TypeError, ValueError):
        raise TypeError(f"{where} is {value!r}; expected a number for a C {kind}") from None
    made = c_type(number)
    if made.value != number and (kind != "float" or math.isinf(made.value)):
        if not math.isnan(number):
            raise ValueError(f"{where} is {value!r}, which a C {kind} cannot hold")
    return made


# ---- streams -----------------------------------------------------------------------------


class Stream:
    """A stream of its own of `device`: "cpu", "cuda" or "hip", or one with an architecture
    ("cuda:sm_90a"). Given to a function, it says where the function runs: arrays in the
    host's memory are then copied to the device and back."""

    def __init__(self, device):
        opened, self._handle = ctypes.c_void_p(), ctypes.c_void_p()
        _check(_c[f"{NAME}_device_open"](device.encode(), ctypes.byref(opened)))
        weakref.finalize(self, _c[f"{NAME}_device_close"], opened)
        _check(_c[f"{NAME}_stream_create"](opened, ctypes.byref(self._handle)))
        weakref.finalize(self, _c[f"{NAME}_stream_destroy"], self._handle)

    def synchronize(self):
        """Waits for what was given to it."""
        _check(_c[f"{NAME}_stream_synchronize"](self._handle))


def _native(stream):
    """The driver's handle of a stream that is no `Stream`."""
    for attribute in ("cuda_stream", "ptr"):  # PyTorch's, CuPy's
        stream = getattr(stream, attribute, stream)
    try:
        return operator.index(stream)
    except TypeError:
        raise TypeError(
            f"stream is {stream!r}; it may be a Stream, PyTorch's stream, or the number that "
            "is a cudaStream_t or hipStream_t"
        ) from None


_devices = {}  # that are open for streams of others, by type


def _wrap(native, tensors):
    """A handle for a stream of the driver, which has to be destroyed; `tensors` are the
    addresses of those that are used on it."""
    types = [_Tensor.from_address(address).device_type for address in tensors]
    kind = next((t for t in types if t != _HOST), _HOST)
    name = {_CUDA: b"cuda", _ROCM: b"hip"}.get(kind)
    if name is None:
        raise ValueError("stream is that of a GPU, and no array is in a GPU's memory")
    if kind not in _devices:
        device = ctypes.c_void_p()
        _check(_c[f"{NAME}_device_open"](name, ctypes.byref(device)))
        _devices[kind] = device
    handle = ctypes.c_void_p()
    wrapped = ctypes.byref(handle)
    _check(_c[f"{NAME}_stream_wrap"](_devices[kind], ctypes.c_void_p(native), wrapped))
    return handle


# ---- functions ---------------------------------------------------------------------------

functions = {}


class Function:
    """A function of the library, and what calls of it would do.

    `parameters` are its parameters with what they take: "read" or "written" for a tensor, or
    the C type of a scalar.
    """

    def __init__(self, name, /, **parameters):
        self.name, self.parameters = name, parameters
        self._entries = {
            suffix: _c[f"{NAME}_{name}{suffix}"]
            for suffix in ("", "_explain", "_workspace", "_with_workspace")
        }
        self._taken = [
            (f"{NAME}.{name}: argument '{parameter}'", kind)
            for parameter, kind in parameters.items()
        ]
        functions[name] = self

    def _call(self, suffix, answer, stream, arguments):
        native = None if stream is None or isinstance(stream, Stream) else _native(stream)
        passed, kept, tensors = [], [], []
        for value, (where, kind) in zip(arguments, self._taken):
            if kind not in ("read", "written"):
                passed.append(_scalar(value, kind, where))
                continue
            address, keep, read_only = _tensor(value, native, where)
            if read_only and kind == "written":
                raise ValueError(f"{where} is read-only, and the function writes it")
            passed.append(ctypes.c_void_p(address))
            kept.append(keep)
            tensors.append(address)
        if native is None:
            handle = stream._handle if stream else None
            _check(self._entries[suffix](*answer, handle, *passed))
            return
        handle = _wrap(native, tensors)
        try:
            _check(self._entries[suffix](*answer, handle, *passed))
        finally:
            _c[f"{NAME}_stream_destroy"](handle)

    def launch(self, stream, workspace, *arguments):
        """Runs it; on a GPU, gives it to the stream."""
        if workspace is None:
            return self._call("", (), stream, arguments)
        native = None if stream is None or isinstance(stream, Stream) else _native(stream)
        given, keep = _memory(workspace, native, f"{NAME}.{self.name}: the workspace")
        self._call("_with_workspace", given, stream, arguments)
        del keep  # until here

    def explain(self, stream, *arguments):
        """Which build a launch would take, and why."""
        text = ctypes.create_string_buffer(4096)
        size = ctypes.c_uint64(len(text))
        self._call("_explain", (text, size), stream, arguments)
        return text.value.decode(errors="replace")

    def workspace(self, stream, *arguments):
        """The bytes of memory that a launch allocates and frees again."""
        size = ctypes.c_uint64()
        self._call("_workspace", (ctypes.byref(size),), stream, arguments)
        return size.value


def choose(function, build):
    """From here on `function` (its name) has this build alone; all of them again where `build`
    is None."""
    name = f"{NAME}_{function}".encode()
    _check(_c[f"{NAME}_choose"](name, None if build is None else build.encode()))
