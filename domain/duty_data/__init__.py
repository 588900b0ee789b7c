"""The duty list that is shipped: ours, as a table."""
