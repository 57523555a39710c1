#include "emulators/amdgpu/IntegerAlu.h"
using namespace tilewright::amdgpu;
Decoded tilewright::amdgpu::decodeIntegerPacked(Decoder &) { return Decoded::NotMine; }
