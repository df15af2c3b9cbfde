"""Documents of labels, parcels that are asked for, and couriers who come for them.

Revision ID: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

THIS_SHOP = "shop_id = nullif(current_setting('app.shop', true), '')::uuid"


STATES = (
    "'booking', 'booked', 'failed', 'collected', 'canceling', 'missed', 'canceled', 'rebooked',"
    " 'lapsed'"
)
STANDING = "state IN ('booking', 'booked', 'canceling', 'missed', 'failed')"
UNCONFIRMED = "state IN ('booking', 'failed', 'rebooked', 'lapsed')"


def upgrade() -> None:
    op.add_column("shipments", sa.Column("qr_url", sa.Text(), nullable=True))
    op.add_column(
        "shipments",
        sa.Column(
            "label_forms", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
    )
    op.add_column("shipments", sa.Column("track_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_shipments_track_at_sweep",
        "shipments",
        ["track_at"],
        postgresql_where=sa.text("track_at IS NOT NULL"),
    )
    op.execute("GRANT SELECT (track_at) ON shipments TO returns_sweep")
    _documents()
    _pickups()


def _documents() -> None:
    op.create_table(
        "label_documents",
        sa.Column("shop_id", sa.UUID(), nullable=False),
        sa.Column("shipment_id", sa.UUID(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("form IN ('label', 'qr')", name=op.f("ck_label_documents_form")),
        sa.ForeignKeyConstraint(
            ["shop_id", "shipment_id"],
            ["shipments.shop_id", "shipments.id"],
            name=op.f("fk_label_documents_shop_id_shipment_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "shipment_id", "form", name=op.f("pk_label_documents")),
    )
    op.execute("ALTER TABLE label_documents ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE label_documents FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY one_shop ON label_documents TO returns_app"
        f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON label_documents TO returns_app")


def _pickups() -> None:
    op.create_table(
        "pickups",
        *(
            sa.Column(name, sa.UUID(), nullable=False)
            for name in ("shop_id", "id", "return_id", "order_id", "shipment_id")
        ),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("source", "state", "carrier_pickup_id", "carrier", "service")
        ),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("confirmation", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("sequence", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(f"state IN ({STATES})", name=op.f("ck_pickups_state")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_pickups_window")),
        sa.CheckConstraint(
            f"(confirmation IS NOT NULL) OR ({UNCONFIRMED})", name=op.f("ck_pickups_confirmed")
        ),
        sa.CheckConstraint("cost_minor >= 0", name=op.f("ck_pickups_cost_minor_min")),
        sa.ForeignKeyConstraint(
            ["shop_id", "return_id", "order_id"],
            ["returns.shop_id", "returns.id", "returns.order_id"],
            name=op.f("fk_pickups_shop_id_return_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "shipment_id"],
            ["shipments.shop_id", "shipments.id"],
            name=op.f("fk_pickups_shop_id_shipment_id"),
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_pickups")),
        sa.UniqueConstraint(
            "shop_id",
            "source",
            "carrier_pickup_id",
            name=op.f("uq_pickups_shop_id_source_carrier_pickup_id"),
        ),
    )
    op.create_index("ix_pickups_return", "pickups", ["shop_id", "return_id", "id"])
    op.create_index(
        "uq_pickups_standing",
        "pickups",
        ["shop_id", "return_id"],
        unique=True,
        postgresql_where=sa.text(STANDING),
    )
    op.create_index(
        "ix_pickups_due_at_sweep",
        "pickups",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.execute("ALTER TABLE pickups ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE pickups FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY one_shop ON pickups TO returns_app"
        f" USING ({THIS_SHOP}) WITH CHECK ({THIS_SHOP})"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON pickups TO returns_app")
    op.execute("GRANT SELECT (shop_id, id, due_at, leased_until) ON pickups TO returns_sweep")
    op.execute("CREATE POLICY keys_only ON pickups FOR SELECT TO returns_sweep USING (true)")


def downgrade() -> None:
    op.execute("DELETE FROM deadlines WHERE object = 'pickup'")
    op.drop_table("pickups")
    op.drop_table("label_documents")
    op.execute("REVOKE SELECT (track_at) ON shipments FROM returns_sweep")
    op.drop_index("ix_shipments_track_at_sweep", "shipments")
    for column in ("track_at", "label_forms", "qr_url"):
        op.drop_column("shipments", column)
