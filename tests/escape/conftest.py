"""The runtime under siege: one for each module of attacks, in a place with something to steal."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from plot_nb import Runtime
from tests.escape.siege import LIMITS, PWNED, SECRET, Siege


@pytest.fixture(scope="module")
def siege(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Siege]:
    """A runtime in a folder with a secret, under an environment with one."""
    folder = tmp_path_factory.mktemp("siege")
    (folder / "secret.txt").write_text(SECRET, encoding="utf-8")
    (folder / "secret.txt").chmod(0o600)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PLOT_NB_SECRET", SECRET)
        patch.setenv(PWNED.upper(), SECRET)
        runtime = Runtime(seed=1, limits=getattr(request.module, "LIMITS", LIMITS))
        siege = Siege(runtime)
        yield siege
        siege.wait(_closing(runtime))
        assert os.environ["PLOT_NB_SECRET"] == SECRET


async def _closing(runtime: Runtime) -> None:
    await runtime.aclose()
