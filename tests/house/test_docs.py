"""What README, CONTRIBUTING and docs/ say of the tree is so: links, paths, the import law, diffs."""

import re
from pathlib import Path

import pytest

from .test_layering import FLOORS, HOME

ROOT = Path(__file__).parents[2]
TEXTS = ["README.md", "CONTRIBUTING.md", "kernels/README.md", *(f"docs/{p.name}" for p in sorted((ROOT / "docs").glob("*.md")))]
every_text = pytest.mark.parametrize("path", TEXTS)
PLACES = ["", "autograd_gpu", *(f"autograd_gpu/{name}" for name in ("_core", "_ops", "_cuda", "testing")), "kernels", "bench"]
PLACES += ["tests", *(f"tests/{name}" for name in ("kernels", "standin", "cuda"))]


def text(path):
    return (ROOT / path).read_text(encoding="utf-8")


def prose(path):
    """Without the blocks of code."""
    return re.sub(r"^```.*?^```$", "", text(path), flags=re.M | re.S)


def anchors(path):
    titles = re.findall(r"^#+ (.+)$", prose(path), re.M)
    return {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles}


@every_text
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        file, _, anchor = target.partition("#")
        there = (ROOT / path).parent / file if file else ROOT / path
        assert "://" in target or there.exists(), target
        assert not anchor or anchor in anchors(there), target


@every_text
def test_paths_exist(path):
    """What looks like a file of ours is one."""
    for name in re.findall(r"`([\w./*]+\.(?:py|cu|cuh|cpp|md))`", prose(path)):
        assert any(list((ROOT / place).glob(name)) for place in PLACES), name


def test_every_page_of_docs_is_linked():
    linked = set(re.findall(r"\]\((docs/\w+\.md)\)", text("README.md")))
    assert linked == {path for path in TEXTS if path.startswith("docs/")}


def test_the_import_law():
    """CONTRIBUTING's table of floors is the one that test_layering holds."""
    rows = dict(re.findall(r"^\| (\d) \| (.+) \|$", text("CONTRIBUTING.md"), re.M))
    said = {name: int(floor) for floor, names in rows.items() for name in re.findall(r"`(\w+)`", names)}
    there = {p.stem for p in (ROOT / "autograd_gpu").iterdir() if not p.name.startswith("__")}
    assert said == {name: floor for name, floor in HOME.items() if name in there}
    assert len(rows) >= len(FLOORS)


DIFFS = re.findall(r"^```diff\n(.*?)^```$", text("CONTRIBUTING.md"), re.M | re.S)


@pytest.mark.parametrize("diff", DIFFS, ids=range(len(DIFFS)))
def test_diffs_are_of_lines_that_are_there(diff):
    lines = None
    for line in diff.splitlines():
        if line.startswith("+++ b/"):
            lines = text(line.removeprefix("+++ b/")).splitlines()
        elif not line.startswith("--- a/"):
            assert line[:1] in "+ " and line[1:] in lines, line


def test_the_map_names_every_folder():
    map_ = text("CONTRIBUTING.md").partition("## The map")[2].partition("\n\n")[0]
    assert len(map_.splitlines()) == 2 + 1 + 12
    made = (ROOT / ".gitignore").read_text().split()  # by tests, builds and README's first block
    for folder in ROOT.iterdir():
        if folder.is_dir() and not folder.name.startswith(".") and f"{folder.name}/" not in made:
            assert f"{folder.name}/" in map_, folder.name
    for folder in (ROOT / "autograd_gpu").iterdir():
        if (folder / "__init__.py").exists():
            assert f"{folder.name}/" in map_, folder.name


def test_the_tests_that_docs_name_exist():
    """docs/autograd.md says of each feature which test shows it: `file.py::test_name`, below tests/."""
    named = re.findall(r"`([\w/]+\.py)(?:::(test_\w+))?`", text("docs/autograd.md"))
    assert len(named) > 100
    for path, name in named:
        source = text(f"tests/{path}")
        assert not name or re.search(rf"^def {name}\(", source, re.M), f"{path}::{name}"
