"""Drafts entries of sources.yaml from answers: finds rows, times, values and series in them."""
