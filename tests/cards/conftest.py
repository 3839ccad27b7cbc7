"""The shop that these tests buy in."""

from tests.cards.strict import strict_shop as strict_shop
from tests.shop import bare_shop as bare_shop
from tests.shop import shop as shop
