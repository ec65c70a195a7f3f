"""Reads parameters and answers: what several plugins share."""
