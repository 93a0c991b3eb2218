"""Each addon is a wheel that pip installs, with everything that a clone has."""

import ast
import os
import shutil
import subprocess
import zipfile
from email import message_from_bytes

import pytest

from environment import extra_packages, paths, python_packages
from environment.console import Trouble

ROOT = paths.ROOT
#: What Python leaves beside the sources.
NOT_SHIPPED = ("__pycache__", "*.pyc")


def build(addon, folder):
    """
    :param addon: name of one of our addons
    :return: path of its wheel
    """
    try:
        backend = extra_packages.ensure("wheels")
    except Trouble as trouble:
        pytest.skip(f"whool cannot be installed: {trouble}")
    # Why a copy: pip and the build backend may leave files beside the sources.
    source = folder / "source" / addon
    shutil.copytree(ROOT / addon, source, ignore=shutil.ignore_patterns(*NOT_SHIPPED))
    variables = {**python_packages.clean_environment(), "PYTHONPATH": str(backend)}
    pip = [paths.PYTHON, "-m", "pip", "wheel", "--no-input", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run(
        [*map(str, pip), "--no-build-isolation", "--wheel-dir", str(folder), str(source)],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    return {addon: build(addon, tmp_path_factory.mktemp(addon)) for addon in paths.ADDONS}


def files_of(addon):
    files = (file for file in (ROOT / addon).rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return {file.relative_to(ROOT).as_posix() for file in files}


@pytest.mark.parametrize("addon", paths.ADDONS)
def test_a_wheel_holds_every_file_of_its_addon(wheels, addon):
    with zipfile.ZipFile(wheels[addon]) as wheel:
        names = {name.removeprefix("odoo/addons/") for name in wheel.namelist() if name.startswith("odoo/addons/")}
    assert files_of(addon) - {f"{addon}/pyproject.toml"} == names


@pytest.mark.parametrize("addon", paths.ADDONS)
def test_a_wheel_requires_the_packages_that_the_manifest_names(wheels, addon):
    with zipfile.ZipFile(wheels[addon]) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
        metadata = message_from_bytes(wheel.read(name))
    requirements = " ".join(metadata.get_all("Requires-Dist"))
    manifest = ast.literal_eval((ROOT / addon / "__manifest__.py").read_text(encoding="utf-8"))
    assert "odoo==19.0.*" in requirements
    for package in manifest.get("external_dependencies", {}).get("python", ()):
        assert package in requirements


def test_odoo_updates_a_database_from_the_installed_wheels(wheels, installation, tmp_path):
    pip = [paths.PYTHON, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run(
        [*map(str, pip), "--target", str(tmp_path), *map(str, wheels.values())],
        env=python_packages.clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    addons = tmp_path / "odoo" / "addons"
    installation.odoo(
        *("-d", installation.name, "-u", ",".join(paths.ADDONS), "--no-http", "--stop-after-init"),
        *("--addons-path", os.fspath(addons)),
    )
    place = "import odoo.addons.bank_sync_proxy as addon\nprint(addon.__file__)\n"
    shell = ("shell", "-d", installation.name, "--no-http", "--log-level=warn", "--addons-path", os.fspath(addons))
    assert os.fspath(addons) in installation.odoo(*shell, stdin=place)
