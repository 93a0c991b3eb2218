"""Account numbers, banks' identifiers and references, checked by python-stdnum, which Odoo requires.

Odoo replaces the loader of the package ``stdnum`` to patch it when it is imported (``odoo/_monkeypatches``), and the
replacement cannot open the package's tables: ``import stdnum.iban`` fails with "Can't open orphan path" from
python-stdnum 1.20 on. So the package gets a loader that can before its modules are imported.
"""

from importlib.machinery import SourceFileLoader

import stdnum

if not hasattr(stdnum.__spec__.loader, "get_resource_reader"):
    stdnum.__spec__.loader = SourceFileLoader(stdnum.__name__, stdnum.__file__)

from stdnum import bic, iban, iso11649
from stdnum.iso7064 import mod_97_10

#: Of a number with what separates its groups. Nobody looks through more, or keeps it in memory.
LONGEST = 60

__all__ = ["bic", "iban", "is_creditor_reference"]


def is_creditor_reference(value):
    """Whether a text in capitals is a reference of ISO 11649: ``RF``, two check digits and up to 21 characters."""
    if value.isascii() and value.isalnum():
        # Without anything to clean this is all that iso11649 looks at. References are hardly ever the same twice, and
        # cleaning takes longer than checking.
        return 5 <= len(value) <= 25 and value.startswith("RF") and mod_97_10.is_valid(value[4:] + value[:4])
    return len(value) <= LONGEST and iso11649.is_valid(value)
