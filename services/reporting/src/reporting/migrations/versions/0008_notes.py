"""Notes, targets, thresholds with their alerts, and what of these is posted to a webhook."""

from alembic import op

from verbund.database import migrated_office

revision = "0008"
down_revision = "0007"

_NOTES = """
create schema notes;

-- One row for each version: what was noted on a day stays known.
create table notes.note (
    municipality text not null,
    note_id uuid not null,
    version integer not null check (version > 0),
    number bigint not null,
    recorded_at timestamptz not null,
    recorded_on date not null,
    indicator text not null,
    breakdown text,
    value text,
    from_on date not null,
    to_on date,
    author_role text not null,
    de text,
    en text,
    is_withdrawn boolean not null,
    primary key (municipality, note_id, version)
);
create index note_of_indicator on notes.note (municipality, indicator);
comment on column notes.note.number is 'of the booking in the book of reporting';
comment on column notes.note.recorded_on is 'the day in Europe/Berlin';

create schema targets;

create table targets.target (
    municipality text not null,
    target_id uuid not null,
    number bigint not null,
    recorded_at timestamptz not null,
    recorded_on date not null,
    withdrawn_at timestamptz,
    withdrawn_on date,
    indicator text not null,
    breakdown text,
    value text,
    from_on date not null,
    to_on date not null,
    agreed_on date not null,
    aim text not null,
    low numeric,
    high numeric,
    de text not null,
    en text not null,
    primary key (municipality, target_id)
);
create index target_of_indicator on targets.target (municipality, indicator);
"""

_ALERTS = """
create schema alerts;

create table alerts.threshold (
    municipality text not null,
    threshold_id uuid not null,
    version integer not null,
    number bigint not null,
    set_at timestamptz not null,
    removed_at timestamptz,
    audience text not null,
    indicator text not null,
    breakdown text,
    value text,
    period text,
    side text not null,
    "limit" numeric not null,
    back numeric not null,
    valid_from date not null,
    valid_until date,
    crossings integer not null,
    primary key (municipality, threshold_id)
);
comment on column alerts.threshold.crossings is 'so many alerts it has raised; the last one may be open';

create table alerts.alert (
    municipality text not null,
    alert_id uuid not null,
    threshold_id uuid not null,
    crossing integer not null,
    number bigint not null,
    raised_at timestamptz not null,
    acknowledged_at timestamptz,
    over_at timestamptz,
    over_reason text,
    primary key (municipality, alert_id),
    unique (municipality, threshold_id, crossing)
);
-- Nothing is raised while something is open, whoever raises.
create unique index alert_open on alerts.alert (municipality, threshold_id) where over_at is null;

create table alerts.change (
    municipality text not null,
    number bigint not null,
    alert_id uuid not null,
    what text not null,
    at timestamptz not null,
    primary key (municipality, number)
);
comment on table alerts.change is 'what became of alerts, in order of booking';

create table alerts.receiver (
    municipality text not null,
    receiver text not null,
    begins_after bigint not null,
    primary key (municipality, receiver)
);
comment on column alerts.receiver.receiver is 'digest of the address that changes are posted to';
comment on column alerts.receiver.begins_after is 'the last change before it was named for the first time';

create table alerts.posting (
    municipality text not null,
    receiver text not null,
    number bigint not null,
    alert_id uuid not null,
    tries integer not null default 0,
    due_at timestamptz not null,
    posted_at timestamptz,
    primary key (municipality, receiver, number)
);
create index posting_waiting on alerts.posting (municipality, receiver, number) where posted_at is null;
"""

_GRANTS = """
grant usage on schema notes, targets, alerts to {office}_desk, {office}_web;
grant select, insert on notes.note to {office}_desk;
grant select, insert, update on targets.target, alerts.threshold, alerts.alert, alerts.posting to {office}_desk;
grant select, insert on alerts.change, alerts.receiver to {office}_desk;
grant select on notes.note, targets.target, alerts.threshold, alerts.alert, alerts.change to {office}_web;
"""


def upgrade() -> None:
    op.execute(_NOTES)
    op.execute(_ALERTS)
    op.execute(_GRANTS.format(office=migrated_office().package))


def downgrade() -> None:
    raise NotImplementedError("what an office has booked is never removed; restore a backup instead")
