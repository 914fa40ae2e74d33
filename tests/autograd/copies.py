"""A model of tensors without views: what programs of views and writes must compute.

All elements of some memory are one immutable vector, itself a result of operations that write
nothing (`index_put`, `index`), so that its history is plain. A view is an array of places in it. A
write makes a new vector, which all views read from then on. A detached tensor has a vector of its
own for the same memory: values move along, histories do not.
"""

import numpy as np

import autograd_gpu as ag


class Refused(Exception):
    """The step is an error."""


class History:
    """The elements of a memory as one vector, as the tensors of one base know them.

    `leaf`: nothing may be written while recording. `memory`: all histories of the memory, and how
    often it was written.
    """

    def __init__(self, flat, leaf=False, memory=None):
        self.flat, self.leaf = flat, leaf
        self.memory = memory or {"histories": [], "writes": 0}
        self.memory["histories"].append(self)


class Model:
    """A tensor: places in a memory. `cut`: how often it had been written when a view was made under
    no_grad, else None."""

    def __init__(self, history, places, cut=None):
        self.history, self.places, self.cut = history, places, cut

    @classmethod
    def of(cls, values, leaf=False):
        """A tensor of its own, from values that the engine computed."""
        places = np.arange(values.numel()).reshape(values.shape)
        return cls(History(values.reshape(-1), leaf), places)

    @property
    def required(self):
        """Does it require grad?"""
        return self.history.flat.requires_grad

    def value(self):
        """What it shows now, with its history."""
        self.check()
        read = self.history.flat[self._here()].reshape(self.places.shape)
        return read if self.cut is None else read.detach()

    def view(self, function):
        """A view: `function` of the array of places."""
        self.check()
        apart = self.cut is not None or not ag.is_grad_enabled()
        cut = self.history.memory["writes"] if apart else None
        return Model(self.history, function(self.places), cut)

    def check(self):
        """May it be used?"""
        late = self.cut is not None and self.cut != self.history.memory["writes"]
        if late and self.required and ag.is_grad_enabled():
            raise Refused("a view made under no_grad, and its base was written since")

    def detach(self):
        """The same memory without a history."""
        history = self.history
        return Model(History(history.flat.detach(), False, history.memory), self.places)

    def write(self, values, sources=()):
        """Let it show `values` from now on."""
        recorded = ag.is_grad_enabled() and (self.required or any(s.required for s in sources))
        if recorded and self.cut is not None:
            raise Refused("a view made under no_grad")
        if recorded and self.history.leaf:
            raise Refused("a leaf, or a view of one")
        if len(np.unique(self.places)) < self.places.size:
            raise Refused("an element would be written twice")
        with ag.enable_grad():
            self._write(values, recorded)

    def _write(self, values, recorded):
        before = self.history.flat
        after = ag.index_put(before, (self._here(),), values.reshape(-1))
        change = (after - before).detach()
        for history in self.history.memory["histories"]:
            # unrecorded: the values move, gradients pass as before
            history.flat = after if recorded and history is self.history else history.flat + change
        self.history.memory["writes"] += 1

    def _here(self):
        return ag.tensor(self.places.reshape(-1))
