"""Keeps what users type into secret fields out of Odoo's log. Imports no Odoo.

At the level DEBUG Odoo logs each call of the web client with its arguments: phone numbers, codes, keys of providers.
"""

import logging

MASK = "•••"


class QuietCalls(logging.Filter):
    """Masks the arguments of calls to some models in the log of ``odoo.service.model``.

    :param models: names of the models
    """

    def __init__(self, *models):
        super().__init__()
        self._models = frozenset(models)

    def filter(self, record):
        args = record.args if isinstance(record.args, tuple) else ()
        if len(args) == 3 and getattr(args[0], "_name", None) in self._models:
            record.args = (*args[:2], MASK)
        return True


def keep_quiet(*models):
    """Install the filter. Called once, when the addon is loaded and so before the first call."""
    logging.getLogger("odoo.service.model").addFilter(QuietCalls(*models))
