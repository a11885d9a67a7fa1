#!/usr/bin/env python3
"""Calls cleave-cloud as a stock client of the Open Inference Protocol does: tritonclient, compressed and not.

Results are held to ONNX Runtime's (1e-4 of the largest magnitude in an output); malformed requests must get the status code
that says what is wrong, and leave the service as it was; SIGTERM must end it with status 0 within its drain time, with calls
under way that it answers, while a client stays connected.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy
import tritonclient.grpc as triton
from tritonclient.grpc import service_pb2, service_pb2_grpc

from cleave_peers import Bench, Network, ProgramFailure, Table, labelled, relative_errors, run_checks

TOLERANCE = 1e-4
START_SECONDS = 30
DRAIN_SECONDS = 10
PICTURES = 8
CALLS_UNDER_WAY = 40  # fewer than the service lets wait
COMPRESSIONS = [None, "deflate", "gzip"]


class Service:
    """A cleave-cloud on loopback that serves `store`."""

    def __init__(self, bench: Bench, store: Path):
        addresses = bench.scratch / "addresses.json"
        self.log = bench.scratch / "cleave-cloud.log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [
                    bench.programs / "cleave-cloud", "--store", store, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0",
                    "--addresses", addresses, "--drain-seconds", str(DRAIN_SECONDS),
                ], stderr=log)
        try:
            self.grpc, self.http = self._bound(addresses)
        except ProgramFailure:
            self.end()
            raise

    def _bound(self, addresses: Path) -> tuple[str, str]:
        deadline = time.monotonic() + START_SECONDS
        # The file is written whole or not at all.
        while not addresses.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise ProgramFailure(f"cleave-cloud does not listen: {self.log.read_text().strip()}")
            time.sleep(0.05)
        bound = json.loads(addresses.read_text())
        return bound["grpc"], bound["http"]

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://{self.http}{path}", timeout=10) as response:
            return response.read().decode()

    def metrics(self) -> dict[str, float]:
        """The samples of /metrics by name and labels."""
        lines = [line for line in self.get("/metrics").splitlines() if line and line[0] != "#"]
        return {sample: float(value) for sample, value in (line.rsplit(" ", 1) for line in lines)}

    def terminate(self) -> tuple[int | None, float]:
        """Sends SIGTERM; the exit status, `None` if it does not end, and the seconds that took."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=2 * DRAIN_SECONDS)
        except subprocess.TimeoutExpired:
            status = None
        return status, time.monotonic() - start

    def end(self):
        """Kills the process if it still runs."""
        self.process.kill()
        self.process.wait()


@dataclass
class Served:
    """A network, its inputs for a few pictures, and ONNX Runtime's outputs for them."""

    network: Network
    tensors: list[numpy.ndarray]
    expected: list[numpy.ndarray]
    input: str
    output: str
    succeeded: int = 0

    @classmethod
    def by_peer(cls, network: Network) -> Served:
        session = network.peer()
        input, output = session.get_inputs()[0].name, session.get_outputs()[0].name
        pictures = labelled(network.folder)
        # Spread over the folder, which is sorted by class.
        tensors = [network.tensor(picture) for picture in pictures[:: len(pictures) // PICTURES][:PICTURES]]
        return cls(network, tensors, [session.run([output], {input: tensor})[0] for tensor in tensors], input, output)

    def error(self, index: int, got: numpy.ndarray) -> float:
        """The relative error of `got` for picture `index`; also counts the success."""
        self.succeeded += 1
        expected = self.expected[index]
        return float(relative_errors(got, expected).max()) if got.shape == expected.shape else numpy.inf

    def request(self, index: int = 0) -> service_pb2.ModelInferRequest:
        tensor = self.tensors[index]
        value = service_pb2.ModelInferRequest.InferInputTensor(name=self.input, datatype="FP32", shape=tensor.shape)
        return service_pb2.ModelInferRequest(
            model_name=self.network.name, inputs=[value], raw_input_contents=[tensor.tobytes()])


def decoded(response: service_pb2.ModelInferResponse) -> numpy.ndarray:
    return numpy.frombuffer(response.raw_output_contents[0], dtype="<f4").reshape(response.outputs[0].shape)


Request = service_pb2.ModelInferRequest


def malformed(served: Served) -> dict[str, tuple[grpc.StatusCode, Callable[[Request], None]]]:
    """What can be wrong with a request, by its description: the code expected, and how to spoil a good request so."""
    shape = list(served.tensors[0].shape)
    invalid, absent = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND

    def reshape(request: Request, extents: list[int]):
        request.inputs[0].shape[:] = extents

    def resize(request: Request, extents: list[int]):
        reshape(request, extents)
        request.raw_input_contents[0] = bytes(4 * int(numpy.prod(extents)))

    def retype(request: Request, datatype: str, size: int):
        request.inputs[0].datatype = datatype
        request.raw_input_contents[0] = bytes(size * served.tensors[0].size)

    def remove_input(request: Request):
        del request.inputs[:]
        del request.raw_input_contents[:]

    return {
        "another shape": (invalid, lambda r: resize(r, [*shape[:3], shape[3] - 1])),
        "a batch of two": (invalid, lambda r: resize(r, [2, *shape[1:]])),
        "a rank too few": (invalid, lambda r: reshape(r, shape[1:])),
        "a negative extent": (invalid, lambda r: reshape(r, [-1, *shape[1:]])),
        "extents that overflow": (invalid, lambda r: reshape(r, [1 << 62, 1 << 62, 3, 4])),
        "FP64": (invalid, lambda r: retype(r, "FP64", 8)),
        "UINT8": (invalid, lambda r: retype(r, "UINT8", 1)),
        "a datatype there is not": (invalid, lambda r: retype(r, "FP33", 4)),
        "an input's unknown name": (invalid, lambda r: setattr(r.inputs[0], "name", "no-such-input")),
        "no input": (invalid, remove_input),
        "an input twice": (invalid, lambda r: r.MergeFrom(served.request())),
        "raw contents too short": (invalid, lambda r: r.raw_input_contents.append(r.raw_input_contents.pop()[:-4])),
        "raw contents too long": (invalid, lambda r: r.raw_input_contents.append(r.raw_input_contents.pop() + bytes(1))),
        "no contents": (invalid, lambda r: r.raw_input_contents.pop()),
        "one raw entry too many": (invalid, lambda r: r.raw_input_contents.append(b"")),
        "raw and typed contents": (invalid, lambda r: r.inputs[0].contents.fp32_contents.append(1)),
        "an output's unknown name": (invalid, lambda r: r.outputs.add(name="no-such-output")),
        "an unknown model": (absent, lambda r: setattr(r, "model_name", "no-such-model")),
        "an unknown version": (absent, lambda r: setattr(r, "model_version", "99")),
    }


def refusal(call: Callable, request: object) -> tuple[grpc.StatusCode, str]:
    """The status code of `call`, and what the server says of it."""
    try:
        call(request, timeout=30)
    except grpc.RpcError as error:
        return error.code(), error.details()
    return grpc.StatusCode.OK, ""


def check_server(bench: Bench, service: Service, client: triton.InferenceServerClient, names: list[str]):
    check = bench.tally.check
    check("server live", client.is_server_live())
    check("server ready", client.is_server_ready())
    metadata = client.get_server_metadata()
    check("server metadata", metadata.name and metadata.version and metadata.extensions, metadata)
    index = {(model.name, model.state) for model in client.get_model_repository_index().models}
    check("repository index", index == {(name, "READY") for name in names}, index)
    with grpc.insecure_channel(service.grpc) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        health = channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=10)
        code, _ = refusal(stub.ModelReady, service_pb2.ModelReadyRequest(name="no-such-model"))
        check("readiness of an unknown model is NOT_FOUND", code is grpc.StatusCode.NOT_FOUND, code)
        code, _ = refusal(stub.ModelMetadata, service_pb2.ModelMetadataRequest(name="no-such-model"))
        check("metadata of an unknown model is NOT_FOUND", code is grpc.StatusCode.NOT_FOUND, code)
    check("gRPC health", health == b"\x08\x01", health)
    check("/healthz", service.get("/healthz").strip() == "live")
    check("/readyz", service.get("/readyz").strip() == "ready")


def check_metadata(bench: Bench, client: triton.InferenceServerClient, served: Served):
    name, check = served.network.name, bench.tally.check
    check(f"{name}: model ready", client.is_model_ready(name))
    metadata = client.get_model_metadata(name)
    described = [(t.name, t.datatype, list(t.shape)) for t in [*metadata.inputs, *metadata.outputs]]
    expected = [
        (served.input, "FP32", list(served.tensors[0].shape)), (served.output, "FP32", list(served.expected[0].shape))]
    check(f"{name}: model metadata", described == expected, f"{described}, expected {expected}")


def check_inference(bench: Bench, client: triton.InferenceServerClient, served: Served, table: Table):
    name = served.network.name
    for compression in COMPRESSIONS:
        errors = []
        start = time.monotonic()
        for index, tensor in enumerate(served.tensors):
            value = triton.InferInput(served.input, tensor.shape, "FP32")
            value.set_data_from_numpy(tensor)
            result = client.infer(name, [value], request_id=str(index), compression_algorithm=compression)
            errors.append(served.error(index, result.as_numpy(served.output)))
            bench.tally.check(f"{name}: request's id", result.get_response().id == str(index))
        seconds = time.monotonic() - start
        worst = numpy.max(errors)
        table.add(name, compression or "none", len(errors), f"{worst:.1e}", f"{1000 * seconds / len(errors):.1f}")
        bench.tally.check(f"{name}, compression {compression}: outputs within {TOLERANCE}", worst <= TOLERANCE, errors)


def check_wire_forms(bench: Bench, stub: service_pb2_grpc.GRPCInferenceServiceStub, served: Served):
    """What tritonclient does not send by itself: typed contents, chosen outputs, streams with a bad request among good."""
    name, check = served.network.name, bench.tally.check
    typed = served.request()
    typed.inputs[0].contents.fp32_contents.extend(served.tensors[0].ravel())
    del typed.raw_input_contents[:]
    error = served.error(0, decoded(stub.ModelInfer(typed, timeout=30)))
    check(f"{name}: typed contents", error <= TOLERANCE, error)

    chosen = served.request()
    chosen.outputs.add(name=served.output)
    error = served.error(0, decoded(stub.ModelInfer(chosen, timeout=30)))
    check(f"{name}: output by name", error <= TOLERANCE, error)

    bad = served.request()
    bad.inputs[0].name = "no-such-input"
    responses = list(stub.ModelStreamInfer(iter([served.request(0), bad, served.request(1)]), timeout=30))
    messages = [bool(response.error_message) for response in responses]
    if check(f"{name}: stream goes on after an error", messages == [False, True, False], messages):
        errors = [served.error(index, decoded(responses[2 * index].infer_response)) for index in range(2)]
        check(f"{name}: stream's outputs", numpy.max(errors) <= TOLERANCE, errors)


def check_refusals(bench: Bench, stub: service_pb2_grpc.GRPCInferenceServiceStub, served: Served):
    name, check = served.network.name, bench.tally.check
    for what, (expected, spoil) in malformed(served).items():
        request = served.request()
        spoil(request)
        code, detail = refusal(stub.ModelInfer, request)
        check(f"{name}: {what} is {expected.name} with a reason", code == expected and detail, (code, detail))
    error = served.error(0, decoded(stub.ModelInfer(served.request(), timeout=30)))
    check(f"{name}: a good request after the bad ones", error <= TOLERANCE, error)


def check_counts(bench: Bench, service: Service, client: triton.InferenceServerClient, served: Served):
    name = served.network.name
    statistics = client.get_inference_statistics(name).model_stats[0].inference_stats
    bench.tally.check(
        f"{name}: statistics", statistics.success.count == served.succeeded, f"{statistics.success}, sent {served.succeeded}")
    counts = [
        value for sample, value in service.metrics().items()
        if sample.startswith("cleave_inferences_total{") and f'model="{name}"' in sample and 'outcome="ok"' in sample]
    bench.tally.check(f"{name}: /metrics", counts == [served.succeeded], f"{counts}, sent {served.succeeded}")


def check_drain(bench: Bench, service: Service, stub: service_pb2_grpc.GRPCInferenceServiceStub, served: Served):
    """Terminates the service while calls wait and run that it has received whole: it must answer them first."""

    def call(index: int) -> grpc.StatusCode:
        return refusal(stub.ModelInfer, served.request(index % PICTURES))[0]

    def received() -> int:
        samples = service.metrics()
        finished = sum(value for sample, value in samples.items() if sample.startswith("cleave_inferences_total{"))
        return int(finished + samples["cleave_compute_queue_depth"])

    before = received()
    with ThreadPoolExecutor(CALLS_UNDER_WAY) as callers:
        calls = [callers.submit(call, index) for index in range(CALLS_UNDER_WAY)]
        while received() < before + CALLS_UNDER_WAY and not all(call.done() for call in calls):
            pass
        waiting = sum(not call.done() for call in calls)
        status, seconds = service.terminate()
        codes = Counter(call.result().name for call in calls)
    print(f"SIGTERM with {waiting} calls under way: status {status} after {seconds:.2f} s")
    bench.tally.check("calls under way are answered", codes == {"OK": CALLS_UNDER_WAY}, dict(codes))
    bench.tally.check(
        f"SIGTERM ends the service within {DRAIN_SECONDS} s, status 0", status == 0 and seconds < DRAIN_SECONDS,
        (status, seconds))


def check(bench: Bench):
    networks = [network for network in bench.networks() if network.name in ("digits", "squeezenet1.1")]
    store = bench.scratch / "store"
    models = []
    for network in networks:
        bench.cleave("store", "publish", bench.imported(network), "--store", store)
        models.append(Served.by_peer(network))
    service = Service(bench, store)
    client = triton.InferenceServerClient(service.grpc)
    channel = grpc.insecure_channel(service.grpc)
    try:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        check_server(bench, service, client, [network.name for network in networks])
        table = Table("network", "compression", "calls", "worst error", "ms a call")
        for served in models:
            check_metadata(bench, client, served)
            check_inference(bench, client, served, table)
            check_wire_forms(bench, stub, served)
            check_refusals(bench, stub, served)
            check_counts(bench, service, client, served)
        check_drain(bench, service, stub, models[-1])
    finally:
        channel.close()
        client.close()
        service.end()


if __name__ == "__main__":
    run_checks(__doc__, check)
