//===- DeviceMessages.h - Prints and assertions of device functions ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A device prints by writing records to a buffer, which the runtime reads when the launch
// has ended (`messages` in tw_host_v1, docs/abi.md). A record names its site, a print or
// assertion of the source; the launch function holds the table of sites.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_HOST_DEVICE_MESSAGES_H
#define TILEWRIGHT_COMPILER_HOST_DEVICE_MESSAGES_H

#include "dialects/tile/Tile.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tilewright::host {

/// The messages of all kernels of one launch function.
class DeviceMessages {
public:
  explicit DeviceMessages(mlir::func::FuncOp function) : function(function) {}

  /// The buffer, which is asked for at the start of the launch function; null where
  /// `kernel` says nothing.
  mlir::Value getBuffer(tile::KernelOp kernel, mlir::Value host, mlir::Value state);

  /// Makes prints and assertions of `device` records in `buffer`.
  void lower(mlir::func::FuncOp device, mlir::Value buffer, mlir::Value block);

  /// Writes the table of sites, once all kernels are lowered.
  void finish();

private:
  /// A row of tw_message_site_v1.
  struct Site {
    mlir::Location loc;
    std::string message, where;
    int32_t kind;
    bool isFault;
  };

  void lowerPrint(tile::PrintOp print, mlir::Value buffer, mlir::Value block);
  void lowerAssert(tile::AssertOp assertion, mlir::Value buffer, mlir::Value block);

  mlir::func::FuncOp function;
  mlir::Value host, state, buffer;
  std::vector<Site> sites;
};

} // namespace tilewright::host

#endif // TILEWRIGHT_COMPILER_HOST_DEVICE_MESSAGES_H
