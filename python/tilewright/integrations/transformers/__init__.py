# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models of Hugging Face's transformers with this library's attention and experts.

    register()         # attn_implementation="tilewright", experts_implementation="tilewright"
    absorb_mla(model)  # DeepSeek-V2 and V3: absorbed MLA decoding over a paged cache

`register` enters functions into transformers' own registries, so any model that looks its
attention up there can take ours by name. `absorb_mla` replaces the attention modules of a
DeepSeek model: the same weights under the same names, multiplied in another order.

For inference in f32, bf16 or f16, on the CPU. What is not supported is refused with ValueError.
"""

from __future__ import annotations

try:
    import transformers as _transformers  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"tilewright.integrations.transformers needs the package {error.name}: install "
        "transformers 5 and PyTorch"
    ) from error

from .mla import AbsorbedAttention, absorb_mla
from .paged import PagedLatentLayer
from .registries import NAME, register

__all__ = ["NAME", "AbsorbedAttention", "PagedLatentLayer", "absorb_mla", "register"]
