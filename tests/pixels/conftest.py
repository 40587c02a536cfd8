"""What the tests of pixels' pages share."""

from __future__ import annotations

import pytest

from pixels.models import Pixel
from tests.base import Cast
from tests.factories import PixelFactory


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes, name="Web shop", pixel_id="555001")
