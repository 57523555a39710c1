//===- Trace.h - Following a warp as it executes ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_TRACE_H
#define TILEWRIGHT_EMULATORS_PTX_TRACE_H

#include "emulators/common/Fault.h"
#include "emulators/ptx/Program.h"

namespace tilewright::ptx {

/// Told of each instruction that one warp of a launch executes. Warps of others are not
/// slower for it: `Warp::run` asks once in a turn.
class Tracer {
public:
  Tracer(emulator::Dim3 block, uint32_t warp) : block(block), warp(warp) {}
  virtual ~Tracer() = default;

  bool follows(const Warp &one) const;
  /// `one` has executed `instruction` with `lanes`. Where `isHere`, its frame is still
  /// the one of the instruction.
  virtual void executed(Warp &one, const Instruction &instruction, uint32_t lanes,
                        bool isHere) = 0;

private:
  emulator::Dim3 block;
  uint32_t warp;
};

/// Gives each instruction as a line of text with what its first registers hold after it,
/// in the first of its lanes.
class TextTracer : public Tracer {
public:
  using Write = void (*)(void *context, uint32_t line, const char *text);
  TextTracer(emulator::Dim3 block, uint32_t warp, Write write, void *context)
      : Tracer(block, warp), write(write), context(context) {}

  void executed(Warp &one, const Instruction &instruction, uint32_t lanes,
                bool isHere) override;

private:
  Write write;
  void *context;
};

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_TRACE_H
