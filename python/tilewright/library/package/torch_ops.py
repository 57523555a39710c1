"""The library's functions as operators of PyTorch: `torch.ops.NAME.FUNCTION`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from ._library import NAME, functions

_SCALARS = {"bool": "bool", "float": "float", "double": "float"}
_registered = []


def schema(name):
    """An operator's schema: a function takes its outputs and returns nothing."""
    kinds = {"read": "Tensor", "written": "Tensor({}!)"}
    parameters = [
        f"{kinds.get(kind, _SCALARS.get(kind, 'int')).format(f'a{number}')} {parameter}"
        for number, (parameter, kind) in enumerate(functions[name].parameters.items())
    ]
    return f"{name}({', '.join(parameters)}) -> ()"


def register():
    """Registers the operators with PyTorch, once. torch.compile traces through them. On a GPU
    they run on PyTorch's current stream."""
    if _registered:
        return
    import torch

    library = torch.library.Library(NAME, "FRAGMENT")
    for name, function in functions.items():
        library.define(schema(name), tags=(torch.Tag.pt2_compliant_tag,))
        library.impl(name, _on_host(function), "CPU")
        library.impl(name, _on_gpu(function), "CUDA")
        torch.library.register_fake(f"{NAME}::{name}", _nothing, lib=library)
    _registered.append(library)


def _on_host(function):
    return lambda *arguments: function.launch(None, None, *arguments)


def _on_gpu(function):
    import torch

    def run(*arguments):
        tensors = (a for a in arguments if isinstance(a, torch.Tensor) and a.is_cuda)
        stream = torch.cuda.current_stream(next(tensors).device)
        function.launch(stream, None, *arguments)

    return run


def _nothing(*arguments):
    """What an operator returns, for tracing."""
