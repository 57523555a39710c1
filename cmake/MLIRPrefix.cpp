//===- MLIRPrefix.cpp - The target that makes the precompiled header ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Empty: the precompiled header of this target is the one all others reuse.
//
//===----------------------------------------------------------------------===//
