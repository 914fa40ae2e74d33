"""The GEMM wrapper calls CuPy's installed bindings of cuBLAS by their own names and signatures."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MISSING = [tool for tool in ("g++", "nm") if shutil.which(tool) is None]


@pytest.mark.skipif(importlib.util.find_spec("cupy_backends") is None, reason="CuPy is not installed")
@pytest.mark.skipif(bool(MISSING), reason=f"needs {' and '.join(MISSING)}")
def test_products_through_the_installed_bindings(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.cuda.through_cupy", str(tmp_path)], cwd=ROOT, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.endswith("agreed\n"), done.stderr[-3000:]
