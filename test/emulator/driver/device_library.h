// What ROCm's compiler driver would link for AMD's device library beside ockl.bc: the version
// of the hidden arguments, code object V5's.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
extern "C" __attribute__((device, weak)) const int __oclc_ABI_version = 500;
