"""The working tree as git sees it, and checks of it that ask nothing of a language."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

LARGEST_FILE = 5 << 20
BUILD_PRODUCT = re.compile(r"(^|/)(\.build[^/]*|\.swiftpm|\.?venv|__pycache__)/|(^|/)Package\.resolved$|\.pyc$")
CONFLICT_MARKER = re.compile(r"^(<{7}|\|{7}|>{7}) ")
UNEXPLAINED_TASK = re.compile(r"\b(?:TO_?DO|FIX_?ME)\b(?!: *\S+ +\S+ +\S+)")


class Tree:
    """A folder and the paths in it that count: tracked, or new and not ignored."""

    def __init__(self, root: Path, paths: list[str]):
        self.root = root
        self.paths = sorted(path for path in set(paths) if (root / path).is_file())

    @classmethod
    def of_repository(cls, root: Path) -> Tree:
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root, check=True, capture_output=True, text=True)
        return cls(root, [path for path in listing.stdout.split("\0") if path])

    def matching(self, *suffixes: str) -> list[str]:
        return [path for path in self.paths if path.endswith(suffixes)]

    @cache
    def lines(self, path: str) -> list[str]:
        """The file's lines; none if it is not text."""
        content = (self.root / path).read_bytes()
        if b"\0" in content[:8192]:
            return []
        return content.decode(errors="replace").splitlines()

    def first_line(self, path: str) -> str:
        return next(iter(self.lines(path)), "")

    def grep(self, pattern: re.Pattern, paths: list[str]):
        """Yields (path, line number, match) of the first match in every line."""
        for path in paths:
            for number, line in enumerate(self.lines(path), 1):
                if match := pattern.search(line):
                    yield path, number, match


def is_generated(path: str) -> bool:
    return "/Generated/" in path


def sizes_and_build_products(tree: Tree):
    for path in tree.paths:
        if BUILD_PRODUCT.search(path):
            yield f"{path}: made by a build, and not to be committed"
        size = (tree.root / path).stat().st_size
        if size > LARGEST_FILE:
            yield f"{path}: {size / (1 << 20):.1f} MiB, over {LARGEST_FILE >> 20} MiB"


def conflict_markers(tree: Tree):
    for path, number, _ in tree.grep(CONFLICT_MARKER, tree.paths):
        yield f"{path}:{number}: a merge left its conflict marker"


def unexplained_tasks(tree: Tree):
    code = tree.matching(".swift", ".c", ".h", ".py", ".proto") + scripts(tree)
    for path, number, match in tree.grep(UNEXPLAINED_TASK, code):
        if not is_generated(path):
            yield f"{path}:{number}: {match[0]} without what remains and why"


def scripts(tree: Tree) -> list[str]:
    return [path for path in tree.paths if tree.first_line(path).startswith("#!")]


def script_modes(tree: Tree):
    with_interpreter = set(scripts(tree))
    for path in tree.paths:
        executable = bool((tree.root / path).stat().st_mode & 0o111)
        if executable and path not in with_interpreter:
            yield f"{path}: executable, but its first line names no interpreter"
        if not executable and path in with_interpreter:
            yield f"{path}:1: names an interpreter, but is not executable"


def script_syntax(tree: Tree):
    for path in tree.matching(".py"):
        try:
            compile((tree.root / path).read_bytes(), path, "exec")
        except SyntaxError as error:
            yield f"{path}:{error.lineno}: {error.msg}"
    for path in scripts(tree):
        if shell := re.search(r"\b(bash|sh)$", tree.first_line(path)):
            parsed = subprocess.run([shell[1], "-n", path], cwd=tree.root, capture_output=True, text=True)
            if parsed.returncode != 0:
                yield parsed.stderr.strip()
