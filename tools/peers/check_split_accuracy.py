#!/usr/bin/env python3
"""Measures what splitting costs in accuracy: int8 head, lossless codec, float32 tail at the middle cut.

Ranges are calibrated on pictures that are not evaluated: of ImageNet's every fifth calibrates and the other four are
evaluated; the shipped model has folders for both. Fails if the split network's class is the float32 network's on fewer than
90 % of the pictures, or if cleave's report is not what its outputs and the labels say.
"""

from pathlib import Path

import numpy

from cleave_peers import Bench, Network, Table, labelled, linked, run_checks

LEAST_AGREEMENT = 0.9


def picture_folders(bench: Bench, network: Network) -> tuple[Path, Path]:
    """Pictures to calibrate on, and others to evaluate."""
    calibration = network.folder.with_name("calibration")
    if calibration.is_dir():
        return calibration, network.folder
    pictures = labelled(network.folder)
    return (
        linked(bench.scratch / f"{network.name}-calibration", pictures[::5]),
        linked(bench.scratch / f"{network.name}-evaluation", [p for i, p in enumerate(pictures) if i % 5]),
    )


def check_network(bench: Bench, network: Network, table: Table):
    calibration, evaluation = picture_folders(bench, network)
    labels = numpy.array([picture.label for picture in labelled(evaluation)])
    package = bench.imported(network)
    bench.cleave("quantize", package, "--calibration", calibration)

    exact_classes = None
    configurations = {"float32": [], "int8": ["--arithmetic", "int8"], "split": ["--cut", "middle", "--codec", "8bit/rle"]}
    for name, options in configurations.items():
        report, outputs = bench.evaluate(package, evaluation, *options)
        classes = outputs.argmax(axis=1)
        exact_classes = classes if exact_classes is None else exact_classes
        counted = {"top1": numpy.mean(classes == labels)}
        if name != "float32":
            counted["agreement"] = numpy.mean(classes == exact_classes)
        size = f"{report['medianEncodedBytes']} B" if name == "split" else ""
        table.add(
            f"{network.name} {report['configuration']}", len(labelled(calibration)), len(labels), f"{counted['top1']:.1%}",
            f"{counted.get('agreement', 1):.1%}", size)
        reported = {key: report[key] for key in counted}
        bench.tally.check(
            f"{network.name}, {name}: report", all(abs(reported[key]["share"] - counted[key]) < 1e-12 for key in counted),
            f"{reported}, counted {counted}")
        if name == "split":
            bench.tally.check(
                f"{network.name}: same class as float32 at the middle cut", counted["agreement"] >= LEAST_AGREEMENT,
                f"{counted['agreement']:.1%} of {len(labels)} pictures")


def check(bench: Bench):
    networks = bench.networks()
    table = Table("network", "calibrated on", "pictures", "top-1", "as float32", "boundary", first=60)
    for network in networks:
        with bench.tally.programs_run(network.name):
            check_network(bench, network, table)


if __name__ == "__main__":
    run_checks(__doc__, check)
