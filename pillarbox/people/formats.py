"""What the columns of known exports are called: outside words mapped inwards, one small table a format."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pillarbox.ground.errors import ListError
from pillarbox.people.values import one_line
from pillarbox.tables.table import key

# Columns; more are no list of supporters, and no charity needs to hold so much.
COLUMN_LIMIT = 300


class Target(StrEnum):
    """Where a column goes, when it does not become a field of its own name."""

    EMAIL = "email"
    TITLE = "title"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    FULL_NAME = "full_name"
    SALUTATION = "salutation"
    COUNTRY = "country"
    LANGUAGE = "language"
    CONSENT = "consent"
    """Yes or no to email; only narrows the basis that staff state."""
    TRACKING = "tracking"
    """Yes or no to open and click tracking."""
    OBTAINED = "obtained"
    """The day on which the details or the consent were obtained."""
    STATUS = "status"
    """A word: subscribed, unsubscribed, cleaned …"""
    OPTED_OUT = "opted_out"
    """Anything but no: nothing may be sent."""
    BOUNCED = "bounced"
    """Anything but no: the address does not work."""
    DECEASED = "deceased"
    IGNORE = "ignore"


# Keys are headings reduced to letters and digits ("E-mail address" → "emailaddress"), best first where several match.
_COMMON: Mapping[str, Target] = {
    "email": Target.EMAIL, "emailaddress": Target.EMAIL, "emailaddr": Target.EMAIL, "primaryemail": Target.EMAIL,
    "emailprimary": Target.EMAIL, "preferredemail": Target.EMAIL, "contactemail": Target.EMAIL, "email1": Target.EMAIL,
    "personalemail": Target.EMAIL, "homeemail": Target.EMAIL, "emailhome": Target.EMAIL, "workemail": Target.EMAIL,
    "subscriberemail": Target.EMAIL, "supporteremail": Target.EMAIL, "mail": Target.EMAIL, "mailaddress": Target.EMAIL,
    "title": Target.TITLE, "prefix": Target.TITLE, "nameprefix": Target.TITLE, "honorific": Target.TITLE,
    "firstname": Target.FIRST_NAME, "forename": Target.FIRST_NAME, "forenames": Target.FIRST_NAME,
    "givenname": Target.FIRST_NAME, "fname": Target.FIRST_NAME, "christianname": Target.FIRST_NAME,
    "lastname": Target.LAST_NAME, "surname": Target.LAST_NAME, "familyname": Target.LAST_NAME,
    "lname": Target.LAST_NAME, "secondname": Target.LAST_NAME,
    "name": Target.FULL_NAME, "fullname": Target.FULL_NAME, "displayname": Target.FULL_NAME,
    "contactname": Target.FULL_NAME, "supportername": Target.FULL_NAME,
    "salutation": Target.SALUTATION, "greeting": Target.SALUTATION, "emailgreeting": Target.SALUTATION,
    "dear": Target.SALUTATION, "lettersalutation": Target.SALUTATION,
    "country": Target.COUNTRY, "countrycode": Target.COUNTRY,
    "language": Target.LANGUAGE, "preferredlanguage": Target.LANGUAGE, "locale": Target.LANGUAGE,
    "consent": Target.CONSENT, "emailconsent": Target.CONSENT, "emailoptin": Target.CONSENT, "optin": Target.CONSENT,
    "marketingconsent": Target.CONSENT, "marketingoptin": Target.CONSENT, "emailmarketingconsent": Target.CONSENT,
    "emailpermission": Target.CONSENT, "consentemail": Target.CONSENT,
    "tracking": Target.TRACKING, "trackingconsent": Target.TRACKING, "consenttracking": Target.TRACKING,
    "trackingoptin": Target.TRACKING, "emailtracking": Target.TRACKING, "emailtrackingconsent": Target.TRACKING,
    "consentdate": Target.OBTAINED, "consentedon": Target.OBTAINED, "dateofconsent": Target.OBTAINED,
    "obtained": Target.OBTAINED, "obtainedon": Target.OBTAINED, "optindate": Target.OBTAINED,
    "emailconsentdate": Target.OBTAINED, "dateobtained": Target.OBTAINED,
    "status": Target.STATUS, "emailstatus": Target.STATUS, "subscriptionstatus": Target.STATUS,
    "unsubscribed": Target.OPTED_OUT, "optedout": Target.OPTED_OUT, "optout": Target.OPTED_OUT,
    "emailoptout": Target.OPTED_OUT, "donotemail": Target.OPTED_OUT, "noemail": Target.OPTED_OUT,
    "donotcontact": Target.OPTED_OUT, "unsubscribedat": Target.OPTED_OUT,
    "bounced": Target.BOUNCED, "hardbounced": Target.BOUNCED,
    "deceased": Target.DECEASED, "isdeceased": Target.DECEASED, "contactisdeceased": Target.DECEASED,
}
# Mailchimp's audience export (mailchimp.com/help/view-export-contacts). What it guesses of a person's place and keeps
# of their IP address is left behind.
_MAILCHIMP: Mapping[str, Target] = {
    "emailaddress": Target.EMAIL, "confirmtime": Target.OBTAINED, "optintime": Target.OBTAINED,
    "unsubtime": Target.OPTED_OUT, "cleantime": Target.BOUNCED, "cc": Target.COUNTRY,
    **dict.fromkeys(("optinip", "confirmip", "latitude", "longitude", "gmtoff", "dstoff", "timezone", "region", "leid",
                     "euid", "memberrating", "lastchanged", "unsubcampaigntitle", "unsubcampaignid", "unsubreason",
                     "unsubreasonother", "cleancampaigntitle", "cleancampaignid"), Target.IGNORE),
}
# CiviCRM's contact export with the default headings (docs.civicrm.org, Importing and exporting data).
_CIVICRM: Mapping[str, Target] = {
    "individualprefix": Target.TITLE, "nobulkemailsuseroptout": Target.OPTED_OUT, "nobulkemails": Target.OPTED_OUT,
    "onhold": Target.BOUNCED, "emailonhold": Target.BOUNCED, "sortname": Target.IGNORE, "addressee": Target.IGNORE,
    "contacttype": Target.IGNORE, "externalidentifier": Target.IGNORE, "donotphone": Target.IGNORE,
    "donotmail": Target.IGNORE, "donotsms": Target.IGNORE, "donottrade": Target.IGNORE,
}
FORMATS: Mapping[str, Mapping[str, Target]] = {
    "generic": _COMMON, "mailchimp": {**_COMMON, **_MAILCHIMP}, "civicrm": {**_COMMON, **_CIVICRM},
}
_SIGNS: Mapping[str, tuple[frozenset[str], ...]] = {
    "mailchimp": (frozenset({"leid", "euid"}), frozenset({"memberrating", "optintime"})),
    "civicrm": (frozenset({"contactid", "nobulkemailsuseroptout"}), frozenset({"contactid", "donotemail"}),
                frozenset({"contactid", "emailgreeting"}), frozenset({"individualprefix"})),
}
# Names that a letter already uses for something else.
_TAKEN = frozenset({"email", "address", "supporter", "fields", "tracked", "to_name", "supporter_id", "address_hash",
                    *(target.value for target in Target)})


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """What each column of a file means."""

    format: str
    """``generic``, ``mailchimp`` or ``civicrm``."""
    headings: tuple[str, ...]
    """As the file has them."""
    goes_to: tuple[str, ...]
    """For each column: a ``Target``'s value or a field's name."""

    def at(self, target: Target) -> int | None:
        """Where the target's column stands, if there is one."""
        return self.goes_to.index(target) if target in self.goes_to else None

    @property
    def fields(self) -> tuple[tuple[int, str], ...]:
        """Columns that become fields: place and name."""
        return tuple((place, name) for place, name in enumerate(self.goes_to) if name not in set(Target))


def recognised(headings: Sequence[str], mapping: Mapping[str, str]) -> tuple[bool, int]:
    """Whether there is an email column, and how many of the headings are known to any format or are mapped."""
    known = {key(column) for column in mapping}
    mailed = {key(column) for column, field in mapping.items() if field == Target.EMAIL}
    keys = [key(heading) for heading in headings]
    everything = {**_COMMON, **_MAILCHIMP, **_CIVICRM}
    has_email = any(everything.get(k) == Target.EMAIL or k in mailed for k in keys)
    return has_email, sum(k in everything or k in known for k in keys)


def match(headings: Sequence[str], *, format: str, mapping: Mapping[str, str], where: str) -> Columns:  # noqa: A002 - the word of the command line
    """Decide what each column means.

    Raises:
        ListError: unknown format or mapped column, too many columns, or no email column.
    """
    if format != "auto" and format not in FORMATS:
        raise ListError(f"There is no list format called {format!r}.", todo=f"Known: auto, {', '.join(FORMATS)}.")
    if len(headings) > COLUMN_LIMIT:
        raise ListError(f"The file has {len(headings):,} columns; at most {COLUMN_LIMIT} are read.", where=where,
                        todo="Delete the columns that no letter needs, and import it again.")
    keys = [key(heading) for heading in headings]
    chosen = _guess(keys) if format == "auto" else format
    found = _mapped(headings, mapping, where)
    table = FORMATS[chosen]
    for known, target in table.items():
        if target is Target.IGNORE or (target not in found.values()):
            found.update({place: target for place, k in enumerate(keys) if k == known and place not in found})
    found |= _named(headings, found)
    columns = Columns(format=chosen, headings=tuple(headings), goes_to=tuple(found[n] for n in range(len(headings))))
    if columns.at(Target.EMAIL) is None:
        raise ListError(f"No column holds email addresses. The columns are: {_listed(headings)}.", where=where,
                        todo="Call the column 'Email', or say which it is: --map \"COLUMN=email\".")
    return columns


def _guess(keys: Sequence[str]) -> str:
    present = set(keys)
    return next((name for name, signs in _SIGNS.items() if any(sign <= present for sign in signs)), "generic")


def _mapped(headings: Sequence[str], mapping: Mapping[str, str], where: str) -> dict[int, str]:
    found: dict[int, str] = {}
    for column, said in mapping.items():
        places = [n for n, heading in enumerate(headings) if one_line(heading) == one_line(column)]
        places = places or [n for n, heading in enumerate(headings) if key(heading) == key(column) != ""]
        if not places:
            raise ListError(f"There is no column {column!r} to map. The columns are: {_listed(headings)}.", where=where)
        field = said.strip().casefold().replace("-", "_").replace(" ", "_")
        if not re.fullmatch(r"[a-z][a-z0-9_]*", field):
            raise ListError(f"{said!r} cannot be a field's name.", where="--map",
                            todo="Use letters, digits and _, beginning with a letter.")
        if field in found.values() and field != Target.IGNORE:
            raise ListError(f"Two columns are mapped to {field!r}.", where="--map", todo="Map one of them elsewhere.")
        found[places[0]] = field
    return found


def _named(headings: Sequence[str], found: Mapping[int, str]) -> dict[int, str]:
    """Field names for the columns that nothing knows: clean snake case, each once."""
    taken = set(found.values()) | _TAKEN
    named: dict[int, str] = {}
    for place, heading in enumerate(headings):
        if place in found:
            continue
        plain = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode().lower()
        name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:60] or f"column_{place + 1}"
        name = name if name[0].isalpha() else f"column_{name}"
        unique, number = name, 2
        while unique in taken:
            unique, number = f"{name}_{number}", number + 1
        named[place] = unique
        taken.add(unique)
    return named


def _listed(headings: Sequence[str]) -> str:
    shown = [one_line(heading)[:40] or "(no heading)" for heading in headings[:20]]
    return ", ".join(shown) + (f" and {len(headings) - 20} more" if len(headings) > 20 else "")
