"""Events are delivered on demand. Before, the scheduled action ran every ten minutes, with events or without."""


def migrate(cr, version):
    cr.execute(
        """
        UPDATE ir_cron
           SET interval_number = 1, interval_type = 'days'
          FROM ir_model_data name
         WHERE name.model = 'ir.cron' AND name.res_id = ir_cron.id
           AND name.module = 'bank_sync_proxy' AND name.name = 'ir_cron_deliver_events'
           -- Why only then: an administrator may have chosen another interval.
           AND ir_cron.interval_number = 10 AND ir_cron.interval_type = 'minutes'
        """
    )
