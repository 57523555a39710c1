"""Runs the Triton cases in Triton's own interpreter: `python check_triton.py`.

A second opinion on inputs, grids and references, by a program that is not ours. It needs
triton and torch, and no GPU.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import os
import sys

# Before triton is imported.
os.environ["TRITON_INTERPRET"] = "1"

import cases
import numpy as np
import torch
import triton_programs
from case import Arrays, Case, TensorMap, mismatches
from numerics import BF16, E4M3, E5M2
from triton.tools.tensor_descriptor import TensorDescriptor

FP8 = {np.dtype(E4M3): torch.float8_e4m3fn, np.dtype(E5M2): torch.float8_e5m2}


def to_torch(array: np.ndarray) -> torch.Tensor:
    """A copy as a tensor; bf16 as f32, for the interpreter truncates it and does not
    multiply it."""
    array = array.copy()
    if array.dtype == BF16:
        return torch.from_numpy(array.astype(np.float32))
    if array.dtype in FP8:
        return torch.from_numpy(array.view(np.uint8)).view(FP8[array.dtype])
    return torch.from_numpy(array)


def to_numpy(tensor: torch.Tensor, dtype: np.dtype) -> np.ndarray:
    """The tensor as an array of `dtype`."""
    if dtype in FP8:
        return tensor.view(torch.uint8).numpy().view(dtype)
    return tensor.numpy().astype(dtype)


def interpret(case: Case) -> Arrays:
    """Runs a case's launches; gives all arrays back."""
    program = triton_programs.PROGRAMS[case.program]
    arrays = case.inputs()
    for name, (shape, dtype) in case.outputs.items():
        arrays[name] = np.full(shape, 77, dtype)
    tensors = {name: to_torch(array) for name, array in arrays.items()}
    for launch in case.launches(case.archs[-1]):
        given = []
        rest = list(launch.args[:-2])  # without the two scratch pointers
        for kind in program.signature.values():
            argument = rest.pop(0)
            if isinstance(argument, str):
                given.append(tensors[argument])
            elif isinstance(argument, TensorMap):
                block = [int(n) for n in kind[kind.index("[") + 1 : -2].split(",")]
                columns, rows = argument.sizes
                tensor = tensors[argument.array].view(rows, columns)
                given.append(TensorDescriptor.from_tensor(tensor, block))
                del rest[:4]  # sizes and strides
            else:
                given.append(argument.item())
        program.kernel[launch.grid](*given, **program.constants)
    return {name: to_numpy(tensors[name], arrays[name].dtype) for name in tensors}


def main() -> int:
    """Checks every case; the exit code says whether one was wrong."""
    wrong = 0
    for case in cases.ALL:
        if not case.program.startswith("triton_"):
            continue
        arrays = interpret(case)
        found = mismatches(case, arrays)
        print("\n".join(found) if found else f"{case.name}: as the reference says", flush=True)
        wrong += bool(found)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
