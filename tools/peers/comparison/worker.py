"""One engine with one network, kept alive: `python worker.py ENGINE FILE THREADS TESTS ANSWERS`.

Loads FILE, answers every picture of TESTS (float32 [N, 3, 224, 224], npy) into ANSWERS, and prints one line of JSON:

    {"firstAnswerNanoseconds": …, "peakBytes": …, "version": …, and what the engine notes of its own settings}

Then it obeys lines on its standard input: `run N` times N further runs on the first picture, each from the input in
float32 to the answer in float32, and prints {"nanoseconds": […]}. It ends with its input. `cleave benchmark --serve`
speaks the same.

This file imports nothing but numpy and the engine, so that a process holds no other memory than the engine's.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time

import numpy


class OnnxRuntime:
    package = "onnxruntime"

    def __init__(self, threads: int):
        import onnxruntime
        self.library = onnxruntime
        self.options = onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = threads
        self.options.inter_op_num_threads = 1
        self.options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        self.options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL

    def load(self, file: str):
        self.session = self.library.InferenceSession(file, self.options, providers=["CPUExecutionProvider"])
        self.binding = self.session.io_binding()
        self.binding.bind_output(self.session.get_outputs()[0].name, "cpu")

    def feed(self, picture: numpy.ndarray):
        self.value = self.library.OrtValue.ortvalue_from_numpy(picture)
        self.binding.bind_ortvalue_input(self.session.get_inputs()[0].name, self.value)

    def run(self):
        self.session.run_with_iobinding(self.binding)

    def answer(self) -> numpy.ndarray:
        return self.binding.copy_outputs_to_cpu()[0]

    def notes(self) -> dict:
        return {}


class OpenVino:
    package = "openvino"
    # Without the hint, machines with bfloat16 instructions would compute in bfloat16.
    precision = "f32"

    def __init__(self, threads: int):
        import openvino
        self.core = openvino.Core()
        self.properties = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1}
        if self.precision:
            self.properties["INFERENCE_PRECISION_HINT"] = self.precision

    def load(self, file: str):
        self.compiled = self.core.compile_model(file, "CPU", self.properties)
        self.request = self.compiled.create_infer_request()

    def feed(self, picture: numpy.ndarray):
        self.request.get_input_tensor().data[:] = picture

    def run(self):
        self.request.infer()

    def answer(self) -> numpy.ndarray:
        return self.request.get_output_tensor().data.copy()

    def notes(self) -> dict:
        precision = self.compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        return {"precision": precision, "threads": self.compiled.get_property("INFERENCE_NUM_THREADS")}


class OpenVinoByDefault(OpenVino):
    """In whatever precision it takes when it is not asked for one."""

    precision = None


class LiteRt:
    package = "ai-edge-litert"

    def __init__(self, threads: int):
        from ai_edge_litert import interpreter
        self.library, self.threads = interpreter, threads

    def load(self, file: str):
        # Its default resolver applies the XNNPACK delegate.
        self.interpreter = self.library.Interpreter(file, num_threads=self.threads)
        self.interpreter.allocate_tensors()
        self.input, = self.interpreter.get_input_details()
        self.output, = self.interpreter.get_output_details()

    def feed(self, picture: numpy.ndarray):
        self.interpreter.set_tensor(self.input["index"], picture.transpose(0, 2, 3, 1))

    def run(self):
        self.interpreter.invoke()

    def answer(self) -> numpy.ndarray:
        return self.interpreter.get_tensor(self.output["index"])

    def notes(self) -> dict:
        operators = [operator["op_name"] for operator in self.interpreter._get_ops_details()]
        return {"delegates": operators.count("DELEGATE"), "operators": len(operators)}


class Ncnn:
    package = "ncnn"

    def __init__(self, threads: int):
        import ncnn
        self.library = ncnn
        self.net = ncnn.Net()
        options = self.net.opt
        options.num_threads = threads
        options.use_fp16_packed = options.use_fp16_storage = options.use_fp16_arithmetic = False
        options.use_bf16_storage = False

    def load(self, file: str):
        for status in (self.net.load_param(file), self.net.load_model(file.removesuffix("param") + "bin")):
            if status != 0:
                raise OSError(f"{file}: ncnn answers {status}")
        self.input, = self.net.input_names()
        self.output, = self.net.output_names()

    def feed(self, picture: numpy.ndarray):
        self.picture = self.library.Mat(picture[0]).clone()

    def run(self):
        # An extractor remembers its answers, so that each run takes a new one.
        extractor = self.net.create_extractor()
        extractor.input(self.input, self.picture)
        status, self.result = extractor.extract(self.output)
        if status != 0:
            raise OSError(f"ncnn answers {status}")

    def answer(self) -> numpy.ndarray:
        return numpy.array(self.result)[numpy.newaxis]

    def notes(self) -> dict:
        return {}


class Nothing:
    """What the interpreter and numpy take by themselves."""

    package = "numpy"

    def __init__(self, threads: int):
        self.picture = None

    def load(self, file: str):
        pass

    def feed(self, picture: numpy.ndarray):
        self.picture = picture

    def run(self):
        pass

    def answer(self) -> numpy.ndarray:
        return self.picture.reshape(1, -1)

    def notes(self) -> dict:
        return {}


ENGINES = {
    "ort": OnnxRuntime, "openvino": OpenVino, "openvino-default": OpenVinoByDefault, "litert": LiteRt, "ncnn": Ncnn,
    "nothing": Nothing,
}


def peak_bytes() -> int:
    """The most memory this process has held: VmHWM, for what `getrusage` tells includes the parent's."""
    with open("/proc/self/status") as status:
        line, = (line for line in status if line.startswith("VmHWM:"))
    return 1024 * int(line.split()[1])


def main():
    name, file, threads, tests, answers = sys.argv[1:]
    engine = ENGINES[name](int(threads))
    pictures = numpy.load(tests)
    start = time.perf_counter_ns()
    engine.load(file)
    engine.feed(pictures[:1])
    engine.run()
    got = [engine.answer().reshape(-1)]
    first = time.perf_counter_ns() - start
    for index in range(1, len(pictures)):
        engine.feed(pictures[index: index + 1])
        engine.run()
        got.append(engine.answer().reshape(-1))
    numpy.stack(got).astype("<f4").tofile(answers)
    engine.feed(pictures[:1])
    version = importlib.metadata.version(engine.package)
    ready = {"firstAnswerNanoseconds": first, "peakBytes": peak_bytes(), "version": version} | engine.notes()
    print(json.dumps(ready), flush=True)
    for line in sys.stdin:
        verb, count = line.split()
        if verb != "run":
            sys.exit(f"expected `run N`, got {line!r}")
        times = []
        for _ in range(int(count)):
            start = time.perf_counter_ns()
            engine.run()
            times.append(time.perf_counter_ns() - start)
        print(json.dumps({"nanoseconds": times}), flush=True)


if __name__ == "__main__":
    main()
