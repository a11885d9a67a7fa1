"""Checks of the Swift, C and Python sources that a compiler and a formatter leave open."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from tree import Tree, is_generated

LONGEST_FILE = 700
IMPORT = re.compile(
    r"^\s*(?P<attributes>(?:@\w+(?:\([^)]*\))?\s+)*)(?:(?P<access>package|internal|private|public|fileprivate)\s+)?"
    r"import\s+(?:(?:struct|class|enum|protocol|actor|typealias|func|let|var)\s+)?(?P<module>\w+)")
# Names that say nothing of what they name.
EMPTY_WORDS = {"Utils", "Common", "Helpers", "Manager", "Base", "Misc"}
DECLARATION = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:\w+(?:\(\w+\))?\s+)*?"
    r"(?:struct|class|enum|union|actor|protocol|typealias)\s+(?P<name>[A-Za-z]\w*)")
WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])")


def empty_words(name: str) -> list[str]:
    """The words of a CamelCase or snake_case name that are banned, in whichever case."""
    return [word for word in WORD.findall(name) if word.capitalize() in EMPTY_WORDS]


def empty_names(tree: Tree):
    for path in tree.paths:
        for part in PurePosixPath(path).with_suffix("").parts:
            for word in empty_words(part):
                yield f"{path}:1: named '{word}'"
    for path, number, match in tree.grep(DECLARATION, tree.matching(".swift", ".c", ".h", ".py")):
        for word in empty_words(match["name"]):
            if not is_generated(path):
                yield f"{path}:{number}: {match['name']} is named '{word}'"


def lengths(tree: Tree):
    for path in tree.matching(".swift", ".c", ".h"):
        length = len(tree.lines(path))
        if length > LONGEST_FILE and not is_generated(path):
            yield f"{path}:{length}: longer than {LONGEST_FILE} lines; split it by capability"


def imports_of(tree: Tree, under: str):
    """Yields (path, line number, match of IMPORT) of the Swift files under a folder."""
    yield from tree.grep(IMPORT, [path for path in tree.matching(".swift") if path.startswith(under)])


def import_access(tree: Tree):
    for folder in ("Sources/", "Tests/"):
        for path, number, match in imports_of(tree, folder):
            if match["access"] is None:
                yield f"{path}:{number}: import of {match['module']} without an access level"
            if "@testable" in match["attributes"]:
                yield f"{path}:{number}: @testable; tests run in release and see `package`"
