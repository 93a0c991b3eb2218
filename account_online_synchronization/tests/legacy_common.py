from .common import DAY, OnlineSyncCommon

IBAN = "BE71 0961 2345 6769"

#: What account_online_sync (13.0) leaves, as far as it matters inside a journal. Tables go with the test's transaction.
TABLES = """
    CREATE TABLE account_online_provider (
        id serial PRIMARY KEY, name varchar NOT NULL, provider_type varchar, provider_account_identifier varchar,
        company_id int, last_refresh timestamp, ponto_token varchar
    );
    CREATE TABLE account_online_journal (
        id serial PRIMARY KEY, name varchar NOT NULL, account_online_provider_id int, account_number varchar,
        online_identifier varchar, last_sync date, balance double precision
    );
    ALTER TABLE account_journal ADD COLUMN account_online_journal_id int, ADD COLUMN bank_statement_creation varchar;
    ALTER TABLE account_bank_statement_line ADD COLUMN online_identifier varchar;
"""


class LegacyCommon(OnlineSyncCommon):
    """A journal that account_online_sync filled by Yodlee, until its tables became ours to read."""

    def setUp(self):
        super().setUp()
        self.env.cr.execute(TABLES)
        self.provider = self.insert(
            "account_online_provider",
            name="Old Bank",
            provider_type="yodlee",
            provider_account_identifier="Y-1",
            company_id=self.company.id,
            ponto_token="hush",
        )
        self.account_row = self.insert_account(IBAN)
        self.fill(self.journal, self.account_row)

    def insert(self, table, **values):
        columns = ", ".join(values)
        self.env.cr.execute(f"INSERT INTO {table} ({columns}) VALUES %s RETURNING id", [tuple(values.values())])
        return self.env.cr.fetchone()[0]

    def insert_account(self, number, **values):
        values = {"name": "Current", "account_online_provider_id": self.provider, "last_sync": DAY, **values}
        return self.insert("account_online_journal", account_number=number, **values)

    def fill(self, journal, account_row, periodicity="day"):
        """Let the earlier module fill a journal."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_journal SET account_online_journal_id = %s, bank_statement_creation = %s,"
            " bank_statements_source = 'online_sync' WHERE id = %s",
            [account_row, periodicity, journal.id],
        )
        self.env.invalidate_all()

    def bring(self, number, amount, day, journal=None):
        """A line that the earlier module brought."""
        line = self.Line.create(
            {"journal_id": (journal or self.journal).id, "date": day, "amount": amount, "payment_ref": f"old {number}"}
        )
        self.env.cr.execute(
            "UPDATE account_bank_statement_line SET online_identifier = %s WHERE id = %s", [number, line.id]
        )
        return line

    def take_over(self):
        """:return: the migrated link of the provider"""
        self.report = self.env["account.online.migration"]._take_over()
        return self.Link.search([("legacy_source", "=", "account_online_provider")])

    def connect_again(self, number=IBAN, **values):
        """The user makes a new connection, by another provider, and goes with all that is proposed.

        :return: the new link, its transactions not yet fetched
        """
        self.proxy.accounts["A1"]["number"] = number
        link = self.connect()
        selection = self.env["account.online.account.selection"]._create_for(link, refresh=False)
        self.line = selection.line_ids
        self.line.write(values)
        for line in selection.line_ids:
            line._apply()
        return link

    def load(self, **values):
        """Everything from the old tables to the first load by another provider."""
        self.take_over()
        self.link = self.connect_again(**values)
        return self.synchronize(self.link)

    def amounts(self):
        """:return: days and amounts of the journal's lines"""
        return [(str(line.date), line.amount) for line in self.lines()]
