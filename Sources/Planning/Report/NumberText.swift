/// `value` with exactly `digits` decimals, rounded to nearest; the same in every locale.
package func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "–" : (value < 0 ? "−∞" : "∞") }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    guard let scaled = Int64(exactly: (value.magnitude * scale).rounded()) else { return "\(value)" }
    let sign = value < 0 && scaled != 0 ? "−" : ""
    guard digits > 0 else { return sign + "\(scaled)" }
    let padded = String(repeating: "0", count: max(0, digits + 1 - "\(scaled)".count)) + "\(scaled)"
    return sign + padded.dropLast(digits) + "." + padded.suffix(digits)
}

/// About three significant digits, without trailing zeros.
package func significant(_ value: Double) -> String {
    let digits = value.magnitude >= 100 ? 0 : value.magnitude >= 10 ? 1 : value.magnitude >= 1 ? 2 : 3
    var text = fixed(value, digits)
    if text.contains(".") {
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
    }
    return text
}

extension Duration {
    /// `48.2 ms`
    var text: String {
        let seconds = inSeconds
        if seconds >= 10 { return significant(seconds) + " s" }
        if seconds >= 1e-3 || seconds == 0 { return significant(seconds * 1e3) + " ms" }
        return significant(seconds * 1e6) + " µs"
    }
}

extension ByteCount {
    /// `12.3 kB`, in powers of ten as links count.
    var text: String {
        if bytes >= 1_000_000 { return significant(Double(bytes) / 1e6) + " MB" }
        if bytes >= 1_000 { return significant(Double(bytes) / 1e3) + " kB" }
        return "\(bytes) B"
    }
}

extension BitRate {
    /// `5.85 Mbit/s`
    var text: String {
        if bitsPerSecond >= 1e9 { return significant(bitsPerSecond / 1e9) + " Gbit/s" }
        if bitsPerSecond >= 1e6 { return significant(bitsPerSecond / 1e6) + " Mbit/s" }
        return significant(bitsPerSecond / 1e3) + " kbit/s"
    }
}
