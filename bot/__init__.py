"""The WeChat edge: what arrives from the platform and what goes out to it. Knows nothing about cases."""
