"""What is measured, and how: scripts/bench NAME. Results and their meaning stand in docs/performance.md.

``bench_NAME.py``   one benchmark; runs on any Python, outside Odoo
``inside_NAME.py``  what of it runs inside Odoo, see :mod:`.inside`
``harness.py``      databases, processes inside Odoo, medians, tables: shared by all
"""

#: Begins the line in which a process inside Odoo answers.
RESULT = "RESULT "
