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

/// `create`, `send`, `process`.
pub const MESSAGING_OPERATION_TYPE: &str = "messaging.operation.type";
/// [`MESSAGING_OUTBOX`].
pub const MESSAGING_SYSTEM: &str = "messaging.system";
/// The topic: the full name of the message.
pub const MESSAGING_DESTINATION: &str = "messaging.destination.name";
/// The event's id.
pub const MESSAGING_MESSAGE_ID: &str = "messaging.message.id";
/// How many events one delivery carries.
pub const MESSAGING_BATCH_COUNT: &str = "messaging.batch.message_count";

/// Value of [`RPC_SYSTEM_NAME`].
pub const GRPC: &str = "grpc";
/// Value of [`MESSAGING_SYSTEM`].
pub const MESSAGING_OUTBOX: &str = "outbox";
/// Value of [`RPC_METHOD`] when the method is unknown, so that a caller cannot invent names.
pub const OTHER: &str = "_OTHER";
