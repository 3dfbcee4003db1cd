"""What must be true before a letter may really go to people; in practice the same are only warnings."""

from __future__ import annotations

import ipaddress
import secrets
from urllib.parse import urlsplit

import urllib3

from pillarbox.ground import address
from pillarbox.ground.errors import Refused
from pillarbox.model.config import Settings, is_loopback
from pillarbox.store.project import Project

# Hosts of quick tunnels: gone tomorrow, while the links in a letter are clicked for years.
_TUNNELS = ("ngrok.io", "ngrok.app", "ngrok-free.app", "ngrok.dev", "trycloudflare.com", "loca.lt", "localhost.run",
            "serveo.net", "lhr.life", "pinggy.link", "tunnelmole.net")
_PROBE_SECONDS = 10.0
_SILENT = "Nothing answers"
PROBE_PATH = "/pillarbox-probe/"


def faults(project: Project) -> list[str]:
    """Everything in the settings that stands against a live mailing; a sentence each."""
    return [*_sender(project.settings), *_base_url(project)]


def refuse(project: Project) -> list[str]:
    """See that letters may really go to people; in practice and a rehearsal, return what would stand against it.

    Raises:
        Refused: live, and something stands against it.
    """
    found = faults(project)
    if found and not project.settings.practice and project.settings.rehearsal is None:
        raise Refused("This cannot go to people yet. " + " ".join(found),
                      retry=all(words.startswith(_SILENT) for words in found))
    return found


def _sender(settings: Settings) -> list[str]:
    found = []
    if not settings.sender.email:
        found.append("No From address is set: put [sender] email into pillarbox.toml.")
    elif address.is_reserved(settings.sender.email):
        found.append(f"The From address {settings.sender.email} lies in a domain that cannot send or receive mail.")
    if not settings.sender.name:
        found.append("No From name is set: put [sender] name into pillarbox.toml.")
    if not settings.links.donate:
        found.append("No donation page is set: put [links] donate into pillarbox.toml.")
    return found


def _base_url(project: Project) -> list[str]:
    settings = project.settings
    if settings.project.home == "laptop":
        return []
    url = settings.project.base_url
    if not url:
        return ["No base URL is set, so nobody could unsubscribe: put [project] base_url into pillarbox.toml, "
                'or home = "laptop" if there is no server.']
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return [f"The base URL {url} cannot be read as an address: it should look like https://letters.charity.org."]
    if parts.scheme != "https":
        return [f"The base URL {url} is not https: supporters' links would not be safe."]
    if is_loopback(host) or ("." not in host and ":" not in host):
        return [f"The base URL {url} leads to this machine only: nobody outside could unsubscribe."]
    if _is_inside(host):
        return [f"The base URL {url} leads inside a network of your own: nobody outside could unsubscribe."]
    if any(host == tunnel or host.endswith(f".{tunnel}") for tunnel in _TUNNELS):
        return [f"The base URL {url} is a quick tunnel: its links would be dead soon, and unsubscribing with them."]
    if address.is_reserved(f"x@{host}"):
        return [f"The base URL {url} lies in a domain that does not exist for the outside."]
    return _probe(project, url)


def _is_inside(host: str) -> bool:
    """Whether a host is reached from its own network only: a private address, or a name of mDNS (RFC 6762)."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host.rstrip(".").endswith(".local")


def _probe(project: Project, url: str) -> list[str]:
    """Ask the base URL for a number that only this project's `serve` can answer with its id."""
    nonce = secrets.token_hex(16)
    try:
        answer = urllib3.request("GET", f"{url}{PROBE_PATH}{nonce}", timeout=_PROBE_SECONDS, retries=False,
                                 redirect=False)
        told = answer.json() if answer.status == 200 else {}
    except (urllib3.exceptions.HTTPError, ValueError):
        return [f"{_SILENT} at {url}: start `pillarbox serve` there and see that it can be reached from outside."]
    if not isinstance(told, dict) or told.get("project") != project.id or told.get("nonce") != nonce:
        path = urlsplit(url).path
        proxy = (f" See too that the proxy takes {path} off each request; where it does not, set "
                 "PILLARBOX_BASE_PATH=kept." if path else "")
        return [f"{url} answers, but not for this project: see that its `pillarbox serve` runs on this database."
                f"{proxy}"]
    return []
