"""The virtual environment with the pinned Python packages."""

import os
import shutil
import sys

from . import debian, paths, process, stamps
from .console import Trouble, step

STAMP = "python-packages"
FILES = (paths.REQUIREMENTS / "odoo.txt", paths.REQUIREMENTS / "development.txt")


def inputs():
    # Why the folder: a virtual environment holds its own absolute path and does not survive a move.
    return stamps.digest(sys.version_info[:2], str(paths.VENV), *FILES)


def is_ready():
    return stamps.is_current(STAMP, inputs()) and paths.PYTHON.exists()


def install():
    """Rebuild the virtual environment: a half-filled one looks like a good one."""
    _need_ensurepip()
    with step("Installing the Python packages"):
        stamps.remove(STAMP)
        shutil.rmtree(paths.VENV, ignore_errors=True)
        process.run(
            [sys.executable, "-m", "venv", paths.VENV],
            "python-packages",
            "Python could not make a virtual environment (python3 -m venv): see what it says above and start again.",
            env=clean_environment(),
        )
        pip = [paths.PYTHON, "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        for file in FILES:
            pip += ["-r", file]
        process.run(
            pip,
            "python-packages",
            "pip could not install the Python packages: check the network and pip's own settings, then start again; "
            "what is downloaded is kept.",
            env={**clean_environment(), "PIP_CACHE_DIR": str(paths.cache("pip"))},
            append=True,
        )
        stamps.write(STAMP, inputs(), python=sys.version.split()[0])


def clean_environment():
    """Ours, without what another virtual environment or checkout would let through."""
    dropped = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX", "PIP_USER"}
    # Why: Odoo's files come without bytecode. Who wants none beside the sources would have each of many processes
    # compile all of Odoo.
    dropped.add("PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "PYTHONPYCACHEPREFIX": str(paths.HERE / "bytecode")}


def _need_ensurepip():
    """Debian ships `venv` without its heart; root can add it, others are shown how."""
    check = [sys.executable, "-c", "import ensurepip, venv"]
    if process.ask(check) is not None:
        return
    package = f"python3.{sys.version_info[1]}-venv"
    if os.geteuid() == 0 and debian.has_apt():
        with step(f"Installing {package}"):
            debian.install_on_system([package])
    if process.ask(check) is None:
        raise Trouble(
            f"Python's venv module is not complete on this machine: install {package} "
            f"(apt-get install {package}) and start again."
        )
