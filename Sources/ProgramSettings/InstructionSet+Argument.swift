package import ArgumentParser
package import InferenceEngine

extension InstructionSet: ExpressibleByArgument {}
