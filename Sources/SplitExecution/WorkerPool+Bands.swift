package import ActivationCodec
package import InferenceEngine

extension WorkerPool {
    /// Codes the bands of a frame on these threads.
    package var bandLoop: BandLoop {
        BandLoop(width: width) { count, call in self.forEach(count, call) }
    }
}
