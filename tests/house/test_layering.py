"""Imports go downwards only, heavy libraries are imported lazily, and PyTorch never."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_gpu

ROOT = Path(autograd_gpu.__file__).parent
FLOORS = ["_core", "autograd", "_ops", "faces", "nn", "optim", "utils"]
"""From the ground up. `faces` are the small modules beside the packages."""

HOME = {
    "_core": 0, "autograd": 1, "_ops": 2, "nn": 4, "optim": 5, "utils": 6, "_serialization": 6, "serialization": 6,
    "datasets": 6, "cli": 7, "__main__": 8, "__init__": 9, "testing": 6, "viz": 6, "cuda": 3, "_cuda": 2, "backends": 3,
}  # fmt: skip
LAZY_ONLY = {"cupy", "ml_dtypes", "tqdm", "matplotlib", "igraph", "graphviz"}
FILES = sorted(ROOT.rglob("*.py"))


def floor(parts):
    return HOME.get(parts[0].removesuffix(".py"), 3) if parts else 9


def imports(tree):
    """(module, level, line, at the top of the module?) of every import."""
    top = set()
    stack = list(tree.body)
    while stack:
        node = stack.pop()
        top.add(node)
        if isinstance(node, (ast.If, ast.Try)):
            stack += [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.stmt)]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""] if node.module else [alias.name for alias in node.names]
            for name in names:
                yield name, node.level, node.lineno, node in top
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, 0, node.lineno, node in top


def relative(path):
    return path.relative_to(ROOT).parts


@pytest.mark.parametrize("path", FILES, ids=lambda p: "/".join(relative(p)))
def test_imports_go_down(path):
    parts = relative(path)
    package = parts[:-1]
    for module, level, line, _ in imports(ast.parse(path.read_text())):
        if not level:
            assert module.split(".")[0] != "torch", f"{path}:{line} imports torch"
            assert module.split(".")[0] != "autograd_gpu" or floor(parts) > 6, f"{path}:{line}: import relatively"
            continue
        target = (*package[: len(package) - level + 1], *module.split("."))
        if target[0] and floor(target) > floor(parts):
            raise AssertionError(f"{'/'.join(parts)}:{line} imports upwards from {'.'.join(target)}")


@pytest.mark.parametrize("path", FILES, ids=lambda p: "/".join(relative(p)))
def test_heavy_libraries_are_lazy(path):
    for module, level, line, top in imports(ast.parse(path.read_text())):
        name = module.split(".")[0]
        if level == 0 and name in LAZY_ONLY:
            assert not top, f"{path}:{line} imports {name} when it is imported itself"
        if level == 0 and name == "cupy":
            assert path.name == "library.py", f"{path}:{line}: CuPy is imported in _core/library.py only"


def test_import_is_light():
    """Importing the package loads none of the optional libraries."""
    code = "import sys, autograd_gpu; print([m for m in ('cupy', 'matplotlib', 'tqdm', 'torch', 'scipy') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
