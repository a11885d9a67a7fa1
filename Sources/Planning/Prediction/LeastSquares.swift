/// Coefficients ≥ 0 that make Σ weightᵢ · (Σⱼ coefficientⱼ · rowᵢⱼ − targetᵢ)² least, by coordinate descent on the normal
/// equations.
///
/// Times are sums of costs, so none is negative; the bound also keeps near-dependent features from cancelling.
/// - Precondition: rows are of one length, and as many as targets and weights.
func nonNegativeLeastSquares(_ rows: [[Double]], _ targets: [Double], weights: [Double]) -> [Double] {
    let width = rows.first?.count ?? 0
    precondition(rows.allSatisfy { $0.count == width } && targets.count == rows.count && weights.count == rows.count)
    var products = [[Double]](repeating: [Double](repeating: 0, count: width), count: width)
    var right = [Double](repeating: 0, count: width)
    for (row, (target, weight)) in zip(rows, zip(targets, weights)) {
        for i in 0..<width {
            right[i] += weight * row[i] * target
            for j in 0..<width { products[i][j] += weight * row[i] * row[j] }
        }
    }
    // Scaled to unit diagonal, so that one tolerance fits all; features that never occur keep 0.
    let scales = (0..<width).map { products[$0][$0] > 0 ? 1 / products[$0][$0].squareRoot() : 0 }
    var scaled = [Double](repeating: 0, count: width)
    for _ in 0..<20_000 {
        var change = 0.0
        for i in 0..<width where scales[i] > 0 {
            var gradient = right[i] * scales[i]
            for j in 0..<width { gradient -= products[i][j] * scales[i] * scales[j] * scaled[j] }
            let next = max(0, scaled[i] + gradient)
            change = max(change, abs(next - scaled[i]))
            scaled[i] = next
        }
        if change <= 1e-10 * (scaled.max() ?? 0) { break }
    }
    return zip(scaled, scales).map { $0 * $1 }
}
