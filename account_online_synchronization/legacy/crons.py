"""Scheduled actions of earlier modules, which would continue to send requests to banks."""

from .names import LEGACY_MODELS, LEGACY_MODULES


def active(schema):
    """SELECT of ``id, name`` of the active scheduled actions of earlier modules."""
    joins, conditions = "", []
    modules = ", ".join(f"'{name}'" for name in LEGACY_MODULES)
    models = ", ".join(f"'{name}'" for name in LEGACY_MODELS)
    if schema.has("ir_model_data"):
        conditions.append(
            "EXISTS (SELECT FROM ir_model_data xmlid WHERE xmlid.model = 'ir.cron' AND xmlid.res_id = cron.id"
            f" AND xmlid.module IN ({modules}))"
        )
    if schema.has("ir_cron", "ir_actions_server_id") and schema.has("ir_act_server"):
        joins = "LEFT JOIN ir_act_server action ON action.id = cron.ir_actions_server_id"
        conditions.append(f"{schema.text('ir_act_server', 'model_name', 'action')} IN ({models})")
        conditions.append(
            f"{schema.text('ir_act_server', 'code', 'action')} ~ 'account[._]online[._](provider|journal)'"
        )
    conditions.append(f"{schema.text('ir_cron', 'model', 'cron')} IN ({models})")
    names = [schema.text("ir_cron", column, "cron") for column in ("cron_name", "name")]
    return f"""
        SELECT cron.id, COALESCE({", ".join(names)}, cron.id::text) AS name
          FROM ir_cron cron
          {joins}
         WHERE cron.active AND ({" OR ".join(conditions)})
      ORDER BY cron.id
    """


def switch_off(schema):
    """:return: their names"""
    if not schema.has("ir_cron", "active"):
        return []
    found = schema.rows(active(schema))
    if found:
        schema.execute("UPDATE ir_cron SET active = FALSE WHERE id = ANY(%s)", [[row[0] for row in found]])
    return [name for _id, name in found]
