"""Samples of classes that can be differentiated: gumbel_softmax."""

import warnings

from .declare import composite
from .elementwise import log
from .helpers import like, raw
from .softmax import _softmax

__all__ = ["gumbel_softmax"]


@composite(where=("nn.functional",))
def gumbel_softmax(logits, tau=1, hard=False, eps=1e-10, dim=-1):
    """A random class for each sample, as a softmax of the scores with noise added.

    y = softmax((x + n) / t),  n = -ln e,  e exponential            dL/dx as of the softmax, / t

    `hard`: y is one-hot, its derivative that of the softmax. Draws from the default generator.
    Source: Jang, Gu and Poole, arXiv:1611.01144; Maddison, Mnih and Teh, arXiv:1611.00712.
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    noise = -log(logits.detach().clone().exponential_())
    soft = _softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    values = raw(soft)
    best = values.argmax(dim)
    one = values * 0
    index = like(best, soft).unsqueeze(dim)
    chosen = like(one, soft).scatter_(dim, index, 1.0)
    return chosen - soft.detach() + soft
