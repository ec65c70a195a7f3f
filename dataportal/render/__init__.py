"""Renders what commands answer: text, tables and progress for people, JSON and CSV for programs.

view.py           the interface of an answer: lines for people, a document for programs
archive, healthcheck, list_sources, migrate, runs, verify
                  the views, each named after its command (runs: fetch and fetch-all;
                  archive: dump and restore)
report, status_page
                  what `report` answers, as data and as a page, made of html and charts
manual, pager     the pages of the manual, and what shows a long one on a terminal
history.py        the formats of `history`, whose answers may be of any length;
                  a renderer for each: history_text, history_csv, history_json
run_progress, progress_bar
                  what is shown on stderr meanwhile
console.py        the standard streams
tables, sparkline, formatting, csv_output, json_output
                  what the above are made of
"""
