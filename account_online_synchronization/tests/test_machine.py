from freezegun import freeze_time
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import COMPLETE, THOROUGH, OnlineSyncCommon
from .machine import BankMachine
from .world import START

SETTINGS = settings(
    max_examples=300 if THOROUGH else 15 if COMPLETE else 6,
    stateful_step_count=40 if THOROUGH else 20,
    derandomize=not THOROUGH,
    # Why: to make a failing sequence shorter takes many minutes.
    phases=[Phase.generate, *([Phase.shrink] if THOROUGH else [])],
    report_multiple_bugs=False,
    print_blob=THOROUGH,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@tagged("post_install", "-at_install")
class TestMachine(OnlineSyncCommon):
    """Whatever happens, the next undisturbed run leaves exactly the bank's transactions, see machine.py."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        copies = [cls.journal.copy({"code": f"SYN{number}", "name": f"Bank {number}"}) for number in range(3)]
        cls.journals = cls.journal.concat(*copies)

    def test_the_next_undisturbed_run_puts_everything_right(self):
        with freeze_time(START) as self.clock, mute_logger("odoo.addons.account_online_synchronization"):
            machine = type("Machine", (BankMachine,), {"case": self})
            run_state_machine_as_test(machine, settings=SETTINGS)
