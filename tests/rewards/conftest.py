"""The shop that these tests buy in."""

from tests.shop import bare_shop as bare_shop
from tests.shop import shop as shop
