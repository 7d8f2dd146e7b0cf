"""The WebAssembly engine's configuration, the same for compiling and running."""

from __future__ import annotations

import ctypes

import wasmtime

# The C library has it, the Python package does not name it yet.
_set_async_stack = getattr(getattr(wasmtime._ffi, "dll", None), "wasmtime_config_async_stack_size_set", None)

STACK_BYTES = (32 if _set_async_stack else 2) * 2**20
"""The guest's native stack. From 32 MiB up the interpreter notices nearly every deep recursion in C by itself, and
raises RecursionError; below, it runs into the end of the stack, which ends the execution."""

THREAD_STACK_BYTES = 2 * STACK_BYTES
"""Of the thread that runs the guest, so that the guest's limit is met before the thread's own."""

KEY = f"epoch-stack{STACK_BYTES >> 20}"
"""Names the configuration, for the cache."""


def engine() -> wasmtime.Engine:
    """A new engine."""
    config = wasmtime.Config()
    config.epoch_interruption = True
    if _set_async_stack:
        # Must be the larger of the two, though nothing here is asynchronous.
        _set_async_stack.restype = None
        _set_async_stack.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
        _set_async_stack(ctypes.cast(config.ptr(), ctypes.c_void_p), THREAD_STACK_BYTES)
    config.max_wasm_stack = STACK_BYTES
    return wasmtime.Engine(config)
