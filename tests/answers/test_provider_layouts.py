"""Answers of providers in layouts of their own become the series that they are, to the value."""

from __future__ import annotations

from support.provider_replays import check_replay, needs_answers

pytestmark = needs_answers


def test_eurostat_json_stat_is_read_by_dimension_and_code() -> None:
    """Sparse values and categories out of order."""
    check_replay(
        "eurostat",
        "Json",
        {f"eurostat-hicp-{geo.lower()}": {"geo": geo} for geo in ("DE", "FR", "AT")},
        path="/eurostat/api/dissemination/statistics/1.0/data/prc_hicp_midx",
        query={"geo": ["DE", "FR", "AT"], "coicop": "CP00", "unit": "I15"},
        layout="json-stat",
        timezone="Europe/Luxembourg",
    )


def test_scb_json_stat_of_version_1_is_read_inside_its_bundle() -> None:
    """The dataset stands in an object, its dimensions inside `dimension`."""
    deaths = {
        "scb-deaths-men-90": {"Kon": "1", "Alder": "90+"},
        "scb-deaths-women-90": {"Kon": "2", "Alder": "90+"},
        "scb-deaths-women-40": {"Kon": "2", "Alder": "40-44"},
    }
    check_replay(
        "scb",
        "Json",
        deaths,
        path="/OV0104/v1/doris/en/ssd/START/HS/HS0301/DodaOrsak",
        json={"query": [], "response": {"format": "json-stat"}},
        layout="json-stat",
        timezone="Europe/Stockholm",
    )


def test_ecb_sdmx_json_of_version_1_is_read() -> None:
    """Series by currency."""
    check_replay(
        "ecb-json",
        "Json",
        {"ecb-nzd": {"CURRENCY": "NZD"}, "ecb-rub": {"CURRENCY": "RUB"}},
        path="/service/data/EXR/D.NZD+RUB.EUR.SP00.A",
        query={"format": "jsondata"},
        layout="sdmx-json",
        timezone="Europe/Berlin",
    )


def test_imf_sdmx_json_of_version_2_is_read() -> None:
    """Periods and observations out of order, values as texts, a gap."""
    check_replay(
        "imf",
        "Json",
        {f"imf-cpi-{country.lower()}": {"COUNTRY": country} for country in ("DEU", "FRA")},
        path="/external/sdmx/3.0/data/dataflow/IMF.STA/CPI/+/DEU+FRA.CPI.M",
        layout="sdmx-json",
        timezone="UTC",
    )


def test_ecb_sdmx_ml_is_read_generic_and_structure_specific() -> None:
    """Both say the same."""
    for name in ("ecb-generic", "ecb-structure"):
        check_replay(
            name,
            "Xml",
            {
                "ecb-chf": {"CURRENCY": "CHF", "EXR_VAR": "E"},
                "ecb-usd": {"CURRENCY": "USD", "EXR_VAR": "E"},
            },
            path="/service/data/EXR/M.CHF+GBP+JPY+USD.EUR.SP00.E",
            layout="sdmx-ml",
            timezone="Europe/Berlin",
        )


def test_imf_sdmx_ml_is_read() -> None:
    """A single series needs no filter."""
    check_replay(
        "imf-structure", "Xml", {"imf-pcps": {}}, path="/PCPS", layout="sdmx-ml", timezone="UTC"
    )


def test_eco2mix_has_the_day_and_the_area_above_its_values() -> None:
    """A day of an ancestor, an area of the parent, an hour from 0 of the row."""
    check_replay(
        "eco2mix",
        "Xml",
        {"eco2mix-delu-price": {"area": "DL"}, "eco2mix-fr-price": {"area": "FR"}},
        path="/curves/getDonneesMarche",
        query={
            "dateDeb": "{start:%d/%m/%Y@Europe/Paris}",
            "dateFin": "{last:%d/%m/%Y@Europe/Paris}",
            "mode": "NORM",
        },
        rows=".//valeur",
        fields={"area": {"parent": "@perimetre"}, "day": {"parent": "@date"}},
        interval={"day": "day", "number": "@periode", "length": "1 hour", "first": 0},
        value=".",
        missing=["ND", ""],
        timezone="Europe/Paris",
    )


def test_ieso_has_the_day_above_its_generators() -> None:
    """The day once in the document, the generator around the row."""
    check_replay(
        "ieso",
        "Xml",
        {
            "ieso-bruce-a1": {"generator": "BRUCEA-G1"},
            "ieso-lennox-g1": {"generator": "LENNOX-G1"},
        },
        path="/public/GenOutputCapability/PUB_GenOutputCapability_{start:%Y%m%d@Etc/GMT+5}.xml",
        each="day",
        zone="Etc/GMT+5",
        rows=".//Output",
        fields={"day": {"document": "IMODocBody/Date"}, "generator": {"parent": "GeneratorName"}},
        interval={"day": "day", "number": "Hour", "length": "1 hour"},
        value="EnergyMW",
        timezone="Etc/GMT+5",
    )


def test_ncei_has_parts_of_cells() -> None:
    """Tenths and a quality in one cell."""
    part = {"scale": 0.1}
    check_replay(
        "ncei",
        "Csv",
        {f"ncei-{name}": {"value": name} for name in ("temperature", "pressure", "wind")},
        path="/access/services/data/v1",
        query={
            "dataset": "global-hourly",
            "stations": "72505394728",
            "startDate": "{start:%Y-%m-%d}",
            "endDate": "{end:%Y-%m-%d}",
        },
        ts="DATE",
        fields={
            "temperature": {"place": "TMP", "pattern": r"^([+-]\d+),", **part},
            "pressure": {"place": "SLP", "pattern": r"^(\d+),", **part},
            "wind": {"place": "WND", "pattern": r"^(?:[^,]*,){3}(\d+),", **part},
        },
        missing=["+9999", "9999", "99999"],
        timezone="UTC",
    )


def test_statcan_has_a_power_of_ten_in_each_row() -> None:
    """A number for the vector above its rows, and the time of publication in each."""
    vectors = {"cpi": 41690973, "employment": 2062811, "exports": 32164132}
    check_replay(
        "statcan",
        "Json",
        {f"statcan-{name}": {"vector": number} for name, number in vectors.items()},
        path="/t1/wds/rest/getDataFromVectorsAndLatestNPeriods",
        json=[{"vectorId": "{vector}", "latestN": 3}],
        batch=300,
        rows="[].object.vectorDataPoint[]",
        fields={
            "of": {"parent": "vectorId"},
            "amount": {"place": "value", "power_of_ten": "scalarFactorCode"},
        },
        filter={"of": "{vector}"},
        ts="refPer",
        value="amount",
        published_at="releaseTime",
        timezone="America/Toronto",
    )


def test_statnett_has_a_start_and_a_step() -> None:
    """No value has a time, and a null keeps its place."""
    check_replay(
        "statnett",
        "Json",
        {"statnett-no-net-exchange": {}},
        path="/restapi/Physicalflow/GetData",
        query={"From": "{start:%Y-%m-%d}"},
        rows="PhysicalFlowNetExchange",
        start="StartPointUTC",
        step="PeriodTickMs",
        time_format="unix_ms",
    )


def test_aemo_has_several_tables_in_a_file() -> None:
    """Each with columns of its own, named by its own line."""
    prices = {"section": "DISPATCH PRICE", "value": "RRP"}
    demands = {"section": "DISPATCH REGIONSUM", "value": "TOTALDEMAND"}
    check_replay(
        "aemo-sections",
        "Csv",
        {
            "aemo-nsw1-price": {**prices, "REGIONID": "NSW1"},
            "aemo-sa1-price": {**prices, "REGIONID": "SA1"},
            "aemo-nsw1-demand5": {**demands, "REGIONID": "NSW1"},
            "aemo-sa1-demand5": {**demands, "REGIONID": "SA1"},
        },
        path="/Reports/Current/DispatchIS_Reports/"
        "PUBLIC_DISPATCHIS_202410060225_0000000430000000.zip",
        sections={"header": "^I,", "rows": "^D,", "name": [2, 3]},
        ts="SETTLEMENTDATE",
        time_format="%Y/%m/%d %H:%M:%S",
        period_end="5 minutes",
        timezone="Etc/GMT-10",
    )


def test_omie_has_the_hours_of_a_day_as_columns() -> None:
    """25 of them in autumn; the day stands in the line before the table."""
    spain = "Precio marginal en el sistema español (EUR/MWh)"
    portugal = "Precio marginal en el sistema portugués (EUR/MWh)"
    check_replay(
        "omie",
        "Csv",
        {"omie-es-price": {"quantity": spain}, "omie-pt-price": {"quantity": portugal}},
        path="/sites/default/files/dados/AGNO_{start:%Y@Europe/Madrid}"
        "/MES_{start:%m@Europe/Madrid}/TXT/INT_PBC_EV_H_1_{start:%d_%m_%Y@Europe/Madrid}"
        "_{start:%d_%m_%Y@Europe/Madrid}.TXT",
        each="day",
        zone="Europe/Madrid",
        delimiter=";",
        decimal=",",
        header_row="^;1;2;",
        layout="wide",
        columns=r"^\d+$",
        fields={"quantity": {"place": 1}, "day": {"text": r";(\d\d/\d\d/\d{4});"}},
        interval={"day": "day", "number": "header", "length": "1 hour"},
        time_format="%d/%m/%Y",
        timezone="Europe/Madrid",
    )


def test_isone_has_kinds_of_rows_and_marks_of_hours() -> None:
    """Remarks before, units below the header, a count after; 02X is the second one."""
    check_replay(
        "isone",
        "Csv",
        {"isone-load": {}},
        path="/transform/csv/hourlysystemdemand",
        query={
            "start": "{start:%Y%m%d@America/New_York}",
            "end": "{start:%Y%m%d@America/New_York}",
        },
        each="day",
        zone="America/New_York",
        header_row="^.H.,.Date.,.Hour Ending",
        filter={"H": "D"},
        ts=["Date", "Hour Ending"],
        time_format="%m/%d/%Y %H",
        period_end="1 hour",
        dst={"second": "X"},
        value="Total Load",
        timezone="America/New_York",
    )


def test_isone_forecasts_have_dates_as_columns() -> None:
    """And the time of issue in a remark."""
    check_replay(
        "isone-forecast",
        "Csv",
        {"isone-wind-forecast": {}},
        path="/transform/csv/wphf",
        query={"start": "20250225"},
        header_row="^.D.,.Date",
        footer="^.T.",
        layout="wide",
        columns=r"^\d\d/\d\d/\d{4}$",
        fields={"issued": {"text": r"Report generated (.{19}) E[SD]T"}},
        ts=["header", "Hour Ending"],
        time_format="%m/%d/%Y %H",
        period_end="1 hour",
        published_at="issued",
        published_format="%m/%d/%Y %H:%M:%S",
        timezone="America/New_York",
    )


def test_smhi_has_a_preface_of_any_length() -> None:
    """The table begins where the first cell is Datum."""
    check_replay(
        "smhi",
        "Csv",
        {"smhi-abisko-temperature": {}},
        path="/api/version/1.0/parameter/1/station/188790/period/corrected-archive/data.csv",
        header_row="^Datum;",
        ts=["Datum", "Tid (UTC)"],
        value="Lufttemperatur",
        timezone="UTC",
    )


def test_usgs_has_a_line_of_widths_and_a_zone_in_each_row() -> None:
    """Marks for missing values are named."""
    series = {
        "usgs": {"usgs-discharge": "69512_00060", "usgs-gage-height": "69513_00065"},
        "usgs-spring": {"usgs-discharge": "69512_00060"},
    }
    for name, columns in series.items():
        check_replay(
            name,
            "Csv",
            {key: {"value": column} for key, column in columns.items()},
            path="/nwis/iv/",
            query={"format": "rdb", "sites": "01491000"},
            comment="#",
            delimiter="tab",
            first_row="^USGS",
            ts="datetime",
            dst="tz_cd",
            missing=["", "Ice", "Eqp", "Bkw"],
            timezone="America/New_York",
        )


def test_eurostat_tsv_is_wide_by_month() -> None:
    """With the key in the first cell, and flags behind the numbers."""
    check_replay(
        "eurostat-tsv",
        "Csv",
        {"eurostat-tsv-de": {"geo": "DE"}, "eurostat-tsv-fr": {"geo": "FR"}},
        path="/eurostat/api/dissemination/sdmx/2.1/data/prc_hicp_midx/M.I15.",
        query={"format": "TSV", "compressed": "true"},
        delimiter="tab",
        layout="wide",
        columns=r"^\d{4}-\d\d",
        time_format="period",
        fields={
            "geo": {"place": 1, "pattern": r"^M,I15,(\w+)$"},
            "number": {"place": "cell", "pattern": r"^(:|[\d.-]+)"},
        },
        value="number",
        missing=[":"],
        timezone="Europe/Luxembourg",
    )


def test_influxdb_has_a_header_for_each_table() -> None:
    """Annotations are comments."""
    check_replay(
        "influxdb",
        "Csv",
        {
            "influx-usage-a": {"_field": "usage", "host": "a"},
            "influx-procs-a": {"_field": "procs", "host": "a"},
            "influx-procs-b": {"_field": "procs", "host": "b"},
        },
        path="/api/v2/query",
        method="POST",
        query={"org": "reach"},
        headers={
            "Authorization": "Token tok-influx-6e2f1a",
            "Content-Type": "application/vnd.flux",
        },
        body='from(bucket: "b") |> range(start: {start}, stop: {end})',
        comment="#",
        sections={"header": "^,result,table"},
        ts="_time",
        value="_value",
    )


def test_ntesmo_is_a_workbook() -> None:
    """A sheet by its name, with the header in its fifth row."""
    check_replay(
        "ntesmo",
        "Excel",
        {f"ntesmo-{unit.lower()}": {"value": unit} for unit in ("C1", "C4", "C6")},
        path="/files/NTESMO.xlsx",
        sheet="Generating Unit Output",
        header_row=5,
        ts="Period Start",
        timezone="Australia/Darwin",
    )


def test_dwd_has_one_file_of_values_among_others() -> None:
    """By the pattern of its name; cells are padded."""
    check_replay(
        "dwd",
        "Csv",
        {"dwd-433-temperature": {"value": "TT_TU"}, "dwd-433-humidity": {"value": "RF_TU"}},
        path="/climate_environment/CDC/observations_germany/climate/hourly/air_temperature"
        "/recent/stundenwerte_TU_00433_akt.zip",
        member="produkt_*.txt",
        ts="MESS_DATUM",
        time_format="%Y%m%d%H",
        missing=[-999],
        timezone="UTC",
    )


def test_chugoku_has_a_file_a_day_of_each_kind() -> None:
    """With text before their header, in an encoding of Japan; the name says the kind."""
    check_replay(
        "chugoku",
        "Csv",
        {"chugoku-demand-forecast": {"kind": "yosoku"}, "chugoku-demand": {"kind": "jiseki"}},
        path="/data/202504_jyukyu2_chugoku.zip",
        member=["*_yosoku_*.csv", "*_jiseki_*.csv"],
        encoding="cp932",
        header_row="^日付",
        fields={"kind": {"file": "_([a-z]+)_"}},
        interval={"day": "日付", "number": "時間コマ", "length": "30 minutes"},
        time_format="%Y%m%d",
        value="エリア総需要量",
        timezone="Asia/Tokyo",
    )


def test_cbs_tells_months_quarters_and_years_of_one_measure_apart() -> None:
    """By a part of the period, which is the time too; pages by the link of OData."""
    check_replay(
        "cbs",
        "Json",
        {
            "cbs-cpi": {"Measure": "M000001_1", "kind": "MM"},
            "cbs-cpi-yoy": {"Measure": "M000002_1", "kind": "MM"},
            "cbs-cpi-year": {"Measure": "M000001_1", "kind": "JJ"},
            "cbs-q": {"Measure": "M000003_1", "kind": "KW"},
        },
        path="/CBS/83131NED/Observations",
        query={"$filter": "Perioden ge '2024JJ00'"},
        rows="value",
        paging={"next": '"@odata.nextLink"'},
        fields={"kind": {"place": "Perioden", "pattern": "[0-9]{4}([A-Z]{2})[0-9]{2}"}},
        ts="Perioden",
        time_format="period",
        value="Value",
        timezone="Europe/Amsterdam",
    )
