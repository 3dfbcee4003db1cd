"""The donate link: on to the donation page with the letter's code, noted only for those who agreed, never elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import insert, update

from pillarbox.compose.links import LinkMaker
from pillarbox.content.bundle import gather
from pillarbox.ground.errors import SettingsError
from pillarbox.model.config import Settings
from pillarbox.model.sections import GivingSettings, LinkSettings
from pillarbox.model.states import Agent, Basis, Channel, Kind
from pillarbox.people import rights
from pillarbox.reports import clickmap
from pillarbox.reports.details import donation_pages, links
from pillarbox.store import schema
from pillarbox.web.app import create
from tests.builders import SECRET, SENT_AT
from tests.web.browsing import serving, violations
from tests.web.site import PROJECT, Site, TestClient, rows

PAGE, MONTHLY = "https://give.example.org/now", "https://give.example.org/monthly"
BROWSER = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"}


def settings_of(site: Site, **giving: Any) -> Settings:
    page = giving.pop("donate", PAGE)
    return site.settings.model_copy(update={"links": LinkSettings(donate=page, donate_monthly=MONTHLY),
                                            "giving": GivingSettings(**giving)})


def opened(site: Site, **giving: Any) -> TestClient:
    return TestClient(create(site.store, settings_of(site, **giving), PROJECT), raise_server_exceptions=False,
                      follow_redirects=False)


@pytest.fixture
def client(site: Site) -> Iterator[TestClient]:
    """Alice agreed to tracking."""
    with site.store.writing() as connection:
        connection.execute(insert(schema.consents).values(
            supporter_id=1, channel=Channel.TRACKING, basis=Basis.CONSENT, source="test", recorded_at=SENT_AT))
    with opened(site) as made:
        yield made


def code_of(site: Site) -> str:
    return str(rows(site.store, schema.messages.c.code)[0][0])


def source_code_of(site: Site) -> str:
    return str(rows(site.store, schema.mailings.c.source_code)[0][0])


def give_a_source_code(site: Site) -> str:
    with site.store.writing() as connection:
        connection.execute(update(schema.mailings).values(source_code="ABCDEF27"))
    return "ABCDEF27"


def clicks(site: Site) -> list[tuple[object, ...]]:
    e = schema.events.c
    return rows(site.store, e.kind, e.provider, e.url, e.agent, e.device)


@pytest.mark.parametrize(("asked", "told"), [
    ("amount=25", "&amount=25"), ("amount=7.50", "&amount=7.50"), ("amount=25&amount=9", "&amount=9"),
    ("amount=-5", ""), ("amount=25%26ref=x", ""), ("amount=1e9", ""), ("amount=99999999", ""), ("amount=", ""),
    ("other=25", ""), ("amount=٢٥", "")])
def test_a_sum_goes_on_and_nothing_else(asked: str, told: str, site: Site) -> None:
    """Where the page takes one: plain digits, and never what else a visitor puts there."""
    site_settings = settings_of(site)
    takes = site_settings.model_copy(update={"links": LinkSettings(donate=PAGE, donate_monthly=MONTHLY,
                                                                   amount_parameter="amount")})
    with TestClient(create(site.store, takes, PROJECT), follow_redirects=False) as client:
        plain = client.get(f"/d/{site.key}").headers["location"]
        assert client.get(f"/d/{site.key}?{asked}").headers["location"] == plain + told
    with opened(site) as client:
        assert client.get(f"/d/{site.key}?{asked}").headers["location"] == plain


def test_it_leads_on_with_the_letters_code(site: Site, client: TestClient) -> None:
    """303 to the page of the settings, with the code of the donor's own letter and never its key."""
    answer = client.get(f"/d/{site.key}", headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?ref={code_of(site)}")
    assert site.key not in answer.headers["location"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "private, no-store"
    assert client.get(f"/d/{site.key}/monthly").headers["location"] == f"{MONTHLY}?ref={code_of(site)}"


def test_the_click_is_noted_as_the_page_and_nothing_else(site: Site, client: TestClient) -> None:
    """An event of our own: the page without a code, the kind of device, no raw text; reports name the page."""
    client.get(f"/d/{site.key}", headers=BROWSER)
    assert clicks(site) == [("clicked", "pillarbox", PAGE, "human", "phone")]
    assert rows(site.store, schema.events.c.raw, schema.events.c.message_id) == [("", site.message_id)]
    with site.store.reading() as connection:
        assert [(row.link, row.human) for row in links(connection, 1)] == [("give.example.org/now", 1)]


def test_the_click_map_shows_it_at_the_button(site: Site, client: TestClient) -> None:
    """Followed for real, and laid over a letter whose button leads through us."""
    client.get(f"/d/{site.key}", headers=BROWSER)
    with site.store.reading() as connection:
        followed, pages = links(connection, 1), donation_pages(connection, 1)
    [button] = clickmap.draw(f'<a href="https://letters.example.org/d/{site.key}">Give</a>', followed, 1, pages).spots
    assert (button.label, button.link.human, button.share) == ("Give", 1, 1.0)


def test_who_presses_twice_is_noted_once(site: Site, client: TestClient) -> None:
    """A flood of one link writes one row a second at most."""
    for _ in range(20):
        client.get(f"/d/{site.key}", headers=BROWSER)
    assert len(clicks(site)) <= 3


@pytest.mark.parametrize("headers", [{"Sec-Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"},
                                     {"Purpose": "prefetch"}, {"X-Moz": "prefetch"}, {"X-Purpose": "preview"}])
def test_a_look_ahead_is_no_click(site: Site, client: TestClient, headers: dict[str, str]) -> None:
    """Programs that ask before anybody presses leave no trace; nor does HEAD."""
    assert client.get(f"/d/{site.key}", headers=BROWSER | headers).status_code == 303
    assert client.head(f"/d/{site.key}", headers=BROWSER).status_code == 303
    assert clicks(site) == []


@pytest.mark.parametrize("agent", ["", "curl/8.5", "Mozilla/5.0 (compatible; SomeScanner/1.0)", "Googlebot/2.1",
                                   "python-requests/2.32"])
def test_a_program_that_says_so_is_a_machine(site: Site, client: TestClient, agent: str) -> None:
    """Kept, and counted apart."""
    client.get(f"/d/{site.key}", headers={"User-Agent": agent})
    assert [row[3] for row in clicks(site)] == [Agent.MACHINE]


def test_no_consent_no_trace_and_the_mailings_code(site: Site) -> None:
    """Who did not agree, or no longer does, is one of the mailing's many (UK ICO)."""
    with opened(site) as client:
        answer = client.get(f"/d/{site.key}", headers=BROWSER)
        assert answer.headers["location"] == f"{PAGE}?ref={source_code_of(site)}"
        code = give_a_source_code(site)
        for said in (code, code.lower()):
            assert client.get(f"/d/{said}", headers=BROWSER).headers["location"] == f"{PAGE}?ref={code}"
    assert clicks(site) == []


def test_a_forgotten_donor_leaves_no_trace(site: Site, client: TestClient) -> None:
    """Their old letter still leads to the page."""
    rights.forget(site.store, secret=SECRET, email="alice@example.org")
    answer = client.get(f"/d/{site.key}", headers=BROWSER)
    assert answer.headers["location"] == f"{PAGE}?ref={source_code_of(site)}"
    assert clicks(site) == []


def test_a_proof_counts_nothing(site: Site, client: TestClient) -> None:
    """Staff who try the link of a proof come to the page without a code."""
    with site.store.writing() as connection:
        connection.execute(update(schema.mailings).values(kind=Kind.PROOF))
    assert client.get(f"/d/{site.key}", headers=BROWSER).headers["location"] == PAGE
    assert clicks(site) == []


def test_a_wrong_page_is_mended_after_sending(site: Site, client: TestClient) -> None:
    """What the settings say now counts: for all letters, or for one appeal's."""
    assert urlsplit(client.get(f"/d/{site.key}").headers["location"]).path == "/now"
    with opened(site, donate="https://give.example.org/mended") as mended:
        assert urlsplit(mended.get(f"/d/{site.key}").headers["location"]).path == "/mended"
    with opened(site, pages={"uyghur-freedom": "https://other.example.org/uyghur"}) as mended:
        assert mended.get(f"/d/{site.key}").headers["location"].startswith("https://other.example.org/uyghur?ref=")
        assert mended.get(f"/d/{site.key}/monthly").headers["location"].startswith(MONTHLY)


def freeze_with(site: Site, page: str, folder: Path) -> None:
    """The letter's appeal has a donation page of its own."""
    appeal = folder / "appeals" / "uyghur-freedom"
    appeal.mkdir(parents=True)
    (appeal / "appeal.toml").write_text('title = "x"\nsubject = "x"\n', "utf-8")
    (appeal / "letter.md").write_text("x\n", "utf-8")
    read, _ = gather(site.settings, "uyghur-freedom", folder)
    assert read is not None
    bundle = replace(read, appeal=replace(read.appeal, links={"donate": page}))
    with site.store.writing() as connection:
        connection.execute(update(schema.bundles).values(content=bundle.pack()))


@pytest.mark.parametrize(("page", "expected"), [
    ("https://give.example.org/uyghur", "https://give.example.org/uyghur"), ("https://evil.example.net/", PAGE),
    ("https://give.example.org@evil.example.net/", PAGE), ("http://give.example.org/x", PAGE),
    ("https://127.0.0.1/x", PAGE), ("javascript:alert(1)", PAGE), ("//evil.example.net", PAGE)])
def test_an_appeals_own_page_lies_where_the_settings_allow(site: Site, client: TestClient, page: str,
                                                           expected: str, tmp_path: Path) -> None:
    """What was frozen with the letter is followed to websites that the settings name, and nowhere else."""
    freeze_with(site, page, tmp_path / "project")
    with opened(site) as fresh:
        assert fresh.get(f"/d/{site.key}").headers["location"].startswith(expected)


def test_a_fault_does_not_make_an_appeals_own_page_forgotten(site: Site, tmp_path: Path) -> None:
    """While the frozen letter cannot be read, donors go to the page of the settings; afterwards to its own again."""
    with site.store.writing() as connection:
        connection.execute(update(schema.bundles).values(content=b"no bundle"))
    with opened(site) as fresh:
        assert fresh.get(f"/d/{site.key}").headers["location"].startswith(PAGE)
        freeze_with(site, "https://give.example.org/uyghur", tmp_path / "project")
        assert fresh.get(f"/d/{site.key}").headers["location"].startswith("https://give.example.org/uyghur")


@pytest.mark.parametrize("path", [
    "a2b3c4d5e6f7a2b3c4d5e6f7a2b3c4", "ABCDEF22", "short", "a" * 5_000, "%00", "' OR 1=1 --", "..%2f..%2fhealth",
    "https:%2f%2fevil.example.net", "%0d%0aLocation:%20https:%2f%2fevil.example.net", "//evil.example.net",
    "\u00e9" * 30, "KEY?to=https://evil.example.net", "KEY/../../evil", "KEY/monthly/evil", "KEY%0d%0aX:1"])
def test_nothing_of_the_visitors_gets_into_the_destination(site: Site, client: TestClient, path: str) -> None:
    """Guessed keys, path tricks and line breaks: a kind 404 with the plain page, or the page; never elsewhere."""
    answer = client.get(f"/d/{path.replace('KEY', site.key)}", headers={**BROWSER, "Host": "evil.example.net"})
    where = answer.headers.get("location", "")
    assert answer.status_code in (303, 404)
    assert where in ("", f"{PAGE}?ref={code_of(site)}")
    assert "evil" not in answer.text.replace("give", "")
    if answer.status_code == 404 and path.startswith(("a2b", "ABC", "short")):
        assert f'href="{PAGE}"' in answer.text
    assert (where != "") == (len(clicks(site)) == 1)


def test_only_looking_is_possible(site: Site, client: TestClient) -> None:
    """A post to the link is nothing."""
    assert client.post(f"/d/{site.key}").status_code == 405
    assert clicks(site) == []


def test_the_page_is_reached_though_the_database_is_away(site: Site, client: TestClient) -> None:
    """Somebody wants to give: without a code, then, and without a trace."""
    schema.message_values.drop(site.store.writer)
    schema.events.drop(site.store.writer)
    assert client.get(f"/d/{site.key}", headers=BROWSER).headers["location"].startswith(PAGE)
    schema.consents.drop(site.store.writer)
    assert client.get(f"/d/{site.key}", headers=BROWSER).headers["location"] == PAGE


# ------------------------------------------------------------------------------------------------ settings

@pytest.mark.parametrize(("platform", "expected"), [
    ("auto", "?ref=CODE"), ("own", "?ref=CODE"), ("stripe-payment-link", "?client_reference_id=CODE"),
    ("justgiving", "?reference=CODE"), ("utm", "?utm_source=letter&utm_medium=email&utm_content=CODE"), ("caf", ""),
    ("none", "")])
def test_each_platform_carries_the_code_its_own_way(site: Site, client: TestClient, platform: str,
                                                    expected: str) -> None:
    """As it publishes; a platform that publishes no way is told nothing. In the letter of a laptop, the same."""
    page = PAGE + expected.replace("CODE", code_of(site))
    with opened(site, platform=platform) as chosen:
        assert chosen.get(f"/d/{site.key}").headers["location"] == page
    direct = LinkMaker(base_url="", donate=PAGE, donate_monthly="", code_parameter="ref", source_code="S",
                       platforms=(platform, platform)).links("k", code_of(site))
    assert direct["donate"] == page


@pytest.mark.parametrize(("page", "expected"), [
    ("https://buy.stripe.com/abc?locale=en", "https://buy.stripe.com/abc?locale=en&client_reference_id=CODE"),
    ("https://link.justgiving.com/v1/charity/donate/charityId/2050",
     "https://link.justgiving.com/v1/charity/donate/charityId/2050?reference=CODE"),
    ("https://cafdonate.cafonline.org/10805", "https://cafdonate.cafonline.org/10805")])
def test_known_platforms_are_known_by_their_host(site: Site, client: TestClient, page: str, expected: str) -> None:
    """Nothing need be set for these."""
    with opened(site, donate=page) as chosen:
        assert chosen.get(f"/d/{site.key}").headers["location"] == expected.replace("CODE", code_of(site))


def test_a_template_of_ones_own(site: Site, client: TestClient) -> None:
    """The code may stand in the path where the template says so."""
    with opened(site, template="https://give.example.org/from/{code}/now?x=1#y") as chosen:
        assert chosen.get(f"/d/{site.key}").headers["location"] == (
            f"https://give.example.org/from/{code_of(site)}/now?x=1#y")


@pytest.mark.parametrize("page", [
    "http://give.example.org/", "https://user:pass@give.example.org/", "https://give.example.org@evil.example.net/",
    "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest/meta-data", "https://localhost/",
    "https://2130706433/", "https://0x7f.1/", "https://metadata.google.internal/", "https://router.local/",
    "https://give.example.org:8443/", "https://give.example.org/\r\nSet-Cookie: a=b", "https://give.example.org/%0d%0aX",
    "https://give.example.org/a b", "https://give.example.org\\@evil.example.net/", "javascript:alert(1)",
    "data:text/html,x", "//give.example.org/", "/give", "https:///give", "https://give.example.org/{code}",
    "https://give.ex\u00e4mple.org/", "https://give.example.org/" + "a" * 2_000])
def test_a_page_that_no_letter_may_lead_to(site: Site, page: str) -> None:
    """Said when the settings are read, before anybody follows a link."""
    with pytest.raises(SettingsError, match="donation page"):
        create(site.store, settings_of(site, donate=page), PROJECT)


@pytest.mark.parametrize("template", [
    "https://give.example.org/", "https://{code}.example.org/", "https://give.example.org.{code}/",
    "https://evil.example.net/{code}", "https://{code}@give.example.org/", "https://give.example.org/{code}{code}",
    "https://give.example.org/{code}\r\nX: y", "http://give.example.org/{code}", "{code}", "https://127.0.0.1/{code}",
    "https://give.example.org/{code}{supporter.address}", "https://give.example.org:{code}/"])
def test_a_template_that_could_lead_elsewhere(template: str) -> None:
    """No code in the host, no other host, no port, no line break, no other name than the code."""
    with pytest.raises(ValueError, match="template"):
        Settings.model_validate({"links": {"donate": PAGE}, "giving": {"template": template}})


@pytest.mark.parametrize("giving", [{"pages": {"x": "http://a.example.org/"}}, {"hosts": ["https://a.example.org"]},
                                    {"hosts": ["localhost"]}, {"platform": "guess"}, {"pages": {"x": ""}}])
def test_other_settings_that_cannot_be(giving: dict[str, Any]) -> None:
    """Every page and host named is looked at."""
    with pytest.raises(ValueError, match=r"giving"):
        Settings.model_validate({"links": {"donate": PAGE}, "giving": giving})


# ------------------------------------------------------------------------------------------------ in the letter


def test_letters_of_a_box_lead_through_us() -> None:
    """By the letter's key for those who agreed, by the mailing's code for the others; a laptop's go straight."""
    maker = LinkMaker(base_url="https://letters.example.org", donate=PAGE, donate_monthly=MONTHLY, code_parameter="ref",
                      source_code="ABCDEF27", through_us=True)
    assert maker.links("k" * 30, "c" * 30)["donate"] == f"https://letters.example.org/d/{'k' * 30}"
    assert maker.links("k" * 30, "c" * 30)["donate_monthly"] == f"https://letters.example.org/d/{'k' * 30}/monthly"
    assert maker.links("k" * 30, None)["donate"] == "https://letters.example.org/d/ABCDEF27"
    assert maker.inert()["donate"] == PAGE


# ------------------------------------------------------------------------------------------------ the page


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_for_an_unknown_link(site: Site, browser: Any, scheme: str, width: int) -> None:
    """It says so, and its link can be reached by keyboard alone, without script, on a phone and in the dark."""
    with serving(create(site.store, settings_of(site), PROJECT)) as base:
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
        page = context.new_page()
        answer = page.goto(f"{base}/d/unknown")
        assert answer.status == 404
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.locator("a", has_text="Go to the donation page").focus()
        assert page.evaluate("document.activeElement.href") == PAGE
        context.close()
