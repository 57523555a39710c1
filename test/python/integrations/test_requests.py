"""What our attention and cache do beyond greedy decoding, and what they refuse.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import copy

import pytest
import torch
from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM, StaticCache

from integrations.deepseek import (
    PROMPT,
    build,
    check_greedy,
    ours,
    positions_of,
    prompt,
    reference,
)
from tilewright.integrations.transformers import PagedLatentLayer, absorb_mla, register


@pytest.fixture(scope="module")
def absorbed():
    """DeepSeek-V3 over a paged cache."""
    return ours("v3", "absorbed")


@pytest.fixture(scope="module")
def expected():
    """Its reference."""
    return reference("v3")


def by_parts(model, ids, ends, cache=None, mask=None):
    """Logits of requests, fed to the model up to each of `ends` in turn, and the cache."""
    cache = DynamicCache() if cache is None else cache
    mask = torch.ones_like(ids) if mask is None else mask
    parts, first = [], cache.get_seq_length()
    with torch.no_grad():
        for end in ends:
            out = model(
                ids[:, first:end],
                attention_mask=mask[:, :end],
                position_ids=positions_of(mask)[:, first:end],
                past_key_values=cache,
                use_cache=True,
            )
            parts.append(out.logits)
            first = end
    return torch.cat(parts, 1).double(), cache


def test_a_prompt_may_come_in_pieces(absorbed, expected):
    # Long and short pieces, within padding and after it, across the end of a page.
    ids, mask = expected.ids, expected.mask
    found, cache = by_parts(absorbed, ids, [4, 7, 11, 30, 60, 63, 66, 100], mask=mask)
    off = (found - expected.exact.logits[:, :100])[mask[:, :100].bool()]
    assert off.abs().max() <= expected.bound
    layer = cache.layers[0]
    assert isinstance(layer, PagedLatentLayer)
    assert layer.counts == [91, 100]
    assert layer.table.tolist() == [[0, 2], [1, 3]]


def test_tokens_can_be_taken_back(absorbed, expected):
    ids = expected.ids[1:]
    _, cache = by_parts(absorbed, torch.cat([ids[:, :62], ids[:, :6]], 1), [68])
    cache.crop(-6)
    assert cache.get_seq_length() == 62
    found, _ = by_parts(absorbed, ids, [65, 66], cache)
    assert (found - expected.exact.logits[1:, 62:66]).abs().max() <= expected.bound


def test_without_a_cache(absorbed, expected):
    with torch.no_grad():
        found = absorbed(expected.ids[1:], use_cache=False).logits.double()
    assert (found - expected.exact.logits[1:]).abs().max() <= expected.bound


def test_beam_search(absorbed):
    ids, mask = prompt()
    options = {
        "attention_mask": mask, "num_beams": 3, "num_return_sequences": 2, "do_sample": False,
        "max_new_tokens": 12,
    }  # fmt: skip
    with torch.no_grad():
        wanted = build("v3").generate(ids, **options)
        assert torch.equal(absorbed.generate(ids, **options), wanted)


def test_small_pages(expected):
    model = absorb_mla(build("v3", experts="tilewright"), page=8)
    assert check_greedy(model, expected, 20) == 40


def test_parameters_keep_their_names(absorbed):
    assert absorbed.state_dict().keys() == build("v3").state_dict().keys()


def test_grouped_heads_of_another_model():
    register()
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=128, hidden_size=256, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, initializer_range=0.1,
        eos_token_id=None, pad_token_id=0,
    )  # fmt: skip
    model = LlamaForCausalLM._from_config(config, attn_implementation="sdpa").eval()
    ids = torch.randint(0, 128, (2, 20))
    mask = torch.ones_like(ids)
    mask[1, :5] = 0
    options = {"attention_mask": mask, "max_new_tokens": 8, "do_sample": False}
    options |= {"output_logits": True, "return_dict_in_generate": True}
    wanted = model.generate(ids, **options)
    model.set_attn_implementation("tilewright")
    found = model.generate(ids, **options)
    assert torch.equal(found.sequences, wanted.sequences)
    off = torch.stack(found.logits) - torch.stack(wanted.logits)
    assert 0 < off.abs().max() < 1e-4


def refused(message, call):
    """`call` raises one ValueError, of one sentence, that holds `message`."""
    with torch.no_grad(), pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_masks_that_are_refused(absorbed):
    ids, mask = prompt()
    refused("padding at the left", lambda: absorbed(ids, attention_mask=mask.flip(1)))
    square = torch.zeros(2, 1, PROMPT, PROMPT)
    refused("no mask of shape", lambda: absorbed(ids, attention_mask=square))
    packed = torch.arange(PROMPT).remainder(35)[None]
    refused("packed", lambda: absorbed(ids[:1], position_ids=packed, use_cache=False))


def test_caches_that_are_refused(absorbed):
    ids, _ = prompt()
    static = StaticCache(absorbed.config, max_cache_len=100)
    refused("default cache", lambda: absorbed(ids, past_key_values=static))
    filled = DynamicCache(config=absorbed.config)
    filled.update(torch.zeros(2, 1, 3, 512), torch.zeros(2, 1, 3, 64), 0)
    refused("pass an empty DynamicCache", lambda: absorbed(ids, past_key_values=filled))
    _, paged = by_parts(absorbed, ids, [10])
    refused("a cache of 2", lambda: absorbed(ids[:1], past_key_values=copy.deepcopy(paged)))
    plain = build("v3", attention="tilewright")
    refused("has not been replaced", lambda: plain(ids, past_key_values=paged))
    refused("cannot be taken", lambda: paged.crop(-11))


def test_gradients_are_refused(absorbed):
    ids, _ = prompt()
    for model in (absorbed, build("v3", attention="tilewright")):
        with pytest.raises(ValueError, match="no backward pass"):
            model(ids)
    experts = build("v3", experts="tilewright")
    with pytest.raises(ValueError, match="experts has no backward pass"):
        experts(ids)


def test_other_attention_is_refused(absorbed):
    ids, _ = prompt()
    refused("no output_attentions", lambda: absorbed(ids, output_attentions=True))
    dropping = ours("v3", "registries", attention_dropout=0.5).train()
    refused("no dropout", lambda: dropping(ids))


def test_models_that_are_refused():
    config = LlamaConfig(
        vocab_size=8, hidden_size=16, intermediate_size=8, num_hidden_layers=1,
        num_attention_heads=1,
    )  # fmt: skip
    refused("no attention of DeepSeek", lambda: absorb_mla(LlamaForCausalLM(config)))
    biased = build("v3")
    attention = biased.model.layers[1].self_attn
    attention.kv_b_proj = torch.nn.Linear(512, attention.num_heads * 256)
    refused("without bias", lambda: absorb_mla(biased))
    other = build("v3", experts="tilewright", hidden_act="gelu")
    refused("SwiGLU", lambda: other(prompt()[0]))
