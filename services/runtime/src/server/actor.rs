//! Who asks. There is no authentication yet: the claim counts only from the same machine.

use std::sync::Arc;

use http::{Extensions, HeaderMap};
use tonic::transport::server::TcpConnectInfo;

use crate::text;

/// Metadata which names the person or programme behind a request.
pub const ACTOR_METADATA: &str = "x-upswell-actor";

/// The actor of a request, an extension set by the server; `None` when nobody is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor(pub Option<Arc<str>>);

/// The actor of `request`, e.g. `anna@example.com`, as a normalised key.
pub fn actor<T>(request: &tonic::Request<T>) -> Option<String> {
    let Actor(name) = request.extensions().get::<Actor>()?;
    name.as_deref().map(str::to_owned)
}

/// Believes the metadata of a peer on the loopback interface, and nothing else.
pub(super) fn identify(headers: &HeaderMap, extensions: &Extensions) -> Actor {
    let peer = extensions.get::<TcpConnectInfo>().and_then(TcpConnectInfo::remote_addr);
    if !peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback()) {
        return Actor(None);
    }
    let claimed = headers.get(ACTOR_METADATA).and_then(|v| v.to_str().ok());
    Actor(claimed.and_then(|name| text::key(name).ok()).map(Arc::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identified(peer: Option<&str>, claim: &str) -> Option<String> {
        let mut extensions = Extensions::new();
        if let Some(peer) = peer {
            extensions.insert(TcpConnectInfo {
                local_addr: None,
                remote_addr: Some(peer.parse().unwrap()),
            });
        }
        let mut headers = HeaderMap::new();
        headers.insert(ACTOR_METADATA, claim.parse().unwrap());
        identify(&headers, &extensions).0.map(|name| name.to_string())
    }

    #[test]
    fn only_the_own_machine_is_believed() {
        let anna = Some("anna@example.com".to_owned());
        assert_eq!(identified(Some("127.0.0.1:9"), "Anna@example.com"), anna);
        assert_eq!(identified(Some("[::1]:9"), "anna@example.com"), anna);
        assert_eq!(identified(Some("[::ffff:127.0.0.1]:9"), "anna@example.com"), anna);
        assert_eq!(identified(Some("10.0.0.7:9"), "anna@example.com"), None);
        assert_eq!(identified(None, "anna@example.com"), None);
        assert_eq!(identified(Some("127.0.0.1:9"), "anna; drop"), None);
    }
}
