"""nn against PyTorch: signatures, what is printed, state dicts, errors, and weights by seed."""
import inspect
import os
import re
import warnings
from collections import OrderedDict

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu import nn

if os.environ.get("CI"):
    import torch  # its absence is an error there, not a skip
else:
    torch = pytest.importorskip("torch")

LAYERS = sorted(
    name
    for name in nn.__all__
    if inspect.isclass(getattr(nn, name)) and issubclass(getattr(nn, name), nn.Module)
)


def both(program):
    """What a program prints, returns or raises, under ours and under PyTorch."""
    return outcome(program, ag), outcome(program, torch)


def outcome(program, library):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = program(library)
        except Exception as error:
            result = f"{type(error).__name__}: {error}"
    text = repr(result).replace("autograd_gpu", "torch")
    return text, [w.category.__name__ for w in caught]


def test_the_oracle_has_all_our_names():
    assert [name for name in nn.__all__ if not hasattr(torch.nn, name)] == []


@pytest.mark.parametrize("name", LAYERS)
def test_signatures(name):
    ours = inspect.signature(getattr(nn, name).__init__).parameters.values()
    theirs = inspect.signature(getattr(torch.nn, name).__init__).parameters.values()
    assert [(p.name, p.kind, p.default) for p in ours] == [
        (p.name, p.kind, p.default) for p in theirs
    ]


CONSTRUCTED = """
Linear(2,3)|Linear(2,3,False)|Bilinear(2,3,4)|Bilinear(2,3,4,bias=False)|Identity(3,a=2)|Flatten()
Unflatten(1,(2,3))|Conv2d(2,4,3)|Conv2d(2,4,(3,5),2,1,2,2,False)|Conv2d(2,4,3,padding='same')
Conv2d(2,4,3,padding='valid')|Conv2d(4,4,3,padding_mode='reflect',padding=1)|Conv1d(2,4,3,dilation=2)
MaxPool2d(2)|MaxPool2d((2,3),1,1,2,True,True)|AvgPool2d(2)|AvgPool2d(2,3,1,True,False,3)|MaxPool1d(2)
AvgPool1d(2)|AvgPool1d((2,),3,1)|AdaptiveAvgPool2d((1,None))|AdaptiveAvgPool2d(1)|AdaptiveAvgPool1d(3)
AdaptiveMaxPool2d(2)|AdaptiveMaxPool1d(2,True)|BatchNorm1d(3)|BatchNorm2d(3,1e-3,None,False,False)
BatchNorm1d(3,bias=False)|BatchNorm3d(2,affine=False)|LayerNorm(3)|LayerNorm((2,3),1e-3,False)
LayerNorm([2,3],bias=False)|GroupNorm(2,4)|GroupNorm(2,4,affine=False)|GroupNorm(2,4,bias=False)
RMSNorm(3)|RMSNorm((2,3),1e-3,False)|Embedding(3,4)|Embedding(3,4,-1,2.0,1.,True)|Dropout(.3,True)
Dropout1d()|Dropout2d(.1)|Dropout3d()|AlphaDropout(.3)|FeatureAlphaDropout()|ReLU()|ReLU(True)
ReLU6()|ReLU6(True)|LeakyReLU()|LeakyReLU(.2,True)|PReLU()|PReLU(3)|ELU()|ELU(2.,True)|CELU()
CELU(inplace=True)|SELU()|SELU(True)|GELU()|GELU('tanh')|SiLU()|SiLU(True)|Mish()|Mish(True)|Sigmoid()
Tanh()|LogSigmoid()|Softsign()|Tanhshrink()|Softplus()|Softplus(2,10)|Hardtanh()|Hardtanh(-3,3,True)
Hardsigmoid()|Hardsigmoid(True)|Hardswish()|Hardswish(True)|Threshold(1,2)|Threshold(1,2,True)
Hardshrink()|Hardshrink(.1)|Softshrink()|GLU()|GLU(1)|Softmax()|Softmax(1)|LogSoftmax(-1)|Softmin(0)
Softmax2d()|CosineSimilarity()|PairwiseDistance()|Hardtanh(3,2)|Hardtanh(min_value=-2)|Sigmoid(1)
Dropout(2)|Linear(0,3)|Conv2d(3,4,3,groups=2)|Conv2d(4,3,3,groups=2)|Conv2d(4,4,3,groups=0)
Conv2d(2,4,3,padding='same',stride=2)|GroupNorm(3,4)|Embedding(3,4,5)|Embedding(3,4,-5)|Bilinear(0,1,1)
Unflatten(1,3)|Unflatten(1,(2,2.5))|MultiMarginLoss(3)|TripletMarginLoss(margin=-1)|MSELoss(False)
MSELoss(reduce=False)|CrossEntropyLoss(reduction='q')|TripletMarginWithDistanceLoss()
Conv3d(2,4,(1,2,3),padding='same')|ConvTranspose1d(4,2,3)|ConvTranspose2d(4,6,3,2,1,1,2,False,2)
ConvTranspose3d(2,3,2)|ConvTranspose2d(2,2,3,padding_mode='reflect')|InstanceNorm1d(3)
InstanceNorm2d(3,affine=True,track_running_stats=True)|InstanceNorm3d(2,affine=True,bias=False)
ZeroPad1d(2)|ZeroPad2d((1,2,3,4))|ZeroPad3d(1)|ConstantPad1d(1,2.5)|ConstantPad2d((1,2,3,4),5)
ConstantPad3d(1,0)|ReflectionPad1d(1)|ReflectionPad2d(1)|ReflectionPad3d(1)|ReplicationPad1d((1,2))
ReplicationPad2d(1)|ReplicationPad3d(1)|CircularPad1d(1)|CircularPad2d(1)|CircularPad3d(1)
PixelShuffle(2)|PixelUnshuffle(2)|Upsample(2)|Upsample(scale_factor=2)|Upsample((2,3),mode='bilinear')
Upsample(scale_factor=(2,1.5))|UpsamplingNearest2d(3)|UpsamplingBilinear2d(scale_factor=2)|Unfold(2)
Unfold((2,3),1,2,2)|Fold((4,5),2)|LocalResponseNorm(2)
""".replace("\n", "|").strip("|").split("|")  # fmt: skip


@pytest.mark.parametrize("text", CONSTRUCTED)
def test_printed_layers_keys_and_errors(text):
    def program(lib):
        m = eval("nn." + text, {"nn": lib.nn})
        shapes = {k: tuple(v.shape) for k, v in m.state_dict().items()}
        return m, shapes, [n for n, _ in m.named_parameters()], m.training

    ours, theirs = both(program)
    assert ours == theirs


LOSSES = [name for name in LAYERS if name.endswith("Loss")]


@pytest.mark.parametrize("name", LOSSES)
def test_losses_have_the_same_attributes(name):
    ours, theirs = getattr(nn, name)(), getattr(torch.nn, name)()
    assert repr(ours) == repr(theirs)
    common = set(vars(theirs)) - set(vars(torch.nn.Module()))
    assert {k: getattr(ours, k) for k in common} == {k: getattr(theirs, k) for k in common}
    assert dict.fromkeys(ours._buffers) == dict(theirs._buffers)


PROGRAMS = {
    "list": lambda t: t.nn.ModuleList([t.nn.Linear(1, 1), t.nn.Linear(1, 1), t.nn.ReLU()]),
    "nested": lambda t: t.nn.ModuleList(
        [t.nn.ModuleList([t.nn.ReLU(), t.nn.ReLU()]), t.nn.Sequential(t.nn.ReLU())]
    ),
    "dict": lambda t: t.nn.ModuleDict({"a": t.nn.Linear(1, 1), "b": t.nn.ReLU()}),
    "named": lambda t: t.nn.Sequential(OrderedDict(a=t.nn.ReLU(), b=t.nn.Sequential())),
    "empty": lambda t: [t.nn.Sequential(), t.nn.ModuleList(), t.nn.ModuleDict(), t.nn.Module()],
    "parameters": lambda t: t.nn.ParameterList([t.ones(2, 2), 5, t.ones(3).double()]),
    "parameter dict": lambda t: t.nn.ParameterDict({"a": t.ones(2, 2), "b": 5}),
    "one entry": lambda t: t.nn.ParameterDict({"a": t.ones(2)}),
    "submodule": lambda t: t.nn.Linear(2, 1).get_submodule("a.b"),
    "no module": lambda t: t.nn.Linear(2, 1).get_submodule("weight"),
    "no attribute": lambda t: t.nn.Linear(2, 1).nope,
    "del": lambda t: delattr(t.nn.Linear(2, 1), "nope"),
    "assign tensor": lambda t: setattr(t.nn.Linear(1, 1), "weight", t.ones(1, 1)),
    "assign double": lambda t: setattr(t.nn.Linear(1, 1), "weight", t.ones(1, 1).double()),
    "assign int": lambda t: setattr(t.nn.Linear(1, 1), "bias", 3),
    "assign to child": lambda t: setattr(t.nn.Sequential(t.nn.ReLU()), "0", t.ones(1)),
    "register tensor": lambda t: t.nn.Module().register_parameter("x", t.ones(1)),
    "register int": lambda t: t.nn.Module().register_buffer("x", 3),
    "register name": lambda t: t.nn.Module().register_parameter("a.b", None),
    "register empty": lambda t: t.nn.Module().register_buffer("", None),
    "register taken": lambda t: t.nn.Module().register_parameter("forward", None),
    "add int": lambda t: t.nn.Module().add_module("x", 3),
    "add dotted": lambda t: t.nn.Module().add_module("a.b", None),
    "to int": lambda t: t.nn.Linear(1, 1).to(t.int32),
    "train": lambda t: t.nn.Linear(1, 1).train(3),
    "no forward": lambda t: t.nn.Module()(1),
    "load": lambda t: t.nn.Linear(2, 1).load_state_dict({"weight": t.ones(1, 3), "x": t.ones(1)}),
    "load lenient": lambda t: t.nn.Linear(2, 1).load_state_dict({"x": 1}, strict=False),
    "load types": lambda t: t.nn.Linear(2, 1).load_state_dict(
        {"weight": np.ones((1, 2)), "bias": t.ones(2)}
    ),
    "load deep": lambda t: t.nn.Sequential(t.nn.Linear(1, 1)).load_state_dict(
        {"0.weight": t.ones(1, 1), "0.bias": t.ones(1), "1.w": 1, "0.weight.z": 1, "0.zz": 3}
    ),
    "load ok": lambda t: t.nn.Linear(2, 1).load_state_dict(t.nn.Linear(2, 1).state_dict()),
    "load none": lambda t: t.nn.Linear(2, 1).load_state_dict(3),
    "load ints": lambda t: t.nn.Linear(2, 1).load_state_dict(
        {"weight": t.ones(1, 2), "bias": t.ones(1, dtype=t.long)}, assign=True
    ),
    "parameter": lambda t: t.nn.Parameter(t.ones(2, 2)),
    "parameter ints": lambda t: t.nn.Parameter(t.ones(2, dtype=t.long), requires_grad=False),
    "buffer": lambda t: t.nn.Buffer(t.ones(2)),
    "metadata": lambda t: t.nn.Sequential(t.nn.BatchNorm1d(2)).state_dict()._metadata,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name):
    assert both(PROGRAMS[name])[0] == both(PROGRAMS[name])[1]


# Weights by seed --------------------------------------------------------------------------------

SEEDED = {
    "linear": lambda t: t.nn.Linear(20, 30),
    "no bias": lambda t: t.nn.Linear(7, 3, bias=False),
    "double": lambda t: t.nn.Linear(5, 4, dtype=t.float64),
    "bilinear": lambda t: t.nn.Bilinear(3, 4, 5),
    "conv2d": lambda t: t.nn.Conv2d(4, 6, (3, 5), groups=2),
    "conv1d": lambda t: t.nn.Conv1d(3, 6, 4),
    "conv transpose": lambda t: t.nn.ConvTranspose2d(4, 6, 3, groups=2),
    "embedding": lambda t: t.nn.Embedding(10, 7, padding_idx=-3),
    "net": lambda t: t.nn.Sequential(
        t.nn.Linear(2, 16), t.nn.PReLU(3), t.nn.BatchNorm1d(16), t.nn.LayerNorm(16),
        t.nn.Linear(16, 1),
    ),
}  # fmt: skip

FILLS = {
    "uniform": lambda t, e: t.nn.init.uniform_(e(3, 5), -2, 3),
    "normal": lambda t, e: t.nn.init.normal_(e(4, 5), 1.0, 2.0),
    "xavier uniform": lambda t, e: t.nn.init.xavier_uniform_(e(3, 4, 2), 1.5),
    "xavier normal": lambda t, e: t.nn.init.xavier_normal_(e(6, 4)),
    "kaiming uniform": lambda t, e: t.nn.init.kaiming_uniform_(e(6, 4), 0.1, "fan_out"),
    "kaiming normal": lambda t, e: t.nn.init.kaiming_normal_(e(6, 4), nonlinearity="relu"),
    "trunc normal": lambda t, e: t.nn.init.trunc_normal_(e(70, 3)),
    "trunc tight": lambda t, e: t.nn.init.trunc_normal_(e(70, 3), 0.0, 1.0, -0.6, 0.7),
    "trunc tail": lambda t, e: t.nn.init.trunc_normal_(e(50), 0.0, 1.0, 1.5, 2.5),
    "trunc narrow": lambda t, e: t.nn.init.trunc_normal_(e(33), 0.1, 2.0, -0.1, 0.2),
    "sparse": lambda t, e: t.nn.init.sparse_(e(10, 6), 0.31),
    "dirac": lambda t, e: t.nn.init.dirac_(e(4, 3, 3, 2), 2),
    "eye": lambda t, e: t.nn.init.eye_(e(3, 5)),
}


@pytest.mark.parametrize("name", SEEDED)
def test_seeded_layers(name):
    ag.manual_seed(5), torch.manual_seed(5)
    ours, theirs = SEEDED[name](ag).state_dict(), SEEDED[name](torch).state_dict()
    assert list(ours) == list(theirs)
    for key, value in theirs.items():
        np.testing.assert_array_equal(ours[key].numpy(), value.numpy())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FILLS)
def test_seeded_fills(name, dtype):
    ag.manual_seed(11), torch.manual_seed(11)
    results = [
        FILLS[name](t, lambda *s, t=t: t.empty(*s, dtype=getattr(t, dtype))).numpy()
        for t in (ag, torch)
    ]
    np.testing.assert_array_equal(*results)
    assert ag.rand(1).item() == torch.rand(1).item()


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 2, 3)])
def test_seeded_orthogonal(shape):
    ag.manual_seed(1), torch.manual_seed(1)
    ours = nn.init.orthogonal_(ag.empty(*shape), 1.5).numpy()
    np.testing.assert_allclose(ours, torch.nn.init.orthogonal_(torch.empty(*shape), 1.5), atol=1e-5)


# Numbers ----------------------------------------------------------------------------------------

X = np.random.default_rng(0)
NUMBERS = [
    ("Linear(4,3)", [(5, 4)]), ("Bilinear(4,3,2)", [(5, 4), (5, 3)]), ("Flatten()", [(2, 3, 4)]),
    ("Unflatten(1,(2,2))", [(3, 4)]), ("Conv2d(2,4,3,2,1)", [(2, 2, 7, 6)]),
    ("Conv2d(2,4,3,padding='same',padding_mode='circular')", [(2, 2, 7, 6)]),
    ("Conv1d(2,4,3,1,'same',2)", [(2, 2, 9)]), ("MaxPool2d(2)", [(2, 3, 6, 5)]),
    ("MaxPool1d(2,1)", [(2, 3, 6)]), ("AvgPool2d(3,2,1)", [(2, 3, 6, 5)]),
    ("AvgPool1d(2)", [(2, 3, 6)]), ("AdaptiveAvgPool2d((2,None))", [(2, 3, 6, 5)]),
    ("AdaptiveAvgPool1d(4)", [(2, 3, 6)]), ("AdaptiveMaxPool2d(2)", [(2, 3, 6, 5)]),
    ("AdaptiveMaxPool1d(2)", [(2, 3, 6)]), ("BatchNorm1d(3)", [(5, 3)]),
    ("BatchNorm1d(3,momentum=None)", [(5, 3, 2)]), ("BatchNorm2d(3)", [(2, 3, 4, 2)]),
    ("BatchNorm1d(3,track_running_stats=False,affine=False)", [(5, 3)]),
    ("BatchNorm3d(2)", [(2, 2, 2, 2, 2)]), ("LayerNorm(4)", [(3, 4)]),
    ("GroupNorm(2,4)", [(3, 4, 5)]), ("RMSNorm(4)", [(3, 4)]), ("PReLU(3)", [(2, 3, 4)]),
    ("CosineSimilarity()", [(3, 4), (3, 4)]), ("PairwiseDistance()", [(3, 4), (3, 4)]),
    ("Conv3d(2,3,2)", [(2, 2, 3, 4, 3)]), ("ConvTranspose1d(2,3,3,2,1)", [(2, 2, 5)]),
    ("ConvTranspose2d(2,4,3,2,1,1,2,True,2)", [(2, 2, 5, 4)]),
    ("ConvTranspose3d(2,3,2)", [(2, 2, 3, 2, 3)]), ("InstanceNorm1d(3)", [(2, 3, 5)]),
    ("InstanceNorm1d(3,affine=True)", [(3, 5)]), ("InstanceNorm3d(2)", [(2, 2, 3, 2, 2)]),
    ("InstanceNorm2d(3,affine=True,track_running_stats=True)", [(2, 3, 4, 5)]),
    ("ZeroPad1d(2)", [(2, 3)]), ("ZeroPad2d((1,-1,2,0))", [(2, 3, 4)]),
    ("ZeroPad3d(1)", [(2, 2, 2, 2)]), ("ConstantPad1d(1,2.)", [(2, 3)]),
    ("ConstantPad2d(1,2.)", [(2, 3, 4)]), ("ConstantPad3d(1,2.)", [(2, 2, 2, 2)]),
    ("ReflectionPad1d(2)", [(2, 3, 4)]), ("ReflectionPad2d((1,2,1,0))", [(2, 3, 4, 4)]),
    ("ReflectionPad3d(1)", [(1, 2, 3, 3, 3)]), ("ReplicationPad1d(2)", [(2, 3, 4)]),
    ("ReplicationPad2d(2)", [(2, 3, 4)]), ("ReplicationPad3d(1)", [(1, 2, 2, 2, 2)]),
    ("CircularPad1d(2)", [(2, 3, 4)]), ("CircularPad2d(1)", [(2, 3, 4, 4)]),
    ("CircularPad3d(1)", [(1, 2, 2, 2, 2)]), ("PixelShuffle(2)", [(2, 8, 3, 2)]),
    ("PixelUnshuffle(2)", [(2, 2, 4, 6)]), ("Upsample(scale_factor=2)", [(2, 3, 4)]),
    ("Upsample((5,7),mode='bilinear')", [(2, 3, 4, 4)]),
    ("UpsamplingNearest2d(scale_factor=2)", [(2, 3, 4, 4)]),
    ("UpsamplingBilinear2d(5)", [(2, 3, 4, 4)]), ("Unfold(2,1,1)", [(2, 3, 4, 4)]),
    ("Fold((4,5),2)", [(2, 12, 12)]), ("LocalResponseNorm(2)", [(2, 3, 4)]),
    ("Softmax2d()", [(2, 3, 2, 2)]), ("GLU()", [(3, 4)]), ("Softmax(1)", [(3, 4)]),
    ("LogSoftmax(1)", [(3, 4)]), ("Softmin(1)", [(3, 4)]), ("Threshold(.1,2.)", [(3, 4)]),
] + [
    (f"{name}()", [(3, 4)])
    for name in "ReLU ReLU6 LeakyReLU ELU CELU SELU GELU SiLU Mish Sigmoid Tanh LogSigmoid "
    "Softsign Tanhshrink Softplus Hardtanh Hardsigmoid Hardswish Hardshrink Softshrink".split()
]  # fmt: skip


@pytest.mark.parametrize("text, shapes", NUMBERS, ids=[text for text, _ in NUMBERS])
def test_numbers(text, shapes):
    ag.manual_seed(3), torch.manual_seed(3)
    inputs = [X.normal(size=shape).astype(np.float32) for shape in shapes]
    run(text, inputs)


def run(text, inputs, targets=()):
    """Forward and backward twice (for running statistics), then once in evaluation mode."""
    results = []
    for lib in (ag, torch):
        m = eval("nn." + text, {"nn": lib.nn, "t": lib})
        out = []
        for _ in range(2):
            xs = [lib.tensor(x).requires_grad_() for x in inputs]
            y = m(*xs, *[lib.tensor(t) for t in targets])
            (y * y).sum().backward()
            out += [y.detach(), *[x.grad for x in xs]]
        out += [p.grad for p in m.parameters()] + list(m.buffers())
        out.append(m.eval()(*[lib.tensor(x) for x in (*inputs, *targets)]).detach())
        results.append([np.asarray(a.numpy()) for a in out])
    for ours, theirs in zip(*results, strict=True):
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-5)


SIGN = np.where(X.normal(size=(5,)) > 0, 1.0, -1.0).astype(np.float32)
P = X.random((5, 3)).astype(np.float32)
N = X.normal(size=(5, 3)).astype(np.float32)
CLASSES = np.array([0, 2, 1, 1, 0])
LABELS = np.array([[0, 2, -1], [1, -1, 0], [2, 1, 0], [0, -1, -1], [0, -1, -1]])
LOSS_NUMBERS = [
    ("L1Loss()", [N], [P]), ("MSELoss()", [N], [P]), ("MSELoss(reduction='none')", [N], [P]),
    ("SmoothL1Loss(beta=.3)", [N], [P]), ("HuberLoss(delta=.4)", [N], [P]),
    ("CrossEntropyLoss()", [N], [CLASSES]), ("CrossEntropyLoss(label_smoothing=.1)", [N], [P]),
    ("CrossEntropyLoss(t.tensor([1.,2.,3.]),ignore_index=2)", [N], [CLASSES]),
    ("NLLLoss(t.tensor([1.,2.,3.]),reduction='sum')", [N], [CLASSES]), ("BCELoss()", [P], [P]),
    ("BCEWithLogitsLoss(pos_weight=t.tensor([1.,2.,3.]))", [N], [P]),
    ("KLDivLoss(reduction='batchmean')", [N], [P]), ("KLDivLoss(log_target=True)", [N], [N]),
    ("PoissonNLLLoss()", [N], [P]), ("PoissonNLLLoss(False,True)", [P], [P]),
    ("GaussianNLLLoss(full=True)", [N], [P, P + 0.1]),
    ("HingeEmbeddingLoss()", [N[:, 0]], [SIGN]),
    ("MarginRankingLoss(.1)", [N[:, 0], P[:, 0]], [SIGN]),
    ("CosineEmbeddingLoss(.1)", [N, P], [SIGN]), ("SoftMarginLoss()", [N[:, 0]], [SIGN]),
    ("TripletMarginLoss()", [N, P, N + 0.5], []), ("TripletMarginLoss(swap=True)", [N, P, -N], []),
    ("TripletMarginWithDistanceLoss()", [N, P, N + 0.5], []),
    ("MultiMarginLoss(2)", [N], [CLASSES]),
    ("MultiLabelMarginLoss()", [N], [LABELS]),
    ("MultiLabelSoftMarginLoss()", [N], [P]),
]  # fmt: skip


@pytest.mark.parametrize("text, inputs, targets", LOSS_NUMBERS, ids=[c[0] for c in LOSS_NUMBERS])
def test_loss_numbers(text, inputs, targets):
    run(text, inputs, targets)


def test_every_layer_has_a_number_test():
    tested = {re.match(r"\w+", c[0])[0] for c in (*NUMBERS, *LOSS_NUMBERS)}
    rest = {"Identity", "Embedding", "Module", "ModuleDict", "ModuleList", "ParameterDict",
            "ParameterList", "Sequential"}  # fmt: skip
    assert set(LAYERS) - tested - rest == {n for n in LAYERS if "Dropout" in n}


@pytest.mark.parametrize("name", [n for n in LAYERS if "Dropout" in n])
def test_seeded_dropout(name):
    ag.manual_seed(3), torch.manual_seed(3)
    shape = {"1d": (2, 3, 4), "3d": (2, 3, 2, 2, 2)}.get(name[7:], (2, 3, 4, 2))
    x = X.normal(size=shape).astype(np.float32)
    results = []
    for lib in (ag, torch):
        m, t = getattr(lib.nn, name)(0.4), lib.tensor(x).requires_grad_()
        y = m(t)
        y.sum().backward()
        results.append((y.detach().numpy(), t.grad.numpy(), m.eval()(t).detach().numpy()))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


def test_embedding_numbers():
    ag.manual_seed(3), torch.manual_seed(3)
    index = np.array([[0, 3], [3, 1]])
    results = []
    for lib in (ag, torch):
        m = lib.nn.Embedding(5, 3, padding_idx=1, max_norm=1.0, scale_grad_by_freq=True)
        y = m(lib.tensor(index))
        (y * y).sum().backward()
        results.append((y.detach().numpy(), m.weight.grad.numpy(), m.weight.detach().numpy()))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_hook_order():
    def program(t):
        log = []
        net = t.nn.Sequential(t.nn.Linear(2, 2), t.nn.Tanh())
        for name, m in net.named_modules():
            m.register_forward_pre_hook(lambda m, a, n=name: log.append(n + " pre"))
            m.register_forward_hook(lambda m, a, o, n=name: log.append(n + " post"))
            m.register_full_backward_pre_hook(lambda m, go, n=name: log.append(n + " back pre"))
            m.register_full_backward_hook(lambda m, gi, go, n=name: log.append(n + " back"))
        net(t.ones(1, 2, requires_grad=True)).sum().backward()
        return log

    ours, theirs = both(program)
    assert ours == theirs


@pytest.mark.parametrize("size", [(9, 8), (2, 4, 9, 9), (10, 8), (7, 7, 7), (11, 8)])
def test_output_size_of_transposed_convolutions(size):
    def program(t):
        m = t.nn.ConvTranspose2d(3, 4, 3, stride=2)
        return tuple(m(t.ones(2, 3, 4, 3), output_size=size).shape)

    ours, theirs = both(program)
    if theirs[0].startswith("'ValueError"):
        assert ours[0].startswith("'ValueError")
    else:
        assert ours == theirs
