"""Encodings are found, and what is assumed is said."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_statement_formats.formats import FormatError, Options
from bank_statement_formats.formats.encodings import PLAUSIBLE, decode

WESTERN = "Buchungstag;Empfänger;Betrag\n01.05.2026;Müller & Söhne Straßenbau;-12,30\n02.05.2026;Café à la crème;5,00\n"
EURO = "Fecha;Concepto;Importe €\n01/05/2026;Señor Muñoz – alquiler año;-12,30\n"
POLISH = (
    "Data;Kontrahent;Kwota\n01.05.2026;Łódź Spółka z o.o. Wpłata własna;-12,30\n02.05.2026;Zażółć gęślą jaźń;1,00\n"
)
RUSSIAN = "Дата;Получатель;Сумма\n01.05.2026;ООО Ромашка оплата по счёту;-12,30\n"
CHINESE = (
    "交易日期,摘要,收入金额,支出金额,账户余额\n2026-05-01,工资,100.00,,1100.00\n2026-05-02,餐费支付,,12.30,1087.70\n"
)
JAPANESE = "取引日,摘要,お支払金額,お預り金額,残高\n2026/05/01,カード お引落し,100,,1100\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (WESTERN, "cp1252"),
        (WESTERN, "cp850"),
        (WESTERN, "cp437"),
        (EURO.replace("–", "-"), "iso8859-15"),
        (EURO, "cp1252"),
        (POLISH, "cp1250"),
        (POLISH, "iso8859-2"),
        (RUSSIAN, "cp1251"),
        (CHINESE, "gb18030"),
        (JAPANESE, "cp932"),
    ],
)
def test_an_encoding_of_banks_is_found_and_said(text, encoding):
    found, name, warnings = decode(text.encode(encoding))
    assert found == text
    assert len(warnings) == 1 and PLAUSIBLE[name] in warnings[0]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-8", "ascii"])
def test_what_is_certain_has_no_warning(encoding):
    text = "date;text;amount\n2026-05-01;Grosse Strasse;1.00\n" if encoding == "ascii" else WESTERN
    assert decode(text.encode(encoding)) == (text, encoding if encoding not in ("ascii",) else "utf-8", [])


def test_a_declaration_is_believed_where_it_holds():
    document = '<?xml version="1.0" encoding="ISO-8859-15"?><a>5 € für Müller</a>'
    assert decode(document.encode("iso8859-15")) == (document, "iso8859-15", [])


def test_a_declaration_that_is_wrong_is_not_believed():
    document = '<?xml version="1.0" encoding="ISO-8859-1"?><a>5 € für Müller</a>'
    assert decode(document.encode()) == (document, "utf-8", [])
    text, encoding, warnings = decode(document.replace("ISO-8859-1", "UTF-8").encode("cp1252"))
    assert "Müller" in text and encoding == "cp1252" and "UTF-8" in warnings[0]


@pytest.mark.parametrize("name", ["cp1", "zip", "rot13", "klingon"])
def test_a_declared_encoding_that_is_none_is_not_used(name):
    document = f'<?xml version="1.0" encoding="{name}"?><a>für Müller</a>'
    text, encoding, warnings = decode(document.encode("cp1252"))
    assert text == document and encoding == "cp1252" and name in warnings[0]


def test_a_chosen_encoding_that_does_not_fit_names_the_line():
    with pytest.raises(FormatError) as caught:
        decode(b"a\nb\n\xe4\n", Options(encoding="utf-8"))
    assert caught.value.place == "line 3"
    with pytest.raises(FormatError):
        decode(b"a", Options(encoding="klingon"))


@given(st.binary(max_size=400))
def test_any_bytes_become_text(data):
    try:
        text, encoding, _warnings = decode(data)
    except FormatError:
        assert data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE))
    else:
        assert type(text) is str and codecs.lookup(encoding)
