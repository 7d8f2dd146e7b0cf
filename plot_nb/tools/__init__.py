"""The host side of the built-in tools: what a request of a twist does, once it is metered."""
