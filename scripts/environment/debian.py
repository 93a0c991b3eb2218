"""Debian's package manager: packages for the system, and packages unpacked for us alone.

For the latter apt runs with a separate configuration: no rights are needed and the system's state is not changed.
Mirrors come from the machine's own sources, so whatever mirror the machine uses is used here.
"""

import os
import re
import shutil
from pathlib import Path

from . import paths, process
from .console import Trouble

SOURCES = Path("/etc/apt")
ONE_LINE = re.compile(r"^deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.+)$")


def has_apt():
    return bool(shutil.which("apt-get") and shutil.which("dpkg-deb"))


def codename():
    """The running Debian's codename, or None on another system."""
    try:
        text = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return None
    facts = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.MULTILINE))
    return facts.get("VERSION_CODENAME") if facts.get("ID") == "debian" else None


def install_on_system(packages):
    """Install for the whole machine (root only)."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    names = " ".join(packages)
    install = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "install", "-y", "--no-install-recommends", *packages]
    try:
        process.run(install, "apt-system", "", env=environment)
    except Trouble:
        # Why a second try: a fresh image has no package lists, an old one has lists that point to nothing.
        process.run(
            ["apt-get", "-o", "DPkg::Lock::Timeout=300", "update"],
            "apt-system",
            f"apt could not read its package lists for {names}: check the network, then start again.",
            env=environment,
            append=True,
        )
        sentence = f"apt could not install {names}: see what it says above, then start again."
        process.run(install, "apt-system", sentence, env=environment, append=True)


UNREACHABLE = (
    "apt could not download Odoo's Debian package: check the network and /etc/apt/sources.list, then start again "
    "(or set ODOO_HOME to an Odoo 19 checkout)."
)


def download(packages, folder, unreachable=UNREACHABLE):
    """Fetch packages as .deb files.

    :param packages: mapping of package name to suite.
    :param folder: where the files go; what an earlier try left there is continued.
    :param unreachable: message for the user when that fails.
    """
    options = _private_configuration(set(packages.values()))
    process.run(["apt-get", *options, "-o", "APT::Update::Error-Mode=any", "update"], "apt", unreachable)
    names = [f"{name}/{suite}" for name, suite in packages.items()]
    process.run(["apt-get", *options, "download", *names], "apt", unreachable, cwd=folder, append=True)


def unpack(files, folder):
    for file in files:
        process.run(
            ["dpkg-deb", "-x", file, folder],
            "unpack",
            f"{Path(file).name} could not be unpacked: check the disk's free space, then start again.",
            append=True,
        )


def _private_configuration(suites):
    """Options that keep apt away from the system's lists, cache, pins and sources."""
    here = paths.HERE / "apt"
    for name in ("lists/partial", "cache/archives/partial"):
        (here / name).mkdir(parents=True, exist_ok=True)
    (here / "sources.list").write_text(_sources(suites), encoding="utf-8")
    settings = {
        "Dir::Etc::sourcelist": here / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::State::lists": here / "lists",
        "Dir::Cache": here / "cache",
        "APT::Get::List-Cleanup": "false",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        # Why: sid's lists count as expired after a week, and many mirrors lag. The signatures are still checked.
        "Acquire::Check-Valid-Until": "false",
        # Why: the package is architecture-independent, so no foreign architecture's lists are of use.
        "APT::Architectures": process.ask(["dpkg", "--print-architecture"]),
    }
    if os.geteuid() == 0:
        # Why: as root apt downloads as the user _apt, who cannot enter a clone below /root.
        settings["APT::Sandbox::User"] = "root"
    return [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]


def _sources(suites):
    uri, options = _mirror()
    bracket = f"[{options}] " if options else ""
    return "".join(f"deb {bracket}{uri} {suite} main\n" for suite in sorted(suites))


def _mirror():
    """URI and options of the machine's source for its own Debian release."""
    releases = {codename(), "stable", "testing", "unstable", "sid"}
    # Why the exact names: "-security", "-updates" and most third parties do not carry other releases.
    fitting = [
        (uri, options)
        for uri, suites, components, options in _machine_sources()
        if releases.intersection(suites) and "main" in components and not uri.startswith("cdrom:")
    ]
    if not fitting:
        raise Trouble(
            f"No source for Debian {codename()} was found below {SOURCES}: "
            "set ODOO_HOME to an Odoo 19 checkout and start again."
        )
    # Why by name: a third party may use Debian's release names for its suites, but rarely the folder's.
    return min(fitting, key=lambda found: not re.search(r"/debian/?$", found[0]))


def _machine_sources():
    """(URI, suites, components, options) of every binary source that apt knows, in both of its formats."""
    parts = SOURCES / "sources.list.d"
    for file in [SOURCES / "sources.list", *sorted(parts.glob("*.list"))]:
        for line in _read(file).splitlines():
            if match := ONE_LINE.match(line.split("#", 1)[0].strip()):
                signed = re.search(r"signed-by=\S+", match["options"] or "")
                yield match["uri"], [match["suite"]], match["components"].split(), signed[0] if signed else ""
    for file in sorted(parts.glob("*.sources")):
        for stanza in re.split(r"\n\s*\n", re.sub(r"^#.*\n", "", _read(file), flags=re.MULTILINE)):
            fields = {key.lower(): value for key, value in re.findall(r"^([\w-]+):[ \t]*(.*)$", stanza, re.MULTILINE)}
            if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() == "no":
                continue
            key = fields.get("signed-by", "").split()
            options = f"signed-by={key[0]}" if len(key) == 1 and key[0].startswith("/") else ""
            for uri in fields.get("uris", "").split():
                yield uri, fields.get("suites", "").split(), fields.get("components", "").split(), options


def _read(file):
    try:
        return file.read_text(encoding="utf-8") + "\n"
    except OSError:
        return ""
