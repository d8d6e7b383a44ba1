"""Everything that speaks to Kafka through kafka-python; nobody else imports it."""
