"""What talks to providers: the public plugin API, the loader, the HTTP client, the built-ins."""
