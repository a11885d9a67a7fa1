internal import ActivationCodec
internal import Testing

@Suite struct ReferenceWindowTests {
    private static let limits = ReferenceStore.Limits(maximumCount: 3, maximumBytes: 1 << 20)

    private func reference(_ frame: UInt64, elements: Int = 16) throws -> FrameReference {
        var encoder = PredictedFrameEncoder()
        let source = TensorSource(
            TensorSignature(shape: [1, 1, 1, elements], scale: 1, zeroPoint: 0), layout: .rowMajor,
            mode: .lossless8, codes: [UInt8](repeating: UInt8(truncatingIfNeeded: frame), count: elements))
        return try encoder.encode(frameID: frame, tensors: [source], reference: nil).reference
    }

    /// Begins, encodes and sends a frame; returns the number of the frame it refers to, if any.
    private func send(
        _ frame: UInt64, over window: inout ReferenceWindow, cut: UInt32 = 0, elements: Int = 16
    ) throws -> UInt64? {
        let prediction = window.begin(frame, cut: cut)
        window.sent(try reference(frame, elements: elements), cut: cut)
        if case .difference(let to) = prediction { return to.frameID }
        return nil
    }

    @Test func framesReferToTheNewestAnswered() throws {
        var window = ReferenceWindow(limits: Self.limits, keyFrameInterval: 100)
        #expect(try send(0, over: &window) == nil)
        #expect(try send(1, over: &window) == nil, "nothing is answered yet")
        window.answered(0)
        #expect(try send(2, over: &window) == 0)
        // Results in another order.
        window.answered(2)
        window.answered(1)
        #expect(try send(3, over: &window) == 2)
    }

    @Test func aLostFrameIsReferredToByNone() throws {
        var window = ReferenceWindow(limits: Self.limits, keyFrameInterval: 100)
        _ = try send(0, over: &window)
        window.answered(0)
        _ = try send(1, over: &window)
        window.dropped(1)
        // Its answer crossed with giving it up.
        window.answered(1)
        #expect(try send(2, over: &window) == 0)
    }

    @Test func whatTheReceiverHasDroppedIsNotReferredTo() throws {
        var window = ReferenceWindow(limits: Self.limits, keyFrameInterval: 100)
        _ = try send(0, over: &window)
        window.answered(0)
        for frame in 1...2 { #expect(try send(UInt64(frame), over: &window) == 0) }
        #expect(try send(3, over: &window) == 0)
        #expect(try send(4, over: &window) == nil, "frames 1, 2 and 3 may have pushed 0 out")
        window.answered(3)
        #expect(try send(5, over: &window) == 3)
    }

    @Test func aRefusalAndAWishBeginAnew() throws {
        var window = ReferenceWindow(limits: Self.limits, keyFrameInterval: 100)
        _ = try send(0, over: &window)
        window.answered(0)
        #expect(try send(1, over: &window) == 0)
        window.refused(1)
        #expect(try send(2, over: &window) == nil)
        window.answered(2)
        window.requestKeyFrame()
        #expect(try send(3, over: &window) == nil)
        #expect(try send(4, over: &window) == 2)
    }

    @Test func keyFramesComeAtTheInterval() throws {
        var window = ReferenceWindow(limits: Self.limits, keyFrameInterval: 4)
        var keys: [UInt64] = []
        for frame in 0..<12 as Range<UInt64> {
            if try send(frame, over: &window) == nil { keys.append(frame) }
            window.answered(frame)
        }
        #expect(keys == [0, 4, 8])
    }

    @Test func anotherCutBeginsAnew() throws {
        var window = ReferenceWindow(limits: Self.limits, keyFrameInterval: 100)
        _ = try send(0, over: &window)
        window.answered(0)
        #expect(try send(1, over: &window, cut: 1) == nil)
        window.answered(1)
        #expect(try send(2, over: &window, cut: 1) == 1)
        #expect(try send(3, over: &window, cut: 0) == nil)
    }

    @Test func aReceiverWithoutMemoryGetsPlainFrames() {
        for limits in [
            ReferenceStore.Limits(maximumCount: 0, maximumBytes: 100),
            ReferenceStore.Limits(maximumCount: 4, maximumBytes: 0),
        ] {
            var window = ReferenceWindow(limits: limits, keyFrameInterval: 100)
            guard case .independent = window.begin(0, cut: 0) else {
                Issue.record("\(limits)")
                continue
            }
        }
    }

    /// Frames too large for the receiver to keep are never referred to.
    @Test func sizeCounts() throws {
        let tight = ReferenceStore.Limits(maximumCount: 3, maximumBytes: 250)
        var window = ReferenceWindow(limits: tight, keyFrameInterval: 100)
        var store = ReferenceStore(limits: tight)
        for frame in 0..<4 as Range<UInt64> {
            let reference = try reference(frame, elements: 100)
            store.insert(reference)
            #expect(store.count == min(Int(frame) + 1, 2) && store.byteCount <= 250)
        }
        store.insert(try reference(9, elements: 300))
        #expect(store.count == 0 && store.byteCount == 0)
        #expect(try send(0, over: &window, elements: 300) == nil)
        window.answered(0)
        #expect(try send(1, over: &window, elements: 300) == nil)
    }
}
