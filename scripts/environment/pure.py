"""A pytest plugin for tests without Odoo: the addons' packages without what their __init__ imports.

`from odoo.addons.bank_sync_proxy.providers import …` then means the same with and without Odoo, as long as
what it leads to is pure; any other part of `odoo` is missing, so an import that is not pure fails its test.
"""

import importlib.machinery
import sys
import types

from . import paths, thorough


def bare_package(name, *folders):
    """Register a package that has these folders and no code."""
    package = types.ModuleType(name)
    package.__path__ = [str(folder) for folder in folders]
    package.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
    sys.modules[name] = package
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, package)


def pytest_configure(config):
    # Why here: scripts enter the packages without it.
    import hypothesis

    # Why no deadline: it measures what else the machine does. Tests of speed measure the processor's time themselves.
    # Why derandomized: the same code always gives the same result; the nightly run looks at other examples each time.
    hypothesis.settings.register_profile(
        "pure", deadline=None, max_examples=thorough.rounds(8, 25, 500), derandomize=not thorough.IS_ON
    )
    hypothesis.settings.load_profile("pure")
    enter()


def enter():
    """Let the packages be imported from here on."""
    bare_package("odoo")
    bare_package("odoo.addons", paths.ROOT)
    for prefix in ("", "odoo.addons."):
        for addon in paths.ADDONS:
            bare_package(prefix + addon, paths.ROOT / addon)
            # Why the tests, too: their __init__ imports the tests that need Odoo.
            bare_package(f"{prefix}{addon}.tests", paths.ROOT / addon / "tests")
