//===- Wave.cpp - The lanes of a wave and their registers ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Wave.h"

#include "emulators/amdgpu/WorkGroup.h"

#include "llvm/Support/AMDHSAKernelDescriptor.h"

#include <cstdio>
#include <cstring>

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

static constexpr uint64_t allLanes = ~uint64_t(0);
/// What registers hold before they are written, so that a use of it is seen.
static constexpr uint32_t unwritten = 0xdeadbeef;

Wave::Wave(WorkGroup &group, unsigned index, uint64_t present)
    : group(group), index(index), lanes(group.launch.kernel.waveSize), present(present),
      waits(group.lds), vectors(size_t(vectorRegisters) * maxLanes, unwritten),
      poison(size_t(vectorRegisters) * maxLanes, 0xf) {
  memset(scalarPoison, 0xff, sizeof(scalarPoison));
  memset(mayBePoisoned, 1, sizeof(mayBePoisoned));
  setRegister(Null, 0);
  setRegister(Exec, static_cast<uint32_t>(present));
  setRegister(Exec + 1, static_cast<uint32_t>(present >> 32));
  active = present;
  if (group.launch.options.checks.hazards)
    hazards = std::make_unique<Hazards>(group.launch.program.getTarget());
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

void Wave::setRegister(uint16_t reg, uint32_t bits) {
  scalar[reg] = bits;
  scalarPoison[reg] = 0;
  origins.forgetScalar(reg);
}

uint64_t Wave::getSpecial(SpecialValue value) const {
  switch (value) {
  case SpecialValue::Scc:
    return scc;
  case SpecialValue::Vccz:
    return (scalar[Vcc] | (lanes == 64 ? scalar[Vcc + 1] : 0)) == 0;
  case SpecialValue::Execz:
    return getExec() == 0;
  case SpecialValue::SharedBase:
    return sharedAperture;
  case SpecialValue::SharedLimit:
    return sharedAperture + 0xffffffff;
  case SpecialValue::PrivateBase:
    return privateAperture;
  case SpecialValue::PrivateLimit:
    return privateAperture + 0xffffffff;
  case SpecialValue::None:
    break;
  }
  return 0;
}

void Wave::checkPending(const Source &source, bool isWrite) {
  const Outstanding *found =
      waits.find(source.kind == Operand::Vector, source.reg, source.count, source.halves,
                 isWrite ? landing : 0);
  if (!found)
    return;
  const char *kind = source.kind == Operand::Scalar ? "s"
                     : source.reg >= Agpr0          ? "a"
                                                    : "v";
  char place[32];
  snprintf(place, sizeof(place), "0x%x", found->line);
  unsigned number = source.kind == Operand::Vector && source.reg >= Agpr0
                        ? source.reg - Agpr0
                        : source.reg;
  report(Rule::InFlight,
         std::string("it ") + (isWrite ? "writes " : "reads ") + kind +
             std::to_string(number) + ", which the load at " + place +
             " has yet to write: no wait covers it",
         firstLane());
}

ScalarValue Wave::readScalar(const Source &source) {
  ScalarValue value;
  switch (source.kind) {
  case Operand::Integer:
    value.bits = source.bits;
    break;
  case Operand::Scalar:
    if (isPending(source))
      checkPending(source, false);
    value = {scalar[source.reg], scalarPoison[source.reg]};
    if (source.count > 1 && source.reg != Null) {
      value.bits |= uint64_t(scalar[source.reg + 1]) << 32;
      value.poison |= uint64_t(scalarPoison[source.reg + 1]) << 32;
    }
    break;
  case Operand::Special:
    value.bits = getSpecial(source.special);
    if (source.special == SpecialValue::Scc)
      value.poison = sccPoison;
    break;
  default:
    break;
  }
  value.bits = (value.bits & source.keep) ^ source.flip;
  return value;
}

void Wave::writeScalar(const Source &destination, ScalarValue value) {
  if (destination.reg == Null)
    return;
  if (isPending(destination))
    checkPending(destination, true);
  if (destination.reg >= Exec && value.poison) {
    report(Rule::Uninitialised, "undefined data decides which lanes are active", 0);
    value.poison = 0;
  }
  scalar[destination.reg] = static_cast<uint32_t>(value.bits);
  scalarPoison[destination.reg] = static_cast<uint32_t>(value.poison);
  origins.forgetScalar(destination.reg);
  if (destination.count > 1) {
    scalar[destination.reg + 1] = static_cast<uint32_t>(value.bits >> 32);
    scalarPoison[destination.reg + 1] = static_cast<uint32_t>(value.poison >> 32);
    origins.forgetScalar(destination.reg + 1);
  }
}

uint64_t Wave::expectScalar(const Source &source, const char *what) {
  ScalarValue value = readScalar(source);
  if (value.poison)
    report(Rule::Uninitialised, std::string(what) + " is undefined", firstLane());
  return value.bits;
}

ScalarValue Wave::readMask(const Source &source) {
  ScalarValue value = readScalar(source);
  if (lanes == 32) {
    value.bits &= 0xffffffff;
    value.poison &= 0xffffffff;
  }
  return value;
}

void Wave::writeMask(const Source &destination, ScalarValue value) {
  if (lanes == 32) {
    value.bits &= 0xffffffff;
    value.poison &= 0xffffffff;
  }
  writeScalar(destination, value);
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

const uint32_t *Wave::read(const Source &source, Lanes32 &buffer) {
  const uint32_t *values;
  switch (source.kind) {
  case Operand::Vector:
    if (isPending(source))
      checkPending(source, false);
    values = vector(source.reg);
    break;
  case Operand::Buffer:
    values = buffers[source.reg].v;
    break;
  default: {
    uint32_t bits = static_cast<uint32_t>(readScalar(source).bits);
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      buffer[lane] = bits;
    return buffer.v;
  }
  }
  if (!source.isModified())
    return values;
  uint32_t keep = static_cast<uint32_t>(source.keep);
  uint32_t flip = static_cast<uint32_t>(source.flip);
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    buffer[lane] = (values[lane] & keep) ^ flip;
  return buffer.v;
}

const uint64_t *Wave::read(const Source &source, Lanes64 &buffer) {
  if (source.kind != Operand::Vector) {
    uint64_t bits = readScalar(source).bits;
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      buffer[lane] = bits;
    return buffer.v;
  }
  if (isPending(source))
    checkPending(source, false);
  const uint32_t *low = vector(source.reg), *high = vector(source.reg + 1);
  uint64_t keep = source.keep, flip = source.flip;
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    buffer[lane] = ((low[lane] | uint64_t(high[lane]) << 32) & keep) ^ flip;
  return buffer.v;
}

const uint32_t *Wave::laneMasks() {
  if (masksOf != active) {
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      masks[lane] = 0 - static_cast<uint32_t>(active >> lane & 1);
    masksOf = active;
  }
  return masks.v;
}

void Wave::write(const Source &destination, const uint32_t *values,
                 const uint8_t *newPoison) {
  if (isPending(destination))
    checkPending(destination, true);
  uint16_t reg = destination.reg;
  uint32_t *to = vector(reg);
  if (active == allLanes) {
    memcpy(to, values, maxLanes * sizeof(uint32_t));
  } else {
    const uint32_t *mask = laneMasks();
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      to[lane] = (values[lane] & mask[lane]) | (to[lane] & ~mask[lane]);
  }
  if (!newPoison && !mayBePoisoned[reg])
    return;
  origins.forgetVector(reg);
  partlyUndefined[reg].reset();
  uint8_t *state = vectorPoison(reg);
  if (!newPoison && (active & present) == present) {
    memset(state, 0, maxLanes);
    mayBePoisoned[reg] = false;
    return;
  }
  const uint32_t *mask = laneMasks();
  uint8_t any = 0;
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    uint8_t bits = newPoison ? newPoison[lane] & 0xf : 0;
    state[lane] = mask[lane] ? bits : state[lane];
  }
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    any |= present >> lane & 1 ? state[lane] : 0;
  mayBePoisoned[reg] = any != 0;
}

void Wave::write(const Source &destination, const uint64_t *values,
                 const uint8_t *newPoison) {
  Lanes32 half;
  LanePoison halfPoison;
  for (unsigned part = 0; part < 2; ++part) {
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      half[lane] = static_cast<uint32_t>(values[lane] >> (32 * part));
    if (newPoison)
      for (unsigned lane = 0; lane < maxLanes; ++lane)
        halfPoison[lane] = newPoison[lane] >> (4 * part) & 0xf;
    Source one = destination;
    one.reg = static_cast<uint16_t>(one.reg + part);
    one.count = 1;
    write(one, half.v, newPoison ? halfPoison.v : nullptr);
  }
}

/// What a stack may grow to that the compiler does not know the size of.
static constexpr uint64_t dynamicStackBytes = 16 << 10;

uint64_t Wave::privateBytes() const {
  const Kernel &kernel = group.launch.kernel;
  bool isDynamic =
      kernel.properties & llvm::amdhsa::KERNEL_CODE_PROPERTY_USES_DYNAMIC_STACK;
  return (kernel.privateBytes + (isDynamic ? dynamicStackBytes : 0) + 3) / 4 * 4;
}

Bytes &Wave::privateMemory() {
  if (!privateBytesOfLanes.size())
    privateBytesOfLanes = Bytes(privateBytes() * maxLanes);
  return privateBytesOfLanes;
}

//===----------------------------------------------------------------------===//
// Going on
//===----------------------------------------------------------------------===//

void Wave::stopAtLimit(uint64_t limit) {
  stop(Rule::Limit,
       "a wave executed more than " + std::to_string(limit) + " instructions",
       firstLane());
}

Wave::Outcome Wave::run(uint64_t quantum) {
  if (isDone)
    return Outcome::Done;
  bool ran = false;
  for (; quantum; --quantum) {
    if (!current || current->offset != pc) {
      std::string error;
      const Instruction *next = group.launch.program.at(pc, error);
      if (!next) {
        char place[32];
        snprintf(place, sizeof(place), "0x%llx: ", (unsigned long long)pc);
        current = nullptr; // what was executed before is not to blame
        stop(Rule::Unsupported, place + error, firstLane());
        return Outcome::Stopped;
      }
      current = next;
    }
    active = getExec();
    uint64_t at = pc;
    if (hazards && hazardStep != steps) {
      hazardStep = steps; // not again where it waits
      if (!hazards->issue(*current->hazards, current->offset, current->size))
        report(Rule::Hazard, hazards->describe(), firstLane());
    }
    switch (current->execute(*this, *current)) {
    case Step::Next:
      pc = at + current->size;
      break;
    case Step::Jump:
      break;
    case Step::Wait:
      return ran ? Outcome::Ran : Outcome::Waits;
    case Step::Yield:
      group.count(*current, active);
      ++steps;
      pc = at + current->size;
      return Outcome::Yields;
    case Step::End:
      group.count(*current, active);
      isDone = true;
      return Outcome::Done;
    case Step::Stop:
      return Outcome::Stopped;
    }
    group.count(*current, active);
    ++steps;
    ran = true;
  }
  return Outcome::Ran;
}

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

Site Wave::getSite(unsigned lane) const {
  Site site;
  const LaunchRun &launch = group.launch;
  site.kernel = launch.kernel.name;
  site.block = group.id;
  uint64_t thread = uint64_t(index) * lanes + lane;
  const Dim3 &shape = launch.options.block;
  site.thread = {static_cast<uint32_t>(thread % shape.x),
                 static_cast<uint32_t>(thread / shape.x % shape.y),
                 static_cast<uint32_t>(thread / shape.x / shape.y)};
  site.isAddress = true;
  site.line = static_cast<uint32_t>(pc);
  if (current)
    site.instruction = current->text;
  SourceLine source = launch.program.getSource(pc);
  site.file = source.file;
  site.sourceLine = source.line;
  return site;
}

void Wave::report(Rule rule, std::string message, unsigned lane) {
  group.launch.device.faults.add({rule, std::move(message), getSite(lane)});
}

Step Wave::stop(Rule rule, std::string message, unsigned lane) {
  report(rule, std::move(message), lane);
  group.launch.stopped = true;
  return Step::Stop;
}
