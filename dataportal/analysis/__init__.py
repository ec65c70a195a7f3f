"""Questions of the Python API and of `read`: what is asked, what holds of it, answers as Arrow.

Whose entry points are `dataportal.connect` and the commands. Of Arrow:

- `store.read.arrow.record_batches` and `store.read.points.StoredPoints.record_batches` read rows;
- `arrow_schema.with_facts` writes into a schema what the series are, and whether it is final;
- `arrow_schema.name_rows` puts the name of the series before the rows of one.
"""
