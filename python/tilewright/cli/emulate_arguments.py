"""Arguments of `tilewright emulate`: what the command line says, as values and arrays.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tilewright.cli.console import UsageError

DTYPES = {
    "bool": "bool", "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64",
    "u8": "uint8", "u16": "uint16", "u32": "uint32", "u64": "uint64",
    "f16": "float16", "f32": "float32", "f64": "float64", "bf16": "bfloat16",
    "e4m3": "float8_e4m3fn", "e5m2": "float8_e5m2",
}  # fmt: skip
ARRAYS = ("zeros", "ones", "range", "random", "empty", "out")
SWIZZLES, FILLS = ("none", "32B", "64B", "128B"), ("zero", "nan")
OTHERS = ("file", "bytes", "arg", "inout", "tensormap")
# Elements of an array that is printed.
PRINTED = 100


@dataclass
class Argument:
    """An argument of a launch, and whether it is shown afterwards."""

    index: int
    about: str
    value: Any
    shown: bool = False
    # The array behind a tensor map; else the value.
    array: Any = None


def make(device: Any, kernel: Any, texts: list[str]) -> list[Argument]:
    """The arguments on the device. Reports call arrays by their parameter."""
    from tilewright.emulator import EmulatorError

    parameters = kernel.parameters
    if len(texts) != len(parameters):
        listed = ", ".join(str(p) for p in parameters) or "none"
        raise UsageError(
            f"{kernel.name} takes {len(parameters)} arguments, not {len(texts)}: {listed}"
        )
    made = []
    for index, text in enumerate(texts):
        try:
            about = f"argument {index}, {parameters[index].name}"
            made.append(_one(device, index, text, about, made))
        except (ValueError, TypeError, OverflowError, EmulatorError) as error:
            raise UsageError(f"--arg {text}: {error}") from None
        except MemoryError as error:
            reason = str(error) or "there is not so much memory"
            raise UsageError(f"--arg {text}: {reason}") from None
    return made


def _one(device: Any, index: int, text: str, about: str, before: list[Argument]) -> Argument:
    import numpy as np

    kind, _, rest = text.partition(":")
    if kind == "inout":
        argument = _one(device, index, rest, about, before)
        if argument.array is None:
            raise ValueError("inout: stands before an array")
        argument.shown = True
        return argument
    if kind == "tensormap":
        options, _, rest = rest.partition(":")
        argument = _one(device, index, rest, about, before)
        if argument.array is None:
            raise ValueError("tensormap:BOX: stands before an array")
        argument.value = _tensor_map(device, argument.array, options.split(","))
        return argument
    if kind == "arg":
        if not rest.isdigit() or int(rest) >= index or before[int(rest)].array is None:
            raise ValueError("arg:N is the array of an argument before it")
        array = before[int(rest)].array
        return Argument(index, about, array, array=array)
    if kind == "bytes":
        return Argument(index, about, bytes.fromhex(rest))
    if kind == "file":
        if not Path(rest).is_file():
            raise ValueError(f"there is no file {rest}")
        try:
            loaded = np.load(rest)
        except (ValueError, EOFError):
            raise ValueError(f"{rest} is no .npy file of numbers") from None
        array = device.array(loaded, about)
        return Argument(index, about, array, array=array)
    if kind in ARRAYS:
        name, _, extents = rest.partition(":")
        shape, _, seed = extents.partition(":")
        if seed and kind != "random":
            raise ValueError(f"{kind} takes a dtype and a shape")
        value = _array(device, kind, dtype(name), _shape(shape), int(seed or 0), about)
        return Argument(index, about, value, shown=kind == "out", array=value)
    if kind in DTYPES:
        return Argument(index, about, _scalar(dtype(kind), rest))
    known = ", ".join([*DTYPES, *ARRAYS, *OTHERS])
    raise ValueError(f"an argument starts with one of {known}, and a colon")


def dtype(name: str) -> Any:
    """The NumPy type that a name of the command line means."""
    import ml_dtypes
    import numpy as np

    if name not in DTYPES:
        raise ValueError(f"there is no dtype {name!r}; there are: {', '.join(DTYPES)}")
    full = DTYPES[name]
    return np.dtype(getattr(ml_dtypes, full) if hasattr(ml_dtypes, full) else full)


def _shape(text: str) -> tuple[int, ...]:
    parts = text.split("x")
    if not all(p.isdigit() for p in parts):
        raise ValueError(f"a shape is numbers with x between, such as 1024x64, not {text!r}")
    return tuple(int(p) for p in parts)


def _scalar(kind: Any, text: str) -> Any:
    if kind.name == "bool":
        return kind.type(text.lower() in ("1", "true"))
    integer = kind.kind in "iu"
    number = int(text, 0) if integer else float(text)
    if integer:
        bits = 8 * kind.itemsize
        least = -(2 ** (bits - 1)) if kind.kind == "i" else 0
        if not least <= number < least + 2**bits:
            raise ValueError(f"{number} is no {kind.name}")
    return kind.type(number)


def _array(
    device: Any, kind: str, of: Any, shape: tuple[int, ...], seed: int, about: str
) -> Any:
    import numpy as np

    if kind in ("empty", "out"):
        return device.empty(shape, of, about)
    if kind in ("zeros", "ones"):
        return device.array(np.full(shape, kind == "ones").astype(of), about)
    if kind == "range":
        return device.array(np.arange(math.prod(shape)).reshape(shape).astype(of), about)
    random = np.random.default_rng(seed)
    if of.kind in "iub":
        bounds = (0, 2) if of.kind == "b" else (np.iinfo(of).min, np.iinfo(of).max)
        high = bounds[1] if of.kind == "b" else int(bounds[1]) + 1
        drawn = random.integers(int(bounds[0]), high, shape, np.int64 if of.kind == "b" else of)
        return device.array(drawn.astype(of), about)
    return device.array(random.standard_normal(shape).astype(of), about)


def _tensor_map(device: Any, array: Any, options: list[str]) -> Any:
    """A tensor map over a whole array, outer dimension first as its shape is."""
    box = _shape(options[0])
    if len(box) != len(array.shape):
        raise ValueError(f"a box of the array has {len(array.shape)} sizes, not {len(box)}")
    chosen: dict[str, Any] = {}
    for option in options[1:]:
        if option in SWIZZLES:
            chosen["swizzle"] = option
        elif option in FILLS:
            chosen["fill"] = option
        else:
            known = ", ".join([*SWIZZLES, *FILLS])
            raise ValueError(f"after the box come of {known}, not {option!r}")
    pitch = array.dtype.itemsize
    strides = []
    for size in reversed(array.shape[1:]):
        pitch *= size
        strides.append(pitch)
    sizes = array.shape[::-1]
    return device.tensor_map(
        array, dtype=array.dtype, sizes=sizes, strides=strides, box=box[::-1], **chosen
    )


def show(arguments: list[Argument], folder: Path | None) -> list[str]:
    """Prints or saves what is to be shown; the reports where data is undefined."""
    import numpy as np

    from tilewright.emulator import EmulatorFault

    problems = []
    for argument in arguments:
        if not argument.shown:
            continue
        try:
            values = argument.array.numpy(never_written=True)
        except EmulatorFault as fault:
            problems.append(str(fault))
            values = argument.array.numpy(undefined=False)
        if folder is None:
            with np.printoptions(threshold=PRINTED):
                print(f"{argument.about}:\n{values}")
            continue
        folder.mkdir(parents=True, exist_ok=True)
        # NumPy's files know no types of ml_dtypes; f32 holds their values.
        known = values if values.dtype.kind != "V" else values.astype(np.float32)
        np.save(folder / f"arg{argument.index}.npy", known)
        print(f"{argument.about}: {folder / f'arg{argument.index}.npy'}")
    return problems
