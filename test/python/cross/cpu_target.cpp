//===- cpu_target.cpp - Machines that are taken to run any code --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In place of the runtime's CpuTarget.cpp, which would refuse code with AMX: amx.c
// emulates it. Tests ask for nothing else that the machine lacks (amx.py), and amx.c
// tells of each instruction that is missing all the same.
//
//===----------------------------------------------------------------------===//

#include "CpuTarget.h"

const char *tilewright::findMissingCpuFeature(const char *, size_t *) { return nullptr; }
