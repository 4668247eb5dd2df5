"""The first tables"""

import sqlalchemy as sa
from alembic import op

from sink.instant import Instant

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('account_faults',
    sa.Column('account', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('ability', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('since', Instant(), nullable=False),
    sa.Column('retry_at', Instant(), nullable=True),
    sa.PrimaryKeyConstraint('account', 'ability', name=op.f('pk_account_faults')),
    sqlite_with_rowid=False
    )
    op.create_table('account_states',
    sa.Column('account', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('epoch', sa.BigInteger(), nullable=False),
    sa.Column('cursor', sa.Text(), nullable=True),
    sa.Column('cursor_at', Instant(), nullable=True),
    sa.Column('last_in_at', Instant(), nullable=True),
    sa.Column('last_out_at', Instant(), nullable=True),
    sa.Column('spent_at', Instant(), nullable=True),
    sa.Column('token_ends_at', Instant(), nullable=True),
    sa.Column('renewed_secret', sa.LargeBinary(), nullable=True),
    sa.Column('gap_code', sa.Text(), nullable=True),
    sa.Column('gap_detail', sa.Text(), nullable=True),
    sa.Column('gap_at', Instant(), nullable=True),
    sa.PrimaryKeyConstraint('account', name=op.f('pk_account_states')),
    sqlite_with_rowid=False
    )
    op.create_table('actions',
    sa.Column('raw', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('item_index', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('key', sa.LargeBinary(length=16), nullable=False),
    sa.Column('complaint', sa.Text(), nullable=True),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('what', sa.Text(), nullable=False),
    sa.Column('what_word', sa.Text(), nullable=True),
    sa.Column('actor_kind', sa.Text(), nullable=False),
    sa.Column('actor_id', sa.Text(), nullable=True),
    sa.Column('actor_name', sa.Text(), nullable=True),
    sa.Column('text', sa.Text(), nullable=True),
    sa.Column('status', sa.Text(), nullable=True),
    sa.Column('status_said', sa.Text(), nullable=True),
    sa.Column('office_id', sa.Text(), nullable=True),
    sa.Column('to_complaint', sa.Text(), nullable=True),
    sa.Column('observed_at', Instant(), nullable=True),
    sa.Column('received_at', Instant(), nullable=False),
    sa.Column('applied', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('owed', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('raw', 'item_index', name=op.f('pk_actions'))
    )
    with op.batch_alter_table('actions', schema=None) as batch:
        batch.create_index(batch.f('ix_actions_complaint'), ['complaint'], unique=False)
        batch.create_index(batch.f('ix_actions_received_at'), ['received_at'], unique=False)

    op.create_table('activity',
    sa.Column('account', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('day', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('hours', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('account', 'day', name=op.f('pk_activity')),
    sqlite_with_rowid=False
    )
    op.create_table('aside',
    sa.Column('stage', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('account', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('since', Instant(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=True),
    sa.Column('released_at', Instant(), nullable=True),
    sa.PrimaryKeyConstraint('stage', 'account', name=op.f('pk_aside')),
    sqlite_with_rowid=False
    )
    op.create_table('assignments',
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('complaint', sa.Text(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('office_id', sa.Text(), nullable=False),
    sa.Column('office_name', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('rule', sa.Text(), nullable=True),
    sa.Column('why', sa.Text(), nullable=True),
    sa.Column('since', Instant(), nullable=False),
    sa.Column('until', Instant(), nullable=True),
    sa.Column('by_kind', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_assignments')),
    sa.UniqueConstraint('complaint', 'office_id', name=op.f('uq_assignments_complaint_office_id')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('assignments', schema=None) as batch:
        batch.create_index(batch.f('ix_assignments_office_id_state'), ['office_id', 'state'], unique=False)

    op.create_table('attachments',
    sa.Column('id', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('complaint', sa.Text(), nullable=False),
    sa.Column('raw', sa.Text(), nullable=True),
    sa.Column('item_index', sa.Integer(), nullable=True),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('source', sa.LargeBinary(), nullable=True),
    sa.Column('name', sa.LargeBinary(), nullable=True),
    sa.Column('media_type', sa.Text(), nullable=True),
    sa.Column('size', sa.BigInteger(), nullable=True),
    sa.Column('sha256', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('expires_at', Instant(), nullable=True),
    sa.Column('check_at', Instant(), nullable=True),
    sa.Column('checks', sa.Integer(), nullable=True),
    sa.Column('verdict', sa.Text(), nullable=True),
    sa.Column('why', sa.Text(), nullable=True),
    sa.Column('shown', sa.Text(), nullable=True),
    sa.Column('shown_type', sa.Text(), nullable=True),
    sa.Column('preview', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attachments'))
    )
    with op.batch_alter_table('attachments', schema=None) as batch:
        batch.create_index('ix_attachments_check_at', ['check_at'], unique=False, sqlite_where=sa.text('check_at IS NOT NULL'), postgresql_where=sa.text('check_at IS NOT NULL'))
        batch.create_index('ix_attachments_verdict_why', ['verdict', 'why'], unique=False, sqlite_where=sa.text('shown IS NULL AND verdict IS NOT NULL'), postgresql_where=sa.text('shown IS NULL AND verdict IS NOT NULL'))
        batch.create_index('ix_attachments_id', ['id'], unique=False, sqlite_where=sa.text("verdict = 'unscanned' AND shown IS NOT NULL"), postgresql_where=sa.text("verdict = 'unscanned' AND shown IS NOT NULL"))
        batch.create_index(batch.f('ix_attachments_complaint'), ['complaint'], unique=False)

    op.create_table('complaints',
    sa.Column('id', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('raw', sa.Text(), nullable=False),
    sa.Column('item_index', sa.Integer(), nullable=False),
    sa.Column('received_at', Instant(), nullable=False),
    sa.Column('updated_at', Instant(), nullable=False),
    sa.Column('sent_at', Instant(), nullable=True),
    sa.Column('report_class', sa.Text(), nullable=False),
    sa.Column('needs_investigation', sa.Boolean(), nullable=True),
    sa.Column('incident_date', sa.Text(), nullable=True),
    sa.Column('title', sa.Text(), nullable=True),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('status_said', sa.Text(), nullable=True),
    sa.Column('status_at', Instant(), nullable=True),
    sa.Column('place_code', sa.Text(), nullable=True),
    sa.Column('place_level', sa.Text(), nullable=True),
    sa.Column('place_name', sa.Text(), nullable=True),
    sa.Column('place_words', sa.Text(), nullable=True),
    sa.Column('place_source', sa.Text(), nullable=True),
    sa.Column('lat', sa.Float(), nullable=True),
    sa.Column('lon', sa.Float(), nullable=True),
    sa.Column('category_id', sa.Text(), nullable=True),
    sa.Column('category_name', sa.Text(), nullable=True),
    sa.Column('named_office_id', sa.Text(), nullable=True),
    sa.Column('named_office_name', sa.Text(), nullable=True),
    sa.Column('anonymous', sa.Boolean(), nullable=False),
    sa.Column('secret', sa.Boolean(), nullable=False),
    sa.Column('external_ids', sa.Text(), nullable=True),
    sa.Column('tags', sa.Text(), nullable=True),
    sa.Column('missing', sa.Text(), nullable=True),
    sa.Column('completed', sa.Text(), nullable=True),
    sa.Column('extra', sa.LargeBinary(), nullable=True),
    sa.Column('reader', sa.Text(), nullable=False),
    sa.Column('matcher', sa.Text(), nullable=False),
    sa.Column('rules', sa.Text(), nullable=False),
    sa.Column('incident_id', sa.Text(), nullable=True),
    sa.Column('touched_at', Instant(), nullable=True),
    sa.Column('photo_lat', sa.Float(), nullable=True),
    sa.Column('photo_lon', sa.Float(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_complaints')),
    sa.UniqueConstraint('number', name=op.f('uq_complaints_number'))
    )
    with op.batch_alter_table('complaints', schema=None) as batch:
        batch.create_index(batch.f('ix_complaints_received_at_id'), ['received_at', 'id'], unique=False)
        batch.create_index('ix_complaints_account_raw', ['account', 'raw'], unique=False, sqlite_where=sa.text("channel = 'counter'"), postgresql_where=sa.text("channel = 'counter'"))
        batch.create_index('ix_complaints_account_received_at', ['account', 'received_at'], unique=False, sqlite_where=sa.text("channel = 'open311'"), postgresql_where=sa.text("channel = 'open311'"))

    op.create_table('dead',
    sa.Column('id', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=True),
    sa.Column('channel', sa.Text(), nullable=True),
    sa.Column('stage', sa.Text(), nullable=False),
    sa.Column('of_topic', sa.Text(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=True),
    sa.Column('at', Instant(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('raw', sa.Text(), nullable=True),
    sa.Column('item_index', sa.Integer(), nullable=False),
    sa.Column('message', sa.Text(), nullable=True),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('dismissed_at', Instant(), nullable=True),
    sa.Column('dismissed_by', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dead'))
    )
    with op.batch_alter_table('dead', schema=None) as batch:
        batch.create_index(batch.f('ix_dead_at'), ['at'], unique=False)
        batch.create_index(batch.f('ix_dead_raw_item_index'), ['raw', 'item_index'], unique=False)

    op.create_table('decisions',
    sa.Column('raw', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('item_index', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('first', sa.LargeBinary(length=16), nullable=True),
    sa.Column('found_by', sa.LargeBinary(length=16), nullable=True),
    sa.Column('at', Instant(), nullable=False),
    sa.Column('decided_at', Instant(), nullable=False),
    sa.Column('decision', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('raw', 'item_index', name=op.f('pk_decisions')),
    sa.UniqueConstraint('first', name=op.f('uq_decisions_first'))
    )
    with op.batch_alter_table('decisions', schema=None) as batch:
        batch.create_index('ix_decisions_found_by_at', ['found_by', 'at'], unique=False, sqlite_where=sa.text('found_by IS NOT NULL'), postgresql_where=sa.text('found_by IS NOT NULL'))

    op.create_table('disclosures',
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('job', sa.Text(), nullable=False),
    sa.Column('complaint', sa.Text(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('at', Instant(), nullable=False),
    sa.Column('basis', sa.Text(), nullable=False),
    sa.Column('projection', sa.Text(), nullable=False),
    sa.Column('fields', sa.Text(), nullable=False),
    sa.Column('withheld', sa.Text(), nullable=False),
    sa.Column('digest', sa.LargeBinary(length=16), nullable=False),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_disclosures')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('disclosures', schema=None) as batch:
        batch.create_index(batch.f('ix_disclosures_complaint'), ['complaint'], unique=False)

    op.create_table('early_receipts',
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('key', sa.LargeBinary(length=16), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('at', Instant(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_early_receipts')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('early_receipts', schema=None) as batch:
        batch.create_index(batch.f('ix_early_receipts_key'), ['key'], unique=False)

    op.create_table('editions',
    sa.Column('name', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('digest', sa.LargeBinary(length=16), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('from_file', sa.Boolean(), nullable=False),
    sa.Column('published_at', Instant(), nullable=False),
    sa.PrimaryKeyConstraint('name', 'version', name=op.f('pk_editions')),
    sqlite_with_rowid=False
    )
    op.create_table('foreign_ids',
    sa.Column('key', sa.LargeBinary(length=16), autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('complaint', sa.Text(), nullable=False),
    sa.Column('number', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_foreign_ids')),
    sqlite_with_rowid=False
    )
    op.create_table('forwarded',
    sa.Column('complaint', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('account', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('system', sa.Text(), nullable=False),
    sa.Column('native', sa.Text(), nullable=False),
    sa.Column('at', Instant(), nullable=False),
    sa.Column('poll_at', Instant(), nullable=True),
    sa.Column('cursor', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('complaint', 'account', name=op.f('pk_forwarded')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('forwarded', schema=None) as batch:
        batch.create_index(batch.f('ix_forwarded_account_native'), ['account', 'native'], unique=False)
        batch.create_index('ix_forwarded_account_poll_at', ['account', 'poll_at'], unique=False, sqlite_where=sa.text('poll_at IS NOT NULL'), postgresql_where=sa.text('poll_at IS NOT NULL'))

    op.create_table('jobs',
    sa.Column('id', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('complaint', sa.Text(), nullable=True),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('args', sa.LargeBinary(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('step', sa.Text(), nullable=True),
    sa.Column('results', sa.Text(), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('due_at', Instant(), nullable=False),
    sa.Column('epoch', sa.BigInteger(), nullable=True),
    sa.Column('code', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('answer', sa.LargeBinary(), nullable=True),
    sa.Column('created_at', Instant(), nullable=False),
    sa.Column('finished_at', Instant(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_jobs'))
    )
    with op.batch_alter_table('jobs', schema=None) as batch:
        batch.create_index('ix_jobs_account_epoch', ['account', 'epoch'], unique=False, sqlite_where=sa.text("state = 'claimed'"), postgresql_where=sa.text("state = 'claimed'"))
        batch.create_index('ix_jobs_account_state_kind_due_at', ['account', 'state', 'kind', 'due_at'], unique=False, sqlite_where=sa.text("state IN ('waiting', 'unknown', 'failed')"), postgresql_where=sa.text("state IN ('waiting', 'unknown', 'failed')"))
        batch.create_index('ix_jobs_complaint', ['complaint'], unique=False, sqlite_where=sa.text("kind = 'followup' AND state <> 'done'"), postgresql_where=sa.text("kind = 'followup' AND state <> 'done'"))
        batch.create_index('ix_jobs_kind', ['kind'], unique=False, sqlite_where=sa.text("step IS NOT NULL AND state IN ('waiting', 'claimed', 'unknown')"), postgresql_where=sa.text("step IS NOT NULL AND state IN ('waiting', 'claimed', 'unknown')"))

    op.create_table('lease_holders',
    sa.Column('holder', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('pool', sa.Text(), nullable=False),
    sa.Column('until', Instant(), nullable=False),
    sa.PrimaryKeyConstraint('holder', name=op.f('pk_lease_holders')),
    sqlite_with_rowid=False
    )
    op.create_table('leases',
    sa.Column('account', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('holder', sa.Text(), nullable=False),
    sa.Column('epoch', sa.BigInteger(), nullable=False),
    sa.Column('until', Instant(), nullable=False),
    sa.PrimaryKeyConstraint('account', name=op.f('pk_leases')),
    sqlite_with_rowid=False
    )
    op.create_table('matches',
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('complaint', sa.Text(), nullable=True),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('raw', sa.Text(), nullable=False),
    sa.Column('item_index', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('of', sa.Text(), nullable=False),
    sa.Column('score', sa.Float(), nullable=False),
    sa.Column('evidence', sa.Text(), nullable=False),
    sa.Column('matcher', sa.Text(), nullable=False),
    sa.Column('undone_at', Instant(), nullable=True),
    sa.Column('undone_by', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_matches')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('matches', schema=None) as batch:
        batch.create_index(batch.f('ix_matches_complaint'), ['complaint'], unique=False)
        batch.create_index('ix_matches_of', ['of'], unique=False, sqlite_where=sa.text("kind = 'same_incident'"), postgresql_where=sa.text("kind = 'same_incident'"))

    op.create_table('messages',
    sa.Column('raw', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('item_index', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('key', sa.LargeBinary(length=16), nullable=False),
    sa.Column('complaint', sa.Text(), nullable=False),
    sa.Column('stranger', sa.Boolean(), nullable=False),
    sa.Column('courtesy', sa.Boolean(), nullable=False),
    sa.Column('proven', sa.Boolean(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('direction', sa.Text(), nullable=False),
    sa.Column('public_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('kind_word', sa.Text(), nullable=True),
    sa.Column('refers_to', sa.LargeBinary(length=16), nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('cleaned', sa.Text(), nullable=True),
    sa.Column('sent_at', Instant(), nullable=True),
    sa.Column('received_at', Instant(), nullable=False),
    sa.Column('conversation', sa.LargeBinary(length=16), nullable=False),
    sa.Column('reader', sa.Text(), nullable=False),
    sa.Column('matcher', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('raw', 'item_index', name=op.f('pk_messages'))
    )
    with op.batch_alter_table('messages', schema=None) as batch:
        batch.create_index('ix_messages_conversation_raw', ['conversation', 'raw'], unique=False, sqlite_where=sa.text("channel = 'app'"), postgresql_where=sa.text("channel = 'app'"))
        batch.create_index(batch.f('ix_messages_complaint'), ['complaint'], unique=False)

    op.create_table('meta',
    sa.Column('name', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('value', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_meta')),
    sqlite_with_rowid=False
    )
    op.create_table('match_keys',
    sa.Column('bucket', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('key', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('at', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('report', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.PrimaryKeyConstraint('bucket', 'key', 'at', 'report', name=op.f('pk_match_keys')),
    sqlite_with_rowid=False
    )
    op.create_table('match_reports',
    sa.Column('bucket', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('at', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('report', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('complaint', sa.Text(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('incident', sa.Text(), nullable=True),
    sa.Column('place', sa.Text(), nullable=True),
    sa.Column('lat', sa.Float(), nullable=True),
    sa.Column('lon', sa.Float(), nullable=True),
    sa.Column('category', sa.Text(), nullable=True),
    sa.Column('words', sa.LargeBinary(), nullable=False),
    sa.Column('reporter', sa.LargeBinary(), nullable=False),
    sa.Column('sender', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('bucket', 'at', 'report', name=op.f('pk_match_reports')),
    sqlite_with_rowid=False
    )
    op.create_table('numbers',
    sa.Column('number', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('complaint', sa.Text(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('last_at', Instant(), nullable=False),
    sa.Column('reporter', sa.LargeBinary(), nullable=False),
    sa.Column('reported_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_numbers')),
    sqlite_with_rowid=False
    )
    op.create_table('outbox',
    sa.Column('id', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('complaint', sa.Text(), nullable=True),
    sa.Column('number', sa.Text(), nullable=True),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('template', sa.Text(), nullable=False),
    sa.Column('params', sa.Text(), nullable=True),
    sa.Column('automatic', sa.Boolean(), nullable=False),
    sa.Column('address', sa.LargeBinary(), nullable=False),
    sa.Column('conversation', sa.LargeBinary(length=16), nullable=False),
    sa.Column('recipient', sa.LargeBinary(length=16), nullable=False),
    sa.Column('day', sa.Text(), nullable=False),
    sa.Column('created_at', Instant(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('due_at', Instant(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('epoch', sa.BigInteger(), nullable=True),
    sa.Column('started', sa.Boolean(), nullable=True),
    sa.Column('sent_at', Instant(), nullable=True),
    sa.Column('text', sa.Text(), nullable=True),
    sa.Column('public_ids', sa.Text(), nullable=True),
    sa.Column('code', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('instead_of', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox'))
    )
    with op.batch_alter_table('outbox', schema=None) as batch:
        batch.create_index('ix_outbox_account_created_at_id', ['account', 'created_at', 'id'], unique=False, sqlite_where=sa.text("state = 'owed'"), postgresql_where=sa.text("state = 'owed'"))
        batch.create_index('ix_outbox_account_due_at_created_at', ['account', 'due_at', 'created_at'], unique=False, sqlite_where=sa.text("state = 'owed'"), postgresql_where=sa.text("state = 'owed'"))
        batch.create_index('ix_outbox_account_epoch', ['account', 'epoch'], unique=False, sqlite_where=sa.text("state = 'claimed'"), postgresql_where=sa.text("state = 'claimed'"))
        batch.create_index(batch.f('ix_outbox_complaint'), ['complaint'], unique=False)
        batch.create_index('ix_outbox_conversation_created_at', ['conversation', 'created_at'], unique=False, sqlite_where=sa.text("state IN ('owed', 'claimed')"), postgresql_where=sa.text("state IN ('owed', 'claimed')"))
        batch.create_index(batch.f('ix_outbox_recipient_day'), ['recipient', 'day'], unique=False)
        batch.create_index('ix_outbox_state_account', ['state', 'account'], unique=False, sqlite_where=sa.text("state IN ('failed', 'unknown')"), postgresql_where=sa.text("state IN ('failed', 'unknown')"))

    op.create_table('outcomes',
    sa.Column('raw', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('item_index', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('item_count', sa.Integer(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('complaint', sa.Text(), nullable=True),
    sa.Column('message', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('at', Instant(), nullable=False),
    sa.PrimaryKeyConstraint('raw', 'item_index', name=op.f('pk_outcomes')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('outcomes', schema=None) as batch:
        batch.create_index('ix_outcomes_item_count', ['item_count'], unique=False, sqlite_where=sa.text('item_count > 1'), postgresql_where=sa.text('item_count > 1'))

    op.create_table('parties',
    sa.Column('raw', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('item_index', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('phone', sa.LargeBinary(length=16), nullable=True),
    sa.Column('email', sa.LargeBinary(length=16), nullable=True),
    sa.Column('nik', sa.LargeBinary(length=16), nullable=True),
    sa.Column('user_id', sa.LargeBinary(length=16), nullable=True),
    sa.PrimaryKeyConstraint('raw', 'item_index', name=op.f('pk_parties')),
    sqlite_with_rowid=False
    )
    op.create_table('processes',
    sa.Column('id', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('host', sa.Text(), nullable=False),
    sa.Column('stages', sa.Text(), nullable=False),
    sa.Column('started_at', Instant(), nullable=False),
    sa.Column('seen_at', Instant(), nullable=False),
    sa.Column('report', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_processes')),
    sqlite_with_rowid=False
    )
    op.create_table('proof_attempts',
    sa.Column('number', sa.LargeBinary(length=16), autoincrement=False, nullable=False),
    sa.Column('turns', sa.Float(), nullable=False),
    sa.Column('at', Instant(), nullable=False),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_proof_attempts')),
    sqlite_with_rowid=False
    )
    op.create_table('readings',
    sa.Column('raw', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('item_index', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('version', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('made_at', Instant(), nullable=False),
    sa.Column('reading', sa.LargeBinary(), nullable=False),
    sa.Column('applied', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('raw', 'item_index', 'version', name=op.f('pk_readings')),
    sqlite_with_rowid=False
    )
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
    op.create_table('reply_ids',
    sa.Column('key', sa.LargeBinary(length=16), autoincrement=False, nullable=False),
    sa.Column('reply', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_reply_ids')),
    sqlite_with_rowid=False
    )
    op.create_table('requests',
    sa.Column('caller', sa.LargeBinary(length=16), autoincrement=False, nullable=False),
    sa.Column('key', sa.LargeBinary(length=16), autoincrement=False, nullable=False),
    sa.Column('body', sa.LargeBinary(length=16), nullable=False),
    sa.Column('raw', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('caller', 'key', name=op.f('pk_requests')),
    sqlite_with_rowid=False
    )
    op.create_table('same_words',
    sa.Column('key', sa.LargeBinary(length=16), autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_same_words')),
    sqlite_with_rowid=False
    )
    op.create_table('threads',
    sa.Column('conversation', sa.LargeBinary(length=16), autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('conversation', name=op.f('pk_threads')),
    sqlite_with_rowid=False
    )
    op.create_table('timeline',
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('complaint', sa.Text(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('at', Instant(), nullable=False),
    sa.Column('what', sa.Text(), nullable=False),
    sa.Column('actor_kind', sa.Text(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=True),
    sa.Column('by', sa.Text(), nullable=True),
    sa.Column('why', sa.Text(), nullable=True),
    sa.Column('raw', sa.Text(), nullable=True),
    sa.Column('item_index', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_timeline')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('timeline', schema=None) as batch:
        batch.create_index(batch.f('ix_timeline_complaint'), ['complaint'], unique=False)
    _create_due_dates_and_counters()


def downgrade() -> None:
    _drop_due_dates_and_counters()
    with op.batch_alter_table('timeline', schema=None) as batch:
        batch.drop_index(batch.f('ix_timeline_complaint'))

    op.drop_table('timeline')
    op.drop_table('threads')
    op.drop_table('same_words')
    op.drop_table('requests')
    op.drop_table('reply_ids')
    op.drop_table('received')
    op.drop_table('readings')
    op.drop_table('proof_attempts')
    op.drop_table('processes')
    op.drop_table('parties')
    with op.batch_alter_table('outcomes', schema=None) as batch:
        batch.drop_index('ix_outcomes_item_count', sqlite_where=sa.text('item_count > 1'), postgresql_where=sa.text('item_count > 1'))

    op.drop_table('outcomes')
    with op.batch_alter_table('outbox', schema=None) as batch:
        batch.drop_index('ix_outbox_state_account', sqlite_where=sa.text("state IN ('failed', 'unknown')"), postgresql_where=sa.text("state IN ('failed', 'unknown')"))
        batch.drop_index(batch.f('ix_outbox_recipient_day'))
        batch.drop_index('ix_outbox_conversation_created_at', sqlite_where=sa.text("state IN ('owed', 'claimed')"), postgresql_where=sa.text("state IN ('owed', 'claimed')"))
        batch.drop_index(batch.f('ix_outbox_complaint'))
        batch.drop_index('ix_outbox_account_epoch', sqlite_where=sa.text("state = 'claimed'"), postgresql_where=sa.text("state = 'claimed'"))
        batch.drop_index('ix_outbox_account_due_at_created_at', sqlite_where=sa.text("state = 'owed'"), postgresql_where=sa.text("state = 'owed'"))
        batch.drop_index('ix_outbox_account_created_at_id', sqlite_where=sa.text("state = 'owed'"), postgresql_where=sa.text("state = 'owed'"))

    op.drop_table('outbox')
    op.drop_table('numbers')
    op.drop_table('match_reports')
    op.drop_table('match_keys')
    op.drop_table('meta')
    with op.batch_alter_table('messages', schema=None) as batch:
        batch.drop_index(batch.f('ix_messages_complaint'))

    op.drop_table('messages')
    with op.batch_alter_table('matches', schema=None) as batch:
        batch.drop_index('ix_matches_of', sqlite_where=sa.text("kind = 'same_incident'"), postgresql_where=sa.text("kind = 'same_incident'"))
        batch.drop_index(batch.f('ix_matches_complaint'))

    op.drop_table('matches')
    op.drop_table('leases')
    op.drop_table('lease_holders')
    with op.batch_alter_table('jobs', schema=None) as batch:
        batch.drop_index('ix_jobs_kind', sqlite_where=sa.text("step IS NOT NULL AND state IN ('waiting', 'claimed', 'unknown')"), postgresql_where=sa.text("step IS NOT NULL AND state IN ('waiting', 'claimed', 'unknown')"))
        batch.drop_index('ix_jobs_complaint', sqlite_where=sa.text("kind = 'followup' AND state <> 'done'"), postgresql_where=sa.text("kind = 'followup' AND state <> 'done'"))
        batch.drop_index('ix_jobs_account_state_kind_due_at', sqlite_where=sa.text("state IN ('waiting', 'unknown', 'failed')"), postgresql_where=sa.text("state IN ('waiting', 'unknown', 'failed')"))
        batch.drop_index('ix_jobs_account_epoch', sqlite_where=sa.text("state = 'claimed'"), postgresql_where=sa.text("state = 'claimed'"))

    op.drop_table('jobs')
    with op.batch_alter_table('forwarded', schema=None) as batch:
        batch.drop_index('ix_forwarded_account_poll_at', sqlite_where=sa.text('poll_at IS NOT NULL'), postgresql_where=sa.text('poll_at IS NOT NULL'))
        batch.drop_index(batch.f('ix_forwarded_account_native'))

    op.drop_table('forwarded')
    op.drop_table('foreign_ids')
    op.drop_table('editions')
    with op.batch_alter_table('early_receipts', schema=None) as batch:
        batch.drop_index(batch.f('ix_early_receipts_key'))

    op.drop_table('early_receipts')
    with op.batch_alter_table('disclosures', schema=None) as batch:
        batch.drop_index(batch.f('ix_disclosures_complaint'))

    op.drop_table('disclosures')
    with op.batch_alter_table('decisions', schema=None) as batch:
        batch.drop_index('ix_decisions_found_by_at', sqlite_where=sa.text('found_by IS NOT NULL'), postgresql_where=sa.text('found_by IS NOT NULL'))

    op.drop_table('decisions')
    with op.batch_alter_table('dead', schema=None) as batch:
        batch.drop_index(batch.f('ix_dead_raw_item_index'))
        batch.drop_index(batch.f('ix_dead_at'))

    op.drop_table('dead')
    with op.batch_alter_table('complaints', schema=None) as batch:
        batch.drop_index('ix_complaints_account_received_at', sqlite_where=sa.text("channel = 'open311'"), postgresql_where=sa.text("channel = 'open311'"))
        batch.drop_index('ix_complaints_account_raw', sqlite_where=sa.text("channel = 'counter'"), postgresql_where=sa.text("channel = 'counter'"))
        batch.drop_index(batch.f('ix_complaints_received_at_id'))

    op.drop_table('complaints')
    with op.batch_alter_table('attachments', schema=None) as batch:
        batch.drop_index('ix_attachments_verdict_why', sqlite_where=sa.text('shown IS NULL AND verdict IS NOT NULL'), postgresql_where=sa.text('shown IS NULL AND verdict IS NOT NULL'))
        batch.drop_index('ix_attachments_check_at', sqlite_where=sa.text('check_at IS NOT NULL'), postgresql_where=sa.text('check_at IS NOT NULL'))
        batch.drop_index('ix_attachments_id', sqlite_where=sa.text("verdict = 'unscanned' AND shown IS NOT NULL"), postgresql_where=sa.text("verdict = 'unscanned' AND shown IS NOT NULL"))
        batch.drop_index(batch.f('ix_attachments_complaint'))

    op.drop_table('attachments')
    with op.batch_alter_table('assignments', schema=None) as batch:
        batch.drop_index(batch.f('ix_assignments_office_id_state'))

    op.drop_table('assignments')
    op.drop_table('aside')
    op.drop_table('activity')
    with op.batch_alter_table('actions', schema=None) as batch:
        batch.drop_index(batch.f('ix_actions_received_at'))
        batch.drop_index(batch.f('ix_actions_complaint'))

    op.drop_table('actions')
    op.drop_table('account_states')
    op.drop_table('account_faults')


def _create_due_dates_and_counters() -> None:
    op.create_table('counted',
    sa.Column('complaint', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('contribution', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('complaint', name=op.f('pk_counted')),
    sqlite_with_rowid=False
    )
    op.create_table('counters',
    sa.Column('month', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('region', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('office_id', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('channel', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('category_id', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('measure', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('value', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('month', 'owner', 'region', 'office_id', 'channel', 'category_id', 'measure', name=op.f('pk_counters')),
    sqlite_with_rowid=False
    )
    op.create_table('due_dates',
    sa.Column('complaint', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('clock', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('office_id', sa.Text(), nullable=True),
    sa.Column('region', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('started_at', Instant(), nullable=False),
    sa.Column('ended_at', Instant(), nullable=True),
    sa.Column('start_day', sa.Text(), nullable=False),
    sa.Column('days', sa.Integer(), nullable=False),
    sa.Column('rests', sa.Text(), nullable=True),
    sa.Column('due_day', sa.Text(), nullable=True),
    sa.Column('due_at', Instant(), nullable=True),
    sa.Column('days_left', sa.Integer(), nullable=False),
    sa.Column('skipped', sa.Text(), nullable=True),
    sa.Column('provisional', sa.Boolean(), nullable=False),
    sa.Column('calendar', sa.Integer(), nullable=False),
    sa.Column('told', sa.Integer(), nullable=False),
    sa.Column('remind_at', Instant(), nullable=True),
    sa.PrimaryKeyConstraint('complaint', 'clock', name=op.f('pk_due_dates')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('due_dates', schema=None) as batch:
        batch.create_index('ix_due_dates_due_at_complaint_clock', ['due_at', 'complaint', 'clock'], unique=False, sqlite_where=sa.text("state = 'running'"), postgresql_where=sa.text("state = 'running'"))
        batch.create_index('ix_due_dates_owner_due_at', ['owner', 'due_at'], unique=False, sqlite_where=sa.text("due_at IS NOT NULL AND ended_at IS NULL"), postgresql_where=sa.text("due_at IS NOT NULL AND ended_at IS NULL"))
        batch.create_index('ix_due_dates_calendar_due_at', ['calendar', 'due_at'], unique=False, sqlite_where=sa.text("due_at IS NOT NULL"), postgresql_where=sa.text("due_at IS NOT NULL"))
        batch.create_index('ix_due_dates_remind_at', ['remind_at'], unique=False, sqlite_where=sa.text("remind_at IS NOT NULL"), postgresql_where=sa.text("remind_at IS NOT NULL"))

    op.create_table('notices',
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('complaint', sa.Text(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('office_id', sa.Text(), nullable=False),
    sa.Column('clock', sa.Text(), nullable=False),
    sa.Column('what', sa.Text(), nullable=False),
    sa.Column('level', sa.Integer(), nullable=False),
    sa.Column('at', Instant(), nullable=False),
    sa.Column('due_day', sa.Text(), nullable=True),
    sa.Column('was_due_day', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_notices')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('notices', schema=None) as batch:
        batch.create_index(batch.f('ix_notices_office_id_seq'), ['office_id', 'seq'], unique=False)

    op.create_table('office_activity',
    sa.Column('office_id', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('office_name', sa.Text(), nullable=True),
    sa.Column('since', Instant(), nullable=False),
    sa.Column('answered_at', Instant(), nullable=True),
    sa.Column('waiting', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('office_id', name=op.f('pk_office_activity')),
    sqlite_with_rowid=False
    )
    op.create_table('stale_due',
    sa.Column('complaint', sa.Text(), autoincrement=False, nullable=False),
    sa.PrimaryKeyConstraint('complaint', name=op.f('pk_stale_due')),
    sqlite_with_rowid=False
    )


def _drop_due_dates_and_counters() -> None:
    op.drop_table('stale_due')
    op.drop_table('office_activity')
    with op.batch_alter_table('notices', schema=None) as batch:
        batch.drop_index(batch.f('ix_notices_office_id_seq'))

    op.drop_table('notices')
    with op.batch_alter_table('due_dates', schema=None) as batch:
        batch.drop_index('ix_due_dates_due_at_complaint_clock', sqlite_where=sa.text("state = 'running'"), postgresql_where=sa.text("state = 'running'"))
        batch.drop_index('ix_due_dates_owner_due_at', sqlite_where=sa.text("due_at IS NOT NULL AND ended_at IS NULL"), postgresql_where=sa.text("due_at IS NOT NULL AND ended_at IS NULL"))
        batch.drop_index('ix_due_dates_calendar_due_at', sqlite_where=sa.text("due_at IS NOT NULL"), postgresql_where=sa.text("due_at IS NOT NULL"))
        batch.drop_index('ix_due_dates_remind_at', sqlite_where=sa.text("remind_at IS NOT NULL"), postgresql_where=sa.text("remind_at IS NOT NULL"))

    op.drop_table('due_dates')
    op.drop_table('counters')
    op.drop_table('counted')
