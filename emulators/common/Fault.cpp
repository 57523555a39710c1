//===- Fault.cpp - What an emulated program did wrong -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/common/Fault.h"

#include <cstdio>

using namespace tilewright::emulator;

namespace {
struct RuleText {
  const char *name, *explanation;
};
} // namespace

/// In the order of `Rule`.
static constexpr RuleText ruleTexts[] = {
    {"unsupported", "what is not modelled is never skipped"},
    {"out-of-bounds", "every access lies inside one allocation"},
    {"use-after-free", "an allocation is not accessed after it was freed"},
    {"misaligned", "an address is a multiple of the access's size"},
    {"uninitialised", "addresses, branches and results depend on defined data alone"},
    {"read-only", "parameters and constants are not written"},
    {"race", "of two accesses to the same memory one of which writes, a barrier or other "
             "synchronisation orders one before the other"},
    {"in-flight", "memory that an asynchronous operation uses is left alone until a wait "
                  "covers the operation"},
    {"proxy-fence", "data that ordinary instructions wrote is seen by asynchronous ones "
                    "after a proxy fence of the writer, and the other way round"},
    {"barrier-divergence", "all threads that a barrier names execute it"},
    {"barrier-count", "arrivals and bytes of a barrier fit what it was set up for"},
    {"deadlock", "some thread can always go on"},
    {"descriptor", "tensor maps and matrix descriptors keep the hardware's limits"},
    {"convergence", "the lanes that a warp-wide instruction names execute it together"},
    {"trap", "the program stopped itself"},
    {"limit", "a program keeps the limits of the device and of the emulator"},
    {"hazard",
     "where the hardware does not wait for what an instruction depends on, enough "
     "others stand in between"},
};

const char *tilewright::emulator::getName(Rule rule) {
  return ruleTexts[static_cast<size_t>(rule)].name;
}

const char *tilewright::emulator::getExplanation(Rule rule) {
  return ruleTexts[static_cast<size_t>(rule)].explanation;
}

void FaultLog::add(Fault fault) {
  std::lock_guard<std::mutex> guard(lock);
  auto key = std::make_tuple(fault.site.kernel, fault.site.line, fault.rule);
  auto [place, isNew] = faults.try_emplace(std::move(key), fault);
  if (!isNew)
    ++place->second.repeated;
}

std::vector<Fault> FaultLog::take() {
  std::lock_guard<std::mutex> guard(lock);
  std::vector<Fault> taken;
  for (auto &entry : faults)
    taken.push_back(std::move(entry.second));
  faults.clear();
  return taken;
}

bool FaultLog::isEmpty() const {
  std::lock_guard<std::mutex> guard(lock);
  return faults.empty();
}

static std::string formatPoint(const Dim3 &point) {
  return "(" + std::to_string(point.x) + ", " + std::to_string(point.y) + ", " +
         std::to_string(point.z) + ")";
}

std::string tilewright::emulator::format(const Fault &fault) {
  const Site &site = fault.site;
  std::string text = std::string(getName(fault.rule)) + ": " + fault.message;
  if (!site.kernel.empty())
    text += "\n  in " + site.kernel + ", block " + formatPoint(site.block) + ", thread " +
            formatPoint(site.thread);
  if (site.line) {
    char place[32];
    snprintf(place, sizeof(place), site.isAddress ? "at 0x%x" : "line %u", site.line);
    text += std::string("\n  ") + place + ": " + site.instruction;
    if (!site.file.empty())
      text += "\n  from " + site.file + ":" + std::to_string(site.sourceLine);
  }
  text += std::string("\n  rule: ") + getExplanation(fault.rule);
  if (fault.repeated)
    text += "\n  and " + std::to_string(fault.repeated) + " more times here";
  return text;
}
