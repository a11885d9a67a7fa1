internal import Glibc

/// A line on standard error that shows how far long work has come; silent unless that is a terminal.
final class ProgressBar {
    private let title: String
    private let isShown: Bool
    private var lastPercent = -1

    init(_ title: String, isQuiet: Bool = false) {
        self.title = title
        isShown = !isQuiet && isatty(STDERR_FILENO) == 1
    }

    func update(_ done: Int, _ total: Int) {
        guard isShown, total > 0 else { return }
        let percent = done * 100 / total
        guard percent != lastPercent else { return }
        lastPercent = percent
        let filled = percent * 30 / 100
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
        write("\r\(title) \(bar) \(percent) %")
        if done >= total { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
    }
}
