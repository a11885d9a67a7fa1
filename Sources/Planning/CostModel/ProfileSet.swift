/// The profiles of everything that takes part in one split.
package struct ProfileSet: Hashable, Sendable {
    package var edge: DeviceProfile
    package var cloud: DeviceProfile
    /// The board run in other ways, on another number of threads.
    package var otherEdges: [DeviceProfile]
    /// The server run in other ways: on other numbers of threads, in another precision.
    package var otherClouds: [DeviceProfile]
    package var codec: CodecProfile
    package var input: InputProfile

    package init(
        edge: DeviceProfile, cloud: DeviceProfile, otherEdges: [DeviceProfile] = [],
        otherClouds: [DeviceProfile] = [], codec: CodecProfile, input: InputProfile
    ) {
        self.edge = edge
        self.cloud = cloud
        self.otherEdges = otherEdges
        self.otherClouds = otherClouds
        self.codec = codec
        self.input = input
    }

    /// Every way to run the board; the usual one first.
    var edges: [DeviceProfile] { [edge] + otherEdges }
    /// Every way to run the server; the usual one first.
    var clouds: [DeviceProfile] { [cloud] + otherClouds }

    /// - Throws: `PlanningError.mismatchedProfiles` unless all speak of one model and the devices have their roles.
    func validate() throws(PlanningError) {
        for (role, devices) in [(DeviceProfile.Role.edge, edges), (.cloud, clouds)] {
            for device in devices where device.role != role {
                throw PlanningError(
                    .mismatchedProfiles, "expected the role \(role), got \(device.role)", at: "\(role) profile")
            }
        }
        let models =
            edges.map { ("edge", $0.model) } + clouds.map { ("cloud", $0.model) }
            + [("codec", codec.model), ("input", input.model)]
        for (name, model) in models where model.digest != edge.model.digest {
            throw PlanningError(
                .mismatchedProfiles,
                "is of \(model.name) (\(model.digest)), the edge profile of \(edge.model.name) (\(edge.model.digest))",
                at: "\(name) profile")
        }
    }
}
