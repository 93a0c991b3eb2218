"""Errors of files."""

from odoo.addons.bank_sync_common.tools.words import Sentence


class FormatError(Exception):
    """The file can't be read; nothing of it was used.

    :param sentence: :class:`~.words.Sentence` that says what is wrong and what to do
    :param str place: such as ``line 17`` or ``Ntry 3``; None without one
    """

    def __init__(self, sentence: Sentence, place=None):
        super().__init__(f"{place}: {sentence}" if place else str(sentence))
        self.sentence, self.place = sentence, place


class UnknownFormat(FormatError):
    """No format recognises the file."""


class TooLarge(FormatError):
    """A limit of :class:`~.statement.Limits` was passed: size, depth, number of members."""


class MappingNeeded(FormatError):
    """A table can't be read before the user has answered questions about its columns.

    :param dict mapping: result of :func:`~.tables.propose_mapping`, with the questions in ``unsure``
    """

    def __init__(self, sentence, mapping, place=None):
        super().__init__(sentence, place)
        self.mapping = mapping
