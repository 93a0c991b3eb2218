{
    "name": "Bank Reconciliation",
    "summary": "Books bank lines against what they pay, where it is certain, and proposes the rest",
    "version": "19.0.1.0.0",
    "category": "Accounting/Accounting",
    "author": "account_online_synchronization contributors",
    "license": "LGPL-3",
    "development_status": "Alpha",
    "depends": ["account_online_synchronization"],
    "external_dependencies": {"python": ["python-stdnum", "regex"]},
    "installable": False,
}
