"""What runs without anybody asking: sending, fetching media, trying failed messages again, closing silent cases."""
