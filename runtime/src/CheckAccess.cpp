//===- CheckAccess.cpp - What is checked of an access ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Checks.h"

#include "Signature.h"

#include <cinttypes>
#include <cmath>

using namespace tilewright;

//===----------------------------------------------------------------------===//
// Messages
//===----------------------------------------------------------------------===//

namespace {
/// The text of one message; it ends early where it is too long.
class Message {
  char buffer[1024];
  size_t length = 0;

public:
  Message() { buffer[0] = 0; }
  [[gnu::format(printf, 2, 3)]] Message &add(const char *format, ...) {
    va_list list;
    va_start(list, format);
    length += vsnprintf(buffer + length, sizeof(buffer) - length, format, list);
    va_end(list);
    if (length >= sizeof(buffer))
      length = sizeof(buffer) - 1;
    return *this;
  }
  /// `name[3, 4:8]`, of a box where `size` is given.
  Message &addElements(const char *name, int64_t rank, const int64_t *start,
                       const int64_t *size = nullptr) {
    add("%s[", name);
    for (int64_t dim = 0; dim < rank; ++dim) {
      add("%s%" PRId64, dim ? ", " : "", start[dim]);
      if (size && size[dim] != 1)
        add(":%" PRId64, start[dim] + size[dim]);
    }
    return add("]");
  }
  const char *text() const { return buffer; }
};
} // namespace

/// "is read", "is written", with what does it.
static void addVerb(Message &message, const CheckTable &table, const CheckSite &site) {
  message.add(site.kind == TW_CHECK_READ    ? " is read"
              : site.kind == TW_CHECK_WRITE ? " is written"
                                            : " is updated");
  if (const char *operation = table.string(site.operation); *operation)
    message.add(" by %s", operation);
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

/// Reports a box that leaves a tile and cuts one that leaves a tensor; false where
/// nothing is left.
bool Checks::fit(int64_t number, CheckedBox &box) {
  const CheckSite &site = table.site(number);
  const CheckMemory &described = table.memory(site.memory);
  const CheckedMemory &memory = memories[site.memory];
  for (int64_t dim = 0; dim < described.rank; ++dim) {
    int64_t extent = memory.extents[dim];
    int64_t &start = box.start[dim], &size = box.size[dim];
    if (start >= 0 && start <= extent && size <= extent - start)
      continue;
    if (!described.isGlobal()) {
      Message message;
      message.addElements(table.string(described.name), described.rank, box.start,
                          box.size);
      addVerb(message, table, site);
      message.add(", outside its shape (");
      for (int64_t i = 0; i < described.rank; ++i)
        message.add("%s%" PRId64, i ? ", " : "", memory.extents[i]);
      message.add("%s) in dimension %" PRId64, described.rank == 1 ? "," : "", dim);
      report(Rule::OutOfBounds, number, message.text(), site.memory, box.start);
    }
    if (start < 0) {
      size = start > INT64_MIN + size ? size + start : 0;
      start = 0;
    }
    if (start >= extent || size <= 0)
      return false;
    if (size > extent - start)
      size = extent - start;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// Special values among floats given by their bits.
static int classify(uint64_t bits, int64_t dtype) {
  auto with = [bits](int mantissa, int exponent) -> int {
    uint64_t ones = (uint64_t(1) << exponent) - 1;
    if ((bits >> mantissa & ones) != ones)
      return 0;
    return bits & ((uint64_t(1) << mantissa) - 1) ? kNan : kInfinity;
  };
  switch (dtype) {
  case TW_F16:
    return with(10, 5);
  case TW_BF16:
    return with(7, 8);
  case TW_F32:
    return with(23, 8);
  case TW_F64:
    return with(52, 11);
  case TW_F8E5M2:
    return with(2, 5);
  case TW_F8E4M3FN:
    return (bits & 0x7f) == 0x7f ? kNan : 0; // it has no infinities
  default:
    return 0;
  }
}

/// What of `special` the inputs do not explain: NaN comes of NaN, infinities of both.
static int unexplained(int special, int inputs) {
  return inputs & kNan ? 0 : special & ~inputs;
}

static const char *nameOf(int special) { return special & kNan ? "NaN" : "an infinity"; }

/// Looks at one element: of an input, or of what was made of the inputs.
void Checks::inspect(int64_t number, const char *element, const int64_t *index) {
  const CheckSite &site = table.site(number);
  const CheckMemory &described = table.memory(site.memory);
  uint64_t bits = 0;
  memcpy(&bits, element, static_cast<size_t>(itemSize(described.dtype)));
  int special = classify(bits, described.dtype);
  if (site.kind != TW_CHECK_RESULT) {
    inspected |= special;
    return;
  }
  if (!unexplained(special, inspected))
    return;
  Message message;
  message.add("%s gives %s in ", table.string(site.operation), nameOf(special))
      .addElements(table.string(described.name), described.rank, index)
      .add(", and no input holds one");
  report(Rule::NonFinite, number, message.text(), site.memory, index);
}

void Checks::value(int64_t number, int64_t count, const double *values) {
  auto special = [](double x) {
    return std::isnan(x) ? kNan : std::isinf(x) ? kInfinity : 0;
  };
  int inputs = 0;
  for (int64_t i = 1; i < count; ++i)
    inputs |= special(values[i]);
  if (!unexplained(special(values[0]), inputs))
    return;
  Message message;
  message.add("%s gives %s from ", table.string(table.site(number).operation),
              nameOf(special(values[0])));
  for (int64_t i = 1; i < count; ++i)
    message.add("%s%.9g", i == 1 ? "" : i + 1 == count ? " and " : ", ", values[i]);
  report(Rule::NonFinite, number, message.text(), -1, nullptr);
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// Checks one access of one granule against its history, and adds it.
void Checks::touch(int64_t number, CheckedMemory &memory, size_t at, const Rivals &rivals,
                   const int64_t *index) {
  const CheckSite &site = table.site(number);
  const CheckMemory &described = table.memory(site.memory);
  History &history = (*memory.shadow)[at];
  auto race = [&](const Stamp &rival, const char *access) {
    Message message;
    message.addElements(table.string(described.name), described.rank, index);
    addVerb(message, table, site);
    const char *who = rivals.hasIteration(rival.agent()) ? "iteration" : "block";
    message.add(", and another %s %s it", who,
                *access == 'r'   ? "reads"
                : *access == 'w' ? "writes"
                                 : "updates");
    report(Rule::Race, number, message.text(), site.memory, index, &rival, access);
  };

  bool writes = site.kind == TW_CHECK_WRITE, reads = site.kind == TW_CHECK_READ;
  if (!writes && memory.startsUndefined && history.writer.agent() < memory.birth &&
      !(memory.shadow->atomicsOf(at) &&
        memory.shadow->atomicsOf(at)->last.agent() >= memory.birth)) {
    Message message;
    message.addElements(table.string(described.name), described.rank, index);
    addVerb(message, table, site);
    message.add(" before it is written");
    report(Rule::Uninitialised, number, message.text(), site.memory, index);
  }
  Stamp stamp(rivals.self, number);
  if (rivals.areNone()) { // and this access will be nobody's
    if (writes)
      history.writer = stamp;
    return;
  }
  if (rivals.has(history.writer))
    race(history.writer, "write");
  if (!reads)
    if (const Stamp *rival = history.readers.find(rivals))
      race(*rival, "read");
  Recent *atomics = memory.shadow->atomicsOf(at);
  if (atomics && (reads || writes))
    if (const Stamp *rival = atomics->find(rivals))
      race(*rival, "update");

  if (writes)
    history.writer = stamp;
  else if (reads)
    history.readers.add(stamp, rivals);
  else if (atomics)
    atomics->add(stamp, rivals);
}

/// Cuts a box to the elements that go inside of a tensor, where the site says where they
/// go; false where none is left. Dimensions of one element have no counterpart.
bool Checks::cutToTarget(const CheckSite &site, const int64_t *offsets,
                         CheckedBox &box) const {
  if (!site.otherSizes)
    return true;
  const int64_t *sizes = table.at(site.otherSizes), *own = table.at(site.sizes);
  int64_t dim = -1;
  for (int64_t to = 0; to < table.memory(site.otherMemory).rank; ++to) {
    int64_t extent = memories[site.otherMemory].extents[to], start = offsets[to];
    int64_t before = start < 0 ? -start : 0; // elements in front of the tensor
    int64_t inside = start < extent - sizes[to] ? sizes[to] : extent - start;
    if (before >= inside)
      return false;
    if (sizes[to] == 1)
      continue;
    do
      ++dim;
    while (own[dim] == 1);
    box.start[dim] += before;
    box.size[dim] = inside - before;
  }
  return true;
}

/// Every element of a box that lies inside its memory.
void Checks::visit(int64_t number, const CheckedBox &box) {
  const CheckSite &site = table.site(number);
  const CheckMemory &described = table.memory(site.memory);
  CheckedMemory &memory = memories[site.memory];
  int64_t rank = described.rank, bytes = itemSize(described.dtype);
  bool touches = memory.shadow && site.kind != TW_CHECK_RESULT;
  bool inspects = site.flags & TW_CHECK_INSPECT || site.kind == TW_CHECK_RESULT;
  if (!touches && !inspects)
    return;
  if (touches && site.kind == TW_CHECK_ATOMIC && !memory.shadow->addAtomics()) {
    lacksMemory = true;
    endBlock();
  }
  Rivals rivals = rivalsOf(site);
  // Row by row along the last dimension; a memory of rank 0 is one row of one element.
  int64_t index[maximumRank];
  memcpy(index, box.start, sizeof(index[0]) * rank);
  int64_t last = rank - 1, width = rank ? box.size[last] : 1;
  int64_t step = rank ? memory.strides[last] * bytes : 0, parts = bytes / memory.granule;
  while (true) {
    if (rank)
      index[last] = box.start[last];
    const char *element = memory.data;
    for (int64_t dim = 0; dim < rank; ++dim)
      element += index[dim] * memory.strides[dim] * bytes;
    for (int64_t column = 0; column < width; ++column, element += step) {
      if (column)
        ++index[last];
      if (touches) {
        int64_t first = (element - memory.shadowed) / memory.granule;
        for (int64_t part = 0; part < parts; ++part)
          touch(number, memory, static_cast<size_t>(first + part), rivals, index);
      }
      if (inspects)
        inspect(number, element, index);
    }
    int64_t dim = rank - 2;
    for (; dim >= 0 && ++index[dim] == box.start[dim] + box.size[dim]; --dim)
      index[dim] = box.start[dim];
    if (dim < 0)
      return;
  }
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

/// Element `row` of the row of indices; zero outside a tensor.
int64_t Checks::readIndex(const CheckSite &site, const int64_t *offsets,
                          int64_t row) const {
  const CheckMemory &described = table.memory(site.otherMemory);
  const CheckedMemory &memory = memories[site.otherMemory];
  const int64_t *sizes = table.at(site.otherSizes);
  int64_t bytes = itemSize(described.dtype), at = 0;
  for (int64_t dim = 0; dim < described.rank; ++dim) {
    int64_t index = offsets[dim] + (sizes[dim] == 1 ? 0 : row);
    if (index < 0 || index >= memory.extents[dim])
      return 0;
    at += index * memory.strides[dim];
  }
  int64_t value = 0;
  memcpy(&value, memory.data + at * bytes, static_cast<size_t>(bytes));
  return value << (64 - 8 * bytes) >> (64 - 8 * bytes); // its sign
}

void Checks::access(int64_t number, const int64_t *offsets) {
  const CheckSite &site = table.site(number);
  const CheckMemory &described = table.memory(site.memory);
  const int64_t *sizes = table.at(site.sizes);
  CheckedBox box;
  for (int64_t dim = 0; dim < described.rank; ++dim) {
    box.start[dim] = offsets[dim];
    box.size[dim] = sizes[dim] < 0 ? memories[site.memory].extents[dim] : sizes[dim];
  }
  if (site.flags & TW_CHECK_FIRST)
    inspected = 0;
  if (site.axis < 0) {
    // A box of a tile lies inside as a whole, also where it goes outside of a tensor.
    if ((described.isGlobal() || fit(number, box)) &&
        cutToTarget(site, offsets + described.rank, box) && fit(number, box))
      visit(number, box);
    return;
  }
  // Rows outside are not read, in tiles as in tensors: they are filled.
  int64_t extent = memories[site.memory].extents[site.axis];
  int64_t rows = box.size[site.axis];
  for (int64_t row = 0; row < rows; ++row) {
    int64_t index = readIndex(site, offsets + described.rank, row);
    int64_t coordinate;
    if (index < 0 || __builtin_add_overflow(offsets[site.axis], index, &coordinate) ||
        coordinate < 0 || coordinate >= extent)
      continue;
    CheckedBox slab = box;
    slab.start[site.axis] = coordinate;
    slab.size[site.axis] = 1;
    if (fit(number, slab))
      visit(number, slab);
  }
}
