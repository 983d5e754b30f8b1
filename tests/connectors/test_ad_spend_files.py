"""Files of ad spend: a person's own, Meta's and Google's, with what goes wrong in them."""

from pathlib import Path

import pytest
from django.core.management import call_command

from connectors.files import kinds as file_kinds
from connectors.files.costs.spend_files import AD_SPEND_FILES, GOOGLE_ADS_FILES, META_ADS_FILES
from connectors.files.kind import Count, Sum
from connectors.models import RawPayload
from connectors.platforms.files.faults import FileRefused
from ledger.models import AdDay, Campaign, Store
from tests.builders import a_store, ecb
from tests.connectors.taking import look, saved, take, undo
from tests.ledger_text import assert_entries

pytestmark = pytest.mark.django_db

OWN = """
    Day,Platform,Campaign,Spend,Currency,Impressions,Clicks,Conversions,Conversion value
    2026-03-03,Facebook,Brand,12.50,EUR,"1,000",40,2,90.00
    2026-03-03,TikTok,Dance,7.00,EUR,500,10,,
    2026-03-04,Facebook,Brand,13.00,EUR,1100,41,3,100.00
"""
META = """
    "Reporting starts","Reporting ends",Day,"Campaign name","Ad set name","Campaign ID","Amount spent (EUR)",Impressions,"Link clicks",Purchases,Value
    2026-03-03,2026-03-04,2026-03-03,Brand,Women,120210000000000001,10.50,1000,40,2,90.00
    2026-03-03,2026-03-04,2026-03-03,Brand,Men,120210000000000001,2.00,100,4,,
    2026-03-03,2026-03-04,2026-03-04,Brand,Women,120210000000000001,13.00,1100,41,3,100.00
    2026-03-03,2026-03-04,,,,,25.50,2200,85,5,190.00
"""
GOOGLE = """
    Campaign performance
    "March 3, 2026 - March 4, 2026"
    Day,Campaign state,Campaign,Campaign ID,Campaign type,Currency code,Cost,Clicks,Impr.,Conversions,Conv. value
    2026-03-03,Enabled,Search,42,Search,EUR,"1,012.50",40,"1,000",2.50,90.00
    2026-03-03,Enabled,Shopping,43,Shopping,EUR,--,0,0,0.00,0.00
    2026-03-04,Enabled,Search,42,Search,EUR,13.00,41,"1,100",3.00,100.00
    Total: Campaigns, --, --, --, --,EUR,"1,025.50",81,"2,100",5.50,190.00
    Total: Account, --, --, --, --,EUR,"1,025.50",81,"2,100",5.50,190.00
"""


@pytest.fixture
def store() -> Store:
    return a_store(slug="mugs")


def spend(store: Store, table: str) -> None:
    """Compare the live spend of a store with a table."""
    assert_entries(store, table, only=["marketing"], live=True)


def test_a_file_of_ones_own_is_booked_by_platform_campaign_and_day(store: Store, tmp_path: Path) -> None:
    found = take(store, saved(tmp_path, OWN), AD_SPEND_FILES)
    spend(store, """
        account               campaign  event_day   amount  how
        marketing:meta_ads    Brand     2026-03-03  -12.50  actual
        marketing:meta_ads    Brand     2026-03-04  -13.00  actual
        marketing:tiktok-ads  Dance     2026-03-03  -7.00   actual
    """)  # fmt: skip
    assert (found.new, found.entries, found.rows, found.unit) == (3, 3, 3, "days of ad spend")
    assert found.sums == [Sum("spend on meta ads", "25.50", "EUR"), Sum("spend on tiktok ads", "7.00", "EUR")]
    counts = AdDay.objects.order_by("campaign__name", "day").values_list("impressions", "clicks", "conversions", "conversion_value")
    assert list(counts) == [(1000, 40, 2, 90), (1100, 41, 3, 100), (500, 10, None, None)]


def test_looking_writes_nothing(store: Store, tmp_path: Path) -> None:
    found = look(store, saved(tmp_path, OWN), AD_SPEND_FILES)
    assert (found.new, found.changed, found.unchanged) == (3, 0, 0)
    assert not AdDay.objects.exists()
    assert not Campaign.objects.exists()


def test_the_same_file_again_changes_nothing_and_another_restates(store: Store, tmp_path: Path) -> None:
    take(store, saved(tmp_path, OWN), AD_SPEND_FILES)
    assert take(store, saved(tmp_path, OWN, "again.csv"), AD_SPEND_FILES).entries == 0
    later = saved(tmp_path, OWN.replace("13.00", "13.10"), "later.csv")
    found = take(store, later, AD_SPEND_FILES)
    assert (found.new, found.changed, found.unchanged, found.entries) == (0, 1, 2, 2)


def test_undoing_a_file_lets_the_one_before_it_stand_again(store: Store, tmp_path: Path) -> None:
    first, later = saved(tmp_path, OWN), saved(tmp_path, f"{OWN.replace('13.00', '13.10')}2026-03-05,Facebook,Brand,1.00,EUR,,,,", "later.csv")
    take(store, first, AD_SPEND_FILES)
    take(store, later, AD_SPEND_FILES)
    assert undo(store, later, AD_SPEND_FILES).entries == 3
    spend(store, """
        account               event_day   amount
        marketing:meta_ads    2026-03-03  -12.50
        marketing:meta_ads    2026-03-04  -13.00
        marketing:tiktok-ads  2026-03-03  -7.00
    """)  # fmt: skip
    undo(store, first, AD_SPEND_FILES)
    spend(store, "account amount")


def test_metas_export_takes_its_currency_from_the_header_and_leaves_its_total_out(store: Store, tmp_path: Path) -> None:
    path = saved(tmp_path, META.replace("(EUR)", "(USD)"))
    ecb(("USD", "2026-03-03", "1.25"), ("USD", "2026-03-04", "1.25"))
    found = take(store, path, META_ADS_FILES)
    spend(store, """
        account             campaign  event_day   amount  original  currency
        marketing:meta_ads  Brand     2026-03-03  -8.40   -10.50    USD
        marketing:meta_ads  Brand     2026-03-03  -1.60   -2.00     USD
        marketing:meta_ads  Brand     2026-03-04  -10.40  -13.00    USD
    """)  # fmt: skip
    assert found.counts == [Count("total rows left out", 1)]
    assert found.warnings == []
    assert list(Campaign.objects.values_list("external_id", "name")) == [("120210000000000001", "Brand")]


def test_a_total_that_is_not_the_sum_is_pointed_out(store: Store, tmp_path: Path) -> None:
    found = look(store, saved(tmp_path, META.replace(",25.50,", ",99.00,")), META_ADS_FILES)
    assert found.warnings == [
        "The file's total row is not the sum of its rows: some may be missing. Compare it with the page it came from."
    ]  # fmt: skip


def test_levels_of_one_file_are_not_added_up(store: Store, tmp_path: Path) -> None:
    path = saved(tmp_path, """
        Day,Campaign name,Ad set name,Amount spent (EUR)
        2026-03-03,Brand,,12.50
        2026-03-03,Brand,Women,10.50
        2026-03-03,Brand,Men,2.00
    """)  # fmt: skip
    found = take(store, path, META_ADS_FILES)
    spend(store, """
        source  amount
        Brand   -12.50
    """)  # fmt: skip
    assert found.notes[1] == (
        "Rows are told at several levels (campaign, ad group). They tell the same money, so each day is booked at one of them."
    )  # fmt: skip


def test_rows_that_break_a_campaign_down_are_added_up(store: Store, tmp_path: Path) -> None:
    path = saved(tmp_path, """
        Day,Campaign name,Age,Amount spent (EUR),Impressions
        2026-03-03,Brand,18-24,4.00,10
        2026-03-03,Brand,25-34,6.00,20
    """)  # fmt: skip
    assert take(store, path, META_ADS_FILES).new == 1
    assert list(AdDay.objects.values_list("spend", "impressions")) == [(10, 30)]


def test_a_row_of_several_days_is_spread_evenly_and_marked(store: Store, tmp_path: Path) -> None:
    path = saved(tmp_path, """
        Reporting starts,Reporting ends,Campaign name,Amount spent (EUR),Impressions
        2026-03-03,2026-03-05,Brand,10.00,10
    """)  # fmt: skip
    found = take(store, path, META_ADS_FILES)
    spend(store, """
        event_day   amount  how
        2026-03-03  -3.34   estimated
        2026-03-04  -3.33   estimated
        2026-03-05  -3.33   estimated
    """)  # fmt: skip
    assert found.warnings == [
        "1 row covers several days. What they cost is spread over those evenly and marked estimated; export the report broken down by day, and it "
        "takes their place."
    ]
    take(store, saved(tmp_path, "Day,Campaign name,Amount spent (EUR)\n2026-03-04,Brand,9.00", "daily.csv"), META_ADS_FILES)
    spend(store, """
        event_day   amount  how
        2026-03-03  -3.34   estimated
        2026-03-04  -9.00   actual
        2026-03-05  -3.33   estimated
    """)  # fmt: skip
    assert take(store, saved(tmp_path, path.read_text(), "again.csv"), META_ADS_FILES).entries == 0


def test_german_headers_semicolons_and_decimal_commas_are_read(store: Store, tmp_path: Path) -> None:
    path = saved(tmp_path, """
        Tag;Kampagnenname;Name der Anzeigengruppe;Ausgegebener Betrag (EUR);Impressionen;Käufe
        03.03.2026;Marke;Damen;1.012,50;1.000;2
    """)  # fmt: skip
    take(store, path, META_ADS_FILES)
    assert list(AdDay.objects.values_list("campaign__name", "ad_group", "spend", "impressions", "conversions")) == [
        ("Marke", "Damen", 1012.5, 1000, 2)
    ]  # fmt: skip


def test_french_headers_are_read(store: Store, tmp_path: Path) -> None:
    path = saved(tmp_path, """
        Jour;Nom de la campagne;Montant dépensé (EUR);Impressions;Clics sur un lien
        2026-03-03;Marque;12,50;1000;40
    """, encoding="cp1252")  # fmt: skip
    take(store, path, META_ADS_FILES)
    assert list(AdDay.objects.values_list("campaign__name", "spend", "clicks")) == [("Marque", 12.5, 40)]


def test_googles_title_totals_and_dashes_are_understood(store: Store, tmp_path: Path) -> None:
    found = take(store, saved(tmp_path, GOOGLE), GOOGLE_ADS_FILES)
    spend(store, """
        account               campaign  event_day   amount
        marketing:google_ads  Search    2026-03-03  -1012.50
        marketing:google_ads  Search    2026-03-04  -13.00
    """)  # fmt: skip
    assert found.counts == [Count("total rows left out", 2), Count("rows without an amount left out", 1)]
    assert found.warnings == []
    assert list(Campaign.objects.values_list("external_id", "name", "status", "channel")) == [("42", "Search", "Enabled", "Search")]


def test_googles_tabbed_utf_16_download_is_read(store: Store, tmp_path: Path) -> None:
    text = GOOGLE.replace('"1,012.50"', "1012.50").replace('"1,000"', "1000").replace('"1,100"', "1100").replace('"1,025.50"', "1025.50")
    text = text.replace('"2,100"', "2100").replace('"March 3, 2026 - March 4, 2026"', "March 3; 2026").replace(",", "\t").replace(";", ",")
    assert take(store, saved(tmp_path, text, encoding="utf-16"), GOOGLE_ADS_FILES).new == 2


def test_kinds_are_told_apart_by_their_headers(store: Store, tmp_path: Path) -> None:
    told = [
        [candidate.kind.name for candidate in file_kinds.recognise(store, saved(tmp_path, text)).candidates] for text in (OWN, META, GOOGLE)
    ]  # fmt: skip
    assert [kinds[0] for kinds in told] == ["ad-spend", "meta-ads", "google-ads"]


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ("2026-03-03,Facebook,Brand,x,EUR", "line 2, Spend: “x” is no amount; write it as 1234.50"),
        (",Facebook,Brand,1.00,EUR", "line 2, Day: the day is missing; export the report broken down by day"),
        ("2026-03-03,Facebook,Brand,1.00,EUX", "line 2, Currency: “EUX” is no ISO 4217 currency code such as EUR"),
        (
            "2026-03-03,Facebook,Brand,1.00,EUR\n2026-03-03,Facebook,Shoes,1.00,USD",
            "line 3, Currency: the row is in USD and line 2 in EUR; an advertising account spends in one currency",
        ),
        (
            "2026-03-03,Facebook,Brand,1.00,EUR\n2026-03-03,Facebook,,1.00,EUR",
            "line 3, Campaign: of this row and line 2, of the same day, one names a campaign and one does not, so one may be the other's total; take "
            "the total out, or name the campaign",
        ),
    ],
)
def test_what_cannot_be_right_names_row_and_column(store: Store, tmp_path: Path, rows: str, fault: str) -> None:
    with pytest.raises(FileRefused) as refused:
        take(store, saved(tmp_path, f"Day,Platform,Campaign,Spend,Currency\n{rows}"), AD_SPEND_FILES)
    assert [str(each) for each in refused.value.faults] == [fault]
    assert not AdDay.objects.exists()


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ("2025-12-31,2026-04-02,Brand,1.00", "line 2, Reporting ends: the row covers more than 92 days; export the report broken down by day, or in "
         "shorter spans"),
        ("2026-03-05,2026-03-03,Brand,1.00", "line 2, Reporting ends: 2026-03-03 lies before 2026-03-05"),
        (
            "2026-03-01,2026-03-31,Brand,9.00\n2026-03-15,2026-03-31,Brand,5.00",
            "line 3, Reporting starts: line 2 covers some of the same days; export the report broken down by day",
        ),
    ],
)  # fmt: skip
def test_spans_that_cannot_be_spread_are_refused(store: Store, tmp_path: Path, rows: str, fault: str) -> None:
    with pytest.raises(FileRefused) as refused:
        take(store, saved(tmp_path, f"Reporting starts,Reporting ends,Campaign name,Amount spent (EUR)\n{rows}"), META_ADS_FILES)
    assert [str(each) for each in refused.value.faults] == [fault]


META_OWN = "Day,Account name,Campaign name,Amount spent (EUR)\n2026-03-03,Shop,Brand,12.50\n2026-03-04,Shop,Brand,13.40"
ONE_OF_TWO = """
    account               campaign  event_day   amount  how
    marketing:meta_ads    Brand     2026-03-03  -12.50  actual
    marketing:meta_ads    Brand     2026-03-04  -13.40  actual
    marketing:tiktok-ads  Dance     2026-03-03  -7.00   actual
"""


@pytest.mark.parametrize("header", ["Account name,Campaign name", "Account,Campaign name", "Campaign name"])
@pytest.mark.parametrize("order", [("own", "meta"), ("meta", "own")])
def test_what_a_file_of_ones_own_and_the_platforms_tell_is_booked_once_as_the_platform_says(
    store: Store, tmp_path: Path, order: tuple[str, str], header: str
) -> None:
    meta = META_OWN.replace("Account name,Campaign name", header)
    meta = meta if "Account" in header else meta.replace(",Shop", "")
    files = {"own": (saved(tmp_path, OWN), AD_SPEND_FILES), "meta": (saved(tmp_path, meta, "meta.csv"), META_ADS_FILES)}
    seen = [(look(store, *files[each]).notes, take(store, *files[each])) for each in order]
    spend(store, ONE_OF_TWO)
    said = {
        "own": "Days that the platform itself tells too: 2. That stands; this file's are kept, not booked.",
        "meta": "Days that a file of your own, or one without the account, told before: 2. This file stands; those are kept.",
    }
    looked, taken = seen[1]
    assert looked[1:] == taken.notes[1:] == [said[order[1]]]
    assert taken.warnings == []
    undo(store, *files["meta"])
    spend(store, ONE_OF_TWO.replace("-13.40", "-13.00"))
    take(store, *files["meta"])
    undo(store, *files["own"])
    spend(store, "\n".join(ONE_OF_TWO.rstrip().splitlines()[:-1]))


def test_an_accounts_export_with_its_name_stands_before_one_without(store: Store, tmp_path: Path) -> None:
    take(store, saved(tmp_path, META_OWN.replace(",Account name", "").replace(",Shop", ""), "without.csv"), META_ADS_FILES)
    found = take(store, saved(tmp_path, META_OWN), META_ADS_FILES)
    spend(store, "\n".join(ONE_OF_TWO.rstrip().splitlines()[:-1]))
    assert found.notes[1:] == ["Days that a file of your own, or one without the account, told before: 2. This file stands; those are kept."]


def test_a_whole_platforms_day_of_ones_own_gives_way_to_the_platforms_campaigns(store: Store, tmp_path: Path) -> None:
    take(store, saved(tmp_path, "Day,Platform,Spend\n2026-03-03,Meta,20.00\n2026-03-05,Meta,9.00"), AD_SPEND_FILES)
    take(store, saved(tmp_path, META_OWN, "meta.csv"), META_ADS_FILES)
    spend(store, """
        campaign  event_day   amount
        Brand     2026-03-03  -12.50
        Brand     2026-03-04  -13.40
        .         2026-03-05  -9.00
    """)  # fmt: skip


def test_a_campaign_that_the_platforms_file_does_not_name_stays_booked_and_is_pointed_out(store: Store, tmp_path: Path) -> None:
    own = saved(tmp_path, "Day,Platform,Campaign,Spend\n2026-03-03,Meta,Spring,4.00\n2026-03-09,Meta,Spring,5.00")
    take(store, own, AD_SPEND_FILES)
    found = take(store, saved(tmp_path, META_OWN, "meta.csv"), META_ADS_FILES)
    spend(store, """
        campaign  event_day   amount
        Brand     2026-03-03  -12.50
        Brand     2026-03-04  -13.40
        Spring    2026-03-03  -4.00
        Spring    2026-03-09  -5.00
    """)  # fmt: skip
    assert found.warnings == look(store, own, AD_SPEND_FILES).warnings == [
        "A file of your own tells campaigns that the platform's own does not name on the same days: “Spring”. They are booked beside it. If they are "
        "called otherwise there, they count twice: name them as the platform does, and import again."
    ]  # fmt: skip


def test_two_accounts_of_a_platform_are_two(store: Store, tmp_path: Path) -> None:
    take(store, saved(tmp_path, "Day,Platform,Account,Campaign,Spend\n2026-03-03,Meta,Other,Brand,4.00"), AD_SPEND_FILES)
    take(store, saved(tmp_path, META_OWN, "meta.csv"), META_ADS_FILES)
    spend(store, """
        campaign  event_day   amount
        Brand     2026-03-03  -12.50
        Brand     2026-03-03  -4.00
        Brand     2026-03-04  -13.40
    """)  # fmt: skip


def test_accounts_that_are_named_in_one_file_of_ones_own_only_are_pointed_out(store: Store, tmp_path: Path) -> None:
    take(store, saved(tmp_path, OWN), AD_SPEND_FILES)
    found = look(store, saved(tmp_path, "Day,Platform,Account,Campaign,Spend\n2026-03-03,Meta,Shop,Brand,12.50", "new.csv"), AD_SPEND_FILES)
    assert found.warnings == [
        "Some files of your own for meta ads name the advertising account and some do not. Where two tell the same days of the same account, they "
        "count twice: name it each time, and undo the import without it."
    ]


def test_only_the_columns_that_are_read_are_kept(store: Store, tmp_path: Path) -> None:
    path = saved(tmp_path, "Day,Campaign,Spend,Owner\n2026-03-03,Brand,1.00,ann@example.com")
    found = take(store, path, AD_SPEND_FILES)
    assert found.dropped_columns == ["Owner"]
    assert found.notes[1:] == ["Rows without a platform count as other ads; a column “Platform” says whose they are."]
    assert RawPayload.objects.count() == 1


def test_the_command_takes_and_undoes_ad_spend(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(tmp_path, META)
    call_command("import_file", "mugs", str(path), "--kind", "meta-ads")
    call_command("import_file", "mugs", str(path), "--kind", "meta-ads", "--undo")
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "file.csv: 4 rows, 1 total rows left out (utf-8, “,”)."
    assert said[-1] == "Undone: 3 taken back or restored, 3 entries written. History stays in the book."
    spend(store, "account amount")
