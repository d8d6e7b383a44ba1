"""The relay: sends what an office booked to Kafka, in order, and forgets nothing; the only user of kafka-python."""
