"""What a tensor says of its history, for tests of views."""


def told(function, *args):
    """What it returns, or the name of the error and its first words."""
    try:
        return function(*args)
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:24]}"


def story(v):
    """requires_grad, is_leaf, the name of its node, version, whether it is a view and has a base."""
    return [
        v.requires_grad,
        told(lambda: v.is_leaf),
        told(lambda: v.grad_fn and v.grad_fn.name()),
        v._version,
        v._is_view(),
        v._base is not None,
    ]
