"""The settings and the secret key: what can be seen without opening the database or asking anybody."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pillarbox.doctor.finding import Finding, look, unless_practice, well, wrong
from pillarbox.ground import address
from pillarbox.ground.errors import SettingsError
from pillarbox.ground.keys import fingerprint
from pillarbox.model import config, donating
from pillarbox.model.config import Settings, is_loopback

# Mailbox providers whose domains publish DMARC policies against mail that others send in their name (their own pages
# for senders, read 2026-11): a letter "from" one of them is refused or filed as junk.
_FREE = ("gmail.com", "googlemail.com", "yahoo.com", "yahoo.co.uk", "outlook.com", "hotmail.com", "hotmail.co.uk",
         "live.co.uk", "live.com", "aol.com", "icloud.com", "me.com", "btinternet.com", "gmx.com", "proton.me",
         "protonmail.com")
_SECRETS = (("project", "secret_key"), ("sendgrid", "api_key"), ("smtp", "password"), ("backup", "key"),
            ("metrics", "token"))
_SHORTEST_KEY, _SHORTEST_TOKEN = 32, 16
# Not settings, but ours too.
_OTHER_NAMES = ("PILLARBOX_DEBUG", "PILLARBOX_SHARED")


def read(folder: Path) -> tuple[Settings | None, list[Finding]]:
    """The project's settings, or what keeps them from being read."""
    if not (folder / config.FILE).is_file():
        return None, [wrong("no-project", f"There is no Pillarbox project in {folder.resolve()}.",
                            "Make one with `pillarbox init DIR`, or name its folder with -C DIR.")]
    try:
        return config.load(folder), []
    except SettingsError as fault:
        return None, [wrong("settings", fault.sentence(), "Mend pillarbox.toml (or the environment), then ask again.")]


def examine(settings: Settings, environ: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """Everything that the settings alone tell."""
    found = [*_addresses(settings), *_links(settings), *_roads(settings), *_spoken(settings),
             *_unknown_names(os.environ if environ is None else environ), *_metrics(settings)]
    yield from found or [well("settings", "The settings can be read, and make sense.")]
    yield from _key(settings)


def _addresses(settings: Settings) -> Iterator[Finding]:
    sender = settings.sender
    named = [("[sender] email", sender.email), ("[sender] reply_to", sender.reply_to),
             ("[sender] unsubscribe_mailto", sender.unsubscribe_mailto),
             *(("[staff] email", each) for each in settings.staff.email)]
    for where, text in named:
        try:
            found = address.normalise(text) if text else ""
        except ValueError as fault:
            yield wrong("address", f"{where} holds {text!r}, which is no address: {fault}", "Write it again.")
            continue
        if where == "[sender] email" and address.domain(found) in _FREE:
            yield unless_practice(
                settings.practice, "from-free-mail",
                f"The From address lies at {address.domain(found)}, whose rules (DMARC) make others refuse such mail.",
                "Send from an address in the charity's own domain.")


def _links(settings: Settings) -> Iterator[Finding]:
    links = settings.links
    for name in ("donate", "donate_monthly", "website", "sign_up"):
        text = getattr(links, name)
        try:
            parts = urlsplit(text)
            sound = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            sound = False
        if text and not sound:
            yield wrong("link", f"[links] {name} holds {text!r}, which no browser would open.",
                        "It should begin with https://.")
        elif text and name.startswith("donate"):
            try:
                donating.sound(text)
            except ValueError as fault:
                yield wrong("donate-page", f"The donation page [links] {name} {fault}: no letter may lead there.",
                            "Copy the page's address from the browser; it begins with https://.")


def _roads(settings: Settings) -> Iterator[Finding]:
    smtp = settings.smtp
    if (settings.project.transport == "smtp" and smtp.security == "none" and smtp.username
            and not is_loopback(smtp.host)):
        yield wrong("smtp-clear", "The mail server's password would travel in clear text.",
                    'Set [smtp] security to "starttls" or "tls".')
    url = urlsplit(settings.project.database)
    if (url.scheme.startswith("postgres") and url.hostname and not is_loopback(url.hostname)
            and "sslmode=" not in url.query):
        yield look("database-clear", f"It is not said that the connection to {url.hostname} must be encrypted.",
                   "Add ?sslmode=require to the database URL, or verify-full where its certificate can be checked.")


def _spoken(settings: Settings) -> Iterator[Finding]:
    """Secrets in a file that is meant to be shared."""
    try:
        data = tomllib.loads((settings.folder / config.FILE).read_text("utf-8-sig"))
    except (OSError, ValueError):
        return
    for section, name in _SECRETS:
        if isinstance(data.get(section), dict) and data[section].get(name):
            yield look("secret-in-file", f"[{section}] {name} stands in {config.FILE}, which others may see or copy.",
                       "Take it out, and hand it over in the environment, or in a file named by …_FILE.")


def _unknown_names(environ: Mapping[str, str]) -> Iterator[Finding]:
    for name in sorted(environ):
        plain = name.removesuffix("_FILE")
        if (name.startswith("PILLARBOX_") and not name.startswith("PILLARBOX_TEST_") and name not in _OTHER_NAMES
                and plain not in config.ENVIRONMENT):
            yield look("environment", f"{name} is set in the environment, but no setting is called so.",
                       "See that its name is written right.")


def _metrics(settings: Settings) -> Iterator[Finding]:
    token = settings.metrics.token.get_secret_value()
    if token and len(token) < _SHORTEST_TOKEN:
        yield look("metrics-token", "The token of /metrics is short enough to be guessed.",
                   "Make a long one: `openssl rand -hex 20`.")


# ------------------------------------------------------------------------------------------ the secret key


def _key(settings: Settings) -> Iterator[Finding]:
    path = settings.folder / config.KEY_FILE
    secret = settings.project.secret_key.get_secret_value()
    if not secret:
        yield wrong("key-missing", "This project has no secret key: nobody who left would be recognised.",
                    f"Put {config.KEY_FILE} back from your safe copy, or set PILLARBOX_SECRET_KEY.")
        return
    found = []
    if path.is_file():
        if path.read_text("utf-8").strip() != secret:
            found.append(look("key-two", f"{config.KEY_FILE} holds another key than PILLARBOX_SECRET_KEY, which wins.",
                              "Keep one of them, to know which is in use."))
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            found.append(wrong("key-open", f"Others on this machine can read {config.KEY_FILE}.",
                               f"Run `chmod 600 {config.KEY_FILE}`."))
        if in_git(path):
            found.append(wrong("key-in-git", f"{config.KEY_FILE} is in git, and so in every copy of it.",
                               f"Run `git rm --cached {config.KEY_FILE}`, and take it out of the history."))
    if len(secret) < _SHORTEST_KEY:
        found.append(look("key-short", "The secret key is short.", "A new project should have one made by `init`."))
    yield from found
    yield well("key", f"The secret key is there (fingerprint {fingerprint(secret.encode())}). Is a copy of it kept "
                      "apart from the database?")


def in_git(path: Path) -> bool:
    """Whether git keeps a file. Read from git's own index, so that git need not be installed.

    An index keeps each path whole, ended by a NUL (gitformat-index, versions 2 and 3, read 2026-11); of version 4,
    which nobody gets unless they ask for it, it is not known.
    """
    for parent in path.resolve().parents:
        home = parent / ".git"
        try:
            if home.is_file():  # a worktree, or a submodule
                home = parent / home.read_text("utf-8").removeprefix("gitdir:").strip()
            if home.is_dir():
                name = path.resolve().relative_to(parent).as_posix().encode()
                return name + b"\0" in (home / "index").read_bytes()
        except (OSError, ValueError):
            return False
    return False
