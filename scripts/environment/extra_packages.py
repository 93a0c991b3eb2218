"""Python packages for one purpose, beside the virtual environment: installed when they are first needed."""

import shutil
import sys

from . import locks, paths, process, python_packages, stamps
from .console import step


def ensure(name):
    """Install the packages of requirements/<name>.txt, which also pins their dependencies.

    :return: the folder to put on the path
    """
    file = paths.REQUIREMENTS / f"{name}.txt"
    folder = paths.HERE / "extra-packages" / name
    stamp = f"extra-packages-{name}"
    inputs = stamps.digest(sys.version_info[:2], str(folder), file)
    with locks.locked(stamp, f"Another script is installing the packages of {file.name}: waiting for it."):
        if not stamps.is_current(stamp, inputs) or not folder.is_dir():
            with step(f"Installing the packages of {file.name}"):
                stamps.remove(stamp)
                shutil.rmtree(folder, ignore_errors=True)
                _install(file, folder, stamp)
                stamps.write(stamp, inputs)
    return folder


def _install(file, folder, log):
    # Why without dependencies: the file pins them, and OCA's packages ask for Odoo itself, which is there already.
    pip = [paths.PYTHON, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-deps"]
    process.run(
        [*pip, "--target", folder, "-r", file],
        log,
        f"pip could not install {file.name}: check the network and pip's own settings, then start again.",
        env={**python_packages.clean_environment(), "PIP_CACHE_DIR": str(paths.cache("pip"))},
    )
