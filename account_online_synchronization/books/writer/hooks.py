"""Calls the overrides of other addons for a batch, as if Odoo had created it.

Entries, journal items and posting have their own methods: ``create()``, ``write()``, ``action_post()``, ``_post()``.
They are called for rows that exist already; this addon's overrides return without calling Odoo's methods.
"""

#: Context key, with a :class:`Written`.
WRITTEN = "online_written"

#: Key in the values of ``create()``: the id of the row that has been written for them.
MARK = "online_row"

POSTED = {"state": "posted", "posted_before": True}

#: Keys that Odoo writes to an entry after creating its statement line.
JOINED = {"statement_line_id", "narration", "name"}


class Written:
    """
    :param moves: posted ``account.move`` records that exist in the database
    :param items: their ``account.move.line``
    """

    def __init__(self, moves, items):
        self.moves, self.items = moves, items

    @staticmethod
    def created(model, vals_list):
        """:return: the records that were written for these values; None for values of other callers"""
        if vals_list and all(MARK in values for values in vals_list):
            return model.browse(values[MARK] for values in vals_list)
        return None

    def is_about(self, moves):
        return moves._ids == self.moves._ids

    def is_done(self, moves, vals):
        """Whether a ``write()`` is one of Odoo's own, whose result is stored already."""
        is_joining = vals.keys() == JOINED and len(moves) == 1 and moves.id in self.moves._ids
        return is_joining or (vals == POSTED and self.is_about(moves))

    def call(self, move_values, item_values, joined=()):
        """Call the methods in Odoo's order. For them the entries are drafts until posted.

        :param move_values, item_values: for ``create()``; empty without overrides
        :param joined: for each entry the values that Odoo writes after creating its statement line; empty without
            overrides
        """
        moves = self.moves.with_context(**{WRITTEN: self})
        before = {"state": "draft", "posted_before": False, "name": False}
        for name, value in before.items():
            moves._fields[name]._update_cache(moves, value)
        if move_values:
            moves.browse().create(move_values)
        for move, values in zip(moves, joined, strict=bool(joined)):
            move.write(values)
        if item_values:
            moves.env[self.items._name].create(item_values)
        moves.action_post()

    def post(self, moves):
        """The end of the chain of ``_post()``."""
        moves.write(dict(POSTED))
        self.moves.env.flush_all()
        self.moves.env.invalidate_all()
        return moves
