"""`python -m autograd_gpu` is `autograd-gpu`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
