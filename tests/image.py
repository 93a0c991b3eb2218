"""Run a Containerfile's commands without a container engine, each in a throwaway view of this machine.

A stage's file system is an overlay: this machine below, in memory what the stage writes. So commands run as they would
in an image of this machine's Debian, as root, and leave nothing behind. It needs Linux, and root.

    unshare --mount python image.py INSTRUCTIONS CONTEXT FOLDER CHECK [MOUNT…]

INSTRUCTIONS is a JSON file: a list of [name, text]. CHECK is a shell command for the last stage, run as its user
without any network but the loopback; each MOUNT is SOURCE:TARGET, a folder that it sees.
"""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

#: Of this machine, as it is in every container.
MOUNTED = ("dev", "proc")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: What this machine has in such places, and this program, are not in an image.
HIDDEN = ("opt/bank_sync", "src", "var/lib/odoo", "etc/odoo", "usr/bin/git")


class Stage:
    """One ``FROM`` and what follows."""

    def __init__(self, folder, number):
        self.root, self.variables, self.place, self.user = folder / str(number) / "root", {"PATH": PATH}, "/", "0"
        for name in ("root", "upper", "work"):
            (folder / str(number) / name).mkdir(parents=True)
        layers = ",".join(
            f"{name}dir={folder / str(number) / path}" for name, path in (("upper", "upper"), ("work", "work"))
        )
        run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir=/,{layers}", self.root)
        for name in MOUNTED:
            run("mount", "--rbind", f"/{name}", self.root / name)
        for name in HIDDEN:
            run("rm", "-rf", self.root / name)

    def run(self, command, namespace=()):
        say(f"RUN {command}")
        variables = [f"{name}={value}" for name, value in self.variables.items()]
        script = f"cd {shlex.quote(self.place)} && {command}"
        chroot = ("chroot", f"--userspec={self.user}:{self.user}", self.root, "/bin/sh", "-ec", script)
        run(*namespace, "env", "-i", *variables, *chroot)

    def set(self, text):
        for pair in shlex.split(text):
            name, _equal, value = pair.partition("=")
            for known, old in self.variables.items():
                value = value.replace(f"${known}", old)
            self.variables[name] = value

    def move(self, place):
        self.place = place
        self.path(place).mkdir(parents=True, exist_ok=True)

    def path(self, name):
        return self.root / os.path.join(self.place, name).lstrip("/")

    def copy(self, source, name):
        target = self.path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        say(f"COPY {source} {name}")
        run("cp", "-a", source, target)


def run(*command):
    subprocess.run(list(map(str, command)), check=True)


def say(line):
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def build(instructions, context, folder):
    """
    :param instructions: list of (name, text), as dockerfile-parse reads them
    :param context: folder that ``COPY`` copies from
    :return: :class:`Stage`, the last one
    """
    stages, names = [], {}
    for name, text in instructions:
        if name == "FROM":
            stages.append(Stage(folder, len(stages)))
            names[text.partition(" AS ")[2]] = stages[-1]
        stage = stages[-1]
        if name == "RUN":
            stage.run(text)
        elif name == "ENV":
            stage.set(text)
        elif name == "WORKDIR":
            stage.move(text)
        elif name == "USER":
            stage.user = text
        elif name == "COPY":
            *options, source, target = text.split()
            origin = names[options[0].removeprefix("--from=")].path(source) if options else context / source
            stage.copy(origin, target)
    return stages[-1]


def main(instructions, context, folder, check, *mounts):
    run("mount", "-t", "tmpfs", "-o", "size=6g", "stages", folder)
    last = build(json.loads(Path(instructions).read_text(encoding="utf-8")), Path(context), Path(folder))
    for mount in mounts:
        source, target = mount.split(":")
        last.path(target).mkdir(parents=True, exist_ok=True)
        run("mount", "--bind", source, last.path(target))
    last.run(check, ("unshare", "--net", "sh", "-ec", 'ip link set lo up; exec "$@"', "sh"))


if __name__ == "__main__":
    main(*sys.argv[1:])
