"""What `--device` may name.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Iterable

from tilewright.cli.console import UsageError


def check_devices(devices: Iterable[str]) -> None:
    """Raises UsageError for a device that this build has no backend for."""
    from tilewright import _compiler

    for device in devices:
        try:
            _compiler.resolve_target(device)
        except ValueError as error:
            raise UsageError(f"--device {device}: {error}") from None
