private import Fuzzing

try runFuzzer(ONNXTarget.self)
