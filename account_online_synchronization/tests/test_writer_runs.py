from datetime import date, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged

from ..books import apply
from ..books.writer import tables
from .common import OnlineSyncCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestWriterRuns(OnlineSyncCommon):
    """What the bulk writer means for a run: first loads, refused lines, and runs that find nothing new."""

    def book_many(self, count, begin=0):
        for number in range(begin, begin + count):
            self.proxy.book(f"T{number}", f"{number + 1}.25", date(2026, 3, 1) + timedelta(number % 60))

    def test_a_first_load_takes_the_fast_way(self):
        self.book_many(64)
        run = self.synchronize(self.connect_journal())
        self.assertEqual((run.imported, run.one_by_one_reason), (64, False))
        self.assertEqual(self.lines().mapped("state"), ["posted"] * 64)

    def test_the_run_says_why_lines_were_created_one_by_one(self):
        prepare = self.registry["account.bank.statement.line"]._prepare_move_line_default_vals

        def _prepare_move_line_default_vals(line, counterpart_account_id=None):
            return prepare(line, counterpart_account_id)

        self.book_many(30)
        with patch.object(
            self.registry["account.bank.statement.line"], prepare.__name__, _prepare_move_line_default_vals
        ):
            run = self.synchronize(self.connect_journal())
        self.assertEqual(run.imported, 30)
        self.assertIn("_prepare_move_line_default_vals", run.one_by_one_reason)

    def test_pieces_of_a_load_are_one_whole(self):
        self.book_many(90)
        link = self.connect_journal()
        with patch.object(apply, "CHUNK", 25):
            run = self.synchronize(link)
        self.assertEqual((run.imported, run.one_by_one_reason), (90, False))
        self.assertEqual(len(set(self.lines().mapped("name"))), 90)
        statements = self.statements()
        self.assertEqual(statements.mapped("is_complete"), [True] * 2)
        for statement in statements:
            self.assertAlmostEqual(
                statement.balance_end, statement.balance_start + sum(statement.line_ids.mapped("amount"))
            )
        self.assertEqual(statements[1].balance_start, statements[0].balance_end_real)

    def test_a_refused_line_is_found_by_halves(self):
        self.book_many(64)
        link, tried = self.connect_journal(), []
        with self.refused("T40", "Not wanted."):
            create = self.registry["account.bank.statement.line"].create

            def counting(lines, vals_list):
                tried.append(len(vals_list))
                return create(lines, vals_list)

            with patch.object(self.registry["account.bank.statement.line"], "create", counting):
                run = self.synchronize(link)
        self.assertEqual((run.imported, run.parked), (63, 1))
        self.assertEqual(tried[0], 64)
        self.assertLessEqual(len(tried), 13)

    def test_a_run_without_news_sends_as_many_queries_for_any_number_of_lines(self):
        self.book_many(30)
        link = self.connect_journal()
        self.synchronize(link)
        self.synchronize(link)
        few = self.count_queries_of_storing(link)
        self.book_many(170, begin=30)
        self.synchronize(link)
        many = self.count_queries_of_storing(link)
        self.assertEqual(many, few)
        self.assertLessEqual(many, 10)

    def count_queries_of_storing(self, link):
        """:return: number of queries, the writing of what comes before and after not included"""
        store, counted = apply.Storing.store, []

        def counting(one):
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            store(one)
            counted.append(self.env.cr.sql_log_count - before)

        with patch.object(apply.Storing, "store", counting):
            self.assertEqual(self.synchronize(link).imported, 0)
        return counted[0]

    def test_postgresql_looks_at_fresh_tables_once(self):
        self.book_many(30)
        self.synchronize(self.connect_journal())
        tables.analyze_when_fresh(self.env.cr)
        self.env.cr.execute(
            "SELECT min(reltuples) FROM pg_class WHERE relname IN ('account_move', 'account_move_line')"
        )
        self.assertGreater(self.env.cr.fetchone()[0], 0)
        with self.assertQueryCount(1):
            tables.analyze_when_fresh(self.env.cr)
