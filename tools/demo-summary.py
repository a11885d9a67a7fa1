"""Sums up the lines of cleave-edge over labelled frames; exits 1 unless every label is right.

usage: demo-summary.py FRAME_LABELS CLASS_NAMES RESULTS
"""

import json
import statistics
import sys
from pathlib import Path


def main() -> int:
    frame_labels, class_names, results = sys.argv[1:]
    names = Path(class_names).read_text().split()
    expected = {}
    for line in Path(frame_labels).read_text().splitlines():
        frame, label = line.rsplit(maxsplit=1)
        expected[frame] = names[int(label)]
    records = [json.loads(line) for line in Path(results).read_text().splitlines()]
    wrong = []
    for record in records:
        if record.get("label") != expected[Path(record["image"]).name]:
            wrong.append(f"{record['image']}: {record.get('label') or record.get('error')}")
    by_source = {source: sum(r.get("source") == source for r in records) for source in ("cloud", "local")}

    def median(key: str) -> float:
        return statistics.median(r["times_ms"].get(key) or 0 for r in records)

    cut = records[0]["cut"] or "edge-only"
    print(f"cut {cut}: {len(records) - len(wrong)} of {len(expected)} right, {by_source['cloud']} by the cloud, "
          f"{by_source['local']} here; {statistics.median(r['bytes_sent'] for r in records):.0f} bytes a frame")
    print("  ms: " + "  ".join(f"{key} {median(key):.2f}" for key in ("preprocess", "head", "encode", "wait", "total")))
    for record in records[:3]:
        print(f"  {Path(record['image']).name}: {record.get('label')}")
    for line in wrong:
        print(f"  WRONG {line}")
    return 0 if not wrong and len(records) == len(expected) else 1


if __name__ == "__main__":
    sys.exit(main())
