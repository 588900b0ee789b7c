"""The directory of services of the demo community, as data."""
