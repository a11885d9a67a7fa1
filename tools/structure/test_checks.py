"""Holds every check to a tree with one thing wrong and to a tree with nothing wrong.

    python3 tools/structure/test_checks.py
"""

from __future__ import annotations

import contextlib
import tempfile
import unittest
from pathlib import Path

import rooms
import sources
import tree as trees

HOUSE = rooms.House(
    levels={"Ground": 0, "Left": 1, "Right": 1, "Top": 2, "roof": 3},
    never_linked={"roof": ["Left"]},
    toolchain_modules={"Foundation"},
    testing_modules={"Testing"})


def manifest(**dependencies: list[str]) -> dict:
    """What `swift package dump-package` prints of targets; "gRPC:Core" names a product."""
    def target(name: str, needs: list[str]) -> dict:
        return {
            "name": name, "type": "test" if name.endswith("Tests") else "regular",
            "dependencies": [
                {"product": [need.split(":")[1], need.split(":")[0], None]} if ":" in need else {"byName": [need, None]}
                for need in needs]}
    return {"targets": [target(name, needs) for name, needs in dependencies.items()]}


class Checks(unittest.TestCase):
    @contextlib.contextmanager
    def tree(self, files: dict[str, str], executable: tuple[str, ...] = ()):
        with tempfile.TemporaryDirectory() as folder:
            for path, text in files.items():
                (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
                (Path(folder) / path).write_text(text)
                (Path(folder) / path).chmod(0o755 if path in executable else 0o644)
            yield trees.Tree(Path(folder), list(files))

    def expect(self, findings, *beginnings: str):
        found = list(findings)
        self.assertEqual(len(found), len(beginnings), found)
        for finding, beginning in zip(found, beginnings):
            self.assertTrue(finding.startswith(beginning), f"{finding!r} does not begin with {beginning!r}")

    def test_arrows(self):
        package = "targets: [\n" + "".join(f'  room("{name}"),\n' for name in HOUSE.levels) + "]"
        with self.tree({"Package.swift": package}) as tree:
            def arrows(**dependencies):
                return rooms.arrows(tree, rooms.targets(manifest(**dependencies)), HOUSE)
            self.expect(arrows(Ground=[], Left=["Ground"], Top=["Left", "gRPC:Core"], TopTests=["Top"]))
            self.expect(arrows(Left=[], Right=["Left"]), "Package.swift:4: Right (level 1) depends on Left (level 1)")
            self.expect(arrows(Left=["Top"], Top=[]), "Package.swift:3: Left (level 1) depends on Top (level 2)")
            self.expect(arrows(Attic=[]), "Package.swift:1: Attic has no level")
            self.expect(arrows(Left=[], Top=["Left"], roof=["Top"]), "Package.swift:6: roof links Left")
            self.expect(arrows(Top=["TopTests"], TopTests=[]), "Package.swift:5: Top depends on TopTests")

    def test_imports(self):
        graph = rooms.targets(manifest(Ground=[], Left=["Ground", "gRPC:Core"], LeftTests=["Left"]))
        fine = {
            "Sources/Left/A.swift": "package import Ground\ninternal import Core\nprivate import Foundation\n",
            "Tests/LeftTests/A.swift": "internal import Testing\n"}
        with self.tree(fine) as tree:
            self.expect(rooms.imports(tree, graph, HOUSE))
            self.expect(sources.import_access(tree))
        wrong = {
            "Package.swift": "",
            "Sources/Left/A.swift": "internal import Testing\n@preconcurrency import struct Top.Roof\n",
            "Tests/LeftTests/A.swift": "@testable internal import Left\n"}
        with self.tree(wrong) as tree:
            self.expect(
                rooms.imports(tree, graph, HOUSE),
                "Sources/Left/A.swift:1: imports Testing", "Sources/Left/A.swift:2: imports Top",
                "Package.swift:1: Left depends on Ground, which it does not import")
            self.expect(
                sources.import_access(tree),
                "Sources/Left/A.swift:2: import of Top without", "Tests/LeftTests/A.swift:1: @testable")

    def test_folders_and_modules(self):
        graph = rooms.targets(manifest(Left=[]))
        files = {"Sources/Left/A.swift": "struct Left {\n    enum Left {}\n}", "Sources/Attic/B.swift": ""}
        with self.tree(files) as tree:
            self.expect(rooms.folders(tree, graph), "Sources/Attic/: no target")
            self.expect(rooms.shadowing(tree, graph), "Sources/Left/A.swift:1: type Left hides")

    def test_names(self):
        fine = "// class Manager\nlet base = manager.helpers\nstruct Database {}\nclass func misc()"
        with self.tree({"Sources/A/Base64.swift": fine}) as tree:
            self.expect(sources.empty_names(tree))
        wrong = {
            "Sources/A/StringUtils.swift": "@frozen package final class SessionManager {}",
            "tools/misc.py": "class BaseLayer:\n    pass",
            "Sources/Common/a.c": "typedef struct common_state common_state;",
            "Sources/A/Generated/a.pb.swift": "struct Base {}"}
        with self.tree(wrong) as tree:
            self.expect(
                sources.empty_names(tree), "Sources/A/StringUtils.swift:1", "Sources/Common/a.c:1", "tools/misc.py:1",
                "Sources/A/StringUtils.swift:1: SessionManager", "Sources/Common/a.c:1: common_state",
                "tools/misc.py:1: BaseLayer")

    def test_lengths(self):
        long = "\n" * (sources.LONGEST_FILE + 1)
        with self.tree({"a.swift": long[1:], "b.c": long, "Sources/A/Generated/c.swift": long}) as tree:
            self.expect(sources.lengths(tree), "b.c:701: longer")

    def test_open_tasks(self):
        mark = "TO" + "DO"
        lines = f"// {mark}: fuse with the clamp once measured\n// {mark}\n// {mark}: later\nlet {mark.lower()} = 1\n"
        with self.tree({"a.swift": lines}) as tree:
            self.expect(trees.unexplained_tasks(tree), "a.swift:2", "a.swift:3")

    def test_sizes_and_build_products(self):
        paths = ["a", ".build/b", "x/Package.resolved", ".venv/c", "environment.md"]
        with self.tree(dict.fromkeys(paths, "")) as tree:
            with open(tree.root / "a", "wb") as file:
                file.truncate(trees.LARGEST_FILE + 1)
            self.expect(
                trees.sizes_and_build_products(tree), ".build/b:", ".venv/c:", "a: 5.0 MiB", "x/Package.resolved:")

    def test_conflict_markers(self):
        with self.tree({"a.md": "Title\n=======\n" + "<" * 7 + " HEAD\n", "b.md": "a <<<<<<< b"}) as tree:
            self.expect(trees.conflict_markers(tree), "a.md:3")

    def test_scripts(self):
        files = {
            "good": "#!/bin/sh\ntrue\n", "plain": "#!/usr/bin/env bash\nif true\n", "data": "",
            "a.py": "x = 1\ndef f(:\n"}
        with self.tree(files, executable=("good", "data")) as tree:
            self.expect(trees.script_modes(tree), "data: executable", "plain:1: names an interpreter")
            self.expect(trees.script_syntax(tree), "a.py:2:", "plain: line ")


if __name__ == "__main__":
    unittest.main()
