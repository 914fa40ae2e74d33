"""When each stage of bench/on_gpu.py was last seen to pass: `python -m tests.seen` writes it into
README's list of what only a GPU can show."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

__all__ = ["last_seen", "rendered", "rows", "stages"]

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
_ROW = re.compile(r"^\| (.+) \| `(\w+)` \| (.+) \|$", re.M)
_TITLE = "### What only a GPU can show\n"


def stages() -> list[str]:
    """The names of the stages, in their order."""
    spec: Any = importlib.util.spec_from_file_location("_stages", ROOT / "bench" / "_stages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return list(module.STAGES)


def last_seen(stage: str, folder: Path = RESULTS) -> str:
    """ "2026-11-22, NVIDIA H100 PCIe", the latest run in which the stage passed on a GPU; "not yet"
    where there is none."""
    found = []
    for path in folder.glob("*.json"):
        run = json.loads(path.read_text(encoding="utf-8"))
        passed = run.get("stages", {}).get(stage, {}).get("state") == "ok"
        if passed and not run["machine"]["dry_run"]:
            found.append((run["machine"]["date"], run["machine"]["card"]))
    return "{:.10}, {}".format(*max(found)) if found else "not yet"


def _section(readme: str) -> tuple[str, str, str]:
    before, _, rest = readme.partition(_TITLE)
    section, mark, after = rest.partition("\n## ")
    return before + _TITLE, section, mark + after


def rows(readme: str) -> list[tuple[str, str, str]]:
    """(what, stage, last seen) of the list."""
    return _ROW.findall(_section(readme)[1])


def rendered(readme: str, folder: Path = RESULTS) -> str:
    """README with the last column as it should be."""

    def row(found: re.Match[str]) -> str:
        return f"| {found[1]} | `{found[2]}` | {last_seen(found[2], folder)} |"

    before, section, after = _section(readme)
    return before + _ROW.sub(row, section) + after


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(rendered(path.read_text(encoding="utf-8")), encoding="utf-8")
