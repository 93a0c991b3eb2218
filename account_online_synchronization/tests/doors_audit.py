"""What a call has changed in the database: triggers in PostgreSQL keep a list for every table, whatever code writes."""

from collections import defaultdict
from typing import NamedTuple

#: Their rows are shared between companies: a reference to them does not make a row belong to a company.
SHARED = ("res_users", "res_partner", "res_currency", "res_country", "res_groups", "res_company")

#: Columns that say who has done something, not whose it is.
AUTHORS = ("create_uid", "write_uid", "user_id", "author_id")

#: Tables that refer to records by model and id.
LOOSE = {
    "mail_message": ("model", "res_id"),
    "mail_followers": ("res_model", "res_id"),
    "mail_activity": ("res_model", "res_id"),
    "ir_attachment": ("res_model", "res_id"),
    "ir_model_data": ("model", "res_id"),
}


class Change(NamedTuple):
    table: str
    kind: str
    old: dict | None
    new: dict | None

    def columns(self):
        """:return: names of the columns that have another value now"""
        old, new = self.old or {}, self.new or {}
        return {name for name in {*old, *new} if old.get(name) != new.get(name)}

    def __str__(self):
        row = self.new or self.old
        if self.kind == "UPDATE":
            shown = {name: (self.old[name], self.new[name]) for name in sorted(self.columns())}
        else:
            shown = {name: value for name, value in row.items() if value is not None}
        return f"{self.kind} {self.table} {row.get('id', '')} {str(shown)[:400]}"


class Audit:
    """Triggers on every table of the database, and whose each row is. All of it goes with the test's transaction."""

    def __init__(self, cr):
        self.cr = cr
        cr.execute(
            """
            CREATE TABLE doors_audit (id bigserial, tbl text, kind text, old jsonb, new jsonb);
            CREATE FUNCTION doors_note() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'UPDATE' AND OLD *= NEW THEN
                    RETURN NULL;
                END IF;
                INSERT INTO doors_audit (tbl, kind, old, new) VALUES (
                    TG_TABLE_NAME, TG_OP,
                    CASE WHEN TG_OP IN ('UPDATE', 'DELETE') THEN to_jsonb(OLD) END,
                    CASE WHEN TG_OP IN ('UPDATE', 'INSERT') THEN to_jsonb(NEW) END
                );
                RETURN NULL;
            END $$;
            CREATE FUNCTION doors_note_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO doors_audit (tbl, kind, old) VALUES (TG_TABLE_NAME, TG_OP, '{}');
                RETURN NULL;
            END $$;
            DO $$
            DECLARE one record;
            BEGIN
                FOR one IN SELECT relname FROM pg_class
                            WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'doors_audit'
                LOOP
                    EXECUTE format('CREATE TRIGGER doors_row AFTER INSERT OR UPDATE OR DELETE ON %I'
                                   ' FOR EACH ROW EXECUTE FUNCTION doors_note()', one.relname);
                    EXECUTE format('CREATE TRIGGER doors_table AFTER TRUNCATE ON %I'
                                   ' FOR EACH STATEMENT EXECUTE FUNCTION doors_note_truncate()', one.relname);
                END LOOP;
            END $$;
            """
        )
        cr.execute("SELECT count(*) FROM pg_trigger WHERE tgname = 'doors_row'")
        self.tables = cr.fetchone()[0]
        self.references = self._read_references()

    def _read_references(self):
        """:return: list of (table, column, table that it refers to), as PostgreSQL knows them"""
        self.cr.execute(
            """
            SELECT source.relname, attname, target.relname
              FROM pg_constraint
              JOIN pg_class source ON source.oid = conrelid
              JOIN pg_class target ON target.oid = confrelid
              JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
             WHERE contype = 'f' AND cardinality(conkey) = 1
            """
        )
        return self.cr.fetchall()

    def changes(self):
        """:return: list of :class:`Change` since it was last asked"""
        self.cr.execute("DELETE FROM doors_audit RETURNING id, tbl, kind, old, new")
        return [Change(*row[1:]) for row in sorted(self.cr.fetchall(), key=lambda row: row[0])]

    def belongings(self, company):
        """:return: dict from tables to the ids of the company's rows, found through all references"""
        owned = defaultdict(set, {"res_company": {company.id}})
        self.cr.execute(
            "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'id'"
        )
        with_id = {name for (name,) in self.cr.fetchall()}
        wanted = [
            (table, column, target)
            for table, column, target in self.references
            if table in with_id
            and table not in SHARED
            and column not in AUTHORS
            and (target == "res_company" or target not in SHARED)
        ]
        models = {env_model._table: name for name, env_model in company.env.items() if env_model._table in with_id}
        grown = {"res_company"}
        while grown:
            before, targets, grown = {name: len(ids) for name, ids in owned.items()}, grown, set()
            for table, column, target in wanted:
                if target in targets:
                    self._add(owned, table, f'"{column}" IN %s', [tuple(owned[target])])
            for table, (model_column, id_column) in LOOSE.items():
                for target in targets:
                    if target in models and target not in SHARED:
                        condition = f'"{model_column}" = %s AND "{id_column}" IN %s'
                        self._add(owned, table, condition, [models[target], tuple(owned[target])])
            grown = {name for name, ids in owned.items() if len(ids) != before.get(name, 0)}
        return owned

    def _add(self, owned, table, condition, parameters):
        if parameters[-1]:
            self.cr.execute(f'SELECT id FROM "{table}" WHERE {condition}', parameters)
            owned[table].update(row[0] for row in self.cr.fetchall())

    def touches(self, change, owned, models):
        """Whether a row belongs to the company, belonged to it, or refers to something of it.

        :param dict owned: of :meth:`belongings`
        :param dict models: names of models to their tables
        """
        for row in filter(None, (change.old, change.new)):
            if row.get("id") in owned.get(change.table, ()):
                return True
            for table, column, target in self.references:
                if table == change.table and column not in AUTHORS and row.get(column) in owned.get(target, ()):
                    return True
            if change.table in LOOSE:
                model_column, id_column = LOOSE[change.table]
                if row.get(id_column) in owned.get(models.get(row.get(model_column)), ()):
                    return True
        return False
