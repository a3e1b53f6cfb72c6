"""Whose session is it? The statements of the session registry: pure SQL for an asyncio connection, no ORM.

Each works on many devices and locks their rows in the order of their ids, so processes never wait for each other in a
circle. They run on PostgreSQL 15 (whose RETURNING cannot tell the old row: hence the columns `former` and `former_epoch`).
Times of leases are the database's; stamps are the transports' (ms since 1970).
"""

# How long after the end of a lease, in ms, its node is still waited for: its last stamps may run ahead of the clock as far.
LEASE_GRACE_MS = 1000

# node, seconds -> the sessions (device, epoch) that others took from this node and that it has not let go of yet.
RENEW_SQL = """
    WITH renewed AS (
        INSERT INTO devices_transportnode (id, started, lease)
        VALUES (%(node)s, clock_timestamp(), clock_timestamp() + %(seconds)s * interval '1 second')
        ON CONFLICT (id) DO UPDATE SET lease = excluded.lease
    )
    SELECT device_id, epoch FROM devices_sessiontakeover WHERE node = %(node)s AND stamp IS NULL LIMIT 1000
"""

# The other nodes, after those have been forgotten whose lease has been over for an hour.
NODES_SQL = """
    WITH forgotten AS (
        DELETE FROM devices_transportnode WHERE lease < clock_timestamp() - interval '1 hour'
    )
    SELECT id FROM devices_transportnode WHERE id <> %(node)s AND lease > clock_timestamp() - interval '1 hour'
"""

# node, devices, grace (ms) -> device, epoch, stamp of the last session that ended in order, and a row for each older
# session of it that must be waited for: epoch, node, stamp (ms) if it has ended; nulls for none. No row at all when this
# node's own lease is over. Each device at most once in `devices`.
CLAIM_SQL = """
    WITH claimed AS (
        INSERT INTO devices_devicesession AS s (device_id, node, epoch, connected, stamp)
        SELECT d, %(node)s, 1, clock_timestamp(), 0
        FROM unnest(%(devices)s::uuid[]) AS d
        WHERE EXISTS (SELECT FROM devices_transportnode WHERE id = %(node)s AND lease > clock_timestamp())
        ORDER BY d
        ON CONFLICT (device_id) DO UPDATE SET
            node = excluded.node, epoch = s.epoch + 1, connected = excluded.connected,
            former = s.node, former_epoch = s.epoch
        RETURNING device_id, epoch, stamp, former, former_epoch
    ), displaced AS (
        INSERT INTO devices_sessiontakeover (device_id, epoch, node)
        SELECT c.device_id, c.former_epoch, c.former
        FROM claimed c JOIN devices_transportnode n ON n.id = c.former
        WHERE c.former <> %(node)s AND n.lease > clock_timestamp() - %(grace)s * interval '1 millisecond'
        RETURNING device_id, epoch, node, stamp
    ), older AS (
        SELECT device_id, epoch, node, stamp FROM displaced
        UNION ALL
        SELECT device_id, epoch, node, stamp FROM devices_sessiontakeover WHERE device_id = ANY(%(devices)s::uuid[])
    )
    SELECT c.device_id, c.epoch, c.stamp, o.epoch, o.node, o.stamp
    FROM claimed c LEFT JOIN older o ON o.device_id = c.device_id
"""

# devices, epochs of sessions that were taken over, grace (ms) -> device, epoch, stamp, and whether to wait on: the older
# session has not ended, and its node's lease is not over.
WAIT_SQL = """
    SELECT w.device_id, w.epoch, coalesce(t.stamp, 0),
           t.epoch IS NOT NULL AND t.stamp IS NULL
           AND coalesce(n.lease > clock_timestamp() - %(grace)s * interval '1 millisecond', false)
    FROM unnest(%(devices)s::uuid[], %(epochs)s::int8[]) AS w (device_id, epoch)
    LEFT JOIN devices_sessiontakeover t ON t.device_id = w.device_id AND t.epoch = w.epoch
    LEFT JOIN devices_transportnode n ON n.id = t.node
"""

# devices, epochs, stamps (ms): these sessions were taken over and have now ended.
YIELD_SQL = """
    WITH told AS (
        SELECT * FROM unnest(%(devices)s::uuid[], %(epochs)s::int8[], %(stamps)s::int8[]) AS a (device_id, epoch, stamp)
    ), locked AS (
        SELECT t.device_id, t.epoch, told.stamp
        FROM devices_sessiontakeover t JOIN told ON told.device_id = t.device_id AND told.epoch = t.epoch
        ORDER BY t.device_id, t.epoch FOR UPDATE OF t
    )
    UPDATE devices_sessiontakeover t SET stamp = l.stamp
    FROM locked l WHERE t.device_id = l.device_id AND t.epoch = l.epoch
    RETURNING 1
"""

# devices, epochs: nobody waits for the end of these sessions any more.
FORGET_SQL = """
    WITH locked AS (
        SELECT t.device_id, t.epoch
        FROM devices_sessiontakeover t
        JOIN unnest(%(devices)s::uuid[], %(epochs)s::int8[]) AS w (device_id, epoch)
            ON w.device_id = t.device_id AND w.epoch = t.epoch
        ORDER BY t.device_id, t.epoch FOR UPDATE OF t
    )
    DELETE FROM devices_sessiontakeover t
    USING locked l WHERE t.device_id = l.device_id AND t.epoch = l.epoch
    RETURNING 1
"""

# node, devices, epochs, stamps (ms): these sessions have ended. One that is no longer the device's newest changes nothing.
RELEASE_SQL = """
    WITH ended AS (
        SELECT * FROM unnest(%(devices)s::uuid[], %(epochs)s::int8[], %(stamps)s::int8[]) AS a (device_id, epoch, stamp)
    ), locked AS (
        SELECT s.device_id, ended.stamp
        FROM devices_devicesession s JOIN ended ON ended.device_id = s.device_id
        WHERE s.node = %(node)s AND s.epoch = ended.epoch
        ORDER BY s.device_id FOR UPDATE OF s
    )
    UPDATE devices_devicesession s SET node = NULL, stamp = greatest(s.stamp, l.stamp)
    FROM locked l WHERE s.device_id = l.device_id
    RETURNING 1
"""

# node, devices, epochs -> the devices whose newest session is still this one.
STILL_SQL = """
    SELECT s.device_id
    FROM devices_devicesession s
    JOIN unnest(%(devices)s::uuid[], %(epochs)s::int8[]) AS w (device_id, epoch)
        ON w.device_id = s.device_id AND w.epoch = s.epoch
    WHERE s.node = %(node)s
"""

# device -> the living node that holds its session.
OWNER_SQL = """
    SELECT s.node FROM devices_devicesession s JOIN devices_transportnode n ON n.id = s.node
    WHERE s.device_id = %(device)s AND n.lease > clock_timestamp()
"""

# node, seconds: it ends in order; its sessions count as ended after so many seconds.
RETIRE_SQL = """
    UPDATE devices_transportnode SET lease = clock_timestamp() + (%(seconds)s) * interval '1 second'
    WHERE id = %(node)s RETURNING 1
"""
