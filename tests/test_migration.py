"""The addon is installed, updated, uninstalled and installed again over what earlier modules have left, for real.

Each rule of the migration is tested in test_legacy.py; here Odoo itself uses the tables.
"""

import os
import runpy
import signal
import subprocess
import tarfile
import time
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path

import psycopg2
import pytest

from environment import database, odoo_command, process

from .conftest import Installation, a_company_with_books
from .legacy_worlds import GENERATIONS, World, assert_taken_over

ROOT = Path(__file__).parents[1]
BOOKS = str(ROOT / "tests" / "legacy_books.py")
ADDON = "account_online_synchronization"
#: The last commit of version 19.0.1.0.0. A release's tag takes its place where there is one.
FIRST_VERSION = ("19.0.1.0.0", "a892d749dd3b2dc0b688791e5bbc237584fff6a0")
AUDIT, VERIFY = (runpy.run_path(str(ROOT / "migration" / f"{name}.py")) for name in ("audit", "verify"))
PATIENCE = 600
#: What Odoo says when it makes our tables, and when it takes over what it found.
MOMENTS = ("creating or updating database tables", "account_online_migration.xml")


@pytest.fixture(scope="module")
def plain():
    """Two companies with books, without our addons: an earlier module is installed there before ours."""
    with a_company_with_books() as copy:
        copy.shell(f"import runpy\nrunpy.run_path({BOOKS!r})['prepare'](env)")
        copy.odoo("module", "uninstall", ADDON, "bank_sync_proxy", "-d", copy.name)
        yield copy


@pytest.fixture
def before(plain):
    """A copy of it."""
    copy = Installation(f"{plain.name}_{time.monotonic_ns() % 10**9}")
    database.copy(plain.name, copy.name)
    yield copy
    database.drop(copy.name)


@contextmanager
def world_in(installation, name, build=False):
    with closing(psycopg2.connect(dbname=installation.name)) as connection, connection, connection.cursor() as cr:
        world = World(cr, name)
        if build:
            world.build()
        else:
            world.cr.execute("SELECT id, company_id FROM account_journal WHERE code LIKE 'FEED%' ORDER BY code")
            world.journals = cr.fetchall()
        yield world


class Move:
    """A database on its way, and what may not change on it."""

    def __init__(self, installation, name):
        self.installation, self.name = installation, name
        with world_in(installation, name, build=True) as world:
            self.seen = world.books(), world.legacy_counts()
        with AUDIT["connected"](installation.name) as cr:
            self.audit = AUDIT["audit"](cr)

    def install(self):
        self.installation.install(ADDON)
        self.check()
        links = int(self.installation.sql("SELECT count(*) FROM account_online_link")[0][0])
        assert len(self.messages()) == links > 4

    def check(self):
        with world_in(self.installation, self.name) as world:
            assert_taken_over(world, *self.seen)
        assert self.wrong() == []

    def wrong(self):
        """:return: what ``migration/verify.py`` finds wrong, compared with the audit of before"""
        with AUDIT["connected"](self.installation.name) as cr:
            answer = VERIFY["verify"](cr, self.audit)
        assert len(answer["checks"]) > 15
        return [check for check in answer["checks"] if not check["is_right"]]

    def assert_untouched(self):
        with world_in(self.installation, self.name) as world:
            assert (world.books(), world.legacy_counts()) == self.seen

    def messages(self):
        """:return: bodies of what the links' chatter says of it"""
        return [
            row[0]
            for row in self.installation.sql(
                "SELECT body FROM mail_message WHERE model = 'account.online.link' AND body LIKE '%earlier module%'"
            )
        ]


def chosen(names):
    return [pytest.param(name, marks=[] if name in names else pytest.mark.thorough) for name in GENERATIONS]


@pytest.mark.parametrize("name", chosen(("Enterprise 17",)))
def test_installing_takes_over_what_an_earlier_module_left(before, name):
    Move(before, name).install()
    assert_forms_open(before)


@pytest.mark.parametrize("name", chosen(("early 14",)))
def test_update_uninstalling_and_installing_again_lose_nothing(before, name):
    move = Move(before, name)
    move.install()
    before.odoo("-d", before.name, "-u", ADDON, "--no-http", "--stop-after-init")
    move.check()
    before.odoo("module", "uninstall", ADDON, "-d", before.name)
    move.assert_untouched()
    move.install()


#: What Odoo knows of account_online_sync in a database whose addons path no longer has it.
REGISTERED = """
    INSERT INTO ir_module_module (name, state, latest_version, author, shortdesc)
         VALUES ('account_online_sync', 'installed', '13.0.1.0', 'x', '{"en_US": "Old"}');
    INSERT INTO ir_model (model, name, state, "order")
         VALUES ('account.online.provider', '{"en_US": "Provider"}', 'base', 'id'),
                ('account.online.journal', '{"en_US": "Journal"}', 'base', 'id');
    INSERT INTO ir_model_fields (model, model_id, name, field_description, ttype, state, store)
         SELECT 'account.journal', id, 'account_online_journal_id', '{"en_US": "Old"}', 'integer', 'base', TRUE
           FROM ir_model WHERE model = 'account.journal';
    INSERT INTO ir_model_fields (model, model_id, name, field_description, ttype, state, store)
         SELECT model, id, 'online_transaction_identifier', '{"en_US": "Id"}', 'char', 'base', TRUE
           FROM ir_model WHERE model = 'account.bank.statement.line';
    INSERT INTO ir_model_data (module, name, model, res_id)
         SELECT 'account_online_sync', 'model_' || replace(model, '.', '_'), 'ir.model', id FROM ir_model
          WHERE model IN ('account.online.provider', 'account.online.journal');
    INSERT INTO ir_model_data (module, name, model, res_id)
         SELECT 'account_online_sync', 'field_' || replace(model, '.', '_') || '__' || name, 'ir.model.fields', id
           FROM ir_model_fields WHERE name IN ('account_online_journal_id', 'online_transaction_identifier')
"""


def test_the_earlier_module_may_be_uninstalled_afterwards(before):
    """It need not and should not be, but the books must not depend on that."""
    move = Move(before, "early 14")
    before.sql(REGISTERED)
    move.install()
    before.odoo("module", "uninstall", "account_online_sync", "-d", before.name)
    assert before.sql("SELECT state FROM ir_module_module WHERE name = 'account_online_sync'") == [["uninstalled"]]
    move.check()
    assert_forms_open(before)


def test_an_update_takes_over_a_module_of_our_name_that_odoo_believes_installed(before):
    move = Move(before, "Enterprise 17")
    before.sql(f"UPDATE ir_module_module SET state = 'installed', latest_version = '19.0.9.9.9' WHERE name = '{ADDON}'")
    before.odoo("-d", before.name, "-u", ADDON, "--no-http", "--stop-after-init")
    move.check()


def test_after_a_crash_in_the_middle_the_next_installation_succeeds(before):
    move = Move(before, "13")
    for moment in MOMENTS:
        die_at(before, moment)
        move.assert_untouched()
    move.install()


def die_at(installation, moment):
    """Kill an installation as a power failure does, when it says that it has come to a moment."""
    command = odoo_command.line(
        "-d", installation.name, "-i", ADDON, "--no-http", "--stop-after-init", "--log-level=info"
    )
    child = process.start(
        command, env=odoo_command.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        deadline, is_ours = time.monotonic() + PATIENCE, False
        for line in child.stderr:
            is_ours = is_ours or f"Loading module {ADDON}" in line
            if is_ours and moment in line:
                os.killpg(child.pid, signal.SIGKILL)
                break
            assert time.monotonic() < deadline
        else:
            pytest.fail(f"The installation came to its end without saying “{moment}”.")
    finally:
        process.stop(child)
        child.stderr.close()


def test_a_database_of_the_first_version_is_updated(before, tmp_path):
    """Tables of account_online_sync included, which that version did not look at."""
    with tarfile.open(fileobj=BytesIO(first_version())) as archive:
        archive.extractall(tmp_path, filter="data")
    move = Move(before, "13")
    before.odoo("-d", before.name, "-i", ADDON, "--addons-path", tmp_path, "--no-http", "--stop-after-init")
    assert before.sql(f"SELECT latest_version FROM ir_module_module WHERE name = '{ADDON}'") == [["19.0.1.0.0"]]
    before.odoo("-d", before.name, "-u", ADDON, "--no-http", "--stop-after-init")
    move.check()


def first_version():
    for revision in FIRST_VERSION:
        done = subprocess.run(
            ["git", "-C", ROOT, "archive", "--format=tar", revision, ADDON, "bank_sync_proxy"],
            capture_output=True,
            check=False,
        )
        if not done.returncode:
            return done.stdout
    pytest.fail(f"This clone does not hold the first version, {FIRST_VERSION[1]}: fetch its whole history.")


def assert_forms_open(installation):
    """Odoo reads what was written past it, with every field of the forms."""
    assert (
        installation.shell(
            """
links = env["account.online.link"].search([])
links.read()
links.get_view(view_type="form")
env["account.online.account"].search([]).read()
env["account.online.migration"].search([]).read()
journals = env["account.journal"].search([("code", "like", "FEED")])
result = [card["linked"] for card in journals._get_online_sync_dashboard_data().values()]
"""
        )
        == [False] * 4
    )
