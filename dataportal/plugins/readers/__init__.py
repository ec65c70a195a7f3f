"""What plugins read answers with: what several share, and tables too long for one's module."""
