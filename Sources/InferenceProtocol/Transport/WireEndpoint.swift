package import GRPCNIOTransportHTTP2Posix

/// Where a server listens: a host with a port, or a Unix-domain socket.
package enum WireEndpoint: Hashable, Sendable, LosslessStringConvertible {
    /// The host is a name, an IPv4 address or an IPv6 address without brackets; port 0 lets the system choose.
    case host(String, port: Int)
    case unixSocket(path: String)

    /// Reads `host:port`, `[v6]:port` or `unix:/path`.
    package init?(_ description: String) {
        if description.hasPrefix("unix:") {
            let path = String(description.dropFirst("unix:".count))
            guard !path.isEmpty else { return nil }
            self = .unixSocket(path: path)
            return
        }
        guard let colon = description.lastIndex(of: ":"),
            let port = UInt16(description[description.index(after: colon)...])
        else { return nil }
        var host = description[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self = .host(String(host), port: Int(port))
    }

    package var description: String {
        switch self {
        case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unixSocket(let path): "unix:\(path)"
        }
    }

    /// Whether bytes for this endpoint stay on this machine.
    package var isLocal: Bool {
        switch self {
        case .host(let host, _): host == "localhost" || host == "::1" || (host.hasPrefix("127.") && host.isIPv4Address)
        case .unixSocket: true
        }
    }

    /// The address to bind.
    package var listeningAddress: SocketAddress {
        switch self {
        case .host("localhost", let port): .ipv4(host: "127.0.0.1", port: port)
        case .host(let host, let port): host.contains(":") ? .ipv6(host: host, port: port) : .ipv4(host: host, port: port)
        case .unixSocket(let path): .unixDomainSocket(path: path)
        }
    }

    /// The target a client connects to; names are resolved.
    package var target: any ResolvableTarget {
        switch self {
        case .host(let host, let port) where host.contains(":"): .ipv6(address: host, port: port)
        case .host(let host, let port) where host.isIPv4Address: .ipv4(address: host, port: port)
        case .host(let host, let port): .dns(host: host, port: port)
        case .unixSocket(let path): .unixDomainSocket(path: path)
        }
    }

    /// The endpoint of a bound address.
    package init?(_ address: SocketAddress) {
        if let address = address.ipv4 {
            self = .host(address.host, port: address.port)
        } else if let address = address.ipv6 {
            self = .host(address.host, port: address.port)
        } else if let address = address.unixDomainSocket {
            self = .unixSocket(path: address.path)
        } else {
            return nil
        }
    }
}

extension String {
    fileprivate var isIPv4Address: Bool {
        let parts = split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }
}
