package import ModelGraph
private import SwiftProtobuf

package typealias EdgeMessage = Cleave_V1_EdgeMessage
package typealias CloudMessage = Cleave_V1_CloudMessage
package typealias SplitErrorCode = Cleave_V1_ErrorCode
package typealias SplitLimits = Cleave_V1_Limits

/// The version of the split stream that both sides of this program speak.
package enum SplitProtocol {
    package static let version: UInt32 = 1
}

extension SplitErrorCode {
    /// Codes after which the stream takes no further messages.
    package var isFatal: Bool {
        switch self {
        case .protocolViolation, .unsupportedVersion, .unknownModel, .digestMismatch, .draining: true
        default: false
        }
    }

    /// The stable textual name, for logs, metrics and result lines.
    package var label: String {
        switch self {
        case .unspecified: "unspecified"
        case .protocolViolation: "protocol_violation"
        case .unsupportedVersion: "unsupported_version"
        case .unknownModel: "unknown_model"
        case .digestMismatch: "digest_mismatch"
        case .draining: "draining"
        case .illegalCut: "illegal_cut"
        case .tooManyCuts: "too_many_cuts"
        case .unknownCut: "unknown_cut"
        case .tooManyFrames: "too_many_frames"
        case .frameTooLarge: "frame_too_large"
        case .outOfSequence: "out_of_sequence"
        case .invalidFrame: "invalid_frame"
        case .deadlineExceeded: "deadline_exceeded"
        case .overloaded: "overloaded"
        case .internal: "internal"
        case .referenceUnavailable: "reference_unavailable"
        case .UNRECOGNIZED(let number): "code_\(number)"
        }
    }
}

extension CloudMessage {
    package static func failure(
        _ code: SplitErrorCode, _ message: String, frame: UInt64? = nil, cut: UInt32? = nil
    ) -> Self {
        .with { reply in
            reply.error = .with {
                $0.code = code
                $0.message = message
                $0.fatal = code.isFatal
                if let frame { $0.frameID = frame }
                if let cut { $0.cutID = cut }
            }
        }
    }
}

extension Cleave_V1_OutputTensor {
    package init(name: String, tensor: Tensor) {
        self.init()
        self.name = name
        datatype = tensor.elementType.datatype
        shape = tensor.shape.wireExtents
        raw = tensor.rawContents
    }

    /// - Throws: `WireError.invalidRequest` when datatype, shape and contents disagree.
    package func tensor() throws(WireError) -> Tensor {
        guard case .tensor(let tensor) = try InferValue(raw: raw, datatype: datatype, shape: shape, name: name) else {
            throw WireError(.invalidRequest, "datatype \(datatype) is no tensor", at: name)
        }
        return tensor
    }
}

extension Duration {
    /// Whole nanoseconds, saturating; negative durations count as none.
    package var wireNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = whole.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000))
        return overflow || carry ? .max : sum
    }

    /// From a peer's nanoseconds; values beyond `Int64` saturate.
    package init(wireNanoseconds: UInt64) {
        self = .nanoseconds(Int64(clamping: wireNanoseconds))
    }

    package var milliseconds: Double {
        Double(components.seconds) * 1e3 + Double(components.attoseconds) * 1e-15
    }
}
