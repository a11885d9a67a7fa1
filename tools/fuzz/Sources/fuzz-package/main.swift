private import Fuzzing

try runFuzzer(PackageTarget.self)
