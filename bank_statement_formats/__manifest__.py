{
    "name": "Bank Statement Formats",
    "summary": "Reads statement files of banks: CAMT, MT940, OFX, QIF, CODA, CFONB, Norma 43, BAI2, CSV and XLSX",
    "version": "19.0.1.0.0",
    "category": "Accounting/Accounting",
    "author": "account_online_synchronization contributors",
    "maintainer": "account_online_synchronization contributors",
    "license": "LGPL-3",
    "development_status": "Alpha",
    "images": ["static/description/banner.png"],
    "depends": ["bank_sync_common"],
    "external_dependencies": {
        "python": ["chardet", "lxml", "openpyxl"],
        "apt": {
            "chardet": "python3-chardet",
            "lxml": "python3-lxml",
            "openpyxl": "python3-openpyxl",
        },
    },
}
