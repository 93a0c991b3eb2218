"""Words in tables: headers, words for debit and credit, names of months, in the form of :func:`plain`.

Languages of known bank exports: en de fr es nl zh it pt pl sv da no.
"""

import re
import unicodedata
from functools import lru_cache

NOT_WORDS = re.compile(r"[\W_]+")
#: Words that are joined, such as RunningBalance.
JOINED = re.compile(r"([a-zäöüß])([A-Z][a-z])")
IN_BRACKETS = re.compile(r"[(（\[][^()（）\[\]]{0,40}[)）\]]")


def _words(text):
    """:param str text: words separated by vertical bars"""
    return frozenset(text.split("|"))


#: Roles of columns → their headers. A longer text is more certain than a shorter one inside it.
HEADERS = {
    "booking_date": (
        "date|dateop|date op|journal date|created|booking date|transaction date|trans date|posting date|"
        "post date|posted date|date posted|entry date|completed date|process date|processed date|"
        "transaction time|datum|buchungstag|buchungsdatum|buchung|belegdatum|transaktionsdatum|"
        "auftragsdatum|umsatzdatum|date operation|date de l operation|date d operation|date comptable|"
        "date de comptabilisation|date comptabilisation|date ecriture|date transaction|date de transaction|"
        "date d execution|date de l ecriture|fecha|fecha operacion|fecha de operacion|f operacion|"
        "fecha contable|fecha movimiento|fecha de la operacion|boekdatum|boekingsdatum|transactiedatum|"
        "datum transactie|uitvoeringsdatum|datum boeking|journaaldatum|日期|交易日期|交易日|记账日期|"
        "记账日|入账日期|入账时间|交易时间|账务日期|取引日|お取引日|年月日|data|data operazione|"
        "data contabile|data registrazione|data lancamento|data movimento|data mov|data operacao|"
        "data do lancamento|data ksiegowania|data operacji|data transakcji|bokforingsdag|bokforingsdatum|"
        "bogfort|bogforingsdato|dato|bokfort|transaktionsdag|bokforingsdato|utfort dato"
    ),
    "value_date": (
        "value date|dateval|date val|value|val date|interest date|effective date|valuta|valutadatum|"
        "wertstellung|wertstellungstag|wertstellungsdatum|wert|date valeur|date de valeur|valeur|"
        "fecha valor|f valor|fecha de valor|rentedatum|起息日|起息日期|价值日期|data valuta|data valor|"
        "data waluty|valutadag|rentedato|valuteringsdatum"
    ),
    "amount": (
        "amount|transaction amount|amt|net amount|net|payment amount|amount account currency|betrag|umsatz|"
        "buchungsbetrag|umsatzbetrag|betrag in eur|umsatz in eur|betrag eur|montant|montant operation|"
        "montant de l operation|montant net|importe|cantidad|monto|importe operacion|importe eur|"
        "importe movimiento|bedrag|bedrag eur|transactiebedrag|金额|交易金额|发生额|交易额|发生金额|"
        "importo|importo operazione|valor|quantia|montante|kwota|kwota operacji|kwota transakcji|belopp|"
        "belob|belop"
    ),
    "debit": (
        "debit|debit amount|debits|withdrawal|withdrawals|paid out|money out|out|payments|"
        "withdrawal amount|dr|outgoing|soll|belastung|lastschrift|ausgang|ausgaben|auszahlung|belastungen|"
        "sollbetrag|montant debit|debit euros|debit eur|depense|depenses|debe|cargo|cargos|gasto|gastos|"
        "pagos|retiro|retiros|adeudo|af|uitgaven|bedrag af|debet|支出|支出金额|借方|借方金额|借方发生额|"
        "支出额|付款金额|お支払金額|お引出し|引出金額|出金|出金金額|dare|uscite|addebiti|addebito|debito|"
        "saidas|obciazenia|obciazenie|ut|ut fra konto|ud"
    ),
    "credit": (
        "credit|credit amount|credits|deposit|deposits|paid in|money in|in|receipts|deposit amount|cr|"
        "incoming|haben|gutschrift|eingang|einnahmen|einzahlung|gutschriften|habenbetrag|montant credit|"
        "credit euros|credit eur|recette|recettes|haber|abono|abonos|ingreso|ingresos|deposito|depositos|"
        "bij|inkomsten|bedrag bij|收入|收入金额|贷方|贷方金额|贷方发生额|存入|收入额|收款金额|お預り金額|"
        "お預入れ|預入金額|入金|入金金額|avere|entrate|accrediti|accredito|credito|entradas|uznania|"
        "uznanie|inn|inn pa konto|ind"
    ),
    "sign": (
        "debit credit|credit debit|dr cr|cr dr|d c|c d|dc|cd|debit credit indicator|credit debit indicator|"
        "indicator|sign|soll haben|s h|sh|soll haben kennzeichen|sens|sens operation|debit ou credit|"
        "debe haber|cargo abono|af bij|bij af|debet credit|plus min|借贷|借贷标志|收支|收 支|收支类型|"
        "借贷方向|dare avere|debito credito|d w|debet kredit"
    ),
    "balance": (
        "balance|accountbalance|running balance|account balance|balance after|ledger balance|"
        "closing balance|available balance|saldo|kontostand|saldo nach buchung|neuer saldo|saldo in eur|"
        "saldo danach|solde|solde apres operation|solde progressif|saldo disponible|saldo contable|"
        "saldo tras operacion|saldo na mutatie|saldo na transactie|saldo na trn|余额|账户余额|本次余额|"
        "交易后余额|残高|差引残高|saldo contabile|saldo contabilistico|saldo po operacji|"
        "saldo po transakcji|bokfort saldo|saldo apos"
    ),
    "currency": (
        "currency|monn|ccy|curr|currency code|account currency|wahrung|waehrung|devise|monnaie|divisa|"
        "moneda|munt|muntsoort|币种|货币|币别|交易币种|通貨|moeda|waluta|valuta code|valutakod|valutakode"
    ),
    "counterparty_name": (
        "name|payee|counterparty|counterparty name|counter party|beneficiary|merchant|merchant name|"
        "other party|partner|payer payee|payee payer|account name|contact|from to|beneficiary name|payer|"
        "partner name|name of counterparty|empfanger|auftraggeber|auftraggeber empfanger|"
        "empfanger auftraggeber|beguenstigter zahlungspflichtiger|begunstigter zahlungspflichtiger|"
        "beguenstigter|begunstigter|zahlungsempfanger|zahlungspflichtiger|auftraggeber zahlungsempfanger|"
        "name zahlungsbeteiligter|zahlungsempfanger zahlungspflichtiger|gegenpartei|"
        "auftraggeber begunstigter|auftraggeber beguenstigter|absender empfanger|kontoinhaber gegenkonto|"
        "tiers|beneficiaire|contrepartie|nom|nom contrepartie|nom de la contrepartie|donneur d ordre|"
        "emetteur|beneficiario|ordenante|contrapartida|nombre|tercero|ordenante beneficiario|tegenpartij|"
        "naam|naam tegenpartij|naam omschrijving|naam tegenrekening|begunstigde|naam begunstigde|对方户名|"
        "对方名称|交易对方|对方账户名称|对方账号名称|收款人|付款人|对方|对手方|对方单位|controparte|"
        "ordinante|beneficiario ordinante|contraparte|kontrahent|nadawca odbiorca|odbiorca|nazwa odbiorcy|"
        "mottagare|modtager|mottaker|avsandare"
    ),
    "payer": (
        "payer name|sender|zahlungspflichtige r|zahlungspflichtiger name|auftraggeber name|付款人名称|付款方|nadawca"
    ),
    "payee": ("payee name|recipient|zahlungsempfanger in|zahlungsempfanger name|empfanger name|收款人名称|收款方"),
    "counterparty_number": (
        "counterparty account|counterparty iban|counterparty account number|beneficiary account|"
        "payee account|payee account number|payee iban|partner iban|counter account|"
        "account number counterparty|kontonummer iban|iban auftraggeberkonto|gegenkonto|iban kontonummer|"
        "konto empfanger|iban zahlungsbeteiligter|kontonummer empfanger|iban gegenkonto|"
        "kontonummer iban gegenkonto|iban gegenpartei|iban empfanger|compte contrepartie|iban contrepartie|"
        "compte tiers|compte du tiers|cuenta contrapartida|cuenta beneficiario|tegenrekening|"
        "tegenrekening iban bban|rekening tegenpartij|iban tegenpartij|rekeningnummer tegenpartij|对方账号|"
        "对方账户|对方卡号|对方帐号|收款账号|conto controparte|iban controparte|rachunek kontrahenta|"
        "numer rachunku kontrahenta|konto kontrahenta|motkonto|modkonto"
    ),
    "counterparty_bic": (
        "bic|swift|bic swift|counterparty bic|bic tegenpartij|swift code|bank code bic|blz|bic swift code|"
        "bic zahlungsbeteiligter|bic contrepartie"
    ),
    "remittance": (
        "description|desc|label|comment|details|memo|narrative|transaction description|transaction details|"
        "payment details|particulars|remittance information|notes|note|text|purpose|message|information|"
        "additional information|transaction|communication|type|transaction type|category of payment|"
        "product|narration|remarks|payment reference|title|verwendungszweck|buchungstext|beschreibung|"
        "umsatztext|mitteilung|zahlungszweck|vorgang|umsatzart|buchungsinformationen|buchungsdetails|"
        "avisierungstext|zahlungsgrund|umsatztyp|vorgang verwendungszweck|buchungsinformation|libelle|"
        "libelle operation|nature de l operation|intitule|motif|informations complementaires|"
        "libelle simplifie|detail|detail de l ecriture|type operation|type d operation|"
        "details du mouvement|concepto|descripcion|detalle|observaciones|mas datos|movimiento|"
        "detalle operacion|concepto ampliado|comentario|omschrijving|mededelingen|mededeling|"
        "vrije mededeling|mutatiesoort|details van de verrichting|soort verrichting|omschrijving 1|"
        "omschrijving 2|omschrijving 3|摘要|用途|附言|备注|交易摘要|交易类型|业务摘要|交易说明|说明|"
        "交易备注|摘要内容|お取引内容|取引内容|descrizione|causale|descrizione operazione|causale abi|"
        "descricao|historico|descritivo|tytul|tytul operacji|opis|opis operacji|opis transakcji|"
        "szczegoly transakcji|tytul platnosci|rodzaj operacji|tekst|beskrivning|beskrivelse|forklaring|"
        "meddelande|rubrik"
    ),
    "end_to_end_id": (
        "end to end id|end to end reference|endtoendid|customer reference|kundenreferenz|"
        "kundenreferenz end to end|end to end referenz|reference client|referencia cliente|end to end|"
        "kenmerk"
    ),
    "creditor_reference": (
        "creditor reference|structured reference|betalingskenmerk|referenznummer|qr referenz|esr referenz|ocr"
    ),
    "mandate_id": (
        "mandate|mandate id|mandate reference|mandatsreferenz|machtigingskenmerk|machtiging|reference mandat"
    ),
    "id": (
        "transaction id|id|transaction code id|fitid|transaktions id|unique id|umsatz id|"
        "balance transaction id|id transaction|id transaccion|交易流水号|流水号|交易号"
    ),
    "account_number": (
        "account|accountnum|account num|iban bban|account number|account no|iban|own account|account iban|"
        "auftragskonto|kontonummer|konto|iban auftragskonto|bezeichnung auftragskonto|eigenes konto|"
        "numero de compte|compte|cuenta|numero de cuenta|rekening|rekeningnummer|iban rekening|本方账号|"
        "账号|账户|帐号|conto|numero conto|conta|rachunek|numer rachunku|kontonr|kontonummer eget"
    ),
    "status": ("status|state|transaction status|umsatzstatus|statut|etat|estado|交易状态|stato|buchungsstatus"),
    "fee": ("fee|fees|gebuhr|gebuhren|frais|comision|kosten|手续费|commissione|tarifa|prowizja|avgift|gebyr"),
    "foreign_amount": (
        "original amount|foreign amount|amount original currency|originalbetrag|urspruenglicher betrag|"
        "ursprungsbetrag|betrag fremdwahrung|betrag original|montant devise|montant d origine|"
        "importe divisa|importe original|oorspronkelijk bedrag|bedrag vreemde valuta|instructed amount|"
        "orig amount|betrag in fremdwahrung|amount foreign currency"
    ),
    "foreign_currency": (
        "original currency|foreign currency|originalwahrung|fremdwahrung|devise d origine|divisa original|"
        "orig currency|oorspronkelijke munt|vreemde valuta|originalwaehrung|fremdwaehrung|local currency|"
        "ursprungswahrung"
    ),
    "ignore": (
        "category|kategorie|categorie|categoria|类别|glaubiger id|glaeubiger id|creditor id|"
        "creditor identifier|time|uhrzeit|sort code|bank|branch|volgnr|code|boekcode|incassant id|batch id|"
        "started date|created"
    ),
}
#: Roles that may have several columns.
SEVERAL = {"remittance", "ignore"}

#: Values that mean a debit. Not A, B, G and W: each is a debit in one country, and a credit elsewhere.
DEBIT_WORDS = _words(
    "d|dr|db|debit|dbit|s|soll|af|debet|debe|cargo|withdrawal|out|outgoing|payment|debito|dare|ausgang|"
    "ausgabe|belastung|lastschrift|depense|sortie|uitgaand|uscita|saida|借|借方|支出|支|付|付款|出|"
    "obciazenie|rc"
) | {"-", "−"}
CREDIT_WORDS = _words(
    "c|cr|k|credit|crdt|h|haben|bij|kredit|haber|abono|deposit|in|incoming|receipt|credito|avere|eingang|"
    "einnahme|gutschrift|recette|entree|inkomend|entrata|entrada|贷|贷方|收入|收|收款|入|uznanie|rd"
) | {"+"}
PENDING_WORDS = _words(
    "pending|vorgemerkt|offen|en attente|pendiente|in behandeling|authorised|authorized|处理中|待入账"
)
DROPPED_WORDS = _words(
    "reverted|declined|failed|cancelled|canceled|rejected|abgelehnt|storniert|refuse|rechazada|geweigerd|"
    "expired|denied|失败|已取消|已撤销|交易关闭"
)

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janvier janv enero ene januari gennaio gen janeiro stycznia sty",
            "feb february februar fevrier fevr fev febrero februari febbraio fevereiro lutego lut",
            "mar march marz maerz mrz mars marzo maart mrt marco marca",
            "apr april avril avr abril abr aprile kwietnia kwi",
            "may mai mayo mei maggio mag maio maj maja",
            "jun june juni juin junio giugno giu junho czerwca cze",
            "jul july juli juillet juil julio luglio lug julho lipca lip",
            "aug august aout agosto ago augustus augusti sierpnia sie",
            "sep sept september septembre septiembre settembre set setembro wrzesnia wrz",
            "oct october oktober okt octobre octubre ottobre ott outubro out pazdziernika paz",
            "nov november novembre noviembre novembro listopada lis",
            "dec december dezember dez decembre diciembre dic dicembre dezembro grudnia gru des desember",
        ),
        1,
    )
    for name in names.split()
}

#: Beginnings of lines above or below the table that contain a balance.
OPENING_WORDS = _words(
    "opening balance|beginning balance|start balance|previous balance|anfangssaldo|anfangsbestand|"
    "alter kontostand|solde initial|solde precedent|ancien solde|saldo inicial|saldo anterior|beginsaldo|"
    "vorig saldo|期初余额|上期余额|saldo iniziale|saldo poczatkowe"
)
CLOSING_WORDS = _words(
    "closing balance|ending balance|end balance|new balance|endsaldo|endbestand|neuer kontostand|"
    "schlusssaldo|solde final|nouveau solde|saldo final|eindsaldo|nieuw saldo|期末余额|saldo finale|"
    "saldo koncowe"
)


@lru_cache(maxsize=4096)
def plain(value):
    """A text in lower case without accents and punctuation, for comparison.

    >>> plain("Montant de l’Opération (EUR):"), plain("Zahlungsempfänger*in"), plain("金额（元）")
    ('montant de l operation', 'zahlungsempfanger in', '金额')
    """
    value = IN_BRACKETS.sub(" ", value[:200]) if not value.lstrip().startswith(("(", "（")) else value[:200]
    value = JOINED.sub(r"\1 \2", value)
    value = unicodedata.normalize("NFKD", value.casefold().replace("ł", "l").replace("ø", "o").replace("ß", "ss"))
    value = "".join(letter for letter in value if not unicodedata.combining(letter))
    return NOT_WORDS.sub(" ", value).strip()


ROLES = {phrase: role for role, phrases in HEADERS.items() for phrase in phrases.split("|")}
#: Longest first.
PHRASES = sorted(ROLES, key=len, reverse=True)


@lru_cache(maxsize=4096)
def role_of(cell):
    """
    :param str cell: of a header
    :return: (role, how certain from 0 to 1), or (None, 0)

    >>> role_of("Buchungstag"), role_of("Betrag (€)"), role_of("Amount in EUR"), role_of("Lorem")
    (('booking_date', 1.0), ('amount', 1.0), ('amount', 0.7), (None, 0))
    """
    words = plain(cell)
    if not words or len(words) > 60:
        return None, 0
    for inner in IN_BRACKETS.findall(cell[:100]):
        # 记账金额(收入): the brackets usually contain a currency, but here credit or debit.
        if ROLES.get(plain(inner[1:-1])) in ("debit", "credit"):
            return ROLES[plain(inner[1:-1])], 1.0
    if words in ROLES:
        return ROLES[words], 1.0
    if not words.isascii():
        # Scripts without spaces between words.
        for phrase in PHRASES:
            if not phrase.isascii() and phrase in words:
                return ROLES[phrase], 0.6
    padded = f" {words} "
    for phrase in PHRASES:
        if len(phrase) > 3 and padded.startswith(f" {phrase} "):
            return ROLES[phrase], 0.7
    for phrase in PHRASES:
        if len(phrase) > 4 and f" {phrase} " in padded:
            return ROLES[phrase], 0.5
    return None, 0
