"""The folder of the kernel files: whose it is, what lies in it, how large it may become.

Compiled code in it is run, so nobody but the user may be able to write there: neither into the folder nor, by
putting another one in its place, into a folder above it.  Files are written whole or not at all, in any number of
processes at once, and nobody waits for a lock that a killed process left behind.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from symgrad.errors import CacheWarning, SpecError

FOLDER = "SYMGRAD_CACHE_DIR"
LIMIT = "SYMGRAD_CACHE_MB"
DEFAULT_LIMIT = 500
KERNEL = "k"
_KERNEL_FILE = re.compile(r"k[0-9a-f]{32}\.(py|\w+\.[0-9a-f]{16}\.code)")
TEMPORARY = ".symgrad-"
_ABANDONED = 3600.0
"""Seconds after which a file that is still being written belongs to a process that was killed."""


def size_limit() -> int:
    """How many bytes may lie in the folder; 0 switches the cache off.

    Raises:
        SpecError: the environment variable holds no number.
    """
    text = os.environ.get(LIMIT, "").strip() or str(DEFAULT_LIMIT)
    if not text.isdecimal():
        raise SpecError(
            "The size of the kernel cache is a whole number of megabytes.",
            where=f"the environment variable {LIMIT}",
            expected=f"such as {DEFAULT_LIMIT}; 0 switches the cache off",
            got=repr(text),
        )
    return int(text) * 10**6


def cache_folder() -> Path | None:
    """The folder of the kernel files, made if need be; None where there can be none, with a warning that says why."""
    if not size_limit():
        return None
    folder = Path(os.environ.get(FOLDER) or ".") / "kernels"
    try:
        folder = _named_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = folder.resolve(strict=True)  # what the links on the way point to later does not matter
        problem = _problem(folder)
    except OSError as error:
        problem = error.strerror or str(error)
    except RuntimeError as error:  # there is no home folder
        problem = str(error)
    if problem is None:
        return folder
    done_without(f"{folder} cannot be used: {problem}")
    return None


@lru_cache(maxsize=32)
def done_without(reason: str) -> None:
    """Warn, once for each reason, that kernels are not kept."""
    warnings.warn(
        f"The kernel cache {reason}. Kernels are compiled anew in each process; set {FOLDER} to a folder of your own.",
        CacheWarning,
        stacklevel=3,
    )


def _named_folder() -> Path:
    named = os.environ.get(FOLDER)
    if named:
        return Path(named).expanduser() / "kernels"
    from platformdirs import user_cache_dir

    folder = Path(user_cache_dir("symgrad", appauthor=False))
    if not folder.is_absolute():
        raise RuntimeError("there is no home folder")
    return folder / "kernels"


# Who can write ----------------------------------------------------------------------------------------------


def _problem(folder: Path) -> str | None:
    """Why what lies in a folder cannot be trusted, or None; the path has no symbolic links in it."""
    if not hasattr(os, "geteuid"):
        return None  # the profile folder of Windows is private
    me = os.geteuid()
    status = folder.stat()
    if status.st_uid != me:
        return "it belongs to another user"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "other users can write to it"
    for above in folder.parents:
        status = above.stat()
        if status.st_uid not in (0, me):
            return f"{above} belongs to another user"
        sticky = status.st_mode & stat.S_ISVTX  # as /tmp: others cannot rename or remove what is mine
        if not sticky and _others_write(above, status):
            return f"other users can write to {above}"
    return None


def _others_write(folder: Path, status: os.stat_result) -> bool:
    if status.st_mode & stat.S_IWOTH:
        return True
    if not status.st_mode & stat.S_IWGRP:
        return False
    # Many systems give each user a group of his own, and new folders are writable to it.
    return not _is_private(status.st_gid) or "system.posix_acl_access" in _attributes(folder)


@lru_cache(maxsize=32)
def _is_private(group: int) -> bool:
    """Whether a group is the user's own: it has the user's name and no other member."""
    import grp
    import pwd

    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
        found = grp.getgrgid(group)
    except KeyError:
        return False
    return found.gr_name == user and set(found.gr_mem) <= {user}


def _attributes(folder: Path) -> list[str]:
    """Extended attributes; with an access list the group's bits say what anybody on the list may do."""
    if not hasattr(os, "listxattr"):
        return []
    with suppress(OSError):  # the file system has none
        return os.listxattr(folder)
    return []


# Reading and writing ----------------------------------------------------------------------------------------


def read(path: Path) -> bytes | None:
    """What a file of the user's own holds; None if there is none, or it cannot be read.

    A file that somebody else put there while the folder was open to others counts as none.
    """
    try:
        handle = os.open(path, _READ)
    except OSError:
        return None
    with suppress(OSError), open(handle, "rb", closefd=True) as file:
        status = os.fstat(handle)
        if _is_mine(status) and stat.S_ISREG(status.st_mode):
            return file.read()
    return None


_READ = sum({getattr(os, flag, 0) for flag in ("O_RDONLY", "O_NOFOLLOW", "O_NONBLOCK", "O_BINARY")})


def _is_mine(status: os.stat_result) -> bool:
    """Whether it is the user's, and only the user can write to it."""
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def write(path: Path, content: bytes) -> None:
    """Write atomically: another process sees the whole file, the one before, or none.

    Raises:
        OSError: the disk is full, the folder cannot be written to.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=TEMPORARY)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def touch(path: Path) -> None:
    """Note that a file was used: the one unused for longest goes first."""
    with suppress(OSError):  # gone, or in a folder that can only be read
        os.utime(path)


# What lies there --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stored:
    """The files of one kernel: its source, and compiled code for the arrays it met.

    Attributes:
        used: when it was last used, in seconds since 1970.
    """

    paths: tuple[Path, ...]
    bytes: int
    used: float


def stored(folder: Path) -> list[Stored]:
    """What lies in the folder, in order of last use."""
    found: dict[str, list[tuple[Path, os.stat_result]]] = {}
    for path, status in _files(folder):
        if _KERNEL_FILE.fullmatch(path.name):
            found.setdefault(path.name.partition(".")[0], []).append((path, status))
    kernels = [
        Stored(
            tuple(path for path, _ in files),
            sum(status.st_size for _, status in files),
            max(status.st_mtime for _, status in files),
        )
        for files in found.values()
    ]
    return sorted(kernels, key=lambda kernel: kernel.used)


def sweep(folder: Path) -> None:
    """Remove kernels, the one unused for longest first, until what lies there is within the limit.

    The last used one stays in any case.  A process that runs a removed kernel has it in memory.
    """
    now = time.time()
    for path, status in _files(folder):
        if path.name.startswith(TEMPORARY) and now - status.st_mtime > _ABANDONED:
            _remove(path)
    kernels = stored(folder)
    total = sum(kernel.bytes for kernel in kernels)
    for kernel in kernels[:-1]:
        if total <= size_limit():
            break
        for path in kernel.paths:
            _remove(path)
        total -= kernel.bytes


def clear(folder: Path) -> int:
    """Remove every kernel; how many there were."""
    kernels = stored(folder)
    for path, _ in _files(folder):
        if _KERNEL_FILE.fullmatch(path.name) or path.name.startswith(TEMPORARY):
            _remove(path)
    return len(kernels)


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # another process has just removed it
                if entry.is_file(follow_symlinks=False):
                    yield Path(entry.path), entry.stat(follow_symlinks=False)


def _remove(path: Path) -> None:
    with suppress(OSError):  # another process was first, or (on Windows) reads it right now
        path.unlink()
