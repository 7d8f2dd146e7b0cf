"""A run as pictures and tables, made from the journal's tables alone.

Every function gives a MIME bundle: `text/html` without script or anything from elsewhere, and `text/plain`.
"""

from plot_nb.view.bundle import budget, bundle, chain, logs
from plot_nb.view.frame import table
from plot_nb.view.rates import windows
from plot_nb.view.tables import Limits, RunTables

__all__ = ["Limits", "RunTables", "budget", "bundle", "chain", "logs", "table", "windows"]
