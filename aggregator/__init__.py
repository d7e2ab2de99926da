"""A daemon that turns many feeds into a few good ones."""

__version__ = "0.1.0"
