-- What the peers of the GraphQL benchmarks read beside the portal's own tables.

-- Pixels with all that is shown of them. The totals are sums over counters in the portal; peers have them as columns.
CREATE MATERIALIZED VIEW peer_pixels AS
SELECT
    pixel.pixel_id AS id, pixel.tenant_id, 'ConnectionStatus:' || pixel.pixel_id AS status_id,
    'SignalConfig:' || pixel.pixel_id AS config_id, coalesce(pixel.name, '') AS pixel_name, '' AS target_id,
    true AS access_token_available, true AS connected, pixel.active, pixel.event_bridge_active, pixel.publishing_enabled,
    pixel.access_key, pixel.api_error_code, pixel.bad_token,
    coalesce(trunc(extract(epoch FROM pixel.last_received) * 1000), 0)::double precision AS last_received,
    coalesce(trunc(extract(epoch FROM pixel.last_published) * 1000), 0)::double precision AS last_published,
    coalesce(counted.received, 0)::double precision AS total_events_received,
    coalesce(counted.published, 0)::double precision AS total_events_published
FROM pixels_pixel AS pixel LEFT JOIN (
    SELECT pixel_id, sum(received) AS received, sum(published) AS published
    FROM events_counter
    WHERE span = 0 AND dimension = 0 AND start >= date_trunc('minute', now() - interval '1 hour')
    GROUP BY pixel_id
) AS counted ON counted.pixel_id = pixel.id;
CREATE UNIQUE INDEX ON peer_pixels (tenant_id, id);
ANALYZE peer_pixels;

-- What PostGraphile makes a schema of. Views have no keys: its smart comments name them.
CREATE SCHEMA peers;

CREATE VIEW peers.tenants AS
SELECT
    id::text, name::text, status::int, can_partner_manage, false AS can_edit_tenant_settings_in_ui,
    false AS can_view_tenant_in_ui,
    json_build_array(
        json_build_object('name', 'advertiser-admin-' || id, 'displayName', 'admin'),
        json_build_object('name', 'advertiser-manage-' || id, 'displayName', 'manage'),
        json_build_object('name', 'advertiser-view-' || id, 'displayName', 'view')
    ) AS available_roles
FROM accounts_tenant;
COMMENT ON VIEW peers.tenants IS E'@primaryKey id';

CREATE VIEW peers.users AS
SELECT id, email::text, default_tenant_id::text, false AS is_self FROM accounts_user;
COMMENT ON VIEW peers.users IS E'@primaryKey id';

CREATE VIEW peers.memberships AS
SELECT
    membership.id, membership.tenant_id::text, membership.user_id, person.email::text,
    'advertiser-' || membership.level || '-' || membership.tenant_id AS role_name, membership.level::text AS role_display_name,
    membership.level <> 'admin' OR EXISTS (
        SELECT FROM accounts_membership AS other
        WHERE other.tenant_id = membership.tenant_id AND other.level = 'admin' AND other.id <> membership.id
    ) AS can_be_deleted
FROM accounts_membership AS membership JOIN accounts_user AS person ON person.id = membership.user_id;
COMMENT ON VIEW peers.memberships IS
E'@primaryKey id\n@foreignKey (tenant_id) references peers.tenants (id)|@fieldName tenant|@foreignFieldName memberships\n@foreignKey (user_id) references peers.users (id)|@fieldName user|@foreignFieldName memberships';

CREATE VIEW peers.usages AS
SELECT
    usage.tenant_id::text, usage.total_events_received::int, usage.total_pixels_with_traffic::int, usage.publish_error,
    usage.duration_in_hours::int, trunc(extract(epoch FROM usage.refreshed_at) * 1000)::text AS last_updated_at,
    counted.total AS total_pixels, counted.active AS total_active_pixels,
    counted.total - counted.active AS total_inactive_pixels
FROM accounts_usagesnapshot AS usage, LATERAL (
    SELECT count(*)::int AS total, (count(*) FILTER (WHERE active))::int AS active
    FROM pixels_pixel WHERE tenant_id = usage.tenant_id
) AS counted;
COMMENT ON VIEW peers.usages IS
E'@primaryKey tenant_id\n@foreignKey (tenant_id) references peers.tenants (id)|@fieldName tenant|@foreignSingleFieldName usage|@foreignFieldName usage';

CREATE VIEW peers.pixels AS SELECT * FROM peer_pixels;
COMMENT ON VIEW peers.pixels IS
E'@primaryKey id\n@foreignKey (tenant_id) references peers.tenants (id)|@fieldName tenant|@foreignFieldName signalConfigs';
