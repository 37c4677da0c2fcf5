//! Several connections to a server, as a busy caller has.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};

use crate::arrivals::Outcome;

/// Connections of a caller.
const CONNECTIONS: usize = 4;

/// Open connections, used in turn.
#[derive(Clone)]
pub(crate) struct Channels(Arc<Vec<Channel>>);

impl Channels {
    /// Connects to `http://host:port`.
    pub(crate) async fn open(url: &str) -> Result<Self> {
        let mut channels = Vec::new();
        for _ in 0..CONNECTIONS {
            channels.push(endpoint(url)?.connect().await.with_context(|| url.to_owned())?);
        }
        Ok(Self(Arc::new(channels)))
    }

    /// The connection of call `number`.
    pub(crate) fn of(&self, number: u64) -> Channel {
        self.0[number as usize % CONNECTIONS].clone()
    }
}

/// Large windows, so that a batch never waits for them; no delay of small packets.
pub(crate) fn endpoint(url: &str) -> Result<Endpoint> {
    Ok(Endpoint::from_shared(url.to_owned())?
        .tcp_nodelay(true)
        .connect_timeout(Duration::from_secs(5))
        .initial_stream_window_size(2 << 20)
        .initial_connection_window_size(4 << 20))
}

/// What an error of a call means.
pub(crate) fn outcome(status: &Status) -> Outcome {
    if status.code() == Code::ResourceExhausted {
        Outcome::Refused
    } else {
        Outcome::Failed
    }
}
