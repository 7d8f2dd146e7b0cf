"""The program that looks for a difference between the package on its path and the model.

    python -m tests.model.hunting

It ends with 1 as soon as a program of the machine does something else than the model, and says in which. An error
that is no difference is told like any other.
"""

from __future__ import annotations

import os
import sys
import traceback

import plot_nb
from tests.model.examples import EXAMPLES
from tests.model.machine import counted, play
from tests.model.test_machine import compare


def main() -> int:
    """Play the examples, the one that was named first of all, and then random programs, until something differs."""
    print(f"looking at {plot_nb.__file__}", flush=True)
    place = ""
    try:
        for name in sorted(EXAMPLES, key=lambda name: name != os.environ.get("EXAMPLE")):
            place = f"example {name!r}"
            play(*EXAMPLES[name])
        place = ""
        compare(int(os.environ["PROGRAMS"]), 25, derandomize=True)
    except Exception:  # whatever a broken engine makes of it
        print(traceback.format_exc()[-3000:])
        place = place or f"random program {counted['programs']}"
        print(f"different in {place}")
        return 1
    print(f"the same in {counted['programs']} random programs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
