"""Arguments that cannot be: the error's type, and the words that say why."""

import pytest

import autograd_gpu as ag

from .rows import Bench

NEW = "type('M', (torch.nn.Module,), {'__init__': lambda self: setattr(self, 'layer', torch.nn.Linear(1, 1))})()"
ROWS = [
    ("C2.2", "torch.empty((2**40, 2**40))", "RuntimeError", "Storage size calculation overflowed"),
    ("C2.3a", "torch.empty(-1)", "RuntimeError", "negative dimension"),
    ("C2.3b", "torch.ones(3).view(-1, -1)", "RuntimeError", "only one dimension can be inferred"),
    ("C2.3c", "torch.ones(3).reshape(2, -1)", "RuntimeError", "shape '[2, -1]' is invalid for input of size 3"),
    ("C2.4", "F.cross_entropy(torch.ones(1, 2), torch.tensor([2]))", "IndexError", "Target 2 is out of bounds."),
    ("C2.5", "F.cross_entropy(torch.ones(1, 2), torch.tensor([1.]))", "RuntimeError",
     "expected target dtype to be Long or Byte, but got Float"),
    ("C2.6", "F.embedding(torch.tensor([5]), torch.ones(2, 3))", "IndexError", "index out of range in self"),
    ("C2.6b", "F.embedding(torch.tensor([-1]), torch.ones(2, 3))", "IndexError", "index out of range in self"),
    ("C2.7", "F.conv2d(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 3, 3))", "RuntimeError",
     "Kernel size can't be greater than actual input size"),
    ("C2.8", "F.max_pool2d(torch.ones(1, 1, 2, 2), 2, padding=2)", "RuntimeError",
     "pad should be at most half of effective kernel size"),
    ("C2.9a", "F.dropout(torch.ones(1), 1.5)", "ValueError",
     "dropout probability has to be between 0 and 1, but got 1.5"),
    ("C2.9b", "torch.nn.Dropout(-.1)", "ValueError", "dropout probability has to be between 0 and 1, but got -0.1"),
    ("C2.10", "setattr(torch.nn.Linear(1, 1), 'weight', torch.ones(1, 1))", "TypeError",
     "cannot assign 'torch.FloatTensor' as parameter 'weight'"),
    ("C2.11", NEW, "AttributeError", "cannot assign module before Module.__init__() call"),
    ("C2.12", "torch.arange(0, 1, 0)", "RuntimeError", "step must be nonzero"),
    ("H13", "torch.empty(0).max()", "RuntimeError", "Specify the reduction dim with the 'dim' argument"),
]  # fmt: skip


@pytest.mark.parametrize("code, kind, words", [pytest.param(*row[1:], id=row[0]) for row in ROWS])
def test_type_and_words(code, kind, words):
    found = Bench(ag, ag.nn.functional).run(f"err(lambda: {code})")
    assert found[0] == kind
    assert words in found[1]


@pytest.mark.parametrize("code, kind, words", [pytest.param(*row[1:], id=row[0]) for row in ROWS])
def test_pytorch_agrees(code, kind, words, torch):
    found = Bench(torch, torch.nn.functional).run(f"err(lambda: {code})")
    assert found[0] == kind
    assert words in found[1]


def test_memory_that_is_not_there():
    """C2.1, F18: an error that is both a MemoryError and PyTorch's, says how much was asked for, and leaves all usable."""
    with pytest.raises(ag.OutOfMemoryError) as error:
        ag.empty(10**15)
    assert isinstance(error.value, MemoryError)
    assert isinstance(error.value, RuntimeError)
    assert "4000000000000000" in str(error.value) or "PiB" in str(error.value)
    assert ag.ones(3).sum().item() == 3.0
