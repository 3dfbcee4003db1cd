"""The sign-up form: shown, and sent. Without script, cookie or captcha."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from pillarbox.ground import logs, metrics
from pillarbox.mailings import envelopes
from pillarbox.people import joining
from pillarbox.people.joining import Asked, Wish
from pillarbox.web.join import body
from pillarbox.web.render import Pages
from pillarbox.web.sending import OTHER_LETTERS, ascii_mailboxes, has_other_letters, sent_soon
from pillarbox.web.site import Site

log = logs.get("web")

PAGE, EMBED = "page", "embed"
_ACTIONS = {PAGE: "/join", EMBED: "/join/form"}
_BAD_ADDRESS = "This does not look like an email address. It should look like name@example.org."
_BAD_NAME = "Please write your name alone here, without a web address or signs such as < and @. Or leave it empty."
_NO_ADDRESS = "Please type your email address: without it we cannot write to you."
_RETRY_SECONDS = 900
_KEPT = 400


class FormDoors:
    """``/join`` and ``/join/form``, which other websites may show in a frame."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._site = site
        self._pages = pages
        self._settings = site.settings.join
        project = site.settings.project
        self._base_url = envelopes.base_url({"home": project.home, "base_url": project.base_url},
                                            practice=site.settings.practice)
        self._shown = hashlib.sha256(
            f"{self._settings.wording}\n{self._settings.tracking_wording}".encode()).hexdigest()[:16]

    @property
    def _open(self) -> bool:
        return bool(self._settings.lists and self._base_url)

    async def page(self, request: Request) -> Response:  # noqa: ARG002 - Starlette hands it over
        """The form on a page of its own."""
        return self._form(PAGE, {}) if self._open else self._missing()

    async def frame(self, request: Request) -> Response:  # noqa: ARG002 - Starlette hands it over
        """The form for a frame in the charity's own website."""
        return self._form(EMBED, {}) if self._open else self._missing()

    async def post(self, request: Request) -> Response:
        """The form as it was sent, from our page or from the charity's own website."""
        return await self._post(request, PAGE)

    async def post_in_frame(self, request: Request) -> Response:
        """The same from the frame."""
        return await self._post(request, EMBED)

    async def _post(self, request: Request, form: str) -> Response:
        if not self._open:
            return self._missing()
        origin = request.headers.get("origin", "null").lower()
        if not self._welcome(origin, request):
            log.warning("join.not-taken", reason="origin")
            return self._answer("unread", form, status=403, why="It came from a website that we do not know.")
        try:
            said = await body.read(request)
        except body.UnreadError as fault:
            log.warning("join.not-taken", reason=str(fault.status))
            return self._answer("unread", form, status=fault.status, why=fault.why)
        if said.get("topic", ""):  # nobody sees that field: whoever fills it in is a program
            log.info("join.not-taken", reason="honeypot")
            return self._answer("sent", form)
        if said.get("shown", self._shown) != self._shown:
            return self._form(form, said, status=409, changed=True)
        if not said.get("email", "").strip():
            return self._form(form, said, status=422, wrong=_NO_ADDRESS)
        wish = Wish(email=said["email"], first_name=said.get("first_name", ""), last_name=said.get("last_name", ""),
                    tracking=said.get("tracking") == "yes", page=self._whose(said, origin),
                    visitor=request.client.host if request.client else "")
        return await self._ask(wish, form, said)

    async def _ask(self, wish: Wish, form: str, said: dict[str, str]) -> Response:
        try:
            asked = await run_in_threadpool(partial(
                joining.ask, self._site.visitors, self._settings, wish, secret=self._site.settings.secret,
                base_url=self._base_url, ascii_mailboxes=ascii_mailboxes(self._site)))
        except Exception as fault:  # noqa: BLE001 - whatever stood in the way, who signs up must learn that it did
            log.fault("join.not-saved", fault)
            return self._answer("unsaved", form, status=503)
        match asked:
            case Asked.TAKEN:
                await sent_soon(self._site)
                return self._answer("sent", form)
            case Asked.BAD_ADDRESS:
                return self._form(form, said, status=422, wrong=(
                    OTHER_LETTERS if has_other_letters(self._site, wish.email) else _BAD_ADDRESS))
            case Asked.BAD_NAME:
                log.info("join.not-taken", reason="name")
                return self._form(form, said, status=422, wrong_names=dict.fromkeys(joining.no_names(wish), _BAD_NAME))
            case Asked.TOO_MANY:
                return self._later("many", form, 429, "network")
            case Asked.BUSY:
                return self._later("busy", form, 503, "all")

    def _later(self, page: str, form: str, status: int, limit: str) -> Response:
        """Too many: from one network, or from everywhere."""
        metrics.SIGN_UPS_LIMITED.labels(limit).inc()
        log.warning("join.not-taken", reason=f"limit-{limit}")
        answer = self._answer(page, form, status=status)
        answer.headers["Retry-After"] = str(_RETRY_SECONDS)
        return answer

    def _welcome(self, origin: str, request: Request) -> bool:
        """Whether a form may come from there. A page of ours sends ``null`` (no referrer), as do old browsers."""
        here = f"{request.url.scheme}://{request.headers.get('host', '')}".lower()
        return origin in ("null", here, _origin(self._base_url), *self._settings.sites)

    def _whose(self, said: dict[str, str], origin: str) -> str:
        if said.get("form") in _ACTIONS:
            return _ACTIONS[said["form"]]
        return origin if origin in self._settings.sites else "a form elsewhere"

    def _form(self, form: str, said: dict[str, str], *, status: int = 200, wrong: str = "",
              wrong_names: Mapping[str, str] | None = None, changed: bool = False) -> Response:
        again = {name: said.get(name, "")[:_KEPT] for name in ("email", "first_name", "last_name", "tracking")}
        return self._answer("form", form, status=status, said=again, wrong=wrong, wrong_names=wrong_names or {},
                            changed=changed, join=self._settings, shown=self._shown, action=_ACTIONS[form])

    def _answer(self, name: str, form: str, *, status: int = 200, **values: object) -> Response:
        return self._pages.page(f"join/{name}", status=status, form=form,
                                framed_by=self._settings.sites if form == EMBED else (), **values)

    def _missing(self) -> Response:
        return self._pages.page("missing", status=404)


def _origin(url: str) -> str:
    return "/".join(url.split("/")[:3]).lower()
