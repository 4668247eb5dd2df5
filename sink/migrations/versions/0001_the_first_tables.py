"""The first tables"""

import sqlalchemy as sa
from alembic import op

from sink.instant import Instant

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('attachments',
    sa.Column('id', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('raw', sa.Text(), nullable=False),
    sa.Column('idx', sa.Integer(), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('native_id', sa.Text(), nullable=True),
    sa.Column('media_type', sa.Text(), nullable=True),
    sa.Column('name', sa.LargeBinary(), nullable=True),
    sa.Column('url', sa.Text(), nullable=True),
    sa.Column('size', sa.BigInteger(), nullable=True),
    sa.Column('sha256', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('expires_at', Instant(), nullable=True),
    sa.Column('next_try', Instant(), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attachments'))
    )
    with op.batch_alter_table('attachments', schema=None) as batch:
        batch.create_index('ix_attachments_next_try', ['next_try'], unique=False, sqlite_where=sa.text("state = 'referenced'"), postgresql_where=sa.text("state = 'referenced'"))
        batch.create_index(batch.f('ix_attachments_raw_idx'), ['raw', 'idx'], unique=False)

    op.create_table('complaints',
    sa.Column('id', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('raw', sa.Text(), nullable=False),
    sa.Column('idx', sa.Integer(), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('received_at', Instant(), nullable=False),
    sa.Column('updated_at', Instant(), nullable=False),
    sa.Column('sent_at', Instant(), nullable=True),
    sa.Column('report_class', sa.Text(), nullable=False),
    sa.Column('needs_investigation', sa.Boolean(), nullable=True),
    sa.Column('incident_date', sa.Text(), nullable=True),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('read', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('status_said', sa.Text(), nullable=True),
    sa.Column('place_code', sa.Text(), nullable=True),
    sa.Column('place_level', sa.Text(), nullable=True),
    sa.Column('place_name', sa.Text(), nullable=True),
    sa.Column('place_words', sa.Text(), nullable=True),
    sa.Column('place_source', sa.Text(), nullable=True),
    sa.Column('lat', sa.Float(), nullable=True),
    sa.Column('lon', sa.Float(), nullable=True),
    sa.Column('category_id', sa.Text(), nullable=True),
    sa.Column('category_name', sa.Text(), nullable=True),
    sa.Column('office_id', sa.Text(), nullable=True),
    sa.Column('office_name', sa.Text(), nullable=True),
    sa.Column('named_office_id', sa.Text(), nullable=True),
    sa.Column('named_office_name', sa.Text(), nullable=True),
    sa.Column('rule', sa.Text(), nullable=True),
    sa.Column('why', sa.Text(), nullable=True),
    sa.Column('anonymous', sa.Boolean(), nullable=False),
    sa.Column('secret', sa.Boolean(), nullable=False),
    sa.Column('external_ids', sa.Text(), nullable=True),
    sa.Column('tags', sa.Text(), nullable=True),
    sa.Column('missing', sa.Text(), nullable=True),
    sa.Column('extra', sa.LargeBinary(), nullable=True),
    sa.Column('reader', sa.Text(), nullable=False),
    sa.Column('matcher', sa.Text(), nullable=False),
    sa.Column('rules', sa.Text(), nullable=False),
    sa.Column('likeness', sa.LargeBinary(), nullable=True),
    sa.Column('incident_id', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_complaints')),
    sa.UniqueConstraint('number', name=op.f('uq_complaints_number'))
    )
    with op.batch_alter_table('complaints', schema=None) as batch:
        batch.create_index(batch.f('ix_complaints_received_at_id'), ['received_at', 'id'], unique=False)

    op.create_table('dead',
    sa.Column('id', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=True),
    sa.Column('channel', sa.Text(), nullable=True),
    sa.Column('stage', sa.Text(), nullable=False),
    sa.Column('of_topic', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('at', Instant(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('raw', sa.Text(), nullable=True),
    sa.Column('idx', sa.Integer(), nullable=False),
    sa.Column('message', sa.Text(), nullable=True),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dead'))
    )
    with op.batch_alter_table('dead', schema=None) as batch:
        batch.create_index(batch.f('ix_dead_at'), ['at'], unique=False)
        batch.create_index(batch.f('ix_dead_raw_idx'), ['raw', 'idx'], unique=False)

    op.create_table('decisions',
    sa.Column('raw', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('idx', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('first', sa.LargeBinary(length=16), nullable=True),
    sa.Column('fingerprint', sa.LargeBinary(length=16), nullable=True),
    sa.Column('at', Instant(), nullable=False),
    sa.Column('decided_at', Instant(), nullable=False),
    sa.Column('decision', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('raw', 'idx', name=op.f('pk_decisions')),
    sa.UniqueConstraint('first', name=op.f('uq_decisions_first'))
    )
    with op.batch_alter_table('decisions', schema=None) as batch:
        batch.create_index('ix_decisions_fingerprint_at', ['fingerprint', 'at'], unique=False, sqlite_where=sa.text('fingerprint IS NOT NULL'), postgresql_where=sa.text('fingerprint IS NOT NULL'))

    op.create_table('matches',
    sa.Column('raw', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('idx', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('n', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('complaint', sa.Text(), nullable=True),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('of', sa.Text(), nullable=False),
    sa.Column('score', sa.Float(), nullable=False),
    sa.Column('evidence', sa.Text(), nullable=False),
    sa.Column('matcher', sa.Text(), nullable=False),
    sa.Column('undone_at', Instant(), nullable=True),
    sa.Column('undone_by', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('raw', 'idx', 'n', name=op.f('pk_matches'))
    )
    with op.batch_alter_table('matches', schema=None) as batch:
        batch.create_index(batch.f('ix_matches_complaint'), ['complaint'], unique=False)

    op.create_table('messages',
    sa.Column('raw', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('idx', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('complaint', sa.Text(), nullable=False),
    sa.Column('stranger', sa.Boolean(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('direction', sa.Text(), nullable=False),
    sa.Column('native_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('kind_said', sa.Text(), nullable=True),
    sa.Column('refers_to', sa.Text(), nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('sent_at', Instant(), nullable=True),
    sa.Column('received_at', Instant(), nullable=False),
    sa.Column('conversation', sa.LargeBinary(length=16), nullable=False),
    sa.Column('reader', sa.Text(), nullable=False),
    sa.Column('matcher', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('raw', 'idx', name=op.f('pk_messages'))
    )
    with op.batch_alter_table('messages', schema=None) as batch:
        batch.create_index(batch.f('ix_messages_complaint'), ['complaint'], unique=False)

    op.create_table('meta',
    sa.Column('name', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('value', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_meta')),
    sqlite_with_rowid=False
    )
    op.create_table('numbers',
    sa.Column('complaint', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('last_at', Instant(), nullable=False),
    sa.Column('reporter', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('complaint', name=op.f('pk_numbers')),
    sa.UniqueConstraint('number', name=op.f('uq_numbers_number'))
    )
    op.create_table('outbox',
    sa.Column('id', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('raw', sa.Text(), nullable=False),
    sa.Column('idx', sa.Integer(), nullable=False),
    sa.Column('complaint', sa.Text(), nullable=True),
    sa.Column('number', sa.Text(), nullable=True),
    sa.Column('template', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('in_reply_to', sa.Text(), nullable=True),
    sa.Column('address', sa.LargeBinary(), nullable=False),
    sa.Column('recipient', sa.LargeBinary(length=16), nullable=False),
    sa.Column('day', sa.Text(), nullable=False),
    sa.Column('created_at', Instant(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('not_before', Instant(), nullable=True),
    sa.Column('published_at', Instant(), nullable=True),
    sa.Column('claimed_by', sa.Text(), nullable=True),
    sa.Column('claimed_at', Instant(), nullable=True),
    sa.Column('native_id', sa.Text(), nullable=True),
    sa.Column('sent_at', Instant(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox'))
    )
    with op.batch_alter_table('outbox', schema=None) as batch:
        batch.create_index('ix_outbox_claimed_at', ['claimed_at'], unique=False, sqlite_where=sa.text("state = 'claimed'"), postgresql_where=sa.text("state = 'claimed'"))
        batch.create_index('ix_outbox_created_at', ['created_at'], unique=False, sqlite_where=sa.text("state = 'owed'"), postgresql_where=sa.text("state = 'owed'"))
        batch.create_index('ix_outbox_native_id', ['native_id'], unique=False, sqlite_where=sa.text('native_id IS NOT NULL'), postgresql_where=sa.text('native_id IS NOT NULL'), postgresql_using='hash')
        batch.create_index('ix_outbox_published_at', ['published_at'], unique=False, sqlite_where=sa.text("state = 'published'"), postgresql_where=sa.text("state = 'published'"))
        batch.create_index(batch.f('ix_outbox_raw_idx'), ['raw', 'idx'], unique=False)
        batch.create_index(batch.f('ix_outbox_recipient_day'), ['recipient', 'day'], unique=False)

    op.create_table('outcomes',
    sa.Column('raw', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('idx', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('of', sa.Integer(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('complaint', sa.Text(), nullable=True),
    sa.Column('message', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('at', Instant(), nullable=False),
    sa.PrimaryKeyConstraint('raw', 'idx', name=op.f('pk_outcomes')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('outcomes', schema=None) as batch:
        batch.create_index('ix_outcomes_of', ['of'], unique=False, sqlite_where=sa.text('of > 1'), postgresql_where=sa.text('of > 1'))

    op.create_table('parties',
    sa.Column('raw', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('idx', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('phone', sa.LargeBinary(length=16), nullable=True),
    sa.Column('email', sa.LargeBinary(length=16), nullable=True),
    sa.Column('nik', sa.LargeBinary(length=16), nullable=True),
    sa.Column('user_id', sa.LargeBinary(length=16), nullable=True),
    sa.PrimaryKeyConstraint('raw', 'idx', name=op.f('pk_parties')),
    sqlite_with_rowid=False
    )
    op.create_table('readings',
    sa.Column('raw', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('idx', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('reader', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('made', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('raw', 'idx', 'reader', name=op.f('pk_readings')),
    sqlite_with_rowid=False
    )
    op.create_table('receipts',
    sa.Column('id', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('reply', sa.Text(), nullable=True),
    sa.Column('native_id', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('at', Instant(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('raw', sa.Text(), nullable=True),
    sa.Column('idx', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_receipts'))
    )
    with op.batch_alter_table('receipts', schema=None) as batch:
        batch.create_index('ix_receipts_native_id', ['native_id'], unique=False, sqlite_where=sa.text('native_id IS NOT NULL'), postgresql_where=sa.text('native_id IS NOT NULL'), postgresql_using='hash')

    op.create_table('received',
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('raw', sa.Text(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('at', Instant(), nullable=False),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_received')),
    sa.UniqueConstraint('raw', name=op.f('uq_received_raw')),
    sqlite_autoincrement=True
    )
    op.create_table('requests',
    sa.Column('caller', sa.LargeBinary(length=16), autoincrement=False, nullable=False),
    sa.Column('key', sa.LargeBinary(length=16), autoincrement=False, nullable=False),
    sa.Column('body', sa.LargeBinary(length=16), nullable=False),
    sa.Column('raw', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('caller', 'key', name=op.f('pk_requests')),
    sqlite_with_rowid=False
    )
    op.create_table('said',
    sa.Column('said', sa.LargeBinary(length=16), autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('complaint', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('said', name=op.f('pk_said')),
    sqlite_with_rowid=False
    )
    op.create_table('threads',
    sa.Column('conversation', sa.LargeBinary(length=16), autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('complaint', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('conversation', name=op.f('pk_threads')),
    sqlite_with_rowid=False
    )
    op.create_table('timeline',
    sa.Column('raw', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('idx', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('step', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('at', Instant(), nullable=False),
    sa.Column('what', sa.Text(), nullable=False),
    sa.Column('who', sa.Text(), nullable=False),
    sa.Column('why', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('raw', 'idx', 'step', name=op.f('pk_timeline')),
    sqlite_with_rowid=False
    )


def downgrade() -> None:
    op.drop_table('timeline')
    op.drop_table('threads')
    op.drop_table('said')
    op.drop_table('requests')
    op.drop_table('received')
    with op.batch_alter_table('receipts', schema=None) as batch:
        batch.drop_index('ix_receipts_native_id', sqlite_where=sa.text('native_id IS NOT NULL'), postgresql_where=sa.text('native_id IS NOT NULL'), postgresql_using='hash')

    op.drop_table('receipts')
    op.drop_table('readings')
    op.drop_table('parties')
    with op.batch_alter_table('outcomes', schema=None) as batch:
        batch.drop_index('ix_outcomes_of', sqlite_where=sa.text('of > 1'), postgresql_where=sa.text('of > 1'))

    op.drop_table('outcomes')
    with op.batch_alter_table('outbox', schema=None) as batch:
        batch.drop_index(batch.f('ix_outbox_recipient_day'))
        batch.drop_index(batch.f('ix_outbox_raw_idx'))
        batch.drop_index('ix_outbox_published_at', sqlite_where=sa.text("state = 'published'"), postgresql_where=sa.text("state = 'published'"))
        batch.drop_index('ix_outbox_native_id', sqlite_where=sa.text('native_id IS NOT NULL'), postgresql_where=sa.text('native_id IS NOT NULL'), postgresql_using='hash')
        batch.drop_index('ix_outbox_created_at', sqlite_where=sa.text("state = 'owed'"), postgresql_where=sa.text("state = 'owed'"))
        batch.drop_index('ix_outbox_claimed_at', sqlite_where=sa.text("state = 'claimed'"), postgresql_where=sa.text("state = 'claimed'"))

    op.drop_table('outbox')
    op.drop_table('numbers')
    op.drop_table('meta')
    with op.batch_alter_table('messages', schema=None) as batch:
        batch.drop_index(batch.f('ix_messages_complaint'))

    op.drop_table('messages')
    with op.batch_alter_table('matches', schema=None) as batch:
        batch.drop_index(batch.f('ix_matches_complaint'))

    op.drop_table('matches')
    with op.batch_alter_table('decisions', schema=None) as batch:
        batch.drop_index('ix_decisions_fingerprint_at', sqlite_where=sa.text('fingerprint IS NOT NULL'), postgresql_where=sa.text('fingerprint IS NOT NULL'))

    op.drop_table('decisions')
    with op.batch_alter_table('dead', schema=None) as batch:
        batch.drop_index(batch.f('ix_dead_raw_idx'))
        batch.drop_index(batch.f('ix_dead_at'))

    op.drop_table('dead')
    with op.batch_alter_table('complaints', schema=None) as batch:
        batch.drop_index(batch.f('ix_complaints_received_at_id'))

    op.drop_table('complaints')
    with op.batch_alter_table('attachments', schema=None) as batch:
        batch.drop_index(batch.f('ix_attachments_raw_idx'))
        batch.drop_index('ix_attachments_next_try', sqlite_where=sa.text("state = 'referenced'"), postgresql_where=sa.text("state = 'referenced'"))

    op.drop_table('attachments')
