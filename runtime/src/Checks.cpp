//===- Checks.cpp - The life of a checked launch -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Memories, kernels, blocks and iterations. What is checked of an access is in
// CheckAccess.cpp.
//
//===----------------------------------------------------------------------===//

#include "Checks.h"

#include "Signature.h"

#include <new>

using namespace tilewright;

//===----------------------------------------------------------------------===//
// Creation
//===----------------------------------------------------------------------===//

Checks *Checks::create(const int64_t *table, const char *kernelName) {
  void *memory = malloc(sizeof(Checks));
  if (!memory)
    return nullptr;
  auto *checks = new (memory) Checks(table, kernelName);
  if (!checks->init()) {
    checks->destroy();
    return nullptr;
  }
  return checks;
}

void Checks::destroy() {
  if (memories)
    for (int64_t i = 0; i < table.memoryCount(); ++i)
      memories[i].~CheckedMemory();
  free(memories);
  this->~Checks();
  free(this);
}

bool Checks::init() {
  auto count = static_cast<size_t>(table.memoryCount());
  memories = static_cast<CheckedMemory *>(malloc((count + 1) * sizeof(CheckedMemory)));
  if (!memories || !slots.reset(static_cast<size_t>(table.loopCount())) ||
      !parallels.reset(static_cast<size_t>(table.loopCount())))
    return false;
  for (size_t i = 0; i < count; ++i)
    new (&memories[i]) CheckedMemory();
  int64_t most = 0;
  for (int64_t i = 0; i < table.loopCount(); ++i) {
    const CheckLoop &loop = table.loop(i);
    slots[i] = loop.outer < 0 ? 0 : slots[loop.outer] + table.loop(loop.outer).rank;
    most = slots[i] + loop.rank > most ? slots[i] + loop.rank : most;
    parallels[i] = loop.isParallel() ? i : parallelOf(loop.outer);
  }
  return variables.reset(static_cast<size_t>(most));
}

//===----------------------------------------------------------------------===//
// Memories
//===----------------------------------------------------------------------===//

void Checks::tensor(int64_t number, const void *data, const int64_t *layout) {
  const CheckMemory &described = table.memory(number);
  CheckedMemory &memory = memories[number];
  memory.data = static_cast<const char *>(data);
  for (int64_t dim = 0; dim < described.rank; ++dim) {
    memory.extents[dim] = layout[dim];
    memory.strides[dim] = layout[described.rank + dim];
  }
  memory.startsUndefined = described.flags & TW_CHECK_UNDEFINED;
  memory.birth = 1;
}

/// The first and the past-the-end byte of a tensor's elements; none where it is empty.
static bool findRange(const CheckedMemory &memory, int64_t rank, int64_t bytes,
                      const char *&first, const char *&last) {
  if (!memory.data)
    return false;
  int64_t low = 0, high = 0;
  for (int64_t dim = 0; dim < rank; ++dim) {
    int64_t span = (memory.extents[dim] - 1) * memory.strides[dim];
    if (memory.extents[dim] < 1)
      return false;
    (span < 0 ? low : high) += span;
  }
  first = memory.data + low * bytes;
  last = memory.data + (high + 1) * bytes;
  return true;
}

static int64_t greatestDivisor(int64_t a, int64_t b) {
  while (b) {
    int64_t rest = a % b;
    a = b, b = rest;
  }
  return a < 0 ? -a : a;
}

/// Gives `owner` a shadow, from `first` to `last`, for all tensors that reach into it.
void Checks::shareShadow(CheckedMemory &owner, const char *first, const char *last,
                         int64_t granule) {
  Array<int64_t> group;
  auto isInGroup = [&](int64_t number) {
    for (size_t i = 0; i < group.size(); ++i)
      if (group[i] == number)
        return true;
    return false;
  };
  // The range grows with each member, until none is left outside.
  for (bool grew = true; grew && !lacksMemory;) {
    grew = false;
    for (int64_t i = 0; i < table.memoryCount(); ++i) {
      const CheckMemory &described = table.memory(i);
      const char *begin, *end;
      if (!described.isGlobal() || isInGroup(i) ||
          !findRange(memories[i], described.rank, itemSize(described.dtype), begin,
                     end) ||
          begin >= last || end <= first)
        continue;
      grew = true;
      lacksMemory |= !group.push(i);
      granule = greatestDivisor(granule, itemSize(described.dtype));
      granule = greatestDivisor(granule, begin - first);
      first = begin < first ? begin : first;
      last = end > last ? end : last;
    }
  }
  lacksMemory |= !owner.own.reset(static_cast<size_t>((last - first) / granule));
  for (size_t i = 0; i < group.size(); ++i) {
    CheckedMemory &member = memories[group[i]];
    member.shadow = &owner.own;
    member.granule = granule;
    member.shadowed = first;
  }
}

/// Gives tensors that are written, and those that share memory with one, a shadow.
/// Arguments may interleave, and may overlap where the signature declares it.
void Checks::shareShadows() {
  for (int64_t i = 0; i < table.memoryCount(); ++i) {
    const CheckMemory &described = table.memory(i);
    CheckedMemory &memory = memories[i];
    const char *first, *last;
    int64_t bytes = itemSize(described.dtype);
    if (described.isGlobal() && !memory.shadow &&
        described.flags & (TW_CHECK_WRITTEN | TW_CHECK_UNDEFINED) &&
        findRange(memory, described.rank, bytes, first, last))
      shareShadow(memory, first, last, bytes);
  }
}

void Checks::kernel(int64_t rank, const int64_t *extents) {
  shareShadows();
  gridRank = rank;
  for (int64_t dim = 0; dim < 3; ++dim)
    grid[dim] = dim < rank ? extents[dim] : 1;
  kernelBegin = next;
  blockBegins.clear();
}

void Checks::tile(int64_t number, void *data) {
  const CheckMemory &described = table.memory(number);
  CheckedMemory &memory = memories[number];
  const int64_t *extents = table.at(described.extents);
  int64_t elements = 1;
  for (int64_t dim = described.rank - 1; dim >= 0; --dim) {
    memory.extents[dim] = extents[dim];
    memory.strides[dim] = elements;
    elements *= extents[dim];
  }
  memory.data = memory.shadowed = static_cast<const char *>(data);
  memory.granule = itemSize(described.dtype);
  memory.startsUndefined = true;
  if (memory.own.isEmpty() && !memory.own.reset(static_cast<size_t>(elements))) {
    lacksMemory = true;
    endBlock();
  }
  memory.shadow = &memory.own;
  if (parallelOf(described.loop) >= 0) {
    memory.own.forget(); // private to an iteration, whose agent goes on
    memory.birth = 1;
  } else {
    memory.birth = serialAgent = next++;
  }
  // All ones are NaN in every float type; what no check sees then shows in results.
  memset(data, 0xff, static_cast<size_t>(elements * memory.granule));
}

//===----------------------------------------------------------------------===//
// Blocks and iterations
//===----------------------------------------------------------------------===//

void Checks::iteration(int64_t number, const int64_t *values) {
  const CheckLoop &loop = table.loop(number);
  memcpy(&variables[slots[number]], values, loop.rank * sizeof(int64_t));
  if (!loop.isParallel())
    return;
  const int64_t *extents = table.at(loop.extents);
  int64_t linear = 0, count = 1;
  for (int64_t dim = 0; dim < loop.rank; ++dim) {
    linear = linear * extents[dim] + values[dim];
    count *= extents[dim];
  }
  if (linear == 0) {
    loopBegin = next;
    next += count;
  }
  parallelAgent = loopBegin + linear;
}

void Checks::runBlock(int64_t block, tw_block_fn fn, void *env, void *arena) {
  serialAgent = next++;
  if (!blockBegins.push(serialAgent) || next > Stamp::maximumAgent) {
    lacksMemory = true;
    return;
  }
  inspected = 0;
  if (setjmp(end) == 0)
    fn(env, block, block + 1, arena);
}

void Checks::runBlocks(int64_t count, tw_block_fn fn, void *env, void *arena) {
  for (int64_t block = 0; block < count && !lacksMemory; ++block)
    runBlock(block, fn, env, arena);
}

Rivals Checks::rivalsOf(const CheckSite &site) const {
  Rivals rivals;
  int64_t loop = parallelOf(site.loop);
  rivals.self = loop < 0 ? serialAgent : parallelAgent;
  const CheckMemory &memory = table.memory(site.memory);
  if (memory.isGlobal()) {
    rivals.kernelBegin = kernelBegin;
    rivals.blockBegin = blockBegin();
  }
  // A memory that is allocated in the loop is another one in each iteration.
  if (loop >= 0 && parallelOf(memory.loop) != loop)
    rivals.loopBegin = loopBegin;
  return rivals;
}

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

void Checks::setBlock(FaultPlace &place, int64_t block) const {
  for (int64_t dim = 0; dim < gridRank; ++dim) {
    bool isLast = dim + 1 == gridRank;
    place.block[dim] = isLast ? block : block % grid[dim];
    block = isLast ? 0 : block / grid[dim];
  }
}

/// The place of `site`; with `agent`, in the iteration of its loop that had this number.
FaultPlace Checks::placeOf(int64_t number, int64_t block, uint64_t agent) const {
  const CheckSite &site = table.site(number);
  FaultPlace place;
  place.operation = table.string(site.operation);
  place.file = table.string(site.file);
  place.line = site.line, place.column = site.column;
  place.callers = table.string(site.callers);
  setBlock(place, block);
  int64_t chain[Iteration::maximum], depth = 0;
  for (int64_t loop = site.loop; loop >= 0 && depth < Iteration::maximum;
       loop = table.loop(loop).outer)
    chain[depth++] = loop;
  while (depth > 0) {
    const CheckLoop &loop = table.loop(chain[--depth]);
    const int64_t *names = table.at(loop.names);
    int64_t values[maximumRank];
    memcpy(values, &variables[slots[chain[depth]]], loop.rank * sizeof(int64_t));
    if (loop.isParallel() && agent >= loopBegin) {
      auto linear = static_cast<int64_t>(agent - loopBegin);
      for (int64_t dim = loop.rank - 1; dim >= 0; --dim) {
        int64_t extent = table.at(loop.extents)[dim];
        values[dim] = linear % extent;
        linear /= extent;
      }
    }
    for (int64_t dim = 0; dim < loop.rank; ++dim)
      place.iteration.add(table.string(names[dim]), values[dim]);
    if (loop.isParallel() && agent != parallelAgent)
      break; // what the variables of loops inside were is not known
  }
  return place;
}

void Checks::report(Rule rule, int64_t number, const char *message, int64_t memory,
                    const int64_t *index, const Stamp *rival, const char *rivalAccess) {
  auto block = static_cast<int64_t>(blockBegins.size()) - 1;
  Fault fault;
  fault.rule = rule;
  fault.key = &table.site(number);
  fault.message = message;
  fault.place = placeOf(number, block, parallelAgent);
  if (memory >= 0) {
    fault.memory = table.string(table.memory(memory).name);
    fault.rank = static_cast<int>(table.memory(memory).rank);
    fault.index = index;
  }
  FaultPlace other;
  if (rival) {
    int64_t its = 0, above = block + 1; // the last block that began before it
    while (above - its > 1) {
      int64_t middle = its + (above - its) / 2;
      (blockBegins[middle] <= rival->agent() ? its : above) = middle;
    }
    other = placeOf(rival->site(), its, rival->agent());
    if (its != block)
      other.iteration.count = 0; // gone with its block
    fault.other = &other;
    fault.otherAccess = rivalAccess;
  }
  log.add(kernelName, fault);
  endBlock();
}

void Checks::trap(const char *message, const char *where, int64_t block) {
  // "file:line:column"
  char file[512];
  snprintf(file, sizeof(file), "%s", where);
  int64_t numbers[2] = {0, 0};
  for (int64_t &number : numbers)
    if (char *colon = strrchr(file, ':')) {
      number = atoll(colon + 1);
      *colon = 0;
    }
  Fault fault;
  fault.rule = Rule::Trap;
  fault.key = where;
  fault.message = message;
  fault.place.operation = "T.device_assert";
  fault.place.file = file;
  fault.place.column = numbers[0], fault.place.line = numbers[1];
  setBlock(fault.place, block);
  log.add(kernelName, fault);
}
