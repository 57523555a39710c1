//===- FaultLog.cpp - What a checked launch did wrong ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FaultLog.h"

#include <cinttypes>

using namespace tilewright;

namespace {
struct RuleText {
  const char *name, *explanation;
};
} // namespace

/// In the order of `Rule`.
static constexpr RuleText ruleTexts[] = {
    {"out-of-bounds", "a tile is indexed inside its shape"},
    {"uninitialised",
     "tiles and workspaces start undefined: an element is written before "
     "it is read"},
    {"race",
     "blocks, iterations of T.Parallel, and threads between two barriers, have no order: "
     "what one of them writes no other reads or writes, unless all do so atomically"},
    {"non-finite", "asked for: arithmetic on finite numbers gives finite numbers"},
    {"trap", "the program stopped itself"},
};

//===----------------------------------------------------------------------===//
// Texts
//===----------------------------------------------------------------------===//

static void addPlace(Buffer &text, const FaultPlace &place) {
  text.add("block (%" PRId64 ", %" PRId64 ", %" PRId64 ")", place.block[0],
           place.block[1], place.block[2]);
  const Iteration &iteration = place.iteration;
  for (int i = 0; i < iteration.count; ++i)
    text.add("%s%s = %" PRId64, i ? ", " : ", iteration ", iteration.names[i],
             iteration.values[i]);
}

static void addText(Buffer &text, const char *kernel, const Fault &fault) {
  const RuleText &rule = ruleTexts[static_cast<int>(fault.rule)];
  const FaultPlace &place = fault.place;
  text.add("%s: %s\n  in %s, ", rule.name, fault.message, kernel);
  addPlace(text, place);
  text.add("\n  --> %s:%" PRId64 ":%" PRId64, place.file, place.line, place.column);
  for (const char *caller = place.callers; *caller;) {
    auto length = static_cast<int>(strcspn(caller, "\n"));
    text.add("\n  called from %.*s", length, caller);
    caller += length + (caller[length] == '\n');
  }
  if (const FaultPlace *other = fault.other) {
    text.add("\n  the other %s is at %s:%" PRId64 ", in ", fault.otherAccess, other->file,
             other->line);
    addPlace(text, *other);
  }
  text.add("\n  rule: %s", rule.explanation);
}

//===----------------------------------------------------------------------===//
// Records
//===----------------------------------------------------------------------===//

/// The fields that a fault and the other access of a race have.
static void addFields(Buffer &json, const FaultPlace &place) {
  json.add("\"block\": [%" PRId64 ", %" PRId64 ", %" PRId64 "], \"iteration\": {",
           place.block[0], place.block[1], place.block[2]);
  for (int i = 0; i < place.iteration.count; ++i) {
    json.add("%s", i ? ", " : "").addQuoted(place.iteration.names[i]);
    json.add(": %" PRId64, place.iteration.values[i]);
  }
  json.add("}, \"instruction\": ").addQuoted(place.operation);
  json.add(", \"file\": ").addQuoted(place.file);
  json.add(", \"source_line\": %" PRId64, place.line);
}

/// A record that lacks its last field, `repeated`.
static void addRecord(Buffer &json, const char *kernel, const Fault &fault) {
  const RuleText &rule = ruleTexts[static_cast<int>(fault.rule)];
  json.add("{\"rule\": \"%s\", \"explanation\": ", rule.name).addQuoted(rule.explanation);
  json.add(", \"message\": ").addQuoted(fault.message);
  json.add(", \"kernel\": ").addQuoted(kernel).add(", ");
  addFields(json, fault.place);
  json.add(", \"memory\": ").addQuoted(fault.memory).add(", \"index\": [");
  for (int i = 0; i < fault.rank; ++i)
    json.add("%s%" PRId64, i ? ", " : "", fault.index[i]);
  json.add("], \"other\": ");
  if (!fault.other) {
    json.add("null");
    return;
  }
  json.add("{\"access\": ").addQuoted(fault.otherAccess).add(", ");
  addFields(json, *fault.other);
  json.add("}");
}

//===----------------------------------------------------------------------===//
// The log
//===----------------------------------------------------------------------===//

void FaultLog::add(const char *kernel, const Fault &fault) {
  for (int i = 0; i < count; ++i)
    if (entries[i].rule == fault.rule && entries[i].key == fault.key) {
      ++entries[i].repeated;
      return;
    }
  if (count == maximum) {
    ++unlisted;
    return;
  }
  Entry &entry = entries[count++];
  entry.rule = fault.rule, entry.key = fault.key, entry.repeated = 0;
  addText(entry.text, kernel, fault);
  addRecord(entry.json, kernel, fault);
}

void FaultLog::format(Buffer &text, Buffer &json) {
  json.add("[");
  for (int i = 0; i < count; ++i) {
    Entry &entry = entries[i];
    text.add("%s%s", i ? "\n" : "", entry.text.text());
    if (entry.repeated)
      text.add("\n  and %" PRIu64 " more times here", entry.repeated);
    json.add("%s%s, \"repeated\": %" PRIu64 "}", i ? ", " : "", entry.json.text(),
             entry.repeated);
  }
  if (unlisted)
    text.add("\nand %" PRIu64 " faults at other places", unlisted);
  json.add("]");
}
