"""Words in the names of columns, in the languages of many providers, that tell what they hold."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


START = _words(
    """
    begin beginning debut desde début fom from inicio start von
    """
)
"""Words of columns and parameters with the beginning of an interval."""

END = _words(
    """
    bis end ending fin hasta he slut stop thru till to until
    """
)
"""Words with its end."""

PUBLISHED = _words(
    """
    changed created created_at creation evaluated expired expires generated ingested
    inserted issue issued lastchanged lastmod lastupdate load modified posted prepared
    processed publication publish publishdate published received release released retrieved
    update updated vintage
    """
)
"""Words of times at which values were published or changed."""

NO_VALUE = _words(
    """
    altitude code codes confidence coordinate day decimal decimalnumber decimals dst
    elevation error fid fips flag flags hash hour id ids intervention iso jahr key
    klimat kvalitet lat latitude line lon longitude minute monat month mult
    multiplier no nr number objectid offset oid order page plz position postal precision
    product productid qc qn qualification qualifier quality rank revision rid row runno
    scalar scale score sensor sensorid seq sequence site sort source station stationid
    stations status stunde symbol tag uuid validity verification version week wmo year zip
    stn ptid pnode
    """
)
"""Words of columns of numbers that are codes, counters and places."""

VALUE = _words(
    """
    amount arvo datavalue indhold measured measurement messwert numericvalue obs_value
    obsvalue reading result resultat vaerdi val valeur valor valore value verdi värde waarde
    wartość wert y
    """
)
"""Words of a column that is the value."""

OF_INTERVALS = _words(
    """
    block delivery godzina he heure hora hour hours hr interval mtu n number ora period
    periode position pte quarter settlement slot stunde time timme trading tunti uur x
    zeitfenster コマ 時 時間
    """
)
"""Words of numbers of intervals of a day."""

KEYS = _words(
    """
    area border category code country currency direction entity field fuel geo host id
    indicator instance jurisdiction kind location measure metric name node parameter product
    region regionid sensor series seriesid site station symbol type unit variable vectorid
    zone
    """
)
"""Words of columns that tell series apart."""

WHERE = _words(
    """
    area borough city country device geo host instance jurisdiction location meter node
    plant region sensor site station symbol zone
    """
)
"""Words of columns that say where values were measured."""

WEAK_KEYS = _words(
    """
    comment decimals exponent factor flag flags footnote footnotes href link mult multiplier
    note power qualification qualifier quality remark revision scalar scale status url valid
    version
    """
)
"""Words of columns that say something of a single value."""

DST = _words(
    """
    daylight dst dstflag sommerzeit summer tz tz_cd
    """
)
"""Words of flags of daylight saving time."""

UTC_WORDS = _words(
    """
    gmt utc zulu
    """
)
"""Words of columns in UTC."""
