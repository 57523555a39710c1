"""A DeepSeek model of transformers, with and without this library's kernels.

A small model with random weights keeps the real heads (192 columns of queries and keys, 128 of
values, latents of 512 + 64) and runs four ways, with the same weights in memory: transformers'
eager code, what transformers chooses by itself, our attention and experts by name
(`attn_implementation="tilewright"`), and absorbed MLA decoding over a paged cache. Nothing is
downloaded. docs/transformers.md says what each of them is.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import copy
import enum
import os
import statistics
import time
from collections.abc import Callable
from typing import Annotated, NamedTuple

# Before anything is imported: a library's threads sleep while another's run.
os.environ |= {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0", "HF_HUB_OFFLINE": "1"}

import torch  # noqa: E402
import typer  # noqa: E402
from transformers import (  # noqa: E402
    DeepseekV2Config,
    DeepseekV2ForCausalLM,
    DeepseekV3Config,
    DeepseekV3ForCausalLM,
    PreTrainedModel,
)

import tilewright  # noqa: E402
from tilewright.cli.console import stdout, table  # noqa: E402
from tilewright.integrations.transformers import absorb_mla, register  # noqa: E402


class Family(enum.StrEnum):
    v2 = "v2"
    v3 = "v3"


class Dtype(enum.StrEnum):
    f32 = "f32"
    bf16 = "bf16"


class Times(NamedTuple):
    """Seconds of one run, and the tokens [batch, n] it decoded."""

    prefill: float
    decode: float
    tokens: torch.Tensor


def random_model(
    family: Family, dtype: Dtype, experts: int, widths: dict[str, int]
) -> PreTrainedModel:
    """A model of that family as transformers makes it, with weights from a fixed seed."""
    yarn = {
        "rope_type": "yarn", "rope_theta": 10000.0, "factor": 40.0, "mscale": 1.0,
        "mscale_all_dim": 1.0, "beta_fast": 32, "beta_slow": 1,
        "original_max_position_embeddings": 4096,
    }  # fmt: skip
    common = {
        **widths, "n_routed_experts": experts, "rope_parameters": yarn,
        "first_k_dense_replace": 1, "max_position_embeddings": 163840,
        "num_key_value_heads": widths["num_attention_heads"],
    }  # fmt: skip
    made = torch.float32 if dtype == Dtype.f32 else torch.bfloat16
    torch.manual_seed(0)
    if family == Family.v2:
        # As V2-Lite: queries without a projection of low rank, 6 experts of any.
        config = DeepseekV2Config(**common, q_lora_rank=None, num_experts_per_tok=6)
        model = DeepseekV2ForCausalLM._from_config(config, dtype=made)
    else:
        # As V3: 8 experts of the best 4 of 8 groups.
        config = DeepseekV3Config(**common, q_lora_rank=widths["hidden_size"] // 4)
        model = DeepseekV3ForCausalLM._from_config(config, dtype=made)
    return model.eval()


def with_same_weights(model: PreTrainedModel) -> PreTrainedModel:
    """A copy of the model whose parameters are those of the model."""
    return copy.deepcopy(model, {id(p): p for p in model.parameters()})


def variants(model: PreTrainedModel) -> dict[str, PreTrainedModel]:
    """The ways to run it, by name."""
    register()
    eager, ours, absorbed = (with_same_weights(model) for _ in range(3))
    eager.set_attn_implementation("eager")
    eager.set_experts_implementation("eager")
    ours.set_attn_implementation("tilewright")
    for by_us in (ours, absorbed):
        by_us.set_experts_implementation("tilewright")
    default = f"{model.config._attn_implementation}, {model.config._experts_implementation}"
    return {
        "transformers: eager": eager,
        f"transformers: {default}": model,
        "ours by name: attention, experts": ours,
        "ours: absorbed paged MLA, experts": absorb_mla(absorbed),
    }


@torch.no_grad()
def run(model: PreTrainedModel, prompt: torch.Tensor, tokens: int) -> Times:
    """A prompt at once, then greedy decoding of `tokens` more after the first."""
    start = time.perf_counter()
    out = model(prompt, use_cache=True, logits_to_keep=1)
    found = [out.logits[:, -1].argmax(-1, keepdim=True)]
    prefilled = time.perf_counter()
    for _ in range(tokens):
        out = model(found[-1], past_key_values=out.past_key_values)
        found.append(out.logits[:, -1].argmax(-1, keepdim=True))
    done = time.perf_counter()
    return Times(prefilled - start, done - prefilled, torch.cat(found, 1))


def measure(
    models: dict[str, PreTrainedModel], prompt: torch.Tensor, tokens: int, rounds: int
) -> dict[str, list[Times]]:
    """Every model in each round, after one that is not counted, which compiles."""
    found: dict[str, list[Times]] = {name: [] for name in models}
    for counted in range(rounds + 1):
        for name, model in models.items():
            times = run(model, prompt, tokens)
            if counted:
                found[name].append(times)
    return found


def report(found: dict[str, list[Times]], batch: int, length: int, tokens: int):
    """A table of medians, beside those of what transformers chooses by itself."""
    shown = table("", ">prefill tok/s", ">", ">decode tok/s", ">", ">same tokens")

    def median(name: str, seconds: Callable[[Times], float]) -> float:
        return statistics.median(seconds(times) for times in found[name])

    default = list(found)[1]
    for name, runs in found.items():
        cells = []
        for part, count in (("prefill", length), ("decode", tokens)):
            seconds, beside = (
                median(which, lambda times, part=part: getattr(times, part))
                for which in (name, default)
            )
            cells += [f"{batch * count / seconds:.1f}", f"{beside / seconds:.2f} x"]
        same = runs[-1].tokens == found[default][-1].tokens
        shown.add_row(name, *cells, f"{int(same.sum())} of {same.numel()}")
    return shown


def main(
    family: Annotated[Family, typer.Option(help="DeepSeek-V2 or V3")] = Family.v3,
    dtype: Annotated[Dtype, typer.Option(help="of weights and activations")] = Dtype.f32,
    layers: Annotated[int, typer.Option(min=1, help="the first is dense")] = 3,
    hidden: Annotated[int, typer.Option(min=8, help="columns of the residual stream")] = 1024,
    heads: Annotated[int, typer.Option(min=1, help="of attention")] = 16,
    experts: Annotated[int, typer.Option(min=16, help="routed, in each layer")] = 32,
    inner: Annotated[int, typer.Option(min=1, help="columns of an expert")] = 512,
    vocabulary: Annotated[int, typer.Option(min=2, help="tokens there are")] = 8192,
    batch: Annotated[int, typer.Option(min=1, help="requests at once")] = 1,
    prompt: Annotated[int, typer.Option(min=1, help="tokens of each prompt")] = 1024,
    tokens: Annotated[int, typer.Option(min=1, help="decoded after each prompt")] = 32,
    rounds: Annotated[int, typer.Option(min=1, help="whose median counts")] = 5,
    threads: Annotated[int, typer.Option(min=0, help="0: what PyTorch takes")] = 0,
) -> None:
    """Speed of a DeepSeek model of transformers, prefill and decoding, with and without us."""
    torch.set_num_threads(threads or torch.get_num_threads())
    tilewright.set_num_threads(torch.get_num_threads())
    widths = {
        "num_hidden_layers": layers, "hidden_size": hidden, "intermediate_size": 2 * hidden,
        "num_attention_heads": heads, "moe_intermediate_size": inner, "vocab_size": vocabulary,
    }  # fmt: skip
    stdout().print(
        f"DeepSeek-{family.upper()} in {dtype}, {layers} layers of {hidden}, {heads} heads, "
        f"{experts} experts of {inner}; {batch} prompts of {prompt} tokens, {tokens} decoded; "
        f"{torch.get_num_threads()} threads, medians of {rounds} rounds"
    )
    models = variants(random_model(family, dtype, experts, widths))
    ids = torch.randint(0, vocabulary, (batch, prompt))
    stdout().print(report(measure(models, ids, tokens, rounds), batch, prompt, tokens))


if __name__ == "__main__":
    typer.run(main)
