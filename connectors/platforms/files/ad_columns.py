"""Say which columns files of ad spend have: a person's own, Meta Ads Manager's in several languages, and Google Ads' reports."""

from connectors.platforms.files.cost_sheet import Kind
from connectors.platforms.files.headers import Field
from ledger.kinds import AdTeller

SPEND_NUMBERS = ("spend", "conversions", "value", "impressions", "clicks")

AD_SPEND = Kind(
    "ad-spend", "Ad spend by day",
    (
        Field("day", "the day", ("day", "date", "spend date", "report date"), required=True),
        Field("platform", "the platform", ("platform", "ad platform", "network", "source")),
        Field("account", "the account", ("account id", "account", "ad account", "account name", "customer id")),
        Field("campaign", "the campaign's id", ("campaign id",)),
        Field("campaign_name", "the campaign", ("campaign name", "campaign")),
        Field("ad_group", "the ad group", ("ad group id", "ad set id", "ad group", "ad set", "ad group name", "ad set name")),
        Field("ad", "the ad", ("ad id", "ad name", "ad")),
        Field("spend", "the spend", ("spend", "ad spend", "amount spent", "cost", "costs", "spent", "amount"), required=True),
        Field("currency", "the currency", ("currency", "currency code")),
        Field("impressions", "impressions", ("impressions", "impr")),
        Field("clicks", "clicks", ("clicks", "link clicks")),
        Field("conversions", "conversions", ("conversions", "purchases", "orders", "results")),
        Field("value", "the conversion value", ("conversion value", "conv value", "purchases conversion value", "purchase value", "revenue")),
    ),
    SPEND_NUMBERS, "day",
)  # fmt: skip
META_ADS = Kind(
    "meta-ads", "Meta Ads Manager",
    (
        Field("day", "the day", ("day", "tag", "jour", "dia", "giorno", "dag", "date")),
        Field("start", "the first day", (
            "reporting starts", "reporting start", "berichtsbeginn", "berichtsstart", "auswertungsbeginn", "debut des rapports", "inicio del informe",
            "inicio de los informes", "inizio dei report", "inizio report", "inizio della segnalazione", "begin rapportage", "inicio dos relatorios",
        )),
        Field("end", "the last day", (
            "reporting ends", "reporting end", "berichtsende", "auswertungsende", "fin des rapports", "fin del informe", "fin de los informes",
            "fine dei report", "fine report", "fine della segnalazione", "einde rapportage", "termino dos relatorios", "encerramento dos relatorios",
        )),
        Field("account", "the account", ("account id", "account name", "konto id", "kontoname", "nom du compte", "nombre de la cuenta")),
        Field("campaign", "the campaign's id", (
            "campaign id", "kampagnen id", "id de la campagne", "identificador de la campana", "id campagna", "id da campanha", "campagne id",
        )),
        Field("campaign_name", "the campaign", (
            "campaign name", "campaign", "kampagnenname", "nom de la campagne", "nombre de la campana", "nome della campagna", "nome campagna",
            "campagnenaam", "nome da campanha",
        )),
        Field("ad_group_id", "the ad set's id", (
            "ad set id", "anzeigengruppen id", "id de l ensemble de publicites", "identificador del conjunto de anuncios", "id gruppo di inserzioni",
            "id do conjunto de anuncios",
        )),
        Field("ad_group", "the ad set", (
            "ad set name", "ad set", "anzeigengruppenname", "name der anzeigengruppe", "nom de l ensemble de publicites",
            "nombre del conjunto de anuncios", "nome del gruppo di inserzioni", "naam van advertentieset", "naam advertentieset",
            "nome do conjunto de anuncios",
        )),
        Field("ad_id", "the ad's id", (
            "ad id", "anzeigen id", "werbeanzeigen id", "id de la publicite", "identificador del anuncio", "id inserzione", "id do anuncio",
        )),
        Field("ad", "the ad", (
            "ad name", "ad", "anzeigenname", "name der werbeanzeige", "nom de la publicite", "nombre del anuncio", "nome dell inserzione",
            "nome inserzione", "naam van advertentie", "naam advertentie", "nome do anuncio",
        )),
        Field("status", "the status", ("campaign delivery", "delivery status", "delivery", "auslieferung der kampagne", "auslieferung")),
        Field("spend", "the amount spent", (
            "amount spent", "ausgegebener betrag", "montant depense", "importe gastado", "importo speso", "besteed bedrag", "valor usado",
            "valor gasto",
        ), required=True),
        Field("currency", "the currency", ("currency", "wahrung", "devise", "divisa", "moneda", "valuta", "moeda")),
        Field("impressions", "impressions", ("impressions", "impressionen", "impresiones", "impression", "impressioni", "weergaven", "impressoes")),
        Field("clicks", "clicks", (
            "link clicks", "clicks all", "link klicks", "klicks alle", "clics sur un lien", "clics tous", "clics en el enlace", "clics todos",
            "clic sul link", "clic tutti", "klikken op link", "cliques no link", "cliques todos",
        )),
        Field("conversions", "purchases", (
            "purchases", "website purchases", "kaufe", "website kaufe", "achats", "compras", "acquisti", "aankopen",
        )),
        Field("value", "the value of purchases", (
            "purchases conversion value", "website purchases conversion value", "conversion value", "conversion wert der kaufe", "conversion wert",
            "valeur de conversion des achats", "valor de conversion de compras", "valore di conversione degli acquisti",
            "valor de conversao de compras", "valor de conversao da compra",
        )),
    ),
    SPEND_NUMBERS, "day",
)  # fmt: skip
GOOGLE_ADS = Kind(
    "google-ads", "Google Ads report",
    (
        Field("day", "the day", ("day", "tag", "jour", "dia", "giorno", "dag", "date"), required=True),
        Field("account", "the account", ("customer id", "account id", "account", "account name", "konto", "kontoname", "compte")),
        Field("campaign", "the campaign's id", ("campaign id", "kampagnen id", "id de campagne", "id de la campana", "id campagna", "campagne id")),
        Field("campaign_name", "the campaign", (
            "campaign", "campaign name", "kampagne", "campagne", "campana", "campagna", "campanha",
        ), required=True),
        Field("ad_group_id", "the ad group's id", ("ad group id", "anzeigengruppen id")),
        Field("ad_group", "the ad group", (
            "ad group", "ad group name", "anzeigengruppe", "groupe d annonces", "grupo de anuncios", "gruppo di annunci", "advertentiegroep",
        )),
        Field("ad_id", "the ad's id", ("ad id",)),
        Field("status", "the status", ("campaign status", "campaign state", "status der kampagne", "kampagnenstatus")),
        Field("channel", "the campaign's type", ("campaign type", "advertising channel", "kampagnentyp", "type de campagne", "tipo de campana")),
        Field("spend", "the cost", ("cost", "kosten", "cout", "coste", "costo", "custo"), required=True),
        Field("currency", "the currency", (
            "currency code", "currency", "wahrungscode", "code de devise", "codigo de moneda", "codice valuta", "valutacode",
        )),
        Field("impressions", "impressions", ("impr", "impressions", "impressionen", "impresiones", "impressioni", "vertoningen", "impressoes")),
        Field("clicks", "clicks", ("clicks", "klicks", "clics", "clic", "klikken", "cliques")),
        Field("conversions", "conversions", ("conversions", "conv", "conversioni", "conversiones", "conversies", "conversoes")),
        Field("value", "the conversion value", (
            "conv value", "total conv value", "conversion value", "conversion wert", "conv wert", "valeur conv", "valor conv", "valore conv",
        )),
    ),
    SPEND_NUMBERS, "day",
)  # fmt: skip

KINDS = {kind.name: kind for kind in (AD_SPEND, META_ADS, GOOGLE_ADS)}
TELLERS = {AD_SPEND.name: AdTeller.PERSON, META_ADS.name: AdTeller.EXPORT, GOOGLE_ADS.name: AdTeller.EXPORT}
"""Who tells what a kind of file says: the platform's own file is surer than a person's."""
PLATFORM_OF = {META_ADS.name: "meta_ads", GOOGLE_ADS.name: "google_ads"}
"""The platform that a file's rows are of, where the kind of file says it."""

_PLATFORMS = {
    "meta_ads": "meta, meta ads, facebook, facebook ads, instagram, instagram ads, fb, ig",
    "google_ads": "google, google ads, adwords, google adwords, youtube, youtube ads",
    "microsoft_ads": "microsoft, microsoft ads, microsoft advertising, bing, bing ads",
    "tiktok_ads": "tiktok, tiktok ads, tik tok",
    "pinterest_ads": "pinterest, pinterest ads",
    "snapchat_ads": "snapchat, snapchat ads, snap, snap ads",
    "linkedin_ads": "linkedin, linkedin ads",
    "reddit_ads": "reddit, reddit ads",
    "x_ads": "x, x ads, twitter, twitter ads",
    "amazon_ads": "amazon, amazon ads, amazon advertising",
    "other": "other, others, other ads",
}
PLATFORMS = {word.strip(): name for name, words in _PLATFORMS.items() for word in words.split(",")}
"""What people call advertising platforms."""
