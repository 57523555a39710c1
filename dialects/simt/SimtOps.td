//===- SimtOps.td - All operations of `simt` ----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_SIMT_OPS
#define TILEWRIGHT_SIMT_OPS

include "dialects/simt/SimtAsyncOps.td"
include "dialects/simt/SimtBarrierOps.td"
include "dialects/simt/SimtChannelOps.td"
include "dialects/simt/SimtReduceOps.td"
include "dialects/simt/SimtRoleOps.td"
include "dialects/simt/SimtThreadOps.td"
include "dialects/simt/SimtTmemOps.td"

#endif // TILEWRIGHT_SIMT_OPS
