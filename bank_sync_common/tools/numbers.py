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

__all__ = ["LONGEST", "bic", "iban", "iso11649"]

#: Of a number with what separates its groups. Nobody looks through more, or keeps it in memory.
LONGEST = 60
