internal import Glibc
package import ModelGraph

/// The order in which the elements of a rank-4 activation lie in memory.
package enum Layout: String, Hashable, Sendable, Codable {
    /// As the logical shape says, innermost last: NCHW.
    case rowMajor
    /// NHWC, the order the kernels work in.
    case channelsLast
}

/// How an activation is represented in memory.
package struct TensorForm: Hashable, Sendable {
    /// uint8 under this quantisation; `nil` means the value's own element type, float32 as a rule.
    package var quantization: ActivationQuantization?
    package var layout: Layout

    package init(quantization: ActivationQuantization? = nil, layout: Layout = .rowMajor) {
        self.quantization = quantization
        self.layout = layout
    }

    /// Row-major, unquantised: what the outside world speaks.
    package static let plain = TensorForm()

    /// `rowMajor` wherever both layouts are the same bytes, so that equal memory compares equal.
    func normalized(for shape: Shape) -> TensorForm {
        let layoutsDiffer = shape.rank == 4 && shape[1] > 1 && shape[2] * shape[3] > 1
        return TensorForm(quantization: quantization, layout: layoutsDiffer ? layout : .rowMajor)
    }
}

/// An input or output of a prepared model.
package struct Port: Sendable {
    package let name: String
    /// Logical shape (NCHW) and element type, before quantisation.
    package let type: TensorType
    package let form: TensorForm

    package var byteCount: Int {
        form.quantization == nil ? type.byteCount : type.shape.elementCount
    }
}

/// The form a caller wants a port in.
package enum PortRequest: Hashable, Sendable {
    /// Whatever needs no conversion: a quantised, channels-last head output, for instance.
    case natural
    case exactly(TensorForm)
}

package struct PreparationOptions: Sendable {
    package var instructionSet: InstructionSet
    /// Lets convolutions of floats round their operands to bfloat16 where the CPU computes that faster: twice the speed for
    /// a relative error of 2⁻⁸ in each operand.
    package var allowsBFloat16: Bool
    /// Lets 3 × 3 convolutions of floats be computed by Winograd's algorithm where that is faster: up to three times the speed
    /// for errors that are a few times the usual ones (see Numerics in CKernels.h).
    package var allowsWinograd: Bool
    /// For inputs not named in `inputForms`.
    package var defaultInput: PortRequest
    /// For outputs not named in `outputForms`.
    package var defaultOutput: PortRequest
    package var inputForms: [String: PortRequest]
    package var outputForms: [String: PortRequest]
    /// Bytes of memory near a core, of its second-level cache: layers that leave more than half of that for the next are
    /// computed with it, some rows at a time. 0 computes all layers one after the other.
    package var cacheByteCount: Int
    /// Threads that help to prepare.
    package var workers: WorkerPool?
    /// Where packed weights are looked for, and kept for others.
    package var sharedWeights: SharedWeights?

    package init(
        instructionSet: InstructionSet = .best, allowsBFloat16: Bool = false, allowsWinograd: Bool = true,
        defaultInput: PortRequest = .exactly(.plain), defaultOutput: PortRequest = .exactly(.plain),
        inputForms: [String: PortRequest] = [:], outputForms: [String: PortRequest] = [:],
        cacheByteCount: Int = PreparationOptions.secondLevelCacheByteCount,
        workers: WorkerPool? = nil, sharedWeights: SharedWeights? = nil
    ) {
        self.instructionSet = instructionSet
        self.allowsBFloat16 = allowsBFloat16
        self.allowsWinograd = allowsWinograd
        self.defaultInput = defaultInput
        self.defaultOutput = defaultOutput
        self.inputForms = inputForms
        self.outputForms = outputForms
        self.cacheByteCount = cacheByteCount
        self.workers = workers
        self.sharedWeights = sharedWeights
    }

    /// Of this machine; what small boards have per core where the system does not say.
    package static let secondLevelCacheByteCount: Int = {
        let byteCount = sysconf(Int32(_SC_LEVEL2_CACHE_SIZE))
        return byteCount > 0 ? byteCount : 256 << 10
    }()
}
