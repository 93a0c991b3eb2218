"""What only a proxy for many databases needs has become a separate addon, bank_sync_proxy_server.

Its tables, columns and records are moved there before Odoo loads either addon, so that nothing is dropped and created
again. A database that serves only itself does not get that addon; its empty tables and columns are removed.
"""

OLD, NEW = "bank_sync_proxy", "bank_sync_proxy_server"

MODELS = (
    "bank.sync.concern",
    "bank.sync.gate",
    "bank.sync.intervention",
    "bank.sync.nonce",
    "bank.sync.phone.code",
    "bank.sync.reason",
    "bank.sync.registration",
    "bank.sync.suspicion",
)
#: Fields that the new addon adds to models which stay.
FIELDS = {
    "bank.sync.client": (
        *("awaits_phone_since", "blocked_by", "confirmed_url", "contact_email", "copy_noted_at", "database_digest"),
        *("error_count", "error_ids", "event_count", "event_ids", "is_address_confirmed", "language"),
        *("last_activity_at", "phone", "phone_hint", "reason", "secret_data", "secret_phone", "state"),
        *("suspicion_count", "suspicion_ids", "url"),
    ),
    "bank.sync.connection": (),
    "bank.sync.error": ("address", "client_url"),
}
#: Models that have a chatter only with the new addon.
WITH_CHATTER = ("bank.sync.client", "bank.sync.connection")
EVENTS = ("client.active", "client.blocked", "client.disconnected", "client.phone_required")
CONSTRAINTS = ("bank_sync_error_refused",)
#: Views, actions, menus, scheduled actions, access rights, ready-made reasons: names begin so.
RECORDS = (
    *("bank_sync_client_action", "bank_sync_client_menu", "bank_sync_client_view_", "bank_sync_configuration_menu"),
    *("bank_sync_concern_", "bank_sync_intervention_", "bank_sync_reason_", "bank_sync_suspicion_"),
    *("bank_sync_nonce_", "bank_sync_phone_code_", "bank_sync_registration_"),
    *("ir_cron_forget_nonces", "institutions_layout", "institutions_off", "institutions_public"),
)
#: Tables, children before parents. The view of PostgreSQL behind the concerns is a query of its model.
TABLES = (
    *("bank_sync_client_bank_sync_intervention_rel", "bank_sync_connection_bank_sync_intervention_rel"),
    *("bank_sync_intervention", "bank_sync_nonce", "bank_sync_phone_code", "bank_sync_reason"),
    *("bank_sync_registration", "bank_sync_suspicion"),
)
#: Each finds a row only where other databases are served, or that has been prepared.
TRACES = (
    "SELECT 1 FROM bank_sync_client WHERE is_embedded IS NOT TRUE OR state <> 'active'",
    "SELECT 1 FROM bank_sync_phone_code",
    "SELECT 1 FROM bank_sync_registration",
    "SELECT 1 FROM bank_sync_nonce",
    "SELECT 1 FROM bank_sync_suspicion",
    "SELECT 1 FROM bank_sync_error WHERE address IS NOT NULL",
    "SELECT 1 FROM bank_sync_event WHERE kind LIKE 'client.%'",
    "SELECT 1 FROM bank_sync_reason WHERE write_date > create_date OR id NOT IN ("
    " SELECT res_id FROM ir_model_data WHERE model = 'bank.sync.reason' AND module = 'bank_sync_proxy')",
    "SELECT 1 FROM ir_config_parameter WHERE key = 'sms.endpoint'"
    " OR key ~ '^bank_sync_proxy[.](requests_|registrations_|suspicion_|public_|allow_)'",
    "SELECT 1 FROM iap_account a JOIN iap_service s ON s.id = a.service_id WHERE s.technical_name = 'sms'",
)


def migrate(cr, version):
    if not version:
        return
    moved = _find_moved(cr)
    if any(_finds(cr, query) for query in TRACES):
        _move(cr, moved, version)
    else:
        _remove(cr, moved)


def _finds(cr, query):
    cr.execute(f"{query} LIMIT 1")  # pylint: disable=sql-injection
    return bool(cr.rowcount)


def _find_moved(cr):
    """:return: list of (id, model, res_id) of the external ids of all that belongs to the new addon"""
    cr.execute("SELECT name FROM ir_model_fields WHERE model = 'mail.thread'")
    of_chatter = {name for (name,) in cr.fetchall()}
    cr.execute("SELECT name FROM ir_model_fields WHERE model = 'base'")
    of_chatter -= {name for (name,) in cr.fetchall()} | {"id", "display_name"}
    of_chatter -= {"create_uid", "create_date", "write_uid", "write_date"}
    names, prefixes = set(), list(RECORDS)
    for model in MODELS:
        table = model.replace(".", "_")
        names.add(f"model_{table}")
        prefixes += [f"field_{table}__", f"selection__{table}__", f"constraint_{table}_", f"model_inherit__{table}__"]
    for model, fields in FIELDS.items():
        table = model.replace(".", "_")
        chatter = of_chatter if model in WITH_CHATTER else ()
        names.update(f"field_{table}__{field}" for field in (*fields, *chatter))
        prefixes += [f"selection__{table}__{field}__" for field in fields]
    for model in WITH_CHATTER:
        names.add(f"model_inherit__{model.replace('.', '_')}__mail_thread")
    names.update(f"selection__bank_sync_event__kind__{kind.replace('.', '_')}" for kind in EVENTS)
    names.update(f"constraint_{name}" for name in CONSTRAINTS)
    cr.execute("SELECT id, name, model, res_id FROM ir_model_data WHERE module = %s", [OLD])
    return [
        (number, model, res_id)
        for number, name, model, res_id in cr.fetchall()
        if name in names or name.startswith(tuple(prefixes))
    ]


def _move(cr, moved, version):
    """Give all that to the new addon, which Odoo updates after this one as if it had always been there."""
    # Why not "to install": what users have changed of data that is theirs (noupdate) would be overwritten.
    cr.execute(
        "UPDATE ir_module_module SET state = 'to upgrade', latest_version = %s"
        " WHERE name = %s AND state <> 'installed'",
        [version, NEW],
    )
    if not cr.rowcount:
        raise RuntimeError(
            f"This database serves other databases, which is now done by the addon {NEW}: put it into the addons path "
            f"beside {OLD} and update again. Nothing has been changed."
        )
    cr.execute("UPDATE ir_model_data SET module = %s WHERE id = ANY(%s)", [NEW, [number for number, *_rest in moved]])
    views = [res_id for _number, model, res_id in moved if model == "ir.ui.view"]
    cr.execute(
        "UPDATE ir_ui_view SET key = %s || substr(key, %s) WHERE id = ANY(%s) AND starts_with(key, %s)",
        [NEW, len(OLD) + 1, views, f"{OLD}."],
    )
    for table in ("ir_model_constraint", "ir_model_relation"):
        cr.execute(
            f"UPDATE {table} SET module = new.id FROM ir_module_module old, ir_module_module new, ir_model m"  # pylint: disable=sql-injection
            f" WHERE old.name = %s AND new.name = %s AND {table}.module = old.id AND m.id = {table}.model"
            f" AND (m.model = ANY(%s) OR {table}.name = ANY(%s))",
            [OLD, NEW, list(MODELS), list(CONSTRAINTS)],
        )


def _remove(cr, moved):
    """Nothing of it was ever used. Odoo itself removes columns, views, menus and access rights after this update."""
    crons = [res_id for _number, model, res_id in moved if model == "ir.cron"]
    cr.execute("DELETE FROM ir_cron WHERE id = ANY(%s) RETURNING ir_actions_server_id", [crons])
    cr.execute("DELETE FROM ir_act_server WHERE id = ANY(%s)", [[number for (number,) in cr.fetchall()]])
    cr.execute(
        "DELETE FROM ir_rule WHERE id = ANY(%s)", [[res_id for _n, model, res_id in moved if model == "ir.rule"]]
    )
    gone = ("bank.sync.reason", "ir.actions.server", "ir.cron", "ir.rule")
    cr.execute("DELETE FROM ir_model_data WHERE id = ANY(%s)", [[n for n, model, _id in moved if model in gone]])
    for table in TABLES:
        cr.execute(f"DROP TABLE IF EXISTS {table}")  # pylint: disable=sql-injection
