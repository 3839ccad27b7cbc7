"""Fixtures of the tests of delivery."""

from tests.delivery.post import phones as phones
from tests.delivery.post import post as post
