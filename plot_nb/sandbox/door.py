"""Strings through the wall as bytes, without wasmtime's general conversion of values.

That one asks for each function's type at every call and makes a ctypes type for every length of a string, which is
most of what a crossing would cost.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from wasmtime import Store, WasmtimeError, _ffi
from wasmtime.component import Func, LinkerInstance
from wasmtime.component._enter import catch_exceptions, enter_wasm

_STRING = _ffi.WASMTIME_COMPONENT_STRING.value
_U32 = _ffi.WASMTIME_COMPONENT_U32.value

_new_bytes = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p)(
    ("wasm_byte_vec_new", _ffi.dll)
)


# Nothing to free: the callbacks live as long as the process.
_finalize = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: None)


class Doors:
    """The host functions that take strings, made once for a linker."""

    def __init__(self) -> None:
        self._callbacks: list[Any] = []

    def add(self, instance: LinkerInstance, name: str, function: Callable[..., bytes | None]) -> None:
        """Let the guest call a function with strings (as bytes) and integers.

        Args:
            instance: The interface, open for definitions.
            name: The function's name in it.
            function: Returns a string as bytes, or nothing. What it raises stops the guest.
        """

        def enter(
            _data: int, context: Any, _type: Any, args: Any, count: int, results: Any, wanted: int
        ) -> Any:
            def run(_: Any) -> None:
                answer = function(*[_take(args[n]) for n in range(count)])
                if wanted:
                    _give(results[0], answer or b"")

            return catch_exceptions(context, run)

        callback = _ffi.wasmtime_component_func_callback_t(enter)
        self._callbacks.append(callback)
        encoded = name.encode()
        buffer = ctypes.create_string_buffer(encoded)
        error = _ffi.wasmtime_component_linker_instance_add_func(
            instance.ptr(), buffer, len(encoded), callback, None, _finalize
        )
        if error:  # type: ignore[truthy-bool]  # null is false
            raise WasmtimeError._from_ptr(error)


def call(function: Func, store: Store, text: bytes) -> bytes:
    """Call an export that takes a string and returns one.

    Raises:
        WasmtimeError: If the guest traps.
        Exception: What a host function raised.
    """
    argument = _ffi.wasmtime_component_val_t()
    result = _ffi.wasmtime_component_val_t()
    _give(argument, text)
    try:
        enter_wasm(
            lambda: _ffi.wasmtime_component_func_call(
                ctypes.byref(function._func),
                store._context(),
                ctypes.byref(argument),
                1,
                ctypes.byref(result),
                1,
            )
        )
    finally:
        _ffi.wasmtime_component_val_delete(ctypes.byref(argument))
    taken: bytes = _take(result)
    return taken


def _take(value: Any) -> Any:
    if value.kind == _U32:
        return value.of.u32
    if value.kind != _STRING:
        raise TypeError(f"a value of kind {value.kind} at the wall, where strings and integers pass")
    vector = value.of.string
    taken = ctypes.string_at(vector.data, vector.size) if vector.size else b""
    _ffi.wasm_byte_vec_delete(ctypes.byref(vector))
    return taken


def _give(value: Any, text: bytes) -> None:
    value.kind = _STRING
    _new_bytes(ctypes.addressof(value.of.string), len(text), text)
