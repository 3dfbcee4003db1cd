"""How a supporter is greeted and addressed, from the parts of a name as they are kept."""

from __future__ import annotations

import re

FALLBACK = "Dear Supporter"

_GREETING = re.compile(r"(dear|hello|hi|shalom|greetings|good (morning|afternoon|evening)|to)\b", re.IGNORECASE)
_COUPLE = re.compile(r"\s(&|and|\+)\s", re.IGNORECASE)
_KNIGHT = re.compile(r"(sir|dame)\b", re.IGNORECASE)
# Styles that stand on an envelope but not after "Dear".
_ENVELOPE_ONLY = re.compile(r"^((the|rt\.?|right|most|very|hon\.?|honourable|h\.?e\.?)\s+)+", re.IGNORECASE)
_TRUSTEES = re.compile(r"trust|foundation|settlement|fund\b", re.IGNORECASE)
_BODY = re.compile(r"\b(trust|foundation|fund|settlement|charity|charitable|synagogue|congregation|church|mosque|"
                   r"society|association|institute|council|company|ltd|limited|llp|plc|inc)\b\.?", re.IGNORECASE)

# What no name holds, but a web address, mark-up or a program's words do. Quotes, apostrophes, hyphens, ampersands and
# full stops after initials are names' own ("O’Brien", "ג׳ורג׳", "J.R. & A. Smith").
_NO_NAMES_SIGNS = re.compile(r"[<>{}\[\]@\\|=#%$€£*^~_]|://|//|\bwww\.", re.IGNORECASE)
_DOTTED = re.compile(r"([^\W\d_][\w-]*|\d[\w-]*)\.([^\W\d_]{2,})(/|\b)")
_BEFORE_A_DOT = frozenset({"mr", "mrs", "ms", "mx", "dr", "prof", "rev", "revd", "st", "sr", "jr", "fr", "hon", "rt"})
_OFTEN_AFTER_ONE_LETTER = frozenset({"com", "net", "org", "info", "biz", "io"})


def salutation(*, title: str, first_name: str, last_name: str, said: str = "") -> str:
    """The whole greeting line, without a comma at its end; never empty.

    Args:
        title: "Revd Dr", "Mr & Mrs"; may be empty, as may each of the others.
        first_name: one or more; a couple's both.
        last_name: or the name of a trust.
        said: what the list itself says the salutation is; it wins.
    """
    if said:
        return said if _GREETING.match(said) else f"Dear {said}"
    if is_body(last_name) and not first_name:
        return "Dear Trustees" if _TRUSTEES.search(last_name) else FALLBACK
    spoken = _ENVELOPE_ONLY.sub("", f"{title} ").strip()
    if _KNIGHT.search(spoken) and not _COUPLE.search(f" {spoken} "):
        return f"Dear {spoken} {first_name}" if len(first_name.rstrip(".")) > 1 else FALLBACK
    if is_couple(first_name) and not is_couple(spoken):
        return f"Dear {first_name}"
    if spoken and last_name:
        return f"Dear {spoken} {last_name}"
    if len(first_name.rstrip(".")) > 1:
        return f"Dear {first_name}"
    return f"Dear {first_name} {last_name}" if first_name and last_name else FALLBACK


def to_name(*, title: str, first_name: str, last_name: str) -> str:
    """The name for a To header or an envelope; may be empty."""
    if not first_name and not last_name:
        return ""
    with_title = title if not first_name or is_couple(title) else ""
    return " ".join(filter(None, (with_title, first_name, last_name)))


def is_couple(text: str) -> bool:
    """Whether the words name two people: "Mr & Mrs", "Ann and Bob"."""
    return bool(_COUPLE.search(text))


def is_body(text: str) -> bool:
    """Whether the words name a trust, company or congregation rather than a person."""
    return bool(_BODY.search(text))


def is_no_name(text: str) -> bool:
    """Whether the words hold a web address, mark-up or a long number: nothing that a person is called."""
    return bool(_NO_NAMES_SIGNS.search(text) or re.search(r"\d{5}", text)
                or any(_is_domain(*found.groups()) for found in _DOTTED.finditer(text)))


def _is_domain(head: str, tail: str, after: str) -> bool:
    if after == "/" or tail.lower() in _OFTEN_AFTER_ONE_LETTER:
        return True
    return len(head) > 1 and head.lower() not in _BEFORE_A_DOT
