"""The table of a profile: columns, order, rows, units."""

import pytest

import autograd_gpu as ag
from autograd_gpu.autograd.profiler import units

from .agree import agree, on_host


@pytest.fixture(autouse=True)
def called_before():
    """Else the code that ops write on their first call would be a row of its own."""
    ag.ones(1).exp() + ag.ones(1).sin()
    ag.nn.functional.linear(ag.ones(2, 2), ag.ones(2, 2), ag.ones(2))


def titles(table):
    """The titles of the columns."""
    lines = table.splitlines()
    rule = next(i for i, line in enumerate(lines) if line.startswith("--"))
    return [title for title in lines[rule + 1].split("  ") if title.strip()], lines[rule]


def names(table):
    """What stands in the first column."""
    rows = table.split("  \n")[3:]
    return [row.split()[0] for row in rows if row.split() and not row.startswith("-")][:-1]


@pytest.mark.parametrize("options", [{}, {"record_shapes": True}, {"profile_memory": True}, {"with_flops": True}], ids=str)
@agree
@on_host
def test_columns(t, options):
    with t.autograd.profiler.profile(**options) as prof:
        t.ones(2, 3) * t.ones(2, 3)
    averages = prof.key_averages(group_by_input_shape=True)
    (mul,) = [a for a in averages if a.key == "aten::mul"]
    return [title.strip() for title in titles(type(averages)([mul], profile_memory="profile_memory" in options,
                                                             with_flops="with_flops" in options).table())[0]]  # fmt: skip


def test_a_table():
    x = ag.ones(2, 3)
    with ag.autograd.profiler.profile(record_shapes=True) as prof:
        with ag.autograd.profiler.record_function("a name of more than fifty-five letters, which is cut off at the end"):
            x.exp()
        x.exp()
    text = prof.key_averages().table(header="a header")
    lines = text.splitlines()
    rule = lines[2]
    assert lines[0] == "=" * len(rule) and lines[1] == "a header"
    assert set(rule) == {"-", " "} and [lines[4], lines[7]] == [rule, rule]
    assert all(len(line) == len(rule) for line in lines[3:7])
    assert lines[5].startswith("a name of more than fifty-five letters, which is cut...  ")
    assert lines[6].split()[0] == "aten::exp" and lines[6].split()[-1] == "2"
    assert lines[-1] == f"Self CPU time total: {units.time_text(prof.self_cpu_time_total)}"
    cut = prof.key_averages().table(max_name_column_width=20).splitlines()[3]
    assert cut.startswith("a name of more th...  ")


def test_order_and_rows():
    with ag.autograd.profiler.profile() as prof:
        for _ in range(3):
            ag.ones(1).exp()
        ag.ones(1).sin()
    averages = prof.key_averages()
    in_order = ["aten::ones", "aten::exp", "aten::sin"]
    assert names(averages.table()) == in_order
    assert names(averages.table(sort_by="count")) == in_order
    assert names(averages.table(row_limit=2)) == in_order[:2] and names(averages.table(row_limit=-1)) == in_order
    by_time = sorted(averages, key=lambda a: -a.self_cpu_time_total)
    assert names(averages.table(sort_by="self_cpu_time_total")) == [a.key for a in by_time]
    assert names(prof.table(row_limit=3)) == ["aten::ones", "aten::exp", "aten::ones"], "a line each call"


def test_only_what_the_program_called():
    with ag.autograd.profiler.profile() as prof:
        ag.nn.functional.linear(ag.ones(2, 2), ag.ones(2, 2), ag.ones(2))
    text = prof.key_averages().table(top_level_events_only=True)
    assert "This report only display top-level ops statistics" in text
    assert "aten::linear" in text and "aten::addmm" not in text and "aten::addmm" in prof.key_averages().table()


def test_shares_sum_to_all():
    with ag.autograd.profiler.profile() as prof:
        ag.nn.functional.linear(ag.ones(2, 2), ag.ones(2, 2), ag.ones(2))
    rows = [line.split() for line in prof.key_averages().table().splitlines() if "aten::" in line]
    assert sum(float(row[1].rstrip("%")) for row in rows) == pytest.approx(100, abs=0.05)


def test_shapes_and_callers():
    with ag.autograd.profiler.profile(record_shapes=True, with_stack=True) as prof:
        ag.ones(2, 3).exp()
    text = prof.key_averages(group_by_input_shape=True, group_by_stack_n=2).table(max_src_column_width=40)
    assert "[[2, 3]]" in text and "Input Shapes" in text and "Source Location" in text
    assert ": test_shapes_and_callers  " in text, "of long lines the end is shown"
    assert "Input Shapes" not in prof.key_averages().table()


def test_units():
    assert [units.time_text(v) for v in (0, 1.5, 999.9994, 1000, 2.5e6)] == ["0.000us", "1.500us", "999.999us", "1.000ms", "2.500s"]
    sizes = {0: "0 B", 1023: "1023 B", 1024: "1.00 KB", -2048: "-2.00 KB", 3 << 20: "3.00 MB", 5 << 30: "5.00 GB"}
    assert {v: units.memory_text(v) for v in sizes} == sizes
    assert units.share_text(1, 8) == "12.50%" and units.share_text(0, 0) == "0.00%"
    with ag.autograd.profiler.profile() as prof, ag.autograd.profiler.record_function("x"):
        ag.ones(1)
    text = prof.table(time_unit="s")
    assert "us" not in text and "ms" not in text
    with pytest.raises(ValueError, match="time_unit must be one of us, ms and s"):
        prof.table(time_unit="min")
