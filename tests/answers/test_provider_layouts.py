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
