"""The magics: `%%twist` deploys a cell, `%twist` does the rest."""

from __future__ import annotations

import re
from argparse import Action
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring
from IPython.display import display

from plot_nb.errors import PlotError
from plot_nb.notebook import commands, looking
from plot_nb.notebook.awaiting import wait_blocking
from plot_nb.notebook.deploying import check_cell, defines, deploy_cell
from plot_nb.notebook.naming import Namespace
from plot_nb.notebook.problems import MagicError, excerpt, is_shortened, nearest, shorten
from plot_nb.notebook.status import status
from plot_nb.runtime import Runtime, TwistHandle, UpgradeReport, current


@magics_class
class TwistMagics(Magics):
    """`%%twist` and `%twist`.

    Attributes:
        awaited: Whether a cell awaits what runs something. The cell that loads the extension does not know to.
    """

    shell: InteractiveShell
    awaited: bool = False

    @no_var_expand
    @magic_arguments("%twist")
    @argument("--instance", metavar="NAME", default="default", help="install it beside others of its class")
    @argument(
        "--options",
        metavar="VAR",
        help="a variable: dict of what the twist finds in self.options; never shown",
    )
    @argument(
        "--modules", metavar="VAR", help="a variable: dict of source texts that the twist can import, by name"
    )
    @argument("--check", action="store_true", help="show what the upgrade would break, and deploy nothing")
    @argument("-h", "--help", action="store_true", help="show this")
    @cell_magic("twist")
    def cell(self, line: str, cell: str) -> Coroutine[Any, Any, TwistHandle | None]:
        """Deploy the class of this cell, and bind its name to the twist.

        The class extends Twist; its `async def` methods are what can run:

            %%twist
            class CalendarSync(Twist):
                async def start_sync(self):
                    await self.set("page", 1)

        In the next cell, `await CalendarSync.start_sync()` runs a method and the chain of tasks that it sets off,
        and shows what happened. The first deploy makes version 1 and runs `activate`; a changed class makes the
        next version and runs `upgrade`; an unchanged one does nothing. What an upgrade breaks of what waits is shown
        before it takes effect. `CalendarSync.store` is a DataFrame.

        These need no import in the cell: Twist, Tool, Network, Plot, Activity, ActivityType, Note, Uuid, Url,
        UNDEFINED, WebhookRequest, fetch, now. The pure-Python standard library can be imported.
        """
        return self._deploy(line, cell)

    async def _deploy(self, line: str, cell: str) -> TwistHandle | None:
        first_line = f"%%twist {line}".rstrip()
        try:
            given = self._parse(line)
            if given.help:
                print_help(self.cell)
                return None
            namespace = self.shell.user_ns
            settings: dict[str, Any] = {
                "first_line": first_line,
                "above": self._lines_above(cell),
                "instance": given.instance,
                "options": _variable(namespace, "--options", given.options),
                "modules": _variable(namespace, "--modules", given.modules),
            }
            if given.check:
                display(looking.upgrade(await check_cell(current(), cell, **settings)))
                return None
            twist = await deploy_cell(current(), cell, **settings, before=_show_what_breaks)
        except PlotError as error:
            if not is_shortened(error):
                shorten(error, excerpt([first_line], {1}))
            raise
        if defines(cell, twist.name):
            self.shell.push({twist.name: twist})
        return twist

    def _parse(self, line: str) -> Any:
        try:
            return parse_argstring(TwistMagics.cell, line)
        except (UsageError, ValueError) as error:
            message = str(error)
            strange = re.search(r"unrecognized arguments: (\S+)", message)
            if strange and strange[1] in COMMANDS:
                message += f". Is it the line magic? `%twist {line}`, with one %"
            elif strange:
                message += nearest(strange[1].partition("=")[0], options())
            raise MagicError(message) from None

    def _lines_above(self, cell: str) -> int:
        """Empty lines above `%%twist`, which IPython takes away, and which the reader counts."""
        raw = str(self.shell.history_manager.input_hist_raw[-1]) if self.shell.history_manager else ""
        if not raw.rstrip().endswith(cell.rstrip()):
            return 0
        return raw[: len(raw) - len(raw.lstrip())].count("\n")

    @no_var_expand
    @line_magic("twist")
    def line(self, line: str) -> Any:
        """Run twists, and look at what they did.

        Usage:

        %twist call Name.method [arguments]  call a method; arguments are Python: %twist call Sync.page 1 size=50
        %twist run                           go on with paused chains and unfinished work
        %twist advance SPAN                  let time pass, such as 2h or 1d 30m; what falls due runs
        %twist deactivate [Name]             run its `deactivate`, and drop its tasks, callbacks and webhooks
        %twist webhook URL [VALUE]           post a Python value to a webhook, as JSON
        %twist emit EVENT ACTIVITY VALUE     play a user's edit back: %twist emit note_created KEY "Hi"
        %twist suspend [Name]                let nothing of it run
        %twist resume [Name]                 end its suspension, and run what has fallen due
        %twist retry EXECUTION               try a dead letter again
        %twist inspect [Name]                all that happened, live: in a twist, or in everything that is deployed
        %twist store [Name]                  the Store, a row for each key
        %twist budget                        of the last run: what each execution spent of its limits
        %twist chain                         of the last run: what set off what, and when
        %twist progress KEY [Name]           of the last run: each write of a Store key; with a name: of all its runs
        %twist logs                          of the last run: what was printed and logged
        %twist status                        file, clock, and what is installed
        %twist tasks [Name]                  what waits: immediate work, schedules, recurring tasks
        %twist callbacks [Name]              callbacks that were not deleted
        %twist webhooks [Name]               webhooks, and how often they were posted to
        %twist activities [Name]             what twists made in Plot
        %twist dead [Name]                   dead letters: tasks that were given up
        %twist limits [Name]                 the rate limits, and when Plot would suspend it at this pace
        %twist open PATH                     use that state file from now on; made if it is not there
        %twist reset                         drop all twists, state and journal

        A Name is a variable that holds a twist, or what `%twist status` calls it, such as Sync/staging. An ACTIVITY
        is an id, a key, or Name:KEY where several twists have that key.

        %%twist [options]                    deploy the class of a cell: %%twist --help

        In code: `plot_nb.current()` is the runtime of these magics. `await CalendarSync.start_sync()` gives a run,
        `CalendarSync.store` a DataFrame, `help(CalendarSync)` the rest.
        """
        name, _, rest = line.strip().partition(" ")
        if name in {"", "help", "-h", "--help"}:
            print_help(self.line)
            return None
        try:
            if name not in COMMANDS:
                raise MagicError(f"there is no %twist {name}{nearest(name, COMMANDS)}")
            result = COMMANDS[name](self.shell.user_ns, rest.strip())
        except PlotError as error:
            shorten(error, excerpt([f"%twist {line}"], {1}))
            raise
        if not isinstance(result, Awaitable):
            return result
        work = _shortening(result, line)
        return work if self.awaited else wait_blocking(work)


async def _shortening(work: Awaitable[Any], line: str) -> Any:
    try:
        return await work
    except PlotError as error:
        shorten(error, excerpt([f"%twist {line}"], {1}))
        raise


def options() -> dict[str, Action]:
    """What can stand after `%%twist`, by its long name."""
    return {
        name: action
        for action in TwistMagics.cell.parser._actions
        for name in action.option_strings
        if name.startswith("--")
    }


def print_help(magic: Callable[..., Any]) -> None:
    """Print what a magic says of itself."""
    from inspect import cleandoc

    print(cleandoc(magic.__doc__ or "").removeprefix("::\n\n"))  # noqa: T201  # the cell's output


def _show_what_breaks(report: UpgradeReport) -> None:
    if report.broken or report.may_run:
        display(looking.upgrade(report))


def _variable(namespace: Namespace, option: str, name: str | None) -> Any:
    if name is None:
        return None
    if name not in namespace:
        close = nearest(name, namespace, listed=False)
        raise MagicError(f"{option} takes the name of a variable, and there is no {name!r}{close}")
    return namespace[name]


def _current_unless_more(text: str, command: str) -> Runtime:
    """The runtime for a command that takes nothing; what stands behind it is refused."""
    if text:
        raise MagicError(f"%twist {command} takes nothing more, and was given {text!r}")
    return current()


def _progress(namespace: Namespace, text: str) -> commands.Picture:
    words = text.split()
    if len(words) not in {1, 2}:
        raise MagicError(
            "which key? `%twist progress KEY`, or `%twist progress KEY Name` for all runs of a twist"
        )
    return commands.progress(current(), namespace, *(word.strip("'\"") for word in words))


COMMANDS: dict[str, Callable[[Namespace, str], Any]] = {
    "call": lambda namespace, text: commands.call(current(), namespace, text),
    "run": lambda namespace, text: commands.run(_current_unless_more(text, "run")),
    "advance": lambda namespace, text: commands.advance(current(), text),
    "deactivate": lambda namespace, text: commands.deactivate(current(), namespace, text),
    "webhook": lambda namespace, text: commands.webhook(current(), namespace, text),
    "emit": lambda namespace, text: commands.emit(current(), namespace, text),
    "suspend": lambda namespace, text: commands.suspend(current(), namespace, text),
    "resume": lambda namespace, text: commands.resume(current(), namespace, text),
    "retry": lambda namespace, text: commands.retry(current(), text),
    "webhooks": lambda namespace, text: looking.webhooks(current(), namespace, text),
    "activities": lambda namespace, text: looking.activities(current(), namespace, text),
    "dead": lambda namespace, text: looking.dead(current(), namespace, text),
    "limits": lambda namespace, text: looking.limits(current(), namespace, text),
    "status": lambda namespace, text: status(_current_unless_more(text, "status")),
    "tasks": lambda namespace, text: looking.tasks(current(), namespace, text),
    "callbacks": lambda namespace, text: looking.callbacks(current(), namespace, text),
    "inspect": lambda namespace, text: commands.inspect(current(), namespace, text),
    "store": lambda namespace, text: commands.store(current(), namespace, text),
    "budget": lambda namespace, text: commands.budget(_current_unless_more(text, "budget")),
    "chain": lambda namespace, text: commands.chain(_current_unless_more(text, "chain")),
    "progress": _progress,
    "logs": lambda namespace, text: commands.logs(_current_unless_more(text, "logs")),
    "open": lambda namespace, text: commands.open_file(namespace, text.strip("'\"")),
    "reset": lambda namespace, text: commands.reset(_current_unless_more(text, "reset")),
}
"""By name: what gets the user's namespace and the rest of the line. It gives a coroutine where it runs something."""
