"""The WebAssembly engine's configuration, the same for compiling and running."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import wasmtime

# The C library has more than the Python package gives names to.
_library: Any = getattr(wasmtime._ffi, "dll", None)
_set_async_stack = getattr(_library, "wasmtime_config_async_stack_size_set", None)

STACK_BYTES = (32 if _set_async_stack else 2) * 2**20
"""The guest's native stack. From 32 MiB up the interpreter notices nearly every deep recursion in C by itself, and
raises RecursionError; below, it runs into the end of the stack, which ends the execution."""

THREAD_STACK_BYTES = 2 * STACK_BYTES
"""Of the thread that runs the guest, so that the guest's limit is met before the thread's own."""

KEY = f"epoch-stack{STACK_BYTES >> 20}"
"""Names the configuration, for the cache."""

KEPT_BYTES = 20 * 2**20
"""So much of an instance's memory is put back as it was instead of being mapped anew: about the part of the
snapshot that executions write to.
Most of an instance's cost is copying pages of the snapshot that are written to; pages put back are copied already."""

# Of one slot each would do; a component is made of several core instances.
_SLOTS = {
    "total_component_instances": 2,
    "total_core_instances": 100,
    "total_memories": 4,
    "total_tables": 100,
    "total_stacks": 2,
    "max_memories_per_component": 4,
    "max_tables_per_component": 50,
    "max_core_instances_per_component": 50,
    "max_component_instance_size": 4 * 2**20,
    "max_core_instance_size": 4 * 2**20,
    "max_memory_size": 4 * 2**30,
    "table_elements": 100_000,
    "table_keep_resident": 2**20,
    "linear_memory_keep_resident": KEPT_BYTES,
}


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
    # Elsewhere the kernel offers no way to put pages back.
    if sys.platform == "linux":
        _keep_slots(config)
    return wasmtime.Engine(config)


def _keep_slots(config: wasmtime.Config) -> None:
    """Let every instance live where the last one did."""
    ffi: Any = wasmtime._ffi
    pooling = ffi.wasmtime_pooling_allocation_config_new()
    for name, value in _SLOTS.items():
        getattr(ffi, f"wasmtime_pooling_allocation_config_{name}_set")(pooling, value)
    ffi.wasmtime_pooling_allocation_strategy_set(config.ptr(), pooling)
    ffi.wasmtime_pooling_allocation_config_delete(pooling)
