"""A post to a webhook from the notebook itself, without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plot_nb.runtime.webhooks import Post
from plot_nb.tools.webhooks import token_of

if TYPE_CHECKING:
    import httpx

    from plot_nb.runtime.runtime import Runtime


async def post(runtime: Runtime, url: str, method: str, content: dict[str, Any]) -> httpx.Response:
    """Send what an httpx client would, and give what it would get.

    Args:
        runtime: Whose webhook.
        url: With whatever base.
        method: The HTTP method.
        content: `json`, `content`, `data`, `headers`, `params`, as httpx takes them.

    Raises:
        TypeError: If `url` is no text.
        ValueError: If it is no URL.
    """
    if not isinstance(url, str):
        raise TypeError(f"post_webhook takes a webhook's URL, as create_webhook returned it, not {url!r}")
    if not url.lower().startswith(("https://", "http://")):
        raise ValueError(
            f"{url[:80]!r} is no URL: give a webhook's whole URL, as create_webhook returned it "
            "(`rt.webhooks()` lists them)"
        )
    import httpx

    class Transport(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            sent = Post(request.method, request.url.query, request.headers.raw, await request.aread())
            token = token_of(request.url.path)
            answer = await runtime._submit(runtime._webhooks.post(token, sent, remembered=True))
            return httpx.Response(answer.status, headers=answer.headers(), content=answer.body)

    async with httpx.AsyncClient(transport=Transport(), trust_env=False) as client:
        return await client.request(method, url, **content)
