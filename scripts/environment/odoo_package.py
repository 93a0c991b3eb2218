"""Odoo 19: the checkout that ODOO_HOME names, or Debian's package unpacked into our folder.

The package is not installed: it would bring Debian's own Python packages and a system service.
"""

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

from . import debian, paths, stamps
from .console import Trouble, step

STAMP = "odoo"
SERIES = "19.0"

# Package and suite. Why bookworm for one: sid's newer Font Awesome has other file names than Odoo asks for.
PACKAGES = {
    "odoo-19": "sid",
    "libjs-jquery": "sid",
    "libjs-jquery-form": "sid",
    "libjs-underscore": "sid",
    "fonts-roboto-unhinted": "sid",
    "fonts-montserrat": "sid",
    "fonts-inconsolata": "sid",
    "fonts-glyphicons-halflings": "sid",
    "fonts-ocr-b": "sid",
    "fonts-font-awesome": "bookworm",
}

# Debian leaves this script out. It only blurs the background in video calls, but without a file of that
# name every page logs an error in the browser's console, and browser tests take that for a failure.
MISSING_SCRIPT = "odoo/addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js"

NEEDED_SPACE = 4 * 1024**3


def source():
    """The folder that holds the package `odoo`."""
    if home := os.environ.get("ODOO_HOME"):
        return Path(home).expanduser().resolve()
    return paths.ODOO_PREFIX / "usr/lib/python3/dist-packages"


def inputs():
    return stamps.digest(PACKAGES, MISSING_SCRIPT)


def is_ready():
    if os.environ.get("ODOO_HOME"):
        return True
    return stamps.is_current(STAMP, inputs()) and (source() / "odoo").is_dir()


def check():
    """Complain early about an ODOO_HOME that cannot work, and about a system without the package."""
    if home := os.environ.get("ODOO_HOME"):
        found = version_of(source())
        if not found:
            raise Trouble(f"ODOO_HOME is {home}, but no Odoo is there (odoo/release.py): name the folder of odoo-bin.")
        if found != SERIES:
            raise Trouble(f"ODOO_HOME is {home}, which holds Odoo {found}: this project needs Odoo {SERIES}.")
    elif not is_ready():
        if not debian.has_apt() or not debian.codename():
            raise Trouble(
                f"Odoo {SERIES} can be fetched on Debian only: "
                f"set ODOO_HOME to an Odoo {SERIES} checkout and start again."
            )
        _need_space()


def version_of(folder):
    """The series that a checkout says it is, read without importing it."""
    try:
        text = (folder / "odoo/release.py").read_text(encoding="utf-8")
    except OSError:
        return None
    match = re.search(r"^version_info\s*=\s*\(\s*'?([^,']+)'?\s*,\s*(\d+)", text, re.MULTILINE)
    return f"{match[1]}.{match[2]}" if match else None


def install():
    """Download (or find in the cache), unpack beside, and move into place when complete."""
    cache = paths.cache("debian")
    files = _cached(cache)
    if not files:
        with step("Downloading Odoo (130 MB)"):
            files = _download(cache)
    with step("Unpacking Odoo"):
        unfinished = paths.HERE / "odoo.unfinished"
        stamps.remove(STAMP)
        for folder in (unfinished, paths.ODOO_PREFIX):
            shutil.rmtree(folder, ignore_errors=True)
        debian.unpack(files, unfinished)
        script = unfinished / "usr/lib/python3/dist-packages" / MISSING_SCRIPT
        script.parent.mkdir(parents=True, exist_ok=True)
        script.touch()
        unfinished.rename(paths.ODOO_PREFIX)
        package = next(file.name.split("_")[1] for file in files if file.name.startswith("odoo-19_"))
        stamps.write(STAMP, inputs(), package=package, series=version_of(source()))


def _manifest(cache):
    return cache / f"packages-{inputs()[:12]}.json"


def _cached(cache):
    """The files of an earlier download, if all of them are there and whole."""
    try:
        known = json.loads(_manifest(cache).read_text(encoding="utf-8"))
        whole = all(_checksum(cache / name) == checksum for name, checksum in known.items())
    except (OSError, ValueError):
        return None
    return [cache / name for name in sorted(known)] if whole else None


def _download(cache):
    unfinished = cache / "unfinished"
    unfinished.mkdir(exist_ok=True)
    debian.download(PACKAGES, unfinished)
    files = []
    for name in PACKAGES:
        # Why the newest: an earlier, interrupted try may have left the version before.
        newest = max(unfinished.glob(f"{name}_*.deb"), key=lambda file: file.stat().st_mtime)
        files.append(newest.replace(cache / newest.name))
    temporary = cache / f".packages.{os.getpid()}"
    temporary.write_text(json.dumps({file.name: _checksum(file) for file in files}, indent=2), encoding="utf-8")
    temporary.replace(_manifest(cache))
    shutil.rmtree(unfinished, ignore_errors=True)
    return files


def _checksum(file):
    total = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            total.update(block)
    return total.hexdigest()


def _need_space():
    free = shutil.disk_usage(paths.HERE).free
    if free < NEEDED_SPACE:
        raise Trouble(
            f"Only {free / 1024**3:.1f} GB are free on the disk of {paths.ROOT}, and a first set-up needs "
            f"{NEEDED_SPACE // 1024**3} GB: make room and start again."
        )
