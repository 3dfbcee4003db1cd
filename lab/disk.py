"""A small disk of memory that can be filled to its last byte; making it needs root."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path


class NoDiskError(Exception):
    """This machine does not let us mount a small disk."""


class Disk:
    """A mounted tmpfs.

    Args:
        folder: where to mount it; made when missing.
        mib: its size.

    Raises:
        NoDiskError: this machine does not let us.
    """

    def __init__(self, folder: Path, mib: int) -> None:
        if os.geteuid() != 0:
            raise NoDiskError("mounting a small disk needs root")
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=755", "tmpfs", str(folder)],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoDiskError(f"no small disk can be mounted here: {done.stderr.strip()}")
        self.folder = folder

    def fill(self) -> None:
        """Leave not a byte free."""
        with suppress(OSError), (self.folder / "ballast").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def free(self) -> None:
        """Give the room back."""
        (self.folder / "ballast").unlink(missing_ok=True)

    def close(self) -> None:
        """Unmount it."""
        subprocess.run(["umount", "-l", str(self.folder)], check=False, capture_output=True)
