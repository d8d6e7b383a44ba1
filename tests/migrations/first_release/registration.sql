CREATE SCHEMA desk;
ALTER SCHEMA desk OWNER TO registration_owner;
CREATE SCHEMA feed_reporting;
ALTER SCHEMA feed_reporting OWNER TO registration_owner;
CREATE SCHEMA ledger;
ALTER SCHEMA ledger OWNER TO registration_owner;
CREATE SCHEMA office;
ALTER SCHEMA office OWNER TO registration_owner;
CREATE SCHEMA vault;
ALTER SCHEMA vault OWNER TO registration_owner;
CREATE FUNCTION ledger.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'a ledger is never changed: % on %.% is refused', tg_op, tg_table_schema, tg_table_name
        using errcode = 'restrict_violation', hint = 'Book a correction instead.';
end $$;
ALTER FUNCTION ledger.refuse_change() OWNER TO registration_owner;
CREATE TABLE desk.answer (
    principal text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint NOT NULL,
    location text,
    etag text,
    receipt jsonb NOT NULL,
    answered_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE desk.answer OWNER TO registration_owner;
CREATE TABLE desk.initial_load (
    office text NOT NULL,
    closed_at timestamp with time zone NOT NULL
);
ALTER TABLE desk.initial_load OWNER TO registration_owner;
CREATE TABLE ledger.beat (
    office text NOT NULL,
    at timestamp with time zone NOT NULL
);
ALTER TABLE ledger.beat OWNER TO registration_owner;
CREATE TABLE ledger.head (
    ledger text NOT NULL,
    number bigint NOT NULL,
    hash bytea NOT NULL,
    "time" timestamp with time zone NOT NULL,
    CONSTRAINT head_hash_check CHECK ((octet_length(hash) = 32)),
    CONSTRAINT head_number_check CHECK ((number >= 0))
);
ALTER TABLE ledger.head OWNER TO registration_owner;
CREATE VIEW feed_reporting.head WITH (security_barrier='true') AS
 SELECT head.ledger,
    head.number,
    head.hash,
    head."time",
    beat.at AS beat_at
   FROM (ledger.head
     LEFT JOIN ledger.beat ON ((beat.office = split_part(head.ledger, '/'::text, 3))))
  WHERE (head.ledger ~~ '%/book'::text);
ALTER VIEW feed_reporting.head OWNER TO registration_owner;
CREATE TABLE ledger.record (
    ledger text NOT NULL,
    number bigint NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL,
    body bytea NOT NULL,
    CONSTRAINT record_hash_check CHECK ((octet_length(hash) = 32)),
    CONSTRAINT record_number_check CHECK ((number > 0)),
    CONSTRAINT record_previous_check CHECK ((octet_length(previous) = 32))
);
ALTER TABLE ONLY ledger.record ALTER COLUMN body SET STORAGE MAIN;
ALTER TABLE ledger.record OWNER TO registration_owner;
CREATE VIEW feed_reporting.record WITH (security_barrier='true') AS
 SELECT ledger,
    number,
    previous,
    hash,
    body
   FROM ledger.record
  WHERE (ledger ~~ '%/book'::text);
ALTER VIEW feed_reporting.record OWNER TO registration_owner;
CREATE TABLE office.residence (
    residence_id uuid NOT NULL,
    resident_id uuid NOT NULL,
    number bigint NOT NULL,
    status text NOT NULL,
    residence_kind text NOT NULL,
    area text NOT NULL,
    nationality text NOT NULL,
    since date NOT NULL,
    until date
);
ALTER TABLE office.residence OWNER TO registration_owner;
CREATE TABLE office.resident (
    resident_id uuid NOT NULL,
    version integer NOT NULL,
    state jsonb NOT NULL
);
ALTER TABLE office.resident OWNER TO registration_owner;
CREATE TABLE public.ledger_version (
    version_num character varying(32) NOT NULL
);
ALTER TABLE public.ledger_version OWNER TO registration_owner;
CREATE TABLE public.registration_version (
    version_num character varying(32) NOT NULL
);
ALTER TABLE public.registration_version OWNER TO registration_owner;
CREATE TABLE vault.address (
    booking_id uuid NOT NULL,
    residence_id uuid NOT NULL,
    street text NOT NULL,
    house_number text NOT NULL,
    postal_code text,
    city text,
    landlord text
);
ALTER TABLE vault.address OWNER TO registration_owner;
CREATE TABLE vault.person (
    resident_id uuid NOT NULL,
    family_name text NOT NULL,
    given_names text NOT NULL,
    birth_date date NOT NULL
);
ALTER TABLE vault.person OWNER TO registration_owner;
CREATE TABLE vault.reading (
    number bigint NOT NULL,
    read_at timestamp with time zone DEFAULT now() NOT NULL,
    reader text NOT NULL,
    purpose text NOT NULL,
    what text NOT NULL,
    residence_ids uuid[] NOT NULL
);
ALTER TABLE vault.reading OWNER TO registration_owner;
ALTER TABLE vault.reading ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME vault.reading_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
INSERT INTO desk.answer VALUES ('somebody', 'POST /initial-load/bookings', 'load:1', '\xbe28805efa57b952a675ca605c19d4c081f98f3fc6a9c603eee2d276b96996ed', 201, '/residences/11111111-1111-4111-8111-111111111111', '"1"', '{"number": 1, "booking_id": "ea1522bd-9034-4c34-9699-e564f90b5821", "resident_id": "22222222-2222-4222-8222-222222222222", "residence_id": "11111111-1111-4111-8111-111111111111"}', '2026-11-25 13:19:04.831666+00');
INSERT INTO desk.answer VALUES ('somebody', 'POST /initial-load/bookings', 'load:2', '\xa9c9aaf356a674ddfb4866594f42e025d5551aa1ad2bc93a0971f9fd0dc196f3', 201, '/residences/11111111-1111-4111-8111-111111111111', '"2"', '{"number": 2, "booking_id": "ca0c6841-eb7b-4095-b1b3-0855879b96c6", "resident_id": "22222222-2222-4222-8222-222222222222", "residence_id": "11111111-1111-4111-8111-111111111111"}', '2026-11-25 13:19:04.831666+00');
INSERT INTO desk.answer VALUES ('somebody', 'POST /initial-load/bookings', 'load:3', '\xd8dca318850249a41e6157d3ae3d6f25ebb83feae142d059e3e99d6c8a50b667', 201, '/residences/11111111-1111-4111-8111-111111111111', '"3"', '{"number": 3, "booking_id": "b6415bd6-7a29-4584-b4bb-2bf47f745fd2", "resident_id": "22222222-2222-4222-8222-222222222222", "residence_id": "11111111-1111-4111-8111-111111111111"}', '2026-11-25 13:19:04.831666+00');
INSERT INTO desk.answer VALUES ('somebody', 'POST /initial-load/bookings', 'load:4', '\xf7a00d9525b1b640462bbad0cf83bea5b0d959ecc8f7f02a80b9d9ae6e8bdc33', 201, '/residences/11111111-1111-4111-8111-111111111111', '"4"', '{"number": 4, "booking_id": "f1213e49-2209-423b-acfa-828720f0f0e0", "resident_id": "22222222-2222-4222-8222-222222222222", "residence_id": "11111111-1111-4111-8111-111111111111"}', '2026-11-25 13:19:04.831666+00');
INSERT INTO desk.answer VALUES ('somebody', 'POST /initial-load/bookings', 'load:5', '\x25eb5e2f4b4c96ad47e7557384b10f707d939e9461590ee23c1ae440c12a011d', 201, '/residences/4bccaeda-b53c-478a-a4a8-3808b0f42d76', '"1"', '{"number": 5, "booking_id": "9854b5d3-b403-48cf-8d2a-2855354ab32e", "resident_id": "4b6f55d2-540e-46ce-b39f-f856c44959ad", "residence_id": "4bccaeda-b53c-478a-a4a8-3808b0f42d76"}', '2026-11-25 13:19:04.831666+00');
INSERT INTO desk.answer VALUES ('somebody', 'POST /initial-load/closing', 'key-2', '\xea1115c07bbc650ac1bb3407b56d7ff56a3f63df83a597b746f6a102c294cea2', 201, '/initial-load', NULL, '{"closed_at": "2026-11-25T13:19:04.885375+00:00"}', '2026-11-25 13:19:04.883395+00');
INSERT INTO desk.answer VALUES ('somebody', 'POST /residences', 'key-3', '\x6c61a0ccd916ddf17abd21794a23cb6beaa734d63eee8c10b4711b22ca434335', 201, '/residences/e2b4c7e9-334c-4a63-b3dd-65082e55a82f', '"1"', '{"number": 7, "booking_id": "7551f8bf-e964-4871-a73c-f89889e3b5b9", "resident_id": "c5d66a07-6877-4b70-bced-8ef50f65c32e", "residence_id": "e2b4c7e9-334c-4a63-b3dd-65082e55a82f"}', '2026-11-25 13:19:04.906316+00');
INSERT INTO desk.answer VALUES ('somebody', 'POST /residences', 'key-4', '\xf5c7ffe3f9786bad458ebfb0b58ae816191e07c9626e8b648a52844ae653d3b4', 201, '/residences/5936ad7b-0081-4106-9b43-be4e896b7e39', '"1"', '{"number": 8, "booking_id": "cc902525-d0ba-4de7-b05b-2da2fbd3c346", "resident_id": "a0ff8428-df77-4766-b540-4cda5f8ad2ec", "residence_id": "5936ad7b-0081-4106-9b43-be4e896b7e39"}', '2026-11-25 13:19:04.951508+00');
INSERT INTO desk.answer VALUES ('somebody', 'POST /residences', 'key-5', '\x7c1d726c81837bc8c96f7c040d63d104e1f86a54f690a1b9957e33dae45ca2ed', 201, '/residences/0b5c20ee-9a90-45f5-a4ec-1be95fc04ccf', '"1"', '{"number": 9, "booking_id": "bd9119a7-4689-4c8d-806e-b580e768d8de", "resident_id": "08812be3-2ca8-42bd-bbac-6facf330181d", "residence_id": "0b5c20ee-9a90-45f5-a4ec-1be95fc04ccf"}', '2026-11-25 13:19:04.979121+00');
INSERT INTO desk.answer VALUES ('somebody', 'POST /residences', 'key-6', '\xd798ed53fa730b1de65341d18237d792a912d5d2103b7440fe6ab8444f6e7d9f', 201, '/residences/3eef91d3-5ed9-446b-a415-7f65051c57a2', '"1"', '{"number": 10, "booking_id": "04c18f43-375e-4b03-9a27-ee8582c6f650", "resident_id": "03e00db3-12f3-45a2-b9cb-62aa63ecfade", "residence_id": "3eef91d3-5ed9-446b-a415-7f65051c57a2"}', '2026-11-25 13:19:04.999558+00');
INSERT INTO desk.answer VALUES ('somebody', 'POST /residences/{residence_id}/moves', 'key-7', '\x09b325e5b7e017b545534b4b67c850233c784c8260b80c5aad1e4fc0957ed8d8', 201, '/residences/5936ad7b-0081-4106-9b43-be4e896b7e39', '"2"', '{"number": 11, "booking_id": "68853e59-74ce-4a40-b7c0-016f0a91d491", "resident_id": "a0ff8428-df77-4766-b540-4cda5f8ad2ec", "residence_id": "5936ad7b-0081-4106-9b43-be4e896b7e39"}', '2026-11-25 13:19:05.019635+00');
INSERT INTO desk.answer VALUES ('somebody', 'POST /residences/{residence_id}/deregistrations', 'key-8', '\xe3d55ed816601dde09b804fdaf224d785a4d4278f96527136d7a30c68c72f3f9', 201, '/residences/0b5c20ee-9a90-45f5-a4ec-1be95fc04ccf', '"2"', '{"number": 12, "booking_id": "e907cbad-ddf9-454f-9fe6-c24cd01558c3", "resident_id": "08812be3-2ca8-42bd-bbac-6facf330181d", "residence_id": "0b5c20ee-9a90-45f5-a4ec-1be95fc04ccf"}', '2026-11-25 13:19:05.028827+00');
INSERT INTO desk.answer VALUES ('somebody', 'POST /residences/{residence_id}/nationality-changes', 'key-9', '\x3cac5eb0d6cf1b0bed195eb6dca1647c8b68fe400eb17df172fc9a34457b609d', 201, '/residences/3eef91d3-5ed9-446b-a415-7f65051c57a2', '"2"', '{"number": 13, "booking_id": "671bb38a-bcf8-43bd-89fa-741fe65dd90a", "resident_id": "03e00db3-12f3-45a2-b9cb-62aa63ecfade", "residence_id": "3eef91d3-5ed9-446b-a415-7f65051c57a2"}', '2026-11-25 13:19:05.037016+00');
INSERT INTO desk.answer VALUES ('somebody', 'POST /residences/{residence_id}/corrections', 'key-10', '\xb55b019ee2d42b5e1f827f5ce5e2223e6f323b1cab3ca951ae9c379c7d1de06d', 201, '/residences/e2b4c7e9-334c-4a63-b3dd-65082e55a82f', '"2"', '{"number": 14, "booking_id": "b61863cd-9d64-46c3-a54e-2407a6ffadd4", "resident_id": "c5d66a07-6877-4b70-bced-8ef50f65c32e", "residence_id": "e2b4c7e9-334c-4a63-b3dd-65082e55a82f"}', '2026-11-25 13:19:05.045072+00');
INSERT INTO desk.initial_load VALUES ('registration', '2026-11-25 13:19:04.885375+00');
INSERT INTO ledger.beat VALUES ('registration', '2026-11-25 13:19:04.814057+00');
INSERT INTO ledger.head VALUES ('/05913000/registration/book', 14, '\x577ebedc0f8897ec5636f9c5f9be173556bd4aa56420c923a55957e3981b42b0', '2026-11-25 13:19:05.047083+00');
INSERT INTO ledger.record VALUES ('/05913000/registration/book', 1, '\x0000000000000000000000000000000000000000000000000000000000000000', '\xc8a7c6711d82822999420762a18e763d66db8c1b72ad9e236fd8560e8c2cc6f3', convert_to('{"actor":"clerk:somebody","data":{"area":"05","arrival_kind":"abroad","at_flagged_premises":false,"birth_year":1987,"booked_on":"2015-01-20","booking_id":"ea1522bd-9034-4c34-9699-e564f90b5821","landlord_confirmation":"present","late":true,"moved_in_on":"2015-01-10","nationality":"154","previous_municipality":null,"previous_state":"154","residence_id":"11111111-1111-4111-8111-111111111111","residence_kind":"main","sex":"f","transitions":[{"after":{"area":"05","birth_year":1987,"nationality":"154","residence_kind":"main","sex":"f"},"before":null,"cause":"booked","effective_on":"2015-01-10","kind":"arrival","n":1,"sign":1,"subject":"22222222-2222-4222-8222-222222222222","unit":"resident"},{"after":{"area":"05","arrival_kind":"abroad","at_flagged_premises":false,"landlord_confirmation":"present","late":true,"residence_kind":"main"},"before":null,"cause":"booked","effective_on":"2015-01-20","kind":"recorded","n":1,"sign":1,"subject":"11111111-1111-4111-8111-111111111111","unit":"registration"}]},"datacontenttype":"application/json","id":"01a212dc-1c8f-710a-8a52-c3477389b437","sequence":"00000000000000000001","source":"/05913000/registration/book","specversion":"1.0","subject":"22222222-2222-4222-8222-222222222222","time":"2015-01-20T09:00:00.000000Z","traceparent":"00-48177a0335658a72b0edab4dc009ed53-e14881df6ea1864e-00","type":"de.verbund.registration.residence-registered.v1"}', 'UTF8'));
INSERT INTO ledger.record VALUES ('/05913000/registration/book', 2, '\xc8a7c6711d82822999420762a18e763d66db8c1b72ad9e236fd8560e8c2cc6f3', '\x0dd14326dfd8516421e3bccf079e60edbd710a5faa37c55f8957be8ae06686f4', convert_to('{"actor":"clerk:somebody","data":{"area":"04","at_flagged_premises":false,"booked_on":"2016-05-02","booking_id":"ca0c6841-eb7b-4095-b1b3-0855879b96c6","landlord_confirmation":"present","late":false,"moved_on":"2016-05-01","residence_id":"11111111-1111-4111-8111-111111111111","transitions":[{"after":{"area":"04","birth_year":1987,"nationality":"154","residence_kind":"main","sex":"f"},"before":{"area":"05","birth_year":1987,"nationality":"154","residence_kind":"main","sex":"f"},"cause":"booked","effective_on":"2016-05-01","kind":"move","n":1,"sign":1,"subject":"22222222-2222-4222-8222-222222222222","unit":"resident"},{"after":{"area":"04","arrival_kind":"within_municipality","at_flagged_premises":false,"landlord_confirmation":"present","late":false,"residence_kind":"main"},"before":null,"cause":"booked","effective_on":"2016-05-02","kind":"recorded","n":1,"sign":1,"subject":"11111111-1111-4111-8111-111111111111","unit":"registration"}]},"datacontenttype":"application/json","id":"01a212dc-1c90-7631-8107-b453426e3f2b","sequence":"00000000000000000002","source":"/05913000/registration/book","specversion":"1.0","subject":"22222222-2222-4222-8222-222222222222","time":"2016-05-02T09:00:00.000000Z","traceparent":"00-48177a0335658a72b0edab4dc009ed53-e14881df6ea1864e-00","type":"de.verbund.registration.residence-moved.v1"}', 'UTF8'));
INSERT INTO ledger.record VALUES ('/05913000/registration/book', 3, '\x0dd14326dfd8516421e3bccf079e60edbd710a5faa37c55f8957be8ae06686f4', '\xf8857b1bda14566301d0db098e8f10f3af872aa3f5da5bcacebadc76fcf0b42f', convert_to('{"actor":"clerk:somebody","data":{"booked_on":"2017-05-02","booking_id":"b6415bd6-7a29-4584-b4bb-2bf47f745fd2","changed_on":"2017-05-01","nationality":"000","residence_id":"11111111-1111-4111-8111-111111111111","transitions":[{"after":{"area":"04","birth_year":1987,"nationality":"000","residence_kind":"main","sex":"f"},"before":{"area":"04","birth_year":1987,"nationality":"154","residence_kind":"main","sex":"f"},"cause":"booked","effective_on":"2017-05-01","kind":"change","n":1,"sign":1,"subject":"22222222-2222-4222-8222-222222222222","unit":"resident"}]},"datacontenttype":"application/json","id":"01a212dc-1c90-7631-8107-b4541b6533a9","sequence":"00000000000000000003","source":"/05913000/registration/book","specversion":"1.0","subject":"22222222-2222-4222-8222-222222222222","time":"2017-05-02T09:00:00.000000Z","traceparent":"00-48177a0335658a72b0edab4dc009ed53-e14881df6ea1864e-00","type":"de.verbund.registration.nationality-changed.v1"}', 'UTF8'));
INSERT INTO ledger.record VALUES ('/05913000/registration/book', 4, '\xf8857b1bda14566301d0db098e8f10f3af872aa3f5da5bcacebadc76fcf0b42f', '\x4bf43645270b3d3aa7390043e7d8b8c11bd5005e8ef5e1785eb308f33c32737b', convert_to('{"actor":"clerk:somebody","data":{"booked_on":"2018-05-02","booking_id":"f1213e49-2209-423b-acfa-828720f0f0e0","deregistered_on":"2018-05-01","reason":"abroad","residence_id":"11111111-1111-4111-8111-111111111111","transitions":[{"after":null,"before":{"area":"04","birth_year":1987,"nationality":"000","residence_kind":"main","sex":"f"},"cause":"booked","effective_on":"2018-05-01","kind":"departure","n":1,"sign":1,"subject":"22222222-2222-4222-8222-222222222222","unit":"resident"}]},"datacontenttype":"application/json","id":"01a212dc-1c90-7631-8107-b45589a2744f","sequence":"00000000000000000004","source":"/05913000/registration/book","specversion":"1.0","subject":"22222222-2222-4222-8222-222222222222","time":"2018-05-02T07:00:00.000000Z","traceparent":"00-48177a0335658a72b0edab4dc009ed53-e14881df6ea1864e-00","type":"de.verbund.registration.residence-deregistered.v1"}', 'UTF8'));
INSERT INTO ledger.record VALUES ('/05913000/registration/book', 5, '\x4bf43645270b3d3aa7390043e7d8b8c11bd5005e8ef5e1785eb308f33c32737b', '\x85b439dd600a8d6f8b60854b2fe5bbc4c473f99812a8fb04aab8dd4c7139c4c1', convert_to('{"actor":"clerk:somebody","data":{"area":"05","arrival_kind":"opening","at_flagged_premises":false,"birth_year":1987,"booked_on":"2018-06-04","booking_id":"9854b5d3-b403-48cf-8d2a-2855354ab32e","landlord_confirmation":null,"late":false,"moved_in_on":"2014-03-01","nationality":"154","previous_municipality":null,"previous_state":null,"residence_id":"4bccaeda-b53c-478a-a4a8-3808b0f42d76","residence_kind":"main","sex":"f","transitions":[{"after":{"area":"05","birth_year":1987,"nationality":"154","residence_kind":"main","sex":"f"},"before":null,"cause":"booked","effective_on":"2014-03-01","kind":"opening","n":1,"sign":1,"subject":"4b6f55d2-540e-46ce-b39f-f856c44959ad","unit":"resident"}]},"datacontenttype":"application/json","id":"01a212dc-1c90-7631-8107-b45681408ba0","sequence":"00000000000000000005","source":"/05913000/registration/book","specversion":"1.0","subject":"4b6f55d2-540e-46ce-b39f-f856c44959ad","time":"2018-06-04T09:00:00.000000Z","traceparent":"00-48177a0335658a72b0edab4dc009ed53-e14881df6ea1864e-00","type":"de.verbund.registration.residence-registered.v1"}', 'UTF8'));
INSERT INTO ledger.record VALUES ('/05913000/registration/book', 6, '\x85b439dd600a8d6f8b60854b2fe5bbc4c473f99812a8fb04aab8dd4c7139c4c1', '\xa79dfb82414b732b8abf7c02afb7ff9618b2b5426bfb84cb6faa6e924518a342', convert_to('{"actor":"clerk:somebody","data":{"closed_on":"2026-11-25"},"datacontenttype":"application/json","id":"01a212dc-1cb5-762d-aba8-6e05df636eab","sequence":"00000000000000000006","source":"/05913000/registration/book","specversion":"1.0","subject":"registration","time":"2026-11-25T13:19:04.885375Z","traceparent":"00-e3eeef1e70f80d3813d759983cfef553-8145d076f0df2da9-00","type":"de.verbund.registration.initial-load-closed.v1"}', 'UTF8'));
INSERT INTO ledger.record VALUES ('/05913000/registration/book', 7, '\xa79dfb82414b732b8abf7c02afb7ff9618b2b5426bfb84cb6faa6e924518a342', '\x3ddd1f69945af5da0fb235331587e6adaa2c92029cab202d2c817bf3f96be3fd', convert_to('{"actor":"clerk:somebody","data":{"area":"05","arrival_kind":"abroad","at_flagged_premises":false,"birth_year":1987,"booked_on":"2026-11-25","booking_id":"7551f8bf-e964-4871-a73c-f89889e3b5b9","landlord_confirmation":"present","late":true,"moved_in_on":"2018-11-05","nationality":"154","previous_municipality":null,"previous_state":"154","residence_id":"e2b4c7e9-334c-4a63-b3dd-65082e55a82f","residence_kind":"main","sex":"f","transitions":[{"after":{"area":"05","birth_year":1987,"nationality":"154","residence_kind":"main","sex":"f"},"before":null,"cause":"booked","effective_on":"2018-11-05","kind":"arrival","n":1,"sign":1,"subject":"c5d66a07-6877-4b70-bced-8ef50f65c32e","unit":"resident"},{"after":{"area":"05","arrival_kind":"abroad","at_flagged_premises":false,"landlord_confirmation":"present","late":true,"residence_kind":"main"},"before":null,"cause":"booked","effective_on":"2026-11-25","kind":"recorded","n":1,"sign":1,"subject":"e2b4c7e9-334c-4a63-b3dd-65082e55a82f","unit":"registration"}]},"datacontenttype":"application/json","id":"01a212dc-1cd3-709f-9f5e-f9a01d1ed818","sequence":"00000000000000000007","source":"/05913000/registration/book","specversion":"1.0","subject":"c5d66a07-6877-4b70-bced-8ef50f65c32e","time":"2026-11-25T13:19:04.915162Z","traceparent":"00-cf2e9103b5673a49f6710ae5416f2031-f90f399d01773bdd-00","type":"de.verbund.registration.residence-registered.v1"}', 'UTF8'));
INSERT INTO ledger.record VALUES ('/05913000/registration/book', 9, '\x80c02f7889f9ccaab196b43d7ab9788db69e4a9458b45aa3bbbafbbc6e179078', '\x74c938be8cd2614ef0ffa61f0843c7cc9e1b85c2f67111fca7fade8318428e09', convert_to('{"actor":"clerk:somebody","data":{"area":"05","arrival_kind":"abroad","at_flagged_premises":false,"birth_year":1987,"booked_on":"2026-11-25","booking_id":"bd9119a7-4689-4c8d-806e-b580e768d8de","landlord_confirmation":"present","late":true,"moved_in_on":"2018-11-05","nationality":"125","previous_municipality":null,"previous_state":"154","residence_id":"0b5c20ee-9a90-45f5-a4ec-1be95fc04ccf","residence_kind":"main","sex":"f","transitions":[{"after":{"area":"05","birth_year":1987,"nationality":"125","residence_kind":"main","sex":"f"},"before":null,"cause":"booked","effective_on":"2018-11-05","kind":"arrival","n":1,"sign":1,"subject":"08812be3-2ca8-42bd-bbac-6facf330181d","unit":"resident"},{"after":{"area":"05","arrival_kind":"abroad","at_flagged_premises":false,"landlord_confirmation":"present","late":true,"residence_kind":"main"},"before":null,"cause":"booked","effective_on":"2026-11-25","kind":"recorded","n":1,"sign":1,"subject":"0b5c20ee-9a90-45f5-a4ec-1be95fc04ccf","unit":"registration"}]},"datacontenttype":"application/json","id":"01a212dc-1d15-755f-86c4-6b92bd84134b","sequence":"00000000000000000009","source":"/05913000/registration/book","specversion":"1.0","subject":"08812be3-2ca8-42bd-bbac-6facf330181d","time":"2026-11-25T13:19:04.980733Z","traceparent":"00-b7e9d7219c96aebc7fc6959f41f67242-a68dcd185fd80025-00","type":"de.verbund.registration.residence-registered.v1"}', 'UTF8'));
INSERT INTO ledger.record VALUES ('/05913000/registration/book', 11, '\x931b88a8a97ac738c964de719c3e0e1940399ff17a4504552e87f40dc9ad5072', '\xaaa7daae8152ea62d4646b28f2384d6f79320486dbca29dce221ebbf6ebf536f', convert_to('{"actor":"clerk:somebody","data":{"area":"05","at_flagged_premises":false,"booked_on":"2026-11-25","booking_id":"68853e59-74ce-4a40-b7c0-016f0a91d491","landlord_confirmation":"present","late":true,"moved_on":"2018-12-01","residence_id":"5936ad7b-0081-4106-9b43-be4e896b7e39","transitions":[{"after":{"area":"05","birth_year":1987,"nationality":"154","residence_kind":"main","sex":"m"},"before":{"area":"04","birth_year":1987,"nationality":"154","residence_kind":"main","sex":"m"},"cause":"booked","effective_on":"2018-12-01","kind":"move","n":1,"sign":1,"subject":"a0ff8428-df77-4766-b540-4cda5f8ad2ec","unit":"resident"},{"after":{"area":"05","arrival_kind":"within_municipality","at_flagged_premises":false,"landlord_confirmation":"present","late":true,"residence_kind":"main"},"before":null,"cause":"booked","effective_on":"2026-11-25","kind":"recorded","n":1,"sign":1,"subject":"5936ad7b-0081-4106-9b43-be4e896b7e39","unit":"registration"}]},"datacontenttype":"application/json","id":"01a212dc-1d3e-7680-bc4b-224136e9802e","sequence":"00000000000000000011","source":"/05913000/registration/book","specversion":"1.0","subject":"a0ff8428-df77-4766-b540-4cda5f8ad2ec","time":"2026-11-25T13:19:05.022135Z","traceparent":"00-19ed27babe619d800600e96d51a75597-0ecc8edb30c50322-00","type":"de.verbund.registration.residence-moved.v1"}', 'UTF8'));
INSERT INTO ledger.record VALUES ('/05913000/registration/book', 13, '\x62cfd4e70af546f999a7e68ea186386e05c96573bc2a4e16ef8523b19ee8caa6', '\xe611f50076b0fa871f60b57870b1630e274dd3837401068bd98fb47a387ed4db', convert_to('{"actor":"clerk:somebody","data":{"booked_on":"2026-11-25","booking_id":"671bb38a-bcf8-43bd-89fa-741fe65dd90a","changed_on":"2018-12-01","nationality":"000","residence_id":"3eef91d3-5ed9-446b-a415-7f65051c57a2","transitions":[{"after":{"area":"05","birth_year":1987,"nationality":"000","residence_kind":"main","sex":"m"},"before":{"area":"05","birth_year":1987,"nationality":"125","residence_kind":"main","sex":"m"},"cause":"booked","effective_on":"2018-12-01","kind":"change","n":1,"sign":1,"subject":"03e00db3-12f3-45a2-b9cb-62aa63ecfade","unit":"resident"}]},"datacontenttype":"application/json","id":"01a212dc-1d4f-7099-8674-edc2dbb7731f","sequence":"00000000000000000013","source":"/05913000/registration/book","specversion":"1.0","subject":"03e00db3-12f3-45a2-b9cb-62aa63ecfade","time":"2026-11-25T13:19:05.039046Z","traceparent":"00-c291db5a53025a85a783eeeb9b0c31e6-9e927f981e9a0abc-00","type":"de.verbund.registration.nationality-changed.v1"}', 'UTF8'));
INSERT INTO ledger.record VALUES ('/05913000/registration/book', 8, '\x3ddd1f69945af5da0fb235331587e6adaa2c92029cab202d2c817bf3f96be3fd', '\x80c02f7889f9ccaab196b43d7ab9788db69e4a9458b45aa3bbbafbbc6e179078', convert_to('{"actor":"clerk:somebody","data":{"area":"04","arrival_kind":"abroad","at_flagged_premises":false,"birth_year":1987,"booked_on":"2026-11-25","booking_id":"cc902525-d0ba-4de7-b05b-2da2fbd3c346","landlord_confirmation":"present","late":true,"moved_in_on":"2018-11-05","nationality":"154","previous_municipality":null,"previous_state":"154","residence_id":"5936ad7b-0081-4106-9b43-be4e896b7e39","residence_kind":"main","sex":"m","transitions":[{"after":{"area":"04","birth_year":1987,"nationality":"154","residence_kind":"main","sex":"m"},"before":null,"cause":"booked","effective_on":"2018-11-05","kind":"arrival","n":1,"sign":1,"subject":"a0ff8428-df77-4766-b540-4cda5f8ad2ec","unit":"resident"},{"after":{"area":"04","arrival_kind":"abroad","at_flagged_premises":false,"landlord_confirmation":"present","late":true,"residence_kind":"main"},"before":null,"cause":"booked","effective_on":"2026-11-25","kind":"recorded","n":1,"sign":1,"subject":"5936ad7b-0081-4106-9b43-be4e896b7e39","unit":"registration"}]},"datacontenttype":"application/json","id":"01a212dc-1cf9-71d7-8ba0-6b40c521b191","sequence":"00000000000000000008","source":"/05913000/registration/book","specversion":"1.0","subject":"a0ff8428-df77-4766-b540-4cda5f8ad2ec","time":"2026-11-25T13:19:04.953242Z","traceparent":"00-cb8a3290a5592844fd46c63ab0da71a4-92208a739ac985dc-00","type":"de.verbund.registration.residence-registered.v1"}', 'UTF8'));
INSERT INTO ledger.record VALUES ('/05913000/registration/book', 10, '\x74c938be8cd2614ef0ffa61f0843c7cc9e1b85c2f67111fca7fade8318428e09', '\x931b88a8a97ac738c964de719c3e0e1940399ff17a4504552e87f40dc9ad5072', convert_to('{"actor":"clerk:somebody","data":{"area":"05","arrival_kind":"abroad","at_flagged_premises":false,"birth_year":1987,"booked_on":"2026-11-25","booking_id":"04c18f43-375e-4b03-9a27-ee8582c6f650","landlord_confirmation":"present","late":true,"moved_in_on":"2018-11-05","nationality":"125","previous_municipality":null,"previous_state":"154","residence_id":"3eef91d3-5ed9-446b-a415-7f65051c57a2","residence_kind":"main","sex":"m","transitions":[{"after":{"area":"05","birth_year":1987,"nationality":"125","residence_kind":"main","sex":"m"},"before":null,"cause":"booked","effective_on":"2018-11-05","kind":"arrival","n":1,"sign":1,"subject":"03e00db3-12f3-45a2-b9cb-62aa63ecfade","unit":"resident"},{"after":{"area":"05","arrival_kind":"abroad","at_flagged_premises":false,"landlord_confirmation":"present","late":true,"residence_kind":"main"},"before":null,"cause":"booked","effective_on":"2026-11-25","kind":"recorded","n":1,"sign":1,"subject":"3eef91d3-5ed9-446b-a415-7f65051c57a2","unit":"registration"}]},"datacontenttype":"application/json","id":"01a212dc-1d2c-7364-bc12-366be6cec4e4","sequence":"00000000000000000010","source":"/05913000/registration/book","specversion":"1.0","subject":"03e00db3-12f3-45a2-b9cb-62aa63ecfade","time":"2026-11-25T13:19:05.003974Z","traceparent":"00-6fb478703563bdb39f5df36d6d908423-50dbb1ac50e04acb-00","type":"de.verbund.registration.residence-registered.v1"}', 'UTF8'));
INSERT INTO ledger.record VALUES ('/05913000/registration/book', 12, '\xaaa7daae8152ea62d4646b28f2384d6f79320486dbca29dce221ebbf6ebf536f', '\x62cfd4e70af546f999a7e68ea186386e05c96573bc2a4e16ef8523b19ee8caa6', convert_to('{"actor":"clerk:somebody","data":{"booked_on":"2026-11-25","booking_id":"e907cbad-ddf9-454f-9fe6-c24cd01558c3","deregistered_on":"2018-12-01","reason":"abroad","residence_id":"0b5c20ee-9a90-45f5-a4ec-1be95fc04ccf","transitions":[{"after":null,"before":{"area":"05","birth_year":1987,"nationality":"125","residence_kind":"main","sex":"f"},"cause":"booked","effective_on":"2018-12-01","kind":"departure","n":1,"sign":1,"subject":"08812be3-2ca8-42bd-bbac-6facf330181d","unit":"resident"}]},"datacontenttype":"application/json","id":"01a212dc-1d47-723b-9a9b-583706fee4d8","sequence":"00000000000000000012","source":"/05913000/registration/book","specversion":"1.0","subject":"08812be3-2ca8-42bd-bbac-6facf330181d","time":"2026-11-25T13:19:05.031221Z","traceparent":"00-99c9ea986e4353957a04352b501bbbee-31e1d36b7e303e91-00","type":"de.verbund.registration.residence-deregistered.v1"}', 'UTF8'));
INSERT INTO ledger.record VALUES ('/05913000/registration/book', 14, '\xe611f50076b0fa871f60b57870b1630e274dd3837401068bd98fb47a387ed4db', '\x577ebedc0f8897ec5636f9c5f9be173556bd4aa56420c923a55957e3981b42b0', convert_to('{"actor":"clerk:somebody","data":{"amendment":{"area":null,"arrival_kind":null,"birth_year":null,"effective_on":null,"landlord_confirmation":null,"nationality":"125","previous_municipality":null,"previous_state":null,"reason":null,"residence_kind":null,"sex":null},"booked_on":"2026-11-25","booking_id":"b61863cd-9d64-46c3-a54e-2407a6ffadd4","corrected_booking_id":"7551f8bf-e964-4871-a73c-f89889e3b5b9","reason":"wrong_document","transitions":[{"after":{"area":"05","birth_year":1987,"nationality":"154","residence_kind":"main","sex":"f"},"before":null,"cause":"corrected:wrong_document","effective_on":"2018-11-05","kind":"arrival","n":1,"sign":-1,"subject":"c5d66a07-6877-4b70-bced-8ef50f65c32e","unit":"resident"},{"after":{"area":"05","birth_year":1987,"nationality":"125","residence_kind":"main","sex":"f"},"before":null,"cause":"corrected:wrong_document","effective_on":"2018-11-05","kind":"arrival","n":1,"sign":1,"subject":"c5d66a07-6877-4b70-bced-8ef50f65c32e","unit":"resident"}]},"datacontenttype":"application/json","id":"01a212dc-1d57-75bf-a5fa-5abb8e85a334","sequence":"00000000000000000014","source":"/05913000/registration/book","specversion":"1.0","subject":"c5d66a07-6877-4b70-bced-8ef50f65c32e","time":"2026-11-25T13:19:05.047083Z","traceparent":"00-8f5236416e63eb9dbc8ef3af7527e99a-4eef5aa3e8bb2670-00","type":"de.verbund.registration.registration-corrected.v1"}', 'UTF8'));
INSERT INTO office.residence VALUES ('11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222', 1, 'over', 'main', '04', '000', '2015-01-10', '2018-05-01');
INSERT INTO office.residence VALUES ('4bccaeda-b53c-478a-a4a8-3808b0f42d76', '4b6f55d2-540e-46ce-b39f-f856c44959ad', 5, 'open', 'main', '05', '154', '2014-03-01', NULL);
INSERT INTO office.residence VALUES ('5936ad7b-0081-4106-9b43-be4e896b7e39', 'a0ff8428-df77-4766-b540-4cda5f8ad2ec', 8, 'open', 'main', '05', '154', '2018-11-05', NULL);
INSERT INTO office.residence VALUES ('0b5c20ee-9a90-45f5-a4ec-1be95fc04ccf', '08812be3-2ca8-42bd-bbac-6facf330181d', 9, 'over', 'main', '05', '125', '2018-11-05', '2018-12-01');
INSERT INTO office.residence VALUES ('3eef91d3-5ed9-446b-a415-7f65051c57a2', '03e00db3-12f3-45a2-b9cb-62aa63ecfade', 10, 'open', 'main', '05', '000', '2018-11-05', NULL);
INSERT INTO office.residence VALUES ('e2b4c7e9-334c-4a63-b3dd-65082e55a82f', 'c5d66a07-6877-4b70-bced-8ef50f65c32e', 7, 'open', 'main', '05', '125', '2018-11-05', NULL);
INSERT INTO office.resident VALUES ('22222222-2222-4222-8222-222222222222', 4, '{"sex": "f", "entries": [{"area": "05", "kind": "registration", "booked_on": "2015-01-20", "booking_id": "ea1522bd-9034-4c34-9699-e564f90b5821", "nationality": "154", "arrival_kind": "abroad", "effective_on": "2015-01-10", "residence_id": "11111111-1111-4111-8111-111111111111", "previous_state": "154", "residence_kind": "main", "at_flagged_premises": false, "landlord_confirmation": "present", "previous_municipality": null}, {"area": "04", "kind": "move", "booked_on": "2016-05-02", "booking_id": "ca0c6841-eb7b-4095-b1b3-0855879b96c6", "effective_on": "2016-05-01", "residence_id": "11111111-1111-4111-8111-111111111111", "at_flagged_premises": false, "landlord_confirmation": "present"}, {"kind": "nationality_change", "booked_on": "2017-05-02", "booking_id": "b6415bd6-7a29-4584-b4bb-2bf47f745fd2", "nationality": "000", "effective_on": "2017-05-01", "residence_id": "11111111-1111-4111-8111-111111111111"}, {"kind": "deregistration", "reason": "abroad", "booked_on": "2018-05-02", "booking_id": "f1213e49-2209-423b-acfa-828720f0f0e0", "effective_on": "2018-05-01", "residence_id": "11111111-1111-4111-8111-111111111111"}], "birth_year": 1987, "resident_id": "22222222-2222-4222-8222-222222222222"}');
INSERT INTO office.resident VALUES ('4b6f55d2-540e-46ce-b39f-f856c44959ad', 1, '{"sex": "f", "entries": [{"area": "05", "kind": "registration", "booked_on": "2018-06-04", "booking_id": "9854b5d3-b403-48cf-8d2a-2855354ab32e", "nationality": "154", "arrival_kind": "opening", "effective_on": "2014-03-01", "residence_id": "4bccaeda-b53c-478a-a4a8-3808b0f42d76", "previous_state": null, "residence_kind": "main", "at_flagged_premises": false, "landlord_confirmation": null, "previous_municipality": null}], "birth_year": 1987, "resident_id": "4b6f55d2-540e-46ce-b39f-f856c44959ad"}');
INSERT INTO office.resident VALUES ('a0ff8428-df77-4766-b540-4cda5f8ad2ec', 2, '{"sex": "m", "entries": [{"area": "04", "kind": "registration", "booked_on": "2026-11-25", "booking_id": "cc902525-d0ba-4de7-b05b-2da2fbd3c346", "nationality": "154", "arrival_kind": "abroad", "effective_on": "2018-11-05", "residence_id": "5936ad7b-0081-4106-9b43-be4e896b7e39", "previous_state": "154", "residence_kind": "main", "at_flagged_premises": false, "landlord_confirmation": "present", "previous_municipality": null}, {"area": "05", "kind": "move", "booked_on": "2026-11-25", "booking_id": "68853e59-74ce-4a40-b7c0-016f0a91d491", "effective_on": "2018-12-01", "residence_id": "5936ad7b-0081-4106-9b43-be4e896b7e39", "at_flagged_premises": false, "landlord_confirmation": "present"}], "birth_year": 1987, "resident_id": "a0ff8428-df77-4766-b540-4cda5f8ad2ec"}');
INSERT INTO office.resident VALUES ('08812be3-2ca8-42bd-bbac-6facf330181d', 2, '{"sex": "f", "entries": [{"area": "05", "kind": "registration", "booked_on": "2026-11-25", "booking_id": "bd9119a7-4689-4c8d-806e-b580e768d8de", "nationality": "125", "arrival_kind": "abroad", "effective_on": "2018-11-05", "residence_id": "0b5c20ee-9a90-45f5-a4ec-1be95fc04ccf", "previous_state": "154", "residence_kind": "main", "at_flagged_premises": false, "landlord_confirmation": "present", "previous_municipality": null}, {"kind": "deregistration", "reason": "abroad", "booked_on": "2026-11-25", "booking_id": "e907cbad-ddf9-454f-9fe6-c24cd01558c3", "effective_on": "2018-12-01", "residence_id": "0b5c20ee-9a90-45f5-a4ec-1be95fc04ccf"}], "birth_year": 1987, "resident_id": "08812be3-2ca8-42bd-bbac-6facf330181d"}');
INSERT INTO office.resident VALUES ('03e00db3-12f3-45a2-b9cb-62aa63ecfade', 2, '{"sex": "m", "entries": [{"area": "05", "kind": "registration", "booked_on": "2026-11-25", "booking_id": "04c18f43-375e-4b03-9a27-ee8582c6f650", "nationality": "125", "arrival_kind": "abroad", "effective_on": "2018-11-05", "residence_id": "3eef91d3-5ed9-446b-a415-7f65051c57a2", "previous_state": "154", "residence_kind": "main", "at_flagged_premises": false, "landlord_confirmation": "present", "previous_municipality": null}, {"kind": "nationality_change", "booked_on": "2026-11-25", "booking_id": "671bb38a-bcf8-43bd-89fa-741fe65dd90a", "nationality": "000", "effective_on": "2018-12-01", "residence_id": "3eef91d3-5ed9-446b-a415-7f65051c57a2"}], "birth_year": 1987, "resident_id": "03e00db3-12f3-45a2-b9cb-62aa63ecfade"}');
INSERT INTO office.resident VALUES ('c5d66a07-6877-4b70-bced-8ef50f65c32e', 2, '{"sex": "f", "entries": [{"area": "05", "kind": "registration", "booked_on": "2026-11-25", "booking_id": "7551f8bf-e964-4871-a73c-f89889e3b5b9", "nationality": "154", "arrival_kind": "abroad", "effective_on": "2018-11-05", "residence_id": "e2b4c7e9-334c-4a63-b3dd-65082e55a82f", "previous_state": "154", "residence_kind": "main", "at_flagged_premises": false, "landlord_confirmation": "present", "previous_municipality": null}, {"kind": "correction", "corrects": "7551f8bf-e964-4871-a73c-f89889e3b5b9", "amendment": {"sex": null, "area": null, "reason": null, "birth_year": null, "nationality": "125", "arrival_kind": null, "effective_on": null, "previous_state": null, "residence_kind": null, "landlord_confirmation": null, "previous_municipality": null}, "booked_on": "2026-11-25", "booking_id": "b61863cd-9d64-46c3-a54e-2407a6ffadd4"}], "birth_year": 1987, "resident_id": "c5d66a07-6877-4b70-bced-8ef50f65c32e"}');
INSERT INTO public.ledger_version VALUES ('0001');
INSERT INTO public.registration_version VALUES ('0001');
INSERT INTO vault.address VALUES ('ea1522bd-9034-4c34-9699-e564f90b5821', '11111111-1111-4111-8111-111111111111', 'Musterstraße', '12a', '44145', NULL, 'Hausverwaltung Muster');
INSERT INTO vault.address VALUES ('ca0c6841-eb7b-4095-b1b3-0855879b96c6', '11111111-1111-4111-8111-111111111111', 'Musterweg', '1', NULL, NULL, NULL);
INSERT INTO vault.address VALUES ('9854b5d3-b403-48cf-8d2a-2855354ab32e', '4bccaeda-b53c-478a-a4a8-3808b0f42d76', 'Musterstraße', '12a', '44145', NULL, NULL);
INSERT INTO vault.address VALUES ('7551f8bf-e964-4871-a73c-f89889e3b5b9', 'e2b4c7e9-334c-4a63-b3dd-65082e55a82f', 'Musterstraße', '12a', '44145', NULL, 'Hausverwaltung Muster');
INSERT INTO vault.address VALUES ('cc902525-d0ba-4de7-b05b-2da2fbd3c346', '5936ad7b-0081-4106-9b43-be4e896b7e39', 'Musterstraße', '12a', '44145', NULL, 'Hausverwaltung Muster');
INSERT INTO vault.address VALUES ('bd9119a7-4689-4c8d-806e-b580e768d8de', '0b5c20ee-9a90-45f5-a4ec-1be95fc04ccf', 'Musterstraße', '12a', '44145', NULL, 'Hausverwaltung Muster');
INSERT INTO vault.address VALUES ('04c18f43-375e-4b03-9a27-ee8582c6f650', '3eef91d3-5ed9-446b-a415-7f65051c57a2', 'Musterstraße', '12a', '44145', NULL, 'Hausverwaltung Muster');
INSERT INTO vault.address VALUES ('68853e59-74ce-4a40-b7c0-016f0a91d491', '5936ad7b-0081-4106-9b43-be4e896b7e39', 'Musterweg', '1', NULL, NULL, NULL);
INSERT INTO vault.person VALUES ('22222222-2222-4222-8222-222222222222', 'Muster', 'Maria', '1987-05-14');
INSERT INTO vault.person VALUES ('4b6f55d2-540e-46ce-b39f-f856c44959ad', 'Muster', 'Maria', '1987-05-14');
INSERT INTO vault.person VALUES ('c5d66a07-6877-4b70-bced-8ef50f65c32e', 'Muster', 'Maria', '1987-05-14');
INSERT INTO vault.person VALUES ('a0ff8428-df77-4766-b540-4cda5f8ad2ec', 'Muster', 'Maria', '1987-05-14');
INSERT INTO vault.person VALUES ('08812be3-2ca8-42bd-bbac-6facf330181d', 'Muster', 'Maria', '1987-05-14');
INSERT INTO vault.person VALUES ('03e00db3-12f3-45a2-b9cb-62aa63ecfade', 'Muster', 'Maria', '1987-05-14');
INSERT INTO vault.reading OVERRIDING SYSTEM VALUE VALUES (1, '2026-11-25 13:19:05.05502+00', 'somebody', 'keeping the register (§ 3 BMG)', 'residence', '{e2b4c7e9-334c-4a63-b3dd-65082e55a82f}');
SELECT pg_catalog.setval('vault.reading_number_seq', 1, true);
ALTER TABLE ONLY desk.answer
    ADD CONSTRAINT answer_pkey PRIMARY KEY (principal, route, key);
ALTER TABLE ONLY desk.initial_load
    ADD CONSTRAINT initial_load_pkey PRIMARY KEY (office);
ALTER TABLE ONLY ledger.beat
    ADD CONSTRAINT beat_pkey PRIMARY KEY (office);
ALTER TABLE ONLY ledger.head
    ADD CONSTRAINT head_pkey PRIMARY KEY (ledger);
ALTER TABLE ONLY ledger.record
    ADD CONSTRAINT record_pkey PRIMARY KEY (ledger, number);
ALTER TABLE ONLY office.residence
    ADD CONSTRAINT residence_pkey PRIMARY KEY (residence_id);
ALTER TABLE ONLY office.resident
    ADD CONSTRAINT resident_pkey PRIMARY KEY (resident_id);
ALTER TABLE ONLY public.ledger_version
    ADD CONSTRAINT ledger_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.registration_version
    ADD CONSTRAINT registration_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY vault.address
    ADD CONSTRAINT address_pkey PRIMARY KEY (booking_id);
ALTER TABLE ONLY vault.person
    ADD CONSTRAINT person_pkey PRIMARY KEY (resident_id);
ALTER TABLE ONLY vault.reading
    ADD CONSTRAINT reading_pkey PRIMARY KEY (number);
CREATE INDEX answer_by_age ON desk.answer USING btree (answered_at);
CREATE UNIQUE INDEX residence_by_number ON office.residence USING btree (number);
CREATE INDEX residence_of_resident ON office.residence USING btree (resident_id);
CREATE INDEX address_of_residence ON vault.address USING btree (residence_id);
CREATE TRIGGER never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.record FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.record ENABLE ALWAYS TRIGGER never_changed;
CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON ledger.head FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.head ENABLE ALWAYS TRIGGER never_removed;
GRANT USAGE ON SCHEMA desk TO registration_desk;
GRANT USAGE ON SCHEMA feed_reporting TO registration_feed_reporting;
GRANT USAGE ON SCHEMA ledger TO registration_desk;
GRANT USAGE ON SCHEMA office TO registration_desk;
GRANT USAGE ON SCHEMA vault TO registration_desk;
GRANT SELECT,INSERT,DELETE ON TABLE desk.answer TO registration_desk;
GRANT SELECT,INSERT ON TABLE desk.initial_load TO registration_desk;
GRANT SELECT,INSERT,UPDATE ON TABLE ledger.beat TO registration_desk;
GRANT SELECT,INSERT,UPDATE ON TABLE ledger.head TO registration_desk;
GRANT SELECT ON TABLE feed_reporting.head TO registration_feed_reporting;
GRANT SELECT,INSERT ON TABLE ledger.record TO registration_desk;
GRANT SELECT ON TABLE feed_reporting.record TO registration_feed_reporting;
GRANT SELECT,INSERT,UPDATE ON TABLE office.residence TO registration_desk;
GRANT SELECT,INSERT,UPDATE ON TABLE office.resident TO registration_desk;
GRANT SELECT,INSERT,UPDATE ON TABLE vault.address TO registration_desk;
GRANT SELECT,INSERT,UPDATE ON TABLE vault.person TO registration_desk;
GRANT INSERT ON TABLE vault.reading TO registration_desk;
