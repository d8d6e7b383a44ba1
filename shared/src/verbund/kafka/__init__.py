"""Kafka as both ends see it: how it is reached, which topics there are, what a message looks like. No client here."""
