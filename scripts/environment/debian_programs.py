"""Programs for some tests only, from Debian's packages: the system's own, or unpacked into our folder, not installed.

A system without them is not an error: the caller gets the reason with which a test is skipped.
"""

import shutil

from . import debian, locks, paths, process
from .console import Trouble, step

#: Debian's folders with programs that are not in every user's PATH.
ADMINISTRATORS = "/usr/sbin:/usr/local/sbin"

#: Program → Debian's package, the file in it, and what proves that it starts.
PROGRAMS = {
    "nginx": ("nginx", "usr/sbin/nginx", "-v"),
    "promtool": ("prometheus", "usr/bin/promtool", "--version"),
}


class Missing(Exception):
    """Its text is the reason to skip a test."""


def find(name):
    """Have a program.

    :return: its path
    :raise Missing: where it can't be had
    """
    package, inside, proof = PROGRAMS[name]
    own = paths.HERE / "debian-programs" / package
    with locks.locked(f"program-{name}", f"Another script is fetching {name}: waiting for it."):
        for path in (shutil.which(name), shutil.which(name, path=ADMINISTRATORS), own / inside):
            if path and process.ask([path, proof]) is not None:
                return str(path)
        _fetch(name, package, own)
    if process.ask([own / inside, proof]) is None:
        raise Missing(f"{name} does not start: install it (on Debian: apt-get install {package})")
    return str(own / inside)


def _fetch(name, package, folder):
    suite = debian.codename()
    if not debian.has_apt() or not suite:
        raise Missing(f"there is no {name}, which can be fetched on Debian only: install it")
    unfinished = folder.with_name(f"{package}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        with step(f"Downloading {name} for a test"):
            debian.download({package: suite}, unfinished, "check the network and /etc/apt/sources.list")
            debian.unpack(sorted(unfinished.glob("*.deb")), unfinished)
    except Trouble as trouble:
        raise Missing(f"Debian's package {package} could not be fetched: {trouble}") from None
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)
