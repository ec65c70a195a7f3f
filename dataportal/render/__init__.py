"""What a person or a program sees: tables, plots, progress, JSON and CSV."""
