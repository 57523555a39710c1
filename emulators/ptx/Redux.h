//===- Redux.h - Reductions over a warp ---------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_REDUX_H
#define TILEWRIGHT_EMULATORS_PTX_REDUX_H

namespace tilewright::ptx {

class Decoder;

/// redux.sync.
void decodeRedux(Decoder &decoder);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_REDUX_H
