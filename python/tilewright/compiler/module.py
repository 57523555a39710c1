"""A lowered kernel: IR text, and what the callers of the front end need besides.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations


class Module:
    """A kernel as IR text. Its `fields` are plain: JSON holds them.

    Attributes:
        name: the function's name.
        text: the module.
        parameters: names of the function's parameters in order.
        outputs: positions of those that the launcher allocates and the call returns.
        found: the paths of what its lowering found outside (outside.py); no field.
    """

    fields: tuple[str, ...] = ("name", "text", "parameters", "outputs")
    __slots__ = (*fields, "found")

    def __init__(self, name: str, text: str, parameters: list[str], outputs: list[int]) -> None:
        self.name, self.text = name, text
        self.parameters, self.outputs = parameters, tuple(outputs)
        self.found: list[tuple[str, ...]] = []


class EagerModule(Module):
    """An eager kernel as IR text.

    Attributes:
        inputs: names of the parameters that calls pass, in order.
        scalars: those of them that are scalars.
        const_axes: (parameter, axis, factor, value) of each place that gives a T.const size.
            The value is the array's extent times the factor: 2 for elements in pairs.
        consts: the values of those sizes.
    """

    __slots__ = ("inputs", "scalars", "const_axes", "consts")
    fields = (*Module.fields, *__slots__)

    def __init__(
        self,
        *plain: object,
        inputs: list[str],
        scalars: list[str],
        const_axes: list[tuple[str, int, int, int | None]],
        consts: dict[str, int],
        **named: object,
    ) -> None:
        super().__init__(*plain, **named)
        self.inputs, self.scalars = inputs, scalars
        self.const_axes, self.consts = const_axes, consts

    @property
    def key(self) -> tuple[int | None, ...]:
        """What tells it from those that differ in their T.const sizes alone."""
        return tuple(value for *_, value in self.const_axes)
