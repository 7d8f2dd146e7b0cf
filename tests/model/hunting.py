"""The program that looks for a difference between the package on its path and the model.

    python -m tests.model.hunting

It ends with 1 as soon as a program of the machine does something else than the model, and says after how many. An error
that is no difference is told like any other.
"""

from __future__ import annotations

import os
import sys
import traceback

import plot_nb
from tests.model.machine import counted, play
from tests.model.test_machine import ONCE, compare


def main() -> int:
    """Compare until something differs."""
    print(f"looking at {plot_nb.__file__}", flush=True)
    try:
        for program in ONCE.values():
            play(*program)
        compare(int(os.environ["PROGRAMS"]), 25, derandomize=True)
    except Exception:  # whatever a broken engine makes of it
        print(traceback.format_exc()[-3000:])
        print(f"different after {counted['programs']} programs, {counted['comparisons']} comparisons")
        return 1
    print(f"the same in {counted['programs']} programs, {counted['comparisons']} comparisons")
    return 0


if __name__ == "__main__":
    sys.exit(main())
