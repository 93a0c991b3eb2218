"""Headers as banks write them: what each column is taken for. The contents are invented."""

import io

import pytest

from bank_statement_formats.formats import Options
from bank_statement_formats.formats.tables import propose_mapping

OTHER, OWN = "DE02500105170137075030", "DE89370400440532013000"


def table(header, *rows, delimiter=";"):
    return "\n".join([header, *(row.replace(";", delimiter) if delimiter != ";" else row for row in rows)]) + "\n"


LAYOUTS = {
    "sparkasse": (
        "Auftragskonto;Buchungstag;Valutadatum;Buchungstext;Verwendungszweck;Glaeubiger ID;Mandatsreferenz;"
        "Kundenreferenz (End-to-End);Sammlerreferenz;Lastschrift Ursprungsbetrag;Auslagenersatz Ruecklastschrift;"
        "Beguenstigter/Zahlungspflichtiger;Kontonummer/IBAN;BIC (SWIFT-Code);Betrag;Waehrung;Info",
        (
            f"{OWN};29.05.26;29.05.26;LASTSCHRIFT;Strom;DE98ZZZ;M-1;E-1;;;;Stadtwerke;{OTHER};INGDDEFFXXX;-85,00;EUR;",
            f"{OWN};04.05.26;04.05.26;GUTSCHRIFT;Lohn;;;;;;;Acme;{OTHER};INGDDEFFXXX;1.234,50;EUR;",
        ),
        {
            "account_number": 0,
            "booking_date": 1,
            "value_date": 2,
            "mandate_id": 6,
            "end_to_end_id": 7,
            "counterparty_name": 11,
            "counterparty_number": 12,
            "counterparty_bic": 13,
            "amount": 14,
            "currency": 15,
        },
    ),
    "dkb": (
        "Buchungsdatum;Wertstellung;Status;Zahlungspflichtige*r;Zahlungsempfänger*in;Verwendungszweck;Umsatztyp;IBAN;"
        "Betrag (€);Gläubiger-ID;Mandatsreferenz;Kundenreferenz",
        (
            f"29.05.26;29.05.26;Gebucht;Me;Stadtwerke;Strom;Ausgang;{OTHER};-85,00;;;",
            "28.05.26;28.05.26;Gebucht;Acme;Me;Lohn;Eingang;;1.234,50;;;",
        ),
        {"booking_date": 0, "payer": 3, "payee": 4, "counterparty_number": 7, "amount": 8, "status": 2},
    ),
    "n26": (
        "Booking Date,Value Date,Partner Name,Partner Iban,Type,Payment Reference,Account Name,Amount (EUR),"
        "Original Amount,Original Currency,Exchange Rate",
        (
            f"2026-05-29,2026-05-29,Stadtwerke,{OTHER},Direct Debit,Strom,Main,-85.00,,,",
            "2026-05-04,2026-05-04,Hotel,,Presentment,,Main,-92.10,100.00,USD,0.921",
        ),
        {
            "booking_date": 0,
            "value_date": 1,
            "counterparty_name": 2,
            "counterparty_number": 3,
            "amount": 7,
            "foreign_amount": 8,
            "foreign_currency": 9,
        },
    ),
    "wise": (
        "TransferWise ID,Date,Amount,Currency,Description,Payment Reference,Running Balance,Exchange From,Exchange To,"
        "Payee Name",
        (
            "TRANSFER-2,29-05-2026,-85.00,EUR,Sent money,Strom,915.00,,,Stadtwerke",
            "TRANSFER-1,04-05-2026,1000.00,EUR,Received,Lohn,1000.00,,,",
        ),
        {"booking_date": 1, "amount": 2, "currency": 3, "balance": 6, "payee": None},
    ),
    "chase": (
        "Details,Posting Date,Description,Amount,Type,Balance,Check or Slip #",
        (
            "DEBIT,05/29/2026,POWER,-85.00,ACH_DEBIT,1915.00,",
            "CREDIT,05/04/2026,ACME,1000.00,ACH_CREDIT,2000.00,",
        ),
        {"booking_date": 1, "amount": 3, "balance": 5},
    ),
    "hsbc": (
        "Date,Transaction Type,Description,Paid Out,Paid In,Balance",
        ("04 May 2026,CR,ACME,,1000.00,2000.00", "29 May 2026,DD,POWER,85.00,,1915.00"),
        {"booking_date": 0, "debit": 3, "credit": 4, "balance": 5},
    ),
    "credit agricole": (
        "Date;Libellé;Débit euros;Crédit euros;",
        ("29/05/2026;PRELEVEMENT EDF;85,00;;", "04/05/2026;VIREMENT ACME;;1 000,00;"),
        {"booking_date": 0, "debit": 2, "credit": 3},
    ),
    "boursorama": (
        "dateOp;dateVal;label;category;amount;comment;accountNum;accountbalance",
        (
            '2026-05-29;2026-05-29;"PRLV EDF";Energie;-85,00;;00012345678;1915,00',
            '2026-05-04;2026-05-04;"VIR ACME";Salaire;1 000,00;;00012345678;2000,00',
        ),
        {"booking_date": 0, "amount": 4},
    ),
    "bbva": (
        "F.Valor;Fecha;Concepto;Movimiento;Importe;Divisa;Disponible;Observaciones",
        (
            "29/05/2026;29/05/2026;Recibo luz;Pago;-85,00;EUR;1.915,00;",
            "04/05/2026;04/05/2026;Nomina;Abono;1.000,00;EUR;2.000,00;",
        ),
        {"value_date": 0, "booking_date": 1, "amount": 4, "currency": 5},
    ),
    "rabobank": (
        '"IBAN/BBAN","Munt","BIC","Volgnr","Datum","Rentedatum","Bedrag","Saldo na trn","Tegenrekening IBAN/BBAN",'
        '"Naam tegenpartij","Naam uiteindelijke partij","Code","Machtigingskenmerk","Omschrijving-1"',
        (
            '"NL91ABNA0417164300","EUR","RABONL2U","1","2026-05-04","2026-05-04","+1000,00","+2000,00","NL02RABO0123456789",'
            '"Acme","","cb","","Salaris"',
            '"NL91ABNA0417164300","EUR","RABONL2U","2","2026-05-29","2026-05-29","-85,00","+1915,00","NL39INGB0001234567",'
            '"Energie","","ei","M-1","Termijn"',
        ),
        {
            "account_number": 0,
            "currency": 1,
            "booking_date": 4,
            "value_date": 5,
            "amount": 6,
            "balance": 7,
            "counterparty_number": 8,
            "counterparty_name": 9,
            "mandate_id": 12,
        },
    ),
    "icbc": (
        "交易日期,摘要,交易场所,币种,记账金额(收入),记账金额(支出),余额,对方户名",
        ("2026-05-04,工资,,人民币,1000.00,,2000.00,安吉公司", "2026-05-29,电费,,人民币,,85.00,1915.00,国家电网"),
        {"booking_date": 0, "balance": 6, "counterparty_name": 7},
    ),
    "alipay": (
        "交易时间,交易分类,交易对方,对方账号,商品说明,收/支,金额,收/付款方式,交易状态",
        (
            "2026-05-29 10:00:00,生活,国家电网,a***@b.cn,电费,支出,85.00,余额宝,交易成功",
            "2026-05-04 09:00:00,收入,安吉公司,c***@d.cn,工资,收入,1000.00,余额宝,交易成功",
        ),
        {"booking_date": 0, "sign": 5, "amount": 6, "counterparty_name": 2},
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_columns_of_a_bank_are_recognised(name):
    header, rows, expected = LAYOUTS[name]
    mapping = propose_mapping(io.BytesIO(table(header, *rows).encode()), "", Options(currency="EUR"))
    found = {role: columns[0] for role, columns in mapping["columns"].items()}
    assert {role: found.get(role) for role in expected} == expected
    assert [question["field"] for question in mapping["unsure"]] == []
    amounts = sorted((one["amount"] for one in mapping["preview"]), key=float)
    assert float(amounts[0]) < 0 and len(mapping["preview"]) == 2
