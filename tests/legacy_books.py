"""Books of two companies whose bank journals an earlier module has filled. Executed inside Odoo's shell."""

from datetime import date, timedelta

#: ``ref`` of a line says what id an earlier module gave it.
REFS = ("T", "same", "same", "blank", "none", "long", "T", "T")
DAY = date(2026, 5, 18)


def prepare(env):
    """Four bank journals, the last in a second company, with some lines each."""
    main = env.ref("base.main_company")
    other = env["res.company"].create({"name": "Second Company", "currency_id": env.ref("base.USD").id})
    env.user.company_ids += other
    env["account.chart.template"].try_loading("generic_coa", other)
    for number, company in enumerate((main, main, main, other), 1):
        journal = env["account.journal"].create(
            {"name": f"Feed {number}", "code": f"FEED{number}", "type": "bank", "company_id": company.id}
        )
        if number <= 2:
            journal.set_bank_account("BE71 0961 2345 6769" if number == 1 else "BE68 5390 0754 7034")
        env["account.bank.statement.line"].create(
            [
                {
                    "journal_id": journal.id,
                    "date": DAY - timedelta(days=position),
                    "amount": -2.5 if ref == "same" else 10 * number + position,
                    "payment_ref": f"Line {position}",
                    "ref": ref,
                }
                for position, ref in enumerate(REFS)
            ]
        )
