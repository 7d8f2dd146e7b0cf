"""What may be written to a Store by hand."""

from __future__ import annotations

import pytest

from plot_nb import Runtime
from tests.runtime.twists import methods, on_runtime

TEXT = '{"json":1}'


def test_keys_of_tools_and_ids_of_drains_are_written_as_others_are() -> None:
    async def work(runtime: Runtime) -> list[str]:
        twist = await runtime.deploy(methods("async def go(self): pass"))
        twist.load({"__tool__:calendar.auth:token": TEXT, "__drain__:inbox:a": TEXT})
        return list(twist.store["key"])

    assert on_runtime(work) == ["__drain__:inbox:a", "__tool__:calendar.auth:token"]


@pytest.mark.parametrize(
    "key", ["__lock__:a", "__tool__:calendar:__lock__:a", "__tool__:a", "__tool__:a:__tool__:b:c"]
)
def test_locks_and_keys_of_no_tool_are_refused(key: str) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods("async def go(self): pass"))
        with pytest.raises(ValueError, match=r"keys that begin with '__(lock|tool)__:' are"):
            twist.load({key: TEXT})
        assert not len(twist.store)

    on_runtime(work)
