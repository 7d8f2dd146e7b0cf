"""Decompressing what an untrusted server sent, never further than a body may be long."""

from __future__ import annotations

import zlib

from plot_nb.tools.network.messages import BODY_BYTES, Incoming, too_big
from plot_nb.tools.network.url import Url, shown

_MOST_CODINGS = 2


def decoded_body(answer: Incoming, url: Url) -> bytes:
    """The body with its content codings undone.

    Raises:
        ValueError: If it is too big once decompressed.
        ConnectionError: If it is broken, or in a coding that was not asked for.
    """
    declared = ",".join(value for name, value in answer.headers if name == "content-encoding")
    codings = [coding.strip().lower() for coding in declared.split(",")]
    codings = [coding for coding in codings if coding not in {"", "identity"}]
    if not answer.body or not codings:
        return answer.body
    if len(codings) > _MOST_CODINGS or not set(codings) <= {"gzip", "x-gzip", "deflate"}:
        raise ConnectionError(
            f"the response of {shown(str(url))} is encoded as {shown(declared)}, not gzip or deflate"
        )
    body = answer.body
    for coding in reversed(codings):
        body = _inflated(body, coding, url)
    return body


def _inflated(body: bytes, coding: str, url: Url) -> bytes:
    try:
        return _inflate(body, zlib.MAX_WBITS if coding == "deflate" else zlib.MAX_WBITS | 16, url)
    except zlib.error as error:
        if coding == "deflate":
            # Half of the servers mean raw deflate by it, and clients have learned to try both.
            try:
                return _inflate(body, -zlib.MAX_WBITS, url)
            except zlib.error:
                pass
        raise ConnectionError(f"the response of {shown(str(url))} is broken: {error}") from None


def _inflate(body: bytes, window_bits: int, url: Url) -> bytes:
    # One member; what follows it is dropped, as browsers do.
    stream = zlib.decompressobj(window_bits)
    plain = stream.decompress(body, BODY_BYTES + 1)
    if len(plain) > BODY_BYTES:
        raise ValueError(too_big(url))
    if not stream.eof:
        raise zlib.error("it ends early")
    return plain
