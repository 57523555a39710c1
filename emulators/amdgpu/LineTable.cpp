//===- LineTable.cpp - DWARF's table of source lines --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/LineTable.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/BinaryFormat/Dwarf.h"
#include "llvm/Support/DataExtractor.h"
#include "llvm/Support/Path.h"

#include <algorithm>

using namespace tilewright::amdgpu;
using namespace llvm::dwarf;

/// A unit's table: its header, then a program that makes rows. Once the cursor has run
/// into the end, every read gives zero and `isSound` is false.
class LineTable::Unit {
public:
  /// The unit is `data` from `offset` to the end.
  Unit(LineTable &table, const LineSections &sections, llvm::StringRef data,
       uint64_t offset, bool is64)
      : table(table), sections(sections), data(data, /*IsLittleEndian=*/true, 8),
        cursor(offset), offsetBytes(is64 ? 8 : 4) {}
  ~Unit() { llvm::consumeError(cursor.takeError()); }

  void read() {
    if (readHeader())
      runProgram();
  }

private:
  struct Entry {
    llvm::StringRef name;
    uint64_t directory = 0;
  };

  bool isSound() { return static_cast<bool>(cursor); }
  uint64_t leb() { return data.getULEB128(cursor); }
  uint8_t byte() { return data.getU8(cursor); }

  bool readHeader();
  bool readEntries(std::vector<Entry> &entries);
  bool readForm(uint64_t form, llvm::StringRef &text, uint64_t &number);
  void readOldEntries(std::vector<Entry> &directories, std::vector<Entry> &entries);
  void addFiles(const std::vector<Entry> &directories, const std::vector<Entry> &entries);

  void runProgram();
  void runStandard(uint8_t opcode);
  void runExtended();
  void advance(uint64_t steps) { address += steps * minimumStep; }
  void addRow();
  void endSequence();

  LineTable &table;
  const LineSections &sections;
  const llvm::DataExtractor data;
  llvm::DataExtractor::Cursor cursor;
  const unsigned offsetBytes;
  unsigned version = 0;
  uint8_t minimumStep = 1, lineRange = 1, opcodeBase = 1;
  int8_t lineBase = 0;
  std::vector<uint8_t> operandCounts; // of standard opcodes
  size_t firstFile = 0, fileCount = 0;
  // The program's registers, and the rows since its last sequence.
  uint64_t address = 0, file = 1;
  uint32_t line = 1;
  Sequence sequence;
};

LineTable::LineTable(const LineSections &sections) {
  const llvm::StringRef all = sections.line;
  const llvm::DataExtractor data(all, /*IsLittleEndian=*/true, 8);
  for (uint64_t offset = 0; offset < all.size();) {
    llvm::DataExtractor::Cursor cursor(offset);
    uint64_t length = data.getU32(cursor);
    const bool is64 = length == DW_LENGTH_DWARF64;
    if (is64)
      length = data.getU64(cursor);
    const uint64_t begin = cursor.tell();
    if (llvm::errorToBool(cursor.takeError()) || length > all.size() - begin)
      return;
    Unit(*this, sections, all.take_front(begin + length), begin, is64).read();
    offset = begin + length;
  }
}

SourceLine LineTable::find(uint64_t address) const {
  auto next = sequences.upper_bound(address);
  if (next == sequences.begin())
    return {};
  const Sequence &sequence = std::prev(next)->second;
  if (address >= sequence.end)
    return {};
  auto row = std::upper_bound(
      sequence.rows.begin(), sequence.rows.end(), address,
      [](uint64_t wanted, const Row &row) { return wanted < row.address; });
  const Row &found = *std::prev(row);
  if (found.file >= files.size())
    return {};
  return {files[found.file], found.line};
}

//===----------------------------------------------------------------------===//
// Header
//===----------------------------------------------------------------------===//

bool LineTable::Unit::readHeader() {
  version = data.getU16(cursor);
  if (version < 2 || version > 5)
    return false;
  if (version >= 5)
    data.skip(cursor, 2); // the sizes of addresses and of segment selectors
  const uint64_t length = data.getUnsigned(cursor, offsetBytes);
  const uint64_t program = cursor.tell() + length;
  minimumStep = byte();
  if (version >= 4)
    byte(); // operations in an instruction: one
  byte();   // whether rows start statements
  lineBase = static_cast<int8_t>(byte());
  lineRange = byte();
  opcodeBase = byte();
  if (!isSound() || !lineRange || !opcodeBase)
    return false;
  operandCounts.resize(opcodeBase);
  for (unsigned opcode = 1; opcode < opcodeBase; ++opcode)
    operandCounts[opcode] = byte();
  std::vector<Entry> directories, entries;
  if (version < 5)
    readOldEntries(directories, entries);
  else if (!readEntries(directories) || !readEntries(entries))
    return false;
  if (!isSound() || length > data.size() || program < cursor.tell() ||
      program > data.size())
    return false;
  addFiles(directories, entries);
  cursor.seek(program);
  return true;
}

bool LineTable::Unit::readForm(uint64_t form, llvm::StringRef &text, uint64_t &number) {
  auto fromSection = [&](llvm::StringRef section) {
    const uint64_t offset = data.getUnsigned(cursor, offsetBytes);
    if (offset < section.size())
      text = section.drop_front(offset).split('\0').first;
  };
  switch (form) {
  case DW_FORM_string:
    text = data.getCStrRef(cursor);
    break;
  case DW_FORM_line_strp:
    fromSection(sections.lineStrings);
    break;
  case DW_FORM_strp:
    fromSection(sections.strings);
    break;
  case DW_FORM_udata:
    number = leb();
    break;
  case DW_FORM_data1:
    number = byte();
    break;
  case DW_FORM_data2:
    number = data.getU16(cursor);
    break;
  case DW_FORM_data4:
    number = data.getU32(cursor);
    break;
  case DW_FORM_data8:
    number = data.getU64(cursor);
    break;
  case DW_FORM_data16:
    data.skip(cursor, 16);
    break;
  case DW_FORM_block:
    data.skip(cursor, leb());
    break;
  default:
    return false;
  }
  return isSound();
}

/// Directories or files of DWARF 5, which say themselves how they are written.
bool LineTable::Unit::readEntries(std::vector<Entry> &entries) {
  std::vector<std::pair<uint64_t, uint64_t>> formats(byte());
  for (auto &[content, form] : formats) {
    content = leb();
    form = leb();
  }
  // Each form that is read has a byte at least, so a wild count ends at the section's
  // end.
  const uint64_t count = leb();
  for (uint64_t i = 0; i < count && !formats.empty(); ++i) {
    Entry entry;
    for (const auto &[content, form] : formats) {
      llvm::StringRef text;
      uint64_t number = 0;
      if (!readForm(form, text, number))
        return false;
      if (content == DW_LNCT_path)
        entry.name = text;
      else if (content == DW_LNCT_directory_index)
        entry.directory = number;
    }
    entries.push_back(entry);
  }
  return isSound();
}

/// Those of earlier versions, whose numbers start at one: directory 0 is the compiler's
/// working directory, which only the unit's description names.
void LineTable::Unit::readOldEntries(std::vector<Entry> &directories,
                                     std::vector<Entry> &entries) {
  directories.emplace_back();
  while (isSound()) {
    llvm::StringRef name = data.getCStrRef(cursor);
    if (name.empty())
      break;
    directories.push_back({name, 0});
  }
  entries.emplace_back();
  while (isSound()) {
    Entry entry;
    entry.name = data.getCStrRef(cursor);
    if (entry.name.empty())
      break;
    entry.directory = leb();
    leb(); // time
    leb(); // length
    entries.push_back(entry);
  }
}

void LineTable::Unit::addFiles(const std::vector<Entry> &directories,
                               const std::vector<Entry> &entries) {
  firstFile = table.files.size();
  fileCount = entries.size();
  for (const Entry &entry : entries) {
    llvm::SmallString<128> path;
    auto append = [&](llvm::StringRef part) {
      if (llvm::sys::path::is_absolute(part))
        path.clear();
      llvm::sys::path::append(path, part);
    };
    if (!directories.empty())
      append(directories.front().name);
    if (entry.directory && entry.directory < directories.size())
      append(directories[entry.directory].name);
    append(entry.name);
    table.files.push_back(path.str().str());
  }
}

//===----------------------------------------------------------------------===//
// Program
//===----------------------------------------------------------------------===//

void LineTable::Unit::addRow() {
  const uint64_t index = file < fileCount ? firstFile + file : ~uint32_t(0);
  sequence.rows.push_back({address, static_cast<uint32_t>(index), line});
}

void LineTable::Unit::endSequence() {
  auto byAddress = [](const Row &a, const Row &b) { return a.address < b.address; };
  sequence.end = address;
  if (!sequence.rows.empty() &&
      std::is_sorted(sequence.rows.begin(), sequence.rows.end(), byAddress)) {
    const uint64_t first = sequence.rows.front().address;
    table.sequences[first] = std::move(sequence);
  }
  sequence = {};
  address = 0;
  file = line = 1;
}

void LineTable::Unit::runProgram() {
  while (isSound() && cursor.tell() < data.size()) {
    const uint8_t opcode = byte();
    if (opcode >= opcodeBase) {
      const unsigned step = opcode - opcodeBase;
      advance(step / lineRange);
      line += static_cast<uint32_t>(lineBase + static_cast<int>(step % lineRange));
      addRow();
    } else if (opcode) {
      runStandard(opcode);
    } else {
      runExtended();
    }
  }
}

void LineTable::Unit::runStandard(uint8_t opcode) {
  switch (opcode) {
  case DW_LNS_copy:
    return addRow();
  case DW_LNS_advance_pc:
    return advance(leb());
  case DW_LNS_advance_line:
    line += static_cast<uint32_t>(data.getSLEB128(cursor));
    return;
  case DW_LNS_set_file:
    file = leb();
    return;
  case DW_LNS_const_add_pc:
    return advance((255 - opcodeBase) / lineRange);
  case DW_LNS_fixed_advance_pc:
    address += data.getU16(cursor);
    return;
  default:
    for (unsigned i = 0; i < operandCounts[opcode]; ++i)
      leb();
  }
}

void LineTable::Unit::runExtended() {
  const uint64_t length = leb(), begin = cursor.tell();
  if (!isSound() || !length || length > data.size() - begin)
    return cursor.seek(data.size());
  switch (byte()) {
  case DW_LNE_end_sequence:
    endSequence();
    break;
  case DW_LNE_set_address:
    if (length == 9)
      address = data.getU64(cursor);
    break;
  default:
    break;
  }
  if (isSound())
    cursor.seek(begin + length);
}
