"""Files of PyTorch read here, and files written here read by PyTorch."""

import base64
import io
import pickle
import warnings
import zlib
from collections import OrderedDict

import numpy as np
import pytest

import autograd_gpu  # noqa: F401  binds the Tensor's methods
from autograd_gpu._core.device import device
from autograd_gpu._core.dtype import BY_NAME, bfloat16
from autograd_gpu._core.size import Size
from autograd_gpu._core.tensor import Tensor, make
from autograd_gpu.nn.parameter import Parameter
from autograd_gpu.serialization import FileError, load, save

DTYPES = [n for n in BY_NAME if n != "bfloat16"]
PLAIN = [
    None, True, 0, -1, 255, 256, 65535, 65536, -(2**31), 2**31, 2**64, -(2**70), -1.5, float("inf"),
    float("nan"), 1 + 2j, "", "n\u00e9 \u2603", "lone \ud800", b"", b"a\x00\xff",
    bytearray(b"\xff\x00"), [], {}, (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [[], [[]]],
    {"a": {1: {(1, "b"): None}}}, set(),
    {1}, Size([2, 3]), Size([]), BY_NAME["float32"], BY_NAME["bool"], device("cpu"),
    device("cuda:1"), OrderedDict(b=1, a=2),
]  # fmt: skip
TRUSTED_ONLY = [
    10**700, frozenset({1, 2}), np.float32(1.5), np.int64(-3), np.bool_(True), np.complex128(1j),
    np.arange(6.0).reshape(2, 3).T, np.zeros((0, 3), "u1"),
]  # fmt: skip
# Written by PyTorch 2.13, compressed with zlib: see test_a_file_of_pytorch.
PYTORCH_FILE = (
    r"c-pO3TWs4@7<Q62?F{R>vaMZ#aT%ACZE16Dx^+vJjdaYT7mq<G4C6Ydu{X!gZ=bZw5K^Tn+2v^y2mud>7an*(;te4oK<"
    r"o(#kl+a<p5Ot&CXF|EgL974%y!ocD@V0c+vmHS%m2lh5<+bp*V)M}Yu#KACtHfD&7;AhjOA$Mte($xaWkH_7*rHf*O7u"
    r"X)3EtTtB5RAJgO;}2W~)wK%_wUxmnpp5LB>92%}OJYr4%#7MiVUdQrm2uuV&vkMj_UL<$|GzfF3|B?N5_gwN}yj88f@d"
    r"1x;LNS`4H7eeGysZ^mu2xI7+7C0d&gc`6(2nm4(@RwEU;T{b4im<s5rkzc_S~j3dB}!_W+OCFGhTSqP1cYE6x`j|3wmP"
    r"^T4EKq!jo}uMR#Gu+UttIp*^<i$Ba4R}OVrF{40?$`5JMj`SBITKpbq_x!2K8=5aGc~>|)nNcu0hY*>tJ0J_nCDM9mpE"
    r"MsBqx;8DgMhuseMV@>YIDfbf&_mdbRA`CD(#Wc>qQy#h_X1SuHbKZH~!)Oz*m(T_<?4z`VF-lK^4(-tE5WCG8zhq-bh>"
    r"&ErY>X<9^2nSpjZ%v~&FGUb?9gWj{lI`jJAz@q2nP!7qys8fa1BO1)0l#T1jJ!DL_LwgHXuuunym4dLvR>FPJ|=O$DA&"
    r"g;Hbw(&NTIwkEa=B8uHHUjW=iS7#-#_4&8AKf(R!HLDEsT;Mwu)r|;1AE^|1Gux!J`c=qNuw0%3Cz4h03Kkc}<rva19f"
    r"k8F{OtIZ*T>lWJo$1leBM_U0PLc~APCDE5xjLK@;d$2UtY#G9g=Vigx;*J54+X|$$qVqJA}MAODK?J``VS8??3sN13wV"
    r"ibRb9rK5rdZ-a9V^{7-?BHY9J|+M0YEBDoMPJNQJ(78srGw_^1xEA}DNh3o0pLC^jt=(Y&S*71XM=xjK|YP+4EatQr`!"
    r"D`6HH0cY^0f#A#pdtOm#;h*&=E6&#AK_Acl>156Lm(9>=Kv@KXL2bn(HcZ8+mMgWWM6aUdD&deVORn*@BI`0Kw~Et&FX"
    r"CE-*aWs@a~ZHMU%Cjk2sk2y*m{pbbz)-T_&=nv6WvYov+7J?Q!DbWU(LdTN+#}{2(<>B7vZ&PbV}&xym{f{`Y&W`^q5*"
    r"PF?+e4t;CGZnO0fG(mb+kl8pJ>c3*HdTa40wa_i>{)FM4rrtjy5Z__seQj&G8WR#JC^SQ*G6;^NQBsGv-fZyr71y?n&m"
    r"CLpa%+@e6Y1rp;2ku69sp%TVI-(xx2Y=m3w^4Xi4_(|L&$rUxP(HVR0|p${#Vk3Ekw0=QlH>g`>ZteXZ`b<BgT6H!?e#"
    r"i}<#Q2k{rZkJ)tmny8>IrBYv_%7_2T(l=B{Ue%W$7j?Kj@M@ii^pwl%cJyxNI;ZgeBd|9^}>xsmaQnygg+%8wu2@al8x"
    r"(NAqef3<OL^XjDYx$b2;0p|Sk-Cq^fuHP-(;TB^nmkw@d`DPM4)&Ksz(y6uecX9FC0mg=8BTFL*c3!4$kCIl*=c517&Q"
    r"Lltl8TR{(#hdWDn67>rG_&@sbn&dN)E?j<aRQiBzF_kWrr~NM}+u@FqZ*pw&l~E@ZHOt``?58Xm^13dXVvUZl&)8KZ!e"
    r"p`#mJr+$77A-_PR?(ybnzo-nsO!2NJ{>UDYGZ-qHu_WH5z3ie_n9X@Q#k98-I7yGs!8(+WfwoV^5;m5kG-lyxwCYP{x&"
    r"INbt+vLNh{JQR%^<o$O*t8$(uD2~7><=#N3j54m2D?09k>}PZ&?zAt-n&%Jp?xjnX5Z&<GgtrSm*O={f7Wq>&5=59I_+"
    r"TxvzhgG`u+<r)pJ<"
)


def test_a_file_of_pytorch():
    content = zlib.decompress(base64.b85decode("".join(PYTORCH_FILE)))
    got = load(io.BytesIO(content))
    assert isinstance(got, OrderedDict)
    assert got["base"]._array.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert np.shares_memory(got["base"]._array, got["column"]._array)
    assert type(got["weight"]) is Parameter
    assert got["weight"].requires_grad
    assert got["half"].dtype is BY_NAME["float16"]
    assert got["conj"]._array.tolist() == [1 - 2j]
    assert got["step"]._array.tolist() == 3
    assert got["empty"].shape == (0, 2)
    assert got["flag"]._array.tolist() == [True, False]
    plain = {k: v for k, v in got.items() if not isinstance(v, Tensor)}
    assert plain == {
        "lr": 0.1, "betas": (0.9, 0.999), "name": "n\u00e9", "size": Size([2, 3]),
        "kind": BY_NAME["float64"], "raw": b"a\xff", "many": {1, 2}, "where": device("cpu"),
        "count": 2**40, "none": None, "phase": 1 - 2j, "score": np.float64(0.25),
    }  # fmt: skip


def _exchange(torch, ours, weights_only=True):
    file = io.BytesIO()
    save(ours, file)
    file.seek(0)
    return torch.load(file, weights_only=weights_only)


def test_pytorch_reads_ours(tmp_path):
    torch = pytest.importorskip("torch")
    array = np.arange(6, dtype="f4").reshape(2, 3)
    named = Parameter(make(np.ones(2)))
    named.tag = [1]
    state = OrderedDict(a=make(array), t=make(array.T), c=make(array[:, 1]), r=make(array[::-1]))
    state |= {n: make(np.ones((2, 0, 3), BY_NAME[n].numpy)) for n in DTYPES}
    state |= {f"0-d {n}": make(np.ones((), BY_NAME[n].numpy)) for n in DTYPES}
    state |= {
        "p": named,
        "leaf": make(np.ones(2)).requires_grad_(),
        "s": Size([1]),
        "d": device("cpu"),
    }
    state._metadata = {"": {"version": 1}}
    for source in (_exchange(torch, state), _exchange(torch, state, False)):
        assert type(source) is OrderedDict
        assert source._metadata == state._metadata
        assert source["a"].data_ptr() + 4 == source["c"].data_ptr()
        assert source["t"].stride() == (1, 3)
        assert source["p"].tag == [1]
        assert source["leaf"].requires_grad
        for key, value in state.items():
            if isinstance(value, Tensor):
                assert np.array_equal(source[key].detach().numpy(), value._array), key
                assert str(source[key].dtype) == repr(value.dtype)
    path = tmp_path / "x.pt"
    save(state, path)
    assert torch.equal(torch.load(path, mmap=True)["a"], torch.from_numpy(array))
    assert str(_exchange(torch, PLAIN)) == str(PLAIN)
    assert str(_exchange(torch, TRUSTED_ONLY, False)) == str(TRUSTED_ONLY)


def test_ours_reads_pytorch():
    torch = pytest.importorskip("torch")
    pytest.importorskip("ml_dtypes")
    bfloat16()
    base = torch.arange(12.0).reshape(3, 4)
    kinds = {n: torch.ones((2, 3), dtype=getattr(torch, n)) for n in BY_NAME}
    views = {"t": base.T, "cut": base[1:, ::2], "wide": base[0, 0].expand(2, 2), "0": base[1, 1]}
    lazy = {"conj": torch.tensor([1 + 2j]).conj(), "neg": torch.tensor([1 + 2j]).conj().imag}
    theirs = {"base": base, **kinds, **views, **lazy, "e": torch.zeros(0, 3)}
    theirs |= {"buffer": torch.nn.Buffer(base), "leaf": torch.ones(2, requires_grad=True)}
    file = io.BytesIO()
    torch.save(theirs, file)
    file.seek(0)
    ours = load(file)
    for key, value in theirs.items():
        assert repr(ours[key].dtype) == str(value.dtype)
        assert ours[key]._array.astype("c16").tolist() == value.to(torch.complex128).tolist(), key
        assert ours[key].requires_grad == value.requires_grad
    assert np.shares_memory(ours["base"]._array, ours["t"]._array)


def test_states_of_pytorch_modules_and_optimizers():
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    optimizer = torch.optim.Adam(model.parameters(), 0.1)
    model(torch.ones(4, 2)).sum().backward()
    optimizer.step()
    file = io.BytesIO()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    ours = load(file)
    back = _exchange(torch, ours)
    assert str(back) == str({"model": model.state_dict(), "optimizer": optimizer.state_dict()})
    model.load_state_dict(back["model"])
    optimizer.load_state_dict(back["optimizer"])


def test_what_only_pytorch_knows():
    torch = pytest.importorskip("torch")

    def content(obj, **options):
        file = io.BytesIO()
        torch.save(obj, file, **options)
        file.seek(0)
        return file

    with pytest.raises(FileError, match="legacy format"):
        load(content(torch.ones(2), _use_new_zipfile_serialization=False))
    with pytest.raises(pickle.UnpicklingError, match=r"^Weights only load failed.*Linear"):
        load(content(torch.nn.Linear(1, 1)))
    with pytest.raises(pickle.UnpicklingError, match=r"_rebuild_sparse_tensor"):
        load(content(torch.eye(2).to_sparse()))
    with pytest.raises(pickle.UnpicklingError, match=r"torch\.uint16"):
        load(content(torch.zeros(2, dtype=torch.uint16)))
    with pytest.raises(pickle.UnpicklingError, match=r"protocol 4"):
        load(content([1], pickle_protocol=4))
    tagged = torch.ones(2)
    tagged.note = "x"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert load(content(tagged))._array.tolist() == [1, 1]
    assert "note" in str(caught[0].message)
