"""Networks with seeded random weights, written as ONNX files by PyTorch's two exporters."""
