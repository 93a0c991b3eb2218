from odoo.addons.bank_sync_common.tools.quiet_calls import keep_quiet

from . import models, wizards

keep_quiet("account.online.file.source")
