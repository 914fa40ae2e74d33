"""What the wheel contains, and that the version is said once."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import autograd_gpu

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
def test_wheel_holds_everything(tmp_path):
    """One pure-Python wheel, with the kernels as `_kernels`, the digits, the type marker and the stub."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for wanted in ("py.typed", "__init__.pyi", "datasets/digits.npz", "_kernels/common.cuh", "_kernels/elementwise.cu"):
        assert f"autograd_gpu/{wanted}" in names, wanted
    assert not any(n.startswith(("tests/", "kernels/", "bench/")) for n in names)


def test_only_numpy_is_required():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == ["numpy>=2.0"]
    assert not any("torch" in need for extra in project["optional-dependencies"].values() for need in extra)


def test_version():
    assert autograd_gpu.__version__.count(".") == 2
