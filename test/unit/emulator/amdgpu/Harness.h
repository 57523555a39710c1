//===- Harness.h - Instructions on a wave, for tests --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TEST_UNIT_EMULATOR_AMDGPU_HARNESS_H
#define TILEWRIGHT_TEST_UNIT_EMULATOR_AMDGPU_HARNESS_H

#include "emulators/amdgpu/WorkGroup.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>

namespace tilewright::amdgpu::test {

/// The machine code of some assembly, by LLVM's assembler. Fails the test where the
/// assembler refuses it.
std::string assemble(const Target &target, const std::string &text);

/// A work-group whose waves run some assembly: set registers and memory, run, look.
///
///   Machine machine("gfx942", "v_add_u32 v2, v0, v1");
///   machine.set(0, [](unsigned lane) { return lane; });
///   machine.set(1, 7);
///   machine.run();
///   EXPECT_EQ(machine.get(2, 5), 12u);
///
/// SGPRs and VGPRs are undefined until they are set; s_endpgm is added at the end.
/// Hazards are checked where `hazards` says so: tests of other things need no s_nop.
class Machine {
public:
  Machine(const char *target, const std::string &text, unsigned items = 64,
          uint32_t ldsBytes = 0, bool hazards = false);
  ~Machine();

  Device device;
  LaunchOptions options;
  std::unique_ptr<Program> program;
  std::unique_ptr<LaunchRun> launch;
  std::unique_ptr<WorkGroup> group;

  Wave &wave(unsigned index = 0) { return *group->waves[index]; }

  // Vector registers (a0 is Agpr0) of all lanes, or scalar ones; of every wave.
  void set(uint16_t reg, uint32_t value);
  void set(uint16_t reg, const std::function<uint32_t(unsigned lane)> &value);
  void setScalar(uint16_t reg, uint32_t value);
  void setScalar64(uint16_t reg, uint64_t value);
  /// Leaves the bytes of `poison` of a lane undefined.
  void poison(uint16_t reg, unsigned lane, uint8_t poison);
  void setExec(uint64_t exec);

  /// Runs to the end; the faults that were reported, and whether the launch went on to
  /// its end.
  std::vector<emulator::Fault> run();
  /// The same, and none may be reported.
  void runClean();

  uint32_t get(uint16_t reg, unsigned lane, unsigned waveIndex = 0);
  uint8_t getPoison(uint16_t reg, unsigned lane, unsigned waveIndex = 0);
  uint32_t getScalar(uint16_t reg, unsigned waveIndex = 0);
  uint32_t getScalarPoison(uint16_t reg, unsigned waveIndex = 0);

  /// An allocation of `values`, all defined.
  template <typename T> emulator::Allocation *allocate(const std::vector<T> &values) {
    emulator::Allocation *made =
        device.memory.allocate(values.size() * sizeof(T), "array");
    memcpy(made->memory.data(), values.data(), values.size() * sizeof(T));
    memset(made->memory.shadow(), emulator::Sound, values.size() * sizeof(T));
    return made;
  }
};

} // namespace tilewright::amdgpu::test

#endif // TILEWRIGHT_TEST_UNIT_EMULATOR_AMDGPU_HARNESS_H
