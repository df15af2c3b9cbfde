"""Returns by the million, written in bulk by SQL: orders, returns and all that reports count.

Past the triggers and foreign keys that guard the service's own writes, as if it had all grown so.
What is what is drawn from the number of each return, so that the same numbers give the same shop:
opened over a year, a tenth of it in another currency, every reason, grade and end there is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

CHUNK: Final = 50_000
FIRST_DAY: Final = "2025-10-10"
SKUS: Final = 4_000

_REASONS: Final = (
    "ARRAY['size_too_small','size_too_large','changed_mind','defective','not_as_described',"
    "'damaged_in_transit','style','late_gift','bad_batch']"
)
_FAULTS: Final = (
    "ARRAY['buyer','buyer','buyer','merchant','merchant','carrier','buyer','buyer','merchant']"
)
_GRADES: Final = "ARRAY['sealed','opened_unused','used_worn','defective']"
_DISPOSITIONS: Final = "ARRAY['restock','refurbish','supplier','destroy',NULL]"
_PATH: Final = (
    "CASE state WHEN 'requested' THEN '{requested}'::text[] WHEN 'rejected' THEN"
    " '{requested,rejected}' WHEN 'canceled' THEN '{requested,approved,canceled}' WHEN 'approved'"
    " THEN '{requested,approved}' WHEN 'in_transit' THEN '{approved,in_transit,in_transit}' WHEN"
    " 'received' THEN '{approved,in_transit,received}' ELSE"
    " '{approved,in_transit,received,refunding,completed}' END"
)

_FILL: Final = f"""
CREATE TEMP TABLE fill ON COMMIT DROP AS
SELECT *, opened - interval '1 hour' * (24 * 5 + h5 % 240) AS placed,
       CASE WHEN h6 % 10 = 0 THEN 'USD' ELSE 'EUR' END AS currency,
       ({_REASONS})[1 + h2 % 9] AS reason, ({_FAULTS})[1 + h2 % 9] AS fault,
       (ARRAY['requested','rejected','canceled','approved','in_transit','received','completed',
              'completed','completed','completed'])[1 + h1 % 10] AS state,
       1 + h3 % 3 AS quantity, 1000 + h4 % 20000 AS price
FROM (SELECT n, uuidv7() AS o, uuidv7() AS r, uuidv7() AS l, uuidv7() AS l2, uuidv7() AS rl,
             uuidv7() AS s, uuidv7() AS f, uuidv7() AS g, uuidv7() AS i, uuidv7() AS a,
             abs(hashtext(n || 'a')::bigint) AS h1, abs(hashtext(n || 'b')::bigint) AS h2,
             abs(hashtext(n || 'c')::bigint) AS h3, abs(hashtext(n || 'd')::bigint) AS h4,
             abs(hashtext(n || 'e')::bigint) AS h5, abs(hashtext(n || 'f')::bigint) AS h6,
             timestamptz '{FIRST_DAY} 00:00+00'
               + interval '1 second' * (
                   abs(hashtext(n || 'g')::bigint) % ($3::bigint * 86400)) AS opened
      FROM generate_series($1::int, $2::int) n) numbers
"""

_ROWS: Final = (
    """INSERT INTO orders (shop_id, id, source, external_id, number, number_key, snapshot,
           placed_at, platform_updated_at, currency, taxes_included, total_minor)
       SELECT $1::uuid, o, 'bench', 'r' || n, 'R' || n, 'r' || n, '', placed, placed, currency,
              true, price * 4 FROM fill""",
    f"""INSERT INTO order_lines (shop_id, id, order_id, external_id, position, kind, title, sku,
           product_id, vendor, unit_price_minor, discounted, options, ordered, removed, shipped,
           delivered, claimed)
       SELECT $1::uuid, l, o, '1', 0, 'goods', 'Jacket', 'SKU-' || h4 % {SKUS}, 'P' || h4 % 50,
              CASE WHEN h4 % 11 > 0 THEN 'V' || h4 % 40 END, price, false,
              CASE WHEN h5 % 5 > 0 THEN jsonb_build_object(
                  'size', (ARRAY['S','M','L'])[1 + h5 % 3],
                  'colour', (ARRAY['red','blue'])[1 + h6 % 2]) ELSE '{{}}' END,
              quantity + h6 % 3, h6 % 2, quantity + h6 % 3, quantity + h6 % 3, quantity FROM fill
       UNION ALL
       SELECT $1::uuid, l2, o, '2', 1, CASE WHEN h6 % 7 = 0 THEN 'shipping' ELSE 'goods' END,
              'Shirt',
              CASE WHEN h3 % 9 > 0 THEN 'SKU-' || h3 % {SKUS} END, NULL, 'V' || h3 % 40, 500,
              false, '{{}}', 1 + h3 % 2, 0, 1, 1, 0 FROM fill""",
    """INSERT INTO returns (shop_id, id, number, order_id, quote_id, decision_id,
           policy_version_id, state, resolution, method, currency, expected_minor, terms,
           refund_at, opened_by, created_at, updated_at)
       SELECT $1::uuid, r, 'B' || n, o, r, r, r, state, 'refund', 'post', currency,
              price * quantity, '{}', 'inspection', 'buyer', opened, opened FROM fill""",
    """INSERT INTO return_lines (shop_id, id, return_id, order_id, order_line_id, position,
           quantity, units, reason, fault, evidence, state, received, inspected)
       SELECT $1::uuid, rl, r, o, l, 0, quantity,
              (SELECT array_agg(u) FROM generate_series(1, quantity::int) u), reason, fault, '[]',
              CASE WHEN state IN ('requested', 'rejected', 'canceled', 'received') THEN state
                   WHEN state = 'completed' THEN CASE WHEN h6 % 8 = 0 THEN 'kept' ELSE 'settled' END
                   ELSE 'approved' END,
              CASE WHEN state IN ('received', 'completed') THEN quantity ELSE 0 END, 0 FROM fill""",
    """INSERT INTO shipments (shop_id, id, return_id, state, source, carrier, service,
           cost_minor, cost_currency, created_at, updated_at)
       SELECT $1::uuid, s, r, CASE WHEN state = 'canceled' THEN 'voided' WHEN state = 'approved'
                  THEN 'label_ready' WHEN state = 'in_transit' THEN
                  (ARRAY['in_transit','lost'])[1 + h6 % 2] ELSE 'delivered' END,
              'easypost', CASE WHEN h5 % 6 > 0 THEN (ARRAY['DHL','UPS','DPD'])[1 + h5 % 3] END,
              CASE WHEN h3 % 2 = 0 THEN 'Ground' END,
              CASE WHEN h4 % 9 > 0 THEN 300 + h4 % 500 END,
              CASE WHEN h4 % 9 > 0 THEN currency END, opened, opened
       FROM fill WHERE state NOT IN ('requested', 'rejected')""",
    """INSERT INTO scans (shop_id, shipment_id, status, at)
       SELECT $1::uuid, s, status,
              opened + interval '1 second' * (h4 % 90000 + step * (h5 % 400000))
       FROM fill, (VALUES ('in_transit', 0), ('delivered', 1)) AS scan (status, step)
       WHERE state IN ('received', 'completed') OR (state = 'in_transit' AND step = 0)""",
    """INSERT INTO inspections (shop_id, id, return_id, inspector, at)
       SELECT $1::uuid, i, r, 'bench', opened FROM fill WHERE state = 'completed'""",
    f"""INSERT INTO inspected_units (shop_id, id, inspection_id, return_line_id, line_id, unit_no,
           grade, disposition)
       SELECT $1::uuid, uuidv7(), i, rl, l, u, ({_GRADES})[1 + (h5 + u) % 4],
              ({_DISPOSITIONS})[1 + (h6 + u) % 5]
       FROM fill, generate_series(1, quantity) u WHERE state = 'completed'""",
    """INSERT INTO refunds (shop_id, id, order_id, return_id, kind, amount_minor, currency, state,
           parts, arrived_minor, noted_minor, created_at, updated_at)
       SELECT $1::uuid, f, o, r, 'return', price * quantity, currency, 'succeeded',
              jsonb_build_array(jsonb_build_object('kind', 'goods', 'amount', price * quantity),
                  jsonb_build_object('kind', 'return_freight', 'amount', -490),
                  jsonb_build_object('kind', 'grade_deduction', 'amount', -(h6 % 3) * 100)),
              price * quantity, price * quantity, opened, opened
       FROM fill WHERE state = 'completed'
       UNION ALL
       SELECT $1::uuid, g, o, r, 'goodwill', 500, currency, 'succeeded', '[]', 500, 500, opened,
              opened
       FROM fill WHERE h5 % 30 = 0""",
    """INSERT INTO deadlines (shop_id, return_id, object_id, object, kind, owner, on_silence, state,
           due_at, wake_at, begun_at, ended_at)
       SELECT $1::uuid, r, r, 'return', kind, owner, 'overdue', ended, opened + interval '9 days',
              CASE WHEN ended = 'open' THEN timestamptz '2199-01-01' END, opened,
              CASE WHEN ended <> 'open' THEN opened END
       FROM (SELECT *, (ARRAY['kept','passed','open','dropped'])[1 + (h6 + k) % 4] AS ended
             FROM fill, (VALUES ('respond', 'agent', 0), ('arrive', 'warehouse', 1),
                                ('dispute_window', 'buyer', 2)) AS timer (kind, owner, k)) timed""",
    f"""INSERT INTO events (shop_id, id, resource_type, resource_id, sequence, type, at, actor,
           order_id, return_id, data)
       SELECT $1::uuid, uuidv7(), 'return', r, step, 'return.' || path[step],
              opened + interval '1 second' * ((step - 1) * (h3 % 200000) + step ^ 2 * (h4 % 9000)),
              'system', o, r, jsonb_build_object('state', path[step])
       FROM (SELECT *, {_PATH} AS path FROM fill) told,
            LATERAL generate_subscripts(path, 1) AS step""",
    """INSERT INTO advances (shop_id, id, order_id, return_id, refund_id, state, reason,
           amount_minor, never_paid_minor, applied_minor, currency, parts, created_at, settled_at)
       SELECT $1::uuid, a, o, r, CASE WHEN h5 % 3 > 0 THEN g END,
              CASE WHEN h5 % 3 > 0 THEN 'settled' ELSE 'declined' END,
              CASE WHEN h5 % 3 = 0 THEN 'buyer_cap' END, price, h6 % 100, 500, currency,
              CASE WHEN h5 % 3 = 1 THEN '[{"kind": "restocking_fee", "amount": -70}]'::jsonb END,
              opened, CASE WHEN h5 % 3 > 0 THEN opened END
       FROM fill WHERE state = 'completed' AND h4 % 10 = 0""",
    """INSERT INTO recoveries (shop_id, id, order_id, return_id, advance_id, refund_id, state,
           cause, amount_minor, paid_minor, written_off_minor, waived_minor, cleared_minor,
           currency, created_at, updated_at, closed_at)
       SELECT $1::uuid, uuidv7(), o, r, a, g,
              (ARRAY['open','paid','written_off'])[1 + h6 % 3],
              (ARRAY['not_returned','worth_less'])[1 + h3 % 2], 400,
              CASE h6 % 3 WHEN 0 THEN 100 WHEN 1 THEN 400 ELSE 50 END,
              CASE WHEN h6 % 3 = 2 THEN 250 ELSE 0 END, CASE WHEN h6 % 3 = 2 THEN 60 ELSE 0 END,
              CASE WHEN h6 % 3 = 2 THEN 40 ELSE 0 END, currency, opened, opened,
              CASE WHEN h6 % 3 > 0 THEN opened END
       FROM fill WHERE state = 'completed' AND h4 % 10 = 0 AND h5 % 3 > 0""",
)


async def fill_up(
    connection: Any,
    shop: UUID,
    begin: int,
    end: int,
    done: Callable[[int], None] = lambda _: None,
    *,
    days: int = 365,
) -> None:
    """Returns with the numbers from ``begin`` to ``end`` - 1 over so many days, by the superuser;
    then statistics."""
    await connection.execute("SET session_replication_role = replica")
    for first in range(begin, end, CHUNK):
        last = min(first + CHUNK, end) - 1
        async with connection.transaction():
            await connection.execute(_FILL, first, last, days)
            for statement in _ROWS:
                await connection.execute(statement, shop)
        done(last + 1)
    await connection.execute("SET session_replication_role = DEFAULT")
    await connection.execute("VACUUM ANALYZE")
