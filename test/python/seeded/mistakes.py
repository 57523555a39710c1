"""Mistakes in the passes themselves, each one change of a source file.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


@dataclasses.dataclass(frozen=True)
class Mistake:
    """In `file`, `new` stands where `old` did, which is there once; and so of each pair in
    `also`, where one mistake has two places."""

    what: str
    file: str
    old: str
    new: str
    also: tuple[tuple[str, str], ...] = ()

    def applied(self, root: Path = ROOT) -> str:
        """The file with the mistake. Raises ValueError where `old` is not there once."""
        text = (root / self.file).read_text()
        for old, new in ((self.old, self.new), *self.also):
            if text.count(old) != 1:
                raise ValueError(f"{self.file} has {old!r} {text.count(old)} times")
            text = text.replace(old, new)
        return text


_SIMT, _CUDA, _HIP = "compiler/simt", "backends/cuda", "backends/hip"

MISTAKES = [
    # Channels and pipelined loops.
    Mistake(
        "a loop goes back to the first stage one too early",
        f"{_SIMT}/LowerChannels.cpp",
        "return {advance(builder, loc, stage.back(), 1, stages)};",
        "return {advance(builder, loc, stage.back(), 1, stages - 1)};",
    ),
    Mistake(
        "a wait for one group of copies too few",
        f"{_SIMT}/LowerChannels.cpp",
        "return get->isBeforeInBlock(put) ? *ahead - 1 : *ahead;",
        "return *ahead;",
    ),
    Mistake(
        "no barrier behind the wait for an item",
        f"{_SIMT}/LowerChannels.cpp",
        "  if (!isAtBarrier(get))\n    BarrierOp::create(builder, loc);\n",
        "  (void)isAtBarrier;\n",
    ),
    Mistake(
        "no barrier in front of a put into the stage itself of a one-stage channel",
        f"{_SIMT}/LowerChannels.cpp",
        "  if (mayBeRead(channel, put))\n    BarrierOp::create(builder, loc);\n",
        "  (void)mayBeRead;\n",
    ),
    Mistake(
        "no group for an item that does not exist",
        f"{_SIMT}/LowerChannels.cpp",
        "CommitCopiesOp::create(builder, loc);",
        "CommitCopiesOp::create(inside, loc);",
    ),
    Mistake(
        "the prologue one item short",
        f"{_SIMT}/PipelineLoops.cpp",
        "item < group->getAhead(); ++item",
        "item < group->getAhead() - 1; ++item",
    ),
    Mistake(
        "no release of an item",
        f"{_SIMT}/PipelineLoops.cpp",
        "ReleaseOp::create(inside, loc, group->channel, iteration, ValueRange());",
        "(void)group;",
    ),
    Mistake(
        "an item put in one iteration too early, into the stage that is read",
        f"{_SIMT}/PipelineLoops.cpp",
        "constant(inside, group->getAhead()));",
        "constant(inside, group->getAhead() + 1));",
    ),
    Mistake(
        "a tile pipelined that was written in front of its copy",
        f"{_SIMT}/FindFillings.cpp",
        "if (user != filling.store && !isLater)",
        "if (user != filling.store && !isLater && !isa<memref::StoreOp>(user))",
    ),
    Mistake(
        "a tile pipelined that is used in front of what fills it",
        f"{_SIMT}/FindFillings.cpp",
        "outer && outer != nest && nest->isBeforeInBlock(outer) &&",
        "outer && outer != nest &&",
    ),
    # Barriers.
    Mistake(
        "what an iteration does with its own item taken for ordered",
        f"{_SIMT}/OpenAccesses.cpp",
        "(earlier.put || (later.put && !isInFront(later.put))))",
        "true)",
    ),
    Mistake(
        "no barrier between a read and the write behind it",
        f"{_SIMT}/OpenAccesses.cpp",
        "if (!earlier.isWrite && !later.isWrite)",
        "if (!earlier.isWrite)",
    ),
    Mistake(
        "no barrier between an iteration and the next one",
        f"{_SIMT}/InsertBarriers.cpp",
        "} while (open.size() != known);",
        "} while (open.size() != known && false);",
    ),
    Mistake(
        "no barrier between tiles that have the same bytes in turn",
        f"{_SIMT}/OpenAccesses.cpp",
        "return first->first < second->second && second->first < first->second;",
        "return a == b;",
    ),
    Mistake(
        "a barrier for tiles taken to order what global memory is given behind it",
        f"{_SIMT}/InsertBarriers.cpp",
        "if (before && !meets(since)) {",
        "if (before) {",
    ),
    Mistake(
        "a barrier for tiles that orders global memory closes what is behind it as well",
        f"{_SIMT}/InsertBarriers.cpp",
        "    open = since;\n",
        "    open.clear();\n",
    ),
    Mistake(
        "barriers put in before tiles have their places: two stages swapped",
        "backends/gpu/GpuBackend.cpp",
        "  pm.addPass(tile::createPlanMemory());\n"
        "  pm.addNestedPass<func::FuncOp>(simt::createInsertBarriers({getTargetName()}));",
        "  pm.addNestedPass<func::FuncOp>(simt::createInsertBarriers({getTargetName()}));\n"
        "  pm.addPass(tile::createPlanMemory());",
    ),
    Mistake(
        "no wait for shared memory in front of AMD's barrier",
        f"{_HIP}/ConvertToROCDL.cpp",
        "ROCDL::SWaitcntOp::create(rewriter, loc, kWaitForLds);",
        "",
    ),
    # Who does what.
    Mistake(
        "the last turn has one thread too many",
        f"{_SIMT}/Distribute.cpp",
        "constant(inside, total - k * threads)",
        "constant(inside, total - k * threads + 1)",
    ),
    Mistake(
        "the wrong factor between lanes",
        f"{_SIMT}/FragmentLayout.cpp",
        "constant(factor.stride));\n      // The outermost",
        "constant(2 * factor.stride));\n      // The outermost",
    ),
    Mistake(
        "an atomic operation by all threads of a block",
        f"{_SIMT}/IsolateEffects.cpp",
        "if (isa<PrintOp, AssertOp, AtomicOp, StoreOp>(op))",
        "if (isa<PrintOp, AssertOp, StoreOp>(op))",
    ),
    # Rows that threads share.
    Mistake(
        "of equal elements the last one comes first",
        f"{_SIMT}/SpreadRows.cpp",
        "b.constant(INT32_MAX, i64) - b.expr(position);",
        "b.expr(position);",
        (("b.constant(INT32_MAX, b.getI32Type()) - earliness);", "earliness);"),),
    ),
    Mistake(
        "all elements that are equal taken off a row at once",
        f"{_SIMT}/SpreadRows.cpp",
        "b.store(select(equal(key, loadLargest(rows.rowOf(at))), none, key), all, at);",
        "Expr last = loadLargest(rows.rowOf(at));\n"
        "    last = last.apply<arith::ShRSIOp>(last.constant(32));\n"
        "    Expr own = key.apply<arith::ShRSIOp>(key.constant(32));\n"
        "    b.store(select(equal(own, last), none, key), all, at);",
    ),
    Mistake(
        "the smallest of a row by the keys of the largest",
        f"{_SIMT}/SpreadRows.cpp",
        "op.getIsUnsigned(), kind == Combiner::ArgMin);",
        "op.getIsUnsigned(), false);",
    ),
    Mistake(
        "keys of negative floats in the order of their bits",
        "compiler/transforms/Combiner.cpp",
        "Expr key = bits ^ (shiftSigned(bits, width - 1) & most);",
        "Expr key = bits;",
    ),
    Mistake(
        "-0.0 below 0.0",
        "compiler/transforms/Combiner.cpp",
        "Expr bits = (x + 0.0).bits();",
        "Expr bits = x.bits();",
    ),
    Mistake(
        "a scan's distance three times the last one",
        f"{_SIMT}/SpreadRows.cpp",
        "distance < rows.extent; distance *= 2)",
        "distance < rows.extent; distance *= 3)",
    ),
    Mistake(
        "a scan that ends one doubling too early",
        f"{_SIMT}/SpreadRows.cpp",
        "for (int64_t distance = 1; distance < rows.extent; distance *= 2)",
        "for (int64_t distance = 1; 2 * distance < rows.extent; distance *= 2)",
    ),
    Mistake(
        "a doubling step written where others still read",
        f"{_SIMT}/SpreadRows.cpp",
        "combiner.combine(earlier, own), own), next, at);",
        "combiner.combine(earlier, own), own), running, at);",
        (
            (
                "    if (alternates)\n      std::swap(running, next);\n",
                "    if (alternates)\n      continue;\n",
            ),
        ),
    ),
    Mistake(
        "the first element that has another before it left alone",
        f"{_SIMT}/SpreadRows.cpp",
        "arith::CmpIPredicate::sge, there, first);",
        "arith::CmpIPredicate::sgt, there, first);",
    ),
    Mistake(
        "the first that has another behind it, of a scan in reverse, left alone",
        f"{_SIMT}/SpreadRows.cpp",
        "arith::CmpIPredicate::sle, there, last);",
        "arith::CmpIPredicate::slt, there, last);",
    ),
    Mistake(
        "what comes before combined from the other side",
        f"{_SIMT}/SpreadRows.cpp",
        "combiner.combine(earlier, own)",
        "combiner.combine(own, earlier)",
    ),
    Mistake(
        "an exclusive scan that is inclusive",
        f"{_SIMT}/SpreadRows.cpp",
        "auto [earlier, exists] = before(at, 1);",
        "auto [earlier, exists] = before(at, 0);",
    ),
    # Matrix instructions.
    Mistake(
        "NVIDIA's accumulator: lanes and registers exchanged along columns",
        f"{_CUDA}/CudaAtoms.cpp",
        "{{FactorKind::Vector, n / 8, 4},\n"
        "                               {FactorKind::Lane, 4, 1},\n"
        "                               {FactorKind::Vector, 2, 1}}})};",
        "{{FactorKind::Vector, n / 8, 4},\n"
        "                               {FactorKind::Vector, 2, 1},\n"
        "                               {FactorKind::Lane, 4, 1}}})};",
    ),
    Mistake(
        "AMD's accumulator: lanes and registers exchanged along rows",
        f"{_HIP}/HipAtoms.cpp",
        "dims = {{{vector, quads, 4}, {lane, groups, m}, {vector, 4, 1}}, {{lane, m, 1}}};",
        "dims = {{{vector, quads, 4}, {vector, 4, 1}, {lane, groups, m}}, {{lane, m, 1}}};",
    ),
    Mistake(
        "factors exchanged in AMD's instruction",
        f"{_HIP}/EmitMfma.cpp",
        "arguments{packOperand(builder, loc, operands[0]),\n"
        "                               packOperand(builder, loc, operands[1]), operands[2]};",
        "arguments{packOperand(builder, loc, operands[1]),\n"
        "                               packOperand(builder, loc, operands[0]), operands[2]};",
    ),
    Mistake(
        "matrices of ldmatrix addressed by the wrong lanes",
        f"{_SIMT}/LoadOperand.cpp",
        "arith::DivUIOp::create(builder, loc, lane, constant(builder, loc, 16));",
        "arith::DivUIOp::create(builder, loc, lane, constant(builder, loc, 8));",
    ),
    Mistake(
        "what is beyond the tile along K not zero",
        f"{_SIMT}/LoadOperand.cpp",
        "  if (depth % shape.k != 0)\n    guard(k, depth);\n",
        "",
    ),
    # Where memory is.
    Mistake(
        "one bit too many in swizzles",
        f"{_SIMT}/ApplySwizzles.cpp",
        "row = arith::RemUIOp::create(builder, loc, row, constant(1 << swizzle.getBits()));",
        "row = arith::RemUIOp::create(builder, loc, row, constant(2 << swizzle.getBits()));",
    ),
    Mistake(
        "the destination of asynchronous copies not swizzled",
        f"{_SIMT}/ApplySwizzles.cpp",
        "return TileAccess{copy.getDst(), copy.getDstIndicesMutable()};",
        "return std::optional<TileAccess>();",
    ),
    Mistake(
        "the mask of an access one too wide",
        "compiler/transforms/LowerAccess.cpp",
        "arith::CmpIPredicate::ult, index, extent);",
        "arith::CmpIPredicate::ule, index, extent);",
    ),
    Mistake(
        "the end of a buffer one row too far",
        f"{_HIP}/BufferAccesses.cpp",
        "records = arith::MulIOp::create(b, loc, rows, index(row));",
        "records = arith::MulIOp::create(\n"
        "          b, loc, arith::AddIOp::create(b, loc, rows, index(1)), index(row));",
    ),
    Mistake(
        "a known end of a buffer one row too far",
        f"{_HIP}/BufferAccesses.cpp",
        "records = index(std::min(extent, most) * row);",
        "records = index((std::min(extent, most) + 1) * row);",
    ),
    Mistake(
        "the rows of a block counted from the first",
        f"{_HIP}/BufferAccesses.cpp",
        "      if (parts.hasBase())\n        rows =",
        "      if (false)\n        rows =",
    ),
    Mistake(
        "no guard of columns that do not depend on a loop",
        f"{_HIP}/BufferAccesses.cpp",
        "if (plan.parts[dim].loop.empty() != ofLoop)",
        "if (!plan.parts[dim].loop.empty() && ofLoop)",
    ),
    Mistake(
        "a guard of a column one too wide",
        f"{_HIP}/BufferAccesses.cpp",
        "arith::CmpIPredicate::ult, at, extent);",
        "arith::CmpIPredicate::ule, at, extent);",
    ),
    Mistake(
        "an offset outside that is inside of large buffers",
        f"{_HIP}/BufferAccesses.cpp",
        "kOutside = INT32_MIN;",
        "kOutside = 1 << 12;",
    ),
    Mistake(
        "an alignment that is not there",
        f"{_SIMT}/VectorizeAccesses.cpp",
        "limit = getAlignment(known * getAlignment(index, limit), limit);",
        "(void)index;",
    ),
    Mistake(
        "neighbours that are partly outside taken together",
        f"{_SIMT}/VectorizeAccesses.cpp",
        "if (isGuarded) // all neighbours are inside, or none is",
        "if (isGuarded && false)",
    ),
    Mistake(
        "elements taken for neighbours that are not side by side",
        f"{_SIMT}/VectorizeAccesses.cpp",
        "return value == iv ? term.second == 1 : !varying.contains(value);",
        "return value == iv || !varying.contains(value);",
    ),
]
