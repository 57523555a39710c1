#include "emulators/amdgpu/IntegerAlu.h"
using namespace tilewright::amdgpu;
Decoded tilewright::amdgpu::decodeIntegerHalf(Decoder &) { return Decoded::NotMine; }
