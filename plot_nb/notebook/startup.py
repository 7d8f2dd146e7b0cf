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

    from IPython import get_ipython

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

    with suppress(Exception):
        shell.magics_manager.register_lazy("twist", "plot_nb")
        shell.input_transformers_post.append(load_on_first_use)


_install_plot_nb()
del _install_plot_nb
