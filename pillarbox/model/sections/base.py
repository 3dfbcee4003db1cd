"""What every section of pillarbox.toml is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of pillarbox.toml: an unknown key in it is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)
