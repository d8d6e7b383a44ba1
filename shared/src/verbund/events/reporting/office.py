"""The name of the reporting office, as its ledger and the types of its events say it."""

OFFICE = "reporting"
