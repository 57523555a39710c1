//===- MatrixPlaces.cpp - Where matrix instructions have their elements -------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MFMA: a lane holds some k of one row of A. Lanes go through the rows, then the blocks,
// then the groups of k:
//
//   lane = k / perLane * m * blocks + block * m + row,   element k % perLane
//
// The result comes in runs of four rows (one of f64), so many as lanes allow side by
// side; then four registers on.
//
// WMMA: gfx11 has whole rows in a lane, twice; the result's even rows in one half-wave
// and its odd ones in the other. gfx12 has half of k in each half-wave, and the result's
// upper rows in one and its lower ones in the other.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Matrix.h"

#include <algorithm>

using namespace tilewright::amdgpu;

static constexpr unsigned lanes = 64;

static void placeResult(const MatrixShape &shape, unsigned runOfRows,
                        std::vector<uint32_t> &places) {
  unsigned sideBySide = lanes / shape.n; // runs in one register
  unsigned blocksInRegister = std::max(1u, lanes / (shape.m * shape.n / runOfRows));
  for (unsigned block = 0; block < shape.blocks; ++block)
    for (unsigned row = 0; row < shape.m; ++row) {
      unsigned run = row / runOfRows;
      unsigned element = block * (shape.m * shape.n / lanes) +
                         run / sideBySide * runOfRows + row % runOfRows;
      unsigned lane = block % blocksInRegister * shape.n +
                      run % sideBySide * blocksInRegister * shape.n;
      places.push_back(element * lanes + lane);
    }
}

MatrixPlaces tilewright::amdgpu::placeMfma(const MatrixShape &shape,
                                           Accumulator accumulator, unsigned broadcast,
                                           unsigned broadcastFrom) {
  MatrixPlaces places;
  unsigned perLane = shape.m * shape.k * shape.blocks / lanes;
  auto place = [&](unsigned block, unsigned k) {
    return k % perLane * lanes + k / perLane * shape.m * shape.blocks + block * shape.m;
  };
  for (unsigned block = 0; block < shape.blocks; ++block)
    for (unsigned k = 0; k < shape.k; ++k) {
      places.a.push_back(place((block >> broadcast << broadcast) + broadcastFrom, k));
      places.b.push_back(place(block, k));
    }
  placeResult(shape, accumulator == Accumulator::F64 ? 1 : 4, places.d);
  return places;
}

MatrixPlaces tilewright::amdgpu::placeMixedMfma(const MatrixShape &shape, bool isWideA,
                                                bool isWideB) {
  MatrixPlaces places;
  unsigned groups = lanes / shape.m;
  auto place = [&](bool isWide, unsigned k) {
    unsigned run = isWide ? 16 : 32;
    unsigned group = k / run % groups, element = k / run / groups * run + k % run;
    return element * lanes + group * shape.m;
  };
  for (unsigned k = 0; k < shape.k; ++k) {
    places.a.push_back(place(isWideA, k));
    places.b.push_back(place(isWideB, k));
  }
  placeResult(shape, 4, places.d);
  return places;
}

MatrixPlaces tilewright::amdgpu::placeWmma(const MatrixShape &shape,
                                           unsigned generation) {
  MatrixPlaces places;
  bool isTwofold = generation < 12;
  unsigned perLane = isTwofold ? shape.k : shape.k / 2;
  for (unsigned k = 0; k < shape.k; ++k)
    places.a.push_back(k % perLane * lanes + k / perLane * shape.m);
  places.b = places.a;
  for (unsigned row = 0; row < shape.m; ++row) {
    unsigned element = isTwofold ? row / 2 : row % 8;
    unsigned half = isTwofold ? row % 2 : row / 8;
    places.d.push_back(element * lanes + half * shape.n);
  }
  return places;
}

unsigned tilewright::amdgpu::getLaneOfGroups(unsigned laneGroups, unsigned lane) {
  switch (laneGroups) {
  case 1: // the lower half-wave, twice
    return lane % 32;
  case 2: // the upper one
    return lane % 32 + 32;
  case 3: // rotated by a quarter
    return (lane + 16) % lanes;
  case 4: // one quarter, four times
  case 5:
  case 6:
  case 7:
    return lane % 16 + (laneGroups - 4) * 16;
  default:
    return lane;
  }
}
