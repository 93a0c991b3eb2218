"""Several machines with one database behind nginx, configured as deploy/nginx/bank_sync.conf says."""

import os
import re
import subprocess
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from environment import debian_programs, paths, ports, process

from .conftest import PROXY_SERVER, a_copy_of_the_template

SHIPPED = paths.ROOT / "deploy" / "nginx" / "bank_sync.conf"
YOURS = "  # yours"
#: What surrounds the shipped file on a real machine is Debian's nginx.conf.
MAIN = """
{user}
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/bank_sync.conf;
}}
"""
#: Generates again, in a copy of a database, the secrets that are not entered.
SECRETS = "env['bank.sync.provider']._update_settings()"


def nginx():
    """:return: path of the program; where it can't be had the test is skipped, and says why"""
    try:
        return debian_programs.find("nginx")
    except debian_programs.Missing as reason:
        pytest.skip(str(reason))


def configure(folder, changes):
    """Write the configuration of an nginx that needs no rights.

    :param dict changes: beginning of a directive that is marked as the operator's own → text that it becomes
    :return: path of the main file
    """
    text = SHIPPED.read_text(encoding="utf-8")
    for directive, replacement in changes.items():
        pattern = rf"^( *){re.escape(directive)}.*{re.escape(YOURS)}$"
        text, found = re.subn(pattern, lambda match, new=replacement: match[1] + new, text, flags=re.MULTILINE)
        assert found == 1, directive
    (folder / "bank_sync.conf").write_text(text, encoding="utf-8")
    main = folder / "nginx.conf"
    # Why: as root it would give up its rights, and could not enter the folder of a test.
    main.write_text(MAIN.format(folder=folder, user="user root;" if os.geteuid() == 0 else ""), encoding="utf-8")
    return main


class Cluster:
    """A proxy of two machines.

    :param machines: :class:`~.conftest.Installation` objects that share a database
    :param folder: for nginx, which is started
    """

    def __init__(self, machines, folder):
        self.machines, self._port, self._folder = machines, ports.any_free(), folder
        self._command = [nginx(), "-p", folder, "-e", folder / "error.log", "-c", self._configure(machines)]
        self._nginx = process.start(self._command)
        ports.wait_until_served(self._port, self._nginx, folder / "error.log")
        self.url = f"http://localhost:{self._port}"

    def _configure(self, serving):
        ports_of_serving = {one.port for one in serving}
        servers = [
            f"server 127.0.0.1:{one.port} max_fails=1 fail_timeout=1s{'' if one.port in ports_of_serving else ' down'};"
            for one in self.machines
        ]
        changes = {
            "server 127.0.0.1:8069": "\n    ".join(servers),
            "listen": f"listen 127.0.0.1:{self._port};",
            "server_name": "server_name localhost;",
            # Why no TLS: databases verify certificates, and no authority that they trust has signed one for this
            # machine.
            "ssl_certificate ": "",
            "ssl_certificate_key": "",
            "access_log": f"access_log {self._folder}/access.log bank_sync;",
            "error_log": f"error_log {self._folder}/bank_sync_error.log crit;",
        }
        return configure(self._folder, changes)

    def serve_with(self, *machines):
        """Let nginx send requests to these machines only, and wait until the others have answered what they had got."""
        self._configure(machines)
        old_workers = self._workers()
        reloaded = subprocess.run(
            [*map(str, self._command), "-s", "reload"], capture_output=True, text=True, check=False
        )
        assert reloaded.returncode == 0, reloaded.stderr
        wait_until(lambda: not old_workers & self._workers())

    def _workers(self):
        """:return: ids of nginx's processes that serve, or still answer the requests of before a reload"""
        children = Path(f"/proc/{self._nginx.pid}/task/{self._nginx.pid}/children")
        return set(children.read_text(encoding="utf-8").split())

    def log(self):
        """:return: all that nginx has logged"""
        return "".join(path.read_text(encoding="utf-8") for path in self._folder.glob("*.log"))

    def stop(self):
        process.stop(self._nginx)


def machine_settings(folder):
    """:return: lines of odoo.conf: a machine shares the database and the master key with the others, but no file"""
    return (
        f"data_dir = {folder}",
        "bank_sync_key = the same on all machines, and long enough",
        "proxy_mode = True",
    )


@contextmanager
def a_cluster(folder, cron_threads=0, **options):
    """Two machines that share a database and a master key, but no file.

    :param int cron_threads: of the first one; the other one executes no scheduled actions
    :param options: of :meth:`~.conftest.Installation.start`
    """
    nginx()
    with a_copy_of_the_template(*PROXY_SERVER) as one:
        two = replace(one)
        cluster = None
        try:
            for machine, name in ((one, "one"), (two, "two")):
                machine.machine, machine.settings = name, machine_settings(folder / name)
            one.shell(SECRETS)
            one.start(cron_threads, **options)
            two.start(**options)
            nginx_folder = folder / "nginx"
            nginx_folder.mkdir()
            cluster = Cluster([one, two], nginx_folder)
            one.set_parameters(web__base__url=cluster.url)
            yield cluster
        finally:
            if cluster:
                cluster.stop()
            two.stop()


def wait_until(condition, patience=120):
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
