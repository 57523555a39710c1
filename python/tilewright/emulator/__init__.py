"""An emulated GPU: PTX text or AMD code objects executed on any machine, and told what they
do wrong.

    from tilewright.emulator import Device

    device = Device("sm_90a")
    x = device.array(np.arange(1000, dtype=np.float32))
    y = device.empty(1000, np.float32)
    module = device.load(ptx_text)
    module.launch("scale", grid=8, block=128, args=[x, y, 2.5, 1000])
    print(y.numpy())

A program that breaks a rule (an access out of bounds, a race, a missing wait) raises
EmulatorFault with a report of every place. docs/emulator.md says what is modelled.

The package loads the library of the device's vendor with ctypes: the libraries' C API is what
programs in other languages use, too, a launch takes far longer than a call through ctypes,
and nothing has to be built for each version of Python. They need nothing of Tilewright's
compiler; AMD's reads instructions with LLVM.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from tilewright.emulator.device import Buffer, Device
from tilewright.emulator.faults import (
    CodeObjectError,
    EmulatorError,
    EmulatorFault,
    Fault,
    ProgramError,
    PtxError,
)
from tilewright.emulator.module import Kernel, Module, Parameter
from tilewright.emulator.tensor_map import Pixels, TensorMap

__all__ = [
    "Buffer",
    "CodeObjectError",
    "Device",
    "EmulatorError",
    "EmulatorFault",
    "Fault",
    "Kernel",
    "Module",
    "Parameter",
    "Pixels",
    "ProgramError",
    "PtxError",
    "TensorMap",
]
