"""Makes one network's files for every engine: `python -m comparison.conversion NETWORK FILE FOLDER`.

Run as a process of its own, for the converters start threads and hold memory that the measurement must not see.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy

from comparison import pictures


class Sources:
    """What conversions start from. `folder` holds the network's own files, its parent the pictures."""

    def __init__(self, network: str, folder: Path):
        self.network = network
        self.folder = folder
        self.onnx = folder / "float32.onnx"

    @property
    def calibration(self) -> numpy.ndarray:
        return numpy.load(self.folder.parent / "calibration.npy")

    @property
    def samples(self) -> Iterator[numpy.ndarray]:
        return (one[numpy.newaxis] for one in self.calibration)

    def module(self):
        from comparison import networks
        return networks.network(self.network, self.calibration)


def export(sources: Sources):
    """float32.onnx, its size in network.json, and PyTorch's logits for the test pictures in expected.npy."""
    from comparison import networks
    tests = numpy.load(sources.folder.parent / "tests.npy")
    module = sources.module()
    networks.export(module, tests[:1], sources.onnx)
    numpy.save(sources.folder / "expected.npy", networks.answers(module, tests))
    (sources.folder / "network.json").write_text(json.dumps({"multiplyAdds": networks.multiply_adds(sources.onnx)}))


def ort(sources: Sources, activations: str):
    """Static quantisation to QDQ: int8 weights per channel, activations uint8 or int8."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.samples = sources.samples

        def get_next(self) -> dict | None:
            sample = next(self.samples, None)
            return None if sample is None else {"input": sample}

    prepared = sources.folder / f"ort-{activations}.prepared.onnx"
    quant_pre_process(sources.onnx, prepared, skip_symbolic_shape=True)
    quantize_static(
        prepared, sources.folder / f"ort-int8-{activations}s8.onnx", Reader(), quant_format=QuantFormat.QDQ,
        per_channel=True, weight_type=QuantType.QInt8,
        activation_type={"u8": QuantType.QUInt8, "s8": QuantType.QInt8}[activations])
    prepared.unlink()


def openvino(sources: Sources):
    """NNCF's post-training quantisation of the float32 network."""
    import nncf
    import openvino as ov
    nncf.set_log_level(logging.ERROR)
    model = ov.Core().read_model(sources.onnx)
    quantized = nncf.quantize(
        model, nncf.Dataset(list(sources.samples)), target_device=nncf.TargetDevice.CPU,
        subset_size=pictures.CALIBRATION)
    ov.save_model(quantized, sources.folder / "openvino-int8-nncf.xml", compress_to_fp16=False)


def litert_float(sources: Sources):
    """With inputs channels last, as LiteRT computes; otherwise it would transpose them first."""
    import litert_torch
    import torch
    module = litert_torch.to_channel_last_io(sources.module(), args=[0])
    sample = torch.from_numpy(next(sources.samples).transpose(0, 2, 3, 1).copy())
    litert_torch.convert(module.eval(), (sample,)).export(str(sources.folder / "litert-float32.tflite"))


def litert(sources: Sources):
    """Static quantisation: int8 weights per channel, int8 activations; input and output stay float32, as everyone's."""
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_quantizer import quantizer, recipe
    exact = sources.folder / "litert-float32.tflite"
    if not exact.exists():
        litert_float(sources)
    signature, = Interpreter(str(exact)).get_signature_list().items()
    samples = [{signature[1]["inputs"][0]: sample.transpose(0, 2, 3, 1).copy()} for sample in sources.samples]
    edges = [{"regex": ".*", "operation": operation, "algorithm_key": "no_quantize", "op_config": {}}
             for operation in ("INPUT", "OUTPUT")]
    work = quantizer.Quantizer(str(exact), recipe.static_wi8_ai8() + edges)
    statistics = work.calibrate({signature[0]: samples})
    work.quantize(statistics).export_model(sources.folder / "litert-int8.tflite", overwrite=True)


def ncnn(sources: Sources):
    """param and bin from the traced module, weights float32."""
    import pnnx
    import torch
    module = sources.module()
    # pnnx leaves half a dozen other files beside its input.
    with tempfile.TemporaryDirectory(dir=sources.folder) as scratch:
        torch.jit.trace(module, torch.from_numpy(next(sources.samples))).save(f"{scratch}/traced.pt")
        subprocess.run(
            [
                pnnx.EXEC_PATH, "traced.pt", f"inputshape=[1,3,{pictures.SIDE},{pictures.SIDE}]", "fp16=0",
                *(f"ncnn{kind}=../ncnn-float32.{kind}" for kind in ("bin", "param")),
            ], cwd=scratch, check=True, stdout=subprocess.DEVNULL)


CONVERSIONS: dict[str, Callable[[Sources], None]] = {
    "float32.onnx": export,
    "ort-int8-u8s8.onnx": lambda sources: ort(sources, "u8"),
    "ort-int8-s8s8.onnx": lambda sources: ort(sources, "s8"),
    "openvino-int8-nncf.xml": openvino,
    "litert-float32.tflite": litert_float,
    "litert-int8.tflite": litert,
    "ncnn-float32.param": ncnn,
}

if __name__ == "__main__":
    CONVERSIONS[sys.argv[2]](Sources(sys.argv[1], Path(sys.argv[3])))
