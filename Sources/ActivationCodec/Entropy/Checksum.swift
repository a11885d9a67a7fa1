internal import CZlib

/// CRC-32 of zlib (IEEE 802.3, reflected, initial value and final inversion all ones).
///
/// Passing an earlier result as `seed` gives the checksum of the concatenation.
func checksum(_ bytes: UnsafeBufferPointer<UInt8>, seed: UInt32 = 0) -> UInt32 {
    // A null pointer asks zlib for the initial value, which would drop the seed.
    guard let base = bytes.baseAddress else { return seed }
    return UInt32(truncatingIfNeeded: crc32_z(uLong(seed), base, bytes.count))
}
