"""Several machines with one database behind nginx, configured as deploy/nginx/bank_sync.conf says."""

import os
import re
from contextlib import contextmanager
from dataclasses import replace

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
#: A copy of a database makes the secrets anew that nobody has to enter.
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
        self.machines, self._port = machines, ports.any_free()
        servers = [f"server 127.0.0.1:{one.port} max_fails=1 fail_timeout=1s;" for one in machines]
        changes = {
            "server 127.0.0.1:8069": "\n    ".join(servers),
            "listen": f"listen 127.0.0.1:{self._port};",
            "server_name": "server_name localhost;",
            # Why no TLS: databases verify certificates, and nobody they trust has signed one for this machine.
            "ssl_certificate ": "",
            "ssl_certificate_key": "",
            "access_log": f"access_log {folder}/access.log bank_sync;",
            "error_log": f"error_log {folder}/bank_sync_error.log crit;",
        }
        main = configure(folder, changes)
        self._folder = folder
        errors = ["-e", folder / "error.log"]
        self._nginx = process.start([nginx(), "-p", folder, *errors, "-c", main])
        ports.wait_until_served(self._port, self._nginx, folder / "error.log")
        self.url = f"http://localhost:{self._port}"

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
def a_cluster(folder, **options):
    """Two machines that share a database and a master key, but no file.

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
            for machine in (one, two):
                machine.start(**options)
            nginx_folder = folder / "nginx"
            nginx_folder.mkdir()
            cluster = Cluster([one, two], nginx_folder)
            one.set_parameters(web__base__url=cluster.url)
            yield cluster
        finally:
            if cluster:
                cluster.stop()
            two.stop()
