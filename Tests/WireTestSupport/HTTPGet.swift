package import InferenceProtocol
private import NIOCore
private import NIOPosix

/// One GET over a connection of its own: the status line's number and everything after the head.
package func httpGet(_ endpoint: WireEndpoint, _ path: String) async throws -> (status: Int, body: String) {
    guard case .host(let host, let port) = endpoint else { throw CancellationError() }
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .connect(host: host, port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
    let response = try await channel.executeThenClose { inbound, outbound in
        try await outbound.write(
            ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n"))
        var response = ByteBuffer()
        for try await part in inbound { response.writeImmutableBuffer(part) }
        return String(buffer: response)
    }
    let status = response.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    guard let head = response.firstRange(of: "\r\n\r\n") else { return (status, "") }
    return (status, String(response[head.upperBound...]))
}
