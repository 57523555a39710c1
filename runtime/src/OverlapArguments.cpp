//===- OverlapArguments.cpp - Arguments that share memory --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Checker.h"

using namespace tilewright;

/// A tensor whose elements share bytes is contiguous: one item as long as all of it.
Extent tilewright::placeOf(const ParameterEntry &parameter, const uint64_t *words) {
  auto *extents = reinterpret_cast<const int64_t *>(words + 1);
  if (int64_t perItem = elementsPerItem(parameter.dtype); perItem > 1) {
    int64_t elements = 1;
    for (int64_t d = 0; d < parameter.rank; ++d)
      elements = product(elements, extents[d]);
    if (elements > 0)
      return {*words, elements / perItem, 0, nullptr, nullptr};
  }
  return {*words, itemSize(parameter.dtype), parameter.rank, extents,
          extents + parameter.rank};
}

/// Whether two tensors are the same elements in the same order. Strides that no element
/// depends on hold what the signature says, so two that differ there are not the same.
bool Checker::isSamePlace(const Extent &a, const Extent &b) const {
  if (a.address != b.address || a.itemSize != b.itemSize || a.rank != b.rank)
    return false;
  for (int64_t d = 0; d < a.rank; ++d)
    if (a.extents[d] != b.extents[d] ||
        (a.extents[d] > 1 && a.strides[d] != b.strides[d]))
      return false;
  return true;
}

/// What the kernel writes shares memory with nothing else; with what it is declared an
/// alias of, it is the same elements or shares none.
tw_status Checker::checkOverlap(int64_t index) {
  const ParameterEntry &written = signature.parameter(index);
  if (!(written.flags & TW_PARAM_WRITE) || written.kind != TW_PARAM_TENSOR ||
      (argument(index).flags & TW_ARGUMENT_ALLOCATE))
    return TW_OK;
  Extent place = this->place(index);
  if (mayOverlapItself(place))
    return reject(index, "has elements that share memory; the kernel writes to it");
  for (int64_t other = 0; other < signature.parameterCount(); ++other) {
    const ParameterEntry &parameter = signature.parameter(other);
    if (other == index || parameter.kind != TW_PARAM_TENSOR ||
        (argument(other).flags & TW_ARGUMENT_ALLOCATE))
      continue;
    Extent otherPlace = this->place(other);
    bool isAlias = written.alias == other + 1 || parameter.alias == index + 1;
    if (!mayOverlap(place, otherPlace) || (isAlias && isSamePlace(place, otherPlace)))
      continue;
    if (isAlias)
      return reject(index,
                    "shares a part of its memory with argument '%s', of which it is "
                    "declared an alias; pass the same memory or separate memory",
                    nameOf(other));
    return reject(index,
                  "shares memory with argument '%s', and the kernel writes "
                  "to it; pass separate memory or a copy",
                  nameOf(other));
  }
  return TW_OK;
}
