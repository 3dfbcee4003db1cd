"""The pages wear the charity's colours, and stand without them."""

from __future__ import annotations

import pytest

from pillarbox.web.render import Pages
from pillarbox.web.theme import Theme

NAMES = ("supporters/ask", "supporters/done", "supporters/proof", "missing", "supporters/unsaved", "fault")
GIVEN = {"again": [("leave", "yes")], "key": "k", "once": "o", "sign_up": ""}


@pytest.mark.parametrize("name", NAMES)
def test_a_page_needs_no_theme(name: str) -> None:
    """A project that has set nothing yet still shows whole sentences."""
    words = bytes(Pages(Theme(name="")).page(name, **GIVEN).body).decode()
    assert "None" not in words
    assert "mailto:" not in words
    assert "<h1>" in words


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_text(name: str) -> None:
    """Whatever a charity is called, its name is words and never markup."""
    pages = Pages(Theme(name="Bread & <b>Roses</b>", contact="a@example.org"))
    words = bytes(pages.page(name, **GIVEN).body).decode()
    assert "Bread &amp; &lt;b&gt;Roses&lt;/b&gt;" in words


def test_colours_come_from_the_projects_theme() -> None:
    """theme.toml's colours replace ours, by light and in the dark; what it leaves out stays."""
    theme = Theme.from_toml({"charity": {"name": "Charity"}, "colours": {"accent": "#123456", "unknown": "red"},
                             "dark": {"page": "#010203"}}, name="", contact="")
    words = bytes(Pages(theme).page("supporters/done", **GIVEN).body).decode()
    assert theme.name == "Charity"
    assert "--accent:#123456" in words
    assert "--page:#010203" in words
    assert "red" not in theme.day.values()
    assert set(theme.day) == set(theme.night)


def test_a_theme_cannot_leave_the_style() -> None:
    """A font stack with a tag in it is refused, not printed."""
    with pytest.raises(ValueError, match="tags"):
        Pages(Theme(name="x", display="</style><script>"))
