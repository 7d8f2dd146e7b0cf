from __future__ import annotations

import posixpath
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plot_nb.tools.network.patterns import Patterns
from plot_nb.tools.network.url import parse_url

API = "https://api.example.com/*"
V1 = "https://api.example.com/v1/*"
SUBDOMAINS = "https://*.example.com"

ALLOWED = [
    ("*", "https://anything.example.org:8443/x?y=1"),
    ("*", "http://10.0.0.1/"),
    (API, "https://api.example.com"),
    (API, "https://api.example.com/"),
    (API, "https://api.example.com/items?page=1#top"),
    (API, "https://api.example.com?page=1"),
    (API, "HTTPS://API.Example.COM/items"),
    (API, "https://api.example.com:443/items"),
    (API, "https://api.example.com:0443/items"),
    ("https://api.example.com", "https://api.example.com/any/path"),
    ("https://api.example.com:8443", "https://api.example.com:8443/x"),
    ("http://localhost:8000/*", "http://localhost:8000/items"),
    ("http://127.0.0.1:8000", "http://127.0.0.1:8000/items"),
    ("http://[::1]:8000", "http://[0:0:0:0:0:0:0:1]:8000/items"),
    (SUBDOMAINS, "https://a.example.com/"),
    (SUBDOMAINS, "https://a.b.example.com/x"),
    (V1, "https://api.example.com/v1/"),
    (V1, "https://api.example.com/v1/items"),
    (V1, "https://api.example.com/v1/a/../b"),
    (V1, "https://api.example.com/v2/../v1/b"),
    (V1, "https://api.example.com/%761/items"),
    (V1, "https://api.example.com/v1/group%2Fproject"),
    (V1, "https://api.example.com/v1/a%2F..%2Fb"),
    (V1, "https://api.example.com/v1/file%2Ejson"),
    (V1, "https://api.example.com/v1/100%25"),
    (V1, "https://api.example.com/v1/?next=../../admin"),
    (V1, "https://api.example.com/v1/ünï"),
    ("https://api.example.com/v1*", "https://api.example.com/v10"),
    ("https://api.example.com/v1/items", "https://api.example.com/v1/items?page=2"),
    ("https://api.example.com/a%2Fb", "https://api.example.com/a%2fb"),
    ("https://api.example.com/a%2fb/*", "https://api.example.com/a%2Fb/c"),
    ("https://bücher.example", "https://xn--bcher-kva.example/"),
    ("https://xn--bcher-kva.example", "https://BÜCHER.example/"),
]

REFUSED = [
    (API, "http://api.example.com/items"),
    (API, "https://example.com/items"),
    (API, "https://api.example.com.evil.example/items"),
    (API, "https://evil-api.example.com/items"),
    (API, "https://apixexample.com/"),
    (API, "https://api.example.com:444/items"),
    (API, "https://api.example.com:80/items"),
    (API, "https://api.example.com:/items"),
    (API, "https://api.example.com:0/items"),
    (API, "https://api.example.com:65979/items"),
    (API, "https://api.example.com:٤٤٣/items"),
    (API, "https://api.example.com./items"),
    (API, "https://api.example.com。/items"),
    (API, "https://api.example.com@evil.example/"),
    (API, "https://user@api.example.com/items"),
    (API, "https://user:secret@api.example.com/items"),
    (API, "https://evil.example\\@api.example.com/"),
    (API, "https://api.example.com\\@evil.example/"),
    (API, "https:\\\\api.example.com\\items"),
    (API, "https://evil.example/https://api.example.com/"),
    (API, "https://evil.example#@api.example.com/"),
    (API, "https://evil.example?@api.example.com/"),
    (API, "https://api.example.com%2eevil.example/"),
    (API, "https://api%2eexample.com/"),
    (API, " https://api.example.com/"),
    (API, "https://api.example.com /"),
    (API, "https://api.example.com/ x"),
    (API, "https://api.exam\tple.com/"),
    (API, "https://api.example.com/\r\nHost: evil.example"),
    (API, "https://api.example.com/\x00"),
    (API, "https://api.example.com/\u2028"),
    (API, "https://api.example.com/\ud800"),
    (API, "https:/api.example.com/"),
    (API, "https:api.example.com/"),
    (API, "//api.example.com/"),
    (API, "https:///api.example.com/"),
    (API, "ftp://api.example.com/"),
    (API, "file:///etc/passwd"),
    (API, "javascript:alert(1)"),
    (API, "data:text/plain,x"),
    (API, ""),
    (API, "https://api.example.com/" + "x" * 20_000),
    (API, "https://\u0430pi.example.com/"),
    (API, "https://xn--pi-7kc.example.com/"),
    (API, "https://xn--a.example.com/"),
    (SUBDOMAINS, "https://example.com/"),
    (SUBDOMAINS, "https://.example.com/"),
    (SUBDOMAINS, "https://a..example.com/"),
    (SUBDOMAINS, "https://notexample.com/"),
    (SUBDOMAINS, "https://a.example.com.evil.example/"),
    (SUBDOMAINS, "http://a.example.com/"),
    (SUBDOMAINS, "https://a.example.com:8443/"),
    (V1, "https://api.example.com/"),
    (V1, "https://api.example.com/v1"),
    (V1, "https://api.example.com/v10/x"),
    (V1, "https://api.example.com/V1/x"),
    (V1, "https://api.example.com//v1/x"),
    (V1, "https://api.example.com/v1/../admin"),
    (V1, "https://api.example.com/v1/%2e%2e/admin"),
    (V1, "https://api.example.com/v1/.%2E/admin"),
    (V1, "https://api.example.com/v1/..%2Fadmin"),
    (V1, "https://api.example.com/v1/..%2fv2"),
    (V1, "https://api.example.com/v1/x%2F..%2F..%2Fadmin"),
    (V1, "https://api.example.com/v1/%2e%2e%2fadmin"),
    (V1, "https://api.example.com/v1/%252e%252e/admin"),
    (V1, "https://api.example.com/v1/%252e%252e%252fadmin"),
    (V1, "https://api.example.com/v1/..%255cadmin"),
    (V1, "https://api.example.com/v1/..%5cadmin"),
    (V1, "https://api.example.com/v1/..;/admin"),
    (V1, "https://api.example.com/v1/..;a=b%2Fadmin"),
    (V1, "https://api.example.com/v1//..%2F..%2Fadmin"),
    (V1, "https://api.example.com/v1/a//..%2F..%2F..%2Fadmin"),
    (V1, "https://api.example.com/v1/..%2Fadmin%2F..%252Fv1%2Fx"),
    (V1, "https://api.example.com/v1/" + "%25" * 1 + "25" * 40 + "2e"),
    ("https://api.example.com/v1/items", "https://api.example.com/v1/items/"),
    ("https://api.example.com/v1/items", "https://api.example.com/v1/items2"),
    ("https://api.example.com/", "https://api.example.com/x"),
    ("http://127.0.0.1", "http://127.1/"),
    ("http://127.0.0.1", "http://2130706433/"),
    ("http://127.0.0.1", "http://0x7f000001/"),
    ("http://127.0.0.1", "http://0x7f.0.0.1/"),
    ("http://127.0.0.1", "http://0177.0.0.1/"),
    ("http://127.0.0.1", "http://127.0.0.01/"),
    ("http://127.0.0.1", "http://127.0.0.1./"),
    ("http://127.0.0.1", "http://[::ffff:127.0.0.1]/"),
    ("*", "http://2130706433/"),
    ("*", "http://0x7f.1/"),
    ("*", "http://127.0.0.1./"),
    ("*", "http://[fe80::1%25eth0]/"),
    ("*", "http://[::1/"),
    ("*", "http://a:b:80/"),
    ("*", "http://user@example.com/"),
    ("*", "ftp://example.com/"),
    ("*", "http://exa mple.com/"),
    ("*", "http://-a.example/"),
    ("*", "http://a" + "a" * 63 + ".example/"),
]

BAD_PATTERNS = [
    "",
    "**",
    "example.com",
    "https://",
    "https://*",
    "https://*.",
    "https://**.example.com",
    "https://a*.example.com",
    "https://a.*.com",
    "https://example.*",
    "*://example.com",
    "https://*.127.0.0.1",
    "https://*.[::1]",
    "https://api.example.com*",
    "https://api.example.com:*",
    "https://api.example.com:70000",
    "https://user@api.example.com",
    "https://api.example.com./",
    "https://api.example.com\\x",
    "https://api.example.com/ x",
    "https://api.example.com/*/items",
    "https://api.example.com/**",
    "https://api.example.com/v1/../*",
    "https://api.example.com/v1/%2e%2e/*",
    "https://api.example.com/v1/.*",
    "https://api.example.com/items?page=*",
    "https://api.example.com/#x",
    "https://0x7f.1",
    "ftp://example.com",
    "file:///*",
]


@pytest.mark.rule("9.2", "9.3", "9.4", "9.5", "9.6", "9.7", "9.8")
@pytest.mark.parametrize(("pattern", "url"), ALLOWED)
def test_a_pattern_allows(pattern: str, url: str) -> None:
    assert Patterns([pattern]).allows(url)


@pytest.mark.rule("9.3", "9.5", "9.6", "9.7", "9.8", "9.9")
@pytest.mark.parametrize(("pattern", "url"), REFUSED)
def test_a_pattern_refuses(pattern: str, url: str) -> None:
    assert not Patterns([pattern]).allows(url)


@pytest.mark.parametrize("pattern", BAD_PATTERNS)
def test_a_bad_pattern_is_named_when_it_is_declared(pattern: str) -> None:
    with pytest.raises(ValueError, match="URL pattern") as caught:
        Patterns(["https://fine.example.com/*", pattern])
    assert repr(pattern) in str(caught.value)


def test_patterns_given_as_one_text_are_refused() -> None:
    with pytest.raises(ValueError, match="list of patterns"):
        Patterns("https://api.example.com/*")


def test_one_of_several_patterns_is_enough() -> None:
    patterns = Patterns([V1, SUBDOMAINS])
    assert patterns.allows("https://other.example.com/x")
    assert patterns.texts == (V1, SUBDOMAINS)


def test_no_pattern_allows_nothing() -> None:
    with pytest.raises(PermissionError, match="declares none"):
        Patterns(()).check("https://api.example.com/")


@pytest.mark.rule("9.1")
def test_a_refusal_names_the_url_and_the_patterns() -> None:
    with pytest.raises(PermissionError) as caught:
        Patterns([API, SUBDOMAINS]).check("https://evil.example/x")
    assert "https://evil.example/x" in str(caught.value)
    assert API in str(caught.value)
    assert SUBDOMAINS in str(caught.value)


def test_a_refusal_says_what_is_wrong_with_the_spelling() -> None:
    with pytest.raises(PermissionError, match="backslash"):
        Patterns([API]).check("https://api.example.com\\x")


def test_a_refusal_shows_a_hostile_url_short_and_escaped() -> None:
    with pytest.raises(PermissionError) as caught:
        Patterns([API]).check("https://api.example.com/\x1b[31m" + "x" * 5000)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("HTTPS://Example.COM:443", "https://example.com/"),
        ("http://example.com:443/", "http://example.com:443/"),
        ("https://example.com/a/./b/../c?q=1#f", "https://example.com/a/c?q=1"),
        ("https://example.com/%7Euser/%2f", "https://example.com/~user/%2F"),
        ("https://example.com/..", "https://example.com/"),
        ("https://example.com/ü?ü", "https://example.com/%C3%BC?%C3%BC"),
        ("https://example.com/100%", "https://example.com/100%25"),
        ("https://example.com?", "https://example.com/?"),
        ("http://[2001:DB8:0::1]:80/", "http://[2001:db8::1]/"),
    ],
)
def test_an_allowed_url_comes_back_in_one_spelling(text: str, spelled: str) -> None:
    assert str(Patterns(["*"]).check(text)) == spelled


URL_TEXTS = st.text(st.sampled_from("abz019-._~!$&'()*+,;=:@/%?#[]\"<>^`{|}üß中 \\"), max_size=30)


@given(URL_TEXTS)
def test_what_is_compared_is_what_is_sent(tail: str) -> None:
    try:
        url = parse_url("https://api.example.com/" + tail)
    except ValueError:
        return
    sent = httpx.URL(str(url))
    assert parse_url(str(url)) == url
    assert (sent.raw_host, sent.raw_path) == (url.host.encode(), url.target.encode())


TRAVERSALS = st.lists(
    st.sampled_from(["/", "a", ".", "..", "%2e", "%2F", "%5c", "%25", "%252e", "2f", "v1", ";x"]), max_size=12
).map("".join)


@pytest.mark.rule("9.7", "9.8")
@given(TRAVERSALS)
def test_what_a_prefix_allows_is_below_it_however_often_a_reader_decodes(tail: str) -> None:
    url = "https://api.example.com/v1/" + tail
    if not Patterns([V1]).allows(url):
        return
    path = parse_url(url).path
    for _ in range(5):
        assert (posixpath.normpath(path.replace("\\", "/")) + "/").startswith("/v1/")
        path = unquote(path)


@given(URL_TEXTS)
def test_a_url_that_a_pattern_allows_leads_to_its_host(tail: str) -> None:
    url = "https://api.example.com" + tail
    if Patterns([API]).allows(url):
        assert httpx.URL(url).raw_host == b"api.example.com"
