"""Providers that want more than a GET request get what they ask for, and answer to the value."""

from __future__ import annotations

from support.provider_replays import check_replay, needs_answers

pytestmark = needs_answers


def test_epias_by_a_login_and_pages_in_a_document() -> None:
    """The ticket is a bare text, the number of the page stands in the body."""
    asked = check_replay(
        "epias",
        "Json",
        {"epias-wind": {"value": "wind"}, "epias-generation": {"value": "total"}},
        path="/electricity-service/v1/generation/data/realtime-generation",
        json={
            "startDate": "{start:%Y-%m-%dT00:00:00+03:00@Europe/Istanbul}",
            "endDate": "{end:%Y-%m-%dT00:00:00+03:00@Europe/Istanbul}",
        },
        paging={"page": "page.number", "size": 1000, "size_param": "page.size"},
        auth={
            "login": {
                "url": "@LAB@/cas/v1/tickets",
                "form": {"username": "${EPIAS_USER}", "password": "${EPIAS_PASSWORD}"},
                "header": "TGT",
            }
        },
        rows="items",
        ts="date",
    )
    assert len(asked) > 3


def test_nord_pool_by_a_password_grant_with_a_public_client() -> None:
    """A token that is refused after one use is renewed once."""
    asked = check_replay(
        "nordpool",
        "Json",
        {"nordpool-se4-price": {}},
        path="/api/v2/Auction/Prices/ByAreas",
        query={
            "market": "DayAhead",
            "areas": "SE4",
            "currency": "EUR",
            "date": "{start:%Y-%m-%d@Europe/Stockholm}",
        },
        each="day",
        zone="Europe/Stockholm",
        auth={
            "oauth2": {
                "token_url": "@LAB@/connect/token",
                "client_id": "client_marketdata_api",
                "client_secret": "client_marketdata_api",
                "username": "${NORDPOOL_USER}",
                "password": "${NORDPOOL_PASSWORD}",
                "scope": "marketdata_api",
            }
        },
        rows="[].prices[]",
        ts="deliveryStart",
        value="price",
    )
    assert asked.count("/connect/token") == 2


def test_destatis_by_a_form_with_credentials_in_headers() -> None:
    """The year and the month stand in two cells, and the series is told by a code."""
    check_replay(
        "destatis",
        "Csv",
        {
            "destatis-cpi": {"value_variable_code": "PREIS1"},
            "destatis-cpi-change": {"value_variable_code": "PREIS2"},
        },
        path="/genesisWS/rest/2020/data/tablefile",
        form={
            "name": "61111-0002",
            "format": "ffcsv",
            "startyear": "{start:%Y@Europe/Berlin}",
            "endyear": "{end:%Y@Europe/Berlin}",
        },
        auth={"header": {"username": "${GENESIS_USER}", "password": "${GENESIS_PASSWORD}"}},
        delimiter=";",
        decimal=",",
        ts=["time", "1_variable_attribute_code"],
        time_format="%Y MONAT%m",
        value="value",
        missing=["...", ".", "/", "-", "x"],
        timezone="Europe/Berlin",
    )


def test_terna_by_client_credentials() -> None:
    """A first token that is refused at once is renewed once."""
    for name, logins in (("terna", 2), ("terna-spring", 1)):
        asked = check_replay(
            name,
            "Json",
            {
                "terna-north-load": {"bidding_zone": "North"},
                "terna-sicily-load": {"bidding_zone": "Sicily"},
            },
            path="/load/v2.0/total-load",
            query={
                "dateFrom": "{start:%d/%m/%Y@Europe/Rome}",
                "dateTo": "{end:%d/%m/%Y@Europe/Rome}",
            },
            auth={
                "oauth2": {
                    "token_url": "@LAB@/transparency/oauth/accessToken",
                    "client_id": "${TERNA_ID}",
                    "client_secret": "${TERNA_SECRET}",
                }
            },
            rows="total_load",
            ts=["date", "date_offset"],
            time_format="%Y-%m-%d %H:%M:%S %z",
            value="total_load_MW",
        )
        assert asked.count("/transparency/oauth/accessToken") == logins


def test_bls_in_batches() -> None:
    """Two series a request, each with rows of its own."""
    ids = {
        "bls-unemployment": "LNS14000000",
        "bls-cpi": "CUUR0000SA0",
        "bls-payrolls": "CES0000000001",
        "bls-eci": "CIU1010000000000A",
        "bls-productivity": "PRS85006092",
    }
    asked = check_replay(
        "bls",
        "Json",
        {name: {"id": text} for name, text in ids.items()},
        path="/publicAPI/v2/timeseries/data/",
        json={
            "seriesid": "{id}",
            "startyear": "{start:%Y}",
            "endyear": "{end:%Y}",
            "registrationkey": "${BLS_KEY}",
        },
        batch=2,
        rows="Results.series[?seriesID=='{id}'].data[] | [?period!='M13' && period!='Q05']",
        error="status != 'REQUEST_SUCCEEDED' && message[0]",
        ts="join('-', [year, period])",
        time_format="period",
        value="value",
        missing=["-"],
        timezone="America/New_York",
    )
    assert len(asked) == 3


def test_pse_by_the_query_of_a_link_alone() -> None:
    """The host that it names does not answer."""
    for name, count in (("pse", 3), ("pse-spring", 1)):
        asked = check_replay(
            name,
            "Json",
            {"pse-rce": {}},
            path="/api/rce-pln",
            query={"$filter": "dtime_utc gt '{start:%Y-%m-%d %H:%M}'"},
            rows="value",
            paging={"next": "nextLink", "query_only": True},
            ts="dtime_utc",
            period_end="15 minutes",
            value="rce_pln",
            timezone="UTC",
        )
        assert len(asked) == count


def test_pjm_with_offsets_from_one() -> None:
    """The first row has the number 1."""
    check_replay(
        "pjm",
        "Json",
        {"pjm-solar": {}},
        path="/api/v1/solar_gen",
        query={"datetime_beginning_utc": "{start:%m/%d/%Y %H:%M}to{end:%m/%d/%Y %H:%M}"},
        auth={"header": {"Ocp-Apim-Subscription-Key": "${PJM_KEY}"}},
        rows="items",
        paging={"offset": "startRow", "first": 1, "total": "totalRows"},
        ts="datetime_beginning_utc",
        value="solar_generation_mw",
        timezone="UTC",
    )


def test_hubeau_by_links_under_partial_content() -> None:
    """206 says that more follows."""
    check_replay(
        "hubeau",
        "Json",
        {"hubeau-paris-flow": {}},
        path="/api/v2/hydrometrie/observations_tr",
        query={"code_entite": "F700000103", "grandeur_hydro": "Q", "date_debut_obs": "{start}"},
        rows="data",
        paging={"next": "next"},
        ts="date_obs",
        value="resultat_obs",
        scale=0.001,
    )


def test_ercot_by_a_list_of_documents() -> None:
    """Addresses by a number, publications by the time in the list, and no document before."""
    asked = check_replay(
        "ercot",
        "Csv",
        {
            "ercot-forecast-north": {"value": "North"},
            "ercot-forecast-systemtotal": {"value": "SystemTotal"},
        },
        path="/misdownload/servlets/mirDownload",
        query={"doclookupId": "{document}"},
        index={
            "url": "@LAB@/misapp/servlets/IceDocListJsonWS",
            "query": {"reportTypeId": 12311},
            "rows": "ListDocsByRptTypeRes.DocumentList[].Document",
            "name": "FriendlyName",
            "pattern": "_csv$",
            "fields": {"document": "DocID"},
            "time": "PublishDate",
        },
        fields={"published": {"index": "time"}},
        published_at="published",
        ts=["DeliveryDate", "HourEnding"],
        time_format="%m/%d/%Y %H:%M",
        period_end="1 hour",
        dst="DSTFlag",
        timezone="America/Chicago",
    )
    assert len(asked) == 3


def test_aemo_by_a_folder_of_files() -> None:
    """Those of the window, by the time in their names; intervals are named by their ends."""
    asked = check_replay(
        "aemo",
        "Csv",
        {f"aemo-{region.lower()}-demand": {"5": region} for region in ("NSW1", "VIC1")},
        index={
            "url": "@LAB@/Reports/Current/Operational_Demand/FORECAST_HH/",
            "pattern": r"_HH_(?P<time>\d{12})_\d+\.zip$",
            "time_format": "%Y%m%d%H%M",
            "before": "30 minutes",
        },
        header=False,
        filter={"1": "D"},
        ts=6,
        time_format="%Y/%m/%d %H:%M:%S",
        period_end="30 minutes",
        published_at=7,
        published_format="%Y/%m/%d %H:%M:%S",
        value=9,
        timezone="Etc/GMT-10",
    )
    assert len(asked) == 3


def test_agsi_by_pages_with_gas_days() -> None:
    """A day begins at six, by the clocks of the country."""
    check_replay(
        "agsi",
        "Json",
        {
            "agsi-de-storage": {"value": "gasInStorage"},
            "agsi-de-injection": {"value": "injection"},
        },
        path="/api",
        query={
            "country": "DE",
            "from": "{start:%Y-%m-%d@Europe/Berlin}",
            "to": "{end:%Y-%m-%d@Europe/Berlin}",
        },
        auth={"header": {"x-key": "${AGSI_KEY}"}},
        rows="data",
        paging={"page": "page", "last": "last_page", "total": "total"},
        ts="join('', [gasDayStart, 'T06:00'])",
        missing=["-"],
        timezone="Europe/Berlin",
    )


def test_arcgis_by_offsets_until_no_more_follow() -> None:
    """The server cuts pages short, and says where more follow."""
    check_replay(
        "arcgis",
        "Json",
        {f"arcgis-{name.lower()}": {"Station": name} for name in "AB"},
        path="/arcgis/rest/services/Messwerte/FeatureServer/0/query",
        query={"f": "json", "where": "1=1", "outFields": "*", "orderByFields": "Datum"},
        error="error.message",
        rows="features[].attributes",
        paging={"offset": "resultOffset", "has_more": "exceededTransferLimit"},
        ts="Datum",
        time_format="unix_ms",
        value="Wert",
    )


def test_ckan_by_offsets_of_a_server_that_caps() -> None:
    """It gives fewer rows than are asked for."""
    check_replay(
        "ckan",
        "Json",
        {
            "neso-solar": {"value": "EMBEDDED_SOLAR_FORECAST"},
            "neso-wind": {"value": "EMBEDDED_WIND_FORECAST"},
        },
        path="/api/3/action/datastore_search",
        query={"resource_id": "db6c038f-98af-4570-ab60-24d71ebd0ae5", "sort": "DATETIME"},
        rows="result.records",
        paging={
            "offset": "offset",
            "size": 10000,
            "size_param": "limit",
            "total": "result.total",
        },
        ts="DATETIME",
        timezone="UTC",
    )


def test_socrata_by_offsets_until_a_page_is_empty() -> None:
    """A bare list, of which nothing tells the end."""
    check_replay(
        "socrata",
        "Json",
        {"cdc-usa": {"jurisdiction": "USA"}, "cdc-region1": {"jurisdiction": "Region 1"}},
        path="/resource/ua7e-t2fy.json",
        query={"$order": "week_end"},
        auth={"header": {"X-App-Token": "${SOCRATA_TOKEN}"}},
        paging={"offset": "$offset", "size": 5, "size_param": "$limit"},
        ts="week_end",
        value="weekly_rate",
        timezone="America/New_York",
    )
