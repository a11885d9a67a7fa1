internal import CKernels

/// A ``LevelQuantizer`` laid out for pixels of many lanes: a row of thresholds and of codes for each level, one byte a lane.
///
/// Memory is kept from band to band.
struct LaneQuantizer: ~Copyable {
    private var thresholds = ScratchBuffer<UInt8>()
    private var codes = ScratchBuffer<UInt8>()
    private var outside = ScratchBuffer<UInt8>()
    private var lanes = 0
    private var levels = 0

    /// The symbol that stands outside the picture, by lane: the level of the zero point.
    var outsideSymbols: UnsafePointer<UInt8> { mutating get { UnsafePointer(outside.reserve(lanes).baseAddress!) } }

    /// Takes over the rows of a quantiser that the runs of a field name.
    mutating func arrange(_ quantizer: LevelQuantizer, runs: [SymbolField.Run], lanes: Int, zeroPoint: UInt8) {
        self.lanes = lanes
        levels = quantizer.levelCount
        let (levels, intervals) = (levels, levels - 1)
        let thresholds = thresholds.reserve(intervals * lanes)
        let codes = codes.reserve(levels * lanes)
        let outside = outside.reserve(lanes)
        quantizer.thresholds.withUnsafeBufferPointer { allThresholds in
            quantizer.codes.withUnsafeBufferPointer { allCodes in
                for run in runs {
                    for index in 0..<run.count {
                        let row = quantizer.row(ofChannel: run.channel + index)
                        let lane = run.lane + index
                        for level in 0..<levels { codes[level &* lanes &+ lane] = allCodes[row &* levels &+ level] }
                        var level: UInt8 = 0
                        for interval in 0..<intervals {
                            let threshold = allThresholds[row &* intervals &+ interval]
                            thresholds[interval &* lanes &+ lane] = threshold
                            if threshold <= zeroPoint { level &+= 1 }
                        }
                        outside[lane] = level
                    }
                }
            }
        }
    }

    /// Replaces the codes of pixels by their levels, in place.
    mutating func quantize(_ pixels: UnsafeMutablePointer<UInt8>, count: Int) {
        var rank = ck_rank_u8(
            channels: lanes, in_stride: lanes, out_stride: lanes, thresholds: levels - 1, table_stride: lanes,
            table: UnsafePointer(thresholds.reserve((levels - 1) * lanes).baseAddress!), input: UnsafePointer(pixels),
            output: pixels)
        LaneKernels.table.pointee.rank_u8(&rank, ck_range(first: 0, last: count))
    }

    /// Replaces the levels of pixels by their codes, in place.
    mutating func reconstruct(_ pixels: UnsafeMutablePointer<UInt8>, count: Int) {
        var select = ck_select_u8(
            channels: lanes, in_stride: lanes, out_stride: lanes, levels: levels, table_stride: lanes,
            table: UnsafePointer(codes.reserve(levels * lanes).baseAddress!), input: UnsafePointer(pixels),
            output: pixels)
        LaneKernels.table.pointee.select_u8(&select, ck_range(first: 0, last: count))
    }
}
