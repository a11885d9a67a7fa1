internal import CMachinePeaks

/// Runs `body` inside the function `mp_counted_region`, to which a profiler can confine itself.
package func inCountedRegion(_ body: () -> Void) {
    withoutActuallyEscaping(body) { body in
        var body = body
        withUnsafeMutablePointer(to: &body) { pointer in
            mp_counted_region({ $0!.assumingMemoryBound(to: (() -> Void).self).pointee() }, pointer)
        }
    }
}
