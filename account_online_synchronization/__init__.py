from . import controllers, legacy, models, wizards
from .hooks import pre_init_hook, uninstall_hook
from odoo.addons.bank_sync_common.tools.quiet_calls import keep_quiet

keep_quiet("account.online.phone")
