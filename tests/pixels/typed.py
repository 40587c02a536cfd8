"""What somebody types who connects a pixel."""

from __future__ import annotations

TOKEN = "EAAB-a-new-token"
TYPED = {
    "pixel_id": "18904456377094531",
    "name": "Web shop",
    "business_id": "2840127409433732",
    "access_token": TOKEN,
    "external_id": "shop-1",
    "api_version": "v23.0",
}
