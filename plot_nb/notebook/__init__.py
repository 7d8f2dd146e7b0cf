"""Magics, the awaiting of cells, and how errors and Stop look there: all that knows IPython.

The work is done by plain functions (`deploy_cell`, and those of `commands`); a magic is one way to call them.
"""

from plot_nb.notebook.deploying import deploy_cell
from plot_nb.notebook.extension import load, unload
from plot_nb.notebook.problems import MagicError

__all__ = ["MagicError", "deploy_cell", "load", "unload"]
