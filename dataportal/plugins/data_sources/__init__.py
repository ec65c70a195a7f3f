"""The built-in plugins, one provider a module."""
