"""`plot-nb`: what can be done with a state file outside of a notebook."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

from plot_nb.engine.limits import ClockKind
from plot_nb.errors import PlotError
from plot_nb.journal.instances import label
from plot_nb.runtime.runtime import Runtime

_AHEAD = timedelta(seconds=5)
"""How far ahead of the wall clock a file's time may be without a word on it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """What the command `plot-nb` runs.

    Args:
        arguments: Of the command line; those of this process if none are given.

    Returns:
        The exit code.
    """
    given = _parser().parse_args(arguments)
    try:
        if not given.file.is_file():
            path = str(given.file)
            raise PlotError(
                f"there is no state file at {path!r}: a notebook makes one with Runtime({path!r})"
            )
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(given.file, given.port, given.clock))
    except PlotError as error:
        print(f"plot-nb: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="plot-nb", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    webhooks = commands.add_parser(
        "webhooks",
        help="serve the webhooks of a state file on a port of this machine",
        description="Serves the webhooks of a state file on a port of this machine, and runs what is posted to them. "
        "Ctrl-C ends it; what was accepted and has not run yet does so the next time. Time is the wall clock's: "
        "what is scheduled runs when it falls due, and what fell due since the file was last open runs at once.",
    )
    webhooks.add_argument("file", type=Path, metavar="FILE", help="the state file, as in Runtime('sync.db')")
    webhooks.add_argument(
        "--port", type=_port, default=8000, help="where to listen on 127.0.0.1; 0 for any port that is free"
    )
    webhooks.add_argument(
        "--clock",
        choices=get_args(ClockKind),
        default="real",
        help="real (the default): the wall clock; virtual: the file's clock goes on from where it stands, by what is "
        "spent only, and what is scheduled for later waits until a notebook lets time pass",
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) >= 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give 1 to 65535, or 0 for any that is free")
    return int(text)


async def _serve(file: Path, port: int, clock: ClockKind) -> None:
    stopped = asyncio.Event()
    async with Runtime(file, clock=clock) as runtime:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        server = await runtime.serve_webhooks(port)
        table = runtime.webhooks()
        print(f"{file} is served at {server.url} on the {clock} clock (Ctrl-C ends)", flush=True)
        if clock == "real" and runtime.now > datetime.now(UTC) + _AHEAD:
            print(
                f"Its clock stands at {runtime.now:%Y-%m-%d %H:%M:%S} UTC, ahead of the wall clock: "
                "nothing that is scheduled runs before then",
                flush=True,
            )
        for webhook in table[~table["deleted"]].itertuples():
            kind = "answers at once" if webhook.sync else "queues"
            print(
                f"{label(str(webhook.twist), str(webhook.instance))}.{webhook.method} ({kind}): {webhook.url}",
                flush=True,
            )
        await stopped.wait()


if __name__ == "__main__":
    sys.exit(main())
