-- How many rows of the data tables the runs of each source have written and left.
SELECT source, (sum(inserted) - sum(retracted))::bigint AS observations,
       (sum(inserted) + sum(revised))::bigint AS versions, sum(vintages)::bigint AS vintages
FROM fetch_run
GROUP BY source
