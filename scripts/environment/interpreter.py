"""Find a Python that Odoo 19 accepts.

This file must parse on very old Pythons: it shows the users of such a Python what to do.
"""

import os
import subprocess
import sys

OLDEST = (3, 10)
NEWEST = (3, 13)


def require():
    """Return when the running Python fits, else start the same script again with one that does."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        name = "python3.%d" % minor
        if works(name):
            # Why flush: exec replaces the process and drops what is still in the buffer.
            sys.stdout.flush()
            os.execvp(name, [name] + sys.argv)
    sys.stderr.write(
        "Odoo 19 needs Python 3.10 to 3.13, and this is Python %d.%d without another one on PATH: "
        "install one of them (on Debian: apt-get install python3) and start again.\n" % sys.version_info[:2]
    )
    sys.exit(1)


def works(name):
    """A version manager leaves names on PATH that only print an error, so ask."""
    code = "import sys; sys.exit(sys.version_info[:2] < (3, 10))"
    try:
        with open(os.devnull, "w") as nowhere:
            return subprocess.call([name, "-c", code], stdout=nowhere, stderr=nowhere) == 0
    except OSError:
        return False
