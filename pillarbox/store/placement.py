"""Where a SQLite file may lie: not in a folder that another program copies behind its back, nor across a network."""

from __future__ import annotations

from pathlib import Path

from pillarbox.ground.errors import StoreError

# Folder names that sync programs give (their own documentation, read 2026-11). SQLite's page "How To Corrupt An SQLite
# Database File" (sqlite.org/howtocorrupt.html, read 2026-11) says why: the log and the file must change together.
_SYNCED = ("dropbox", "onedrive", "google drive", "googledrive", "my drive", "icloud drive", "mobile documents",
           "box sync", "nextcloud", "pcloud drive")
_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "afs", "9p")


def check(url: str, folder: Path) -> None:
    """See that a SQLite database lies in a safe place; other databases pass.

    Raises:
        StoreError: the folder is synced or on a network.
    """
    if not url.startswith("sqlite:///"):
        return
    place = (folder / url.removeprefix("sqlite:///")).resolve().parent
    for part in place.parts:
        if any(part.lower() == name or part.lower().startswith(f"{name} -") for name in _SYNCED):
            raise StoreError(f"The database lies in a synced folder ({part}), where it could be damaged or sent twice.",
                             where=str(place), todo="Move the project to a folder that no sync program touches.")
    if (kind := _filesystem(place)) in _NETWORK:
        raise StoreError(f"The database lies on a network drive ({kind}), where it could be damaged.",
                         where=str(place), todo="Move the project to this machine's own disk, or use PostgreSQL.")


def _filesystem(place: Path) -> str:
    """The type of the file system that holds ``place``; empty where the system does not say."""
    try:
        lines = Path("/proc/mounts").read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    for line in lines:
        _, mount, found, *_ = line.split()
        mount = mount.replace("\\040", " ")
        if len(mount) >= len(best) and (place == Path(mount) or Path(mount) in place.parents):
            best, kind = mount, found
    return kind
