"""What the registration office needs to know to run."""

from verbund.settings import ServiceSettings


class RegistrationSettings(ServiceSettings):
    """Nothing beyond what every office needs, so far."""
