//! In whose name a handler acts.

use std::sync::Arc;

/// Metadata which names the person or programme behind a request. It is believed from the loopback interface where callers
/// are not asked who they are; where they are, it may only say what their credentials do.
pub const ACTOR_METADATA: &str = "x-upswell-actor";

/// The actor of a request, an extension set by the server; `None` when nobody is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor(pub Option<Arc<str>>);

/// The actor of `request`, e.g. `anna@example.com`, as a normalised key.
pub fn actor<T>(request: &tonic::Request<T>) -> Option<String> {
    let Actor(name) = request.extensions().get::<Actor>()?;
    name.as_deref().map(str::to_owned)
}
