from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..importer.windows import OVERLAP_DAYS
from .account_online_run import KEEP_ANSWERS, KEEP_RUNS

#: A century; what is longer is a slip of the keyboard.
MOST_DAYS = 36500


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    online_sync_overlap_days = fields.Integer(
        string="Days to Look Back",
        default=OVERLAP_DAYS,
        config_parameter="account_online_synchronization.overlap_days",
    )
    online_sync_keep_runs_days = fields.Integer(
        string="Days to Keep the History", default=KEEP_RUNS[1], config_parameter=KEEP_RUNS[0]
    )
    online_sync_keep_answers_days = fields.Integer(
        string="Days to Keep Raw Answers", default=KEEP_ANSWERS[1], config_parameter=KEEP_ANSWERS[0]
    )

    @api.constrains("online_sync_overlap_days", "online_sync_keep_runs_days", "online_sync_keep_answers_days")
    def _check_online_sync_days(self):
        least = {
            "online_sync_overlap_days": OVERLAP_DAYS,
            "online_sync_keep_runs_days": 1,
            "online_sync_keep_answers_days": 1,
        }
        for settings in self:
            for name, minimum in least.items():
                if not minimum <= settings[name] <= MOST_DAYS:
                    raise ValidationError(
                        self.env._(
                            "“%(setting)s” of the bank synchronization must be a number from %(least)s to %(most)s. "
                            "Please correct it in the settings of Invoicing.",
                            setting=settings._fields[name]._description_string(self.env),
                            least=minimum,
                            most=MOST_DAYS,
                        )
                    )
