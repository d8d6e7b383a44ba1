"""What a relay needs to know to run."""

from verbund.kafka.settings import KafkaSettings
from verbund.settings import ServiceSettings


class RelaySettings(ServiceSettings):
    """What every process of an office needs, and where Kafka is."""

    kafka: KafkaSettings
    """VERBUND_KAFKA__BROKERS and others."""
