{
    "name": "Bank Reconciliation",
    "summary": "Reconciles bank transactions where the match is certain, and proposes the rest with reasons",
    "version": "19.0.1.0.0",
    "category": "Accounting/Accounting",
    "author": "account_online_synchronization contributors",
    "maintainer": "account_online_synchronization contributors",
    "license": "LGPL-3",
    "development_status": "Alpha",
    "images": ["static/description/banner.png"],
    "depends": ["account_online_synchronization"],
    "data": [
        "security/ir.model.access.csv",
        "security/account_online_reconcile_rules.xml",
        "data/ir_cron.xml",
        "views/account_bank_statement_line_views.xml",
        "views/account_reconcile_decision_views.xml",
        "views/account_journal_views.xml",
        "views/account_journal_dashboard_views.xml",
    ],
    "assets": {
        "web.assets_backend": ["account_online_reconcile/static/src/**/*"],
        "web.assets_unit_tests": ["account_online_reconcile/static/tests/*.js"],
    },
    "external_dependencies": {
        "python": ["python-stdnum", "regex"],
        "apt": {"python-stdnum": "python3-stdnum", "regex": "python3-regex"},
    },
}
