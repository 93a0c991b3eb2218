"""Software bill of materials of what runs in production: our addons, Odoo, and the Python packages of
requirements/odoo.txt.

In CycloneDX's JSON. Names, versions, licences and what needs what come from the packages that are installed in this
environment, which are the pinned ones.
"""

import ast
import json
import re
import subprocess
from pathlib import Path

from . import bootstrap, extra_packages, odoo_package, paths, python_packages, stamps
from .console import Trouble

#: Why not PYTHONPATH: the examined Python would inherit it, and show the examiner's own packages.
PROGRAM = """
import runpy, sys
sys.path.insert(0, sys.argv.pop(1))
runpy.run_module("cyclonedx_py", run_name="__main__")
"""
NAME = re.compile(r"^[A-Za-z0-9._-]+")
#: What Odoo and our addons are under. A test compares it with the manifests.
LICENSE = [{"license": {"id": "LGPL-3.0-only"}}]

#: Of packages whose metadata name none: what their own file LICENSE says.
UNNAMED = {"passlib": [{"license": {"id": "BSD-3-Clause"}}]}


def main(arguments):
    if len(arguments) != 1:
        raise Trouble("usage: scripts/sbom FILE")
    bootstrap.bootstrap(database_server=False)
    Path(arguments[0]).write_text(json.dumps(make(), indent=2) + "\n", encoding="utf-8")


def make():
    """:return: the bill of materials, an object of CycloneDX"""
    bill, wanted = installed(), requirements()
    packages = [component for component in bill["components"] if normal(component["name"]) in wanted]
    for package in packages:
        package.setdefault("licenses", UNNAMED.get(package["name"], []))
    ours = [odoo(), *map(addon, paths.ADDONS)]
    kept = {component["bom-ref"] for component in packages}
    bill["components"] = ours + packages
    bill["dependencies"] = [{"ref": component["bom-ref"], "dependsOn": sorted(kept)} for component in ours[:1]] + [
        {"ref": entry["ref"], "dependsOn": sorted(kept.intersection(entry.get("dependsOn", ())))}
        for entry in bill["dependencies"]
        if entry["ref"] in kept
    ]
    bill["metadata"]["component"] = {
        "type": "application",
        "name": "account_online_synchronization",
        "bom-ref": "account_online_synchronization-and-proxy",
        "licenses": LICENSE,
    }
    return bill


def installed():
    """:return: the bill of all packages of the environment, development's included"""
    folder = extra_packages.ensure("sbom")
    command = [paths.PYTHON, "-c", PROGRAM, folder, "environment", "--output-reproducible", paths.PYTHON]
    variables = python_packages.clean_environment()
    done = subprocess.run(list(map(str, command)), env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Trouble(f"cyclonedx-bom could not examine {paths.VENV}: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout)


def requirements():
    """:return: set of the normalized names of requirements/odoo.txt that this Python has"""
    lines = (paths.REQUIREMENTS / "odoo.txt").read_text(encoding="utf-8").splitlines()
    return {normal(match[0]) for line in lines if (match := NAME.match(line))}


def normal(name):
    """
    >>> normal("lxml_html_clean")
    'lxml-html-clean'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def odoo():
    package = stamps.read(odoo_package.STAMP) or {}
    version = package.get("package") or odoo_package.version_of(odoo_package.source())
    return component("odoo", version)


def addon(name):
    manifest = ast.literal_eval((paths.ROOT / name / "__manifest__.py").read_text(encoding="utf-8"))
    return component(name, manifest["version"])


def component(name, version):
    return {"type": "library", "name": name, "version": version, "bom-ref": f"{name}@{version}", "licenses": LICENSE}
