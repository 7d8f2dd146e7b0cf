"""The host side of `fetch`: which URLs a twist may reach, and the way there and back."""

from plot_nb.tools.network.fetcher import Fetcher, latency_of
from plot_nb.tools.network.messages import BODY_BYTES, AsgiApp, FetchRequest, FetchResponse
from plot_nb.tools.network.patterns import Patterns

__all__ = ["BODY_BYTES", "AsgiApp", "FetchRequest", "FetchResponse", "Fetcher", "Patterns", "latency_of"]
