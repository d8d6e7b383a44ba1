"""Every metric of the platform, each with one line of meaning. No label ever carries a person, a path or free text."""

from prometheus_client import Counter, Gauge, Histogram

# Seconds. Commits take about a millisecond on a good disk; a request that waits for one is rarely faster than that.
_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000)

HTTP_REQUESTS = Counter(
    "verbund_http_requests_total",
    "Requests answered, by method, route template and status.",
    ["method", "route", "status"],
)
HTTP_SECONDS = Histogram(
    "verbund_http_request_seconds",
    "Time from the first byte of a request's head to the last byte of its answer; long-lived streams are left out.",
    ["method", "route"],
    buckets=_FAST,
)

DESK_COMMANDS = Counter(
    "verbund_desk_commands_total",
    "Commands by outcome: booked, replayed, refused, unavailable, overloaded, failed.",
    ["command", "outcome"],
)
DESK_QUEUE = Gauge("verbund_desk_queue_orders", "Orders that wait for the desk.")
DESK_BATCH_SIZE = Histogram(
    "verbund_desk_batch_orders",
    "Orders in one transaction of the desk; their count is that of the batches.",
    buckets=_SIZES,
)
DESK_COMMIT_SECONDS = Histogram(
    "verbund_desk_commit_seconds", "Time of one transaction of the desk, from begin to commit.", buckets=_FAST
)

DESK_TRAY_EVENTS = Counter(
    "verbund_desk_tray_events_total",
    "Events from the in-tray by outcome: done, refused, failed, ignored.",
    ["outcome"],
)
DESK_TRAY_WAITING = Gauge("verbund_desk_tray_waiting_events", "Events that wait in the in-tray.")
DESK_TRAY_OLDEST = Gauge(
    "verbund_desk_tray_oldest_seconds", "How long the oldest waiting event has been in the in-tray; 0 where none waits."
)

LEDGER_HEAD = Gauge("verbund_ledger_head_number", "Number of a ledger's last record.", ["ledger"])

FEED_POSITION = Gauge("verbund_feed_position_number", "Last number of a ledger that took effect here.", ["ledger"])
FEED_LAG = Gauge(
    "verbund_feed_lag_records", "Records of a ledger that its last beat knows of and that are not here yet.", ["ledger"]
)
FEED_LAG_SECONDS = Gauge(
    "verbund_feed_lag_seconds",
    "How long ago the office booked what was last taken of its ledger, while there is more; 0 where there is not.",
    ["ledger"],
)
FEED_BATCH_SIZE = Histogram(
    "verbund_feed_batch_events", "Events that one transaction of a reader applied.", buckets=_SIZES
)
FEED_COMMIT_SECONDS = Histogram(
    "verbund_feed_commit_seconds", "Time of one transaction of a reader, from begin to commit.", buckets=_FAST
)
FEED_REPEATS = Counter("verbund_feed_repeats_total", "Records that came again and were skipped.")
FEED_HOLES = Counter(
    "verbund_feed_holes_total", "Batches that did not go on from the position and were read again.", ["ledger"]
)
FEED_REBALANCES = Counter("verbund_feed_rebalances_total", "Times that Kafka shared partitions out anew.")
FEED_PARKED = Counter(
    "verbund_feed_parked_total",
    "Records set aside because they could not be understood: figures miss them.",
    ["reason"],
)
FEED_STOPPED = Gauge(
    "verbund_feed_stopped_state", "Whether a ledger is stopped until a person decides (1) or not (0).", ["ledger"]
)
FEED_LAST_PROGRESS = Gauge(
    "verbund_feed_last_progress_timestamp_seconds", "When a ledger's position last moved (Unix time).", ["ledger"]
)
FEED_HEARD = Gauge(
    "verbund_feed_heard_timestamp_seconds", "Time of a ledger's last beat that was heard (Unix time).", ["ledger"]
)

RELAY_POSITION = Gauge(
    "verbund_relay_position_number", "Number up to which Kafka has acknowledged every record of a ledger.", ["ledger"]
)
RELAY_UNSENT = Gauge("verbund_relay_unsent_records", "Records of a ledger that are not acknowledged yet.", ["ledger"])
RELAY_UNSENT_SECONDS = Gauge(
    "verbund_relay_unsent_age_seconds",
    "For how long the oldest unsent record of a ledger has been waiting.",
    ["ledger"],
)
RELAY_SENDS = Counter(
    "verbund_relay_sends_total", "Records sent, by outcome: acknowledged, refused, failed.", ["outcome"]
)
RELAY_STOPPED = Gauge(
    "verbund_relay_stopped_state", "Whether a ledger is not sent until a person decides (1) or is (0).", ["ledger"]
)
RELAY_FENCED = Counter("verbund_relay_fenced_total", "Times that another relay of the office had taken over.")
RELAY_RESTARTS = Counter("verbund_relay_restarts_total", "Producers that were thrown away for a new one.")

LIVE_VIEWS = Gauge("verbund_live_views_open", "Live views that are open now.")
LIVE_LATENCY_SECONDS = Histogram(
    "verbund_live_latency_seconds",
    "Time from the booking of a fact to its change being sent to the open views.",
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0, 10.0, 60.0),
)

IMAGE_ROWS = Gauge("verbund_image_rows", "Rows that the image of the cube holds in this process.")
IMAGE_GENERATION = Gauge("verbund_image_generation_number", "Generation of the cube that the image was made of.")
IMAGE_BATCH = Gauge("verbund_image_batch_number", "Last batch of the cube that the image has taken in.")
IMAGE_SECONDS = Histogram(
    "verbund_image_seconds",
    "Time in which the image took in what was new (followed), or was loaded afresh (loaded).",
    ["outcome"],
    buckets=(*_FAST, 30.0, 60.0),
)

ALERTS_OPEN = Gauge("verbund_alerts_open", "Alerts of thresholds that are not over.")
ALERT_EVALUATIONS = Counter(
    "verbund_alerts_evaluations_total",
    "Looks at a threshold by outcome: compared, no_number (protected or not reported), refused (cannot be asked).",
    ["outcome"],
)
WEBHOOK_POSTS = Counter(
    "verbund_webhook_posts_total", "Changes of alerts posted, by outcome: accepted, refused, unreachable.", ["outcome"]
)
WEBHOOK_WAITING = Gauge("verbund_webhook_waiting_records", "Changes of alerts that the receiver has not accepted yet.")
WEBHOOK_OLDEST = Gauge(
    "verbund_webhook_oldest_seconds", "How long the oldest of them has been waiting; 0 where none waits."
)

SOURCE_OVERDUE = Gauge(
    "verbund_source_overdue_state",
    "Whether a source has not told anything for longer than its rhythm lets expect (1) or has (0), by office.",
    ["office"],
)
TICKS = Counter(
    "verbund_ticks_written_total",
    "Moments at which protected figures moved: ticks of the coordination group, releases of the public.",
    ["audience"],
)
