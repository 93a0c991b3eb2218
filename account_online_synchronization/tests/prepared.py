"""The companies that most tests work in; ``scripts/test`` keeps them in the database that it copies."""

from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.addons.uom.tests.common import UomCommon
from odoo.fields import Command
from odoo.tests import new_test_user

MODULE = "__bank_sync_test__"


def find(env, name):
    """:return: a record that was prepared in this database, or None"""
    return env.ref(f"{MODULE}.{name}", raise_if_not_found=False) or None


def make_user(env):
    """:return: an accountant who may do everything"""
    return new_test_user(
        env,
        name="Prepared Accountant",
        # Why not Odoo's login: classes on Odoo's own common class make theirs in the same database.
        login="prepared_accountant",
        email="prepared_accountant@example.com",
        groups="base.group_user,base.group_system,account.group_account_manager,account.group_account_user",
    )


def make_company(env, name):
    """:return: a company with a chart of accounts and journals of each kind"""
    values = {"name": name}
    if "iap_enrich_auto_done" in env["res.company"]._fields:
        # Why: Odoo would query its own online service about the company.
        values["iap_enrich_auto_done"] = True
    company = env["res.company"].create(values)
    template = env["account.chart.template"]._guess_chart_template(company.country_id)
    env["account.chart.template"].try_loading(template, company=company, install_demo=False)
    company.account_fiscal_country_id = company.account_fiscal_country_id or env.ref("base.us")
    env["account.journal"].create(
        [
            {"type": "cash", "name": "Cash", "company_id": company.id},
            {"type": "credit", "name": "Credit", "code": "CCD1", "company_id": company.id},
        ]
    )
    return company


def keep(env):
    """Make them for all tests of a database."""
    # Why: pytest-odoo gives all its workers one filestore. Same records, same content, same file: one worker wrote it
    # or collected it as garbage while another one read it.
    env["ir.config_parameter"].set_param("ir_attachment.location", "db")
    records = {"user": make_user(env), "company": make_company(env, "Prepared Company")}
    records["other_company"] = make_company(env, "Other Prepared Company")
    records["user"].write({"company_id": records["company"].id, "company_ids": [Command.set(records["company"].ids)]})
    for name, record in records.items():
        env["ir.model.data"]._update_xmlids([{"xml_id": f"{MODULE}.{name}", "record": record, "noupdate": True}])
    # Why: the user who creates companies gets access to them, and would then see several.
    env.user.company_ids -= records["company"] + records["other_company"]


class PreparedBooks(AccountTestInvoicingCommon):
    """Odoo's common class for accounting, without the data that none of our tests uses.

    Odoo's own makes for each class a company, taxes, products, fiscal positions, payment terms and users: seconds.
    """

    @classmethod
    def setUpClass(cls):
        # Why not our parent's: that is what makes all this. BaseCommon chooses the user and the company.
        super(UomCommon, cls).setUpClass()
        cls.company_data = cls.collect_company_accounting_data(cls.env.company)
        cls.partner_a, cls.partner_b = cls.env["res.partner"].create([{"name": "partner_a"}, {"name": "partner_b"}])

    @classmethod
    def setup_independent_user(cls):
        return find(cls.env, "user") or make_user(cls.env)

    @classmethod
    def setup_independent_company(cls, **kwargs):
        return find(cls.env, "company") or make_company(cls.env, "Prepared Company")

    @classmethod
    def setup_other_company(cls, **values):
        """One for each class or test: a second call gives the same."""
        company = find(cls.env, "other_company") or make_company(cls.env, "Other Prepared Company")
        company.write(values)
        cls.env.user.company_ids = [Command.link(company.id)]
        return cls.collect_company_accounting_data(company)

    @classmethod
    def collect_company_accounting_data(cls, company):
        journals = cls.env["account.journal"].search([("company_id", "=", company.id)])
        Account = cls.env["account.account"].with_company(company)
        return {
            "company": company,
            "currency": company.currency_id,
            **{
                f"default_journal_{kind}": journals.filtered(lambda journal, kind=kind: journal.type == kind)[:1]
                for kind in ("bank", "cash", "credit", "sale", "purchase")
            },
            **{
                f"default_account_{name}": Account.search(
                    [*Account._check_company_domain(company), ("account_type", "=", kind)], limit=1
                )
                for name, kind in (("revenue", "income"), ("expense", "expense"))
            },
        }
