"""The house: rooms (targets) on levels, and arrows (dependencies) that only go down.

rooms.json has the levels from the ground up; what must never be linked, however indirectly; and the modules that come
with the toolchain.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from sources import DECLARATION, imports_of
from tree import Tree


@dataclass(frozen=True)
class House:
    levels: dict[str, int]
    never_linked: dict[str, list[str]]
    toolchain_modules: set[str]
    testing_modules: set[str]

    @classmethod
    def read(cls, path: Path) -> House:
        plan = json.loads(path.read_text())
        return cls(
            levels={room: level for level, rooms in enumerate(plan["levels"]) for room in rooms},
            never_linked=plan["neverLinked"],
            toolchain_modules=set(plan["toolchainModules"]),
            testing_modules=set(plan["testingModules"]))


@dataclass(frozen=True)
class Target:
    name: str
    folder: str
    rooms: list[str]
    products: list[str]

    @property
    def is_for_tests(self) -> bool:
        return self.folder.startswith("Tests/")


def targets(package: dict) -> dict[str, Target]:
    """The targets in the JSON of `swift package dump-package`."""
    result = {}
    names = {target["name"] for target in package["targets"]}
    for target in package["targets"]:
        dependencies = [
            dependency[kind][0] for dependency in target["dependencies"]
            for kind in ("target", "product", "byName") if kind in dependency]
        folder = target.get("path") or ("Tests/" if target["type"] == "test" else "Sources/") + target["name"]
        result[target["name"]] = Target(
            target["name"], folder.rstrip("/") + "/",
            rooms=[name for name in dependencies if name in names],
            products=[name for name in dependencies if name not in names])
    return result


def reached(name: str, graph: dict[str, Target]) -> set[str]:
    """All that a target links, itself included."""
    found, waiting = set(), [name]
    while waiting:
        if (room := waiting.pop()) not in found:
            found.add(room)
            waiting += graph[room].rooms
    return found


def arrows(tree: Tree, graph: dict[str, Target], house: House):
    for target in graph.values():
        if target.is_for_tests:
            continue
        here = f"Package.swift:{declaration_line(tree, target.name)}"
        if target.name not in house.levels:
            yield f"{here}: {target.name} has no level in tools/structure/rooms.json"
            continue
        for room in target.rooms:
            if room not in house.levels:
                yield f"{here}: {target.name} depends on {room}, which is no room"
            elif house.levels[room] >= house.levels[target.name]:
                yield (f"{here}: {target.name} (level {house.levels[target.name]}) depends on {room} "
                       f"(level {house.levels[room]}); arrows go down")
        for room in sorted(reached(target.name, graph) & set(house.never_linked.get(target.name, []))):
            yield f"{here}: {target.name} links {room}, which it must do without"


def imports(tree: Tree, graph: dict[str, Target], house: House):
    """Imports name declared dependencies, and a room imports every room it depends on."""
    for target in graph.values():
        allowed = {*target.rooms, *target.products, *house.toolchain_modules}
        if target.is_for_tests:
            allowed |= house.testing_modules
        imported = set()
        for path, number, match in imports_of(tree, target.folder):
            imported.add(match["module"])
            if match["module"] not in allowed:
                yield f"{path}:{number}: imports {match['module']}, on which {target.name} does not depend"
        for room in target.rooms:
            if room not in imported and not target.is_for_tests:
                yield (f"Package.swift:{declaration_line(tree, target.name)}: {target.name} depends on {room}, "
                       "which it does not import")


def folders(tree: Tree, graph: dict[str, Target]):
    """Every folder under Sources and Tests belongs to a target: what is not built is not tested."""
    built = {target.folder for target in graph.values()}
    for folder in sorted({"/".join(path.split("/")[:2]) + "/" for path in tree.matching(".swift", ".c", ".h")
                          if path.startswith(("Sources/", "Tests/"))} - built):
        yield f"{folder}: no target of Package.swift builds it"


def shadowing(tree: Tree, graph: dict[str, Target]):
    """A type named as a module makes the module's other names unreachable."""
    for path, number, match in tree.grep(DECLARATION, tree.matching(".swift")):
        if match["name"] in graph and not match[0][0].isspace():
            yield f"{path}:{number}: type {match['name']} hides the module of that name"


def declaration_line(tree: Tree, target: str) -> int:
    declared = re.compile(rf'(?<!\.executable)(?<!\.library)\((?:name: )?"{re.escape(target)}"')
    return next((number for _, number, _ in tree.grep(declared, ["Package.swift"])), 1)
