from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import OnlineSyncCommon

IBAN = "BE71 0961 2345 6769"


@tagged("post_install", "-at_install")
@freeze_time("2026-05-20 10:00:00")
class TestRenewal(OnlineSyncCommon):
    """After a renewed or new consent, every account continues in its journal: it never gets a second one."""

    def offer(self, *accounts):
        """The bank offers these accounts from now on."""
        transactions = [message for messages in self.proxy.transactions.values() for message in messages]
        self.proxy.accounts.clear()
        self.proxy.transactions.clear()
        for values in accounts:
            self.proxy.add_account(values.pop("id"), **values)
            self.proxy.transactions[next(reversed(self.proxy.accounts))] = list(transactions)

    def begin(self, *accounts):
        self.offer(*accounts)
        self.link = self.connect_journal()
        self.synchronize(self.link)

    def renew(self, *accounts):
        """The user gives a new consent for the same connection.

        :return: accounts that are new to it
        """
        self.offer(*accounts)
        name = self.link.sudo().connection_identifier
        connection = self.proxy.dispatch("connections.get", {"connection_id": name})["connection"]
        return self.link._update_from_proxy(connection, list(self.proxy.accounts.values()))

    def accounts(self):
        return self.env["account.online.account"].search([("company_id", "=", self.company.id)])

    # -------------------------------------------------------------------------
    # THE SAME CONNECTION
    # -------------------------------------------------------------------------

    def test_new_account_ids_change_neither_journal_nor_transactions(self):
        self.proxy.book("T1", "1.00")
        self.begin({"id": "OLD", "number": IBAN})
        new = self.renew({"id": "NEW", "number": IBAN})
        self.synchronize(self.link)
        self.assertFalse(new)
        self.assertEqual((len(self.accounts()), len(self.lines())), (1, 1))
        self.assertEqual(self.journal.account_online_account_id, self.accounts())
        self.assertEqual(self.proxy.requests[-1][1]["account_id"], "NEW")

    def test_a_number_is_the_same_however_it_is_written(self):
        self.begin({"id": "OLD", "number": IBAN})
        self.assertFalse(self.renew({"id": "NEW", "number": "be71096123456769", "name": "Other name"}))

    def test_a_bookmark_of_the_old_id_is_not_used_with_the_new_one(self):
        self.proxy.has_bookmarks = True
        self.begin({"id": "OLD", "number": IBAN})
        self.renew({"id": "NEW", "number": IBAN})
        self.synchronize(self.link)
        self.assertNotIn("cursor", self.proxy.requests[-1][1])

    def test_what_the_user_called_the_account_stays(self):
        self.begin({"id": "OLD", "number": IBAN})
        self.accounts().name = "My account"
        self.renew({"id": "NEW", "number": IBAN, "name": "Compte courant"})
        self.assertEqual(self.accounts().name, "My account")

    def test_an_account_without_a_number_is_recognised_by_its_name(self):
        self.begin({"id": "OLD", "name": "Card", "type": "credit_card"})
        self.assertFalse(self.renew({"id": "NEW", "name": "Card", "type": "credit_card"}))

    def test_two_accounts_of_one_name_are_not_guessed(self):
        self.begin({"id": "OLD", "name": "Card"})
        self.assertEqual(len(self.renew({"id": "N1", "name": "Card"}, {"id": "N2", "name": "Card"})), 2)

    def test_a_masked_number_proves_nothing(self):
        for masked in (
            "•••• 1234",
            "**** **** 1234",
            "XXXXXXXX1234",
            "1234",
            "5412****78901234",
            "1234 56•• •••• 7890",
        ):
            with self.subTest(masked), self.cr.savepoint() as savepoint:
                self.begin({"id": "OLD", "number": masked, "name": "One"})
                self.assertEqual(len(self.renew({"id": "NEW", "number": masked, "name": "Another"})), 1)
                savepoint.rollback()
                self.env.invalidate_all()

    def identifiers(self):
        return {account.id: account.sudo().online_identifier for account in self.accounts()}

    def test_alike_accounts_keep_their_ids_however_they_are_listed(self):
        """A card or a pot may have the number, and even the name, of its current account."""
        alike = [{"id": name, "number": IBAN, "name": "Everyday"} for name in ("A", "B", "C")]
        self.begin(*map(dict, alike[:2]))
        before = self.identifiers()
        for listed in ((1, 0), (1,), (2, 1), (2, 1, 0), (2,)):
            with self.subTest(listed), self.cr.savepoint() as savepoint:
                self.renew(*(dict(alike[index]) for index in listed))
                self.assertEqual({**self.identifiers(), **before}, self.identifiers())
                self.assertEqual(self.journal.account_online_account_id.sudo().online_identifier, before[min(before)])
                savepoint.rollback()
                self.env.invalidate_all()

    def test_alike_accounts_with_new_ids_are_new_rather_than_wrong(self):
        own = {"number": IBAN, "name": "Everyday"}
        self.begin({"id": "A", **own}, {"id": "B", **own})
        before = self.identifiers()
        for names in (("N1", "N2"), ("N1",), ("A", "N2")):
            with self.subTest(names), self.cr.savepoint() as savepoint:
                new = self.renew(*({"id": name, **own} for name in names))
                self.assertEqual(set(new.sudo().mapped("online_identifier")), set(names) - {"A"})
                self.assertEqual({**self.identifiers(), **before}, self.identifiers())
                savepoint.rollback()
                self.env.invalidate_all()

    def test_the_name_distinguishes_accounts_with_one_number(self):
        self.begin({"id": "A", "number": IBAN, "name": "Everyday"}, {"id": "B", "number": IBAN, "name": "Card"})
        names = {account.id: account.name for account in self.accounts()}
        self.assertFalse(self.renew({"id": "N2", "number": IBAN, "name": "Card"}))
        card = self.accounts().filtered(lambda account: account.sudo().online_identifier == "N2")
        self.assertEqual((card.name, names[card.id]), ("Card", "Card"))

    def test_an_account_that_is_listed_twice_is_one(self):
        self.begin({"id": "A", "number": IBAN})
        message = dict(self.proxy.accounts["A"])
        connection = self.proxy.dispatch("connections.get", {"connection_id": "C1"})["connection"]
        self.assertFalse(self.link._update_from_proxy(connection, [message, dict(message)]))

    def test_an_account_that_the_user_renamed_is_recognised_by_the_banks_own_name(self):
        self.begin({"id": "OLD", "number": "•••• 1234", "name": "One"})
        self.accounts().name = "Our card"
        self.assertFalse(self.renew({"id": "NEW", "number": "•••• 1234", "name": "One"}))
        self.assertEqual(self.accounts().mapped("name"), ["Our card"])

    def test_one_number_in_two_currencies_is_two_accounts(self):
        self.setup_other_currency("GBP")
        own = {"number": IBAN, "name": "Everyday"}
        self.begin({"id": "A", **own}, {"id": "B", **own, "currency": "GBP"})
        before = {account.currency_id.name: account for account in self.accounts()}
        self.assertFalse(self.renew({"id": "N2", **own, "currency": "GBP"}, {"id": "N1", **own}))
        identifiers = {account.currency_id.name: account.sudo().online_identifier for account in self.accounts()}
        self.assertEqual(identifiers, {self.proxy.currency: "N1", "GBP": "N2"})
        self.assertEqual(set(before.values()), set(self.accounts()))

    def test_an_account_that_the_new_consent_leaves_out_keeps_its_journal(self):
        self.begin({"id": "A", "number": IBAN})
        self.renew({"id": "B", "number": "BE68 5390 0754 7034", "name": "Another"})
        self.assertEqual(self.journal.account_online_account_id.account_number, IBAN)

    def test_an_account_that_comes_with_the_new_consent_is_offered_and_not_linked(self):
        self.begin({"id": "A", "number": IBAN})
        new = self.renew({"id": "A", "number": IBAN}, {"id": "B", "number": "BE68 5390 0754 7034", "name": "Another"})
        self.assertEqual((new.name, len(new.journal_ids)), ("Another", 0))
        self.assertTrue(self.link.unlinked_count)

    def test_another_kind_of_transaction_ids_is_said_in_the_chatter_and_doubles_nothing(self):
        self.proxy.book("T1", "1.00")
        self.begin({"id": "A", "number": IBAN})
        self.proxy.rename(lambda name: None, "A")
        self.renew({"id": "A", "number": IBAN, "id_scheme": "fingerprint"})
        self.synchronize(self.link)
        self.assertEqual(self.accounts().id_scheme, "fingerprint")
        self.assertIn("another kind of id", str(self.link.message_ids.mapped("body")))
        self.assertEqual(len(self.lines()), 1)

    def test_the_same_kind_of_ids_is_not_worth_a_word(self):
        self.begin({"id": "A", "number": IBAN})
        self.renew({"id": "NEW", "number": IBAN})
        self.assertNotIn("another kind of id", str(self.link.message_ids.mapped("body")))

    # -------------------------------------------------------------------------
    # ANOTHER CONNECTION
    # -------------------------------------------------------------------------

    def connect_again(self, *accounts, old="disconnected"):
        """The user makes a new connection.

        :param str old: the state of the earlier connection
        """
        self.link.state = old
        self.offer(*accounts)
        return self.connect()

    def choose(self, link):
        return self.env["account.online.account.selection"]._create_for(link, refresh=False)

    def test_an_account_that_returns_by_a_new_connection_goes_on_in_its_journal(self):
        self.proxy.book("T1", "1.00")
        self.begin({"id": "OLD", "number": IBAN})
        account = self.accounts()
        link = self.connect_again({"id": "NEW", "number": IBAN})
        self.synchronize(link)
        self.assertEqual((self.accounts(), account.account_online_link_id), (account, link))
        self.assertEqual((self.journal.account_online_link_id, len(self.lines())), (link, 1))

    def test_a_new_connection_does_not_guess_between_accounts_of_one_number(self):
        """Connected again with the card alone, the card must not fill the journal of the current account."""
        own = {"number": IBAN, "name": "Everyday"}
        self.begin({"id": "A", **own}, {"id": "B", **own})
        link = self.connect_again({"id": "N2", **own})
        self.assertEqual((len(self.accounts()), len(link.account_online_account_ids)), (3, 1))
        self.assertEqual(self.journal.account_online_link_id, self.link)

    def test_a_new_connection_distinguishes_accounts_with_one_number_by_name(self):
        self.begin({"id": "A", "number": IBAN, "name": "Everyday"}, {"id": "B", "number": IBAN, "name": "Card"})
        current = self.journal.account_online_account_id
        link = self.connect_again(
            {"id": "N2", "number": IBAN, "name": "Card"}, {"id": "N1", "number": IBAN, "name": "Everyday"}
        )
        self.assertEqual((len(self.accounts()), current.account_online_link_id), (2, link))
        self.assertEqual(current.sudo().online_identifier, "N1")

    def test_an_account_that_another_provider_offers_too_is_not_doubled(self):
        self.begin({"id": "OLD", "number": IBAN})
        self.connect_again({"id": "NEW", "number": IBAN})
        self.assertEqual(len(self.accounts()), 1)

    def test_the_old_connection_says_that_it_is_of_no_more_use(self):
        self.begin({"id": "OLD", "number": IBAN})
        link = self.connect_again({"id": "NEW", "number": IBAN})
        self.assertEqual(self.link.state, "disconnected")
        self.assertIn("this one can be deleted", str(self.link.message_ids.mapped("body")))
        self.assertIn("was known from an earlier connection", str(link.message_ids.mapped("body")))

    def test_deleting_the_old_connection_leaves_the_account(self):
        self.begin({"id": "OLD", "number": IBAN})
        self.connect_again({"id": "NEW", "number": IBAN})
        self.link.unlink()
        self.assertEqual(self.journal.account_online_account_id, self.accounts())

    def test_an_account_that_stays_with_the_old_connection_keeps_it_alive(self):
        self.begin({"id": "OLD", "number": IBAN}, {"id": "OTHER", "number": "BE68 5390 0754 7034", "name": "Another"})
        self.connect_again({"id": "NEW", "number": IBAN}, old="error")
        self.assertEqual(self.link.account_online_account_ids.mapped("name"), ["Account OLD", "Another"])
        self.move(self.choose(self.Link.search([("id", "!=", self.link.id)], order="id desc", limit=1)))
        self.assertEqual(self.link.state, "error")
        self.assertEqual(self.link.account_online_account_ids.name, "Another")

    def move(self, selection):
        """The user moves the journal to the new connection."""
        selection.line_ids.write({"action": "existing", "journal_id": self.journal.id})
        selection.action_confirm()

    def test_a_feed_that_works_is_not_taken_over_by_a_new_connection(self):
        self.proxy.book("T1", "1.00")
        self.begin({"id": "OLD", "number": IBAN})
        account = self.accounts()
        for state, action in (("connected", False), ("error", "retry"), ("error", "answer_challenge")):
            with self.subTest(state=state, action=action), self.cr.savepoint() as savepoint:
                self.link.error_action = action
                link = self.connect_again({"id": "NEW", "number": IBAN}, old=state)
                self.assertEqual(
                    (self.journal.account_online_account_id, account.account_online_link_id), (account, self.link)
                )
                self.assertFalse(link.account_online_account_ids.journal_ids)
                self.assertEqual(self.link.state, state)
                savepoint.rollback()
                self.env.invalidate_all()

    def test_a_feed_whose_consent_has_ended_is_continued_without_a_question(self):
        self.begin({"id": "OLD", "number": IBAN})
        account = self.accounts()
        for values in (
            {"state": "disconnected"},
            {"state": "error", "error_action": "renew"},
            {"state": "error", "error_action": "reconnect"},
            {"state": "connected", "expiring_synchronization_date": "2026-05-19"},
        ):
            with self.subTest(values), self.cr.savepoint() as savepoint:
                self.link.write(values)
                link = self.connect_again({"id": "NEW", "number": IBAN}, old=values["state"])
                self.assertEqual((self.accounts(), account.account_online_link_id), (account, link))
                savepoint.rollback()
                self.env.invalidate_all()

    def test_a_renewal_that_reports_the_account_of_a_working_feed_takes_nothing(self):
        self.begin({"id": "OLD", "number": IBAN})
        account, first = self.accounts(), self.link
        self.offer({"id": "X", "number": "BE68 5390 0754 7034"})
        self.link = self.connect()
        self.renew({"id": "X", "number": "BE68 5390 0754 7034"}, {"id": "Y", "number": IBAN})
        self.assertEqual((self.journal.account_online_account_id, account.account_online_link_id), (account, first))

    def test_the_choice_names_the_connection_that_fills_the_journal_and_changes_nothing(self):
        self.begin({"id": "OLD", "number": IBAN})
        self.link.name = "First Bank"
        account = self.accounts()
        line = self.choose(self.connect_again({"id": "NEW", "number": IBAN}, old="connected")).line_ids
        self.assertEqual((line.action, line.proposed_journal_id), ("none", self.journal))
        self.assertIn("First Bank", line.note)
        line.action = "create"
        self.assertIn("booked twice", line.note)
        line.action = "none"
        line.selection_id.action_confirm()
        self.assertEqual((self.journal.account_online_account_id, self.link.state), (account, "connected"))

    def test_moving_the_journal_keeps_what_is_known_of_the_transactions(self):
        self.proxy.book("T1", "1.00")
        self.begin({"id": "OLD", "number": IBAN})
        self.link.name = "First Bank"
        account = self.accounts()
        link = self.connect_again({"id": "NEW", "number": IBAN}, old="connected")
        self.proxy.book("T2", "2.00", account_id="NEW")
        selection = self.choose(link)
        selection.line_ids.write({"action": "existing", "journal_id": self.journal.id})
        self.assertIn("First Bank", selection.line_ids.note)
        self.assertFalse(selection.problem)
        selection.action_confirm()
        self.fetch_planned()
        self.assertEqual((self.accounts(), account.account_online_link_id), (account, link))
        self.assertEqual((self.journal.account_online_account_id, account.sudo().online_identifier), (account, "NEW"))
        self.assertEqual(self.lines().mapped("online_transaction_identifier"), ["T1", "T2"])
        self.assertEqual((self.link.state, self.link.error_code), ("disconnected", "replaced"))

    def test_a_journal_is_not_moved_while_its_connection_synchronizes(self):
        self.begin({"id": "OLD", "number": IBAN})
        link = self.connect_again({"id": "NEW", "number": IBAN}, old="connected")
        busy = self.link
        lock = type(busy).try_lock_for_update
        free = lambda records, **options: lock(records - busy, **options)  # noqa: E731
        with patch.object(type(busy), "try_lock_for_update", free), self.assertRaisesRegex(UserError, "right now"):
            self.move(self.choose(link))

    def test_after_a_question_was_left_open_the_account_is_still_found_again(self):
        """The account that waits for an answer does not become a second candidate for the journal."""
        self.begin({"id": "OLD", "number": IBAN})
        account = self.accounts()
        self.connect_again({"id": "NEW", "number": IBAN}, old="connected")
        third = self.connect_again({"id": "THIRD", "number": IBAN})
        self.assertEqual((account.account_online_link_id, self.journal.account_online_link_id), (third, third))

    def test_without_a_number_another_connection_brings_another_account(self):
        """A name such as “Current account” proves nothing between two connections."""
        self.begin({"id": "OLD"})
        self.connect_again({"id": "OLD"})
        self.assertEqual(len(self.accounts()), 2)

    def test_an_account_of_another_company_is_left_alone(self):
        other = self.setup_other_company()["company"]
        self.begin({"id": "OLD", "number": IBAN})
        self.offer({"id": "NEW", "number": IBAN, "currency": other.currency_id.name})
        connection = self.proxy.dispatch("connections.get", {"connection_id": "C2"})["connection"]
        self.Link.sudo()._create_from_proxy(connection, list(self.proxy.accounts.values()), other)
        self.assertEqual(self.journal.account_online_link_id, self.link)
