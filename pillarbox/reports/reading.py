"""What letters were read on, drawn: phone, tablet, desktop."""

from __future__ import annotations

from collections.abc import Sequence

from pillarbox.reports import bars, ink, words
from pillarbox.reports.bars import Bar
from pillarbox.reports.details import Device
from pillarbox.reports.plots import Plot

NAMES = {"phone": "Phone", "tablet": "Tablet", "desktop": "Desktop", "unknown": "Not known"}


def draw(devices: Sequence[Device], opened: int) -> Plot | None:
    """The picture; None while nothing was opened.

    Args:
        opened: letters that a person opened, on whatever device.
    """
    shown = [device for device in devices if device.opened or device.clicked]
    if not shown or not opened:
        return None
    made = [Bar(label=NAMES.get(device.device, device.device.capitalize()), part=device.opened, whole=opened,
                says=f"{device.opened:,} opened · {words.percent(min(1, device.opened / opened))}") for device in shown]
    label = "; ".join(f"{bar.label}: {bar.says}" for bar in made) + "."
    return Plot(
        id="devices", title="What it was read on", says=label,
        wide=ink.draw(bars.draw(made, opened, ink.WIDE), label=label, kind="wide"),
        narrow=ink.draw(bars.draw(made, opened, ink.NARROW), label=label, kind="narrow"),
        head=("Device", "Opened", "Clicked"),
        rows=tuple((NAMES.get(device.device, device.device), f"{device.opened:,}", f"{device.clicked:,}")
                   for device in shown))
