"""Building 70,000 forms makes Python look for garbage again and again, in vain: a fifth of the time.

What was built stays, and is never looked through again: that made a search wait a quarter of a second now and
then.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage is looked for inside the block, nor afterwards in what is alive at its end.

    Reference counts still free what is let go of.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()
