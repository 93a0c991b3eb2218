"""Databases as earlier modules for bank feeds have left them, built by SQL from what is publicly known of their tables.

No dump of such a database is at hand: columns are those that documentation and clients of live databases name. Each one
may be missing; ``only`` takes that to the extreme.
"""

from dataclasses import dataclass, field

#: Value of every column that holds a credential; must not be found anywhere afterwards.
SECRET = "hush-hush"
#: Moves the tables of Enterprise's module to where ``legacy.set_aside`` puts them.
ASIDE = {"account_online_link": "account_online_link_legacy", "account_online_account": "account_online_account_legacy"}

CORE = {"create_uid": "int", "create_date": "timestamp", "write_uid": "int", "write_date": "timestamp"}
PROVIDER = {
    **CORE,
    "name": "varchar",
    "provider_type": "varchar",
    "provider_account_identifier": "varchar",
    "provider_identifier": "varchar",
    "status": "varchar",
    "status_code": "varchar",
    "message": "varchar",
    "action_required": "bool",
    "last_refresh": "timestamp",
    "company_id": "int",
}
BANK_ACCOUNT = {
    **CORE,
    "name": "varchar",
    "account_online_provider_id": "int",
    "account_number": "varchar",
    "online_identifier": "varchar",
    "last_sync": "date",
    "balance": "float8",
}
LINK = {
    **CORE,
    "name": "varchar NOT NULL",
    "company_id": "int",
    "client_id": "varchar",
    "access_token": "varchar",
    "refresh_token": "varchar",
    "provider_data": "varchar",
    "state": "varchar NOT NULL",
    "auto_sync": "bool",
    "last_refresh": "timestamp",
    "next_refresh": "timestamp",
}
ACCOUNT = {
    **CORE,
    "name": "varchar",
    "account_online_link_id": "int",
    "online_identifier": "varchar",
    "account_number": "varchar",
    "account_data": "varchar NOT NULL",
    "balance": "float8",
    "last_sync": "date",
}
ON_JOURNAL = {"account_online_journal_id": "int", "bank_statement_creation": "varchar"}
ON_JOURNAL_14 = {"account_online_account_id": "int", "account_online_link_id": "int"}
ON_JOURNAL_14 |= {"bank_statement_creation_groupby": "varchar"}
HINTS = {"online_partner_vendor_name": "varchar", "online_partner_bank_account": "varchar"}


@dataclass
class Generation:
    """``tables`` and the columns on Odoo's own tables, as SQL types by column."""

    tables: dict
    on_journal: dict
    on_line: dict
    #: Name of the column of lines that holds the ids of transactions.
    identifier: str
    #: Provider types, used in rotation.
    providers: tuple
    #: Further values by column.
    more: dict = field(default_factory=dict)

    @property
    def links(self):
        return "account_online_link" if "account_online_link" in self.tables else "account_online_provider"

    @property
    def accounts(self):
        return "account_online_account" if "account_online_account" in self.tables else "account_online_journal"

    @property
    def link_column(self):
        return "account_online_link_id" if self.links == "account_online_link" else "account_online_provider_id"

    @property
    def journal_column(self):
        return "account_online_account_id" if self.links == "account_online_link" else "account_online_journal_id"


GENERATIONS = {
    "10": Generation(
        {
            "account_online_provider": {
                **PROVIDER,
                "status_code": "int",
                "yodlee_additional_status": "varchar",
                "yodlee_last_attempted_refresh": "timestamp",
            },
            "account_online_journal": {**BANK_ACCOUNT, "plaid_id": "varchar", "institution_id": "int"},
            "account_online_wizard": {"account_online_journal_id": "int", "number_added": "int"},
        },
        ON_JOURNAL,
        {"online_identifier": "varchar", **HINTS},
        "online_identifier",
        ("yodlee",),
    ),
    "13": Generation(
        {
            "account_online_provider": {
                **PROVIDER,
                "plaid_error_type": "varchar",
                "plaid_item_id": "varchar",
                "ponto_token": "varchar NOT NULL",
                "message_main_attachment_id": "int",
            },
            "account_online_journal": {
                **BANK_ACCOUNT,
                "ponto_last_synchronization_identifier": "varchar",
                "yodlee_account_status": "varchar",
                "yodlee_status_code": "int",
            },
        },
        ON_JOURNAL,
        {"online_identifier": "varchar", **HINTS},
        "online_identifier",
        ("plaid", "yodlee", "ponto"),
        {"plaid_item_id": SECRET, "ponto_token": SECRET},
    ),
    "early 14": Generation(
        {
            "account_online_provider": {**PROVIDER, "plaid_item_id": "varchar", "ponto_token": "varchar"},
            "account_online_journal": {**BANK_ACCOUNT, "account_number": "text"},
        },
        ON_JOURNAL,
        {"online_transaction_identifier": "varchar", **HINTS},
        "online_transaction_identifier",
        ("plaid", "ponto"),
        {"plaid_item_id": SECRET, "ponto_token": SECRET},
    ),
    "third parties": Generation(
        {
            "account_online_provider": {
                **PROVIDER,
                "xunnel_token": "varchar",
                "paybook_credential": "jsonb",
                "khan_password": "bytea",
                # What comes from another tool than Odoo may be of another type.
                "last_refresh": "varchar",
                "company_id": "varchar",
            },
            "account_online_journal": {**BANK_ACCOUNT, "balance": "varchar", "last_sync": "text", "name": "jsonb"},
        },
        ON_JOURNAL,
        {"online_identifier": "varchar"},
        "online_identifier",
        ("xunnel", "paybook", "wise", "Khan Bank", None),
        {"xunnel_token": SECRET, "paybook_credential": f'{{"key": "{SECRET}"}}', "khan_password": SECRET.encode()},
    ),
    "Enterprise 14": Generation(
        {"account_online_link": LINK, "account_online_account": ACCOUNT},
        ON_JOURNAL_14,
        {
            "online_transaction_identifier": "varchar",
            "online_account_id": "int",
            "online_link_id": "int",
            "online_partner_information": "varchar",
        },
        "online_transaction_identifier",
        (None,),
        {
            "state": "connected",
            "auto_sync": True,
            "access_token": SECRET,
            "refresh_token": SECRET,
            "provider_data": f'{{"broken": "{SECRET}',
            "account_data": f'{{"token": "{SECRET}"}}',
        },
    ),
    "Enterprise 17": Generation(
        {
            "account_online_link": {
                **LINK,
                "provider_type": "varchar",
                "has_unlinked_accounts": "bool NOT NULL",
                "connection_state_details": "jsonb",
                "expiring_synchronization_date": "date",
                "renewal_contact_email": "varchar",
                "state": "varchar NOT NULL CHECK (state != 'gone')",
                "foreign_required": "varchar NOT NULL DEFAULT 'x'",
            },
            "account_online_account": {
                **ACCOUNT,
                "currency_id": "int",
                "fetching_status": "varchar",
                "inverse_balance_sign": "bool",
                "inverse_transaction_sign": "bool",
                "company_id": "int",
            },
        },
        {**ON_JOURNAL_14, "renewal_contact_email": "varchar"},
        {
            "online_transaction_identifier": "varchar",
            "online_account_id": "int",
            "online_link_id": "int",
            "online_partner_information": "varchar",
        },
        "online_transaction_identifier",
        ("plaid", "enablebanking", None),
        {
            "state": "error",
            "auto_sync": True,
            "access_token": SECRET,
            "refresh_token": SECRET,
            "provider_data": f'{{"broken": "{SECRET}',
            "account_data": f'{{"token": "{SECRET}"}}',
            "has_unlinked_accounts": False,
            "connection_state_details": '{"status": "error"}',
        },
    ),
}


class World:
    """One generation in a database with the books of :mod:`.legacy_books`.

    :param cr: cursor of psycopg2
    :param only: function from (table, column) to whether the database has that column
    :param bool aside: put Enterprise's tables where they are after ``legacy.set_aside``
    """

    def __init__(self, cr, name, only=lambda table, column: True, aside=False):
        self.cr, self.name, self.generation = cr, name, GENERATIONS[name]
        self.only, self.aside = only, aside

    def table(self, name):
        return ASIDE.get(name, name) if self.aside else name

    def column(self, name):
        kept = self.generation.links == "account_online_link" or name == "online_transaction_identifier"
        return f"legacy_{name}" if self.aside and kept and not name.startswith(("legacy_", "online_link")) else name

    def build(self):
        generation = self.generation
        for table, columns in generation.tables.items():
            wanted = "".join(f', "{column}" {kind}' for column, kind in columns.items() if self.only(table, column))
            self.cr.execute(f"CREATE TABLE {self.table(table)} (id serial PRIMARY KEY{wanted})")
        for table, columns in (
            ("account_journal", generation.on_journal),
            ("account_bank_statement_line", generation.on_line),
        ):
            for column, kind in columns.items():
                if self.only(table, column):
                    self.cr.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {self.column(column)} {kind}")
        self._fill()
        return self

    def has(self, table, column):
        generation = self.generation
        columns = {"account_journal": generation.on_journal, "account_bank_statement_line": generation.on_line}
        return column in {**columns, **generation.tables}.get(table, {}) and self.only(table, column)

    # -------------------------------------------------------------------------
    # ROWS
    # -------------------------------------------------------------------------

    def _fill(self):
        self.cr.execute(
            "SELECT id, company_id FROM account_journal WHERE type = 'bank' AND code LIKE 'FEED%' ORDER BY code"
        )
        self.journals = self.cr.fetchall()
        (first, main), (second, _same), (lost, _main), (foreign, other) = self.journals
        providers = self.generation.providers
        for number, company in enumerate((main, other, None, 9999, main)):
            self._insert(
                self.generation.links,
                {
                    "name": " " if number == 4 else f"Bank {number}",
                    "provider_type": providers[number % len(providers)],
                    "provider_account_identifier": f"connection-{number}",
                    "provider_identifier": f"bank-{number}",
                    "status": "SUCCESS",
                    "status_code": "0",
                    "last_refresh": "2026-05-19 03:04:05",
                    "company_id": company,
                    "client_id": f"client-{number}",
                },
            )
        accounts = [
            ("BE71 0961 2345 6769", 1, "A1"),
            ("xxxx6769", 1, "A2"),
            ("00000001", 2, "A3"),
            (None, 2, "A3"),
            (None, 888, None),
        ]
        for number, (account_number, link, identifier) in enumerate(accounts):
            name = f"Account {number}"
            is_json = self.generation.tables[self.generation.accounts].get("name") == "jsonb"
            self._insert(
                self.generation.accounts,
                {
                    "name": f'{{"en_US": "{name}"}}' if is_json else name,
                    "account_number": account_number,
                    self.generation.link_column: link,
                    "online_identifier": identifier,
                    "last_sync": "2026-05-18",
                    "balance": 12.5 + number,
                },
            )
        if self.has("account_journal", self.generation.journal_column):
            column = self.column(self.generation.journal_column)
            for journal, account in ((first, 1), (second, 2), (foreign, 3), (lost, 777)):
                self.cr.execute(f"UPDATE account_journal SET {column} = %s WHERE id = %s", [account, journal])
        for column in ("bank_statement_creation", "bank_statement_creation_groupby"):
            if self.has("account_journal", column):
                self.cr.execute(f"UPDATE account_journal SET {self.column(column)} = 'week' WHERE id = %s", [first])
                self.cr.execute(f"UPDATE account_journal SET {self.column(column)} = 'era' WHERE id = %s", [second])
        self.cr.execute("UPDATE account_journal SET bank_statements_source = 'online_sync' WHERE code LIKE 'FEED%'")
        self._fill_lines(dict(zip((first, second, foreign), (1, 2, 3), strict=True)))

    def _fill_lines(self, accounts):
        if self.has("account_bank_statement_line", self.generation.identifier):
            column = self.column(self.generation.identifier)
            self.cr.execute(
                f"""
                UPDATE account_bank_statement_line line
                   SET {column} = CASE move.ref WHEN 'same' THEN 'TWICE' WHEN 'blank' THEN ' ' WHEN 'none' THEN NULL
                                  WHEN 'long' THEN repeat('long ', 2000) ELSE 'T' || line.id END
                  FROM account_move move
                 WHERE move.id = line.move_id
                """
            )
        if self.has("account_bank_statement_line", "online_account_id"):
            column = self.column("online_account_id")
            for journal, account in accounts.items():
                self.cr.execute(
                    f"UPDATE account_bank_statement_line SET {column} = %s WHERE journal_id = %s", [account, journal]
                )
        if self.has("account_bank_statement_line", "online_partner_vendor_name"):
            self.cr.execute("UPDATE account_bank_statement_line SET online_partner_vendor_name = 'Café Central'")

    def _insert(self, table, values):
        columns = self.generation.tables[table]
        values = {name: value for name, value in {**self.generation.more, **values}.items() if name in columns}
        values = {name: value for name, value in values.items() if self.only(table, name)}
        if not values:
            self.cr.execute(f"INSERT INTO {self.table(table)} DEFAULT VALUES")
            return
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join(["%s"] * len(values))
        self.cr.execute(f"INSERT INTO {self.table(table)} ({names}) VALUES ({marks})", list(values.values()))

    # -------------------------------------------------------------------------
    # WHAT IS SEEN
    # -------------------------------------------------------------------------

    def value(self, query, *parameters):
        self.cr.execute(query, parameters or None)
        return self.cr.fetchone()[0]

    def rows(self, query, *parameters):
        self.cr.execute(query, parameters or None)
        return self.cr.fetchall()

    def books(self):
        """What no migration may touch."""
        return self.rows(
            """
            SELECT line.journal_id, count(*), sum(line.amount), min(move.date), max(move.date),
                   count(DISTINCT line.statement_id),
                   md5(string_agg(line.payment_ref || line.amount, '' ORDER BY line.id))
              FROM account_bank_statement_line line
              JOIN account_move move ON move.id = line.move_id
          GROUP BY 1 ORDER BY 1
            """
        )

    def legacy_counts(self):
        """:return: number of rows by table of the earlier module, wherever it is now"""
        counts = {}
        for table in self.generation.tables:
            kept = ASIDE.get(table, table)
            standing = kept if self.value("SELECT to_regclass(%s) IS NOT NULL", kept) else table
            counts[table] = self.value(f"SELECT count(*) FROM {standing}")
        return counts

    def identifiers(self, column):
        """Ids of transactions in a column of the lines, without blank ones."""
        return sorted(
            row[0]
            for row in self.rows(
                f"SELECT btrim({column}) FROM account_bank_statement_line WHERE NULLIF(btrim({column}), '') IS NOT NULL"
            )
        )


def assert_taken_over(world, books, legacy_counts):
    """Every rule that holds whatever the generation and its columns were."""
    links, accounts = (world.generation.links, world.generation.accounts)
    assert world.books() == books
    assert world.legacy_counts() == legacy_counts
    assert world.rows(
        "SELECT DISTINCT state, auto_sync, connection_identifier FROM account_online_link"
        " WHERE legacy_source IS NOT NULL"
    ) == [("disconnected", False, None)]
    taken = "SELECT count(*) FROM account_online_migration WHERE kind = %s AND source LIKE %s"
    assert world.value(taken, "link", f"{links}%") == legacy_counts[links]
    assert world.value(taken, "account", f"{accounts}%") == legacy_counts[accounts]
    assert not world.value("SELECT count(*) FROM account_journal WHERE bank_statements_source = 'online_sync'")
    assert not world.value("SELECT count(*) FROM account_journal WHERE account_online_account_id IS NOT NULL")
    assert_no_secret(world)
    assert_lines_known(world)
    if world.has("account_journal", "bank_statement_creation") or world.has(
        "account_journal", "bank_statement_creation_groupby"
    ):
        (first, second) = (journal for journal, _company in world.journals[:2])
        groupby = "SELECT bank_statement_creation_groupby FROM account_journal WHERE id = %s"
        assert (world.value(groupby, first), world.value(groupby, second)) == ("week", "month")


def assert_no_secret(world):
    names = [*world.generation.tables, *ASIDE.values(), "account_online_link", "account_online_account"]
    for table in {*names, "account_online_migration", "mail_message"}:
        if world.value("SELECT to_regclass(%s) IS NOT NULL", table):
            found = world.rows(f"SELECT id FROM {table} AS found WHERE found::text LIKE %s", f"%{SECRET[:6]}%")
            assert not found, f"{table} still holds a secret"


def assert_lines_known(world):
    """Every id is kept, in its account, under its former provider's name; nothing else is taken for one."""
    if not world.has("account_bank_statement_line", world.generation.identifier):
        return
    kept = world.generation.identifier
    names = [f"legacy_{kept}", kept] if kept.startswith("online_transaction") else [kept]
    there = [
        name
        for name in names
        if world.value(
            "SELECT count(*) FROM information_schema.columns"
            " WHERE table_name = 'account_bank_statement_line' AND column_name = %s",
            name,
        )
    ]
    wanted = len(world.identifiers(there[0]))
    known = "online_transaction_identifier LIKE 'legacy:%' AND online_account_id IS NOT NULL"
    assert world.value(f"SELECT count(*) FROM account_bank_statement_line WHERE {known}") == wanted
    assert not world.value(
        f"SELECT count(*) FROM account_bank_statement_line WHERE online_account_id IS NOT NULL AND NOT ({known})"
    )
    assert not world.value(
        """
        SELECT count(*) FROM account_bank_statement_line line JOIN account_move move ON move.id = line.move_id
         WHERE online_account_id IS NOT NULL
           AND online_transaction_digest NOT LIKE to_char(move.date, 'YYYY-MM-DD') || ' ' || trim_scale(amount) || ' %'
        """
    )
