"""What `http_plugin` is made of: APIs that are described in sources.yaml alone."""
