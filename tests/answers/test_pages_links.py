"""Links to the next page: the header Link as RFC 8288 has it, and where a link may lead.

A link leads to another host only where `paging` says so (`other_hosts: true`), and then takes no
secret along; to private, loopback and link-local addresses only if the source itself is there.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.answer_runs import Case
from support.http_server import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import RunCli
    from support.answer_runs import Result
    from support.http_server import LocalServer, Request
    from support.program_sources import SourceFile

PLACES: dict[str, Any] = {"ts": "t", "value": "v"}
TS = "2025-06-02T00:00Z"
FIRST, SECOND = {"t": TS, "v": 0}, {"t": "2025-06-02T01:00Z", "v": 1}
BOTH = {TS: 0.0, "2025-06-02T01:00Z": 1.0}


def link_case(link: str | Mapping[str, str], *, follows: bool = True, query: str = "p=2") -> Case:
    """A page with this header, and another one; whether the header leads there."""
    headers = {"Link": link} if isinstance(link, str) else link
    asked: list[str] = []

    def reply(request: Request) -> Reply:
        if not request.query:
            return Reply(body=Reply.json([FIRST]).body, headers=headers)
        asked.append(request.target)
        return Reply.json([SECOND]) if request.target.endswith(query) else Reply(403)

    return Case(
        reply,
        {**PLACES, "paging": {"next": "header:Link"}},
        BOTH if follows else {TS: 0.0},
        requests=2 if follows else 1,
    )


LEADING = {
    "plain": link_case('<?p=2>; rel="next"'),
    "unquoted": link_case("<?p=2>; rel=next"),
    "any-case": link_case('<?p=2>; REL="NEXT"'),
    "mixed-case": link_case('<?p=2>; Rel="Next"'),
    "several-relations": link_case('<?p=2>; rel="last next"'),
    "several-relations-first": link_case('<?p=2>; rel="next  nofollow"'),
    "second-of-two": link_case('<?p=1>; rel="prev", <?p=2>; rel="next"'),
    "first-of-two": link_case('<?p=2>; rel="next", <?p=9>; rel="last"'),
    # commas and semicolons within quotes
    "comma-in-quotes": link_case('<?p=2>; title="pages 2, 3, 4"; rel="next"'),
    "comma-in-quotes-before": link_case('<?p=1>; rel="prev"; title="a, b", <?p=2>; rel="next"'),
    "semicolon-in-quotes": link_case('<?p=2>; title="a; b; c"; rel="next"'),
    "relation-in-quotes": link_case('<?p=2>; title="x; rel=prev, y"; rel="next"'),
    "link-in-quotes": link_case('<?p=2>; title="<?p=9>; rel=\\"last\\""; rel="next"'),
    "quote-in-quotes": link_case('<?p=2>; title="a \\" , b"; rel="next"'),
    # commas and semicolons in the address
    "comma-in-the-address": link_case('<?ids=1,2;3&p=2>; rel="next"', query="ids=1,2;3&p=2"),
    # other parameters, in any order, without blanks, with many
    "other-parameters": link_case('<?p=2>; type="application/json"; rel="next"; hreflang=de'),
    "no-blanks": link_case('<?p=1>;rel="prev",<?p=2>;rel="next"'),
    "many-blanks": link_case('  <?p=2>   ;   rel  =  "next"  '),
    "empty-elements": link_case(', ,<?p=2>; rel="next",,'),
    "parameter-without-a-value": link_case('<?p=2>; crossorigin; rel="next"'),
    "title-of-another-charset": link_case("<?p=2>; title*=UTF-8''n%c3%a4chste%2C; rel=next"),
    # several headers
    "two-headers": link_case({"Link": '<?p=9>; rel="last"', "link": '<?p=2>; rel="next"'}),
    "two-headers-the-other-way": link_case(
        {"link": '<?p=2>; rel="next"', "Link": '<?p=9>; rel="last"'}
    ),
    # of two links to the next page the first
    "two-nexts": link_case('<?p=2>; rel="next", <?p=3>; rel="next"'),
}
NOT_LEADING = {
    "no-header": link_case({}, follows=False),
    "previous": link_case('<?p=2>; rel="prev"', follows=False),
    "no-relation": link_case("<?p=2>", follows=False),
    # of two relations of one link the first counts (RFC 8288, 3.3)
    "second-relation": link_case('<?p=2>; rel="prev"; rel="next"', follows=False),
    "part-of-a-word": link_case('<?p=2>; rel="nextish"', follows=False),
    "relation-of-its-own": link_case('<?p=2>; rel="https://example.org/next"', follows=False),
    "title-that-says-so": link_case('<?p=2>; title="rel=next"', follows=False),
    "title-with-a-link": link_case('<?p=1>; rel="prev"; title=", <?p=2>; rel=next"', follows=False),
    # a link of something else than this page
    "anchor": link_case('<?p=2>; rel="next"; anchor="https://example.org/other"', follows=False),
    "empty": link_case("", follows=False),
    "rubbish": link_case("next: ?p=2", follows=False),
}
CASES = LEADING | NOT_LEADING


@pytest.mark.parametrize("name", LEADING)
def test_the_header_is_read_as_the_standard_has_it(
    results: Mapping[str, Result], name: str
) -> None:
    """Quoted commas and semicolons, several relations, any case, several headers."""
    results[name].check()


@pytest.mark.parametrize("name", NOT_LEADING)
def test_what_is_no_link_to_the_next_page_ends_them(
    results: Mapping[str, Result], name: str
) -> None:
    """Other relations, and texts that only look like one."""
    results[name].check()


KEY = "s3cret-key-of-a-test"


def describe(sources: SourceFile, address: str, **paging: Any) -> None:
    """A source whose pages lie behind links, with secrets of three kinds."""
    sources.add(
        "load",
        "http_plugin.HttpJsonPlugin",
        {
            **PLACES,
            "url": address,
            "rows": "rows",
            "auth": {"query": {"token": KEY}},
            "headers": {"X-Key": KEY},
            "paging": {"next": "next", **paging},
        },
        {"initial_history": "all"},
    )
    sources.write()


def run(run_cli: RunCli, env: Mapping[str, str]) -> dict[str, Any]:
    """What the run told; no secret is in it."""
    done = run_cli("fetch", "load", "--json", env=env)
    assert KEY not in done.stdout + done.stderr
    (told,) = json.loads(done.stdout)["runs"]
    return {**told, "code": done.returncode}


def test_a_link_to_another_host_is_not_followed(
    sources: SourceFile,
    server: LocalServer,
    other_server: LocalServer,
    env: dict[str, str],
    run_cli: RunCli,
) -> None:
    """Unless `paging` says so: nothing is asked there, nothing stored, and the way out is named."""
    there = other_server.answer("/b", Reply.json({"rows": [SECOND]}))
    describe(sources, server.answer("/a", Reply.json({"rows": [FIRST], "next": there})))
    told = run(run_cli, env)
    assert (told["outcome"], told["inserted"], told["code"]) == ("failed", 0, 3)
    assert "other_hosts" in told["error"]
    assert not other_server.requests


@pytest.mark.parametrize("allowed", [True, False])
def test_other_hosts_are_followed_without_secrets(
    sources: SourceFile,
    server: LocalServer,
    other_server: LocalServer,
    env: dict[str, str],
    run_cli: RunCli,
    allowed: bool,  # noqa: FBT001 - a parameter
) -> None:
    """Neither in the address nor in a header; and back on the first host they come again."""
    back = f"{server.url}/c"
    server.answer("/c", Reply.json({"rows": [{"t": "2025-06-02T02:00Z", "v": 2}]}))
    there = other_server.answer("/b", Reply.json({"rows": [SECOND], "next": back}))
    address = server.answer("/a", Reply.json({"rows": [FIRST], "next": there}))
    describe(sources, address, other_hosts=allowed)
    told = run(run_cli, env)
    if not allowed:
        assert told["outcome"] == "failed"
        assert not other_server.requests
        return
    assert (told["outcome"], told["inserted"]) == ("succeeded", 3)
    (request,) = other_server.requests
    assert KEY not in f"{request.target} {request.headers}"


def test_a_link_on_the_same_host_needs_no_leave(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Absolute, relative, or only a query; with its secrets."""
    server.answer("/b", Reply.json({"rows": [SECOND], "next": "/c?x=1"}))
    server.answer("/c", Reply.json({"rows": [{"t": "2025-06-02T02:00Z", "v": 2}], "next": None}))
    describe(sources, server.answer("/a", Reply.json({"rows": [FIRST], "next": f"{server.url}/b"})))
    assert run(run_cli, env)["outcome"] == "succeeded"
    assert all(request.headers["x-key"] == KEY for request in server.requests)


PRIVATE = [
    "http://127.0.0.1:{port}/private",
    "http://localhost:{port}/private",
    "http://[::1]:{port}/private",
    "http://10.1.2.3/private",
    "http://172.16.0.9/private",
    "http://192.168.1.1/private",
    "http://169.254.169.254/latest/meta-data",
    "http://[fe80::1]/private",
    "http://[fd00::1]/private",
    "http://0.0.0.0:{port}/private",
    # the same, written otherwise
    "http://2130706433:{port}/private",
    "http://0x7f000001:{port}/private",
    "http://127.1:{port}/private",
    "http://[::ffff:127.0.0.1]:{port}/private",
]


@pytest.mark.parametrize("link", PRIVATE)
def test_a_public_source_never_leads_to_a_private_address(
    sources: SourceFile,
    server: LocalServer,
    env: dict[str, str],
    run_cli: RunCli,
    link: str,
) -> None:
    """Not even where other hosts are allowed: nothing is asked there, and nothing stored.

    The source is a public host, which a proxy on this machine stands for.
    """
    onward = link.format(port=server.port)
    server.answer("/a", Reply.json({"rows": [FIRST], "next": onward}))
    server.answer("/private", Reply.json({"rows": [SECOND]}))
    server.answer("/latest/meta-data", Reply.json({"rows": [SECOND]}))
    describe(sources, "http://data.example.org/a", other_hosts=True)
    # what is sent to a proxy is looked up by the proxy, so that no name need resolve here
    told = run(run_cli, {**env, "HTTP_PROXY": server.url, "NO_PROXY": ""})
    assert told["outcome"] == "failed", told
    assert [request.path for request in server.requests] == ["/a"]


def test_a_public_source_may_lead_to_another_public_host(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Where `paging` says so."""
    server.answer("/a", Reply.json({"rows": [FIRST], "next": "http://more.example.net/b"}))
    server.answer("/b", Reply.json({"rows": [SECOND]}))
    describe(sources, "http://data.example.org/a", other_hosts=True)
    told = run(run_cli, {**env, "HTTP_PROXY": server.url, "NO_PROXY": ""})
    assert (told["outcome"], told["inserted"]) == ("succeeded", 2), told["error"]
    assert KEY not in str(server.requests[1])
