"""The parts of `http_plugin`: APIs that are described in sources.yaml alone."""
