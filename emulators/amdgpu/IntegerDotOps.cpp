#include "emulators/amdgpu/IntegerAlu.h"
using namespace tilewright::amdgpu;
Decoded tilewright::amdgpu::decodeIntegerDot(Decoder &) { return Decoded::NotMine; }
