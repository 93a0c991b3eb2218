"""Searches possible duplicates in a journal, as groups of :mod:`..sync.duplicates`."""

from decimal import Decimal

from ..sync.duplicates import TOLERANCE, Row, find_groups
from ..sync.identity import OPENING
from ..sync.likeness import NEAR


def find_duplicates(journal, since):
    """
    :param journal: ``account.journal``
    :param date since: first day to search
    :return: list of :class:`~..sync.duplicates.Group`
    """
    cr = journal.env.cr
    journal.env["account.bank.statement.line"].flush_model()
    journal.env["account.move"].flush_model(["date", "state", "journal_id"])
    # Why window functions: PostgreSQL finds the few possible duplicates among 100,000s of lines in one pass.
    cr.execute(
        """
        WITH line AS (
              SELECT line.id, move.date, line.amount, line.currency_id,
                     upper(regexp_replace(COALESCE(line.account_number, ''), '[^[:alnum:]]', '', 'g')) AS number,
                     lower(trim(COALESCE(line.payment_ref, ''))) AS text,
                     line.online_account_id, line.online_transaction_identifier AS identifier,
                     COALESCE(line.online_possible_duplicate, FALSE) AS is_marked,
                     COALESCE(line.transaction_details->>'duplicate' = 'true', FALSE) AS is_flagged,
                     COALESCE(line.online_distinct, FALSE) AS is_distinct,
                     line.online_duplicate_of_id AS similar_id
                FROM account_bank_statement_line line
                JOIN account_move move ON move.id = line.move_id
               WHERE line.journal_id = %(journal)s AND move.state = 'posted' AND move.date >= %(since)s
                 AND line.online_transaction_identifier IS DISTINCT FROM %(opening)s
        ), counted AS (
              SELECT line.*,
                     COUNT(*) OVER (PARTITION BY amount, date) AS of_day,
                     COUNT(*) FILTER (WHERE is_marked OR is_flagged) OVER (PARTITION BY amount) AS marked,
                     COUNT(identifier) OVER (PARTITION BY identifier) AS of_id,
                     date - LAG(date) OVER of_amount AS since_last,
                     LEAD(date) OVER of_amount - date AS until_next
                FROM line
              WINDOW of_amount AS (PARTITION BY amount ORDER BY date)
        )
        SELECT id, date, amount, currency_id, number, text, online_account_id, identifier,
               is_marked, is_flagged, is_distinct, similar_id
          FROM counted
         WHERE of_day > 1 OR marked > 0 OR of_id > 1 OR since_last <= %(near)s OR until_next <= %(near)s
        """,
        {
            "journal": journal.id,
            "since": since - max(TOLERANCE, NEAR),
            "opening": OPENING,
            "near": NEAR.days,
        },
    )
    rows = [Row(line_id, day, Decimal(str(amount)), *values) for line_id, day, amount, *values in cr.fetchall()]
    return [group for group in find_groups(rows) if group.rows[-1].date >= since]
