"""What deploy/ holds for production is examined by the tools of its trade, and run as far as one machine allows."""

import configparser
import ipaddress
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import suppress

import pytest

from environment import database, extra_packages, odoo_command, paths, postgres, sbom, sql
from environment.console import Trouble

DEPLOY = paths.ROOT / "deploy"
CONTAINERFILE = DEPLOY / "Containerfile"
SCRIPTS = [DEPLOY / name for name in ("odoo", "odoo_in_image", "entrypoint", "backup", "postgres/role.sh")]
UNITS = sorted((DEPLOY / "systemd").iterdir())
#: What `systemd-analyze security` may add up to, of 10.
MOST_EXPOSURE = 2.0
#: Where the image finds PostgreSQL.
SOCKETS, SOCKET = "/run/postgresql", ".s.PGSQL.5432"
#: Run in the image, by its user: an installation with deploy/odoo.conf, the health check, the doctor.
CHECK = """
export PGHOST={host} PGUSER=odoo
odoo -d {name} -i bank_sync_proxy_server --stop-after-init --no-http --log-level=warn
odoo -d {name} --workers=2 --log-level=warn &
server=$!
attempts=0
until {health}; do
    attempts=$((attempts + 1))
    test $attempts -lt 120
    sleep 1
done
kill $server
wait $server || true
odoo bank_sync doctor -d {name} --log-level=critical || true
"""


#: What Odoo's process for long polls ends with, again and again, where Odoo was not started from a file.
EVENTED_PROCESS_FAILS = "attempted relative import"
#: What the manual's commands find that a fresh server has, or its administrator has made.
BEFORE = """
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
printf '#!/bin/sh\\necho "systemctl $*"\\n' > /usr/local/bin/systemctl
chmod +x /usr/sbin/policy-rc.d /usr/local/bin/systemctl
apt-get update
"""
#: The second part of the manual's commands, and what its units and its administrator start.
MANUAL = """
mkdir -p /etc/ssl/private
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=proxy.example.com \\
    -keyout /etc/ssl/private/proxy.example.com.key -out /etc/ssl/proxy.example.com.pem
service postgresql start
trap 'service postgresql stop' EXIT
{install}
runuser -u odoo -- /usr/local/bin/odoo --workers=2 --log-level=warn &
server=$!
attempts=0
until {health}; do
    attempts=$((attempts + 1))
    test $attempts -lt 120
    sleep 1
done
kill $server
wait $server || true
backup=$(runuser -u odoo -- /opt/bank_sync/source/deploy/backup proxy /var/lib/odoo /var/backups/bank_sync)
su postgres -c 'dropdb --force proxy'
rm -rf /var/lib/odoo/filestore
{restore}
{staging}
su postgres -c "psql -d staging -c 'SELECT count(*) AS scheduled FROM ir_cron WHERE active'"
"""


@pytest.fixture(scope="module")
def tools():
    """:return: folder with the packages of requirements/deployment.txt"""
    try:
        return extra_packages.ensure("deployment")
    except Trouble as trouble:
        pytest.skip(f"the linters cannot be installed: {trouble}")


def run(*command, **options):
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, cwd=paths.ROOT, **options
    )


def asked(tools, script, *arguments):
    """:return: what a Python script printed that imports from the linters' folder, as JSON"""
    done = run(paths.PYTHON, "-c", script, *arguments, env={**os.environ, "PYTHONPATH": str(tools)})
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


def instructions(tools):
    """:return: list of [name, text] of the Containerfile"""
    script = (
        "import json, sys\n"
        "from dockerfile_parse import DockerfileParser\n"
        "from io import BytesIO\n"
        "parser = DockerfileParser(fileobj=BytesIO(open(sys.argv[1], 'rb').read()))\n"
        "print(json.dumps([[row['instruction'], row['value']] for row in parser.structure"
        " if row['instruction'] != 'COMMENT']))"
    )
    return asked(tools, script, CONTAINERFILE)


def compose():
    """:return: compose.yaml as it is written"""
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def option(name):
    parser = configparser.ConfigParser()
    parser.read(DEPLOY / "odoo.conf", encoding="utf-8")
    return parser["options"][name]


# -------------------------------------------------------------------------
# LINTERS
# -------------------------------------------------------------------------


def test_containerfile_passes_hadolint(tools):
    done = run(tools / "bin" / "hadolint", CONTAINERFILE)
    assert (done.returncode, done.stdout) == (0, "")


def test_hadolint_refuses_a_bad_containerfile(tools, tmp_path):
    bad = tmp_path / "Containerfile"
    bad.write_text(CONTAINERFILE.read_text(encoding="utf-8") + "RUN sudo cd /tmp\n", encoding="utf-8")
    assert run(tools / "bin" / "hadolint", bad).returncode == 1


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shell_scripts_pass_shellcheck_and_can_be_started(tools, script):
    done = run(tools / "bin" / "shellcheck", script)
    assert (done.returncode, done.stdout) == (0, "")
    assert os.access(script, os.X_OK)


@pytest.mark.parametrize("change, is_valid", [(("", ""), True), (("cap_drop", "cap_dorp"), False)])
def test_compose_file_fits_the_compose_specification(tools, change, is_valid):
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8").replace(*change)
    script = "import sys\nfrom compose_spec import PyCompose\nPyCompose.from_yaml(sys.argv[1]).validate()\n"
    done = run(paths.PYTHON, "-c", script, text, env={**os.environ, "PYTHONPATH": str(tools)})
    assert (done.returncode == 0) is is_valid, done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_unit_is_verified(unit, tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze")
    for path in UNITS:
        # Why: verified are the programs, too, and those of the manual are not on this machine.
        text = re.sub(r"^(ExecStart=)\S+", rf"\1{shutil.which('true')}", path.read_text(encoding="utf-8"), flags=re.M)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    done = run("systemd-analyze", "verify", tmp_path / unit.name)
    assert unit.name not in done.stderr and done.returncode == 0, done.stderr


@pytest.mark.parametrize("unit", [path for path in UNITS if path.suffix == ".service"], ids=lambda path: path.name)
def test_systemd_service_is_hardened(unit):
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze")
    done = run("systemd-analyze", "security", "--offline=true", unit)
    if "Unknown option" in done.stderr or "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze can't examine a file")
    exposure = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert float(exposure[1]) <= MOST_EXPOSURE


# -------------------------------------------------------------------------
# WHAT BELONGS TOGETHER
# -------------------------------------------------------------------------


def test_files_that_compose_mounts_are_in_the_clone_except_the_secrets():
    services = compose()
    mounted = [volume for service in services["services"].values() for volume in service.get("volumes", ())]
    sources = {volume.split(":")[0] for volume in mounted if volume.startswith("./")}
    assert sources and all((DEPLOY / source).is_file() for source in sources)
    secrets = {secret["file"] for secret in services["secrets"].values()}
    assert secrets and all(path.startswith("./secrets/") for path in secrets)
    assert run("git", "check-ignore", *(DEPLOY / path for path in secrets)).returncode == 0, "none gets into a commit"


def test_what_the_containerfile_copies_is_in_the_clone_and_let_through(tools):
    let_through = {
        line[1:] for line in (paths.ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[0] == "!"
    }
    copied = [text.split()[0] for name, text in instructions(tools) if name == "COPY" and not text.startswith("--")]
    for source in copied:
        assert (paths.ROOT / source).exists()
        assert source in let_through


def test_image_has_the_addons_of_a_proxy_and_their_python_packages(tools):
    built = " ".join(text for name, text in instructions(tools) if name == "RUN")
    for addon in ("bank_sync_common", "bank_sync_proxy", "bank_sync_proxy_server"):
        assert f"./{addon}" in built
    assert "requirements/odoo.txt" in built


def test_image_and_compose_file_ask_the_same_whether_odoo_answers(tools):
    (image,) = (json.loads(text.partition("CMD ")[2]) for name, text in instructions(tools) if name == "HEALTHCHECK")
    assert compose()["services"]["odoo"]["healthcheck"]["test"] == ["CMD", *image]


def test_outer_timeouts_are_longer_than_inner_ones():
    """Otherwise an answer is thrown away that a bank has given, and asked for again."""
    odoo = int(option("limit_time_real"))
    stop = compose()["services"]["odoo"]["stop_grace_period"]
    unit = (DEPLOY / "systemd" / "bank-sync-proxy.service").read_text(encoding="utf-8")
    nginx = (DEPLOY / "nginx" / "bank_sync.conf").read_text(encoding="utf-8")
    assert int(option("limit_time_cpu")) < odoo
    assert odoo < int(re.search(r"^ *proxy_read_timeout (\d+)s;", nginx, re.MULTILINE)[1])
    assert odoo < int(stop.removesuffix("s"))
    assert odoo < int(re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[1])


def test_odoo_knows_every_option_of_the_sample_but_our_own():
    script = f"from odoo.tools import config\nconfig.parse_config(['-c', {str(DEPLOY / 'odoo.conf')!r}])\n"
    done = run(paths.PYTHON, "-c", script + "print(config['workers'])", env=odoo_command.environment())
    unknown = set(re.findall(r"unknown option '(\w+)'", done.stderr))
    assert done.stdout.strip() == option("workers"), done.stderr[-2000:]
    assert unknown == {"bank_sync_key"}


def test_sample_configuration_lets_no_password_manage_databases():
    script = f"from odoo.tools import config\nconfig.parse_config(['-c', {str(DEPLOY / 'odoo.conf')!r}])\n"
    script += "print([config.verify_admin_password(word) for word in ('admin', 'False', '')])"
    done = run(paths.PYTHON, "-c", script, env=odoo_command.environment())
    assert done.stdout.strip() == "[False, False, False]", done.stderr[-2000:]


def test_odoo_command_in_the_image_has_the_password_without_the_entry_point():
    """``docker compose exec`` starts a command beside what the entry point has started."""
    command = (DEPLOY / "odoo_in_image").read_text(encoding="utf-8").splitlines()[-1]
    assert command == 'exec /usr/local/bin/entrypoint python3 /opt/bank_sync/odoo/usr/bin/odoo "$@"'


def test_a_container_that_starts_again_is_found_by_nginx():
    """Docker gives a container that starts again another address, or another network where two share one."""
    services, networks = compose()["services"], compose()["networks"]
    assert not [name for name, service in services.items() if "network_mode" in service]
    ((network, address),) = [
        (name, network["ipv4_address"])
        for name, network in services["odoo"]["networks"].items()
        if "ipv4_address" in network
    ]
    assert network in services["nginx"]["networks"] and networks[network]["internal"]
    (subnet,) = [row["subnet"] for row in networks[network]["ipam"]["config"]]
    assert ipaddress.ip_address(address) in ipaddress.ip_network(subnet)
    assert f"s,127.0.0.1:8069,{address}:8069," in block("With containers")


def test_only_nginx_publishes_a_port_and_the_database_has_no_way_out():
    services, networks = compose()["services"], compose()["networks"]
    assert {name: service["ports"] for name, service in services.items() if "ports" in service} == {
        "nginx": ["443:443"]
    }
    assert all(networks[name]["internal"] for name in services["database"]["networks"])


@pytest.mark.parametrize("password", ["s3cret with a space", None])
def test_entry_point_reads_the_password_and_becomes_the_command(tmp_path, password):
    file = tmp_path / "password"
    if password:
        file.write_text(f"{password}\n", encoding="utf-8")
    variables = {"PATH": os.environ["PATH"], "PGPASSWORD_FILE": str(file)}
    done = run(DEPLOY / "entrypoint", "sh", "-c", 'printf "%s" "${PGPASSWORD-none}"', env=variables)
    assert (done.returncode, done.stdout) == (0, password or "none")


# -------------------------------------------------------------------------
# BUILDING
# -------------------------------------------------------------------------


def may_build():
    """Whether this machine lets us make file systems that exist for one process only."""
    return sys.platform == "linux" and os.geteuid() == 0 and run("unshare", "--mount", "--net", "true").returncode == 0


def run_in_stages(rows, check, folder, *mounts):
    """
    :param rows: list of [instruction, text]
    :return: what the commands printed
    """
    if not may_build() or not shutil.which("apt-get"):
        pytest.skip("commands that change a system can be run by root on Debian only")
    (folder / "instructions.json").write_text(json.dumps(rows), encoding="utf-8")
    (folder / "stages").mkdir()
    arguments = (folder / "instructions.json", paths.ROOT, folder / "stages", check, *mounts)
    done = run("unshare", "--mount", sys.executable, paths.ROOT / "tests" / "image.py", *arguments)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def health_check(rows):
    (health,) = (json.loads(text.partition("CMD ")[2]) for name, text in rows if name == "HEALTHCHECK")
    return shlex.join(health)


@pytest.mark.thorough
def test_commands_of_the_containerfile_make_a_service_that_answers(tools, tmp_path_factory):
    """Each command is run, as root and with the network, in a view of this machine that vanishes with the process."""
    # Why not sql.is_external(): the scripts let the variables name the project's own server, too.
    if os.environ.get("PGHOST") != str(postgres.socket_folder()):
        pytest.skip("the image is led to the clone's own PostgreSQL")
    rows, folder, name = instructions(tools), tmp_path_factory.mktemp("image"), f"bank_sync_image_{os.getpid()}"
    mounts = mounted(folder / "mounts")
    relay(folder / "mounts" / "postgresql")
    sql.query(f"CREATE DATABASE {sql.name(name)} TEMPLATE template0")
    try:
        check = CHECK.format(host=SOCKETS, name=name, health=health_check(rows))
        printed = run_in_stages(rows, check, folder, *mounts)
    finally:
        database.drop(name)
    ran = [line for line in printed.splitlines() if line.startswith("RUN ")]
    assert len(ran) == sum(name == "RUN" for name, _text in rows) + 1
    assert "ok       proxy's secrets" in printed and re.search(r"\d+ checks, 0 problems", printed)
    assert EVENTED_PROCESS_FAILS not in printed


def block(heading):
    """:return: the first block of commands below a heading of the manual"""
    text = (paths.ROOT / "docs" / "proxy_operation.md").read_text(encoding="utf-8")
    return text.split(f"\n### {heading}\n")[1].split("\n```\n")[1]


@pytest.mark.thorough
def test_commands_of_the_manual_install_back_up_restore_and_copy_a_service(tools, tmp_path_factory):
    """As they are in docs/proxy_operation.md, on a server that vanishes with the process. Only systemd is not there."""
    program, rest = block("With systemd").split("\n# 2. ")
    moment = re.compile(r"/var/backups/bank_sync/20\S+Z$", re.MULTILINE)
    restore, staging = (moment.sub('"$backup"', block(name)) for name in ("Restore", "A copy for staging"))
    assert 'cd "$backup"' in restore and 'cd "$backup"' in staging
    source = "/opt/bank_sync/source"
    needed = (
        *("requirements", "scripts/environment", "deploy"),
        *("bank_sync_common", "bank_sync_proxy", "bank_sync_proxy_server"),
    )
    rows = [["FROM", "this machine"], *(["COPY", f"{name} {source}/{name}"] for name in needed)]
    rows += [["WORKDIR", source], ["RUN", f"true\n{BEFORE}{program}"]]
    check = MANUAL.format(
        install=f"# {rest}", restore=restore, staging=staging, health=health_check(instructions(tools))
    )
    printed = run_in_stages(rows, f"true\n{check}", tmp_path_factory.mktemp("manual"))
    assert "systemctl enable --now bank-sync-proxy.service bank-sync-backup.timer" in printed
    assert "ok       proxy's secrets: Bank Provider Setting" in printed, "after the restore"
    assert "PROBLEM  proxy's" not in printed
    assert re.search(r"scheduled \n-+\n +1\n", printed), "of the copy only Odoo's own cleaning is active"
    assert EVENTED_PROCESS_FAILS not in printed


def mounted(folder):
    """:return: what compose.yaml mounts into the image, where its user can read it: odoo.conf, and a master key"""
    for place, name, text in (
        ("odoo", "odoo.conf", (DEPLOY / "odoo.conf").read_text(encoding="utf-8")),
        ("secrets", "bank_sync_key", "a master key of the tests, long enough to be one"),
    ):
        (folder / place).mkdir(parents=True)
        (folder / place / name).write_text(text, encoding="utf-8")
    (folder / "postgresql").mkdir()
    places = {"odoo": "/etc/odoo", "secrets": "/run/secrets", "postgresql": SOCKETS}
    return [f"{folder / name}:{target}" for name, target in places.items()]


def relay(folder):
    """PostgreSQL's socket, for a user who may not open the real one."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(folder / SOCKET))
    (folder / SOCKET).chmod(0o666)
    server.listen()
    threading.Thread(target=accept, args=(server,), daemon=True).start()


def accept(server):
    while True:
        caller, _address = server.accept()
        real = socket.socket(socket.AF_UNIX)
        real.connect(os.path.join(sql.environment()["PGHOST"], SOCKET))
        for ends in ((caller, real), (real, caller)):
            threading.Thread(target=pump, args=ends, daemon=True).start()


def pump(source, target):
    """Until one of both ends."""
    with suppress(OSError):
        while block := source.recv(65536):
            target.sendall(block)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


# -------------------------------------------------------------------------
# BILL OF MATERIALS
# -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bill():
    try:
        extra_packages.ensure("sbom")
    except Trouble as trouble:
        pytest.skip(f"cyclonedx-bom cannot be installed: {trouble}")
    return sbom.make()


def test_bill_of_materials_names_odoo_our_addons_and_every_requirement(bill):
    named = {sbom.normal(component["name"]): component["version"] for component in bill["components"]}
    lines = (paths.REQUIREMENTS / "odoo.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if re.fullmatch(r"\S+==\S+", line))
    assert len(pinned) > 50
    assert {sbom.normal(name): version for name, version in pinned.items()}.items() <= named.items()
    assert {"odoo", *map(sbom.normal, paths.ADDONS)} <= set(named)
    assert not {"pytest", "ruff"} & set(named), "development's packages are not in production"


def test_bill_of_materials_names_a_licence_for_each_component(bill):
    assert [component["name"] for component in bill["components"] if not component.get("licenses")] == []


def test_bill_of_materials_names_for_us_the_licence_of_the_manifests():
    manifests = [(paths.ROOT / addon / "__manifest__.py").read_text(encoding="utf-8") for addon in paths.ADDONS]
    assert all('"license": "LGPL-3"' in text for text in manifests)
