//===- IndexBounds.cpp - What is known about the values of indices ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/IndexBounds.h"
#include "compiler/analysis/Memory.h"

#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using namespace tilewright::tile;

/// Steps that one question may take before it is given up.
static constexpr unsigned kBudget = 400;

//===----------------------------------------------------------------------===//
// Linear forms
//===----------------------------------------------------------------------===//

int64_t LinearForm::factorOf(unsigned atom) const {
  for (auto [other, factor] : terms)
    if (other == atom)
      return factor;
  return 0;
}

LinearForm IndexBounds::constantForm(int64_t value) {
  LinearForm form;
  form.constant = value;
  return form;
}

/// a * aFactor + b * bFactor.
static std::optional<int64_t> combineNumbers(int64_t a, int64_t aFactor, int64_t b,
                                             int64_t bFactor) {
  int64_t left, right, sum;
  if (llvm::MulOverflow(a, aFactor, left) || llvm::MulOverflow(b, bFactor, right) ||
      llvm::AddOverflow(left, right, sum))
    return std::nullopt;
  return sum;
}

IndexBounds::MaybeForm IndexBounds::combine(const LinearForm &a, int64_t aFactor,
                                            const LinearForm &b, int64_t bFactor) {
  LinearForm result;
  auto constant = combineNumbers(a.constant, aFactor, b.constant, bFactor);
  if (!constant)
    return std::nullopt;
  result.constant = *constant;
  auto left = a.terms.begin(), right = b.terms.begin();
  while (left != a.terms.end() || right != b.terms.end()) {
    bool takeLeft =
        right == b.terms.end() || (left != a.terms.end() && left->first <= right->first);
    bool takeRight =
        left == a.terms.end() || (right != b.terms.end() && right->first <= left->first);
    unsigned atom = takeLeft ? left->first : right->first;
    auto factor = combineNumbers(takeLeft ? left++->second : 0, aFactor,
                                 takeRight ? right++->second : 0, bFactor);
    if (!factor)
      return std::nullopt;
    if (*factor != 0)
      result.terms.push_back({atom, *factor});
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Atoms
//===----------------------------------------------------------------------===//

IndexBounds::IndexBounds(func::FuncOp function) : function(function) {
  function.walk([&](AssumeOp op) { assumptions.push_back(op); });
}

LinearForm IndexBounds::makeAtom(Value value) {
  LinearForm form;
  form.terms.push_back({static_cast<unsigned>(atoms.size()), 1});
  atoms.push_back({value, {}, {}});
  return form;
}

/// Divides a form by the common divisor of its factors, rounding the constant down:
/// the form is an integer, so it stays non-negative.
static void tighten(LinearForm &form) {
  int64_t divisor = 0;
  for (auto [atom, factor] : form.terms)
    divisor = std::gcd(divisor, factor);
  if (divisor <= 1)
    return;
  for (auto &term : form.terms)
    term.second /= divisor;
  form.constant = llvm::divideFloorSigned(form.constant, divisor);
}

/// Records that `form` is not negative, at its newest atom.
void IndexBounds::addFact(const MaybeForm &form) {
  if (!form || form->terms.empty())
    return;
  LinearForm fact = *form;
  tighten(fact);
  atoms[fact.terms.back().first].facts.push_back(fact);
}

void IndexBounds::addRange(const LinearForm &atom, int64_t low, int64_t high) {
  addFact(combine(atom, 1, constantForm(low), -1));
  addFact(combine(constantForm(high), 1, atom, -1));
}

/// A size named in the signature; its facts are those of the symbol. The atom is
/// the size divided by what it is a multiple of.
LinearForm IndexBounds::makeSymbol(StringRef name) {
  auto [entry, isNew] = symbols.try_emplace(name);
  if (!isNew)
    return entry->second;
  LinearForm atom = makeAtom(Value());
  int64_t multiple = 1, low = 0, high = -1;
  auto signature = function->getAttrOfType<DictionaryAttr>("tile.signature");
  for (Attribute attr : signature.getAs<ArrayAttr>("symbols")) {
    auto symbol = cast<DictionaryAttr>(attr);
    if (symbol.getAs<StringAttr>("name").getValue() != name)
      continue;
    multiple = symbol.getAs<IntegerAttr>("multiple_of").getInt();
    low = symbol.getAs<IntegerAttr>("min").getInt();
    high = symbol.getAs<IntegerAttr>("max").getInt();
  }
  LinearForm form = *combine(atom, multiple, {}, 0);
  addFact(combine(form, 1, constantForm(low), -1));
  if (high >= 0)
    addFact(combine(constantForm(high), 1, form, -1));
  return entry->second = form;
}

/// The value of an expression of sizes, from its steps in postfix order.
IndexBounds::MaybeForm IndexBounds::evaluate(ArrayAttr steps) {
  SmallVector<LinearForm> stack;
  for (Attribute step : steps) {
    if (auto number = dyn_cast<IntegerAttr>(step)) {
      stack.push_back(constantForm(number.getInt()));
      continue;
    }
    auto [kind, text] = cast<StringAttr>(step).getValue().split(' ');
    if (kind == "size") {
      stack.push_back(makeSymbol(text));
      continue;
    }
    LinearForm b = stack.pop_back_val(), a = stack.pop_back_val();
    if (kind == "mul" && a.terms.empty())
      std::swap(a, b);
    int64_t constant = b.terms.empty() ? b.constant : 0;
    MaybeForm result;
    if (kind == "add" || kind == "sub")
      result = combine(a, 1, b, kind == "add" ? 1 : -1);
    else if (kind == "mul" && b.terms.empty())
      result = combine(a, constant, {}, 0);
    else if (kind == "floordiv" && constant > 0)
      result = floorDivide(a, constant, Value());
    else if (kind == "mod" && constant > 0)
      result = remainder(a, constant, Value());
    else if (kind == "ceildiv" && constant > 0)
      if (MaybeForm raised = combine(a, 1, constantForm(constant - 1), 1))
        result = floorDivide(*raised, constant, Value());
    if (!result)
      return std::nullopt;
    stack.push_back(*result);
  }
  return stack.back();
}

/// What the signature says of a size or stride: a name, or an expression of names.
IndexBounds::MaybeForm IndexBounds::declared(Attribute size) {
  if (auto name = dyn_cast<StringAttr>(size))
    return name.getValue() == "any" ? MaybeForm() : makeSymbol(name.getValue());
  if (auto expression = dyn_cast<DictionaryAttr>(size))
    return evaluate(expression.getAs<ArrayAttr>("steps"));
  return std::nullopt;
}

LinearForm IndexBounds::extent(Value memref, int64_t dim) {
  auto type = cast<MemRefType>(memref.getType());
  if (!type.isDynamicDim(dim))
    return constantForm(type.getDimSize(dim));
  auto known = extents.find({memref, dim});
  if (known != extents.end())
    return known->second;
  LinearForm form;
  MaybeForm size;
  if (DictionaryAttr param = getParameter(memref))
    size = declared(param.getAs<ArrayAttr>("dims")[dim]);
  if (size) {
    form = *size;
  } else if (auto workspace = memref.getDefiningOp<WorkspaceOp>()) {
    form = this->form(workspace.getSizes()[type.getDynamicDimIndex(dim)]);
  } else if (auto view = memref.getDefiningOp<ViewOp>()) {
    form = this->form(view.getSizes()[type.getDynamicDimIndex(dim)]);
  } else {
    form = makeAtom(Value());
    addFact(form);
  }
  extents[{memref, dim}] = form;
  return form;
}

std::optional<LinearForm> IndexBounds::stride(Value memref, int64_t dim) {
  auto [strides, offset] = cast<MemRefType>(memref.getType()).getStridesAndOffset();
  if (!ShapedType::isDynamic(strides[dim]))
    return constantForm(strides[dim]);
  DictionaryAttr param = getParameter(memref);
  auto entries = param ? param.getAs<ArrayAttr>("strides") : ArrayAttr();
  return entries ? declared(entries[dim]) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Proofs
//===----------------------------------------------------------------------===//

/// Whether `goal` is shown not to be negative, from the facts of its atoms and `facts`.
/// Each step removes the newest atom, so the search ends; `budget` bounds its width.
bool IndexBounds::prove(const MaybeForm &goal, ArrayRef<LinearForm> facts,
                        unsigned &budget) {
  if (!goal || budget == 0)
    return false;
  if (goal->terms.empty())
    return goal->constant >= 0;
  --budget;
  auto [atom, factor] = goal->terms.back();
  auto subtract = [&, atom = atom, factor = factor](const LinearForm &fact) {
    int64_t other = fact.factorOf(atom);
    if (fact.terms.back().first != atom || (other > 0) != (factor > 0))
      return false;
    int64_t common = std::gcd(other, factor), scale = std::abs(other) / common;
    MaybeForm rest = combine(*goal, scale, fact, -std::abs(factor) / common);
    // The goal is an integer: g >= 0 where scale * g >= 1 - scale.
    return rest && prove(combine(*rest, 1, constantForm(scale - 1), 1), facts, budget);
  };
  // By index: proving may make new atoms, which moves them.
  for (unsigned i = 0; i < atoms[atom].facts.size(); ++i)
    if (subtract(LinearForm(atoms[atom].facts[i])))
      return true;
  if (llvm::any_of(facts, subtract))
    return true;
  SmallVector<LinearForm, 2> cases = atoms[atom].cases;
  LinearForm rest = *goal;
  rest.terms.pop_back();
  return !cases.empty() &&
         llvm::all_of(cases, [&, factor = factor](const LinearForm &value) {
           return prove(combine(rest, 1, value, factor), facts, budget);
         });
}

bool IndexBounds::prove(const MaybeForm &goal, ArrayRef<LinearForm> facts) {
  unsigned budget = kBudget;
  return prove(goal, facts, budget);
}

/// Adds what it says about integers that `condition` holds, or that it does not.
void IndexBounds::addCondition(Value condition, bool holds, Facts &facts) {
  Operation *op = condition.getDefiningOp();
  if (isa_and_nonnull<arith::AndIOp, arith::OrIOp>(op) &&
      holds == isa<arith::AndIOp>(op)) {
    addCondition(op->getOperand(0), holds, facts);
    addCondition(op->getOperand(1), holds, facts);
    return;
  }
  if (isa_and_nonnull<arith::XOrIOp>(op) && matchPattern(op->getOperand(1), m_One()))
    return addCondition(op->getOperand(0), !holds, facts);
  auto compare = dyn_cast_or_null<arith::CmpIOp>(op);
  if (!compare)
    return;
  auto predicate = compare.getPredicate();
  if (!holds)
    predicate = arith::invertPredicate(predicate);
  LinearForm a = form(compare.getLhs()), b = form(compare.getRhs());
  auto add = [&](const LinearForm &large, const LinearForm &small, int64_t distance) {
    MaybeForm difference = combine(large, 1, small, -1);
    MaybeForm fact =
        difference ? combine(*difference, 1, constantForm(distance), -1) : std::nullopt;
    if (!fact || fact->terms.empty())
      return;
    tighten(*fact);
    facts.push_back(*fact);
  };
  using Predicate = arith::CmpIPredicate;
  switch (predicate) {
  case Predicate::ult:
  case Predicate::ule:
    // As unsigned below a number that is not negative: not negative either.
    if (!prove(b))
      return;
    add(a, {}, 0);
    return add(b, a, predicate == Predicate::ult);
  case Predicate::slt:
  case Predicate::sle:
    return add(b, a, predicate == Predicate::slt);
  case Predicate::sgt:
  case Predicate::sge:
    return add(a, b, predicate == Predicate::sgt);
  case Predicate::eq:
    add(a, b, 0);
    return add(b, a, 0);
  default:
    return;
  }
}

/// What enclosing conditions and earlier assumptions say where `at` runs.
IndexBounds::Facts IndexBounds::factsAt(Operation *at) {
  Facts facts;
  for (AssumeOp assume : assumptions)
    if (Operation *ancestor = assume->getBlock()->findAncestorOpInBlock(*at);
        ancestor && assume->isBeforeInBlock(ancestor))
      addCondition(assume.getCondition(), true, facts);
  for (Operation *op = at; op && op != function; op = op->getParentOp())
    if (auto branch = dyn_cast_or_null<scf::IfOp>(op->getParentOp()))
      addCondition(branch.getCondition(),
                   op->getParentRegion() == &branch.getThenRegion(), facts);
  return facts;
}

bool IndexBounds::isNonNegative(Value value, Operation *at) {
  return prove(form(value), factsAt(at));
}

bool IndexBounds::isBelow(Value low, Value high, Operation *at) {
  MaybeForm distance = combine(form(high), 1, form(low), -1);
  return distance && prove(combine(*distance, 1, constantForm(1), -1), factsAt(at));
}

bool IndexBounds::isBelowExtent(Value index, Value memref, int64_t dim, Operation *at,
                                int64_t count) {
  MaybeForm distance = combine(extent(memref, dim), 1, form(index), -1);
  if (!distance)
    return false;
  return prove(combine(*distance, 1, constantForm(count), -1), factsAt(at));
}

bool IndexBounds::isExtentAtMost(Value memref, int64_t dim, const LinearForm &most,
                                 Operation *at) {
  return prove(combine(most, 1, extent(memref, dim), -1), factsAt(at));
}

bool IndexBounds::isExtentAbove(Value memref, int64_t dim, int64_t least, Operation *at) {
  LinearForm size = extent(memref, dim);
  Facts facts = factsAt(at);
  MaybeForm any = combine(size, 1, constantForm(1), -1);
  if (any && !any->terms.empty()) {
    tighten(*any);
    facts.push_back(*any);
  }
  return prove(combine(size, 1, constantForm(least + 1), -1), facts);
}

bool IndexBounds::hasElements(Value memref, int64_t dim, Operation *at) {
  return prove(combine(extent(memref, dim), 1, constantForm(1), -1), factsAt(at));
}
