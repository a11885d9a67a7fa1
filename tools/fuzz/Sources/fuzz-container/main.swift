private import Fuzzing

try runFuzzer(ContainerTarget.self)
