#!/usr/bin/env python3
"""Holds the float32 engine to ONNX Runtime over whole labelled sets: same class on every picture, same outputs.

The two read the same files and share nothing: cleave decodes, prepares and runs pictures itself; the peer is Pillow, numpy
and ONNX Runtime. Outputs may differ by 1e-4 of the largest magnitude in a picture's output. The test data's record of ONNX
Runtime's answers on another machine has to agree too.
"""

import time

import numpy

from cleave_peers import Bench, Network, Picture, Table, labelled, relative_errors, run_checks

TOLERANCE = 1e-4


def recorded_classes(bench: Bench, network: Network, pictures: list[Picture]) -> numpy.ndarray | None:
    """The class of each of `pictures` as the test data records it; its rows are in the order of labels.txt."""
    if not bench.data or bench.data not in network.folder.parents:
        return None
    record = numpy.load(bench.data / "reference/onnxruntime_val_top5.npz")[f"imagenet__{network.onnx.stem}"]
    names = [line.split()[0] for line in (network.folder / "labels.txt").read_text().splitlines()]
    classes = dict(zip(names, record[:, 0], strict=True))
    return numpy.array([classes[picture.path.name] for picture in pictures])


def check_network(bench: Bench, network: Network, table: Table):
    pictures = labelled(network.folder)
    labels = numpy.array([picture.label for picture in pictures])
    package = bench.imported(network)
    start = time.monotonic()
    report, outputs = bench.evaluate(package, network.folder)
    cleave_seconds = time.monotonic() - start

    session = network.peer()
    start = time.monotonic()
    expected = numpy.stack(
        [session.run(None, {session.get_inputs()[0].name: network.tensor(picture)})[0].ravel() for picture in pictures])
    peer_seconds = time.monotonic() - start

    check = bench.tally.check
    if not check(f"{network.name}: output for every picture", outputs.shape == expected.shape, outputs.shape):
        return
    errors = relative_errors(outputs, expected)
    got_classes, expected_classes = outputs.argmax(axis=1), expected.argmax(axis=1)
    accuracy, peer_accuracy = numpy.mean(got_classes == labels), numpy.mean(expected_classes == labels)
    table.add(
        network.name, len(pictures), f"{accuracy:.1%}", f"{peer_accuracy:.1%}",
        numpy.count_nonzero(got_classes == expected_classes), f"{errors.max():.1e}", f"{cleave_seconds:.1f} s",
        f"{peer_seconds:.1f} s")

    def differing(classes: numpy.ndarray) -> str:
        return ", ".join(pictures[index].path.name for index in numpy.flatnonzero(got_classes != classes)[:8])

    check(
        f"{network.name}: top-1 of every picture", numpy.array_equal(got_classes, expected_classes),
        differing(expected_classes))
    worst = pictures[errors.argmax()].path.name
    check(f"{network.name}: outputs within {TOLERANCE} relative", errors.max() <= TOLERANCE, f"{errors.max():.3g} on {worst}")
    check(f"{network.name}: reported top-1", abs(report["top1"]["share"] - accuracy) < 1e-12, f"{report['top1']['share']}, counted {accuracy}")
    recorded = recorded_classes(bench, network, pictures)
    if recorded is not None:
        check(f"{network.name}: recorded top-1", numpy.array_equal(got_classes, recorded), differing(recorded))


def check(bench: Bench):
    networks = bench.networks()
    table = Table("network", "pictures", "top-1", "peer's", "same", "worst error", "cleave", "peer")
    for network in networks:
        with bench.tally.programs_run(network.name):
            check_network(bench, network, table)


if __name__ == "__main__":
    run_checks(__doc__, check)
