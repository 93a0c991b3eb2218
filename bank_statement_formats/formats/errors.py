"""What can be wrong with a file."""

from odoo.addons.bank_sync_common.tools.words import Sentence


class FormatError(Exception):
    """The file can't be read; nothing of it was used.

    :param sentence: :class:`~.words.Sentence` that says what is wrong and what to do
    :param str place: where, such as ``line 17`` or ``Ntry 3``; None where it has no place
    """

    def __init__(self, sentence: Sentence, place=None):
        super().__init__(f"{place}: {sentence}" if place else str(sentence))
        self.sentence, self.place = sentence, place


class UnknownFormat(FormatError):
    """No format recognises the file."""


class TooLarge(FormatError):
    """A limit of :class:`~.statement.Limits` was passed: size, depth, number of members."""


class MappingNeeded(FormatError):
    """A table can't be read before a person has looked at its columns.

    :param dict mapping: what :func:`~.tables.propose_mapping` proposes; its ``unsure`` says what is asked
    """

    def __init__(self, sentence, mapping, place=None):
        super().__init__(sentence, place)
        self.mapping = mapping
