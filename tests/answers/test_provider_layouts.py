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
    """And the vector around the rows."""
    check_replay(
        "statcan",
        "Json",
        {
            "statcan-cpi": {"vector": "41690973"},
            "statcan-employment": {"vector": "2062811"},
            "statcan-exports": {"vector": "32164132"},
        },
        path="/t1/wds/rest/getDataFromVectorsAndLatestNPeriods",
        method="POST",
        json=[{"vectorId": 41690973, "latestN": 3}],
        rows="[].object.vectorDataPoint[]",
        fields={
            "vector": {"parent": "vectorId"},
            "amount": {"place": "value", "power_of_ten": "scalarFactorCode"},
        },
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
