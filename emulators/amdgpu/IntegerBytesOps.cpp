#include "emulators/amdgpu/IntegerAlu.h"
using namespace tilewright::amdgpu;
Decoded tilewright::amdgpu::decodeIntegerBytes(Decoder &) { return Decoded::NotMine; }
