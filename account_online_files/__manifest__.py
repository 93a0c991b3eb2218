{
    "name": "Bank Statement Files",
    "summary": "Imports bank statement files with a preview, skips known transactions, and can be undone",
    "version": "19.0.1.0.0",
    "category": "Accounting/Accounting",
    "author": "account_online_synchronization contributors",
    "maintainer": "account_online_synchronization contributors",
    "license": "LGPL-3",
    "development_status": "Alpha",
    "depends": ["account_online_synchronization", "bank_statement_formats"],
    "data": [
        "security/ir.model.access.csv",
        "security/account_online_files_rules.xml",
        "data/ir_cron.xml",
        "wizards/account_online_file_import_views.xml",
        "views/account_online_file_views.xml",
        "views/account_online_link_views.xml",
        "views/account_journal_views.xml",
        "views/account_bank_statement_line_views.xml",
    ],
    "assets": {
        "web.assets_backend": ["account_online_files/static/src/**/*"],
    },
}
