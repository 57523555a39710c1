//===- CompareOps.cpp - Comparison and selection ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A comparison is three masks over the lanes, of where one value is less than the other,
// equal to it, or neither is so (a NaN): an operator is the union of some of them, its
// complement or all.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/FloatLanes.h"
#include "emulators/ptx/SelectionOps.h"

using namespace tilewright::ptx;
using namespace tilewright::emulator;

namespace {

//===----------------------------------------------------------------------===//
// Comparing lanes
//===----------------------------------------------------------------------===//

struct Relations {
  uint32_t less = 0, equal = 0, greater = 0;
};

/// Which of the relations an operator holds for.
enum Operator : uint32_t { Less = 1, Equal = 2, Greater = 4, Unordered = 8 };

enum CompareFlags : uint32_t {
  operatorMask = 15,
  FlushesCompared = 16,
  CombinesAnd = 32,
  CombinesOr = 64,
  CombinesXor = 96,
  combineMask = 96,
  NegatesThird = 128,
};

template <typename T> T valueOf(uint64_t bits) {
  if constexpr (std::is_same_v<T, float>)
    return bitCast<float>(uint32_t(bits));
  else if constexpr (std::is_same_v<T, double>)
    return bitCast<double>(bits);
  else
    return T(bits);
}

/// Compares 32 lanes; a byte of 0 or 1 for each first, which vectorises.
template <typename T> Relations compare(const T *a, const T *b) {
  Relations found;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    found.less |= uint32_t(a[lane] < b[lane]) << lane;
    found.equal |= uint32_t(a[lane] == b[lane]) << lane;
    found.greater |= uint32_t(a[lane] > b[lane]) << lane;
  }
  return found;
}

template <typename T> Relations compareAs(const uint64_t *a, const uint64_t *b) {
  T x[lanesPerWarp], y[lanesPerWarp];
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    x[lane] = valueOf<T>(a[lane]);
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    y[lane] = valueOf<T>(b[lane]);
  return compare(x, y);
}

/// Compares halves, those at bit `shift` of each lane.
template <typename Half>
Relations compareHalves(const uint64_t *a, const uint64_t *b, unsigned shift) {
  double x[lanesPerWarp], y[lanesPerWarp];
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    x[lane] = halfToDouble<Half>(a[lane] >> shift);
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    y[lane] = halfToDouble<Half>(b[lane] >> shift);
  return compare(x, y);
}

uint32_t holds(const Relations &found, uint32_t flags) {
  uint32_t mask = 0;
  if (flags & Less)
    mask |= found.less;
  if (flags & Equal)
    mask |= found.equal;
  if (flags & Greater)
    mask |= found.greater;
  if (flags & Unordered)
    mask |= ~(found.less | found.equal | found.greater);
  return mask;
}

/// Where the comparison of `ComparedType` holds, for the value or the lower and upper
/// half.
struct Compared {
  uint32_t holds[2], poison[2];
};

template <Type T> Compared compareLanes(Warp &warp, const Instruction &instruction) {
  const uint32_t a = instruction.operand[2], b = instruction.operand[3];
  const uint64_t *x = warp.values(a), *y = warp.values(b);
  LaneBuffer flushedX, flushedY;
  if (instruction.flags & FlushesCompared) {
    flushLanes(T, x, flushedX);
    flushLanes(T, y, flushedY);
    x = flushedX.lane;
    y = flushedY.lane;
  }
  Compared result{};
  uint32_t flags = instruction.flags;
  unsigned bytes = 0;
  if constexpr (T == Type::U16) {
    bytes = 2;
    result.holds[0] = holds(compareAs<uint16_t>(x, y), flags);
  } else if constexpr (T == Type::S16) {
    bytes = 2;
    result.holds[0] = holds(compareAs<int16_t>(x, y), flags);
  } else if constexpr (T == Type::U32) {
    bytes = 4;
    result.holds[0] = holds(compareAs<uint32_t>(x, y), flags);
  } else if constexpr (T == Type::S32) {
    bytes = 4;
    result.holds[0] = holds(compareAs<int32_t>(x, y), flags);
  } else if constexpr (T == Type::U64) {
    bytes = 8;
    result.holds[0] = holds(compareAs<uint64_t>(x, y), flags);
  } else if constexpr (T == Type::S64) {
    bytes = 8;
    result.holds[0] = holds(compareAs<int64_t>(x, y), flags);
  } else if constexpr (T == Type::F32) {
    bytes = 4;
    result.holds[0] = holds(compareAs<float>(x, y), flags);
  } else if constexpr (T == Type::F64) {
    bytes = 8;
    result.holds[0] = holds(compareAs<double>(x, y), flags);
  } else if constexpr (T == Type::F16) {
    bytes = 2;
    result.holds[0] = holds(compareHalves<F16>(x, y, 0), flags);
  } else if constexpr (T == Type::BF16) {
    bytes = 2;
    result.holds[0] = holds(compareHalves<BF16>(x, y, 0), flags);
  } else if constexpr (T == Type::F16x2) {
    bytes = 4;
    result.holds[0] = holds(compareHalves<F16>(x, y, 0), flags);
    result.holds[1] = holds(compareHalves<F16>(x, y, 16), flags);
  } else {
    static_assert(T == Type::BF16x2);
    bytes = 4;
    result.holds[0] = holds(compareHalves<BF16>(x, y, 0), flags);
    result.holds[1] = holds(compareHalves<BF16>(x, y, 16), flags);
  }
  PoisonWords any;
  any.add(warp, {a, poisonOfBytes(bytes)});
  any.add(warp, {b, poisonOfBytes(bytes)});
  if (!any.isSound()) {
    uint8_t low = isPair(T) ? 0x03 : 0xff;
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
      result.poison[0] |= uint32_t((any[lane] & low) != 0) << lane;
      result.poison[1] |= uint32_t((any[lane] & 0x0c) != 0) << lane;
    }
  }
  return result;
}

/// `given` combined with the third operand by the operator of `flags`.
Predicate combine(Warp &warp, const Instruction &instruction, Predicate given) {
  uint32_t kind = instruction.flags & combineMask;
  if (kind == 0)
    return given;
  Predicate with = warp.predicate(instruction.operand[4]);
  if (instruction.flags & NegatesThird)
    with.value = ~with.value;
  // What is known to decide the result alone makes it known.
  uint32_t decides = 0;
  if (kind == CombinesAnd)
    decides = (~given.value & ~given.poison) | (~with.value & ~with.poison);
  else if (kind == CombinesOr)
    decides = (given.value & ~given.poison) | (with.value & ~with.poison);
  Predicate result;
  result.value = kind == CombinesAnd  ? given.value & with.value
                 : kind == CombinesOr ? given.value | with.value
                                      : given.value ^ with.value;
  result.poison = (given.poison | with.poison) & ~decides;
  return result;
}

void writePredicate(Warp &warp, uint32_t number, Predicate from) {
  if (number == noRegister)
    return;
  Predicate &to = warp.predicate(number);
  to.value = (to.value & ~warp.active) | (from.value & warp.active);
  to.poison = (to.poison & ~warp.active) | (from.poison & warp.active);
}

//===----------------------------------------------------------------------===//
// setp and set
//===----------------------------------------------------------------------===//

template <Type T> Step setpHandler(Warp &warp, const Instruction &instruction) {
  Compared compared = compareLanes<T>(warp, instruction);
  Predicate first{compared.holds[0], compared.poison[0]};
  // The second result is the complement, or the upper half's comparison.
  Predicate second = isPair(T) ? Predicate{compared.holds[1], compared.poison[1]}
                               : Predicate{~first.value, first.poison};
  // Both are read before either is written, since the third operand may be a result.
  first = combine(warp, instruction, first);
  if (instruction.operand[1] != noRegister)
    second = combine(warp, instruction, second);
  writePredicate(warp, instruction.operand[0], first);
  writePredicate(warp, instruction.operand[1], second);
  return Step::Next;
}

/// Operand 0 is a value; `immediate` is what true is, in each half of a pair.
template <Type T> Step setHandler(Warp &warp, const Instruction &instruction) {
  Compared compared = compareLanes<T>(warp, instruction);
  uint64_t isTrue = static_cast<uint64_t>(instruction.immediate);
  LaneBuffer results{};
  uint8_t poison[lanesPerWarp] = {};
  for (unsigned half = 0; half < (isPair(T) ? 2 : 1); ++half) {
    Predicate is =
        combine(warp, instruction, {compared.holds[half], compared.poison[half]});
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
      if (is.value >> lane & 1)
        results.lane[lane] |= isTrue << (16 * half);
      if (is.poison >> lane & 1)
        poison[lane] |= isPair(T) ? 0x03 << (2 * half) : undefinedValue;
    }
  }
  writeValues(warp, instruction.operand[0], results);
  writePoison(warp, instruction.operand[0], poison);
  return Step::Next;
}

template <Type T> Handler choose(bool isSet) {
  return isSet ? setHandler<T> : setpHandler<T>;
}

Handler getCompare(Type type, bool isSet) {
  switch (type) {
  case Type::B16:
  case Type::U16:
    return choose<Type::U16>(isSet);
  case Type::B32:
  case Type::U32:
    return choose<Type::U32>(isSet);
  case Type::B64:
  case Type::U64:
    return choose<Type::U64>(isSet);
  case Type::S16:
    return choose<Type::S16>(isSet);
  case Type::S32:
    return choose<Type::S32>(isSet);
  case Type::S64:
    return choose<Type::S64>(isSet);
  case Type::F32:
    return choose<Type::F32>(isSet);
  case Type::F64:
    return choose<Type::F64>(isSet);
  case Type::F16:
    return choose<Type::F16>(isSet);
  case Type::F16x2:
    return choose<Type::F16x2>(isSet);
  case Type::BF16:
    return choose<Type::BF16>(isSet);
  case Type::BF16x2:
    return choose<Type::BF16x2>(isSet);
  default:
    return nullptr;
  }
}

/// Takes the operator that `type` may be compared by.
bool takeOperator(Decoder &decoder, Type type) {
  struct Row {
    std::string_view name;
    uint32_t relations;
    bool bits, integers, unsignedOnly, floats;
  };
  constexpr uint32_t ordered = Less | Equal | Greater;
  static constexpr Row rows[] = {
      {"eq", Equal, true, true, false, true},
      {"ne", Less | Greater, true, true, false, true},
      {"lt", Less, false, true, false, true},
      {"le", Less | Equal, false, true, false, true},
      {"gt", Greater, false, true, false, true},
      {"ge", Greater | Equal, false, true, false, true},
      {"lo", Less, false, true, true, false},
      {"ls", Less | Equal, false, true, true, false},
      {"hi", Greater, false, true, true, false},
      {"hs", Greater | Equal, false, true, true, false},
      {"equ", Equal | Unordered, false, false, false, true},
      {"neu", Less | Greater | Unordered, false, false, false, true},
      {"ltu", Less | Unordered, false, false, false, true},
      {"leu", Less | Equal | Unordered, false, false, false, true},
      {"gtu", Greater | Unordered, false, false, false, true},
      {"geu", Greater | Equal | Unordered, false, false, false, true},
      {"num", ordered, false, false, false, true},
      {"nan", Unordered, false, false, false, true},
  };
  for (const Row &row : rows) {
    bool fits = isBits(type)       ? row.bits
                : isFloat(type)    ? row.floats
                : isUnsigned(type) ? row.integers
                                   : row.integers && !row.unsignedOnly;
    if (fits && decoder.take(row.name)) {
      decoder.result.flags |= row.relations;
      return true;
    }
  }
  decoder.fail("a comparison that its type has is missing");
  return false;
}

/// What `set` writes where the comparison holds: ones, or the number 1; 0 of a type that
/// it does not have.
uint64_t getTrue(Type result, Type source) {
  bool halves = source == Type::F16 || source == Type::BF16;
  switch (result) {
  case Type::U32:
  case Type::S32:
    return 0xffffffff;
  case Type::U16:
  case Type::S16:
    return halves ? 0xffff : 0;
  case Type::F32:
    return 0x3f800000;
  case Type::F16:
    return 0x3c00;
  case Type::BF16:
    return 0x3f80;
  default:
    return 0;
  }
}

void decodeComparison(Decoder &decoder, bool isSet) {
  Instruction &result = decoder.result;
  Type to = isSet ? decoder.takeType() : Type::None;
  Type type = decoder.takeType();
  if (!takeOperator(decoder, type))
    return;
  auto combines = decoder.takeOneOf({"and", "or", "xor"});
  if (combines)
    result.flags |= (*combines + 1) * CombinesAnd;
  if ((type == Type::F32 || type == Type::F16 || type == Type::F16x2) &&
      to != Type::BF16 && decoder.take("ftz"))
    result.flags |= FlushesCompared;
  if (type == Type::BF16 || type == Type::BF16x2)
    expectArchitecture(decoder, 90);
  size_t count = combines ? 4 : 3;
  if (!decoder.expectOperands(count, count))
    return;

  if (isSet) {
    result.operand[0] = decoder.destination(size_t(0));
    if (result.operand[0] == noRegister)
      return decoder.fail("the result may not be a sink");
    if (isPair(type)) {
      // A value for each half, of the same type or of ones.
      bool same = to == type;
      if (!same && to != Type::U32 && to != Type::S32)
        return decoder.fail("its result's type is not modelled");
      result.immediate = !same ? 0xffff : type == Type::F16x2 ? 0x3c00 : 0x3f80;
    } else {
      // Of halves there are ones of their own type alone.
      bool otherFloat = (type == Type::F16 && to == Type::F32) ||
                        (type == Type::BF16 && (to == Type::F32 || to == Type::F16));
      result.immediate = otherFloat ? 0 : static_cast<int64_t>(getTrue(to, type));
      if (result.immediate == 0)
        return decoder.fail("its result's type is not modelled");
    }
  } else {
    const Operand &first = decoder.at(0);
    if (first.kind == Operand::Pair && first.items.size() == 2) {
      result.operand[0] = decoder.predicate(first.items[0]);
      result.operand[1] = decoder.predicate(first.items[1]);
    } else {
      result.operand[0] = decoder.predicate(first);
    }
  }
  result.operand[2] = decoder.source(size_t(1), type);
  result.operand[3] = decoder.source(size_t(2), type);
  if (combines) {
    result.operand[4] = decoder.condition(decoder.at(3));
    if (decoder.at(3).negated)
      result.flags |= NegatesThird;
  }
  result.type = type;
  result.execute = getCompare(type, isSet);
}

} // namespace

void tilewright::ptx::decodeCompare(Decoder &decoder) {
  std::string_view opcode = decoder.statement.opcode;
  if (opcode == "setp" || opcode == "set")
    return decodeComparison(decoder, opcode == "set");
  decodeSelection(decoder, opcode == "slct");
}
