"""The project of the mailings' tests serves here too."""

from tests.mailings.conftest import project

__all__ = ["project"]
