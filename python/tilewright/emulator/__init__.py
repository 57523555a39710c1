"""An emulated NVIDIA GPU: PTX text executed on any machine, and told what it does wrong.

    from tilewright.emulator import Device

    device = Device("sm_90a")
    x = device.array(np.arange(1000, dtype=np.float32))
    y = device.empty(1000, np.float32)
    module = device.load(ptx_text)
    module.launch("scale", grid=8, block=128, args=[x, y, 2.5, 1000])
    print(y.numpy())

A program that breaks a rule (an access out of bounds, a race, a missing wait) raises
EmulatorFault with a report of every place. docs/emulator.md says what is modelled.

The package loads libtilewright_ptx_emulator.so with ctypes: the library's C API is what
programs in other languages use, too, a launch takes far longer than a call through ctypes,
and nothing has to be built for each version of Python. It needs neither LLVM nor
Tilewright's compiler.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from tilewright.emulator.device import Buffer, Device
from tilewright.emulator.faults import EmulatorError, EmulatorFault, Fault, PtxError
from tilewright.emulator.module import Kernel, Module, Parameter
from tilewright.emulator.tensor_map import Pixels, TensorMap

__all__ = [
    "Buffer",
    "Device",
    "EmulatorError",
    "EmulatorFault",
    "Fault",
    "Kernel",
    "Module",
    "Parameter",
    "Pixels",
    "PtxError",
    "TensorMap",
]
