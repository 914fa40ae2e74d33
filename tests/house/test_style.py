"""The house rules on files: sizes, line and function lengths, docstrings, `__all__`, and words that do not belong."""

import ast
import importlib
import re
from pathlib import Path

import pytest

import autograd_gpu

ROOT = Path(autograd_gpu.__file__).parent
PRAGMA = re.compile(r"\s+# (type: ignore|noqa|fmt:).*$")
FILES = sorted(ROOT.rglob("*.py"))
ids = lambda path: "/".join(path.relative_to(ROOT).parts)  # noqa: E731


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_file_is_small(path):
    lines = [PRAGMA.sub("", line) for line in path.read_text().splitlines()]
    assert len(lines) <= 400, f"{len(lines)} lines: split it, one chapter a file"
    assert max(map(len, lines), default=0) <= 100, [i for i, s in enumerate(lines, 1) if len(s) > 100]


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_functions_are_short(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert length <= 40, f"{node.name} at line {node.lineno} has {length} lines"


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_module_says_what_it_holds(path):
    assert ast.get_docstring(ast.parse(path.read_text())), path


def test_median_file_is_about_a_page():
    sizes = sorted(len(p.read_text().splitlines()) for p in FILES)
    assert sizes[len(sizes) // 2] <= 150


PUBLIC = [
    "autograd", "autograd.functional", "autograd.profiler", "linalg", "nn", "nn.functional", "nn.init", "nn.utils", "optim",
    "optim.lr_scheduler", "profiler", "random", "serialization", "special", "testing", "utils.data", "datasets", "viz",
]  # fmt: skip


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names(name):
    """A public module lists what it offers; each name is there and is documented."""
    module = importlib.import_module(f"autograd_gpu.{name}")
    assert module.__all__ and len(set(module.__all__)) == len(module.__all__)
    for each in module.__all__:
        thing = getattr(module, each)
        if callable(thing):
            assert thing.__doc__, f"{name}.{each} has no docstring"


def test_tensor_methods_are_documented():
    for name, value in vars(autograd_gpu.Tensor).items():
        if not name.startswith("_") and (callable(value) or isinstance(value, property)):
            assert value.__doc__, f"Tensor.{name} has no docstring"


def test_errors_for_users_are_raised():
    """`assert` with a message is for users what `python -O` takes away and what pytest, which rewrites installed plugins, changes."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            message = getattr(node, "msg", None) if isinstance(node, ast.Assert) else None
            assert not isinstance(message, (ast.Constant, ast.JoinedStr)), f"{path}:{node.lineno}"
