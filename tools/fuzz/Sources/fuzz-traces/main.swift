private import Fuzzing

try runFuzzer(TraceTarget.self)
