"""Makes the pure packages importable without Odoo: the addon's own ``__init__``, which needs it, is not executed."""

import sys
import types
from pathlib import Path

ADDON = Path(__file__).parents[2]

if ADDON.name not in sys.modules:
    package = types.ModuleType(ADDON.name)
    package.__path__ = [str(ADDON)]
    sys.modules[ADDON.name] = package
