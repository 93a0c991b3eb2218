"""Lets the methods of other addons see a batch as if Odoo had created it.

Entries, journal items and posting have chains of their own: ``create()``, ``write()``, ``action_post()``, ``_post()``.
They are called for rows that stand already; at their bottom, in our models, they end instead of going on to Odoo.
"""

#: Context key, with a :class:`Written`.
WRITTEN = "online_written"

#: Key in the values of ``create()``: the id of the row that has been written for them.
MARK = "online_row"

POSTED = {"state": "posted", "posted_before": True}


class Written:
    """
    :param moves: ``account.move`` that stand in the database, posted
    :param items: their ``account.move.line``
    """

    def __init__(self, moves, items):
        self.moves, self.items = moves, items

    @staticmethod
    def created(model, vals_list):
        """:return: the records that have been written for these values; None where the values are somebody else's"""
        if vals_list and all(MARK in values for values in vals_list):
            return model.browse(values[MARK] for values in vals_list)
        return None

    def is_about(self, moves):
        return moves._ids == self.moves._ids

    def is_posting(self, moves, vals):
        return vals == POSTED and self.is_about(moves)

    def call(self, move_values, item_values):
        """Go through the chains in Odoo's order. In them the entries are drafts until posted."""
        moves = self.moves.with_context(**{WRITTEN: self})
        before = {"state": "draft", "posted_before": False, "name": False}
        for name, value in before.items():
            moves._fields[name]._update_cache(moves, value)
        moves.browse().create(move_values)
        moves.env[self.items._name].create(item_values)
        moves.action_post()

    def post(self, moves):
        """The bottom of ``_post()``."""
        moves.write(dict(POSTED))
        self.moves.env.flush_all()
        self.moves.env.invalidate_all()
        return moves
