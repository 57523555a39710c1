"""What can go wrong: a program that breaks a rule, a text that is no PTX, a wrong call.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ctypes

from tilewright.emulator import library
from tilewright.faults import Fault, of_records


class EmulatorError(RuntimeError):
    """A call that the emulator refuses, such as a launch that no device would take."""


class ProgramError(EmulatorError):
    """A program that is none or uses what is not modelled; `line` and `column` say where in
    a text, and are 0 where it as a whole is meant."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class PtxError(ProgramError):
    """A text that is no PTX or uses what is not modelled."""


class CodeObjectError(ProgramError):
    """Bytes that are no linked AMD code object, or one for another device."""


class EmulatorFault(EmulatorError):
    """An emulated program broke rules. The text has every report; `faults` has them as
    records."""

    def __init__(self, message: str, faults: list[Fault]) -> None:
        super().__init__(message)
        self.faults = faults


def check(api: ctypes.CDLL, status: int, device: ctypes.c_void_p | None = None) -> None:
    """Raises what the status of a call means; faults are taken from `device`."""
    if status == library.OK:
        return
    message = api.tw_emulator_last_error().decode(errors="replace")
    if status == library.FAULT and device is not None:
        raise EmulatorFault(message, take_faults(api, device))
    if status == library.SYNTAX:
        line, column = ctypes.c_uint32(), ctypes.c_uint32()
        api.tw_emulator_last_error_place(ctypes.byref(line), ctypes.byref(column))
        kind = PtxError if api.vendor is library.NVIDIA else CodeObjectError
        raise kind(message, line.value, column.value)
    if status == library.MEMORY:
        raise MemoryError(message)
    raise EmulatorError(message)


def take_text(api: ctypes.CDLL, call: str, device: ctypes.c_void_p) -> str:
    """The text that a call of a device gives, which is freed here."""
    pointer = ctypes.c_void_p()
    check(api, getattr(api, f"tw_emulator_{call}")(device, ctypes.byref(pointer)))
    try:
        return ctypes.string_at(pointer.value).decode(errors="replace")
    finally:
        api.tw_emulator_text_free(pointer)


def take_faults(api: ctypes.CDLL, device: ctypes.c_void_p) -> list[Fault]:
    """The faults that the device has collected, which it then forgets."""
    faults = of_records(take_text(api, "faults_json", device))
    api.tw_emulator_faults_clear(device)
    return faults
