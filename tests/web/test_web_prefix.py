"""Below a path of the charity's website every link, form, redirect, cookie and fetch of ours stays below it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from pydantic import ValidationError
from sqlalchemy import select, update

from pillarbox.mailings import planning, publishing, service
from pillarbox.mailings import schedules as planned_schedules
from pillarbox.model.config import Settings
from pillarbox.model.sections import ApiSettings, PreferenceSettings, ProjectSettings
from pillarbox.model.states import Basis, MailingState, MessageState, Role, TokenScope
from pillarbox.people.audience import Rule
from pillarbox.people.intake import import_list
from pillarbox.staff import tokens
from pillarbox.store import mailings, schema
from pillarbox.store.connect import Store, connect
from pillarbox.store.project import Project, open_project
from pillarbox.web import render
from pillarbox.web.app import create
from tests import photographs, projects
from tests.web import test_web_wishes_browser as wishes
from tests.web.browsing import serving
from tests.web.desk import NAMES, PASSWORD, staff
from tests.web.joining import FORM, letters, link_of, with_form
from tests.web.proxying import (
    Website,
    free_port,
    led_outside,
    letters_example,
    links_of,
    nginx,
    skip_without_nginx,
    website,
)
from tests.web.site import PROJECT, TestClient, settings_for
from tests.web.wishing import LISTS, alice, at_work
from tests.web.wishing import settings as wishing_settings

_PAGES = Path(render.__file__).parent / "pages"
_NGINX = Path(__file__).parents[2] / "deploy" / "nginx.conf"
LETTER = projects.LETTER + "\n![The lamp at night](images/lamp.jpg)\n"
ROOT = "/letters"
"""The hardest of all names: our own archive is called so too."""

pytestmark = pytest.mark.usefixtures("quick_passwords")


@dataclass(frozen=True, kw_only=True)
class Charity:
    """A project whose pages lie below a path of a website."""

    site: Website
    project: Project
    key: str
    """Of a supporter's letter."""

    @property
    def base(self) -> str:
        """The base URL."""
        return self.site.base


def below(project: Project, base: str, **more: Any) -> Project:
    """The project with everything opened, reached there."""
    found = with_form(project)
    return replace(found, settings=found.settings.model_copy(update={
        "project": found.settings.project.model_copy(update={"base_url": base, **more}),
        "preferences": PreferenceSettings(lists=LISTS, tracking_wording="You may count what I open."),
        "api": ApiSettings(per_minute=100_000)}))


@contextmanager
def opened(folder: Path, proxy: str) -> Iterator[Charity]:
    """A practice project with a planned mailing, a published letter, a form, a schedule and staff."""
    with ExitStack() as stack:
        if proxy == "nginx":
            site, behind = Website(base=f"http://127.0.0.1:{free_port()}{ROOT}"), []
        else:
            site, behind = stack.enter_context(website(ROOT, kept=proxy == "kept"))
        plain = open_project(projects.make(folder / "project", letter=LETTER).folder)
        images = plain.folder / "appeals" / "harbour" / "images"
        images.mkdir()
        (images / "lamp.jpg").write_bytes(photographs.photograph())
        stack.callback(plain.close)
        project = below(plain, site.base, base_path="kept" if proxy == "kept" else "stripped")
        people = projects.write_list(folder / "list.csv", projects.crowd(3))
        import_list(project.store, secret=project.secret, path=people, list_name="all", format="auto", mapping={},
                    basis=Basis.CONSENT, source="test", obtained=None, tracking=None, dry_run=False)
        planning.plan(project, planning.Wish(appeal="harbour", rule=Rule(lists=("all",))))
        publishing.publish(project, "harbour")
        planned_schedules.add(project, planned_schedules.Wanted(
            appeal="newsletter-{yyyy}-{mm}", rule="FREQ=WEEKLY;BYDAY=TH", at="08:00", zone="",
            audience=Rule(lists=("all",)), own_zone=True))
        staff(project.store)
        with project.store.reading() as connection:
            key = connection.execute(select(schema.messages.c.key).limit(1)).scalar_one()
        server = stack.enter_context(serving(create(project.store, project.settings, project.id)))
        behind.append(server)
        if proxy == "nginx":
            (folder / "nginx").mkdir()
            stack.enter_context(nginx(ROOT, server, folder / "nginx", urlsplit(site.base).port or 0,
                                      letters_example(_NGINX.read_text("utf-8"))))
        yield Charity(site=site, project=project, key=key)


@pytest.fixture(params=["stripped", "kept", "nginx"])
def charity(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Charity]:
    """Behind each proxy in turn: one that takes the path off, one that keeps it, and nginx as we ship it."""
    monkeypatch.setattr(service, "soon", lambda _project: None)
    if request.param == "nginx":
        skip_without_nginx()
    with opened(tmp_path, request.param) as found:
        yield found


@contextmanager
def looking(charity: Charity) -> Iterator[tuple[httpx.Client, list[str]]]:
    """A visitor who looks at each answer, redirects too; and what of them led outside."""
    strayed: list[str] = []

    def look(answer: httpx.Response) -> None:
        if urlsplit(str(answer.url)).netloc == urlsplit(charity.base).netloc:
            answer.read()
            strayed.extend(f"{answer.request.method} {answer.url}: {fault}"
                           for fault in led_outside(answer, charity.base))
    with httpx.Client(event_hooks={"response": [look]}, timeout=60) as client:
        yield client, strayed


def crawl(client: httpx.Client, base: str, starts: list[str]) -> dict[str, int]:
    """Follow every link below ``base``, and say how each was answered in the end."""
    found: dict[str, int] = {}
    waiting = [start if start.startswith("http") else base + start for start in starts]
    while waiting:
        url = waiting.pop()
        if url in found or url.endswith("/progress"):  # the stream of a mailing ends after a while only
            continue
        answer = client.get(url)
        while answer.is_redirect and (to := urljoin(url, answer.headers["location"])).startswith(base):
            answer = client.get(to)
        found[url] = answer.status_code
        if answer.headers.get("content-type", "").startswith(("text/html", "application/rss", "application/atom")):
            waiting += links_of(answer, base)
    return {url.removeprefix(base): status for url, status in found.items()}


def field(page: httpx.Response, name: str) -> str:
    """A hidden field's value."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return found[1]


def action(page: httpx.Response, base: str, ending: str = "") -> str:
    """Where a page's form goes to."""
    found = [one for one in re.findall(r'action="([^"]*)"', page.text) if one.endswith(ending)]
    return base.removesuffix(urlsplit(base).path) + found[0]


# ------------------------------------------------------------------------------------------------ supporters


def test_supporters_pages_stay_below(charity: Charity) -> None:
    """Leaving, its undo, wishes, a letter's own copy, joining, the archive, feeds: every link leads on, and nowhere
    else."""
    base, key = charity.base, charity.key
    with looking(charity) as (client, strayed):
        seen = crawl(client, base, [f"/u/{key}", f"/u/{key}/", f"/p/{key}", f"/v/{key}", f"/d/{key}", "/letters",
                                    "/letters/", "/letters/feed.rss", "/letters/feed.atom", "/join", "/join/form"])
        assert {path: status for path, status in seen.items() if status not in (200, 303)} == {}
        assert {"/letters/harbour", "/letters/harbour/card", "/join"} <= seen.keys(), "the archive leads to them"
        assert f"/p/{key}" in seen
        assert any(path.startswith("/i/") for path in seen), "the letter's picture was fetched"
        left = client.post(f"{base}/u/{key}", data={"List-Unsubscribe": "One-Click"})
        assert "I did not mean to" in left.text
        undone = client.post(action(left, base, "/undo"), data={"undo": field(left, "undo")})
        assert undone.status_code == 200
        saved = client.post(f"{base}/p/{key}", data={"frequency": "newsletters", "shown": "x"})
        assert saved.status_code < 500
        sent = client.post(action(client.get(f"{base}/p/{key}"), base, "/link"), data={"link": "yes"})
        assert sent.status_code == 200
        for path, status in (("/nothing", 404), ("/u/nobody", 404), ("/d/nobody", 404), ("/letters/nothing", 404)):
            assert client.get(base + path).status_code == status
    assert strayed == []
    assert charity.site.astray == []


def test_joining_and_its_link_stay_below(charity: Charity) -> None:
    """The form posts below the path, and the letter's link leads there."""
    base = charity.base
    with looking(charity) as (client, strayed):
        for path in ("/join", "/join/form"):
            page = client.get(base + path)
            asked = client.post(action(page, base), data={**FORM, "email": f"m{len(path)}@example.org",
                                                          "shown": field(page, "shown")})
            assert asked.status_code == 200, asked.text
            letter = next(one for one in reversed(letters(charity.project)) if "join/confirm" in str(one))
            link = link_of(letter)
            assert f"{base}{link}" in str(letter.get_body(("plain",)).get_content())  # type: ignore[union-attr]
            confirm = client.get(base + link)
            assert confirm.status_code == 200
            assert client.post(base + link, data={"yes": "yes"}).status_code == 200
    assert strayed == []


def test_what_is_published_names_addresses_below(charity: Charity) -> None:
    """Open Graph, share links, feeds and the donate link carry the whole base URL."""
    base = charity.base
    page = httpx.get(f"{base}/letters/harbour").text
    assert f'content="{base}/letters/harbour"' in page
    assert f'content="{base}/letters/harbour/card"' in page
    assert f"{base}/d/" in page
    feed = httpx.get(f"{base}/letters/feed.rss").text
    assert f"<link>{base}/letters/harbour</link>" in feed
    onward = httpx.get(re.findall(rf"{base}/d/[A-Za-z0-9]+", page)[0])
    assert onward.status_code == 303
    assert not onward.headers["location"].startswith(base)


# ------------------------------------------------------------------------------------------------ staff, API


def enter(client: httpx.Client, base: str) -> httpx.Response:
    """Log in as a browser would that came to a page behind the login."""
    site = base.removesuffix(urlsplit(base).path)
    asked = client.get(f"{base}/staff/lists")
    page = client.get(site + asked.headers["location"])
    return client.post(action(page, base, "/login"), data={
        "form_token": field(page, "form_token"), "name": NAMES[Role.SEND], "password": PASSWORD,
        "next": field(page, "next")})


def test_the_dashboard_stays_below(charity: Charity) -> None:
    """From the login on: every page that links lead to, what forms answer, and going out."""
    base = charity.base
    with looking(charity) as (client, strayed):
        entered = enter(client, base)
        assert (entered.status_code, entered.headers["location"]) == (303, f"{ROOT}/staff/lists")
        seen = crawl(client, base, ["/staff", "/staff/compare?m=harbour"])
        assert {path: status for path, status in seen.items() if status >= 400} == {}
        kinds = {re.sub(r"\d+", "N", path.partition("?")[0]) for path in seen}
        name = next(path for path in kinds if re.fullmatch(r"/staff/mailings/[^/]+", path))
        assert {"/staff/", "/staff/schedules", "/staff/schedules/N/remove", "/staff/calendar.ics", "/staff/audit",
                "/staff/account", "/staff/compare", "/staff/lists", "/staff/lists/N", name, f"{name}/sending",
                f"{name}/sending/cancel", f"{name}/messages", f"{name}/messages/N", f"{name}/messages/N/letter",
                f"{name}/clicks", f"{name}/clicks/letter", f"{name}/donations"} <= kinds
        assert any(path.startswith("/staff/assets/") for path in kinds), "the style sheet was fetched too"
        assert any(path.startswith("/i/") for path in kinds), "and the picture in a letter's copy"
        assert client.get(f"{base}/staff/nothing").status_code == 404
        mailing = f"{base}/staff/mailings/{_name(charity)}"
        page = client.get(mailing)
        token = {"form_token": field(page, "form_token")}
        table = client.post(action(page, base, "/export"), data={**token, "table": "donations", "kind": "csv"})
        assert table.status_code == 200
        assert client.post(f"{mailing}/messages", data={**token, "address": "x@example.org"}).status_code == 200
        assert client.post(f"{mailing}/sending/pause", data=token).status_code in (303, 409)
        out = client.post(action(page, base, "/logout"), data=token)
        assert (out.status_code, out.headers["location"]) == (303, f"{ROOT}/staff/login")
        assert client.get(f"{base}/staff/").headers["location"].startswith(f"{ROOT}/staff/login")
    assert strayed == []
    assert charity.site.astray == []


def _name(charity: Charity) -> str:
    with charity.project.store.reading() as connection:
        return str(connection.execute(select(schema.mailings.c.name)).scalars().first())


def test_the_api_says_where_it_is(charity: Charity) -> None:
    """Its description's server is the base URL, at which it answers; letters and words lead below the path."""
    shown = tokens.add(charity.project.store, charity.project.settings, name="site",
                       scope=TokenScope.LETTERS).secret
    with charity.project.store.writing() as connection:  # of practice letters the API is silent
        connection.execute(update(schema.public_letters).values(practice=False))
    described = httpx.get(f"{charity.base}/api/openapi.json").json()
    (server,) = described["servers"]
    assert server["url"] == f"{charity.base}/api"
    found = httpx.get(f"{server['url']}/v1/letters", headers={"Authorization": f"Bearer {shown}"}).json()
    assert found["items"][0]["url"] == f"{charity.base}/letters/harbour"
    assert f"{ROOT}/api/openapi.json" in httpx.get(f"{charity.base}/api/nothing").json()["detail"]


def test_the_numbers_are_not_for_the_world(tmp_path: Path) -> None:
    """The shipped locations answer 404 for the numbers, and no detour through the path's own name passes them."""
    skip_without_nginx()
    with opened(tmp_path, "nginx") as charity:
        for path in ("/metrics", "/letters/metrics", "//metrics", "/./metrics"):
            assert httpx.get(charity.base + path).status_code == 404
        assert httpx.get(f"{charity.base}/health").json() == {"ok": True}
        # What nginx keeps from `/letters/staff/` cannot be reached as `/letters/letters/staff/` either.
        assert httpx.get(f"{charity.base}/letters/staff", follow_redirects=True).status_code == 404


# ------------------------------------------------------------------------------------------------ in a browser


@contextmanager
def watched(browser: Any, base: str) -> Iterator[tuple[Any, list[str], list[str]]]:
    """A page, everything it asked for, and what its browser complained of."""
    context = browser.new_context()
    page, asked, complaints = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda fault: complaints.append(str(fault)))
    yield page, asked, complaints
    for cookie in context.cookies():
        assert cookie["path"] == f"{urlsplit(base).path}/"
    context.close()


def outside(asked: list[str], base: str) -> list[str]:
    """What was asked of the website itself and not of us."""
    return [url for url in asked if url.startswith("http") and not url.startswith(f"{base}/")]


@pytest.mark.browser
def test_a_supporter_in_a_browser_stays_below(browser: Any, tmp_path: Path) -> None:
    """The whole way by keyboard: wishes, a change of address by mailed links, leaving, fewer."""
    store = connect("sqlite:///browser.db", tmp_path)
    schema.metadata.create_all(store.writer)
    with store.writing() as connection:
        key = alice(connection)
    at_work(store)
    given = wishing_settings()
    with website(ROOT) as (site, behind):
        given = given.model_copy(update={"project": given.project.model_copy(update={"base_url": site.base})})
        with serving(create(store, given, PROJECT)) as server:
            behind.append(server)
            with watched(browser, site.base) as (page, asked, complaints):
                names = list(wishes.walk(page, site.base, key, store))
    store.close()
    assert names[-1] == "kept"
    assert outside(asked, site.base) == []
    assert [one for one in site.astray if not one.endswith("/favicon.ico")] == []
    assert [one for one in complaints if "status of 4" not in one] == []


@pytest.mark.browser
def test_staff_in_a_browser_stay_below(browser: Any, tmp_path: Path) -> None:
    """Login, style sheets, pictures that come later, the letter in its frame, and live numbers, all below the path."""
    with opened(tmp_path, "stripped") as charity, watched(browser, charity.base) as (page, asked, complaints):
        base, store = charity.base, charity.project.store
        page.goto(f"{base}/staff/")
        page.fill("[name=name]", NAMES[Role.SEND])
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector(".who")
        assert page.url == f"{base}/staff/"
        assert page.evaluate("document.styleSheets[0].cssRules.length") > 10, "the style sheet came"
        assert page.get_attribute(".menu a[aria-current=page]", "href") == f"{ROOT}/staff/"
        at = f"{base}/staff/mailings/{_name(charity)}"
        with store.writing() as connection:
            number = connection.execute(select(schema.mailings.c.id)).scalars().one()
            mailings.change(connection, number, state=MailingState.SENT)
        page.goto(at)
        page.wait_for_selector("#pictures:not([data-awaited]) svg", timeout=60_000, state="attached")
        page.goto(f"{at}/clicks")
        assert page.frame_locator("iframe.paper").locator("body").inner_text()
        with store.writing() as connection:
            mailings.change(connection, number, state=MailingState.SENDING)
        page.goto(f"{at}/sending")
        figure = page.locator("[data-figure=accepted] dd")
        assert figure.text_content() == "0"
        with store.writing() as connection:
            connection.execute(update(schema.messages).values(state=MessageState.ACCEPTED))
        figure.get_by_text("3", exact=True).wait_for()
        page.click("text=Log out")
        page.wait_for_selector("[name=password]")
        assert f"{at}/sending/progress" in asked
    assert outside(asked, base) == []
    assert charity.site.astray == []
    assert complaints == []


# ------------------------------------------------------------------------------------------------ by themselves


def test_no_page_writes_down_where_the_site_begins() -> None:
    """Every path in a template is written with what stands before it."""
    found = [f"{page.name}: {line.strip()}" for page in sorted(_PAGES.rglob("*.html"))
             for line in page.read_text("utf-8").splitlines() if re.search(r"=[\"']/", line)]
    assert found == []


def _answered(store: Store, base_url: str) -> httpx.Response:
    given = settings_for(None)
    given = given.model_copy(update={"project": given.project.model_copy(update={"base_url": base_url})})
    with TestClient(create(store, given, PROJECT), follow_redirects=False) as client:
        return client.get("/staff/login")


def test_the_whole_websites_cookies_are_not_shown_ours(store: Store) -> None:
    """Over https: below the path alone, under ``__Secure-``, for browsers take ``__Host-`` of a whole website only."""
    cookie = _answered(store, "https://charity.example.org/letters").headers["set-cookie"]
    assert cookie.startswith("__Secure-pillarbox-visit=")
    assert "Path=/letters/;" in cookie
    assert "Secure" in cookie
    whole = _answered(store, "https://letters.example.org").headers["set-cookie"]
    assert whole.startswith("__Host-pillarbox-visit=")
    assert "Path=/;" in whole


def test_browsers_keep_to_https(store: Store) -> None:
    """For a year, of this very name; nothing is said where we are reached without https."""
    for base in ("https://letters.example.org", "https://charity.example.org/letters"):
        assert _answered(store, base).headers["strict-transport-security"] == "max-age=31536000"
    for base in ("", "http://127.0.0.1:8025"):
        assert "strict-transport-security" not in _answered(store, base).headers


@pytest.mark.parametrize("url", [
    "https://charity.example//evil.example", "https://charity.example/a/../b", "https://charity.example/a?b=c",
    "https://charity.example/a#b", 'https://charity.example/a"b', "https://charity.example/a;Domain=evil.example",
    "https://charity.example/a\r\nb", "https://charity.example/.", "https://charity.example?x",
    "https://ann:word@charity.example/a", "https://charity.example\\evil.example/a", "https://charity .example/a",
    'https://charity.example"onload=x/a'])
def test_a_path_that_could_mean_something_else_is_refused(url: str) -> None:
    """It stands before every link, and in headers."""
    with pytest.raises(ValidationError, match="plain folders"):
        ProjectSettings(base_url=url)


def test_a_path_is_folders(tmp_path: Path) -> None:
    """One or more, with or without a slash at the end."""
    for url in ("https://charity.example/letters/", "https://charity.example/our/post_2-a.b~", "http://[::1]:80/x"):
        assert ProjectSettings(base_url=url).base_url == url.rstrip("/")
    assert Settings(folder=tmp_path).project.base_path == "stripped"


def test_https_in_capitals_is_https(store: Store) -> None:
    """As browsers read it: cookies then are for https alone. The path's own case is left."""
    given = ProjectSettings(base_url=" HTTPS://Charity.Example.org/Letters ").base_url
    assert given == "https://charity.example.org/Letters"
    assert _answered(store, given).headers["set-cookie"].startswith("__Secure-")
