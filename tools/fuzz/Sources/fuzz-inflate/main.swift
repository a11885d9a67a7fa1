private import Fuzzing

try runFuzzer(InflateTarget.self)
