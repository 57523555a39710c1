# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A layer of transformers' cache that keeps MLA's latent rows in pages.

    pool    [blocks, page, latent + rope]   rows of all requests, in blocks anywhere
    table   [batch, pages] i32              the block of each page of each request
    lengths [batch] i32                     rows of each request

A row is the latent of a token, which all heads share, and its rotated key. Padding takes no
row: requests of a batch have lengths of their own. Pages are handed out as rows come, and the
pool doubles where it is full.
"""

from __future__ import annotations

import torch
from transformers.cache_utils import Cache, CacheLayerMixin, DynamicLayer

from tilewright.kernels.arrays import require


class PagedLatentLayer(CacheLayerMixin):
    """The paged rows of one model layer. It is filled by `append`, never by `update`."""

    is_sliding = False
    is_croppable = True
    supports_early_init = False

    def __init__(self, page: int = 64) -> None:
        """`page` is the rows of a page. Raises ValueError where it is not positive."""
        super().__init__()
        require(page > 0, f"a page has {page} rows and must have at least one")
        self.page = page
        self.reset()

    def reset(self) -> None:
        """Forgets all rows, and how many requests there were."""
        self.pool = torch.empty((0, self.page, 0))
        self.table = torch.empty((0, 0), dtype=torch.int32)
        self.counts: list[int] = []
        self.columns = 0  # tokens of a request, padding included, as transformers counts them
        self.is_initialized = False

    @property
    def batch_size(self) -> int:
        """The number of requests; -1 before the first row."""
        return len(self.counts) or -1

    @property
    def lengths(self) -> torch.Tensor:
        """Rows of each request [batch] i32."""
        return torch.tensor(self.counts, dtype=torch.int32)

    def lazy_initialization(self, rows: torch.Tensor, _: object = None) -> None:
        """Makes the pool for rows [batch, s, width] of this dtype."""
        pages = -(-rows.shape[1] // self.page)
        blocks = rows.shape[0] * (pages + 1)
        self.pool = rows.new_empty((blocks, self.page, rows.shape[2]))
        self.table = torch.empty((rows.shape[0], 0), dtype=torch.int32)
        self.counts = [0] * rows.shape[0]
        self.is_initialized = True

    def append(self, rows: torch.Tensor, padding: list[int]) -> None:
        """Adds the rows [batch, s, width] but for the first `padding` of each request.

        Raises ValueError where the batch is not that of the rows before.
        """
        batch, s, width = rows.shape
        if not self.is_initialized:
            self.lazy_initialization(rows)
        require(
            batch == len(self.counts),
            f"{batch} requests meet a cache of {len(self.counts)}: give each batch its own",
        )
        before = self.counts
        self.columns += s
        self.counts = [n + s - pad for n, pad in zip(before, padding, strict=True)]
        self._reserve(-(-max(self.counts) // self.page))
        if s == 1 and not any(padding):
            table = self.table
            places = [int(table[b, n // self.page]) * self.page + n % self.page
                      for b, n in enumerate(before)]  # fmt: skip
            self.pool.view(-1, width)[torch.tensor(places)] = rows[:, 0]
            return
        for b, pad in enumerate(padding):
            place = torch.arange(before[b], self.counts[b])
            place = self.table[b, place // self.page] * self.page + place % self.page
            self.pool.view(-1, width)[place] = rows[b, pad:]

    def _reserve(self, pages: int) -> None:
        """Gives every request that many pages: page by page, so that requests lie mixed."""
        batch, have = self.table.shape
        if pages <= have:
            return
        used = batch * have
        fresh = torch.arange(used, batch * pages, dtype=torch.int32)
        fresh = fresh.view(pages - have, batch).T
        self.table = torch.cat([self.table, fresh], 1)
        if batch * pages > len(self.pool):
            pool = self.pool.new_empty((2 * batch * pages, *self.pool.shape[1:]))
            pool[:used] = self.pool[:used]
            self.pool = pool

    def gather(self) -> torch.Tensor:
        """All rows [batch, columns, width]; columns of padding hold anything."""
        width = self.pool.shape[2]
        rows = self.pool.new_empty((len(self.counts), self.columns, width))
        for b, count in enumerate(self.counts):
            rows[b, self.columns - count :] = self.pool[self.table[b]].view(-1, width)[:count]
        return rows

    def update(self, *_: object, **__: object) -> tuple[torch.Tensor, torch.Tensor]:
        """Raises ValueError: only modules of `absorb_mla` know what to do with pages."""
        raise ValueError(
            "a paged cache was given to attention that has not been replaced: call "
            "absorb_mla(model), or pass another cache"
        )

    def get_seq_length(self) -> int:
        """Tokens of a request so far, padding included."""
        return self.columns

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Keys that `query_length` more queries have, and the first of them."""
        return self.columns + query_length, 0

    def get_max_length(self) -> int:
        """-1: the pool grows."""
        return -1

    def crop(self, tokens_to_remove: int) -> None:
        """Forgets the last tokens of every request; transformers gives their number negated."""
        removed = abs(tokens_to_remove)
        require(
            removed <= min(self.counts, default=0) or not removed,
            f"{removed} tokens cannot be taken from requests of {self.counts}",
        )
        self.columns -= removed
        self.counts = [n - removed for n in self.counts]

    def reorder_cache(self, beam_idx: torch.LongTensor) -> None:
        """Makes request i what request beam_idx[i] was, as beam search does."""
        if self.is_initialized:
            self.pool[self.table] = self.pool[self.table[beam_idx]]
            self.counts = [self.counts[b] for b in beam_idx.tolist()]


def paged_layer(cache: Cache, index: int, page: int) -> PagedLatentLayer:
    """The cache's layer of that index; one that holds nothing yet is replaced by a paged one.

    Raises ValueError where another kind of layer holds tokens, or is made for another purpose.
    """
    layers = cache.layers
    while len(layers) <= index and cache.layer_class_to_replicate is DynamicLayer:
        layers.append(DynamicLayer())
    layer = layers[index]
    if type(layer) is DynamicLayer and not layer.is_initialized and not cache.offloading:
        layer = layers[index] = PagedLatentLayer(page)
    require(
        isinstance(layer, PagedLatentLayer),
        f"absorbed attention keeps its rows in pages and was given a {type(layer).__name__}: "
        "pass an empty DynamicCache, or none",
    )
    return layer
