"""Whole tests: they start real Odoo processes on separate databases. Run them with scripts/test."""

import itertools
import json
import os
import runpy
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from environment import database, odoo_command, paths, ports, process, sql
from environment import thorough as thoroughly
from environment.thorough import pytest_collection_modifyitems, pytest_configure  # noqa: F401 (pytest finds them here)

from .odoo_shell import OdooShell
from .sms_gateway import SmsGateway

#: What a proxy for databases on other servers consists of.
PROXY_SERVER = ("bank_sync_proxy", "bank_sync_proxy_server")
numbers = itertools.count(1)
ROOT = Path(__file__).parents[1]
demo = runpy.run_path(str(ROOT / "scripts" / "demo.py"))


@dataclass
class Installation:
    """A separate database with our addons, and Odoo's command line and server for it."""

    name: str
    url: str = ""
    server: subprocess.Popen | None = None
    #: Another name of this machine is another place for the browser's cookies.
    host: str = ports.HOST
    port: int | None = None
    #: The installation that this one asks, where the bank is; None for itself.
    proxy: "Installation | None" = None
    #: Takes the text messages that it sends.
    sms_gateway: object = None
    #: Log as much as Odoo can, in the server's log and in ir.logging.
    logs_all: bool = False
    #: Folders with addons besides our own.
    addons_path: tuple = ()
    #: Lines of odoo.conf, besides those of the environment.
    settings: tuple = ()
    #: Which of several machines this is that share the database; empty where there is one.
    machine: str = ""
    #: Path of another odoo.conf, such as that of another machine; None for the clone's.
    configuration: Path | None = None
    odoo_shell: OdooShell = field(default_factory=OdooShell, repr=False)

    def odoo(self, *arguments, stdin=None):
        """Run an Odoo command to its end.

        :return: what it printed
        """
        # Why: what it changes, such as the addons, an open shell would not know.
        self.odoo_shell.close()
        done = subprocess.run(
            odoo_command.line(*arguments),
            env=odoo_command.environment(),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    def install(self, *modules):
        """Install addons, from our own folder, Odoo's, and ``addons_path``."""
        self.odoo("-d", self.name, "-i", ",".join(modules), "--no-http", "--stop-after-init", *self._options)
        names = ", ".join(f"'{module}'" for module in modules)
        # Why ask: Odoo ends with success when it skips a module that it cannot install.
        where = f"state = 'installed' AND name IN ({names})"
        assert self.sql(f"SELECT count(*) FROM ir_module_module WHERE {where}") == [[str(len(modules))]]

    def shell(self, script):
        """Run Python in Odoo's shell, with ``env``, in a separate transaction that is committed.

        :return: the JSON value of the variable ``result``, None where the script sets none
        """
        return self.odoo_shell.run(self.name, self._shell, script)

    def shells(self, scripts, folder):
        """Run scripts in Odoo's shell, each in a separate process, all at the same time.

        :param folder: for what they print
        :return: for each the JSON value of its variable ``result``, and all that it printed, errors included
        """
        children = []
        try:
            for number, script in enumerate(scripts):
                source, printed = folder / f"{number}.py", folder / f"{number}.log"
                source.write_text(self._to_the_end(script), encoding="utf-8")
                with source.open() as stdin, printed.open("w") as stdout:
                    command, variables = odoo_command.line(*self._shell), odoo_command.environment()
                    child = process.start(command, env=variables, stdin=stdin, stdout=stdout, stderr=stdout)
                children.append((child, printed))
            codes = [child.wait() for child, _printed in children]
        finally:
            for child, _printed in children:
                process.stop(child)
        printed = [path.read_text(encoding="utf-8") for _child, path in children]
        assert not any(codes), "\n".join(text[-4000:] for text in printed)
        return [(self._result_in(text), text) for text in printed]

    @property
    def _shell(self):
        return ["shell", "-d", self.name, "--no-http", "--log-level=warn", *self._options]

    @property
    def _own_configuration(self):
        if not self.settings:
            return []
        own = {line.partition("=")[0].strip() for line in self.settings}
        usual = paths.ODOO_CONF.read_text(encoding="utf-8").splitlines()
        kept = [line for line in usual if line.partition("=")[0].strip() not in own]
        file = paths.HERE / f"{self._log_name}.conf"
        file.write_text("\n".join([*kept, *self.settings, ""]))
        return ["-c", file]

    @property
    def _options(self):
        addons = ["--addons-path", ",".join(map(str, (ROOT, *self.addons_path)))] if self.addons_path else []
        return addons + (["-c", self.configuration] if self.configuration else self._own_configuration)

    @staticmethod
    def _to_the_end(script):
        return f"result = None\n{script}\nenv.cr.commit()\nimport json\nprint('RESULT', json.dumps(result))\n"

    @staticmethod
    def _result_in(printed):
        answers = [line for line in printed.splitlines() if line.startswith("RESULT ")]
        assert answers, f"The script did not come to its end:\n{printed[-4000:]}"
        return json.loads(answers[-1].removeprefix("RESULT "))

    def sql(self, statement):
        """:return: rows of texts; what it changes is committed"""
        return sql.query(statement, database=self.name)

    def without_our_reconciliation(self):
        """Uninstall account_online_reconcile, which the template has, to see what Odoo or another addon offers."""
        modules = "env['ir.module.module'].search([('name', '=', 'account_online_reconcile')])"
        self.shell(f"{modules}.button_immediate_uninstall()")

    def prepare_company(self):
        path = ROOT / "scripts" / "demo.py"
        self.shell(f"import runpy\nrunpy.run_path({str(path)!r})['prepare_company'](env)")

    def start(self, cron_threads=0, workers=0):
        """Start Odoo's HTTP server, again at the same address.

        :param int cron_threads: how many of its threads execute scheduled actions
        :param int workers: how many processes answer; 0 for one with threads
        """
        self.odoo_shell.close()
        port = self.port = self.port or ports.any_free()
        log = self._log_name
        options = ["--db-filter", f"^{self.name}$", "--http-port", port, f"--max-cron-threads={cron_threads}"]
        if self.logs_all:
            options += ["--log-level=debug", "--log-db", self.name, "--log-db-level=debug"]
        options += self._options
        if workers:
            options += [f"--workers={workers}", "--gevent-port", ports.any_free()]
        self.server = odoo_command.serve(["-d", self.name, *options], log)
        ports.wait_until_served(port, self.server, process.log_path(log))
        self.url = f"http://{self.host}:{port}"

    def freeze(self):
        """Stop the server's clockwork, so that what is seen of it stays as it is."""
        os.killpg(self.server.pid, signal.SIGSTOP)

    def thaw(self):
        os.killpg(self.server.pid, signal.SIGCONT)

    def kill(self):
        """End the server as a power failure does."""
        os.killpg(self.server.pid, signal.SIGKILL)
        self.server.wait()

    def stop(self):
        self.odoo_shell.close()
        if self.server:
            process.stop(self.server)

    def log(self):
        """:return: all that its server has logged, in this process's runs"""
        return process.log_path(self._log_name).read_text(encoding="utf-8")

    @property
    def _log_name(self):
        return "-".join(filter(None, ("server", self.name, self.machine)))

    def dump(self):
        """:return: what pg_dump writes: all that is in the database"""
        command = [sql.program("pg_dump"), "--no-owner", self.name]
        done = subprocess.run(command, env=odoo_command.environment(), capture_output=True, text=True, check=True)
        return done.stdout

    def visitor(self):
        """A user without a browser, as in scripts/demo.py."""
        return demo["Visitor"](self.url)

    def run_scheduled_action(self):
        """Let it find all links due, whenever they were synchronized."""
        self.shell(
            "env['account.online.link'].search([]).next_refresh = False\n"
            "env.cr.commit()  # the action runs in a transaction of its own\n"
            "env.ref('account_online_synchronization.ir_cron_synchronize').method_direct_trigger()"
        )

    def fetch_planned(self):
        """What users wait for: the first load, and long gaps."""
        self.shell("env['account.online.link']._cron_fetch_planned()")

    def set_parameters(self, **parameters):
        """:param parameters: system parameters, with two underscores for a dot"""
        values = {name.replace("__", "."): value for name, value in parameters.items()}
        self.shell(f"for item in {values!r}.items():\n    env['ir.config_parameter'].set_param(*item)")

    def ask(self, proxy):
        """Let another installation be the connection service, as an administrator chooses it in the settings."""
        self.proxy = proxy
        self.set_parameters(web__base__url=self.url)
        self.visitor().save_settings(online_sync_service="elsewhere", online_sync_url=proxy.url)

    def move_demo_clock(self, hours):
        (self.proxy or self).shell(
            "setting = env['bank.sync.provider'].search([('code', '=', 'sandbox')]).setting_ids"
            f".filtered(lambda s: s.name == 'clock_offset_hours')\nsetting.value = '{hours}'"
        )


@contextmanager
def a_copy_of_the_template(*addons):
    """:param addons: which of our addons are installed; none for all"""
    with a_copy_of(the_template(addons)) as copy:
        yield copy


@contextmanager
def a_company_with_books(*addons):
    """A copy of the template in which :meth:`Installation.prepare_company` has been run once for all.

    :param addons: which of our addons are installed; none for all
    """
    template = the_template(addons)
    database.ensure_prepared(f"{template}_company", template, ROOT / "scripts" / "demo.py", "prepare_company")
    with a_copy_of(f"{template}_company") as copy:
        yield copy


def the_template(addons):
    """:return: name of a database with these addons (default: all), only to be copied"""
    if "BANK_SYNC_TEMPLATE" not in os.environ:
        pytest.fail("These tests need the environment that scripts/test prepares: run them through it.")
    template = os.environ["BANK_SYNC_TEMPLATE"]
    if addons:
        # Why the number: PostgreSQL cuts longer names.
        template = f"{template}_{len(addons)}_{addons[-1]}"
        database.ensure_template(template, addons)
    return template


@contextmanager
def a_copy_of(original):
    name = f"bank_sync_test_{os.getpid()}_{next(numbers)}"
    database.copy(original, name)
    copy = Installation(name)
    try:
        yield copy
    finally:
        copy.stop()
        database.drop(name)


@pytest.fixture
def installation():
    """A fresh copy of the template, nothing started."""
    with a_copy_of_the_template() as copy:
        yield copy


@pytest.fixture(scope="module")
def company():
    """A company with books, nothing started; the tests of a module share it."""
    with a_company_with_books() as copy:
        yield copy


@pytest.fixture(scope="module")
def ordinary_company():
    """A company with books whose proxy serves only itself, no server started; the tests of a module share it."""
    with a_company_with_books(*paths.EMBEDDED) as copy:
        yield copy


@contextmanager
def a_company_behind_a_proxy(cron_threads=0, logs_all=False, proxy_settings=()):
    """Two servers with a database each: a proxy that sends text messages, and a company with books that asks it.

    :param proxy_settings: lines of the proxy's odoo.conf
    """
    with (
        SmsGateway() as gateway,
        a_copy_of_the_template(*PROXY_SERVER) as proxy,
        a_company_with_books("account_online_synchronization") as company,
    ):
        proxy.host, proxy.sms_gateway = "localhost", gateway
        proxy.logs_all = company.logs_all = logs_all
        proxy.settings = tuple(proxy_settings)
        proxy.start()
        proxy.set_parameters(
            sms__endpoint=gateway.url, web__base__url=proxy.url, bank_sync_proxy__allow_private_addresses="1"
        )
        company.start(cron_threads)
        company.ask(proxy)
        yield company


@pytest.fixture(scope="module")
def remote():
    """A company whose connection service is another server and does not know it yet; a module shares it."""
    with a_company_behind_a_proxy() as company:
        yield company


@pytest.fixture(scope="module")
def served(company):
    """A company with books and our addons in its database, served over HTTP; the tests of a module share it."""
    company.start()
    return company


def let_codes_grow_old(company):
    """As if time had passed: few codes are sent to a number, and none straight after another."""
    company.proxy.sql("UPDATE bank_sync_phone_code SET create_date = create_date - interval '2 days'")


def confirm_phone(company, action=None, number="+32470123456"):
    """Enter a phone number, and the code of the text message.

    :param action: that shows the wizard; None to begin with *Connect a Bank*
    :return: action that the wizard leads on to
    """
    visitor = company.visitor()
    let_codes_grow_old(company)
    wizard = (action or visitor.call("account.online.directory", "action_open_bank", False))["res_id"]
    visitor.call("account.online.phone", "write", [wizard], {"phone": number})
    visitor.call("account.online.phone", "action_send", [wizard])
    code = company.proxy.sms_gateway.code_for(number)
    visitor.call("account.online.phone", "write", [wizard], {"code": code})
    return visitor.call("account.online.phone", "action_confirm", [wizard])


@pytest.fixture(scope="session")
def thorough():
    """Whether there is time for many rounds: scripts/test --thorough."""
    return thoroughly.IS_ON
