"""Editions: what was frozen, with every rendered file as the bytes that were shown."""

from alembic import op

from verbund.database import migrated_office

revision = "0009"
down_revision = "0008"

_TABLES = """
create schema editions;

create table editions.draft (
    municipality text not null,
    draft_id uuid not null,
    begun_at timestamptz not null default now(),
    primary key (municipality, draft_id)
);
comment on table editions.draft is 'files that were stored; an edition names the draft that it has sealed';

create table editions.file (
    municipality text not null,
    draft_id uuid not null,
    question integer not null check (question > 0),
    kind text not null,
    name text not null,
    sha256 bytea not null check (octet_length(sha256) = 32),
    body bytea not null,
    primary key (municipality, draft_id, question, kind),
    foreign key (municipality, draft_id) references editions.draft on delete cascade
);

create table editions.edition (
    municipality text not null,
    edition_id uuid not null,
    draft_id uuid not null,
    number bigint not null check (number > 0),
    title_de text not null,
    title_en text not null,
    frozen_for_de text not null,
    frozen_for_en text not null,
    audience text not null,
    frozen_at timestamptz not null,
    sha256 bytea not null check (octet_length(sha256) = 32),
    manifest bytea not null,
    withdrawn_at timestamptz,
    withdrawn_reason text,
    withdrawn_words text,
    primary key (municipality, edition_id),
    unique (municipality, draft_id),
    unique (municipality, number),
    foreign key (municipality, draft_id) references editions.draft
);
comment on column editions.edition.number is 'of its event in the book of the office';

create table editions.cut (
    municipality text not null,
    edition_id uuid not null,
    frozen_generation integer not null,
    frozen_number bigint not null,
    generation integer not null,
    number bigint not null,
    primary key (municipality, edition_id, frozen_generation, frozen_number),
    foreign key (municipality, edition_id) references editions.edition
);
comment on table editions.cut is
    'a batch that answers of an edition stand at: as numbered then, and as the last compaction has numbered it';

create function editions.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'what was frozen is never changed: % on %.% is refused', tg_op, tg_table_schema, tg_table_name
        using errcode = 'restrict_violation', hint = 'Withdraw the edition and freeze another one.';
end $$;
create trigger never_changed before update or truncate on editions.file
    for each statement execute function editions.refuse_change();
create trigger never_removed before delete or truncate on editions.edition
    for each statement execute function editions.refuse_change();
create trigger never_changed before update of
    municipality, edition_id, draft_id, number, title_de, title_en, frozen_for_de, frozen_for_en, audience, frozen_at,
    sha256, manifest
    on editions.edition for each statement execute function editions.refuse_change();

create function editions.refuse_removal_of_sealed() returns trigger language plpgsql as $$
begin
    if exists (
        select from editions.edition
        where edition.municipality = old.municipality and edition.draft_id = old.draft_id
    ) then
        raise exception 'a file of an edition is never removed' using errcode = 'restrict_violation';
    end if;
    return old;
end $$;
create trigger never_removed before delete on editions.file
    for each row execute function editions.refuse_removal_of_sealed();
-- Also in a session that replays (session_replication_role), which a superuser may open.
alter table editions.file enable always trigger never_changed;
alter table editions.file enable always trigger never_removed;
alter table editions.edition enable always trigger never_changed;
alter table editions.edition enable always trigger never_removed;
"""


def upgrade() -> None:
    office = migrated_office().package
    op.execute(_TABLES)
    op.execute(f"grant usage on schema editions to {office}_desk, {office}_web")
    op.execute(f"grant select, insert on all tables in schema editions to {office}_desk")
    op.execute(f"grant delete on editions.draft, editions.file to {office}_desk")
    op.execute(f"grant update (withdrawn_at, withdrawn_reason, withdrawn_words) on editions.edition to {office}_desk")
    op.execute(f"grant select on editions.cut to {office}_web")


def downgrade() -> None:
    raise NotImplementedError("what was shown stays known; restore a backup instead")
