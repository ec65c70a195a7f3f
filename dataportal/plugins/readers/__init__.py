"""What several plugins share to read answers: CSV text, times."""
