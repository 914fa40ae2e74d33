"""Every kind of hook on a tensor and its node, with a log of what they are given."""


def numbers(value):
    """Gradients as lists of rounded numbers, which logs can hold."""
    if isinstance(value, (tuple, list)):
        return [numbers(v) for v in value]
    if value is None or not hasattr(value, "detach"):
        return value
    return [round(v, 6) for v in value.detach().reshape(-1).tolist()]


def node_of(t, x):
    """The node that a gradient of `x` goes to."""
    with t.enable_grad():
        return x.grad_fn if x.grad_fn is not None else x.view_as(x).grad_fn.next_functions[0][0]


def hook_all(t, x, name, log):
    """Log every hook that there is on `x`, with its grad mode. Gives what must live on: PyTorch forgets the
    hooks of a leaf's node that nobody holds.
    """

    def said(kind, *values):
        log.append((name, kind, *map(numbers, values), t.is_grad_enabled()))

    x.register_hook(lambda g: said("tensor", g))
    node = node_of(t, x)
    node.register_prehook(lambda outs: said("pre", outs))
    node.register_hook(lambda ins, outs: said("post", ins, outs))
    if x.is_leaf:
        x.register_post_accumulate_grad_hook(lambda p: said("after", p.grad))
    return node
