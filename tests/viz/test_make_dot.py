"""make_dot: the picture has the graph's nodes and edges, and what is drawn can be read."""

import builtins
import random
import re
import sys
import xml.etree.ElementTree as ET
from collections import Counter

import pytest

import autograd_gpu as ag
from autograd_gpu.viz import Dot, make_dot
from autograd_gpu.viz.layout import arrange, push_apart, rows_of
from autograd_gpu.viz.picture import Arrow, Box, Picture
from autograd_gpu.viz.svg import box_size, draw

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def igraph():
    """The layout's library; conftest holds that CI has it."""
    return pytest.importorskip("igraph", reason="the extra viz is not installed")


class Product(ag.autograd.Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a * b, a + b

    @staticmethod
    def backward(ctx, g, h):
        a, b = ctx.saved_tensors
        return g * b + h, g * a + h


def mlp(t):
    w, b = t.ones(3, 4, requires_grad=True), t.zeros(4, requires_grad=True)
    return ((t.ones(2, 3) @ w + b).tanh() * 2).sum(), {"w": w, "b": b}


def residual(t):
    x, w = t.ones(2, 3, requires_grad=True), t.ones(3, 3, requires_grad=True)
    h = x
    for _ in range(3):
        h = h + (h @ w).tanh()
    return h, {"x": x, "w": w}


def square(t):
    x = t.ones(3, requires_grad=True)
    return x * x, {"x": x}


def double(t):
    x = t.ones(2, 3, requires_grad=True)
    (g,) = t.autograd.grad((x * x * x).sum(), x, create_graph=True)
    return g, {"x": x}


def joined(t):
    x, y = t.ones(2, 3, requires_grad=True), t.ones(2, 3, requires_grad=True)
    a, b = t.cat([x, y, x.exp()]).split(3)
    return (a, b.sigmoid()), {"x": x, "y": y}


def written(t):
    x = t.ones(2, 3, requires_grad=True)
    y = x.clone()
    y[0].mul_(x[1])
    return y, {"x": x}


PROGRAMS = [mlp, residual, square, double, joined, written]
programs = pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)


def outputs_of(var):
    return var if isinstance(var, tuple) else (var,)


def edges_by_name(var):
    """(name of the next function, name of the node) of each edge, by an ordinary walk."""
    edges, seen, todo = Counter(), set(), [t.grad_fn for t in outputs_of(var)]
    kept = list(todo)
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        for source, _ in node.next_functions:
            if source is not None:
                edges[short(source), short(node)] += 1
                todo.append(source)
                kept.append(source)
    return edges


def short(node):
    return node.name().rpartition("::")[2]


def drawn_edges(dot):
    boxes = dot.picture.boxes
    ends = [(boxes[a.tail], boxes[a.head]) for a in dot.picture.arrows]
    return Counter((a.lines[0], b.lines[0]) for a, b in ends if a.kind == b.kind == "node")


def of_kind(dot, kind):
    return [box for box in dot.picture.boxes if box.kind == kind]


def labels(dot, kind):
    return sorted(tuple(box.lines) for box in of_kind(dot, kind))


# ---- the graph


@programs
def test_edges_are_those_of_next_functions(program):
    var, params = program(ag)
    assert drawn_edges(make_dot(var, params)) == edges_by_name(var)


@pytest.mark.parametrize("program", [mlp, residual, square, joined], ids=lambda p: p.__name__)
def test_edges_are_pytorchs(program, torch):
    """Nodes' names are PyTorch's where the op is one node there as well."""
    ours, theirs = (edges_by_name(program(t)[0]) for t in (ag, torch))
    assert drawn_edges(make_dot(program(ag)[0])) == ours == theirs


@programs
def test_leaves_have_names_and_shapes(program):
    var, params = program(ag)
    wanted = sorted((name, str(tuple(t.shape))) for name, t in params.items())
    assert labels(make_dot(var, params), "leaf") == wanted
    assert labels(make_dot(var), "leaf") == sorted((shape,) for _, shape in wanted)


@programs
def test_outputs_are_green_and_last(program):
    var, params = program(ag)
    dot = make_dot(var, params)
    assert labels(dot, "output") == sorted((str(tuple(t.shape)),) for t in outputs_of(var))
    assert not {a.tail for a in dot.picture.arrows} & {
        i for i, box in enumerate(dot.picture.boxes) if box.kind == "output"
    }


def test_parameters_of_a_module():
    model = ag.nn.Sequential(ag.nn.Linear(3, 4), ag.nn.Tanh(), ag.nn.Linear(4, 1))
    loss = model(ag.ones(2, 3)).sum()
    dot = make_dot(loss, model.named_parameters())
    assert labels(dot, "leaf") == [("0.bias", "(4,)"), ("0.weight", "(4, 3)"), ("2.bias", "(1,)"), ("2.weight", "(1, 4)")]
    assert make_dot(loss, dict(model.named_parameters())).source == dot.source


def test_a_tensor_with_two_names_has_both():
    y, params = square(ag)
    assert labels(make_dot(y, {**params, "tied": params["x"]}), "leaf") == [("x", "tied", "(3,)")]


def test_leaves_and_plain_tensors():
    for t in (ag.ones(2), ag.ones(2, requires_grad=True)):
        dot = make_dot(t, {"t": t})
        assert (labels(dot, "output"), len(dot.picture.boxes)) == ([("t", "(2,)")], 1)
    assert make_dot(()).picture.boxes == []


def test_a_leaf_that_the_program_dropped():
    y = ag.ones(2, 3, requires_grad=True).exp()
    assert labels(make_dot(y), "leaf") == [("(2, 3)",)]


def test_the_base_of_a_view_is_shown():
    """x -> base (dark green) ..> view (green)"""
    x = ag.ones(2, 3, requires_grad=True)
    base = x * 2
    dot = make_dot(base[0], {"base": base})
    assert labels(dot, "base") == [("base", "(2, 3)")]
    dotted = [a for a in dot.picture.arrows if a.style == "dotted"]
    assert [(dot.picture.boxes[a.tail].kind, dot.picture.boxes[a.head].kind) for a in dotted] == [("base", "output")]
    assert make_dot((base, base[0])).source.count("style=dotted") == 1
    assert not of_kind(make_dot((base, base[0])), "base")  # an output stays green


def test_the_picture_keeps_no_graph():
    import weakref

    x = ag.ones(3, requires_grad=True)
    y = x * x
    gone = weakref.ref(y)
    dot = make_dot(y, {"x": x}, show_saved=True, show_attrs=True)
    del y
    assert gone() is None and dot.source


# ---- what nodes saved


def test_saved_tensors_on_request():
    x, w = ag.ones(2, 3, requires_grad=True), ag.ones(3, 4, requires_grad=True)
    y = (x @ w).tanh()
    assert not of_kind(make_dot(y), "saved")
    dot = make_dot(y, show_saved=True)
    assert sorted(box.lines[1] for box in of_kind(dot, "saved")) == ["(2, 3)", "(2, 4)", "(3, 4)"]
    lines = [a for a in dot.picture.arrows if a.style == "plain"]
    ends = Counter(dot.picture.boxes[a.head].lines[0] for a in lines)
    assert ends == {"MmBackward0": 2, "TanhBackward0": 1}


def test_what_hooks_packed_is_drawn_without_unpacking_it():
    x = ag.ones(2, 3, requires_grad=True)
    with ag.autograd.graph.saved_tensors_hooks(lambda v: v.tolist(), lambda v: 1 / 0):
        y = x.exp()
    source = make_dot(y, show_saved=True, show_attrs=True).source
    assert "packed" in source and "[saved tensor]" in source


def test_what_a_function_saved_is_always_drawn():
    x = ag.ones(2, 3, requires_grad=True)
    y, z = Product.apply(x, x.exp())
    dot = make_dot((y, z))
    assert labels(dot, "saved") == [("saved_tensors[0]", "(2, 3)"), ("saved_tensors[1]", "(2, 3)")]
    assert [box.lines for box in of_kind(dot, "node")].count(["ProductBackward"]) == 1


def test_what_a_write_through_a_view_saved():
    y, _ = written(ag)
    dot = make_dot(y, show_saved=True, show_attrs=True)
    slices = next(box for box in dot.picture.boxes if box.lines == ["CopySlices"])
    assert "write  MulBackward0" in slices.rows and len(of_kind(dot, "saved")) == 2


@pytest.mark.parametrize("program", [square, written], ids=lambda p: p.__name__)
def test_what_a_pass_has_freed_says_so(program):
    y, _ = program(ag)
    y.sum().backward()
    dot = make_dot(y, show_saved=True, show_attrs=True)
    freed = of_kind(dot, "saved")
    assert freed and all(box.freed and box.lines[1] == "freed" for box in freed)
    assert "[freed]" in dot.source


def test_a_freed_function():
    y, z = Product.apply(ag.ones(2, requires_grad=True), ag.ones(2))
    (y + z).sum().backward()
    assert labels(make_dot(y), "saved") == [("saved_tensors", "freed")]


def test_attributes():
    x = ag.ones(2, 3, requires_grad=True)
    rows = {}
    for box in make_dot(ag.cat([x.clamp(-1.5, 2.5), x * 7]).sum(), show_attrs=True).picture.boxes:
        rows.setdefault(box.lines[0], []).extend(re.split(r"  +", row, maxsplit=1) for row in box.rows)
    assert ["other", "7"] in rows["MulBackward0"]
    assert ["input", "[saved tensor]"] in rows["ClampBackward1"]
    assert ["min", "-1.5"] in rows["ClampBackward1"]
    assert rows["CatBackward0"] == [["tensors_shape", "((2, 3), (2, 3))"], ["dim", "0"]]
    assert ["input_shape", "(4, 3)"] in rows["SumBackward0"] and rows["AccumulateGrad"] == []


@pytest.mark.parametrize(("most", "wanted"), [(10, 10), (3, 3), (0, 3), (-5, 3)])
def test_long_attributes_are_cut(most, wanted):
    y = ag.ones(2, requires_grad=True) * 1.23456789012345678
    dot = make_dot(y, show_attrs=True, max_attr_chars=most)
    (row,) = dot.picture.boxes[1].rows
    value = row.split("  ", 1)[1]
    assert len(value) == wanted and value.endswith("...")


# ---- texts


ODD = ['say "hi"', "back\\slash\\n", "<b>&amp;</b>", "two\nlines\ttab", "null\0bell\a", "漢字 é", "\ud800", "x]; b0 -> b1", "]]>", ""]


@pytest.mark.parametrize("name", ODD, ids=ascii)
def test_odd_names(name, igraph):
    """Nothing in a name ends the text it is in, in either language."""
    y, params = square(ag)
    dot = make_dot(y, {name: params["x"]})
    quoted = r'"((?:[^"\\\n]|\\[\\"nl])*)"'
    lines = re.findall(rf"^\tb\d+ \[label={quoted} fillcolor={quoted}\]$", dot.source, re.M)
    assert len(lines) == len(dot.picture.boxes)
    assert dot.source.count("\n") == make_dot(y).source.count("\n")
    shown = next(box for box in dot.picture.boxes if box.kind == "leaf").lines[0]
    texts = ET.fromstring(dot.svg().encode()).iter(f"{SVG}text")
    assert shown in {text.text or "" for text in texts}
    if name.isprintable():
        assert shown == name


def test_names_of_any_kind():
    y, params = square(ag)
    assert labels(make_dot(y, {7: params["x"]}), "leaf") == [("7", "(3,)")]


def test_the_text_of_a_small_graph():
    y, params = square(ag)
    assert make_dot(y, params, show_attrs=True).source.splitlines()[4:] == [
        '\tb0 [label="(3,)" fillcolor="#caff70"]',
        r'	b1 [label="MulBackward0\nother  [saved tensor]\linput  [saved tensor]\l" fillcolor="#e4e4e4"]',
        '\tb2 [label="AccumulateGrad" fillcolor="#e4e4e4"]',
        '\tb3 [label="x\\n(3,)" fillcolor="#add8e6"]',
        "\tb1 -> b0",
        "\tb2 -> b1",
        "\tb2 -> b1",
        "\tb3 -> b2",
        "}",
    ]


@programs
def test_the_same_graph_gives_the_same_picture(program, igraph):
    first, second = (make_dot(*program(ag), show_attrs=True, show_saved=True) for _ in range(2))
    assert first.source == second.source == str(second)
    assert first.svg() == second.svg()


# ---- the SVG


def numbers(element, *names):
    return [float(element.get(name)) for name in names]


def rectangles(svg):
    """id of a box -> left, top, right, bottom."""
    found = {}
    for group in ET.fromstring(svg.encode()).iter(f"{SVG}g"):
        if group.get("id"):
            x, y, w, h = numbers(group.find(f"{SVG}rect"), "x", "y", "width", "height")
            found[int(group.get("id")[1:])] = (x, y, x + w, y + h)
    return found


def points(path, steps=16):
    """Points along the path of an arrow: M, C and L with absolute numbers."""
    at, out = (0.0, 0.0), []
    for letter, text in re.findall(r"([MCL])([^MCL]*)", path):
        n = [float(v) for v in re.findall(r"-?[\d.]+", text)]
        p = [at, *zip(n[::2], n[1::2], strict=True)]
        for i in range(steps + 1):
            s = i / steps
            weights = {"M": [0, 1], "L": [1 - s, s], "C": [(1 - s) ** 3, 3 * s * (1 - s) ** 2, 3 * s * s * (1 - s), s**3]}[letter]
            out.append(tuple(sum(w * q[k] for w, q in zip(weights, p, strict=True)) for k in (0, 1)))
        at = p[-1]
    return out


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@programs
@pytest.mark.parametrize("rich", [False, True])
def test_boxes_do_not_overlap_and_arrows_go_around(program, rich, igraph):
    var, params = program(ag)
    check_drawing(make_dot(var, params, show_attrs=rich, show_saved=rich).picture)


@pytest.mark.parametrize("seed", range(6))
def test_boxes_of_any_size(seed, igraph):
    """Graphs that no program has: wide and tall boxes, long arrows, many parts."""
    draw_from = random.Random(seed)
    boxes = [
        Box("node", ["n" * draw_from.choice([1, 9, 40])], ["r"] * draw_from.choice([0, 0, 3, 20]))
        for _ in range(draw_from.randrange(2, 40))
    ]
    pairs = [sorted(draw_from.sample(range(len(boxes)), 2)) for _ in range(draw_from.randrange(60))]
    check_drawing(Picture(boxes, [Arrow(a, b) for a, b in pairs]))


def check_drawing(picture):
    svg = draw(picture)
    root, boxes = ET.fromstring(svg.encode()), rectangles(svg)
    assert len(boxes) == len(picture.boxes)
    every = sorted(boxes.values())
    assert not [1 for i, a in enumerate(every) for b in every[:i] if overlap(a, b)]
    width, height = numbers(root, "width", "height")
    assert all(0 <= a and 0 <= b and c <= width - 20 + 1 and d <= height - 20 + 1 for a, b, c, d in every)
    paths = [p for p in root.iter(f"{SVG}path") if p.get("class")]
    for arrow, path in zip(picture.arrows, paths, strict=True):
        trace = points(path.get("d"))
        (left, _, right, bottom), end = boxes[arrow.tail], boxes[arrow.head]
        assert left <= trace[0][0] <= right and trace[0][1] == pytest.approx(bottom, abs=0.2)
        assert end[0] <= trace[-1][0] <= end[2] and 0 <= end[1] - trace[-1][1] < 6
        hit = [i for i, (a, b, c, d) in boxes.items() for x, y in trace if a + 1 < x < c - 1 and b + 1 < y < d - 1]
        assert not hit, (arrow, hit)


@programs
def test_arrows_point_down(program):
    picture = make_dot(*program(ag), show_saved=True).picture
    rows = rows_of(picture)
    assert all(rows[a.tail] < rows[a.head] for a in picture.arrows)


def test_colours_mean_what_they_do_in_torchviz(igraph):
    x = ag.ones(2, 3, requires_grad=True)
    svg = make_dot((x * x)[0], show_saved=True).svg()
    for kind, colour in [("leaf", "#add8e6"), ("saved", "#ffb347"), ("output", "#caff70"), ("base", "#a2cd5a")]:
        assert re.search(rf'<g class="{kind}" id="b\d+"><rect [^>]*fill="{colour}"', svg), kind


def test_an_empty_picture(igraph):
    assert ET.fromstring(make_dot(()).svg()).tag == f"{SVG}svg"


def test_a_cycle_is_drawn(igraph):
    """No graph has one unless a base is written by its own view; the layout must end."""
    picture = Picture([Box("node", [c]) for c in "abc"], [Arrow(0, 1), Arrow(1, 2), Arrow(2, 0), Arrow(0, 0)])
    assert len(rectangles(draw(picture))) == 3


def test_wide_letters_and_long_names_fit(igraph):
    picture = Picture([Box("leaf", ["w" * 200]), Box("leaf", ["漢" * 9]), Box("node", ["n"])], [Arrow(0, 2), Arrow(1, 2)])
    assert box_size(picture.boxes[1]) == box_size(Box("leaf", ["w" * 18]))
    a, b, _ = rectangles(draw(picture)).values()
    assert not overlap(a, b)


def test_push_apart():
    assert push_apart([0.0, 10.0], [4.0]) == [0.0, 10.0]
    assert push_apart([5.0, 5.0], [4.0]) == [3.0, 7.0]
    assert push_apart([0.0, 1.0, 1.0, 50.0], [2.0, 2.0, 2.0]) == pytest.approx([-4 / 3, 2 / 3, 8 / 3, 50.0])
    assert push_apart([], []) == []


def chain(count, shared):
    x = ag.ones(2, requires_grad=True)
    h = x
    for _ in range(count):
        h = h * x if shared else h + 1
    return h


@pytest.mark.parametrize("shared", [False, True])
def test_deep_graphs(shared, igraph):
    """10,000 nodes, also where one leaf is used in each: no recursion, no squares."""
    limit = sys.getrecursionlimit()
    dot = make_dot(chain(10_000, shared), show_attrs=True)
    assert len(of_kind(dot, "node")) == 10_001 and sys.getrecursionlimit() == limit
    sizes = [box_size(box) for box in dot.picture.boxes]
    layout = arrange(dot.picture, sizes)
    assert sum(map(len, layout.bends)) <= 4 * len(sizes) + 1000
    assert len(set(layout.rows)) == 10_003


# ---- files


def test_save_writes_text_or_svg(tmp_path, igraph):
    y, params = square(ag)
    dot = make_dot(y, params)
    assert dot.save(tmp_path / "a.gv") == str(tmp_path / "a.gv")
    assert (tmp_path / "a.gv").read_text() == dot.source
    dot.save(str(tmp_path / "a.svg"))
    assert (tmp_path / "a.svg").read_text() == dot.svg() == dot._repr_svg_()
    assert dot._repr_mimebundle_()["image/svg+xml"] == dot.svg()
    assert repr(dot) == "<Dot of 4 boxes and 4 arrows>" and isinstance(dot, Dot)


@pytest.fixture
def graphviz(tmp_path, monkeypatch):
    """The package `graphviz`, and no program `dot` but one that says how it is called."""
    module = pytest.importorskip("graphviz", reason="the extra viz is not installed")
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def install():
        program = folder / "dot"
        program.write_text('#!/bin/sh\necho "$@"\nexec /bin/cat\n')
        program.chmod(0o755)

    return module, install


@pytest.mark.parametrize(
    ("name", "format", "file"),
    [("a", "png", "a.png"), ("a.png", None, "a.png"), ("a.png", "png", "a.png"), ("a", None, "a.svg"), ("a.b", "pdf", "a.b.pdf")],
)
@pytest.mark.skipif(sys.platform == "win32", reason="the program of this test is a shell script")
def test_render_asks_graphviz(tmp_path, graphviz, name, format, file):
    graphviz[1]()
    dot = make_dot(square(ag)[0])
    assert dot.render(tmp_path / name, format=format) == str(tmp_path / file)
    called, _, text = (tmp_path / file).read_text().partition("\n")
    assert f"-T{file.rpartition('.')[2]}" in called and text == dot.source


def test_render_without_the_program(tmp_path, graphviz, igraph):
    dot = make_dot(square(ag)[0])
    assert dot.render(tmp_path / "a.svg") and (tmp_path / "a.svg").read_text() == dot.svg()
    with pytest.raises(RuntimeError, match="'png' needs Graphviz's program dot"):
        dot.render(tmp_path / "a.png")
    with pytest.raises(ValueError, match="format"):
        dot.render(tmp_path / "a", format="nonsense")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.svg", "bin"]


@pytest.fixture
def nothing_installed(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name in ("igraph", "graphviz"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)


def test_without_the_extra(tmp_path, nothing_installed):
    """The text is there; what is missing is named."""
    dot = make_dot(square(ag)[0])
    dot.save(tmp_path / "a.gv")
    for call in (dot.svg, lambda: dot.save(tmp_path / "a.svg"), lambda: dot.render(tmp_path / "a")):
        with pytest.raises(ImportError, match=r"igraph: pip install 'autograd_gpu\[viz\]'"):
            call()
    with pytest.raises(ImportError, match=r"graphviz .*autograd_gpu\[viz\]"):
        dot.render(tmp_path / "a.png")
    assert [p.name for p in tmp_path.iterdir()] == ["a.gv"]
    assert "igraph" in dot._repr_mimebundle_()["text/plain"]


# ---- errors and devices


def test_errors():
    x = ag.ones(2, requires_grad=True)
    with pytest.raises(TypeError, match="'var' must be a Tensor or a tuple of Tensors, not int"):
        make_dot(3)
    with pytest.raises(TypeError, match="'var' must be .* not NoneType"):
        make_dot((x, None))
    with pytest.raises(TypeError, match="'params' must hold Tensors, but 'n' is int"):
        make_dot(x, {"n": 3})


@programs
def test_on_cuda(program, igraph):
    """The same picture as of the graph on the CPU."""
    from autograd_gpu.testing import standin

    here = make_dot(*program(ag), show_saved=True)
    with standin.activate():
        before = ag.get_default_device()
        ag.set_default_device("cuda")
        try:
            var, params = program(ag)
        finally:
            ag.set_default_device(before)
        assert all(t.is_cuda for t in outputs_of(var))
        there = make_dot(var, params, show_saved=True)
    assert there.source == here.source and there.svg() == here.svg()
