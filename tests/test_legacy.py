"""What ``legacy/`` does to the tables of earlier modules, rule by rule, in one database that nothing is kept in."""

import os
import runpy
import sys
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .legacy_worlds import GENERATIONS, SECRET, World, assert_taken_over

ROOT = Path(__file__).parents[1]
# Why so: the addon's own package imports Odoo.
sys.path.insert(0, str(ROOT / "account_online_synchronization"))
import legacy  # noqa: E402

AUDIT, VERIFY = (runpy.run_path(str(ROOT / "migration" / f"{name}.py")) for name in ("audit", "verify"))
BOOKS = str(ROOT / "tests" / "legacy_books.py")
EXAMPLES = 500 if os.environ.get("BANK_SYNC_THOROUGH") else 25
DEFAULTS = """
model = env["account.online.migration"]
names = ("account.online.link", "account.online.account")
result = {env[name]._table: model._required_defaults(env[name]) for name in names}
"""


@pytest.fixture(scope="module")
def books(company):
    """A database with our addon, books and their defaults for new rows."""
    company.shell(f"import runpy\nrunpy.run_path({BOOKS!r})['prepare'](env)")
    return company, company.shell(DEFAULTS)


@pytest.fixture(scope="module")
def connection(books):
    one = psycopg2.connect(dbname=books[0].name)
    yield one
    one.close()


@contextmanager
def undone(connection):
    try:
        with connection.cursor() as cr:
            yield cr
    finally:
        connection.rollback()


@pytest.fixture
def cr(connection):
    with undone(connection) as cursor:
        yield cursor


@pytest.fixture
def migrate(cr, books):
    return lambda: legacy.migrate(cr, books[1])


def built(cr, name, **options):
    return World(cr, name, aside=True, **options).build()


def problems(report):
    return [(problem.table, problem.row_id, problem.text) for problem in report.problems]


@pytest.mark.parametrize("name", GENERATIONS)
def test_each_generation_is_taken_over(cr, migrate, name):
    world = built(cr, name)
    before = world.books(), world.legacy_counts()
    migrate()
    assert_taken_over(world, *before)


@pytest.mark.parametrize("name", GENERATIONS)
def test_a_second_time_finds_nothing_to_do(cr, migrate, name):
    built(cr, name)
    migrate()
    assert not migrate()


def test_what_a_user_has_deleted_does_not_come_back(cr, migrate):
    world = built(cr, "13")
    migrate()
    cr.execute("DELETE FROM account_online_account; DELETE FROM account_online_link")
    migrate()
    assert world.value("SELECT count(*) FROM account_online_link") == 0


def test_a_row_that_appears_later_is_taken_over_then(cr, migrate):
    world = built(cr, "13")
    migrate()
    world._insert("account_online_provider", {"name": "Late Bank", "company_id": 1})
    assert len(migrate().links) == 1


def test_links_have_their_names_companies_and_last_synchronization(cr, migrate):
    world = built(cr, "13")
    migrate()
    main, other = world.journals[0][1], world.journals[3][1]
    assert world.rows(
        "SELECT name, company_id, legacy_provider, legacy_reference, last_refresh::text FROM account_online_link"
        " WHERE legacy_source = 'account_online_provider' ORDER BY legacy_reference"
    ) == [
        ("Bank 0", main, "plaid", "connection-0", "2026-05-19 03:04:05"),
        ("Bank 1", other, "yodlee", "connection-1", "2026-05-19 03:04:05"),
        ("Bank 2", main, "ponto", "connection-2", "2026-05-19 03:04:05"),
        ("Bank 3", main, "plaid", "connection-3", "2026-05-19 03:04:05"),
        ("Yodlee", main, "yodlee", "connection-4", "2026-05-19 03:04:05"),
    ]


def test_a_missing_company_is_the_main_one_with_a_warning(cr, migrate):
    built(cr, "13")
    told = [row for table, row, text in problems(migrate()) if "put into the main company" in text]
    assert told == [3, 4]


def test_unknown_provider_is_kept_as_text(cr, migrate):
    world = built(cr, "third parties")
    migrate()
    rows = world.rows("SELECT DISTINCT legacy_provider FROM account_online_link ORDER BY 1")
    assert [row[0] for row in rows] == ["Khan Bank", "paybook", "unknown", "wise", "xunnel"]


def test_orphans_go_to_one_unknown_link(cr, migrate):
    world = built(cr, "13")
    report = migrate()
    assert world.rows(
        """
        SELECT link.name, account.legacy_source, account.legacy_journal_id
          FROM account_online_account account
          JOIN account_online_link link ON link.id = account.account_online_link_id
         WHERE link.legacy_source = 'unknown' ORDER BY 2
        """
    ) == [
        ("Unknown (legacy)", "account_journal", world.journals[2][0]),
        ("Unknown (legacy)", "account_online_journal", None),
    ]
    assert ("account_online_journal", 5) in [row[:2] for row in problems(report)]


def test_a_masked_number_gives_way_to_that_of_the_journal(cr, migrate):
    world = built(cr, "13")
    migrate()
    rows = world.rows("SELECT account_number FROM account_online_account ORDER BY id")
    assert [row[0] for row in rows[:3]] == ["BE71 0961 2345 6769", "BE68 5390 0754 7034", "00000001"]


def test_an_account_keeps_currency_balance_and_last_day(cr, migrate):
    world = built(cr, "13")
    migrate()
    assert world.rows(
        """
        SELECT currency.name, balance, last_sync::text, company_id FROM account_online_account account
          JOIN res_currency currency ON currency.id = currency_id ORDER BY account.id LIMIT 3
        """
    ) == [
        ("EUR", 12.5, "2026-05-18", world.journals[0][1]),
        ("EUR", 13.5, "2026-05-18", world.journals[0][1]),
        ("USD", 14.5, "2026-05-18", world.journals[3][1]),
    ]


def test_one_id_on_two_lines_stays_on_both(cr, migrate):
    world = built(cr, "13")
    migrate()
    first = world.journals[0][0]
    rows = world.rows(
        "SELECT id, online_transaction_identifier FROM account_bank_statement_line"
        " WHERE journal_id = %s AND online_transaction_identifier LIKE 'legacy:plaid:TWICE%%' ORDER BY id",
        first,
    )
    assert [row[1] for row in rows] == ["legacy:plaid:TWICE", f"legacy:plaid:TWICE ~{rows[1][0]}"]


def test_partner_hints_are_taken_over(cr, migrate):
    world = built(cr, "13")
    migrate()
    assert world.rows(
        "SELECT DISTINCT online_partner_information FROM account_bank_statement_line"
        " WHERE online_account_id IS NOT NULL"
    ) == [("name:café central",)]


def test_enterprise_rows_keep_their_ids_so_that_their_chatter_stays(cr, migrate):
    world = built(cr, "Enterprise 17")
    cr.execute("DELETE FROM account_online_account; DELETE FROM account_online_link")
    migrate()
    rows = world.rows(
        "SELECT id, name FROM account_online_link WHERE legacy_source LIKE 'account_online_link%' ORDER BY 1"
    )
    assert [row[0] for row in rows] == [1, 2, 3, 4, 5]
    assert world.value("SELECT nextval(pg_get_serial_sequence('account_online_link', 'id'))") > 5


def test_scheduled_actions_of_the_earlier_module_are_switched_off_and_ours_are_not(cr, migrate):
    world = built(cr, "13")
    ours = world.value("SELECT count(*) FROM ir_cron WHERE active")
    cr.execute(
        """
        INSERT INTO ir_model_data (module, name, model, res_id)
             SELECT 'account_online_sync', 'cron', 'ir.cron', min(id) FROM ir_cron WHERE active
        """
    )
    assert len(migrate().crons) == 1
    assert world.value("SELECT count(*) FROM ir_cron WHERE active") == ours - 1


# -------------------------------------------------------------------------
# AUDIT AND VERIFICATION
# -------------------------------------------------------------------------


@pytest.mark.parametrize("name", GENERATIONS)
def test_the_verification_finds_nothing_wrong(cr, migrate, name):
    built(cr, name)
    audit = AUDIT["audit"](cr)
    migrate()
    answer = VERIFY["verify"](cr, audit)
    assert [check for check in answer["checks"] if not check["is_right"]] == []
    assert answer["sound"] and len(answer["checks"]) > 15


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("DELETE FROM account_bank_statement_line WHERE id = (SELECT min(id) FROM account_bank_statement_line"
         " WHERE online_account_id IS NOT NULL)", "has all its lines"),
        ("UPDATE account_bank_statement_line SET amount = amount + 1", "has all its lines"),
        ("UPDATE account_bank_statement_line SET online_transaction_identifier = NULL", "ids are known"),
        ("UPDATE account_online_link SET state = 'connected' WHERE legacy_source IS NOT NULL", "is connected"),
        ("DELETE FROM account_online_migration WHERE kind = 'link'", "Each link was taken over"),
        ("DELETE FROM account_online_migration WHERE kind = 'account'", "Each account was taken over"),
        ("DELETE FROM account_online_journal WHERE id = 1", "has all its rows"),
        ("UPDATE account_online_provider SET plaid_item_id = 'back'", "Secrets are blanked"),
        ("UPDATE account_journal SET bank_statements_source = 'online_sync' WHERE code = 'FEED1'", "Connect bank"),
        ("UPDATE account_journal SET bank_statement_creation_groupby = 'month'", "keeps its periodicity"),
    ],
)  # fmt: skip
def test_what_gets_lost_is_found(cr, migrate, damage, found):
    """Or else a verification that finds nothing would say nothing."""
    built(cr, "13")
    audit = AUDIT["audit"](cr)
    migrate()
    cr.execute(damage)
    answer = VERIFY["verify"](cr, audit)
    assert [check["check"] for check in answer["checks"] if found in check["check"] and not check["is_right"]]
    assert not answer["sound"]


# -------------------------------------------------------------------------
# ROOM FOR OUR TABLES
# -------------------------------------------------------------------------

#: Tables of our name as another module may have made them, in a separate schema.
FOREIGN = """
    CREATE SCHEMA foreign_one; SET LOCAL search_path TO foreign_one;
    CREATE TABLE account_online_link (id serial PRIMARY KEY, name varchar NOT NULL, needed varchar NOT NULL UNIQUE);
    CREATE INDEX account_online_link__name_index ON account_online_link (name);
    CREATE TABLE account_online_account (id serial PRIMARY KEY, link int NOT NULL REFERENCES account_online_link (id));
    CREATE TABLE account_bank_statement_line (id serial PRIMARY KEY,
        online_transaction_identifier varchar NOT NULL UNIQUE,
        online_account_id int NOT NULL REFERENCES account_online_account (id));
    INSERT INTO account_online_link (name, needed) VALUES ('A', 'x');
    INSERT INTO account_online_account (link) VALUES (1);
    INSERT INTO account_bank_statement_line (online_transaction_identifier, online_account_id) VALUES ('T', 1);
"""
#: As Odoo would make ours.
OURS = """
    CREATE TABLE account_online_link (id serial PRIMARY KEY, connection_identifier varchar);
    CREATE INDEX account_online_link__name_index ON account_online_link (connection_identifier);
    CREATE TABLE account_online_account (id serial PRIMARY KEY, id_scheme varchar);
    ALTER TABLE account_bank_statement_line ADD online_transaction_identifier varchar, ADD online_account_id int
        REFERENCES account_online_account (id), ADD online_transaction_digest varchar;
    INSERT INTO account_bank_statement_line DEFAULT VALUES;
    DELETE FROM account_bank_statement_line WHERE id = 1;
"""


def test_foreign_tables_make_room_and_keep_their_rows(cr):
    cr.execute(FOREIGN)
    renamed, problems = legacy.set_aside(cr)
    assert (len(renamed), problems) == (4, [])
    cr.execute(OURS)
    cr.execute("SELECT name, needed FROM account_online_link_legacy JOIN account_online_account_legacy ON TRUE")
    assert cr.fetchall() == [("A", "x")]
    assert legacy.set_aside(cr) == ([], [])


def test_columns_that_another_addon_works_with_stay_where_they_are(cr):
    cr.execute(FOREIGN)
    renamed, _problems = legacy.set_aside(cr, {("account_bank_statement_line", "online_account_id")})
    assert "account_bank_statement_line.online_transaction_identifier" in renamed
    assert "account_bank_statement_line.online_account_id" not in renamed


# -------------------------------------------------------------------------
# WHAT IS BROKEN
# -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "table"),
    [
        ("ALTER TABLE account_online_provider DROP COLUMN id", None),
        ("ALTER TABLE account_online_provider ALTER COLUMN company_id TYPE jsonb USING '{}'", None),
        ("ALTER TABLE account_online_provider ALTER COLUMN last_refresh TYPE text USING '2021-02-31 nonsense'", None),
        ("ALTER TABLE account_online_journal ALTER COLUMN balance TYPE varchar USING 'NaN'", None),
        ("UPDATE account_online_journal SET balance = 'NaN'", None),
        ("UPDATE account_online_journal SET last_sync = 'infinity'", None),
        ("UPDATE account_online_provider SET last_refresh = '20210-01-01'", None),
        ("ALTER TABLE account_online_provider DROP CONSTRAINT account_online_provider_pkey;"
         "UPDATE account_online_provider SET id = 1", None),
        ("ALTER TABLE account_online_journal RENAME TO gone;"
         "CREATE VIEW account_online_journal AS SELECT id, (1 / (id - id))::text AS name FROM gone",
         "account_online_journal"),
        ("CREATE RULE no AS ON UPDATE TO account_online_provider DO INSTEAD SELECT 1 / 0", "account_online_provider"),
        ("ALTER TABLE account_online_provider ADD CHECK (ponto_token != '') NOT VALID", "account_online_provider"),
        ("DROP TABLE account_online_provider", None),
        ("DROP TABLE account_online_journal", None),
        ("ALTER TABLE account_bank_statement_line DROP COLUMN online_identifier", None),
    ],
)  # fmt: skip
def test_a_broken_table_stops_nothing_else(cr, migrate, damage, table):
    world = built(cr, "13")
    books = world.books()
    cr.execute(damage)
    report = migrate()
    assert world.books() == books
    assert world.value("SELECT count(*) FROM account_journal WHERE bank_statements_source = 'online_sync'") == 0
    if table:
        assert table in [problem.table for problem in report.problems]
        told = world.rows("SELECT text FROM account_online_migration WHERE kind = 'problem' AND source = %s", table)
        assert told
    else:
        assert not [problem for problem in report.problems if "put " not in problem.text]


def test_one_bad_row_keeps_no_other_out(cr, migrate):
    world = built(cr, "13")
    cr.execute("ALTER TABLE account_online_link ADD CHECK (name IS NULL OR name != 'Bank 1')")
    report = migrate()
    names = [row[0] for row in world.rows("SELECT name FROM account_online_link ORDER BY name")]
    assert names == ["Bank 0", "Bank 2", "Bank 3", "Unknown (legacy)", "Unknown (legacy)", "Yodlee"]
    assert any("violates check constraint" in problem.text for problem in report.problems)


def test_problems_contain_no_values_of_rows(cr, migrate):
    built(cr, "13")
    cr.execute("ALTER TABLE account_online_provider ADD CHECK (ponto_token != '') NOT VALID")
    assert SECRET not in str(problems(migrate()))


@settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_subset_of_columns_is_taken_over(connection, books, data):
    name = data.draw(st.sampled_from(sorted(GENERATIONS)))
    missing = data.draw(st.sets(st.sampled_from(sorted(columns_of(GENERATIONS[name])))))
    with undone(connection) as cr:
        world = built(cr, name, only=lambda table, column: (table, column) not in missing)
        before = world.books(), world.legacy_counts()
        legacy.migrate(cr, books[1])
        assert_taken_over(world, *before)


def columns_of(generation):
    tables = {
        **generation.tables,
        "account_journal": generation.on_journal,
        "account_bank_statement_line": generation.on_line,
    }
    return {(table, column) for table, columns in tables.items() for column in columns}
