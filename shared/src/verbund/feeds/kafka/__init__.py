"""The feed from Kafka: Faust does groups, rebalancing and fetching, the reader's database says what is new."""
