-- Whether any of these series has a point in the batch's range: if not, nothing needs comparing.
SELECT EXISTS (
    SELECT FROM unnest(%(series)s::integer[]) AS s (series_id)
    WHERE EXISTS (
        SELECT FROM time_series_data AS d
        WHERE d.series_id = s.series_id AND d.ts BETWEEN %(low)s AND %(high)s
    )
)
