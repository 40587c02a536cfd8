from django.apps import AppConfig


class PixelsConfig(AppConfig):
    """Pixel connections: switches, tokens and keys."""

    name = "pixels"
