"""The files of the house, each parsed once: what tests/walls.py and the tests of the house go through."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FREE = frozenset({"tests", "bench", "script"})
NOT_OURS = frozenset({"build", "dist", "var", "node_modules"})


@dataclass(frozen=True)
class Source:
    """One file of Python, parsed."""

    path: Path
    name: str  # relative, with slashes
    package: str  # dotted
    tree: ast.Module
    nodes: Sequence[ast.AST]  # the tree and all below it, gone through once for every rule
    aliases: Mapping[str, str]  # what a local name stands for

    @property
    def top(self) -> str:
        return self.name.split("/")[0]

    @property
    def module(self) -> str:
        return self.name.removesuffix(".py").replace("/", ".")

    @property
    def free(self) -> bool:
        return self.top in FREE


def sources(root: Path) -> Iterator[Source]:
    """Return every file of ours, parsed; `pip install ./verify` leaves copies of some in verify/build."""
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        if parts[0] not in NOT_OURS and parts[:2] != ("verify", "build") and not any(each[0] == "." for each in parts):
            yield _parsed(path, parts, path.read_text("utf-8"))


@cache
def _parsed(path: Path, parts: tuple[str, ...], text: str) -> Source:
    """Parse a file once, however often the tree is gone through."""
    tree = ast.parse(text, str(path))
    nodes = tuple(ast.walk(tree))
    return Source(path, "/".join(parts), ".".join(parts[:-1]), tree, nodes, _aliases(nodes))


def _aliases(nodes: Sequence[ast.AST]) -> dict[str, str]:
    found = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found
