"""Runs the checks of the tree's form; see tools/check."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import rooms
import sources
import tree as trees


def formatting(tree: trees.Tree):
    ours = ("Package.swift", "Sources/", "Tests/", "tools/")
    files = [path for path in tree.matching(".swift") if not trees.is_generated(path) and path.startswith(ours)]
    lint = subprocess.run(
        ["swift", "format", "lint", "--strict", "--parallel", "--configuration", ".swift-format", *files],
        cwd=tree.root, capture_output=True, text=True)
    if lint.returncode != 0:
        yield from lint.stderr.strip().splitlines() or ["swift format failed without a word"]


def read_targets(root: Path) -> dict[str, rooms.Target]:
    dump = subprocess.run(["swift", "package", "dump-package"], cwd=root, capture_output=True, text=True)
    if dump.returncode != 0:
        raise ValueError("Package.swift: " + dump.stderr.strip())
    return rooms.targets(json.loads(dump.stdout))


def self_test(tree: trees.Tree):
    run = subprocess.run(
        [sys.executable, "tools/structure/test_checks.py"], cwd=tree.root, capture_output=True, text=True)
    if run.returncode != 0:
        yield run.stderr.strip()


def main() -> int:
    root = Path(__file__).resolve().parents[2]
    tree = trees.Tree.of_repository(root)
    house = rooms.House.read(Path(__file__).with_name("rooms.json"))
    checks = {"these checks find what they look for": self_test(tree), "Swift is formatted": formatting(tree)}
    try:
        graph = read_targets(root)
        checks |= {
            "rooms depend on lower rooms only": rooms.arrows(tree, graph, house),
            "imports are the declared dependencies": rooms.imports(tree, graph, house),
            "every source folder is built": rooms.folders(tree, graph),
            "no type hides a module": rooms.shadowing(tree, graph),
        }
    except ValueError as error:
        checks["the manifest is valid"] = [str(error)]
    checks |= {
        "imports state their access level": sources.import_access(tree),
        "names say what they name": sources.empty_names(tree),
        f"no source is longer than {sources.LONGEST_FILE} lines": sources.lengths(tree),
        "open tasks say what remains": trees.unexplained_tasks(tree),
        "no large file, no build product": trees.sizes_and_build_products(tree),
        "no conflict markers": trees.conflict_markers(tree),
        "scripts parse": trees.script_syntax(tree),
        "scripts are executable": trees.script_modes(tree),
    }
    failed = 0
    for title, findings in checks.items():
        found = list(findings)
        failed += bool(found)
        print("FAILED " if found else "ok     ", title, flush=True)
        for finding in found:
            print("    " + finding.replace("\n", "\n    "), flush=True)
    print(f"{failed} of {len(checks)} checks failed" if failed else f"all {len(checks)} checks hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
