"""Imports inside functions run late: every name they ask for must be there."""

import ast
import importlib
from pathlib import Path

import pytest

import autograd_gpu

ROOT = Path(autograd_gpu.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))


def relative_imports(path):
    """(module, name, line) of each `from .module import name`, at any depth of the code."""
    parts = ("autograd_gpu", *path.relative_to(ROOT).with_suffix("").parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = parts[: len(parts) - node.level]
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((module, alias.name, node.lineno) for alias in node.names if alias.name != "*")


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.relative_to(ROOT).parts))
def test_names_exist(path):
    for module, name, line in relative_imports(path):
        home = importlib.import_module(module)
        if not hasattr(home, name):
            importlib.import_module(f"{module}.{name}")
        assert hasattr(home, name), f"line {line}: {module} has no {name}"
