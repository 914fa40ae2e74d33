"""The files of kernels: found, inlined, described, and agreeing with the manifest."""

import re
from collections import Counter

import numpy as np
import pytest

import autograd_gpu._cuda  # noqa: F401 - declares the launching functions
from autograd_gpu._core import sources
from autograd_gpu._core.library import LAUNCHERS
from autograd_gpu._core.manifest import KERNELS, LAYOUT, MAX_DIMS, Elementwise
from autograd_gpu._core.sources import formulas, kernel_folder, source
from autograd_gpu._ops.declare import KERNELS as DECLARED
from autograd_gpu._ops.registry import REGISTRY
from autograd_gpu.testing.emulator import build

from .readme import HERE, proof_of, render

OPS = build.HERE.parents[1] / "_ops"
FILES = sorted(p.name for p in kernel_folder().glob("*.cu"))


def test_readme_is_fresh():
    text = (kernel_folder() / "README.md").read_text(encoding="utf-8")
    assert text == render(), "stale: run python -m tests.kernels.readme"


@pytest.mark.parametrize("file", FILES)
def test_manifest_and_comments_agree(file):
    """Each kernel has a comment of one line above its functor or template, in its file, and each
    such comment has a kernel; each elementwise kernel has a functor, and each functor a kernel."""
    rows = {name: kernel for name, kernel in KERNELS.items() if kernel.file == file}
    assert set(formulas(file)) == set(rows)
    assert not [name for name, formula in formulas(file).items() if not formula.strip()]
    ours = {
        kernel.functor.removeprefix("ag::")
        for kernel in rows.values() if isinstance(kernel, Elementwise)
    }  # fmt: skip
    own = (kernel_folder() / file).read_text(encoding="utf-8")
    functors = set(re.findall(r"^struct (\w+)", own, re.M))
    assert ours <= functors and (not ours or functors == ours)


def test_comments_are_found(tmp_path, monkeypatch):
    """A comment counts where it stands directly above a functor or a template."""
    text = "// one: x\nstruct One {};\n// two: y\n\nstruct Two {};\n// three: z\ntemplate <class T> f;\n"
    (tmp_path / "planted.cu").write_text(text)
    monkeypatch.setattr(sources, "kernel_folder", lambda: tmp_path)
    assert formulas("planted.cu") == {"one": "x", "three": "z"}


def test_every_template_has_a_row():
    """What is compiled is what the files define: no kernel lies about unused."""
    text = "".join(p.read_text(encoding="utf-8") for p in kernel_folder().glob("*.cu*"))
    bounds = r"(?:__launch_bounds__\([^)]*\)\s+)?"
    defined = set(re.findall(rf"__global__ void {bounds}(\w+)\(", text))
    spelled = {f.expression.partition("<")[0] for k in KERNELS.values() for f in k.forms.values()}
    assert {f"ag::{name}" for name in defined} == spelled


def test_every_kernel_is_launched_and_stands_for_something():
    """Rows have launching functions, and so do the bodies that name a kernel; a row that no body
    names is that of an optimizer, of clipping or of a generator, which look it up themselves."""
    assert set(KERNELS) <= set(LAUNCHERS) and set(DECLARED) <= set(LAUNCHERS)
    named = "".join(p.read_text(encoding="utf-8") for p in OPS.rglob("*.py"))
    words = set(re.findall(r'kernel="(\w+)"', named))
    forwards = {e.kernel for e in REGISTRY.values() if getattr(e, "kernel", None)}
    without = {row.file for name, row in KERNELS.items() if name not in words | forwards}
    assert without == {"optim.cu", "random.cu"}


def test_where_each_kernel_is_tested():
    """The files that kernels/README.md names are there."""
    for kernel in KERNELS.values():
        named = proof_of(kernel)
        assert named and list(HERE.parents[1].glob(named)), f"no test of {kernel.name}"


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


def test_headers_of_a_users_text():
    """Also where a text is indented, as in a function."""
    text = sources.with_headers('  #include "common.cuh"\n  #include <cuda_fp16.h>\n')
    assert "struct Layout {" in text and "common.cuh" not in text and "<cuda_fp16.h>" in text


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
