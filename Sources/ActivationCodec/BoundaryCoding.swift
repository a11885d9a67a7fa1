/// How all the tensors of one boundary are coded.
///
/// A mode suits any boundary. A calibrated coding belongs to the boundary that it was designed for, and both sides must hold
/// its quantisers or the frame must bring them.
package enum BoundaryCoding: Sendable, Hashable {
    case mode(CodecMode)
    /// A quantiser for each boundary tensor, in the boundary's order; the name is that in the model package.
    case calibrated(name: String, quantizers: [LevelQuantizer])

    /// How the packed levels of calibrated quantisers are compressed.
    package static let calibratedCompression = Compression.contexts

    /// As profiles, plans and command lines say it.
    package var name: String {
        switch self {
        case .mode(let mode): "\(mode)"
        case .calibrated(let name, _): name
        }
    }

    /// The calibrated quantisers; empty for a mode.
    package var quantizers: [LevelQuantizer] {
        if case .calibrated(_, let quantizers) = self { quantizers } else { [] }
    }

    package var compression: Compression {
        switch self {
        case .mode(let mode): mode.compression
        case .calibrated: Self.calibratedCompression
        }
    }

    /// How the elements of boundary tensor `index` become symbols.
    ///
    /// - Parameter held: whether the receiver has the quantiser of this checksum; if not, the frame brings it.
    package func symbols(
        ofTensor index: Int, held: (_ checksum: UInt32) -> Bool = { _ in true }
    ) -> TensorSource.Coding {
        switch self {
        case .mode(let mode): .precision(mode.precision, .measured)
        case .calibrated(_, let quantizers):
            held(quantizers[index].checksum) ? .agreed(quantizers[index]) : .inline(quantizers[index])
        }
    }

    /// What a receiver that holds this coding expects of the boundary.
    package func expected(of sources: [TensorSource]) -> [ExpectedTensor] {
        sources.indices.map { index in
            ExpectedTensor(
                sources[index].signature, agreedQuantizers: quantizers.isEmpty ? [] : [quantizers[index]])
        }
    }
}
