internal import Glibc

/// Elements that end where a page without access begins: reading or writing past the end is a fault. Guard bytes
/// precede them, so that writing before the start is noticed.
///
/// Nothing aligns the start beyond the element's natural alignment, so bytes lie at any address.
final class Fenced<Element: BitwiseCopyable> {
    let count: Int
    let pointer: UnsafeMutablePointer<Element>
    private let mapping: UnsafeMutableRawPointer
    private let mappingSize: Int
    private static var guardSize: Int { 64 }
    private static var guardByte: UInt8 { 0xA5 }

    /// Bytes of the elements hold a pattern until written.
    init(count: Int) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let size = count * MemoryLayout<Element>.stride
        let usable = (size + Self.guardSize + page - 1) / page * page
        mappingSize = usable + page
        mapping = mmap(nil, mappingSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        precondition(mapping != MAP_FAILED, "mmap failed")
        precondition(mprotect(mapping + usable, page, PROT_NONE) == 0, "mprotect failed")
        mapping.initializeMemory(as: UInt8.self, repeating: Self.guardByte, count: usable)
        self.count = count
        pointer = (mapping + usable - size).bindMemory(to: Element.self, capacity: count)
    }

    convenience init(_ values: [Element]) {
        self.init(count: values.count)
        for (index, value) in values.enumerated() { pointer[index] = value }
    }

    deinit { munmap(mapping, mappingSize) }

    var values: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

    var guardIsIntact: Bool {
        let end = UnsafeMutableRawPointer(pointer)
        return (1...Self.guardSize).allSatisfy { (end - $0).load(as: UInt8.self) == Self.guardByte }
    }
}

extension Fenced where Element == UInt8 {
    /// Scratch memory, 16-byte aligned.
    static func scratch(size: Int) -> Fenced { Fenced(count: (size + 15) / 16 * 16) }
}
