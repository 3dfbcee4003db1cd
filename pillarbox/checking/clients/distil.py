"""Makes ``table.json`` from the data that caniemail.com publishes (https://www.caniemail.com/api/data.json, MIT).

``python -m pillarbox.checking.clients.distil caniemail.json``
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pillarbox.checking.clients.features import EFFECTS
from pillarbox.checking.clients.table import FILE

CREDIT = ("Facts distilled from caniemail.com by Rémi Parmentier and contributors, https://www.caniemail.com/, "
          "https://github.com/hteumeuleu/caniemail (MIT License, Copyright (c) 2019 HTeuMeuLeu; see "
          "LICENSE-caniemail).")


def distil(data: Any) -> dict[str, Any]:
    """The table: for each feature that a letter can be seen to use, who lacks it in the newest version that was tried.

    Args:
        data: caniemail's API answer.
    """
    stats = {each["slug"]: each for each in data["data"]}
    features = {}
    for slug in sorted(EFFECTS):
        if slug in stats:
            features[slug] = {"title": stats[slug]["title"], "tried": stats[slug]["last_test_date"],
                              "lack": _those(stats[slug], "n")}
    names = data["nicenames"]
    clients = {f"{family}.{platform}": _name(names, family, platform)
               for each in stats.values() for family, platforms in each["stats"].items() for platform in platforms}
    return {"credit": CREDIT, "as_of": data["last_update_date"][:10], "clients": dict(sorted(clients.items())),
            "features": features}


def _those(feature: Any, letter: str) -> list[str]:
    return [f"{family}.{platform}" for family, platforms in feature["stats"].items()
            for platform, versions in platforms.items() if list(versions.values())[-1].startswith(letter)]


def _name(names: Any, family: str, platform: str) -> str:
    if platform == "outlook-com":
        return "Outlook.com"
    if platform == "windows-mail":
        return "Windows Mail"
    told = {"desktop-webmail": "on the web", "webmail": "on the web", "mobile-webmail": "on the web by phone",
            "desktop-app": "on the desktop"}
    where = told.get(platform) or f"for {names['platform'].get(platform, platform)}"
    return f"{names['family'].get(family, family)} {where}"


def main() -> None:
    """Distil the file that is named."""
    data = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    FILE.write_text(json.dumps(distil(data), indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
