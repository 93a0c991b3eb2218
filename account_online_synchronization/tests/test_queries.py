from datetime import timedelta

from freezegun import freeze_time

from odoo.tests import tagged

from .common import DAY, OnlineSyncCommon

#: SQL statements of a run without new transactions. docs/performance.md lists them.
QUIET_RUN = 15


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestQueries(OnlineSyncCommon):
    """How many queries a run asks in which the bank shows nothing new."""

    def book(self, count, begin=0):
        for number in range(begin, begin + count):
            self.proxy.book(f"T{number}", f"{number + 1}.25", DAY - timedelta(number % 9))

    def run_as_the_scheduled_action(self, link):
        """:return: (the run, its number of queries), as if it were committed before the bank is asked and at the end"""

        def commit():
            self.env.flush_all()
            self.env.invalidate_all()

        link.next_refresh = False
        commit()
        before = self.env.cr.sql_log_count
        link._synchronize(user_present=False, checkpoint=commit)
        commit()
        queries = self.env.cr.sql_log_count - before
        return link.run_ids.sorted("id")[-1], queries

    def test_a_quiet_run_asks_few_queries_however_much_is_known(self):
        self.book(20)
        link = self.connect_journal().sudo()
        # Why: otherwise the company's country is read, whose time zone is the bank's.
        link.account_online_account_ids.account_number = "BE71096123456769"
        for _warm_up in range(2):
            self.run_as_the_scheduled_action(link)
        few, queries_of_few = self.run_as_the_scheduled_action(link)
        self.book(180, begin=20)
        self.run_as_the_scheduled_action(link)
        many, queries_of_many = self.run_as_the_scheduled_action(link)
        self.assertEqual((few.known, many.known), (20, 200))
        self.assertEqual((few.imported, many.imported), (0, 0))
        self.assertEqual(queries_of_many, queries_of_few)
        self.assertLessEqual(queries_of_many, QUIET_RUN)
