from odoo.addons.bank_sync_common.tools.quiet_calls import keep_quiet
from odoo.tools import config

from . import controllers, models
from .hooks import pre_init_hook, uninstall_hook
from .tools.json_logs import JSON, OPTION, write_json

keep_quiet("bank.sync.provider", "bank.sync.provider.setting")
if config.get(OPTION) == JSON:
    write_json()
