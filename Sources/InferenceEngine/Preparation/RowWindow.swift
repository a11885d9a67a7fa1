internal import CKernels

/// The rows of an image that a step reads for the rows it writes.
struct RowWindow: Sendable {
    var batch: Int
    var inputRows: Int
    var outputRows: Int
    /// From the first to the last row of taps.
    var reach = 1
    var stride = 1
    var pad = 0
    /// Pixels of a row.
    var inputWidth: Int
    var outputWidth: Int

    init(_ geometry: ck_geometry) {
        batch = geometry.batch
        (inputRows, outputRows) = (geometry.in_height, geometry.out_height)
        reach = (geometry.kernel_height - 1) * geometry.dilation_height + 1
        stride = geometry.stride_height
        pad = geometry.pad_top
        (inputWidth, outputWidth) = (geometry.in_width, geometry.out_width)
    }

    /// Of a step that makes each pixel of the pixel in its place; the images are those that `reader` reads.
    init(pixelsReadBy reader: RowWindow) {
        batch = reader.batch
        (inputRows, outputRows) = (reader.inputRows, reader.inputRows)
        (inputWidth, outputWidth) = (reader.inputWidth, reader.inputWidth)
    }

    var outputPixels: Int { batch * outputRows * outputWidth }

    /// Whether every window begins in the image or just above it, so that rows computed apart read some of it.
    var isDivisible: Bool {
        outputRows > 0 && inputRows > 0 && pad < reach && (outputRows - 1) * stride < inputRows + pad
    }

    /// The rows under the windows of `rows`, which are some.
    func inputRows(for rows: Range<Int>) -> Range<Int> {
        let first = max(0, rows.lowerBound * stride - pad)
        return first..<min(inputRows, (rows.upperBound - 1) * stride - pad + reach)
    }

    /// The most rows under the windows of `count` rows.
    func mostInputRows(for count: Int) -> Int {
        min(inputRows, (count - 1) * stride + reach)
    }
}
