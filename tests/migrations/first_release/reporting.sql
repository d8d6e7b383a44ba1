CREATE SCHEMA cube;
ALTER SCHEMA cube OWNER TO reporting_owner;
CREATE SCHEMA feed;
ALTER SCHEMA feed OWNER TO reporting_owner;
CREATE TABLE cube.batch (
    municipality text NOT NULL,
    number bigint NOT NULL,
    batch uuid NOT NULL,
    taken_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT batch_number_check CHECK ((number > 0))
);
ALTER TABLE cube.batch OWNER TO reporting_owner;
CREATE TABLE cube.batch_head (
    municipality text NOT NULL,
    generation integer DEFAULT 1 NOT NULL,
    number bigint NOT NULL,
    versions jsonb NOT NULL,
    CONSTRAINT batch_head_number_check CHECK ((number > 0))
);
ALTER TABLE cube.batch_head OWNER TO reporting_owner;
COMMENT ON COLUMN cube.batch_head.versions IS 'by office, the version of the functions that made the deltas';
CREATE TABLE cube.cell (
    municipality text NOT NULL,
    cell bigint NOT NULL,
    measure text NOT NULL,
    dims jsonb NOT NULL
);
ALTER TABLE cube.cell OWNER TO reporting_owner;
CREATE TABLE cube.delta (
    municipality text NOT NULL,
    batch uuid NOT NULL,
    measure text NOT NULL,
    cell bigint NOT NULL,
    effective_on date NOT NULL,
    recorded_on date NOT NULL,
    cause text NOT NULL,
    n bigint NOT NULL,
    key bigint NOT NULL,
    CONSTRAINT delta_key_check CHECK (((key >= 0) AND (key <= '4294967295'::bigint)))
);
ALTER TABLE cube.delta OWNER TO reporting_owner;
CREATE TABLE feed.parked (
    id bigint NOT NULL,
    ledger text NOT NULL,
    number bigint,
    reason text NOT NULL,
    detail text NOT NULL,
    body bytea NOT NULL,
    hash bytea NOT NULL,
    parked_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE feed.parked OWNER TO reporting_owner;
ALTER TABLE feed.parked ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME feed.parked_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE feed."position" (
    ledger text NOT NULL,
    number bigint DEFAULT 0 NOT NULL,
    hash bytea NOT NULL,
    recorded_at timestamp with time zone,
    moved_at timestamp with time zone,
    heard_at timestamp with time zone,
    head_number bigint,
    stop_reason text,
    stopped_at timestamp with time zone,
    CONSTRAINT position_hash_check CHECK ((octet_length(hash) = 32)),
    CONSTRAINT position_number_check CHECK ((number >= 0))
);
ALTER TABLE feed."position" OWNER TO reporting_owner;
COMMENT ON COLUMN feed."position".recorded_at IS 'when the office booked the record at this position';
COMMENT ON COLUMN feed."position".heard_at IS 'last sign of life of the office';
CREATE TABLE public.feed_version (
    version_num character varying(32) NOT NULL
);
ALTER TABLE public.feed_version OWNER TO reporting_owner;
CREATE TABLE public.reporting_version (
    version_num character varying(32) NOT NULL
);
ALTER TABLE public.reporting_version OWNER TO reporting_owner;
INSERT INTO cube.batch VALUES ('05913000', 1, '01a212dc-1e2e-7376-99e7-592d3c6bc07b', '2026-11-25 13:19:05.271981+00');
INSERT INTO cube.batch_head VALUES ('05913000', 1, 1, '{"registration": 1}');
INSERT INTO cube.cell VALUES ('05913000', -8300282771047717413, 'registrations', '{"area": "04", "late": "false", "arrival_kind": "within_municipality", "residence_kind": "main", "at_flagged_premises": "false", "landlord_confirmation": "present"}');
INSERT INTO cube.cell VALUES ('05913000', -7512897245815262132, 'departures', '{"sex": "f", "area": "05", "birth_year": "1987", "nationality": "125", "residence_kind": "main"}');
INSERT INTO cube.cell VALUES ('05913000', -7483257247301761695, 'arrivals', '{"sex": "m", "area": "05", "birth_year": "1987", "nationality": "125", "residence_kind": "main"}');
INSERT INTO cube.cell VALUES ('05913000', -5936801262332135126, 'residents', '{"sex": "f", "area": "04", "birth_year": "1987", "nationality": "000", "residence_kind": "main"}');
INSERT INTO cube.cell VALUES ('05913000', -2931870776233718418, 'residents', '{"sex": "m", "area": "05", "birth_year": "1987", "nationality": "154", "residence_kind": "main"}');
INSERT INTO cube.cell VALUES ('05913000', -2615795400060417271, 'arrivals', '{"sex": "f", "area": "05", "birth_year": "1987", "nationality": "154", "residence_kind": "main"}');
INSERT INTO cube.cell VALUES ('05913000', -1312499398370414410, 'openings', '{"sex": "f", "area": "05", "birth_year": "1987", "nationality": "154", "residence_kind": "main"}');
INSERT INTO cube.cell VALUES ('05913000', -734415299202829151, 'registrations', '{"area": "04", "late": "true", "arrival_kind": "abroad", "residence_kind": "main", "at_flagged_premises": "false", "landlord_confirmation": "present"}');
INSERT INTO cube.cell VALUES ('05913000', -333716250218419749, 'registrations', '{"area": "05", "late": "true", "arrival_kind": "abroad", "residence_kind": "main", "at_flagged_premises": "false", "landlord_confirmation": "present"}');
INSERT INTO cube.cell VALUES ('05913000', 43345304752159807, 'residents', '{"sex": "m", "area": "05", "birth_year": "1987", "nationality": "125", "residence_kind": "main"}');
INSERT INTO cube.cell VALUES ('05913000', 287741736853866071, 'departures', '{"sex": "f", "area": "04", "birth_year": "1987", "nationality": "000", "residence_kind": "main"}');
INSERT INTO cube.cell VALUES ('05913000', 1182071496491859430, 'registrations', '{"area": "05", "late": "true", "arrival_kind": "within_municipality", "residence_kind": "main", "at_flagged_premises": "false", "landlord_confirmation": "present"}');
INSERT INTO cube.cell VALUES ('05913000', 1211371369111545344, 'arrivals', '{"sex": "m", "area": "04", "birth_year": "1987", "nationality": "154", "residence_kind": "main"}');
INSERT INTO cube.cell VALUES ('05913000', 3598376143414246828, 'residents', '{"sex": "m", "area": "04", "birth_year": "1987", "nationality": "154", "residence_kind": "main"}');
INSERT INTO cube.cell VALUES ('05913000', 7027925266359542142, 'residents', '{"sex": "f", "area": "04", "birth_year": "1987", "nationality": "154", "residence_kind": "main"}');
INSERT INTO cube.cell VALUES ('05913000', 7220293753937012045, 'moves', '{"sex": "f", "area_to": "04", "area_from": "05", "birth_year": "1987", "nationality": "154", "residence_kind": "main"}');
INSERT INTO cube.cell VALUES ('05913000', 7949760474726484296, 'residents', '{"sex": "m", "area": "05", "birth_year": "1987", "nationality": "000", "residence_kind": "main"}');
INSERT INTO cube.cell VALUES ('05913000', 8071304718217171939, 'moves', '{"sex": "m", "area_to": "05", "area_from": "04", "birth_year": "1987", "nationality": "154", "residence_kind": "main"}');
INSERT INTO cube.cell VALUES ('05913000', 8394763623081472486, 'arrivals', '{"sex": "f", "area": "05", "birth_year": "1987", "nationality": "125", "residence_kind": "main"}');
INSERT INTO cube.cell VALUES ('05913000', 8575572888372749721, 'residents', '{"sex": "f", "area": "05", "birth_year": "1987", "nationality": "125", "residence_kind": "main"}');
INSERT INTO cube.cell VALUES ('05913000', 9153890105726288091, 'residents', '{"sex": "f", "area": "05", "birth_year": "1987", "nationality": "154", "residence_kind": "main"}');
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'residents', 9153890105726288091, '2015-01-10', '2015-01-20', 'booked', 1, 4102681731);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'arrivals', -2615795400060417271, '2015-01-10', '2015-01-20', 'booked', 1, 4102681731);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'registrations', -333716250218419749, '2015-01-20', '2015-01-20', 'booked', 1, 1768506739);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'residents', 9153890105726288091, '2016-05-01', '2016-05-02', 'booked', -1, 192285565);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'residents', 7027925266359542142, '2016-05-01', '2016-05-02', 'booked', 1, 4102681731);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'moves', 7220293753937012045, '2016-05-01', '2016-05-02', 'booked', 1, 4102681731);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'registrations', -8300282771047717413, '2016-05-02', '2016-05-02', 'booked', 1, 1768506739);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'residents', 7027925266359542142, '2017-05-01', '2017-05-02', 'booked', -1, 192285565);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'residents', -5936801262332135126, '2017-05-01', '2017-05-02', 'booked', 1, 4102681731);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'residents', -5936801262332135126, '2018-05-01', '2018-05-02', 'booked', -1, 192285565);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'departures', 287741736853866071, '2018-05-01', '2018-05-02', 'booked', 1, 4102681731);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'residents', 9153890105726288091, '2014-03-01', '2018-06-04', 'booked', 1, 1187770381);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'openings', -1312499398370414410, '2014-03-01', '2018-06-04', 'booked', 1, 1187770381);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'residents', 9153890105726288091, '2018-11-05', '2026-11-25', 'booked', 1, 1245153558);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'arrivals', -2615795400060417271, '2018-11-05', '2026-11-25', 'booked', 1, 1245153558);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'registrations', -333716250218419749, '2026-11-25', '2026-11-25', 'booked', 3, 2953842697);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'residents', 3598376143414246828, '2018-11-05', '2026-11-25', 'booked', 1, 2814933352);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'arrivals', 1211371369111545344, '2018-11-05', '2026-11-25', 'booked', 1, 2814933352);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'registrations', -734415299202829151, '2026-11-25', '2026-11-25', 'booked', 1, 1579814687);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'residents', 8575572888372749721, '2018-11-05', '2026-11-25', 'booked', 1, 3567583043);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'arrivals', 8394763623081472486, '2018-11-05', '2026-11-25', 'booked', 1, 3567583043);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'residents', 43345304752159807, '2018-11-05', '2026-11-25', 'booked', 1, 44613878);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'arrivals', -7483257247301761695, '2018-11-05', '2026-11-25', 'booked', 1, 44613878);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'residents', 3598376143414246828, '2018-12-01', '2026-11-25', 'booked', -1, 1480033944);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'residents', -2931870776233718418, '2018-12-01', '2026-11-25', 'booked', 1, 2814933352);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'moves', 8071304718217171939, '2018-12-01', '2026-11-25', 'booked', 1, 2814933352);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'registrations', 1182071496491859430, '2026-11-25', '2026-11-25', 'booked', 1, 1579814687);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'residents', 8575572888372749721, '2018-12-01', '2026-11-25', 'booked', -1, 727384253);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'departures', -7512897245815262132, '2018-12-01', '2026-11-25', 'booked', 1, 3567583043);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'residents', 43345304752159807, '2018-12-01', '2026-11-25', 'booked', -1, 4250353418);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'residents', 7949760474726484296, '2018-12-01', '2026-11-25', 'booked', 1, 44613878);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'residents', 9153890105726288091, '2018-11-05', '2026-11-25', 'corrected:wrong_document', -1, 3049813738);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'arrivals', -2615795400060417271, '2018-11-05', '2026-11-25', 'corrected:wrong_document', -1, 3049813738);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'residents', 8575572888372749721, '2018-11-05', '2026-11-25', 'corrected:wrong_document', 1, 1245153558);
INSERT INTO cube.delta VALUES ('05913000', '01a212dc-1e2e-7376-99e7-592d3c6bc07b', 'arrivals', 8394763623081472486, '2018-11-05', '2026-11-25', 'corrected:wrong_document', 1, 1245153558);
INSERT INTO feed."position" VALUES ('/05913000/registration/book', 14, '\x577ebedc0f8897ec5636f9c5f9be173556bd4aa56420c923a55957e3981b42b0', '2026-11-25 13:19:05.047083+00', '2026-11-25 13:19:05.257816+00', '2026-11-25 13:19:04.814057+00', 14, NULL, NULL);
INSERT INTO public.feed_version VALUES ('0001');
INSERT INTO public.reporting_version VALUES ('0001');
SELECT pg_catalog.setval('feed.parked_id_seq', 1, false);
ALTER TABLE ONLY cube.batch_head
    ADD CONSTRAINT batch_head_pkey PRIMARY KEY (municipality);
ALTER TABLE ONLY cube.batch
    ADD CONSTRAINT batch_municipality_batch_key UNIQUE (municipality, batch);
ALTER TABLE ONLY cube.batch
    ADD CONSTRAINT batch_pkey PRIMARY KEY (municipality, number);
ALTER TABLE ONLY cube.cell
    ADD CONSTRAINT cell_pkey PRIMARY KEY (municipality, cell);
ALTER TABLE ONLY feed.parked
    ADD CONSTRAINT parked_ledger_number_reason_hash_key UNIQUE NULLS NOT DISTINCT (ledger, number, reason, hash);
ALTER TABLE ONLY feed.parked
    ADD CONSTRAINT parked_pkey PRIMARY KEY (id);
ALTER TABLE ONLY feed."position"
    ADD CONSTRAINT position_pkey PRIMARY KEY (ledger);
ALTER TABLE ONLY public.feed_version
    ADD CONSTRAINT feed_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.reporting_version
    ADD CONSTRAINT reporting_version_pkc PRIMARY KEY (version_num);
CREATE INDEX delta_by_batch ON cube.delta USING btree (municipality, batch);
CREATE INDEX delta_by_effective_on ON cube.delta USING btree (municipality, measure, effective_on) INCLUDE (cell, recorded_on, n);
GRANT USAGE ON SCHEMA cube TO reporting_reader;
GRANT USAGE ON SCHEMA cube TO reporting_web;
GRANT USAGE ON SCHEMA feed TO reporting_reader;
GRANT USAGE ON SCHEMA feed TO reporting_web;
GRANT SELECT,INSERT ON TABLE cube.batch TO reporting_reader;
GRANT SELECT ON TABLE cube.batch TO reporting_web;
GRANT SELECT,INSERT,UPDATE ON TABLE cube.batch_head TO reporting_reader;
GRANT SELECT ON TABLE cube.batch_head TO reporting_web;
GRANT SELECT,INSERT ON TABLE cube.cell TO reporting_reader;
GRANT SELECT ON TABLE cube.cell TO reporting_web;
GRANT SELECT,INSERT ON TABLE cube.delta TO reporting_reader;
GRANT SELECT ON TABLE cube.delta TO reporting_web;
GRANT SELECT,INSERT,UPDATE ON TABLE feed.parked TO reporting_reader;
GRANT SELECT(id) ON TABLE feed.parked TO reporting_web;
GRANT SELECT(ledger) ON TABLE feed.parked TO reporting_web;
GRANT SELECT(number) ON TABLE feed.parked TO reporting_web;
GRANT SELECT(reason) ON TABLE feed.parked TO reporting_web;
GRANT SELECT(parked_at) ON TABLE feed.parked TO reporting_web;
GRANT SELECT,INSERT,UPDATE ON TABLE feed."position" TO reporting_reader;
GRANT SELECT ON TABLE feed."position" TO reporting_web;
