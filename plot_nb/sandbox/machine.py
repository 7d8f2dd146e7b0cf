"""The WebAssembly engine's configuration, the same for compiling and running."""

from __future__ import annotations

import wasmtime

STACK_BYTES = 2 * 2**20
"""The guest's native stack: the most that wasmtime takes. The thread that runs it has much more."""

KEY = f"epoch-stack{STACK_BYTES >> 20}"
"""Names the configuration, for the cache."""


def engine() -> wasmtime.Engine:
    """A new engine."""
    config = wasmtime.Config()
    config.epoch_interruption = True
    config.max_wasm_stack = STACK_BYTES
    return wasmtime.Engine(config)
