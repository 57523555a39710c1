//===- IndexForms.cpp - Values as linear forms --------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The rules of IndexBounds that take a value apart, one for each operation.
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/IndexBounds.h"
#include "compiler/analysis/Memory.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tilewright::tile;

LinearForm IndexBounds::form(Value value) {
  auto known = forms.find(value);
  if (known != forms.end())
    return known->second;
  LinearForm form = compute(value);
  forms[value] = form;
  return form;
}

LinearForm IndexBounds::compute(Value value) {
  if (auto constant = getConstantIntValue(value))
    return constantForm(*constant);
  if (auto arg = dyn_cast<BlockArgument>(value))
    return computeArgument(arg);
  MaybeForm form = computeOperation(value.getDefiningOp());
  if (form && fits(*form, value.getType()))
    return *form;
  LinearForm atom = makeAtom(value);
  if (unsigned bits =
          value.getType().isIndex() ? 64 : value.getType().getIntOrFloatBitWidth();
      bits < 64)
    addRange(atom, bits == 1 ? 0 : llvm::minIntN(bits),
             llvm::maxIntN(bits + (bits == 1)));
  return atom;
}

/// Whether every value of `form` is one of `type`.
bool IndexBounds::fits(const LinearForm &form, Type type) {
  if (type.isIndex() ||
      (form.terms.size() == 1 && form.constant == 0 && form.terms[0].second == 1 &&
       valueOf(form.terms[0].first) && valueOf(form.terms[0].first).getType() == type))
    return true;
  // 60 bits leave room for the multiples that a proof makes.
  int64_t limit = llvm::maxIntN(std::min(type.getIntOrFloatBitWidth(), 60u));
  return prove(combine(form, 1, constantForm(limit), 1)) &&
         prove(combine(constantForm(limit), 1, form, -1));
}

bool IndexBounds::isExact(Value value) {
  LinearForm linear = form(value);
  return !value.getDefiningOp() || linear.terms.size() != 1 ||
         valueOf(linear.terms[0].first) != value;
}

LinearForm IndexBounds::loopVariable(Value iv, const LinearForm &lower,
                                     const LinearForm &upper, Value step) {
  int64_t stride = getConstantIntValue(step).value_or(0);
  LinearForm atom = makeAtom(iv);
  MaybeForm value = stride > 0 ? combine(lower, 1, atom, stride) : std::nullopt;
  if (!value) {
    addFact(combine(atom, 1, lower, -1));
    value = atom;
  } else {
    addFact(atom);
  }
  if (MaybeForm distance = combine(upper, 1, *value, -1))
    addFact(combine(*distance, 1, constantForm(1), -1));
  return *value;
}

LinearForm IndexBounds::computeArgument(BlockArgument arg) {
  Operation *parent = arg.getOwner()->getParentOp();
  if (auto kernel = dyn_cast<KernelOp>(parent)) {
    LinearForm grid = form(kernel.getGrid()[arg.getArgNumber()]);
    LinearForm atom = makeAtom(arg);
    addFact(atom);
    if (MaybeForm distance = combine(grid, 1, atom, -1))
      addFact(combine(*distance, 1, constantForm(1), -1));
    return atom;
  }
  if (auto parallel = dyn_cast<ParallelOp>(parent)) {
    LinearForm atom = makeAtom(arg);
    addRange(atom, 0, parallel.getExtents()[arg.getArgNumber()] - 1);
    return atom;
  }
  if (auto loop = dyn_cast<PipelinedOp>(parent))
    return loopVariable(arg, form(loop.getLowerBound()), form(loop.getUpperBound()),
                        loop.getStep());
  if (auto loop = dyn_cast<scf::ForOp>(parent); loop && arg == loop.getInductionVar())
    return loopVariable(arg, form(loop.getLowerBound()), form(loop.getUpperBound()),
                        loop.getStep());
  if (DictionaryAttr param = getParameter(arg))
    if (auto symbol = param.getAs<StringAttr>("symbol"))
      return makeSymbol(symbol.getValue());
  LinearForm atom = makeAtom(arg);
  if (unsigned bits =
          arg.getType().isIndex() ? 64 : arg.getType().getIntOrFloatBitWidth();
      bits < 64)
    addRange(atom, llvm::minIntN(bits), llvm::maxIntN(bits));
  return atom;
}

/// An atom for floor(dividend / divisor). Of sizes alone it is one atom, however often it
/// is computed: as the extent of a tensor, say, and as that of a grid.
LinearForm IndexBounds::makeQuotient(const LinearForm &dividend, int64_t divisor,
                                     Value result) {
  bool ofSizes = llvm::all_of(dividend.terms,
                              [&](const auto &term) { return !valueOf(term.first); });
  LinearForm *known = nullptr;
  if (ofSizes) {
    std::vector<std::pair<unsigned, int64_t>> terms(dividend.terms.begin(),
                                                    dividend.terms.end());
    known = &quotients[{dividend.constant, std::move(terms), divisor}];
    if (!known->terms.empty())
      return *known;
  }
  LinearForm atom = makeAtom(ofSizes ? Value() : result);
  if (MaybeForm left = combine(dividend, 1, atom, -divisor)) {
    addFact(left);
    addFact(combine(constantForm(divisor - 1), 1, *left, -1));
  }
  if (known)
    *known = atom;
  return atom;
}

/// `result` = floor(dividend / divisor), divisor > 0: with dividend = divisor * Q + R
/// it is Q where 0 <= R < divisor is shown, else Q + an atom for floor(R / divisor).
IndexBounds::MaybeForm IndexBounds::floorDivide(const LinearForm &dividend,
                                                int64_t divisor, Value result) {
  LinearForm quotient, rest;
  quotient.constant = llvm::divideFloorSigned(dividend.constant, divisor);
  rest.constant = dividend.constant - quotient.constant * divisor;
  for (auto [atom, factor] : dividend.terms) {
    int64_t whole = llvm::divideFloorSigned(factor, divisor);
    if (whole != 0 && factor % divisor == 0)
      quotient.terms.push_back({atom, whole});
    else
      rest.terms.push_back({atom, factor});
  }
  if (prove(rest) && prove(combine(constantForm(divisor - 1), 1, rest, -1)))
    return quotient;
  return combine(quotient, 1, makeQuotient(rest, divisor, result), 1);
}

/// `result` = dividend - divisor * floor(dividend / divisor), divisor > 0.
IndexBounds::MaybeForm IndexBounds::remainder(const LinearForm &dividend, int64_t divisor,
                                              Value result) {
  LinearForm rest;
  rest.constant =
      dividend.constant - llvm::divideFloorSigned(dividend.constant, divisor) * divisor;
  for (auto [atom, factor] : dividend.terms)
    if (factor % divisor != 0)
      rest.terms.push_back({atom, factor});
  if (prove(rest) && prove(combine(constantForm(divisor - 1), 1, rest, -1)))
    return rest;
  LinearForm atom = makeAtom(result);
  addRange(atom, 0, divisor - 1);
  if (prove(dividend))
    addFact(combine(dividend, 1, atom, -1));
  return atom;
}

IndexBounds::MaybeForm IndexBounds::extremum(Operation *op, bool isMax) {
  LinearForm a = form(op->getOperand(0)), b = form(op->getOperand(1));
  LinearForm atom = makeAtom(op->getResult(0));
  int64_t sign = isMax ? 1 : -1;
  addFact(combine(atom, sign, a, -sign));
  addFact(combine(atom, sign, b, -sign));
  atoms[atom.terms[0].first].cases = {a, b};
  return atom;
}

/// `from` in the wider type of `result`.
IndexBounds::MaybeForm IndexBounds::widen(Value from, bool isUnsigned, Value result) {
  LinearForm narrow = form(from);
  unsigned bits = from.getType().isIndex() ? 64 : from.getType().getIntOrFloatBitWidth();
  if (bits == 1)
    isUnsigned = true;
  if (!isUnsigned || bits == 64 || prove(narrow))
    return narrow;
  LinearForm atom = makeAtom(result);
  addRange(atom, 0, llvm::maxUIntN(bits));
  return atom;
}

/// The result of `op` by a rule, before it is checked for wrapping.
IndexBounds::MaybeForm IndexBounds::computeOperation(Operation *op) {
  Value result = op->getResult(0);
  auto operand = [&](unsigned i) { return form(op->getOperand(i)); };
  auto divisor = [&]() -> int64_t {
    return getConstantIntValue(op->getOperand(1)).value_or(0);
  };
  using Result = MaybeForm;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](arith::AddIOp) { return combine(operand(0), 1, operand(1), 1); })
      .Case([&](arith::SubIOp) { return combine(operand(0), 1, operand(1), -1); })
      .Case([&](arith::MulIOp) -> Result {
        LinearForm a = operand(0), b = operand(1);
        if (!a.terms.empty())
          std::swap(a, b);
        if (a.terms.empty())
          return combine(b, a.constant, {}, 0);
        LinearForm product = makeAtom(result);
        if (prove(a) && prove(b))
          addFact(product);
        return product;
      })
      .Case([&](arith::ShLIOp) -> Result {
        auto shift = getConstantIntValue(op->getOperand(1));
        if (!shift || *shift < 0 || *shift > 62)
          return std::nullopt;
        return combine(operand(0), int64_t(1) << *shift, {}, 0);
      })
      .Case<arith::FloorDivSIOp>([&](auto) -> Result {
        return divisor() > 0 ? floorDivide(operand(0), divisor(), result) : std::nullopt;
      })
      .Case<arith::DivUIOp, arith::DivSIOp>([&](auto) -> Result {
        if (divisor() <= 0 || !prove(operand(0)))
          return std::nullopt;
        return floorDivide(operand(0), divisor(), result);
      })
      .Case<arith::CeilDivSIOp, arith::CeilDivUIOp>([&](auto ceil) -> Result {
        constexpr bool isUnsigned = std::is_same_v<decltype(ceil), arith::CeilDivUIOp>;
        if (divisor() <= 0 || (isUnsigned && !prove(operand(0))))
          return std::nullopt;
        MaybeForm raised = combine(operand(0), 1, constantForm(divisor() - 1), 1);
        return raised ? floorDivide(*raised, divisor(), result) : std::nullopt;
      })
      .Case<arith::RemUIOp, arith::RemSIOp>([&](auto) -> Result {
        if (divisor() <= 0 || !prove(operand(0)))
          return std::nullopt;
        return remainder(operand(0), divisor(), result);
      })
      .Case([&](arith::AndIOp) -> Result {
        int64_t mask = divisor();
        if (mask <= 0)
          return std::nullopt;
        LinearForm atom = makeAtom(result);
        addRange(atom, 0, mask);
        return atom;
      })
      .Case([&](arith::MaxSIOp) { return extremum(op, /*isMax=*/true); })
      .Case([&](arith::MinSIOp) { return extremum(op, /*isMax=*/false); })
      .Case([&](arith::SelectOp select) -> Result {
        LinearForm a = operand(1), b = operand(2);
        LinearForm atom = makeAtom(result);
        atoms[atom.terms[0].first].cases = {a, b};
        return atom;
      })
      .Case<arith::IndexCastOp, arith::ExtSIOp, arith::TruncIOp>(
          [&](auto) { return widen(op->getOperand(0), false, result); })
      .Case<arith::IndexCastUIOp, arith::ExtUIOp>(
          [&](auto) { return widen(op->getOperand(0), true, result); })
      .Case([&](CastOp cast) -> Result {
        if (!cast.getInput().getType().isIntOrIndex() || result.getType().isInteger(1))
          return std::nullopt;
        return widen(cast.getInput(), cast.getUnsignedSource(), result);
      })
      .Case([&](memref::DimOp dim) -> Result {
        auto index = dim.getConstantIndex();
        if (!index || !isa<MemRefType>(dim.getSource().getType()))
          return std::nullopt;
        return extent(dim.getSource(), *index);
      })
      .Default([](Operation *) { return std::nullopt; });
}
