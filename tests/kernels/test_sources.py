"""The files of kernels: found, inlined, described, and agreeing with the manifest."""

import re
from collections import Counter

import numpy as np
import pytest

from autograd_gpu._core.manifest import KERNELS, LAYOUT, MAX_DIMS, Elementwise
from autograd_gpu._core.sources import formulas, kernel_folder, source
from autograd_gpu._ops.declare import KERNELS as DECLARED
from autograd_gpu.testing.emulator import build

from .readme import render

FILES = sorted(p.name for p in kernel_folder().glob("*.cu"))


def test_readme_is_fresh():
    text = (kernel_folder() / "README.md").read_text(encoding="utf-8")
    assert text == render(), "stale: run python -m tests.kernels.readme"


@pytest.mark.parametrize("file", FILES)
def test_manifest_and_comments_agree(file):
    """Each kernel has its comment of one line and its row; each elementwise row its functor, and
    each functor its row."""
    rows = {name: kernel for name, kernel in KERNELS.items() if kernel.file == file}
    assert set(formulas(file)) == set(rows)
    ours = {
        kernel.functor.removeprefix("ag::")
        for kernel in rows.values() if isinstance(kernel, Elementwise)
    }  # fmt: skip
    own = (kernel_folder() / file).read_text(encoding="utf-8")
    functors = set(re.findall(r"^struct (\w+)", own, re.M))
    assert ours <= functors and (not ours or functors == ours)


def test_every_elementwise_kernel_stands_for_something():
    ours = {name for name, kernel in KERNELS.items() if isinstance(kernel, Elementwise)}
    assert ours <= set(DECLARED)


@pytest.mark.parametrize("name", KERNELS)
def test_instances_are_all_different(name):
    for dtype in KERNELS[name].dtypes:
        assert max(Counter(KERNELS[name].instances(dtype)).values()) == 1


EMULATOR = [p for name in ("*.h", "*.cpp") for p in sorted(build.HERE.rglob(name))]


@pytest.mark.parametrize("path", [*kernel_folder().glob("*.cu*"), *EMULATOR], ids=lambda p: p.name)
def test_style(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("// ") and len(lines) <= 400
    assert not [n for n, line in enumerate(lines, 1) if len(line) > 100 or line != line.rstrip()]


def test_limits_are_those_of_the_header():
    text = (kernel_folder() / "common.cuh").read_text(encoding="utf-8")
    dims, operands = map(int, re.search(r"MAX_DIMS = (\d+), MAX_OPERANDS = (\d+)", text).groups())
    assert dims == MAX_DIMS and LAYOUT["strides"].shape == (operands, dims)
    assert LAYOUT.itemsize == 8 * (1 + dims + operands * dims)


@pytest.mark.parametrize("file", FILES)
def test_headers_are_put_in(file):
    text = source(file)
    assert '#include "' not in text and text.count("struct Layout {") == 1
    assert "#pragma once" not in text


def test_checkout_and_wheel(tmp_path):
    package = tmp_path / "site" / "autograd_gpu"
    for folder in (package / "_kernels", tmp_path / "site" / "kernels"):
        folder.mkdir(parents=True)
        with pytest.raises(FileNotFoundError, match="_kernels and .*kernels.*Install the wheel"):
            kernel_folder(package)
    (tmp_path / "site" / "kernels" / "common.cuh").touch()
    assert kernel_folder(package) == tmp_path / "site" / "kernels"
    (package / "_kernels" / "common.cuh").touch()
    assert kernel_folder(package) == package / "_kernels"


def test_operands_of_a_body():
    x = np.zeros((2, 3))
    clamp = KERNELS["clamp_backward"]
    assert clamp.operands([x, x, None, 1.0])[2:] == [-np.inf, 1.0]
    assert len(KERNELS["clamp_backward_low"].operands([x, x, x, None])) == 3
    assert KERNELS["mse_loss_backward"].operands([x[:1], x, x, "mean"])[3] == 1 / 6
    assert KERNELS["mse_loss_backward"].operands([x[:0], x[:0], x[:0], "mean"])[3] == 1
    assert KERNELS["mse_loss_backward"].operands([x, x, x, "sum"])[3] == 1


def test_a_kernel_declines_what_it_has_no_form_for():
    x = np.zeros(3)
    assert KERNELS["tanh_backward"].operands([x, None]) is None
    assert KERNELS["tanh_backward"].operands([x, 1.0]) is None
    assert KERNELS["clamp_backward_low"].operands([x, x, 0.0, None]) is None
