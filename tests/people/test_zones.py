"""Where a supporter lives, as far as the clocks are concerned."""

from __future__ import annotations

from pillarbox.people import zones


def named(fields: dict[str, str], country: str = "") -> list[str]:
    """The names of the zones that were found."""
    return [zone.key for zone in zones.of_supporter(fields, country)]


def test_the_lists_zone_comes_before_the_country() -> None:
    """A supporter of a British list who lives in Sydney reads in Sydney's morning."""
    assert named({"zone": "Australia/Sydney"}, "GB") == ["Australia/Sydney"]


def test_a_country_has_its_zones() -> None:
    """One for the United Kingdom and for France; many for the United States; none for a country that is not known."""
    assert named({}, "gb") == ["Europe/London"]
    assert named({}, "FR") == ["Europe/Paris"]
    assert len(named({}, "US")) > 20
    assert named({}, "ZZ") == named({}) == []


def test_a_zone_that_does_not_exist_is_passed_over() -> None:
    """A slip in one line of a list stops nobody's letter."""
    for odd in ("Europe/Londn", "../../etc/passwd", "", "Europe", "/etc/localtime"):
        assert named({"zone": odd}, "FR") == ["Europe/Paris"]
