//===- LibraryCalls.cpp - Functions that the driver provides ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program declares vprintf, __assertfail, malloc and free, and a driver defines them.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/LibraryCalls.h"
#include "emulators/ptx/Block.h"
#include "emulators/ptx/Printf.h"

#include <algorithm>
#include <cstring>

using namespace tilewright::ptx;
using tilewright::emulator::Bytes;

/// The largest alignment of allocations.
static constexpr uint64_t mostAlign = 1 << 16;

namespace {
/// Arguments and result of a call, lane by lane, in the caller's frame.
class Call {
public:
  Call(Warp &warp, const Instruction &instruction)
      : warp(warp), target(*static_cast<const CallTarget *>(instruction.extra)) {}

  /// Whether argument `index` is defined; a fault is reported where not.
  bool isDefined(size_t index, unsigned lane) const {
    const Placement &place = target.argumentPlaces[index];
    auto bytes = static_cast<unsigned>(std::min<uint64_t>(place.variable->size, 8));
    const uint8_t *shadow = warp.frame().params.shadow() + offsetOf(place, lane);
    if (!Warp::poisonFromShadow(shadow, bytes) ||
        !warp.block.launch.options.checks.uninitialised)
      return true;
    warp.report(Rule::Uninitialised,
                "argument " + std::to_string(index + 1) + " depends on undefined data",
                lane);
    return false;
  }
  /// Argument `index`, at most 8 bytes. A fault is reported where it is undefined.
  uint64_t read(size_t index, unsigned lane) const {
    const Placement &place = target.argumentPlaces[index];
    uint64_t at = offsetOf(place, lane), value = 0;
    size_t bytes = std::min<uint64_t>(place.variable->size, sizeof(value));
    const Bytes &params = warp.frame().params;
    memcpy(&value, params.data() + at, bytes);
    isDefined(index, lane);
    return value;
  }

  void writeResult(uint64_t value, unsigned lane) const {
    if (target.resultPlaces.empty())
      return;
    const Placement &place = target.resultPlaces[0];
    Bytes &params = warp.frame().params;
    memcpy(params.data() + offsetOf(place, lane), &value, place.variable->size);
    memset(params.shadow() + offsetOf(place, lane), tilewright::emulator::Sound,
           place.variable->size);
  }

private:
  uint64_t offsetOf(const Placement &place, unsigned lane) const {
    return lane * warp.frame().function->paramBytes + place.offset;
  }

  Warp &warp;
  const CallTarget &target;
};
} // namespace

/// Calls `work` with each active lane until it says false, after a fault.
template <typename Work> static Step forLanes(Warp &warp, Work &&work) {
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1)
    if (!work(static_cast<unsigned>(__builtin_ctz(lanes))))
      return Step::Stop;
  return Step::Next;
}

static Step callPrintf(Warp &warp, const Instruction &instruction) {
  Call call(warp, instruction);
  return forLanes(warp, [&](unsigned lane) {
    // Addresses: nothing can go on with undefined ones.
    if (!call.isDefined(0, lane) || !call.isDefined(1, lane)) {
      warp.block.launch.stopped = true;
      return false;
    }
    std::string text;
    uint64_t format = call.read(0, lane), arguments = call.read(1, lane);
    int32_t count = -1;
    if (format && !formatPrintf(warp, format, arguments, lane, text, count))
      return false;
    call.writeResult(static_cast<uint32_t>(count), lane);
    Device &device = warp.block.launch.device;
    std::lock_guard<std::mutex> guard(device.outputLock);
    device.output += text;
    return true;
  });
}

static Step callAssertFail(Warp &warp, const Instruction &instruction) {
  Call call(warp, instruction);
  unsigned lane = warp.firstLane();
  std::string message, file;
  readString(warp, call.read(0, lane), lane, message);
  readString(warp, call.read(1, lane), lane, file);
  uint32_t line = static_cast<uint32_t>(call.read(2, lane));
  return warp.stop(
      Rule::Trap,
      "assertion failed: " + message + " at " + file + ":" + std::to_string(line), lane);
}

/// malloc, or with an alignment as operator new takes it.
template <bool isAligned>
static Step callMalloc(Warp &warp, const Instruction &instruction) {
  Call call(warp, instruction);
  DeviceHeap &heap = warp.block.launch.device.heap;
  std::string name = "malloc of line " + std::to_string(instruction.statement->line);
  return forLanes(warp, [&](unsigned lane) {
    uint64_t align = isAligned ? call.read(1, lane) : 16;
    if (align & (align - 1) || align > mostAlign)
      return warp.stop(Rule::Limit,
                       "an alignment of " + std::to_string(align) +
                           " bytes is no power of two up to " + std::to_string(mostAlign),
                       lane),
             false;
    call.writeResult(heap.allocate(call.read(0, lane), align, name), lane);
    return true;
  });
}

static Step callFree(Warp &warp, const Instruction &instruction) {
  Call call(warp, instruction);
  DeviceHeap &heap = warp.block.launch.device.heap;
  Step step = forLanes(warp, [&](unsigned lane) {
    uint64_t address = call.read(0, lane);
    if (!address)
      return true;
    DeviceHeap::Freed freed = heap.release(address);
    if (freed == DeviceHeap::Freed::Twice)
      warp.stop(Rule::UseAfterFree, "free of memory that was freed before", lane);
    else if (freed == DeviceHeap::Freed::NotAllocated)
      warp.stop(Rule::OutOfBounds,
                "free of what is not the start of memory that malloc gave", lane);
    return freed == DeviceHeap::Freed::Done;
  });
  // Others may wait for memory.
  ++warp.block.launch.globalProgress;
  return step;
}

Handler tilewright::ptx::getLibraryCall(Decoder &decoder, std::string_view name,
                                        const CallTarget &target) {
  struct Row {
    std::string_view name;
    Handler handler;
    size_t arguments;
    uint64_t resultBytes; ///< 0: it has no result
  };
  static constexpr Row rows[] = {
      {"vprintf", callPrintf, 2, 4},
      {"__assertfail", callAssertFail, 5, 0},
      {"__assert_fail", callAssertFail, 4, 0},
      {"malloc", callMalloc<false>, 1, 8},
      {"__cuda_syscall_aligned_malloc", callMalloc<true>, 2, 8},
      {"free", callFree, 1, 0},
  };
  const Row *row = std::find_if(std::begin(rows), std::end(rows),
                                [&](const Row &one) { return one.name == name; });
  if (row == std::end(rows)) {
    decoder.fail(std::string(name) + " is declared and nowhere defined");
    return nullptr;
  }
  // The caller may do without the result.
  bool fits = target.argumentPlaces.size() == row->arguments &&
              target.resultPlaces.size() <= (row->resultBytes ? 1 : 0);
  for (const Placement &place : target.resultPlaces)
    fits &= place.variable->size == row->resultBytes;
  if (!fits)
    decoder.fail("the arguments are not those of " + std::string(name));
  return row->handler;
}
