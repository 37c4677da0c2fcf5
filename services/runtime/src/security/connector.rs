//! The way out: a connection with TLS to a service whose certificate has its name.

use std::{
    io,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tower_service::Service;

use super::Security;

/// Opens connections for a channel of tonic; each with the certificates that hold at that moment.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    security: Security,
    /// What the certificate of the other end must be for.
    name: String,
}

impl Connector {
    /// For a service which is called `host` in its address, unless the settings say another name.
    pub(crate) fn new(security: Security, host: &str) -> Self {
        let set = &security.settings().tls.server_name;
        let name = if set.is_empty() { host } else { set.as_str() };
        let name = name.trim_matches(['[', ']']).to_owned();
        Self { security, name }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { security, name } = self.clone();
        Box::pin(async move {
            let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
            let stream = TcpStream::connect((host, uri.port_u16().unwrap_or(443))).await?;
            stream.set_nodelay(true)?;
            let config = security.client_config().ok_or(io::ErrorKind::Unsupported)?;
            let name = ServerName::try_from(name).map_err(io::Error::other)?;
            let stream = TlsConnector::from(config).connect(name, stream).await?;
            Ok(TokioIo::new(stream))
        })
    }
}
