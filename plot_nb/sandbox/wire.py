"""Frames between the pool and its workers: 4 bytes of length, 1 byte of kind, payload.

A worker puts fixed binary headers before what the guest wrote, so the guest's bytes are never part of anything that
is parsed but themselves.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass

LENGTH = struct.Struct("<I")
FRAME_LIMIT = 64 * 2**20
"""A longer frame comes from no worker of ours."""

RUN = ord("r")
ANSWER = ord("a")
STOP = ord("s")
FORGET = ord("f")
CROSSING = ord("c")
RESULT = ord("e")

_RUN = struct.Struct("<dQII")
_CROSSING = struct.Struct("<QI")
_RESULT = struct.Struct("<QqII")


def frame(kind: int, payload: bytes = b"") -> bytes:
    """Wrap a payload."""
    return b"%b%c%b" % (LENGTH.pack(len(payload) + 1), kind, payload)


@dataclass(frozen=True, slots=True)
class Run:
    """What a worker is told to run.

    Attributes:
        program: The program's id.
        text: The program for `load`; empty when the worker has it from the last run.
    """

    cpu: float
    memory: int
    program: bytes
    text: bytes
    invocation: bytes

    def pack(self) -> bytes:
        """As a payload."""
        head = _RUN.pack(self.cpu, self.memory, len(self.program), len(self.text))
        return head + self.program + self.text + self.invocation

    @classmethod
    def unpack(cls, payload: memoryview) -> Run:
        """From a payload."""
        cpu, memory, program, text = _RUN.unpack_from(payload)
        at = _RUN.size
        return cls(
            cpu=cpu,
            memory=memory,
            program=bytes(payload[at : at + program]),
            text=bytes(payload[at + program : at + program + text]),
            invocation=bytes(payload[at + program + text :]),
        )


@dataclass(frozen=True, slots=True)
class Crossed:
    """A crossing as it comes from a worker."""

    cpu_us: int
    logs: bytes
    guest: bytes

    def pack(self) -> bytes:
        """As a payload."""
        return _CROSSING.pack(self.cpu_us, len(self.logs)) + self.logs + self.guest

    @classmethod
    def unpack(cls, payload: memoryview) -> Crossed:
        """From a payload."""
        cpu_us, logs = _CROSSING.unpack_from(payload)
        at = _CROSSING.size
        return cls(cpu_us, bytes(payload[at : at + logs]), bytes(payload[at + logs :]))


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of an execution as it comes from a worker.

    Attributes:
        ending: "returned", "trapped" or "stopped".
        memory_peak: Bytes; None where it cannot be measured.
    """

    cpu_us: int
    memory_peak: int | None
    ending: str
    reason: str
    detail: str
    logs: bytes
    guest: bytes

    def pack(self) -> bytes:
        """As a payload."""
        how = json.dumps([self.ending, self.reason, self.detail]).encode()
        peak = -1 if self.memory_peak is None else self.memory_peak
        return _RESULT.pack(self.cpu_us, peak, len(how), len(self.logs)) + how + self.logs + self.guest

    @classmethod
    def unpack(cls, payload: memoryview) -> Ended:
        """From a payload."""
        cpu_us, peak, how, logs = _RESULT.unpack_from(payload)
        at = _RESULT.size
        ending, reason, detail = json.loads(bytes(payload[at : at + how]))
        return cls(
            cpu_us=cpu_us,
            memory_peak=None if peak < 0 else peak,
            ending=str(ending),
            reason=str(reason),
            detail=str(detail),
            logs=bytes(payload[at + how : at + how + logs]),
            guest=bytes(payload[at + how + logs :]),
        )
