"""The limit: a WSGI function with one statement for each work, which makes the whole answer in PostgreSQL.

It looks at nothing of a request but its path and the account's id.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

import orjson
import psycopg

_ROLES = """json_build_array(
    json_build_object('name', 'advertiser-admin-' || {0}.id, 'displayName', 'admin'),
    json_build_object('name', 'advertiser-manage-' || {0}.id, 'displayName', 'manage'),
    json_build_object('name', 'advertiser-view-' || {0}.id, 'displayName', 'view'))"""

TENANT = f"""
SELECT json_build_object('data', json_build_object('tenant', json_build_object(
    'id', tenant.id, 'name', tenant.name, 'status', tenant.status, 'canPartnerManage', tenant.can_partner_manage,
    'users', (
        SELECT json_agg(json_build_object(
            'id', person.id, 'email', person.email,
            'roles', json_build_array(json_build_object(
                'name', 'advertiser-' || member.level || '-' || member.tenant_id, 'displayName', member.level)),
            'tenants', (
                SELECT json_agg(json_build_object(
                    'id', own.id, 'name', own.name, 'status', own.status, 'canPartnerManage', own.can_partner_manage,
                    'availableRoles', {_ROLES.format("own")}) ORDER BY own.name, own.id)
                FROM accounts_membership AS also JOIN accounts_tenant AS own ON own.id = also.tenant_id
                WHERE also.user_id = person.id),
            'isSelf', false,
            'canBeDeleted', member.level <> 'admin' OR member.admins > 1,
            'defaultTenantId', person.default_tenant_id) ORDER BY person.email)
        FROM (
            SELECT *, count(*) FILTER (WHERE level = 'admin') OVER () AS admins
            FROM accounts_membership WHERE tenant_id = tenant.id
        ) AS member JOIN accounts_user AS person ON person.id = member.user_id),
    'availableRoles', {_ROLES.format("tenant")},
    'tenantUsage', (
        SELECT json_build_object(
            'totalActivePixels', count(*) FILTER (WHERE active),
            'totalInactivePixels', count(*) FILTER (WHERE NOT active), 'totalPixels', count(*),
            'tenantUsageByTraffic', json_build_object(
                'totalEventsReceived', usage.total_events_received,
                'totalPixelsWithTraffic', usage.total_pixels_with_traffic, 'publishError', usage.publish_error,
                'durationInHours', usage.duration_in_hours,
                'lastUpdatedAt', trunc(extract(epoch FROM usage.refreshed_at) * 1000)::text))
        FROM pixels_pixel WHERE tenant_id = tenant.id),
    'canEditTenantSettingsInUI', false, 'canViewTenantInUI', false)))::text
FROM accounts_tenant AS tenant JOIN accounts_usagesnapshot AS usage ON usage.tenant_id = tenant.id
WHERE tenant.id = %s"""  # noqa: S608  # constants

SIGNAL_CONFIGS = """
SELECT json_build_object('data', json_build_object('signalConfigs', json_agg(json_build_object(
    'id', config_id, 'connectionId', id, 'connectionStatus', json_build_object(
        'id', status_id, 'pixelID', id, 'pixelName', pixel_name, 'targetId', target_id,
        'accessTokenAvailable', access_token_available, 'connected', connected, 'active', active,
        'eventBridgeActive', event_bridge_active, 'publishingEnabled', publishing_enabled, 'accessKey', access_key,
        'apiErrorCode', api_error_code, 'badToken', bad_token, 'lastReceived', last_received,
        'totalEventsReceived', total_events_received, 'lastPublished', last_published,
        'totalEventsPublished', total_events_published)) ORDER BY id)))::text
FROM peer_pixels WHERE tenant_id = %s"""

_STATEMENTS = {"/tenant": TENANT, "/signal-configs": SIGNAL_CONFIGS}
_mine = threading.local()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer."""
    if environ["REQUEST_METHOD"] != "POST":
        start_response("405 Method Not Allowed", [])
        return []
    asked = orjson.loads(environ["wsgi.input"].read())
    row = (
        _connection()
        .execute(_STATEMENTS[environ["PATH_INFO"]], (asked["variables"]["tenantId"],), binary=True)
        .fetchone()
    )
    answer: str = row[0] if row else "{}"
    start_response("200 OK", [("Content-Type", "application/json")])
    return [answer.encode()]


def _connection() -> psycopg.Connection[Any]:
    if not hasattr(_mine, "connection"):
        _mine.connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, prepare_threshold=0)
    return _mine.connection  # type: ignore[no-any-return]
