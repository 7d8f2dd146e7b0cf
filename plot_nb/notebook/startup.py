# ruff: noqa: D100 - a docstring here would replace the `__doc__` of the user's namespace
#
# Makes `%%twist` known to every IPython of this environment, at no cost until it is used.
#
# The wheel puts a copy of this file into `etc/ipython/startup/`, where IPython runs it in the user's
# namespace. So it imports nothing heavy, leaves no name behind and never raises: a broken plot_nb is told of
# when a twist magic is used, not when someone starts a shell.


def _install_plot_nb() -> None:
    import re
    from contextlib import suppress
    from typing import Any

    from IPython import get_ipython
    from IPython.core.completer import context_matcher

    shell = get_ipython()
    if shell is None or "plot_nb" in shell.extension_manager.loaded:
        return

    # `%%twist`, `%twist` and `%twist?`, as IPython has rewritten them by then.
    mentions_twist = re.compile(r"get_ipython\(\)\.run_(cell|line)_magic\(.*\btwist\b").search

    def load_on_first_use(lines: list[str]) -> list[str]:
        # The lazy magic alone would come too late for the first cell: what awaits `%%twist` is a transformer,
        # and that one is appended to the very list being gone through here, so it still sees this cell.
        if "plot_nb" not in shell.extension_manager.loaded and any(map(mentions_twist, lines)):
            shell.extension_manager.load_extension("plot_nb")
        return lines

    # The first cell is written before any magic is used, so Tab in it loads too. These two stand in for the
    # extension's own matchers, which have the same identifiers; the second one for IPython's with jedi as well.
    def stand_in(identifier: str, priority: int) -> Any:
        def complete(context: Any) -> Any:
            with suppress(Exception):
                if stand_ins[0] in completer.custom_matchers and writes_twist(context.full_text):
                    for each in stand_ins:
                        completer.custom_matchers.remove(each)
                    shell.extension_manager.load_extension("plot_nb")
            others = [each for each in completer.matchers if each not in stand_ins]
            found = [each for each in others if getattr(each, "matcher_identifier", None) == identifier]
            return found[0](context) if found else {"completions": []}

        return context_matcher(identifier=identifier, priority=priority)(complete)

    completer = shell.Completer
    writes_twist = re.compile(r"^[^'\"\n]*%twist\s", re.MULTILINE).search
    stand_ins = [stand_in("plot_nb.magics", 1), stand_in("IPCompleter.jedi_matcher", -1)]

    with suppress(Exception):
        shell.magics_manager.register_lazy("twist", "plot_nb")
        shell.input_transformers_post.append(load_on_first_use)
        completer.custom_matchers.extend(stand_ins)


_install_plot_nb()
del _install_plot_nb
