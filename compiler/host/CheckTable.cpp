//===- CheckTable.cpp - The table that a checked kernel hands to the runtime ----===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/host/CheckTable.h"

#include "compiler/host/HostCalls.h"
#include "tilewright/abi.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::host;
using tile::AccessKind;
using tile::CheckAccessOp;
using tile::CheckIterationOp;
using tile::CheckMemoryOp;
using tile::CheckValueOp;

/// The entries' fields that are positions of lists, by place.
static constexpr int memoryExtents = 4, loopNames = 2, loopExtents = 3, siteSizes = 8,
                     siteOtherSizes = 11;

static int64_t getDtype(Type type) {
  return llvm::TypeSwitch<Type, int64_t>(type)
      .Case([](Float16Type) { return TW_F16; })
      .Case([](BFloat16Type) { return TW_BF16; })
      .Case([](Float32Type) { return TW_F32; })
      .Case([](Float64Type) { return TW_F64; })
      .Case([](Float8E4M3FNType) { return TW_F8E4M3FN; })
      .Case([](Float8E5M2Type) { return TW_F8E5M2; })
      .Default([](Type integer) {
        int64_t bits = integer.isIndex() ? 64 : integer.getIntOrFloatBitWidth();
        return bits <= 8 ? TW_I8 : bits <= 16 ? TW_I16 : bits <= 32 ? TW_I32 : TW_I64;
      });
}

static int64_t numberOr(std::optional<uint64_t> number, int64_t otherwise) {
  return number ? static_cast<int64_t>(*number) : otherwise;
}

int64_t CheckTable::addString(StringRef text) {
  auto [known, isNew] = knownStrings.try_emplace(text, strings.size());
  if (isNew)
    strings += text.str() + '\0';
  return known->second;
}

int64_t CheckTable::addNumbers(ArrayRef<int64_t> list) {
  auto [known, isNew] =
      knownNumbers.try_emplace(list.vec(), static_cast<int64_t>(numbers.size()) + 1);
  if (isNew)
    for (int64_t number : list)
      numbers.push_back(ShapedType::isDynamic(number) ? -1 : number);
  return known->second;
}

void CheckTable::addMemory(CheckMemoryOp op) {
  if (op.getNumber() >= memories.size())
    memories.resize(op.getNumber() + 1);
  auto type = cast<MemRefType>(op.getMemref().getType());
  bool isTile = tile::isTile(type);
  int64_t written = memories[op.getNumber()][6]; // sites may come first
  memories[op.getNumber()] = {addString(op.getName()),
                              static_cast<int64_t>(tile::getSpace(type)),
                              getDtype(type.getElementType()),
                              type.getRank(),
                              isTile ? addNumbers(type.getShape()) : 0,
                              numberOr(op.getLoop(), -1),
                              written | (op.getUndefined() ? TW_CHECK_UNDEFINED : 0),
                              0};
}

void CheckTable::addLoop(CheckIterationOp op) {
  if (op.getNumber() >= loops.size())
    loops.resize(op.getNumber() + 1);
  SmallVector<int64_t> names;
  for (auto name : op.getNames().getAsRange<StringAttr>())
    names.push_back(addString(name.getValue()));
  loops[op.getNumber()] = {
      numberOr(op.getOuter(), -1), static_cast<int64_t>(op.getVariables().size()),
      addNumbers(names), op.getParallel() ? addNumbers(*op.getParallel()) : 0};
}

/// A site's entry, with the place of `op` and, line by line, those of the macro calls
/// around it.
CheckTable::Site CheckTable::makeSite(Operation *op, int64_t kind, StringRef what,
                                      std::optional<uint64_t> loop) {
  Location loc = op->getLoc();
  FileLineColLoc place;
  std::string callers;
  while (auto call = dyn_cast<CallSiteLoc>(loc)) {
    if (!place)
      place = getPlace(call.getCallee());
    loc = call.getCaller();
    auto next = dyn_cast<CallSiteLoc>(loc);
    callers +=
        (callers.empty() ? "" : "\n") + describe(getPlace(next ? next.getCallee() : loc));
  }
  if (!place)
    place = getPlace(loc);
  return {kind,
          0,
          numberOr(loop, -1),
          addString(what),
          addString(place ? place.getFilename().getValue() : ""),
          place ? place.getLine() : 0,
          place ? place.getColumn() : 0,
          addString(callers),
          0,
          -1,
          0,
          0,
          0,
          0};
}

int64_t CheckTable::addSite(const Site &site) {
  auto [known, isNew] = knownSites.try_emplace(site, static_cast<int64_t>(sites.size()));
  if (isNew)
    sites.push_back(site);
  return known->second;
}

int64_t CheckTable::addSite(CheckAccessOp op) {
  Site site =
      makeSite(op, static_cast<int64_t>(op.getKind()), op.getWhat(), op.getLoop());
  auto memory = static_cast<int64_t>(op.getNumber());
  site[1] = memory;
  site[siteSizes] = addNumbers(op.getSizes());
  site[9] = numberOr(op.getAxis(), -1);
  if (op.getOther()) {
    site[10] = numberOr(op.getOtherNumber(), 0);
    site[siteOtherSizes] = addNumbers(*op.getOtherSizes());
  }
  site[12] =
      (op.getInspect() ? TW_CHECK_INSPECT : 0) | (op.getFirst() ? TW_CHECK_FIRST : 0);
  if (op.getKind() == AccessKind::Write || op.getKind() == AccessKind::Atomic) {
    if (op.getNumber() >= memories.size())
      memories.resize(op.getNumber() + 1);
    memories[memory][6] |= TW_CHECK_WRITTEN;
  }
  return addSite(site);
}

int64_t CheckTable::addSite(CheckValueOp op) {
  return addSite(makeSite(op, TW_CHECK_VALUE, op.getWhat(), op.getLoop()));
}

std::vector<int64_t> CheckTable::encode() const {
  std::vector<int64_t> words(TW_CHECKS_HEADER_WORDS);
  auto lists = static_cast<int64_t>(
      words.size() + memories.size() * TW_CHECKS_MEMORY_WORDS +
      loops.size() * TW_CHECKS_LOOP_WORDS + sites.size() * TW_CHECKS_SITE_WORDS);
  auto append = [&](const auto &entries, std::initializer_list<int> positions) {
    for (auto entry : entries) {
      for (int field : positions)
        if (entry[field]) // from 1; 0 is no list
          entry[field] += lists - 1;
      words.insert(words.end(), entry.begin(), entry.end());
    }
  };
  append(memories, {memoryExtents});
  append(loops, {loopNames, loopExtents});
  append(sites, {siteSizes, siteOtherSizes});
  words.insert(words.end(), numbers.begin(), numbers.end());
  auto stringsAt = static_cast<int64_t>(words.size());
  words.resize(words.size() + strings.size() / 8 + 1);
  std::memcpy(&words[stringsAt], strings.data(), strings.size());
  int64_t header[] = {TW_CHECKS_MAGIC,
                      static_cast<int64_t>(words.size()),
                      static_cast<int64_t>(memories.size()),
                      static_cast<int64_t>(loops.size()),
                      static_cast<int64_t>(sites.size()),
                      stringsAt,
                      static_cast<int64_t>(strings.size()),
                      0};
  std::copy(std::begin(header), std::end(header), words.begin());
  return words;
}
