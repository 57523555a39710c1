//===- DeviceMessages.cpp - Prints and assertions of device functions ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/host/DeviceMessages.h"

#include "compiler/host/HostCalls.h"
#include "tilewright/abi.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace tilewright::host;
using namespace tilewright::tile;

/// Words of the buffer's head, and of a record behind it.
static constexpr int64_t kCount = 0, kCapacity = 1, kFaultKey = 2, kHead = 4;
static constexpr int64_t kRecord = 3;

/// Bits of a fault's key that hold its site; the block is above them, so that the lowest
/// key is a fault of the lowest block.
static constexpr int64_t kSiteBits = 16;

Value DeviceMessages::getBuffer(KernelOp kernel, Value host, Value state) {
  bool speaks = false;
  kernel.walk([&](Operation *op) { speaks |= isa<PrintOp, AssertOp>(op); });
  if (!speaks || buffer)
    return speaks ? buffer : Value();
  this->host = host;
  this->state = state;
  // A stand-in until the sites are known.
  OpBuilder builder(kernel);
  builder.setInsertionPointToStart(&function.front());
  auto space = SpaceAttr::get(builder.getContext(), Space::Global);
  auto type = MemRefType::get({ShapedType::kDynamic}, builder.getI64Type(),
                              MemRefLayoutAttrInterface(), space);
  Value size = arith::ConstantIndexOp::create(builder, kernel.getLoc(), 0);
  buffer =
      FromPointerOp::create(builder, kernel.getLoc(), type, host, 0, size, ValueRange());
  return buffer;
}

//===----------------------------------------------------------------------===//
// On the device
//===----------------------------------------------------------------------===//

static Value constant(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantIntOp::create(b, loc, b.getI64Type(), value);
}

void DeviceMessages::lowerPrint(PrintOp print, Value buffer, Value block) {
  OpBuilder b(print);
  Location loc = print.getLoc();
  Type i64 = b.getI64Type();
  PrintedValue printed = makePrinted(b, print);
  Value site = constant(b, loc, sites.size());
  sites.push_back(
      {loc, print.getMessage().str(), describe(getPlace(loc)), printed.kind, false});

  auto at = [&](int64_t word) { return arith::ConstantIndexOp::create(b, loc, word); };
  Value one = constant(b, loc, 1);
  Value number = memref::AtomicRMWOp::create(b, loc, arith::AtomicRMWKind::addi, one,
                                             buffer, ValueRange(at(kCount)));
  Value capacity = memref::LoadOp::create(b, loc, buffer, ValueRange(at(kCapacity)));
  Value fits = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, number, capacity);
  b = scf::IfOp::create(b, loc, fits, /*withElseRegion=*/false).getThenBodyBuilder();
  Value place = arith::IndexCastOp::create(b, loc, b.getIndexType(), number);
  place = arith::MulIOp::create(b, loc, place, at(kRecord));
  Value blockNumber = arith::IndexCastOp::create(b, loc, i64, block);
  Value words[] = {site, blockNumber, printed.bits};
  for (auto [word, value] : llvm::enumerate(words)) {
    Value index = arith::AddIOp::create(b, loc, place, at(kHead + word));
    memref::StoreOp::create(b, loc, value, buffer, index);
  }
  print.erase();
}

void DeviceMessages::lowerAssert(AssertOp assertion, Value buffer, Value block) {
  OpBuilder b(assertion);
  Location loc = assertion.getLoc();
  Value yes = arith::ConstantIntOp::create(b, loc, b.getI1Type(), 1);
  Value failed = arith::XOrIOp::create(b, loc, assertion.getCondition(), yes);
  b = scf::IfOp::create(b, loc, failed, /*withElseRegion=*/false).getThenBodyBuilder();
  Value key = arith::IndexCastOp::create(b, loc, b.getI64Type(), block);
  key = arith::ShLIOp::create(b, loc, key, constant(b, loc, kSiteBits));
  key = arith::OrIOp::create(b, loc, key, constant(b, loc, sites.size()));
  sites.push_back(
      {loc, assertion.getMessage().str(), describe(getPlace(loc)), TW_PRINT_NONE, true});
  Value at = arith::ConstantIndexOp::create(b, loc, kFaultKey);
  memref::AtomicRMWOp::create(b, loc, arith::AtomicRMWKind::minu, key, buffer, at);
  assertion.erase();
}

void DeviceMessages::lower(func::FuncOp device, Value buffer, Value block) {
  SmallVector<Operation *> messages;
  device.walk([&](Operation *op) {
    if (isa<PrintOp, AssertOp>(op))
      messages.push_back(op);
  });
  for (Operation *op : messages) {
    if (auto print = dyn_cast<PrintOp>(op))
      lowerPrint(print, buffer, block);
    else
      lowerAssert(cast<AssertOp>(op), buffer, block);
  }
}

//===----------------------------------------------------------------------===//
// On the host
//===----------------------------------------------------------------------===//

void DeviceMessages::finish() {
  if (!buffer)
    return;
  auto standIn = buffer.getDefiningOp<FromPointerOp>();
  OpBuilder b(standIn);
  Location loc = standIn.getLoc();
  Type pointer = host.getType(), i64 = b.getI64Type(), i32 = b.getI32Type();
  auto row =
      LLVM::LLVMStructType::getLiteral(b.getContext(), {i64, pointer, pointer, i32, i32});
  Value table =
      LLVM::AllocaOp::create(b, loc, pointer, row, constant(b, loc, sites.size()));
  for (auto [number, site] : llvm::enumerate(sites)) {
    auto integer = [&](Type type, int64_t value) -> Value {
      return arith::ConstantIntOp::create(b, site.loc, type, value);
    };
    Value fields[] = {integer(i64, sizeof(tw_message_site_v1)),
                      makeString(b, site.loc, site.message),
                      makeString(b, site.loc, site.where), integer(i32, site.kind),
                      integer(i32, site.isFault)};
    for (auto [field, value] : llvm::enumerate(fields)) {
      Value slot =
          LLVM::GEPOp::create(b, loc, pointer, row, table,
                              ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(number),
                                                     static_cast<int32_t>(field)});
      LLVM::StoreOp::create(b, loc, value, slot);
    }
  }
  Value memory = callField(b, loc, host, kMessages, pointer,
                           {state, table, constant(b, loc, sites.size())});
  standIn.getPointerMutable().assign(memory);
}
