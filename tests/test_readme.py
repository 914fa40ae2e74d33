"""README's examples print what README says they print, and its blocks are the ones that CI runs."""

import contextlib
import io
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_examples_print_what_they_say():
    namespace: dict = {}
    programs, expected = blocks("python"), blocks("text")
    assert len(programs) >= 2
    for program, text in zip(programs, expected, strict=False):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(program, "README.md", "exec"), namespace)
        assert out.getvalue() == text


def test_the_first_block_does_the_main_job_and_the_second_passes_the_tests():
    first, second, *_ = blocks("bash")
    assert first.splitlines() == ['python -m pip install ".[app]"', "autograd-gpu train"]
    assert second.splitlines()[0] == 'python -m pip install -e ".[test]"'
    assert second.splitlines()[1].startswith("python -m pytest")


def test_ci_runs_the_second_block():
    assert "block 2" in (ROOT / ".ci" / "run").read_text()
