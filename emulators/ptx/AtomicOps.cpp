//===- AtomicOps.cpp - atom and red -------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lanes take turns from lane 0 on. In global memory an element is changed under the lock
// of its word, since other blocks run on other threads of the host; a vector is atomic
// element by element, as the manual has it. What undefined data takes part in is
// undefined.
//
// atom.add.f32 takes subnormals for zero in global memory and keeps them in shared
// memory.
//
//===----------------------------------------------------------------------===//

#include "emulators/common/Float.h"
#include "emulators/ptx/AsyncCopy.h"
#include "emulators/ptx/Elementwise.h"
#include "emulators/ptx/MemoryAccess.h"
#include "emulators/ptx/MemoryOrder.h"
#include "emulators/ptx/Reduction.h"

#include <cmath>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

namespace {
/// What is done to each element. The list of the instruction has the results' registers,
/// then those of operand b, then of c; 128 bits are two registers.
struct AtomicForm {
  enum Kind : uint8_t { Combining, Exchange, CompareSwap } kind = Combining;
  Combine combine = nullptr;
  Combine inShared = nullptr; ///< in its place in shared memory
  unsigned width = 0;         ///< bytes that are combined at once
  unsigned bytes = 0;         ///< of an element
  unsigned count = 1;         ///< elements of a vector
  bool hasResult = false;

  unsigned registers() const { return bytes == 16 ? 2 : 1; }
};

struct Element {
  uint8_t bytes[16];
  uint16_t poison = 0; ///< a bit for each byte
};
} // namespace

/// The element that starts at `list` as registers have it.
static Element readRegisters(Warp &warp, const uint32_t *list, unsigned bytes,
                             unsigned lane) {
  Element element;
  for (unsigned at = 0; at < bytes; at += 8, ++list) {
    unsigned part = bytes < 8 ? bytes : 8;
    memcpy(element.bytes + at, &warp.values(*list)[lane], part);
    element.poison |= (warp.poison(*list)[lane] & poisonOfBytes(part)) << at;
  }
  return element;
}

static void writeRegisters(Warp &warp, const uint32_t *list, unsigned bytes,
                           unsigned lane, const Element &element) {
  for (unsigned at = 0; at < bytes; at += 8, ++list) {
    if (*list == noRegister)
      continue;
    unsigned part = bytes < 8 ? bytes : 8;
    uint64_t value = 0;
    memcpy(&value, element.bytes + at, part);
    warp.values(*list)[lane] = value;
    warp.poison(*list)[lane] = element.poison >> at & poisonOfBytes(part);
  }
}

/// Writes in whole words, which strong loads of other threads read without a lock.
static void writeMemory(uint8_t *data, const uint8_t *from, unsigned bytes) {
  auto write = [&](auto word, unsigned at) {
    memcpy(&word, from + at, sizeof(word));
    __atomic_store_n(reinterpret_cast<decltype(word) *>(data + at), word,
                     __ATOMIC_RELEASE);
  };
  if (bytes == 2)
    write(uint16_t(), 0);
  else if (bytes == 4)
    write(uint32_t(), 0);
  else
    for (unsigned at = 0; at < bytes; at += 8)
      write(uint64_t(), at);
}

/// What becomes of `old` by operands `b` and `c`.
static Element update(const AtomicForm &form, bool inShared, const Element &old,
                      const Element &b, const Element &c) {
  const uint16_t all = static_cast<uint16_t>((1u << form.bytes) - 1);
  if (form.kind == AtomicForm::Exchange)
    return b;
  if (form.kind == AtomicForm::CompareSwap) {
    Element result = memcmp(old.bytes, b.bytes, form.bytes) == 0 ? c : old;
    if (old.poison | b.poison)
      result.poison = all;
    return result;
  }
  Element result = old;
  Combine combine = inShared && form.inShared ? form.inShared : form.combine;
  for (unsigned at = 0; at < form.bytes; at += form.width) {
    combine(result.bytes + at, b.bytes + at);
    uint16_t part = static_cast<uint16_t>(((1u << form.width) - 1) << at);
    if ((old.poison | b.poison) & part)
      result.poison |= part;
  }
  return result;
}

/// One element of one lane; whether memory changed. The old value goes to the result.
static bool executeElement(Warp &warp, const Instruction &instruction,
                           const AtomicForm &form, uint8_t *data, uint8_t *shadow,
                           bool inShared, unsigned index, unsigned lane) {
  const unsigned registers = form.registers(), all = form.count * registers;
  const uint32_t *list = instruction.list + index * registers;
  Element b = readRegisters(warp, list + all, form.bytes, lane), c, old;
  if (form.kind == AtomicForm::CompareSwap)
    c = readRegisters(warp, list + 2 * all, form.bytes, lane);
  memcpy(old.bytes, data, form.bytes);
  for (unsigned i = 0; i < form.bytes; ++i)
    old.poison |= (shadow[i] != Sound) << i;
  Element result = update(form, inShared, old, b, c);
  for (unsigned i = 0; i < form.bytes; ++i)
    if (!(shadow[i] & busyShadow))
      shadow[i] = result.poison >> i & 1 ? Undefined : Sound;
  writeMemory(data, result.bytes, form.bytes);
  writeRegisters(warp, list, form.bytes, lane, old);
  return memcmp(result.bytes, old.bytes, form.bytes) != 0 || result.poison != old.poison;
}

/// All elements of one lane; whether memory changed.
static bool executeLane(Warp &warp, const Instruction &instruction,
                        const AtomicForm &form, const Place &place, uint64_t address,
                        unsigned lane, Busy &busy) {
  bool changed = false, inGlobal = place.space == Space::Global;
  for (unsigned i = 0; i < form.count; ++i) {
    uint64_t at = i * form.bytes;
    std::atomic_flag *lock = nullptr;
    if (inGlobal) {
      lock = &warp.block.launch.device.memory.lockOf(address + at);
      while (lock->test_and_set(std::memory_order_acquire))
        ;
    }
    busy.add(orBytes(place.shadow + at, form.bytes), lane);
    changed |= executeElement(warp, instruction, form, place.data + at, place.shadow + at,
                              !inGlobal, i, lane);
    if (lock)
      lock->clear(std::memory_order_release);
  }
  return changed;
}

static Step executeAtomic(Warp &warp, const Instruction &instruction) {
  const auto &form = *static_cast<const AtomicForm *>(instruction.extra);
  Addresses addresses;
  if (!addresses.compute(warp, instruction))
    return Step::Stop;
  const uint32_t size = form.bytes * form.count;
  WarpAccess all = findAll(warp, instruction, addresses, size, /*isRead=*/false);
  noteAll(warp, instruction, all, addresses, size, Access::Atomic);
  Busy busy;
  bool changed = false;
  uint64_t seen = warp.active;
  Space space = Space::Generic;
  AccessOrder order(warp, instruction);
  auto executeOne = [&](unsigned lane, uint64_t address, Place &place) {
    space = place.space;
    bool isShared = space == Space::Shared;
    if ((!isShared && space != Space::Global) || (isShared && form.count > 1)) {
      warp.stop(Rule::Unsupported,
                std::string("no such atomic operation works on ") +
                    std::string(getName(space)) + " memory",
                lane);
      return false;
    }
    SyncWord word = getSyncWord(place, address);
    order.releaseTo(word, /*isStore=*/false);
    changed |= executeLane(warp, instruction, form, place, address, lane, busy);
    if (form.hasResult)
      order.acquireFrom(word);
    seen = mix(seen, address);
    for (unsigned i = 0; i < form.count * form.registers(); ++i)
      if (instruction.list[i] != noRegister)
        seen = mix(seen, warp.values(instruction.list[i])[lane]);
    return true;
  };
  if (!forPlaces(warp, instruction, all, addresses, size, Access::Atomic, warp.active,
                 executeOne))
    return Step::Stop;
  if (busy.shadow)
    reportBusy(warp, busy.shadow, /*isRead=*/false, busy.lane);
  countAccess(warp, instruction, space, /*isRead=*/true, addresses, size,
              /*isAtomic=*/true);
  if (changed)
    noteProgress(warp, space);
  else if (form.hasResult)
    return poll(warp, instruction, space, seen);
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

/// Addition in shared memory, where subnormals are kept.
static void addFloatInShared(uint8_t *to, const uint8_t *from) {
  float a, b;
  memcpy(&a, to, sizeof(a));
  memcpy(&b, from, sizeof(b));
  float sum = a + b;
  uint32_t bits = std::isnan(sum) ? 0x7fffffff : bitCast<uint32_t>(sum);
  memcpy(to, &bits, sizeof(bits));
}

static bool isHalf(Type type) {
  return type == Type::F16 || type == Type::BF16 || type == Type::F16x2 ||
         type == Type::BF16x2;
}

/// The operation on elements of `type`.
static void decodeForm(Decoder &d, AtomicForm &form, Type type) {
  form.bytes = form.width = getBytes(type);
  bool isNoftz = d.take("noftz");
  std::optional<unsigned> swap = d.takeOneOf({"exch", "cas"});
  if (swap) {
    form.kind = *swap ? AtomicForm::CompareSwap : AtomicForm::Exchange;
    bool fits = type == Type::B32 || type == Type::B64 || type == Type::B128 ||
                (type == Type::B16 && *swap);
    if (!fits || form.count > 1 || isNoftz || (*swap == 0 && !form.hasResult))
      d.fail("no such operation on that type");
    if (*swap && !form.hasResult)
      d.fail("there is no red.cas");
    if (type == Type::B128)
      expectArchitecture(d, 90);
    return;
  }
  Reduction reduction = takeReduction(d);
  Type part = type == Type::F16x2 ? Type::F16 : type == Type::BF16x2 ? Type::BF16 : type;
  form.width = getBytes(part);
  form.combine = getCombine(reduction, part);
  bool isVector = form.count > 1;
  bool fits = form.combine && isNoftz == isHalf(type);
  // Only vectors have the minimum and maximum of halves.
  fits &= !isHalf(type) || isVector || reduction == Reduction::Add;
  fits &= !isVector || isHalf(type) || (type == Type::F32 && form.count <= 4);
  fits &= form.bytes * form.count <= 16;
  if (!fits)
    return d.fail("no such operation on that type");
  if (type == Type::F32)
    form.inShared = addFloatInShared;
  if (isVector || part == Type::BF16)
    expectArchitecture(d, 90);
}

void tilewright::ptx::decodeAtomic(Decoder &d) {
  if (d.statement.opcode == "red" && d.take("async"))
    return decodeAsyncStore(d, /*reduces=*/true);
  Instruction &result = d.result;
  AtomicForm form;
  form.hasResult = d.statement.opcode == "atom";
  decodeOrder(d, /*isAtomic=*/true);
  if (!form.hasResult && (result.flags & acquiring))
    return d.fail("red does not acquire");
  result.space = d.takeSpace();
  if (result.space == Space::Local || result.space == Space::Param ||
      result.space == Space::Const)
    return d.fail("atomic operations work on global and shared memory");
  std::optional<unsigned> vector = d.takeOneOf({"v2", "v4", "v8"});
  form.count = vector ? 2u << *vector : 1;
  result.type = d.takeType();
  decodeForm(d, form, result.type);
  if (d.failed())
    return;
  if (form.count > 1 && result.space != Space::Global && result.space != Space::Generic)
    return d.fail("vectors are of global memory");
  size_t next = form.hasResult ? 1 : 0;
  bool isSwap = form.kind == AtomicForm::CompareSwap;
  if (!decodeCachePolicy(d, next + 2 + isSwap))
    return;
  if (form.hasResult)
    addData(d, d.at(0), /*isSource=*/false);
  else
    for (unsigned i = 0; i < form.count * form.registers(); ++i)
      d.addRegister(noRegister);
  decodeAddress(d, d.at(next));
  for (size_t i = 0; i < 1 + size_t(isSwap); ++i) {
    const Operand &data = d.at(next + 1 + i);
    if ((data.kind == Operand::Vector ? data.items.size() : 1) != form.count)
      return d.fail("an operand has not as many registers as the vector elements");
    addData(d, data, /*isSource=*/true);
  }
  // A vector's results may all be unused: `_`.
  if (form.hasResult && form.count > 1 && d.at(0).kind != Operand::Vector)
    return d.fail("the result of a vector operation is a vector");
  if (form.hasResult && d.at(0).kind == Operand::Vector &&
      d.at(0).items.size() != form.count)
    return d.fail("the result has not as many registers as the vector elements");
  result.extra = d.keep(form);
  result.execute = executeAtomic;
}
