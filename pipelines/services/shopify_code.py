"""A custom pixel for a shop at Shopify: it loads the script of its data source and tells it the shop's events.

Shopify runs it in a sandboxed frame (https://shopify.dev/docs/api/web-pixels-api): there the window is not the
visitor's page, which each event describes, and that page's cookies are asked for by ``browser.cookie``.
"""

from __future__ import annotations

from accounts.models import Tenant
from pipelines.models import Source
from pipelines.services.header_code import LOADER, filled

_EVENTS = """\
cbq('set', 'cookies', browser.cookie);
cbq.disablePushState = true;

function on(shopifyEvent, name, dataOf) {
  analytics.subscribe(shopifyEvent, function (event) {
    var page = event.context.document;
    cbq('set', 'page', {location: page.location.href, referrer: page.referrer});
    cbq('track', name, dataOf(event.data), {eventID: event.id});
  });
}
function ofVariant(variant, quantity, price) {
  return {
    content_type: 'product',
    content_ids: [variant.id],
    contents: [{id: variant.id, quantity: quantity}],
    value: Number(price.amount),
    currency: price.currencyCode
  };
}
function ofCart(data) {
  var cartLine = data.cartLine;
  return ofVariant(cartLine.merchandise, cartLine.quantity, cartLine.cost.totalAmount);
}
function ofCheckout(data) {
  var checkout = data.checkout;
  var lines = checkout.lineItems.filter(function (line) { return line.variant; });
  return {
    content_type: 'product',
    content_ids: lines.map(function (line) { return line.variant.id; }),
    contents: lines.map(function (line) { return {id: line.variant.id, quantity: line.quantity}; }),
    value: checkout.totalPrice ? Number(checkout.totalPrice.amount) : undefined,
    currency: checkout.currencyCode,
    order_id: checkout.order ? checkout.order.id : undefined
  };
}
on('page_viewed', 'PageView', function () { return {}; });
on('product_viewed', 'ViewContent', function (data) {
  return ofVariant(data.productVariant, 1, data.productVariant.price);
});
on('search_submitted', 'Search', function (data) { return {search_string: data.searchResult.query}; });
on('product_added_to_cart', 'AddToCart', ofCart);
on('checkout_started', 'InitiateCheckout', ofCheckout);
on('payment_info_submitted', 'AddPaymentInfo', ofCheckout);
on('checkout_completed', 'Purchase', ofCheckout);
"""


def shopify_code(tenant: Tenant, source: Source) -> str:
    """The code of a custom pixel for the account's source."""
    return filled(LOADER + _EVENTS, tenant, source)
