//! Attribute names of the OpenTelemetry conventions, in one place because some are still moving.

/// The schema these names belong to.
pub const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.42.0";

/// `grpc`.
pub const RPC_SYSTEM_NAME: &str = "rpc.system.name";
/// `package.Service/Method`, or [`OTHER`].
pub const RPC_METHOD: &str = "rpc.method";
/// The path of a method nobody serves.
pub const RPC_METHOD_ORIGINAL: &str = "rpc.method_original";
/// `OK`, `DEADLINE_EXCEEDED`, …; newer drafts call it `rpc.status_code`.
pub const RPC_STATUS_CODE: &str = "rpc.response.status_code";
/// The status code again when it means a failure, or what broke in the transport.
pub const ERROR_TYPE: &str = "error.type";
/// The configured target of a client, the bound address of a server.
pub const SERVER_ADDRESS: &str = "server.address";
/// The port of the target.
pub const SERVER_PORT: &str = "server.port";
/// Which service of the process worked: several may live in one.
pub const UPSWELL_SERVICE: &str = "upswell.service";

/// [`MESSAGING_OUTBOX`].
pub const MESSAGING_SYSTEM: &str = "messaging.system";
/// The topic: the full name of the message.
pub const MESSAGING_DESTINATION: &str = "messaging.destination.name";

/// Value of [`RPC_SYSTEM_NAME`].
pub const GRPC: &str = "grpc";
/// Value of [`MESSAGING_SYSTEM`].
pub const MESSAGING_OUTBOX: &str = "outbox";
/// Value of [`RPC_METHOD`] when the method is unknown, so that a caller cannot invent names.
pub const OTHER: &str = "_OTHER";

/// Which store: [`SQLITE`] or [`POSTGRESQL`].
pub const DB_SYSTEM_NAME: &str = "db.system.name";
/// The first word of the statement.
pub const DB_OPERATION_NAME: &str = "db.operation.name";
/// `idle` or `used`.
pub const DB_CONNECTION_STATE: &str = "db.client.connection.state";
/// Value of [`DB_SYSTEM_NAME`].
pub const SQLITE: &str = "sqlite";
/// Value of [`DB_SYSTEM_NAME`].
pub const POSTGRESQL: &str = "postgresql";
/// `applied`, `duplicate`, `retry`, `refused`, …
pub const EVENT_OUTCOME: &str = "upswell.event.outcome";
/// The receiving service of an outbox.
pub const EVENT_DESTINATION: &str = "upswell.event.destination";
/// Name of a job.
pub const JOB_NAME: &str = "upswell.job.name";
/// `done`, `idle`, `taken` by another process, or `failed`.
pub const JOB_OUTCOME: &str = "upswell.job.outcome";
/// Class of a touch (C-1).
pub const TOUCH_CLASS: &str = "upswell.touch.class";
/// `granted`, or the rule that refused, e.g. `C-3`.
pub const TOUCH_VERDICT: &str = "upswell.touch.verdict";

/// Seconds from a request's arrival to its answer, or to the first message of a stream.
pub const RPC_SERVER_DURATION: &str = "rpc.server.call.duration";
/// Seconds from a call to its answer, one attempt.
pub const RPC_CLIENT_DURATION: &str = "rpc.client.call.duration";
/// Seconds of one statement.
pub const DB_DURATION: &str = "db.client.operation.duration";
/// Connections of the pool.
pub const DB_CONNECTIONS: &str = "db.client.connection.count";
/// Connections the pool may open.
pub const DB_CONNECTIONS_MAX: &str = "db.client.connection.max";
/// Events handed to a destination and answered by it.
pub const MESSAGES_SENT: &str = "messaging.client.sent.messages";
/// Events that arrived, by what became of them.
pub const MESSAGES_CONSUMED: &str = "messaging.client.consumed.messages";
/// Seconds a batch of events took to be applied.
pub const PROCESS_DURATION: &str = "messaging.process.duration";
/// Seconds from the moment an event happened to its acknowledgement.
pub const OUTBOX_LATENCY: &str = "upswell.outbox.delivery.latency";
/// Events that wait.
pub const OUTBOX_BACKLOG: &str = "upswell.outbox.backlog";
/// Seconds that the oldest waiting event has waited.
pub const OUTBOX_AGE: &str = "upswell.outbox.undelivered.age";
/// Events that are parked.
pub const OUTBOX_PARKED: &str = "upswell.outbox.parked";
/// Seconds a job ran.
pub const JOB_DURATION: &str = "upswell.job.duration";
/// Judgements of the touch ledger.
pub const TOUCHES_JUDGED: &str = "upswell.touch.judged";
