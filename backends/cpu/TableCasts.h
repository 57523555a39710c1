//===- TableCasts.h - Conversions that look their results up ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_TABLECASTS_H
#define TILEWRIGHT_BACKENDS_CPU_TABLECASTS_H

#include "dialects/tile/Tile.h"

namespace tilewright::cpu {

/// Whether `cast` widens registers of floats that have few values each; `bytes` says
/// that the CPU has AVX-512 VBMI, which looks up bytes, beside AVX-512 BW.
bool hasTable(tile::CastOp cast, bool bytes);

/// Puts look-ups in the place of such a cast.
void expandByTable(tile::CastOp cast);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_TABLECASTS_H
