package import GRPCCore
package import GRPCNIOTransportHTTP2Posix

/// How HTTP/2 connections of both sides are tuned.
///
/// The library's defaults delay small writes by 100 µs and keep a 64 KiB window, which costs 2 to 10 times the latency of
/// an activation frame.
package struct WireSettings: Hashable, Sendable {
    /// Bytes in flight per stream and per connection before the receiver acknowledges, on plaintext.
    package var plaintextWindowBytes = 4 << 20
    /// The same under TLS, where a larger window makes megabyte messages slower, not faster.
    package var secureWindowBytes = 1 << 20
    /// 2¹⁴...2²⁴−1.
    package var maximumHTTP2FrameBytes = 1 << 16
    /// Bounds a single message after decompression; larger ones are refused by the receiver.
    package var maximumMessageBytes = 16 << 20
    /// Calls at a time that one client may make over one connection.
    package var maximumStreamsPerConnection = 128
    /// How long a connection may be silent before it is probed; the client's is never below 10 s.
    package var keepaliveTime: Duration = .seconds(20)
    /// How long a probe may stay unanswered before the connection counts as lost.
    package var keepaliveTimeout: Duration = .seconds(10)
    /// Threads that read and write sockets. With one, handlers run on it as well: least latency, and enough for several
    /// gigabytes a second. More spread many connections over cores.
    package var eventLoopThreads = 1

    package init() {}

    package func makeServerConfiguration(isSecure: Bool) -> HTTP2ServerTransport.Posix.Config {
        .defaults { config in
            config.connection.flushCoalescing = nil
            config.connection.keepalive = .init(
                time: keepaliveTime, timeout: keepaliveTimeout,
                clientBehavior: .init(minPingIntervalWithoutCalls: .seconds(5), allowWithoutCalls: true))
            config.http2.targetWindowSize = isSecure ? secureWindowBytes : plaintextWindowBytes
            config.http2.maxFrameSize = maximumHTTP2FrameBytes
            config.http2.maxConcurrentStreams = maximumStreamsPerConnection
            config.rpc.maxRequestPayloadSize = maximumMessageBytes
            config.compression.enabledAlgorithms = [.deflate, .gzip]
        }
    }

    /// - Parameter authority: the name that the server's certificate must bear; `nil`: the endpoint's host.
    package func makeClientConfiguration(isSecure: Bool, authority: String? = nil) -> HTTP2ClientTransport.Posix.Config
    {
        .defaults { config in
            config.connection.flushCoalescing = nil
            config.connection.keepalive = .init(
                time: keepaliveTime, timeout: keepaliveTimeout, allowWithoutCalls: true)
            config.http2.targetWindowSize = isSecure ? secureWindowBytes : plaintextWindowBytes
            config.http2.maxFrameSize = maximumHTTP2FrameBytes
            config.http2.authority = authority
            config.compression.enabledAlgorithms = [.deflate, .gzip]
        }
    }

    /// The options of a call under these settings; it fails at once when there is no connection.
    package var callOptions: CallOptions {
        var options = CallOptions.defaults
        options.maxResponseMessageBytes = maximumMessageBytes
        // The transport bounds what it receives by the limit for requests.
        options.maxRequestMessageBytes = maximumMessageBytes
        options.waitForReady = false
        return options
    }
}
