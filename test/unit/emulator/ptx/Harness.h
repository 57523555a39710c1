//===- Harness.h - PTX snippets in tests --------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_HARNESS_H
#define TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_HARNESS_H

#include "Evidence.h"
#include "emulators/ptx/Launch.h"

#include "gtest/gtest.h"
#include <algorithm>
#include <cstring>

namespace tilewright::ptx::test {

/// A device, its buffers, and a module at a time.
class Harness {
public:
  explicit Harness(unsigned architecture = 90) {
    device.architecture = architecture;
    device.architectureSpecific = architecture == 90;
  }

  /// Copies `values` to the device; gives the address.
  template <typename T>
  uint64_t put(const std::vector<T> &values, const char *name = "buffer") {
    emulator::Allocation *made = device.memory.allocate(values.size() * sizeof(T), name);
    memcpy(made->memory.data(), values.data(), values.size() * sizeof(T));
    memset(made->memory.shadow(), emulator::Sound, values.size() * sizeof(T));
    return made->base;
  }
  /// `count` values that nobody wrote.
  template <typename T> uint64_t empty(size_t count, const char *name = "result") {
    return device.memory.allocate(count * sizeof(T), name)->base;
  }
  template <typename T> std::vector<T> get(uint64_t address, size_t count) {
    emulator::Allocation *found = device.memory.find(address);
    std::vector<T> values(count);
    memcpy(values.data(), found->memory.data() + (address - found->base),
           count * sizeof(T));
    return values;
  }
  /// The shadow of `count` bytes.
  std::vector<uint8_t> shadow(uint64_t address, size_t count) {
    emulator::Allocation *found = device.memory.find(address);
    const uint8_t *bytes = found->memory.shadow() + (address - found->base);
    return {bytes, bytes + count};
  }

  /// Loads PTX text; the error's text, empty where there is none.
  std::string load(std::string text) {
    SyntaxError error;
    auto module = parse(std::move(text), error);
    if (module)
      program = decode(std::move(module), device.memory, error);
    else
      program.reset();
    if (!program)
      return "line " + std::to_string(error.line) + ": " + error.message;
    return "";
  }

  /// A module with one kernel `k` whose parameters are `params` ("u64 a, u32 n") and
  /// whose body is `body`, in which %p0-%p31 (pred), %h0-31 (b16), %r0-%r127 (b32),
  /// %d0-%d63 (b64), %f0-%f63 (f32), %g0-%g31 (f64) are declared. `globals` stands before
  /// it.
  std::string loadBody(const std::string &params, const std::string &body,
                       const std::string &globals = "") {
    std::string list;
    for (size_t at = 0; at < params.size();) {
      size_t end = std::min(params.find(',', at), params.size());
      std::string one = params.substr(at, end - at);
      size_t space = one.find_first_not_of(' ');
      one = one.substr(space);
      space = one.find(' ');
      list += std::string(list.empty() ? "" : ", ") + ".param ." + one.substr(0, space) +
              " " + one.substr(space + 1);
      at = end + 1;
    }
    std::string target = "sm_" + std::to_string(device.architecture) +
                         (device.architectureSpecific ? "a" : "");
    return load(".version 8.8\n.target " + target + "\n.address_size 64\n" + globals +
                "\n.visible .entry k(" + list +
                ")\n{\n.reg .pred %p<32>;\n.reg .b16 %h<32>;\n.reg .b32 %r<128>;\n"
                ".reg .b64 %d<64>;\n.reg .f32 %f<64>;\n.reg .f64 %g<32>;\n" +
                body + "\nret;\n}\n");
  }

  template <typename T> Harness &arg(T value) {
    size_t at = (options.params.size() + sizeof(T) - 1) / sizeof(T) * sizeof(T);
    options.params.resize(at + sizeof(T));
    memcpy(options.params.data() + at, &value, sizeof(T));
    return *this;
  }

  /// Launches `kernel` with the arguments given so far, which are then forgotten; the
  /// error or the faults, each formatted, in `faults`.
  std::string launch(emulator::Dim3 grid, emulator::Dim3 block, uint32_t shared = 0,
                     emulator::Dim3 cluster = {}, const char *kernel = "k") {
    const DecodedFunction *entry = program ? program->find(kernel) : nullptr;
    if (!entry)
      return "no kernel";
    options.grid = grid;
    options.block = block;
    options.cluster = cluster;
    options.dynamicShared = shared;
    statistics = Statistics();
    if (getEvidenceFile())
      options.checks.statistics = true;
    std::string error = ptx::launch(device, *program, *entry, options, &statistics);
    options.params.clear();
    faults = device.faults.take();
    if (getEvidenceFile() && error.empty() && faults.empty())
      writeEvidence(*program, statistics);
    return error;
  }

  bool hasFault(emulator::Rule rule) const {
    return std::any_of(faults.begin(), faults.end(),
                       [&](const auto &fault) { return fault.rule == rule; });
  }
  std::string faultText() const {
    std::string text;
    for (const auto &fault : faults)
      text += emulator::format(fault) + "\n";
    return text;
  }

  Device device;
  std::unique_ptr<Program> program;
  LaunchOptions options;
  Statistics statistics;
  std::vector<emulator::Fault> faults;
};

} // namespace tilewright::ptx::test

#endif // TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_HARNESS_H
