/// How often each code occurs in each channel of a boundary tensor, over the pictures of a calibration.
package struct CodeHistograms: Sendable {
    package let geometry: PlaneGeometry
    package let zeroPoint: UInt8
    /// 256 a channel.
    private(set) var counts: [UInt64]

    /// - Throws: as ``PlaneGeometry/init(shape:at:)``.
    package init(_ signature: TensorSignature) throws(CodecError) {
        geometry = try PlaneGeometry(shape: signature.shape)
        zeroPoint = signature.zeroPoint
        counts = [UInt64](repeating: 0, count: geometry.channelCount * 256)
    }

    /// - Parameter codes: a whole tensor, in `layout` order.
    package mutating func add(_ codes: UnsafeBufferPointer<UInt8>, layout: TensorLayout) {
        precondition(codes.count == geometry.elementCount, "the tensor does not match its shape")
        let channels = geometry.channelCount
        let planeSize = geometry.planeSize
        let isPlanar = geometry.isPlanar(layout)
        counts.withUnsafeMutableBufferPointer { counts in
            for (index, code) in codes.enumerated() {
                let channel = isPlanar ? index / planeSize % channels : index % channels
                counts[channel << 8 | Int(code)] &+= 1
            }
        }
    }

    /// Adds what others counted of the same tensor.
    package mutating func add(_ other: CodeHistograms) {
        precondition(geometry == other.geometry, "the counts are of another tensor")
        for index in counts.indices { counts[index] &+= other.counts[index] }
    }

    /// The frequencies of one channel.
    func channel(_ channel: Int) -> ArraySlice<UInt64> { counts[channel << 8..<(channel + 1) << 8] }

    /// The mean squared distance from the zero point, over all channels: the tensor's power in squared codes.
    var power: Double {
        var (sum, total) = (0.0, 0.0)
        for (index, count) in counts.enumerated() {
            let distance = Double(index & 255) - Double(zeroPoint)
            sum += Double(count) * distance * distance
            total += Double(count)
        }
        return total > 0 ? sum / total : 0
    }
}
