//===- LowerChecks.cpp - Checks become calls of the runtime ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A call takes the number of a memory, loop or site, and an array of numbers that differ
// from call to call, on the stack; all else is in the table.
//
//===----------------------------------------------------------------------===//

#include "compiler/host/LowerChecks.h"

#include "compiler/host/HostCalls.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tilewright::host;
using namespace tilewright::tile;

/// Fields of tw_checks_v1, by position.
enum CheckField {
  kCheckSize,
  kBegin,
  kTensor,
  kKernel,
  kTile,
  kIteration,
  kAccess,
  kValue
};

static constexpr const char *tableName = "tw.checks";

static bool isCheck(Operation *op) {
  return isa<CheckMemoryOp, CheckAccessOp, CheckIterationOp, CheckValueOp>(op);
}

bool CheckLowering::isNeeded(func::FuncOp function) {
  return function.walk([](Operation *op) { return WalkResult(failure(isCheck(op))); })
      .wasInterrupted();
}

CheckLowering::CheckLowering(func::FuncOp launch) : launch(launch) {}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

static void call(OpBuilder &b, Location loc, Value host, CheckField field,
                 ValueRange args) {
  Value checks = loadField(b, loc, host, kChecks);
  callField(b, loc, checks, field, LLVM::LLVMVoidType::get(b.getContext()), args);
}

static Value makeNumber(OpBuilder &b, Location loc, int64_t number) {
  return arith::ConstantIntOp::create(b, loc, b.getI64Type(), number);
}

/// A buffer of so many words on the stack of `function`.
static Value makeBuffer(func::FuncOp function, int64_t words) {
  OpBuilder b = OpBuilder::atBlockBegin(&function.front());
  Location loc = function.getLoc();
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  return LLVM::AllocaOp::create(b, loc, pointer, b.getI64Type(),
                                makeNumber(b, loc, std::max<int64_t>(words, 1)));
}

static void store(OpBuilder &b, Location loc, Value value, Value buffer, int position) {
  if (value.getType().isIndex())
    value = arith::IndexCastOp::create(b, loc, b.getI64Type(), value);
  Value slot = LLVM::GEPOp::create(b, loc, buffer.getType(), b.getI64Type(), buffer,
                                   ArrayRef<LLVM::GEPArg>{position});
  LLVM::StoreOp::create(b, loc, value, slot);
}

static void storeAll(OpBuilder &b, Location loc, ValueRange values, Value buffer) {
  for (auto [position, value] : llvm::enumerate(values))
    store(b, loc, value, buffer, static_cast<int>(position));
}

/// The address of a memref's first element.
static Value getAddress(OpBuilder &b, Location loc, Value memref) {
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, memref);
  address = arith::IndexCastOp::create(b, loc, b.getI64Type(), address);
  return LLVM::IntToPtrOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext()),
                                  address);
}

/// How many words `op` passes in the buffer.
static int64_t countWords(Operation *op) {
  return llvm::TypeSwitch<Operation *, int64_t>(op)
      .Case([](CheckMemoryOp memory) {
        return 2 * cast<MemRefType>(memory.getMemref().getType()).getRank();
      })
      .Case([](CheckAccessOp access) {
        return access.getSizes().size() +
               access.getStaticOtherOffsets().value_or(ArrayRef<int64_t>()).size();
      })
      .Case([](CheckIterationOp iteration) { return iteration.getVariables().size(); })
      .Case([](CheckValueOp value) { return 1 + value.getInputs().size(); })
      .Default([](Operation *) { return 0; });
}

void CheckLowering::lowerOp(Operation *op, Value host, Value state, Value buffer) {
  OpBuilder b(op);
  Location loc = op->getLoc();
  if (auto memory = dyn_cast<CheckMemoryOp>(op)) {
    table.addMemory(memory);
    Value number = makeNumber(b, loc, memory.getNumber());
    Value address = getAddress(b, loc, memory.getMemref());
    if (isTile(memory.getMemref().getType())) {
      call(b, loc, host, kTile, {state, number, address});
    } else {
      auto layout = memref::ExtractStridedMetadataOp::create(b, loc, memory.getMemref());
      SmallVector<Value> words(layout.getSizes());
      llvm::append_range(words, layout.getStrides());
      storeAll(b, loc, words, buffer);
      call(b, loc, host, kTensor, {state, number, address, buffer});
    }
  } else if (auto iteration = dyn_cast<CheckIterationOp>(op)) {
    table.addLoop(iteration);
    storeAll(b, loc, iteration.getVariables(), buffer);
    call(b, loc, host, kIteration,
         {state, makeNumber(b, loc, iteration.getNumber()), buffer});
  } else if (auto access = dyn_cast<CheckAccessOp>(op)) {
    int64_t site = table.addSite(access);
    auto starts = getMixedValues(access.getStaticOffsets(), access.getOffsets(), b);
    if (access.getOther())
      llvm::append_range(starts, getMixedValues(*access.getStaticOtherOffsets(),
                                                access.getOtherOffsets(), b));
    storeAll(b, loc, getValueOrCreateConstantIndexOp(b, loc, starts), buffer);
    call(b, loc, host, kAccess, {state, makeNumber(b, loc, site), buffer});
  } else {
    auto value = cast<CheckValueOp>(op);
    int64_t site = table.addSite(value);
    SmallVector<Value> values{value.getResult()};
    llvm::append_range(values, value.getInputs());
    for (Value &number : values)
      if (!number.getType().isF64())
        number = CastOp::create(b, loc, b.getF64Type(), number, false, false);
    storeAll(b, loc, values, buffer);
    call(b, loc, host, kValue,
         {state, makeNumber(b, loc, site), makeNumber(b, loc, values.size()), buffer});
  }
  op->erase();
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

void CheckLowering::announceKernel(OpBuilder &builder, Location loc, ValueRange grid,
                                   Value host, Value state) {
  Value buffer = makeBuffer(launch, grid.size());
  storeAll(builder, loc, grid, buffer);
  call(builder, loc, host, kKernel,
       {state, makeNumber(builder, loc, grid.size()), buffer});
}

void CheckLowering::lower(func::FuncOp function, Value host, Value state) {
  SmallVector<Operation *> checks;
  int64_t words = 0;
  function.walk([&](Operation *op) {
    if (isCheck(op)) {
      checks.push_back(op);
      words = std::max(words, countWords(op));
    }
  });
  Value buffer = makeBuffer(function, words);
  if (function == launch) {
    OpBuilder b(function.getContext());
    b.setInsertionPointAfter(buffer.getDefiningOp());
    Value address =
        LLVM::AddressOfOp::create(b, function.getLoc(), buffer.getType(), tableName);
    call(b, function.getLoc(), host, kBegin, {state, address});
  }
  for (Operation *op : checks)
    lowerOp(op, host, state, buffer);
}

void CheckLowering::finish() {
  std::vector<int64_t> words = table.encode();
  auto module = launch->getParentOfType<ModuleOp>();
  OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
  auto type = LLVM::LLVMArrayType::get(b.getI64Type(), words.size());
  LLVM::GlobalOp::create(b, launch.getLoc(), type, /*isConstant=*/true,
                         LLVM::Linkage::Internal, tableName, b.getI64TensorAttr(words));
}
