"""Values as they are kept: one Unicode form, LF line ends, nothing invisible that could harm a letter or a header."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from functools import lru_cache

# Characters; longer than any real name or address line. A cell beyond the last is a fault of the file.
NAME_LIMIT = 200
VALUE_LIMIT = 10_000

# C0 and C1 controls but tab and LF, DEL, BOM, bidi embeddings, overrides and isolates (Trojan Source, CVE-2021-42574),
# surrogates (one alone makes lxml drop the text after it), interlinear marks and noncharacters.
_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb"
                      "\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]")
_LINE_END = re.compile("\r\n?|[\x85\u2028\u2029\x0b\x0c]")
_SPACE = re.compile(r"\s+")

_YES = frozenset({"yes", "y", "true", "t", "1", "on", "x", "✓", "✔", "agreed", "granted", "given", "consented",
                  "subscribed", "optin", "opted-in", "opt-in"})
_NO = frozenset({"no", "n", "false", "f", "0", "off", "none", "declined", "refused", "withdrawn", "unsubscribed",
                 "optout", "opted-out", "opt-out"})

_DATES = ("%Y-%m-%d", "%d/%m/%Y", "%d/%m/%y", "%d-%m-%Y", "%d.%m.%Y", "%d %b %Y", "%d %B %Y")


def clean(text: str) -> str:
    """The text as it is kept: NFC, LF, without harmful characters or space at its ends; lines stay."""
    if text.isascii() and text.isprintable():
        return text.strip()
    text = _HARMFUL.sub("", _LINE_END.sub("\n", text))
    return unicodedata.normalize("NFC", text).strip()


def one_line(text: str) -> str:
    """``clean`` on a single line, with single spaces: for names and everything that may stand in a header."""
    return _SPACE.sub(" ", clean(text))


def yes_or_no(text: str) -> bool | None:
    """What a cell answers; None when it is empty or says neither."""
    word = "-".join(text.casefold().split())
    return True if word in _YES else False if word in _NO else None


@lru_cache(maxsize=4096)
def day(text: str) -> date | None:
    """The day that a cell names, day before month as in Britain; None when it names none."""
    head = text.strip()
    if not head[:1].isdigit():
        return None
    try:
        return datetime.fromisoformat(head).date()
    except ValueError:
        pass
    for form in _DATES:
        try:
            return datetime.strptime(head, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None


# What people write → ISO 3166. Two letters pass as they are; anything else is kept as a field.
_COUNTRIES = {
    "uk": "GB", "united kingdom": "GB", "great britain": "GB", "britain": "GB", "england": "GB", "scotland": "GB",
    "wales": "GB", "northern ireland": "GB", "gbr": "GB", "ireland": "IE", "republic of ireland": "IE", "eire": "IE",
    "israel": "IL", "france": "FR", "germany": "DE", "deutschland": "DE", "netherlands": "NL", "the netherlands": "NL",
    "belgium": "BE", "spain": "ES", "italy": "IT", "portugal": "PT", "switzerland": "CH", "austria": "AT",
    "sweden": "SE", "norway": "NO", "denmark": "DK", "finland": "FI", "poland": "PL", "greece": "GR", "turkey": "TR",
    "türkiye": "TR", "usa": "US", "united states": "US", "united states of america": "US", "america": "US",
    "canada": "CA", "australia": "AU", "new zealand": "NZ", "south africa": "ZA", "india": "IN", "china": "CN",
    "kazakhstan": "KZ", "jersey": "JE", "guernsey": "GG", "isle of man": "IM", "gibraltar": "GI",
}
_LANGUAGES = {
    "english": "en", "hebrew": "he", "עברית": "he", "french": "fr", "français": "fr", "german": "de", "deutsch": "de",
    "arabic": "ar", "uyghur": "ug", "uighur": "ug", "yiddish": "yi", "spanish": "es", "italian": "it", "welsh": "cy",
    "turkish": "tr", "russian": "ru", "polish": "pl", "portuguese": "pt", "dutch": "nl", "persian": "fa", "farsi": "fa",
}


def country(text: str) -> str:
    """An ISO 3166 code; empty when the words are not known."""
    word = one_line(text).casefold().rstrip(".")
    if found := _COUNTRIES.get(word):
        return found
    return word.upper() if re.fullmatch(r"[a-z]{2}", word) else ""


def language(text: str) -> str:
    """A language tag (``en``, ``en-GB``); empty when the words are not known."""
    word = one_line(text)
    if found := _LANGUAGES.get(word.casefold()):
        return found
    if not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})?", word):
        return ""
    tongue, _, region = word.replace("_", "-").partition("-")
    return f"{tongue.lower()}-{region.upper()}" if region else tongue.lower()
