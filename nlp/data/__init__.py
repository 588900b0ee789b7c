"""Word lists and tables of the classifier, as readable TOML files."""
